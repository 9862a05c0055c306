"""The periods of what recurs: each day, working day or ISO week, and when it is due.

Rules of this file: pure arithmetic on one definition and one calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from events import calendar
from events.calendar import DAY_US, HOUR_US, Calendar
from events.domain.obligations import Defined
from events.domain.periods import span, week_of
from projections.rules import days

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MINUTE_US = HOUR_US // 60


class Period(NamedTuple):
    """One period: its name, when it begins and when what is owed falls due, in µs."""

    name: str
    start: int
    due: int


def periods(
    definition: Defined,
    table: Calendar,
    *,
    after: str,
    last_day: date | None,
    until: int,
) -> Iterator[Period]:
    """Yield the periods later than ``after`` ("": all) that begin by ``until`` (µs).

    A week is owed if the day that it falls due on is one of the routine's days.
    ``table`` says which days are worked.
    """
    first = definition.first_day
    if after:
        first = max(first, calendar.local_date(span(after).end))
    final = calendar.local_date(until)
    if last_day is not None:
        final = min(final, last_day)
    for falls, period in _RHYTHMS[definition.rhythm](definition, table, first, final):
        late = last_day is not None and falls > last_day
        if falls >= definition.first_day and not late:
            yield period


Dated = Iterator[tuple[date, Period]]


def _daily(definition: Defined, _table: Calendar, first: date, final: date) -> Dated:
    for number in range((final - first).days + 1):
        day = first + number * _DAY
        start = calendar.start_of_day(day)
        yield day, Period(day.isoformat(), start, _due(definition, day))


def _working(definition: Defined, table: Calendar, first: date, final: date) -> Dated:
    for day, period in _daily(definition, table, first, final):
        if days.between(table, period.start - 1, period.start + DAY_US):
            yield day, period


def _weekly(definition: Defined, _table: Calendar, first: date, final: date) -> Dated:
    monday = first - first.weekday() * _DAY
    while monday <= final:
        falls = monday + (definition.due_weekday - 1) * _DAY
        start = calendar.start_of_day(monday)
        yield falls, Period(week_of(start), start, _due(definition, falls))
        monday += _WEEK


def _due(definition: Defined, day: date) -> int:
    hour, minute = map(int, definition.due_time.split(":"))
    later = definition.due_days_later * DAY_US
    return calendar.start_of_day(day) + later + hour * HOUR_US + minute * _MINUTE_US


_RHYTHMS: Mapping[str, Callable[[Defined, Calendar, date, date], Dated]] = {
    "daily": _daily,
    "working_day": _working,
    "weekly": _weekly,
}
