"""Logs for the tests of projections: entries as bytes, made without a store."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from events import entries
from events.domain.commitment_payloads import type_name
from events.domain.commitment_state import TRANSITIONS
from events.store import Root, Row

DAY = 86_400_000_000
START = 1_510_617_600_000_000  # 2017-11-14T00:00:00Z

EVIDENCE = [{"sha256": "ab" * 32}]
#: A payload for each event type of a commitment; all failures are 模拟数据.
PAYLOADS: dict[str, dict[str, Any]] = {
    "registered": {
        "title": "封土 all sites (模拟数据)",
        "lead_unit": "gouzhao",
        "kind": "supervision",
        "due": "2017-12-15",
        "theme": "dust",
        "basis": [{"ref": "GX-2017-031"}],
    },
    "issued": {},
    "signed_for": {},
    "receipt_rejected": {"reason": "not ours", "suggested_unit": "wutong"},
    "reassigned": {"lead_unit": "wutong", "reason": "theirs"},
    "plan_filed": {"summary": "in three steps"},
    "decomposed": {
        "children": [
            {
                "key": "C-1",
                "title": "part",
                "lead_unit": "wutong",
                "due": "2017-12-01",
                "weight": 100,
            }
        ]
    },
    "progress_reported": {"text": "40 of 45", "percent": 60, "evidence": EVIDENCE},
    "extension_requested": {
        "new_due": "2017-12-30",
        "reason": "frost",
        "progress": "most",
    },
    "extension_granted": {},
    "extension_denied": {"reason": "no"},
    "urged": {"level": "blue"},
    "completion_claimed": {"text": "done", "evidence": EVIDENCE},
    "completion_withdrawn": {"reason": "too early"},
    "verification_recorded": {"result": "pass", "method": "on_site"},
    "publicity_opened": {
        "from": "2017-12-01",
        "until": "2017-12-08",
        "where": "board",
    },
    "publicity_closed": {"objections": 0, "answered": 0},
    "closed": {"outcome": "done"},
    "lookback_recorded": {"result": "relapsed", "team": ["look"], "text": "seen"},
    "reopened": {"new_due": "2018-01-15", "reason": "relapsed"},
    "suspended": {"reason_class": "weather", "reason": "below 5 °C"},
    "resumed": {},
    "cancelled": {"reason": "void"},
    "superseded": {"by": "C-2", "reason": "merged"},
    "failed": {"reason": "impossible"},
    "corrected": {"corrects": "e-1", "reason": "typo", "changes": {"title": "封土"}},
}
#: The straight way from promise to settlement.
LOOP = (
    "registered",
    "issued",
    "signed_for",
    "plan_filed",
    "progress_reported",
    "completion_claimed",
    "verification_recorded",
    "closed",
)


class Log:
    """An in-memory log that offers what a runner reads."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.all = list(rows)
        self._versions: dict[str, int] = {}

    def add(
        self,
        stream: str,
        event_type: str,
        data: dict[str, Any] | None = None,
        **attributes: Any,
    ) -> Row:
        """Append one entry; ``time`` and ``unit`` may be given."""
        position = len(self.all) + 1
        version = self._versions.get(stream, 0) + 1
        self._versions[stream] = version
        unit = attributes.pop("unit", "gouzhao")
        ingested = START + position * 1_000_000
        event = {
            "specversion": "1.0",
            "id": f"{stream}-{version}",
            "source": "https://duban.example",
            "type": event_type,
            "subject": stream,
            **attributes,
            **({} if data is None else {"data": data}),
        }
        bytes_ = entries.compose(
            event,
            stream=stream,
            version=version,
            ingested_text=entries.rfc3339(ingested),
            authid="k1",
            authunit=unit,
            stamps={},
        )
        row = Row(
            position,
            stream,
            version,
            event_type,
            event["source"],
            event["id"],
            entries.occurred(event, ingested),
            ingested,
            b"\0" * 32,
            bytes_,
        )
        self.all.append(row)
        return row

    def commitment(self, key: str, what: str, **changes: Any) -> Row:
        """Append an event of a commitment with the usual payload, changed as given."""
        attributes = {
            name: changes.pop(name)
            for name in ("time", "unit", "recordedtime")
            if name in changes
        }
        data = {**PAYLOADS[what], **changes}
        return self.add(f"commitment/{key}", type_name(what), data, **attributes)

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return what the store's method returns."""
        return self.all[after : after + limit]

    def row(self, position: int) -> Row | None:
        """Return what the store's method returns."""
        return self.all[position - 1] if 0 < position <= len(self.all) else None

    def head(self) -> Root | None:
        """Return what the store's method returns, with a root of zeros."""
        if not self.all:
            return None
        return Root(len(self.all), b"\0" * 32, self.all[-1].ingested)


def random_log(seed: int, *, keys: int, length: int) -> Log:
    """Return a log of random walks over the real table of transitions."""
    choose = random.Random(seed)
    log, status = Log(), {}
    for _ in range(length):
        key = f"C-{choose.randrange(keys)}"
        if key not in status:
            log.commitment(key, "registered")
            status[key] = "draft"
            continue
        names = [
            what
            for what in PAYLOADS
            if status[key] in TRANSITIONS[type_name(what)].when
            and (
                what not in {"cancelled", "superseded", "failed"}
                or choose.random() < 0.1
            )
        ]
        if not names:
            continue
        what = choose.choice(names)
        changes: dict[str, Any] = {}
        if what == "verification_recorded":
            changes["result"] = choose.choice(("pass", "fail"))
        log.commitment(key, what, **changes)
        status[key] = _next(status, key, what, changes)
    return log


def _next(status: dict[str, str], key: str, what: str, changes: dict[str, Any]) -> str:
    to = TRANSITIONS[type_name(what)].to
    if isinstance(to, str):
        return to
    if what == "verification_recorded":
        return "verified" if changes["result"] == "pass" else "returned"
    if what == "resumed":
        return "in_progress"
    if what == "progress_reported" and status[key] not in {"returned", "closed"}:
        return "in_progress"
    return status[key]
