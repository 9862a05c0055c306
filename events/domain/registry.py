"""The list of domain modules: which streams there are, and what a subject looks like.

Rules of this file: two constant tables. A new kind of stream is one row in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from events.domain import access, external, ledger
from events.domain.model import EventType

MODULES: Final[tuple[tuple[EventType, ...], ...]] = (
    access.EVENT_TYPES,
    external.EVENT_TYPES,
    ledger.EVENT_TYPES,
)

#: Stream kind -> a fictional subject, for the examples that we serve.
EXAMPLE_SUBJECTS: Final[Mapping[str, str]] = {
    "access": "access/k7Q2mZ",
    "campaign": "campaign/sixty-days-2017",
    "catalogue": "catalogue/org.example.hotline.call.v1",
    "commitment": "commitment/GX-2017-0012",
    "directive": "directive/GX-2017-031",
    "grid": "grid/gouzhao-3-02",
    "ledger": "ledger/henji.example/demo",
    "policy": "policy/permit",
    "post": "post/gouzhao-eps-head",
    "subject": "subject/ENT-0042",
    "unit": "unit/gouzhao",
}
