"""What the file of one subject shows: all that was made about it.

Rules of this file: finding the events that name a subject, and its tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from services.demo.campaign.expected.answer import (
    Answer,
    Figures,
    Row,
    Teller,
    rows,
)
from services.demo.campaign.expected.known import Event, Known
from services.demo.campaign.expected.lights import colour, last_day
from services.demo.campaign.moments import HOUR

#: A site with a violation that is revoked, a banned firm, a plant with a plan.
SUBJECTS: Final = ("S-012", "ENT-001", "MP-001")
#: Papers that a file has lines for: the campaign has none of any firm.
_PAPERS: Final = {
    "permits": ("环评批复", "三同时验收", "排污许可证", "其他手续"),
    "processes": ("产污环节", "治理设施", "设施运行记录"),
    "pledges": ("承诺书",),
}
_WITHIN: Final = 2 * HOUR


@dataclass(frozen=True)
class _File:
    """A subject and the streams that are about it; ``events`` in order of the log."""

    known: Known
    key: str
    issues: Mapping[str, Sequence[Event]]
    visits: Mapping[str, Sequence[Event]]
    measures: Mapping[str, Sequence[Event]]
    promises: tuple[str, ...]
    violations: tuple[str, ...]
    events: tuple[Event, ...]

    def of(self, what: str) -> list[Event]:
        """Return its events of a type."""
        return [event for event in self.events if event.what == what]


def subject_file(subject: str) -> Teller:
    """Return what tells the file of a subject."""
    return partial(_told, subject)


def _told(subject: str, known: Known) -> Answer:
    file = _file(known, subject)
    return {
        "totals": Figures(_totals(file)),
        "plans": rows("version measure", _plans(file)),
        "schedules": rows("start limit", _schedules(file)),
        "measures": rows("alert", [_measure(e) for e in file.measures.values()]),
        "visits": rows("visit", [_visit(k, e) for k, e in file.visits.items()]),
        "failed": rows("time", [{"time": when} for when in _failed(file)]),
        "issues": rows("issue", [_issue(k, e) for k, e in file.issues.items()]),
        "violations": rows("violation", _violations(file)),
        "promises": rows("key", _promises(file)),
        "timeline": rows("occurred recorded", _timeline(file)),
        "evidence": rows("sha256", _evidence(file)),
        **{
            part: rows("item", [{"item": line, "time": None} for line in lines])
            for part, lines in _PAPERS.items()
        },
    }


def _file(known: Known, subject: str) -> _File:
    issues = _streams(known, "issue", lambda e: e[0].data["subject"] == subject)
    measures = _streams(known, "measure", lambda e: e[0].data["subject"] == subject)
    target = f"subject/{subject}"
    visits = _streams(
        known, "inspection", lambda e: target in e[0].data.get("targets", ())
    )
    promises = {
        event.data["commitment"]
        for events in issues.values()
        for event in events
        if "commitment" in event.data
    }
    own = {target, *(f"commitment/{key}" for key in promises)}
    own |= {
        e[0].stream for e in (*issues.values(), *measures.values(), *visits.values())
    }
    own |= {
        event.stream
        for event in known.of("accountability.clue_registered")
        if any(fact["stream"] in own for fact in event.data["facts"])
    }
    violations = {
        event.data["violation"]
        for event in known.of("order.violation_recorded")
        if event.data["site"] == subject
    }
    return _File(
        known=known,
        key=subject,
        issues=issues,
        visits=visits,
        measures=measures,
        promises=tuple(sorted(promises)),
        violations=tuple(sorted(violations)),
        events=tuple(
            event
            for event in known.events
            if event.stream in own or _names(event, subject, violations)
        ),
    )


def _streams(known: Known, kind: str, wanted: Any) -> dict[str, list[Event]]:
    return {
        key: events for key, events in known.streams_of(kind).items() if wanted(events)
    }


def _names(event: Event, subject: str, violations: set[str]) -> bool:
    """Tell whether an event of the order is about the site."""
    if event.kind != "order":
        return False
    data = event.data
    return data.get("site") == subject or data.get("violation") in violations


def _totals(file: _File) -> Row:
    def streams(what: str) -> int:
        return len({event.stream for event in file.of(what)})

    return {
        "visits": streams("inspection.started"),
        "problems": streams("issue.found"),
        "fixed": streams("issue.fixed_on_spot"),
        "revoked": streams("issue.revoked"),
        "settled": streams("issue.closed"),
        "breaches": streams("measure.breached"),
    }


def _plans(file: _File) -> list[Row]:
    return [
        {
            "version": event.data["version"],
            "approved": event.occurred,
            "measure": f"{measure['code']} {measure['text']}",
        }
        for event in file.of("subject.plan_approved")
        for measure in event.data["measures"]
    ]


def _schedules(file: _File) -> Iterator[Row]:
    for event in file.of("subject.schedule_set"):
        data = event.data
        limit = data["limit_percent"] / 100
        span = {"start": data["start"], "end": data["end"]}
        yield {**span, "limit": limit}
    for event in file.of("subject.seal_applied"):
        span = {"start": event.data["start"], "end": event.data["end"]}
        yield {**span, "limit": None}


def _measure(events: Sequence[Event]) -> Row:
    required = events[0].occurred
    return {
        "alert": events[0].data["alert"],
        "required": required,
        "due": required + _WITHIN,
        "applied": _when(events, "measure.applied"),
    }


def _when(events: Sequence[Event], what: str) -> int | None:
    found = [event.occurred for event in events if event.what == what]
    return found[-1] if found else None


def _visit(key: str, events: Sequence[Event]) -> Row:
    results = [e.data["result"] for e in events if e.what == "inspection.item_checked"]
    return {
        "visit": key,
        "time": _when(events, "inspection.started"),
        "passed": results.count("pass"),
        "failed": results.count("fail"),
    }


def _failed(file: _File) -> list[int]:
    """Return when each item of a checklist failed."""
    return [
        event.occurred
        for events in file.visits.values()
        for event in events
        if event.what == "inspection.item_checked" and event.data["result"] == "fail"
    ]


def _issue(key: str, events: Sequence[Event]) -> Row:
    return {
        "issue": key,
        "time": events[0].occurred,
        "fixed": _when(events, "issue.fixed_on_spot"),
    }


def _violations(file: _File) -> list[Row]:
    return [
        {"violation": event.data["violation"], "time": event.occurred}
        for event in file.of("order.violation_recorded")
    ]


def _promises(file: _File) -> list[Row]:
    return [
        {
            "key": one.key,
            "due": last_day(one.note["current_due"]),
            "light": colour(one.note, file.known.now),
        }
        for one in file.known.promises
        if one.key in file.promises
    ]


def _timeline(file: _File) -> list[Row]:
    order = {event.id: place for place, event in enumerate(file.events)}
    return [
        {
            "occurred": event.occurred,
            "recorded": event.recorded,
            "position": event.id,
        }
        for event in sorted(file.events, key=lambda e: (e.occurred, order[e.id]))
    ]


def _evidence(file: _File) -> list[Row]:
    """Return each content with its first use and how many events refer to it."""
    uses: dict[str, list[Event]] = {}
    for event in file.events:
        for picture in event.data.get("evidence", ()):
            uses.setdefault(picture["sha256"], []).append(event)
    return [
        {
            "no": number,
            "sha256": name,
            "first": min(event.occurred for event in found),
            "uses": len(found),
        }
        for number, (name, found) in enumerate(uses.items(), 1)
    ]
