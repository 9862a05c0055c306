"""What the overview, the replay and the ledger show of every promise.

Rules of this file: counting promises as they stand at the instant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.demo.campaign.expected.answer import Answer, Figures, Lines, Row, rows
from services.demo.campaign.expected.known import ENDED, Event, Known, Promise
from services.demo.campaign.expected.lights import (
    GREY,
    colour,
    is_past,
    last_day,
    late,
)
from services.demo.campaign.expected.words import STATUSES, TOTAL, unit
from services.demo.campaign.moments import day_of

_COLOURS: Final = ("grey", "red", "yellow", "green")


def overview(known: Known) -> Answer:
    """Registered, open and ended, in all and by unit and status."""
    promises = known.promises
    units = sorted({promise.note["unit"] for promise in promises})
    by_unit = {name: [p for p in promises if p.note["unit"] == name] for name in units}
    shown = [s for s in STATUSES if any(p.note["status"] == s for p in promises)]
    ended = sum(_has_ended(promise) for promise in promises)
    totals = {
        "registered": len(promises),
        "open": len(promises) - ended,
        "ended": ended,
    }
    lines = [_statuses(unit(name), own, shown) for name, own in by_unit.items()]
    points = [
        (unit(name), sum(not _has_ended(promise) for promise in own))
        for name, own in by_unit.items()
    ]
    return {
        "totals": Figures(totals),
        "by_unit": rows("unit", [*lines, _statuses(TOTAL, promises, shown)]),
        "open_by_unit": Lines((points,)),
    }


def _has_ended(promise: Promise) -> bool:
    return promise.note["status"] in ENDED


def _statuses(name: str, own: Sequence[Promise], shown: Sequence[str]) -> Row:
    found = Counter(promise.note["status"] for promise in own)
    counts = {status: found[status] for status in shown}
    return {"unit": name, "total": len(own), **counts}


def replay(known: Known) -> Answer:
    """Every promise with its light and dues, and all events by kind of stream."""
    promises, now = known.promises, known.now
    states = Counter(promise.note["status"] for promise in promises)
    lights = Counter(colour(promise.note, now) for promise in promises)
    statuses = {name: states[name] for name in STATUSES}
    return {
        "statuses": Figures({**statuses, "all": len(promises)}),
        "lights": Figures({name: lights[name] for name in _COLOURS}),
        "commitments": rows("key", [_replayed(one, now) for one in promises]),
        "streams": rows("kind", _kinds(known)),
    }


def _replayed(promise: Promise, now: int) -> Row:
    note, last = promise.note, promise.steps[-1].event
    return {
        "key": promise.key,
        "light": colour(note, now),
        "original_due": last_day(note["original_due"]),
        "current_due": last_day(note["current_due"]),
        "last": last.occurred,
        "position": last.id,
    }


def _kinds(known: Known) -> list[Row]:
    kinds: dict[str, list[Event]] = {}
    for event in known.events:
        kinds.setdefault(event.kind, []).append(event)
    return [
        {
            "kind": kind,
            "streams": len({event.stream for event in events}),
            "events": len(events),
            "last": max(event.occurred for event in events),
        }
        for kind, events in sorted(kinds.items())
    ]


def ledger(known: Known) -> Answer:
    """Each sheet with its rows, numbered by the keys of the promises."""
    sheets = {
        name: [one for one in known.promises if chosen(one, known.now)]
        for name, chosen in _SHEETS.items()
    }
    totals = {name: len(found) for name, found in sheets.items()}
    return {"totals": Figures(totals)} | {
        name: rows("key", _numbered(found, known.now)) for name, found in sheets.items()
    }


def is_overdue(promise: Promise, instant: int) -> bool:
    """Tell whether it is owed and past its due at an instant that it was seen at."""
    running = promise.note["status"] not in GREY | {"draft"}
    return running and is_past(promise.note, instant)


def _asks(promise: Promise) -> bool:
    """Tell whether a request for more time is not answered."""
    asked = len(promise.of("extension_requested"))
    answered = (*promise.of("extension_granted"), *promise.of("extension_denied"))
    ended = promise.note["status"] in ENDED
    return asked > len(answered) and not ended


_SHEETS: Final[Mapping[str, Callable[[Promise, int], bool]]] = {
    "all": lambda _one, _now: True,
    "overdue": is_overdue,
    "to_verify": lambda one, _now: one.note["status"] == "claimed",
    "extended": lambda one, _now: one.note["extensions"] > 0 or _asks(one),
    "looked_back": lambda one, _now: bool(one.of("lookback_recorded")),
    "withdrawn": lambda one, _: one.note["status"] in {"cancelled", "superseded"},
}


def _numbered(found: Sequence[Promise], now: int) -> list[Row]:
    return [{"no": number, **_entry(one, now)} for number, one in enumerate(found, 1)]


def _entry(promise: Promise, now: int) -> Row:
    note = promise.note
    failed = [
        step
        for step in promise.of("verification_recorded")
        if step.event.data["result"] == "fail"
    ]
    percent = note["percent"]
    return {
        "key": promise.key,
        "issued": _day(promise.last("issued")),
        "original_due": last_day(note["original_due"]),
        "current_due": last_day(note["current_due"]),
        "extensions": len(promise.of("extension_granted")),
        "signed": promise.last("signed_for"),
        "progress_at": _day(promise.last("progress_reported")),
        "percent": None if percent is None else percent / 100,
        "light": colour(note, now),
        "days_late": _days_late(promise, now),
        "urges": len(promise.of("urged")),
        "returns": len(failed),
        "claimed": promise.last("completion_claimed"),
        "verified": promise.last("verification_recorded"),
        "closed": promise.last("closed"),
        "lookbacks": len(promise.of("lookback_recorded")),
        "evidence": len(_pictures(promise)),
    }


def _days_late(promise: Promise, now: int) -> int:
    """Count to the close, or to now; nothing for what waits or was given up."""
    if promise.note["status"] == "closed":
        return late(promise.note, promise.note["ended"])
    return late(promise.note, now) if is_overdue(promise, now) else 0


def _pictures(promise: Promise) -> set[Any]:
    return {
        picture["sha256"]
        for step in promise.steps
        for picture in step.event.data.get("evidence", ())
    }


def _day(instant: int | None) -> str | None:
    return None if instant is None else day_of(instant).isoformat()
