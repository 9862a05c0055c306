"""Alerts, and what each subject had to do while one was in force.

Rules of this file: the yellow alert of 21 November is real; its end, the other alerts,
and every measure are simulated, and say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from services.demo.campaign.dice import Dice, digest
from services.demo.campaign.moments import HOUR, MINUTE, at, day, written
from services.demo.campaign.places import CHIEF, DEPUTY, Subject, World, lead, verifier
from services.demo.campaign.record import MARK, By, Emitted, Log

_PLAN: Final = "alert-plan/2017-09"
_WITHIN: Final = 2 * HOUR
_ALL: Final = (
    ("S", "stop_earthwork", 45),
    ("MP", "heaps_covered", 12),
    ("IND", "stop_line", 30),
    ("R", "restaurant_closed", 20),
)
#: Prefix of the key, measure, and how many are bound: by alert.
_BOUND: Final = {
    "A-2017-11-21": (("S", "stop_earthwork", 45), ("RD", "wet_sweeping", 15)),
    "A-2017-12-02": _ALL,
    "A-2017-12-27": _ALL,
}


class _Change(NamedTuple):
    what: str
    when: int
    data: dict[str, Any]


def _graded(colour: str, grade: str, since: int) -> dict[str, Any]:
    return {"colour": colour, "grade": grade, "from": written(since)}


def _yellow() -> tuple[bool, list[_Change]]:
    """Give the real alert, and its simulated end."""
    since, end = at(day("11-21"), 12), at(day("11-24"), 8)
    issued = _graded("yellow", "III", since) | {
        "title": "重污染天气黄色预警",
        "plan": _PLAN,
    }
    lifted = {"lifted_at": written(end), "reason": f"扩散条件好转{MARK}"}
    return False, [
        _Change("issued", since - HOUR, issued),
        _Change("lifted", end, lifted),
    ]


def _orange() -> tuple[bool, list[_Change]]:
    since, end = at(day("12-02")), at(day("12-06"))
    issued = _graded("orange", "II", since) | {
        "title": "重污染天气橙色预警（模拟）",
        "plan": _PLAN,
        "until": written(end),
        "forecast": f"AQI大于200持续72小时{MARK}",
    }
    lifted = {"lifted_at": written(end - 2 * HOUR), "reason": f"冷空气到达{MARK}"}
    return True, [
        _Change("issued", since - 6 * HOUR, issued),
        _Change("lifted", end - 2 * HOUR, lifted),
    ]


def _new_year() -> tuple[bool, list[_Change]]:
    since = at(day("12-27"))
    issued = _graded("yellow", "III", since) | {
        "title": "重污染天气预警（模拟）",
        "plan": _PLAN,
        "until": written(at(day("12-31"))),
    }
    why = {"reason": f"预测加重{MARK}"}
    longer = {"until": written(at(day("01-02"))), "reason": f"静稳持续{MARK}"}
    end = at(day("01-01"), 20)
    return True, [
        _Change("issued", since - 5 * HOUR, issued),
        _Change(
            "upgraded",
            since + 8 * HOUR,
            _graded("orange", "II", since + 12 * HOUR) | why,
        ),
        _Change("extended", at(day("12-30"), 17), longer),
        _Change(
            "downgraded",
            at(day("12-31"), 17),
            _graded("yellow", "III", at(day("01-01"))) | why,
        ),
        _Change("lifted", end, {"lifted_at": written(end), **why}),
    ]


def alarm(log: Log, world: World) -> list[Emitted]:
    """Add the alerts and their measures; return the breaches."""
    breaches = []
    made = (_yellow, _orange, _new_year)
    for key, make in zip(_BOUND, made, strict=True):
        simulated, changes = make()
        stream = f"alert/{key}{log.tag}"
        for what, when, data in changes:
            event = log.emit(
                f"alert.{what}", stream, data, by=CHIEF, at=when, simulated=simulated
            )
            _note(log, key, what, event, data)
            if what == "issued":
                breaches += _measures(log, world, key, event)
    return breaches


def _note(log: Log, key: str, what: str, event: Emitted, data: dict[str, Any]) -> None:
    if "colour" in data:
        log.tally.mark(event, "alert", key, colour=data["colour"], lifted=False)
    if what == "lifted":
        log.tally.mark(event, "alert", key, lifted=True)


def _measures(log: Log, world: World, key: str, issued: Emitted) -> list[Emitted]:
    breaches: list[Emitted] = []
    for prefix, code, count in _BOUND[key]:
        for place, subject in enumerate(world.of(prefix)[:count]):
            measure = _Measure(log, key, subject, code, issued)
            breaches += measure.live(place)
    return breaches


class _Measure:
    """One measure of one subject under one alert."""

    def __init__(
        self, log: Log, alert: str, subject: Subject, code: str, issued: Emitted
    ) -> None:
        self._log = log
        self._alert = alert
        self._subject = subject
        self._code = code
        self._issued = issued
        self._name = f"{alert}.{subject.key}"
        self._stream = f"measure/{self._name}"
        self._dice = Dice(log.seed, "measure", self._name)

    def live(self, place: int) -> Sequence[Emitted]:
        """Require it, and add what came of it; return a breach if there is one."""
        dice = self._dice
        start = self._issued.occurred + (70 + place) * MINUTE
        data = {
            "alert": self._alert + self._log.tag,
            "subject": self._subject.key,
            "measure": self._code,
            "unit": self._subject.unit,
            "within": "PT2H",
            "text": f"预警管控措施{MARK}",
        }
        after = (self._issued,)
        about = {"alert": self._alert, "unit": self._subject.unit}
        self._emit(
            "required", data, DEPUTY, start, after=after, status="required", **about
        )
        lot = dice.below(1000)
        if lot < 45:
            basis = {"basis": f"民生工程{MARK}"}
            when = start + 30 * MINUTE
            self._emit("exempted", basis, CHIEF, when, status="exempted")
            return ()
        when = start + dice.between(10, 100) * MINUTE
        by = lead(self._subject.unit)
        if dice.hits(900):
            self._emit("acknowledged", {}, by, when, status="acknowledged")
        if lot < 75:
            return [self._breach(when + 9 * HOUR)]
        late = 3 * HOUR if dice.hits(60) else 0
        when += dice.between(5, 20) * MINUTE + late
        in_time = when < start + _WITHIN
        evidence = {"evidence": self._picture("applied")}
        self._emit("applied", evidence, by, when, status="applied", in_time=in_time)
        if dice.hits(450):
            when += dice.between(4, 20) * HOUR
            self._check(when, kept=lot >= 105)
            if lot < 105:
                return [self._breach(when + 10 * MINUTE)]
        return ()

    def _check(self, when: int, *, kept: bool) -> None:
        data = {
            "result": "kept" if kept else "not_kept",
            "evidence": self._picture("checked"),
        }
        by = verifier(self._subject.unit)
        self._emit("checked", data, by, when, checked=data["result"])

    def _breach(self, when: int) -> Emitted:
        data = {"text": f"预警期间违规作业{MARK}", "evidence": self._picture("breach")}
        by = verifier(self._subject.unit)
        return self._emit("breached", data, by, when, status="breached", breached=True)

    def _emit(
        self,
        what: str,
        data: dict[str, Any],
        by: By,
        when: int,
        *,
        after: Sequence[Emitted] = (),
        **fields: Any,
    ) -> Emitted:
        made = self._log.emit(
            f"measure.{what}", self._stream, data, by=by, at=when, after=after
        )
        self._log.tally.mark(made, "measure", self._name, **fields)
        return made

    def _picture(self, use: str) -> list[dict[str, str]]:
        name = digest(self._log.seed, self._name, use)
        return [{"sha256": name, "media_type": "image/jpeg", "note": "模拟数据"}]
