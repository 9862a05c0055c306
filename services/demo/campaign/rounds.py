"""Patrols: each cell every other day, point by point, and what was found on the way.

Rules of this file: rounds and points. A worker's device sends a whole round in the
evening; some send it days later, and a few a month later: recorded late, never hidden.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any, Final

from services.demo.campaign.dice import Dice
from services.demo.campaign.findings import Register, settle
from services.demo.campaign.moments import (
    DAY,
    FIRST,
    LAST,
    MINUTE,
    at,
    later,
)
from services.demo.campaign.places import Cell, Subject, World
from services.demo.campaign.record import MARK, Emitted, Log

_POINTS: Final = 8
_EVERY_DAYS: Final = 2
#: Of a thousand rounds: not walked; sent days late; sent a month late.
_MISSED, _LATE, _VERY_LATE = 45, 138, 27
#: Of a thousand points: something is wrong.
_PROBLEMS: Final = 98


def patrol(log: Log, world: World, register: Register) -> None:
    """Add all rounds of the sixty days."""
    near: dict[str, list[Subject]] = defaultdict(list)
    for subject in world.subjects:
        near[subject.cell.key].append(subject)
    for number in range(0, (LAST - FIRST).days + 1, _EVERY_DAYS):
        for place, cell in enumerate(world.cells):
            # Half of the cells are walked on the other day.
            when = later(FIRST, number + place % _EVERY_DAYS)
            dice = Dice(log.seed, "patrol", cell.key, when.isoformat())
            if when <= LAST and not dice.hits(_MISSED):
                _Round(log, cell, when, dice, place).walk(register, near[cell.key])


class _Round:
    """One patrol of one cell on one day."""

    def __init__(
        self, log: Log, cell: Cell, when: date, dice: Dice, place: int
    ) -> None:
        self._log = log
        self._cell = cell
        self._dice = dice
        self._stream = f"inspection/P-{when:%m%d}-{cell.key}"
        self._time = at(when, 8) + place * 3 * MINUTE
        self._by = cell.worker(when.toordinal() // _EVERY_DAYS)
        self._sent = at(when, 20) + place * MINUTE // 2 + _delay(dice)

    def walk(self, register: Register, near: list[Subject]) -> None:
        """Add the start, each point, and the end."""
        cell, dice = self._cell.key, self._dice
        route = [{"cell": cell, "point": f"P{n + 1}"} for n in range(_POINTS)]
        skipped = route[-1:] if dice.hits(60) else []
        begun: dict[str, Any] = {
            "kind": "patrol",
            "unit": self._cell.unit,
            "cell": cell,
            "route": route,
        }
        self._emit("started", begun)
        for point in route[: _POINTS - len(skipped)]:
            self._time += dice.between(8, 14) * MINUTE
            found = None
            if near and dice.hits(_PROBLEMS):
                found = self._find(register, dice.pick(near))
            self._point(point, found)
        self._time += 10 * MINUTE
        ended: dict[str, Any] = {"distance_m": dice.between(2200, 5200)}
        if skipped:
            ended |= {"skipped": skipped, "reason": f"道路封闭{MARK}"}
        made = self._emit("patrol_ended", ended)
        self._log.tally.mark(made, "patrol", self._stream, ended=True)

    def _point(self, point: dict[str, str], issue: Emitted | None) -> None:
        data: dict[str, Any] = {**point, "result": "in_order"}
        if issue is not None:
            data["result"] = "problem"
            data["issue"] = issue.stream.partition("/")[2]
        made = self._emit("point_checked", data)
        name = f"{self._stream}/{point['point']}"
        unit, cell = self._cell.unit, self._cell.key
        result = data["result"]
        self._log.tally.mark(made, "point", name, cell=cell, unit=unit, result=result)

    def _find(self, register: Register, subject: Subject) -> Emitted:
        issue = register.new(subject)
        repeat = register.repeated(issue, self._time)
        found = issue.find(
            "patrol", by=self._by, at=self._time, recorded=self._sent, repeat_of=repeat
        )
        settle(issue, found, self._by, recorded=self._sent)
        return found

    def _emit(self, what: str, data: dict[str, Any]) -> Emitted:
        return self._log.emit(
            f"inspection.{what}",
            self._stream,
            data,
            by=self._by,
            at=self._time,
            recorded=self._sent,
        )


def _delay(dice: Dice) -> int:
    lot = dice.below(1000)
    if lot < _VERY_LATE:
        return dice.between(31, 44) * DAY
    return dice.between(4, 9) * DAY if lot < _VERY_LATE + _LATE else 0
