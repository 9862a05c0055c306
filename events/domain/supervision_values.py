"""What the payloads of supervision share: places, streams named, evidence, instants.

Rules of this file: constrained types and small structs; no rule of any stream. Evidence
and points on the ground are those of commitments, so that one form serves all reports.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from events.domain.commitment_values import Evidence, Geo
from events.domain.fields import Title
from events.domain.model import Payload

StreamRef = Annotated[
    str,
    Meta(
        pattern=r"^[a-z]{1,32}/[^\s/]{1,64}(?!\n)$",
        description="A whole stream id: `subject/S-0042`, `commitment/GX-2017-0012`.",
        examples=["commitment/GX-2017-0012"],
    ),
]
Code = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,39}(?!\n)$",
        description="A code of a published list.",
    ),
]
ListRef = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_-]{0,31}/[0-9]{4}(?:-[0-9]{2})?(?!\n)$",
        description="A published list and its version; a version never changes.",
        examples=["dust-100/2017-11"],
    ),
]
Colour = Literal["blue", "yellow", "orange", "red"]
Grade = Literal["IV", "III", "II", "I"]
EvidenceRefs = Annotated[tuple[Evidence, ...], Meta(max_length=100)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class Place(Payload, frozen=True):
    """Where: a point on the ground (WGS 84), an address, or both; never neither."""

    geo: Geo | None = None
    address: Title | None = None
