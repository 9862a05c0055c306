"""What the countdown of the sixty days shows: days, air, promises, top risks.

Rules of this file: arithmetic over the campaign's own dates and targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from services.demo.campaign.expected.air import daily, mean
from services.demo.campaign.expected.answer import (
    Answer,
    Figures,
    Lines,
    Points,
    Row,
    rows,
    share,
)
from services.demo.campaign.expected.known import ENDED, Known, Promise
from services.demo.campaign.expected.lights import colour, last_day, late, left
from services.demo.campaign.moments import FIRST, LAST, end_of, later

_LENGTH: Final = (LAST - FIRST).days + 1
#: Series → the mean that the campaign promises.
_TARGETS: Final = {"pm10": 118.0, "pm2.5": 66.5}
_RISKS: Final = 10
_GRAVITY: Final = ("red", "yellow")
_NO_CASE: Final = frozenset({"draft", "cancelled", "superseded", "suspended"})


def countdown(known: Known) -> Answer:
    """The campaign as it stands at the instant."""
    number = min(max((known.today - FIRST).days + 1, 0), _LENGTH)
    own = [one for one in known.promises if one.note["status"] != "draft"]
    days = {
        "day": number,
        "length": _LENGTH,
        "left": _LENGTH - number,
        "start": FIRST.isoformat(),
        "end": LAST.isoformat(),
    }
    return {
        "days": Figures(days),
        "targets": rows("metric", [_target(known, name) for name in _TARGETS]),
        "promises": Figures(_kept(known, own)),
        "themes": rows("theme", _themes(known, own)),
        "burn_down": Lines((_burnt(known, own, number), _pace(len(own)))),
        "risks": rows("key", _risks(known, own)),
    }


def _target(known: Known, series: str) -> Row:
    """Return a target: what was measured, and what the rest still allows."""
    until = min(known.now, end_of(LAST))
    values = [
        value
        for when, value in daily(known, series).items()
        if when >= FIRST and end_of(when) <= until
    ]
    target, actual = _TARGETS[series], mean(values)
    measured = len(values)
    row = {"metric": series.upper(), "target": target, "actual": actual}
    row |= {"days": measured, "gap": None, "needed": target}
    if actual is not None:
        rest = _LENGTH - measured
        allowed = target * _LENGTH - actual * measured
        row["gap"] = round(actual - target, 2)
        row["needed"] = round(allowed / rest, 2) if rest else None
    return row


def _kept(known: Known, own: Sequence[Promise]) -> Row:
    due = [
        one
        for one in own
        if one.note["original_due"] < known.now and one.note["status"] not in _NO_CASE
    ]
    return {
        "handed_out": len(own),
        "closed": sum(one.note["status"] == "closed" for one in own),
        "open": sum(one.note["status"] not in ENDED for one in own),
        "kept": share(sum(one.note["status"] == "closed" for one in due), len(due)),
        "due": len(due),
    }


def _themes(known: Known, own: Sequence[Promise]) -> list[Row]:
    found: list[Row] = []
    for theme in sorted({one.note["theme"] for one in own}):
        among = [one for one in own if one.note["theme"] == theme]
        closed = sum(one.note["status"] == "closed" for one in among)
        lights = [colour(one.note, known.now) for one in among]
        found.append(
            {
                "theme": theme,
                "total": len(among),
                "closed": closed,
                "rate": share(closed, len(among)),
                "red": lights.count("red"),
                "yellow": lights.count("yellow"),
            }
        )
    return found


def _burnt(known: Known, own: Sequence[Promise], number: int) -> Points:
    days = [later(FIRST, n) for n in range(number)]
    return [
        (_label(day), _open_at(own, min(known.now, end_of(day) - 1))) for day in days
    ]


def _open_at(own: Sequence[Promise], instant: int) -> int:
    then = (one.by(instant) for one in own)
    return sum(
        one is not None and one.note["status"] not in ENDED | {"draft"} for one in then
    )


def _pace(total: int) -> Points:
    """Return the even way from all of them on the first day to none on the last."""
    last = _LENGTH - 1
    return [
        (_label(later(FIRST, n)), round(total * (last - n) / last, 1))
        for n in range(_LENGTH)
    ]


def _label(day: date) -> str:
    return f"{day:%m-%d}"


def _risks(known: Known, own: Sequence[Promise]) -> list[Row]:
    now = known.now
    risky = [one for one in own if colour(one.note, now) in _GRAVITY]

    def gravity(one: Promise) -> tuple[int, int, int, str]:
        rank = _GRAVITY.index(colour(one.note, now))
        return rank, -late(one.note, now), one.note["current_due"], one.key

    worst = sorted(risky, key=gravity)[:_RISKS]
    return [_risk(one, number, now) for number, one in enumerate(worst, 1)]


def _risk(promise: Promise, number: int, now: int) -> Row:
    note, percent = promise.note, promise.note["percent"]
    return {
        "no": number,
        "key": promise.key,
        "light": colour(note, now),
        "due": last_day(note["current_due"]),
        "late": late(note, now),
        "left": left(note, now),
        "percent": None if percent is None else percent / 100,
    }
