"""What the daily brief shows of the day of the instant.

Rules of this file: what happened on the day, and how promises stand at its instant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from services.demo.campaign.expected.air import daily, forecast, mean
from services.demo.campaign.expected.answer import Answer, Figures, Row, rows
from services.demo.campaign.expected.coverage import FREQUENCIES, walked
from services.demo.campaign.expected.instants import us
from services.demo.campaign.expected.known import Event, Known, Promise, Span, days
from services.demo.campaign.expected.lights import (
    GREY,
    SOON,
    colour,
    is_past,
    last_day,
    late,
    left,
)
from services.demo.campaign.expected.records import late_in, late_line
from services.demo.campaign.expected.words import CATEGORIES, KINDS, unit
from services.demo.campaign.moments import DAY, later

_SERIES: Final = ("aqi", "pm10", "pm2.5")
_AT_RISK: Final = ("red", "yellow")
_NOT_DONE: Final = frozenset({"missed", "met_late", "waived"})


def daily_brief(known: Known) -> Answer:
    """The brief on the day of the instant."""
    day = known.until_now(days(known.today))
    found = _found(known, day)
    promises = known.promises
    return {
        "alert": Figures({}),
        "air": rows("series", [_air(known, series) for series in _series(known)]),
        "inspected": Figures(_inspected(known, day)),
        "subjects": rows("kind", _subjects(known, day)),
        "cells": rows("level", _cells(known)),
        "found": Figures(_became(known, found)),
        "categories": rows("category", _categories(known, found)),
        "issues": rows("time problem", [_issue(known, event) for event in found]),
        "at_risk": Figures(_at_risk(known, day)),
        "risks": rows(
            "key", [_risk(p, known.now) for p in promises if _shown(p, known)]
        ),
        "orders": rows("key", _orders(promises, day)),
        "missing": rows("unit kind", _missing(known)),
        "late": rows("occurred recorded", _late(known, day)),
    }


def _series(known: Known) -> list[str]:
    told = known.of("metric.recorded", "metric.forecast")
    return [name for name in _SERIES if any(e.key.startswith(f"{name}/") for e in told)]


def _air(known: Known, series: str) -> Row:
    today, values = known.today, daily(known, series)
    past = {when: value for when, value in values.items() if when <= today}
    year = {when: v for when, v in past.items() if when.year == today.year}
    month = [v for when, v in year.items() if when.month == today.month]
    return {
        "series": series.upper(),
        "day": values.get(today),
        "month": mean(month),
        "year": mean(list(year.values())),
        "rank": None,
        "forecast": forecast(known, series, later(today, 1)),
    }


def _visits(known: Known, day: Span) -> list[Event]:
    return [e for e in known.of("inspection.started") if day.has(e.occurred)]


def _inspected(known: Known, day: Span) -> Row:
    begun = _visits(known, day)
    patrols = sum(event.data.get("kind") == "patrol" for event in begun)
    cells = {
        event.data["cell"]
        for event in known.of("inspection.point_checked")
        if day.has(event.occurred)
    }
    return {
        "visits": len(begun) - patrols,
        "patrols": patrols,
        "cells": len(cells),
    }


def _subjects(known: Known, day: Span) -> list[Row]:
    kinds = {e.key: e.data["kind"] for e in known.of("subject.registered")}
    seen: dict[str, set[str]] = defaultdict(set)
    for event in _visits(known, day):
        for target in event.data.get("targets", ()):
            key = target.partition("/")[2]
            seen[kinds[key]].add(key)
    return [{"kind": KINDS[kind], "count": len(keys)} for kind, keys in seen.items()]


def _cells(known: Known) -> list[Row]:
    """Return the cells of each level, walked often enough in the days up to now."""
    found: list[Row] = []
    for level, (_, length) in FREQUENCIES.items():
        until = min(known.now, days(known.today).end)
        period = Span(until - length * DAY, until)
        own = [
            cell for cell in walked(known, period, days=length) if cell.level == level
        ]
        required = [cell for cell in own if cell.spans]
        met = sum(cell.met > 0 for cell in required)
        found.append({"level": level, "required": len(required), "met": met})
    return found


def _found(known: Known, day: Span) -> list[Event]:
    return [e for e in known.of("issue.found") if day.has(e.occurred)]


def _became(known: Known, found: Sequence[Event]) -> dict[str, Any]:
    """Count what was found, new or again, and what came of it on the day."""
    end = days(known.today).end
    after = {
        event.stream: {
            later_on.what
            for later_on in known.streams[event.stream]
            if later_on.occurred < end
        }
        for event in found
    }
    again = sum("repeat_of" in event.data for event in found)
    return {
        "found": len(found),
        "new": len(found) - again,
        "repeated": again,
        "fixed": sum("issue.fixed_on_spot" in whats for whats in after.values()),
        "handed_over": sum("issue.handed_over" in whats for whats in after.values()),
    }


def _categories(known: Known, found: Sequence[Event]) -> list[Row]:
    names = sorted({event.data["category"] for event in found})
    return [
        {"category": CATEGORIES[name]}
        | _became(known, [e for e in found if e.data["category"] == name])
        for name in names
    ]


def _issue(known: Known, event: Event) -> Row:
    return {
        "time": event.occurred,
        "problem": event.data["title"],
        "due": _promised(known, event),
    }


def _promised(known: Known, found: Event) -> str | None:
    """Return the due of the promise that an issue was handed over as."""
    promises = {promise.key: promise for promise in known.promises}
    for event in known.streams[found.stream]:
        if event.what == "issue.handed_over" and "commitment" in event.data:
            promise = promises[event.data["commitment"]]
            return last_day(promise.note["original_due"])
    return None


def _at_risk(known: Known, day: Span) -> Row:
    promises, now = known.promises, known.now
    lights = [colour(one.note, now) for one in promises]
    return {
        "red": lights.count("red"),
        "yellow": lights.count("yellow"),
        "due_soon": sum(_is_due_soon(one, now) for one in promises),
        "unsigned": sum(one.note["status"] == "issued" for one in promises),
        "issued": sum(_has(one, "issued", day) for one in promises),
        "closed": sum(_has(one, "closed", day) for one in promises),
    }


def _is_due_soon(promise: Promise, now: int) -> bool:
    note = promise.note
    owed = note["status"] not in GREY | {"draft"} and not is_past(note, now)
    return owed and left(note, now) <= SOON


def _has(promise: Promise, what: str, day: Span) -> bool:
    return any(day.has(step.event.occurred) for step in promise.of(what))


def _shown(promise: Promise, known: Known) -> bool:
    return colour(promise.note, known.now) in _AT_RISK


def _risk(promise: Promise, now: int) -> Row:
    note = promise.note
    return {
        "key": promise.key,
        "light": colour(note, now),
        "due": last_day(note["current_due"]),
        "left": left(note, now),
        "late": late(note, now),
    }


def _orders(promises: Sequence[Promise], day: Span) -> list[Row]:
    return [
        {"key": one.key, "due": last_day(one.note["original_due"])}
        for one in promises
        if day.has(one.steps[0].event.occurred)
    ]


def _missing(known: Known) -> list[Row]:
    """Return the duties of the day that were not done in time."""
    found: list[Row] = []
    for event in known.of("obligation.scheduled"):
        due = us(event.data["due"])
        status = known.table["obligation"][event.stream]["status"]
        overdue = status == "scheduled" and known.now > due
        today = event.data["period"] == known.today.isoformat()
        if today and (overdue or status in _NOT_DONE):
            duty = {"unit": unit(event.data["unit"]), "kind": event.data["kind"]}
            found.append({**duty, "due": due})
    return found


def _late(known: Known, day: Span) -> list[Row]:
    return [late_line(event) for event in late_in(known, day)]
