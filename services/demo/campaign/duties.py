"""What recurs: daily briefs, weekly ledgers and bulletins; and the daily readings.

Rules of this file: one period at a time; what is owed, and what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from services.demo.campaign.dice import Dice, digest
from services.demo.campaign.directives import campaign_key
from services.demo.campaign.moments import (
    DAY,
    FIRST,
    HOUR,
    LAST,
    MINUTE,
    at,
    day,
    day_of,
    later,
    week_of,
    written,
)
from services.demo.campaign.places import CHIEF, OFFICES, UNITS, lead
from services.demo.campaign.record import MARK, By, Emitted, Log

#: Of a thousand: done in time; done late; missed and done later; missed; else waived.
_IN_TIME, _LATE, _MADE_UP, _MISSED = 890, 930, 955, 980
_SERIES: Final = (("aqi", "1", 90), ("pm10", "µg/m³", 110), ("pm2.5", "µg/m³", 60))
_CORRECTED: Final = frozenset({9, 21, 30, 41, 52})
#: Days on which the air is bad: of alerts, real and simulated.
_BAD: Final = ("11-21", "11-22", "11-23", "12-02", "12-03", "12-04", "12-05", "12-28")


def recur(log: Log) -> None:
    """Add the routines, and each of their periods."""
    for unit in (*OFFICES, "epb"):
        _routine(log, "daily_brief", unit, "daily", due_time="18:00")
        for number in range((LAST - day("11-15")).days + 1):
            when = later(day("11-15"), number)
            period = when.isoformat()
            _Period(log, "daily_brief", unit, period, at(when, 18)).live(at(when))
    for unit in UNITS:
        if unit != "hq":
            _weekly(log, "weekly_ledger", unit, weekday=5, hour=18)
    _weekly(log, "weekly_bulletin", "hq", weekday=1, hour=9)


def _weekly(log: Log, kind: str, unit: str, *, weekday: int, hour: int) -> None:
    _routine(log, kind, unit, "weekly", due_time=f"{hour:02d}:00", due_weekday=weekday)
    for monday in _mondays():
        due = at(later(monday, weekday - 1), hour)
        _Period(log, kind, unit, week_of(monday), due).live(at(monday))


def _mondays() -> Iterator[date]:
    monday = day("11-20")
    while monday <= LAST:
        yield monday
        monday = later(monday, 7)


def _kind(log: Log, kind: str) -> str:
    return kind + log.tag.replace("-", "_")


def _routine(log: Log, kind: str, unit: str, rhythm: str, **due: Any) -> None:
    name = _kind(log, kind)
    first = day("11-15") if rhythm == "daily" else day("11-20")
    data = {
        "kind": name,
        "unit": unit,
        "rhythm": rhythm,
        "title": f"周期性义务{MARK}",
        "first_day": first.isoformat(),
        "last_day": LAST.isoformat(),
        "campaign": campaign_key(log),
        **due,
    }
    when = at(day("11-14"), 17)
    log.emit("routine.defined", f"routine/{name}/{unit}", data, by=CHIEF, at=when)


class _Period:
    """One day or week of one routine."""

    def __init__(self, log: Log, kind: str, unit: str, period: str, due: int) -> None:
        self._log = log
        self._kind = _kind(log, kind)
        self._group = kind
        self._unit = unit
        self._period = period
        self._due = due
        self._stream = f"obligation/{self._kind}/{unit}/{period}"
        self._dice = Dice(log.seed, self._stream)

    def live(self, begin: int) -> None:
        """Schedule it, and add what came of it."""
        data = {
            "kind": self._kind,
            "unit": self._unit,
            "period": self._period,
            "due": written(self._due),
            "title": f"当期义务{MARK}",
            "campaign": campaign_key(self._log),
        }
        self._emit(
            "scheduled",
            data,
            CHIEF,
            begin + 5 * MINUTE,
            status="scheduled",
            kind=self._group,
            unit=self._unit,
        )
        lot = self._dice.below(1000)
        if lot < _IN_TIME:
            self._meet(self._due - self._dice.between(10, 80) * MINUTE)
        elif lot < _LATE:
            self._meet(self._due + self._dice.between(30, 240) * MINUTE)
        elif lot < _MISSED:
            note = {"note": f"到期未报{MARK}"}
            when = self._due + 20 * MINUTE
            self._emit("missed", note, CHIEF, when, status="missed", missed=True)
            if lot < _MADE_UP:
                self._meet(self._due + 16 * HOUR)
        else:
            self._waive()

    def _meet(self, when: int) -> None:
        evidence = [digest(self._log.seed, self._stream)]
        data = {"met_at": written(when), "evidence": evidence}
        status = "met" if when <= self._due else "met_late"
        by = CHIEF if self._unit == "hq" else lead(self._unit)
        self._emit("met", data, by, when, status=status)

    def _waive(self) -> None:
        data = {"reason_class": "alert", "reason": f"并入预警日报{MARK}"}
        by = By("epb", "epb.head") if self._unit == "hq" else CHIEF
        when = self._due - HOUR // 2
        self._emit("waived", data, by, when, status="waived")

    def _emit(
        self, what: str, data: dict[str, Any], by: By, when: int, **fields: Any
    ) -> Emitted:
        made = self._log.emit(f"obligation.{what}", self._stream, data, by=by, at=when)
        self._log.tally.mark(made, "obligation", self._stream, **fields)
        return made


def measure_air(log: Log) -> None:
    """Add a forecast of each day's AQI, and the day's readings the night after."""
    dice = Dice(log.seed, "air")
    bad = {day(text) for text in _BAD}
    for number in range((LAST - FIRST).days + 1):
        when = later(FIRST, number)
        for series, unit, usual in _SERIES:
            value = usual + dice.below(usual) + (150 if when in bad else 0)
            reading = _Reading(log, series, when, unit)
            if series == "aqi":
                reading.forecast(value + dice.below(41) - 20)
            reading.record(value)
            if number in _CORRECTED and series == "pm10":
                reading.correct(value + 3)


class _Reading:
    """One series on one day."""

    def __init__(self, log: Log, series: str, when: date, unit: str) -> None:
        self._log = log
        place = f"zone{log.tag}"
        period = when.isoformat()
        self._stream = f"metric/{series}/{place}/{period}"
        self._night = at(later(when, 1), 0, 40)
        self._data = {
            "series": series,
            "place": place,
            "period": period,
            "unit": unit,
        }

    def forecast(self, value: int) -> None:
        """Add what was expected, the evening before."""
        data = {**self._data, "value": value, "issuer": f"预报{MARK}"}
        self._emit("forecast", data, self._night - DAY - 8 * HOUR)

    def record(self, value: int) -> None:
        """Add the reading."""
        data = {**self._data, "value": value, "method": f"自动监测{MARK}"}
        self._emit("recorded", data, self._night, value=value)

    def correct(self, value: int) -> None:
        """Add a correction, two days later."""
        data = {"reason": f"仪器校准{MARK}", "value": value}
        self._emit("corrected", data, self._night + 2 * DAY, value=value)

    def _emit(self, what: str, data: dict[str, Any], when: int, **fields: Any) -> None:
        by = lead("epb")
        made = self._log.emit(f"metric.{what}", self._stream, data, by=by, at=when)
        series, on = self._data["series"], day_of(self._night - DAY).isoformat()
        name = f"{series}/{on}"
        self._log.tally.mark(made, "metric", name, series=series, **fields)
