"""What is shown of each alert: its course, and the measures that it called for.

Rules of this file: one measure at a time, then counts. A measure has two hours, day and
night, from its being required; notice has two hours from the level that calls for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.demo.campaign.expected.answer import (
    Answer,
    Block,
    Figures,
    Row,
    rows,
    share,
)
from services.demo.campaign.expected.instants import us
from services.demo.campaign.expected.known import Event, Known
from services.demo.campaign.expected.words import MEASURES
from services.demo.campaign.moments import HOUR, MINUTE

_LIMIT: Final = 2 * HOUR
_STANDINGS: Final = ("exempted", "breached", "in_time", "late", "waiting", "missing")


class _Measure:
    """One measure as it is known."""

    def __init__(
        self, events: Sequence[Event], levels: Sequence[int], now: int
    ) -> None:
        self._events = {event.what.partition(".")[2]: event for event in events}
        self._now = now
        self.data = self._events["required"].data
        self.required = self._events["required"].occurred
        self.due = self.required + _LIMIT
        called = [since for since in levels if since <= self.required]
        self.notice = self.required - max(called, default=self.required)

    def at(self, what: str) -> int | None:
        """Return when a step of it happened."""
        found = self._events.get(what)
        return None if found is None else found.occurred

    @property
    def kept(self) -> bool | None:
        """Whether a check found it kept; None: nobody checked."""
        checked = self._events.get("checked")
        return None if checked is None else checked.data["result"] == "kept"

    @property
    def standing(self) -> str:
        """How it stands at the instant."""
        applied = self.at("applied")
        if self.at("exempted"):
            return "exempted"
        if self.at("breached") or self.kept is False:
            return "breached"
        if applied is not None:
            return "in_time" if applied <= self.due else "late"
        return "missing" if self._now > self.due else "waiting"

    @property
    def late(self) -> int:
        """How long it was not taken past its due (µs)."""
        applied = self.at("applied")
        end = self._now if applied is None else applied
        return 0 if self.at("exempted") else max(0, end - self.due)


def alert_measures(known: Known) -> Answer:
    """Each alert in the order of their keys, with its measures."""
    found: dict[str, Block] = {}
    lines = []
    alerts = known.streams_of("alert")
    for number, (key, events) in enumerate(alerts.items(), 1):
        levels = [us(event.data["from"]) for event in events if "from" in event.data]
        own = _measures(known, key, levels)
        lines.append({"alert": key, **_facts(events, levels), **_totals(own)})
        found |= _alert(events, own, number, known.names)
    return {"alerts": rows("alert", lines), **found}


def _measures(known: Known, alert: str, levels: Sequence[int]) -> list[_Measure]:
    return [
        _Measure(events, levels, known.now)
        for events in known.streams_of("measure").values()
        if events[0].data["alert"] == alert
    ]


def _facts(events: Sequence[Event], levels: Sequence[int]) -> Row:
    colours = [event.data["colour"] for event in events if "colour" in event.data]
    said = [us(event.data["until"]) for event in events if "until" in event.data]
    ends = said[-1:]
    ends += [us(e.data["lifted_at"]) for e in events if "lifted_at" in e.data]
    return {"colour": colours[-1], "since": levels[0], "until": min(ends, default=None)}


def _alert(
    events: Sequence[Event],
    own: Sequence[_Measure],
    nr: int,
    names: Mapping[str, str],
) -> Answer:
    codes = sorted({one.data["measure"] for one in own})
    by_measure = [
        {"measure": MEASURES[code]}
        | _totals([one for one in own if one.data["measure"] == code])
        for code in codes
    ]
    return {
        f"timeline_{nr}": rows("at", [_change(event) for event in events]),
        f"totals_{nr}": Figures(_totals(own)),
        f"measures_{nr}": rows("measure", by_measure),
        f"subjects_{nr}": rows("subject", [_detail(one, names) for one in own]),
    }


def _change(event: Event) -> Row:
    data = event.data
    since = data.get("from") or data.get("lifted_at")
    return {
        "at": event.occurred,
        "colour": data.get("colour"),
        "since": None if since is None else us(since),
        "until": us(data["until"]) if "until" in data else None,
    }


def _detail(one: _Measure, names: Mapping[str, str]) -> Row:
    return {
        "subject": names[one.data["subject"]],
        "required": one.required,
        "notice": one.notice // MINUTE,
        "acknowledged": one.at("acknowledged"),
        "due": one.due,
        "applied": one.at("applied"),
        "late": one.late // MINUTE,
        "checked": one.at("checked"),
    }


def _totals(own: Sequence[_Measure]) -> dict[str, Any]:
    stand = [one.standing for one in own]
    counts = {name: stand.count(name) for name in _STANDINGS}
    applied = [(one, at) for one in own if (at := one.at("applied")) is not None]
    judged = sum(counts[name] for name in ("in_time", "late", "missing", "breached"))
    return {
        "required": len(own),
        "noted": sum(one.notice <= _LIMIT for one in own),
        "acknowledged": sum(one.at("acknowledged") is not None for one in own),
        "applied": len(applied),
        "applied_in_time": sum(at <= one.due for one, at in applied),
        **counts,
        "checked": sum(one.kept is not None for one in own),
        "kept": sum(one.kept is True for one in own),
        "rate": share(counts["in_time"], judged),
    }
