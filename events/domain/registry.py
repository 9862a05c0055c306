"""The list of domain modules: which streams there are, and what their ids look like.

Rules of this file: constant tables. A new kind of stream is one row in each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from events.domain import (
    access,
    accountability,
    alerts,
    calendars,
    campaigns,
    censuses,
    commitments,
    directives,
    evidence,
    external,
    grids,
    inspections,
    issues,
    ledger,
    measures,
    metrics,
    obligations,
    orders,
    organisation,
    policy,
    reports,
    rulesets,
    subjects,
)
from events.domain.model import EventType

MODULES: Final[tuple[tuple[EventType, ...], ...]] = (
    access.EVENT_TYPES,
    accountability.EVENT_TYPES,
    alerts.EVENT_TYPES,
    calendars.EVENT_TYPES,
    campaigns.EVENT_TYPES,
    censuses.EVENT_TYPES,
    commitments.EVENT_TYPES,
    directives.EVENT_TYPES,
    evidence.EVENT_TYPES,
    external.EVENT_TYPES,
    grids.EVENT_TYPES,
    inspections.EVENT_TYPES,
    issues.EVENT_TYPES,
    ledger.EVENT_TYPES,
    measures.EVENT_TYPES,
    metrics.EVENT_TYPES,
    obligations.EVENT_TYPES,
    orders.EVENT_TYPES,
    organisation.EVENT_TYPES,
    policy.EVENT_TYPES,
    reports.EVENT_TYPES,
    rulesets.EVENT_TYPES,
    subjects.EVENT_TYPES,
)

#: What the key of a stream may be, where its kind says nothing else.
KEY: Final = re.compile(r"[^\s/]{1,64}")

#: Stream kind -> what its keys may be, where that is narrower or wider than ``KEY``.
KEYS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "catalogue": re.compile(r"[A-Za-z0-9._-]{1,180}"),
        "commitment": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
        "evidence": re.compile(r"[0-9a-f]{64}"),
        "ledger": re.compile(r"[A-Za-z0-9._~:@/-]{1,190}"),
        "metric": re.compile(r"[^\s/]{1,64}(?:/[^\s/]{1,64}){2}"),
        "obligation": re.compile(r"[^\s/]{1,64}(?:/[^\s/]{1,64}){2,3}"),
        "report": re.compile(r"[^\s/]{1,64}(?:/[^\s/]{1,64}){1,2}"),
        "routine": re.compile(r"[^\s/]{1,64}(?:/[^\s/]{1,64}){1,2}"),
    }
)

#: Stream kind -> a fictional subject, for the examples that we serve.
EXAMPLE_SUBJECTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "access": "access/k7Q2mZ",
        "accountability": "accountability/GX-2017-ZZ-005",
        "alert": "alert/A-2017-11-21",
        "calendar": "calendar/cn",
        "campaign": "campaign/sixty-days-2017",
        "catalogue": "catalogue/org.example.hotline.call.v1",
        "census": "census/sources-2017",
        "commitment": "commitment/GX-2017-0012",
        "directive": "directive/GX-2017-031",
        "evidence": "evidence/" + "e3" * 32,
        "grid": "grid/gouzhao-3-02",
        "inspection": "inspection/X-2017-0031",
        "issue": "issue/W-2017-0007",
        "ledger": "ledger/henji.example/demo",
        "measure": "measure/A-2017-11-21.S-0007.1",
        "metric": "metric/pm10/zone/2017-11-24",
        "obligation": "obligation/daily_brief/gouzhao/2017-11-24",
        "order": "order/seal-2017",
        "policy": "policy/permit",
        "post": "post/gouzhao-eps-head",
        "report": "report/weekly_bulletin/2017-W47",
        "routine": "routine/daily_brief/gouzhao",
        "ruleset": "ruleset/demo-2017",
        "subject": "subject/ENT-0042",
        "unit": "unit/gouzhao",
    }
)
