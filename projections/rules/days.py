"""Working days by a given calendar: the one in force at the instant that is judged.

Rules of this file: arithmetic over one table, no policy. ``events.calendar`` counts by
the table that comes with the code; this counts by any version that was published.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

from events import calendar
from events.calendar import Calendar

_WORKED_A_WEEK = 5


def between(table: Calendar, a_us: int, b_us: int) -> int:
    """Count working days after the day of ``a`` to the day ``b`` lies in or ends.

    Negative, by the same count, where ``b`` is before ``a``.
    """
    if b_us < a_us:
        return -between(table, b_us, a_us)
    first, last = _day(a_us), _day(b_us - 1)
    return _worked(table, last) - _worked(table, first) if last > first else 0


def after(table: Calendar, instant_us: int, days: int) -> int:
    """Return 24:00 of the ``days``-th working day after the day of an instant."""
    return calendar.end_of_day(_nth_after(table, instant_us, days))


def start_after(table: Calendar, due_us: int, days: int) -> int:
    """Return 00:00 of the ``days``-th working day after the last day of a term."""
    return calendar.start_of_day(_nth_after(table, due_us - 1, days))


def start_before(table: Calendar, due_us: int, days: int) -> int:
    """Return the first instant from which at most ``days`` working days are left."""
    last = _day(due_us - 1)
    goal = _worked(table, last) - days
    day = last
    while (surplus := _worked(table, day - 1) - goal) >= 0:
        day -= 1 + surplus
    return calendar.start_of_day(date.fromordinal(day))


def is_published(table: Calendar, instant_us: int) -> bool:
    """Say whether the days off of an instant's year are known to this calendar."""
    return table.first_day <= _day(instant_us) <= table.last_day


def _nth_after(table: Calendar, instant_us: int, days: int) -> date:
    day = _day(instant_us)
    goal = _worked(table, day) + days
    # No day adds more than one: this never goes too far.
    while (lack := goal - _worked(table, day)) > 0:
        day += lack
    return date.fromordinal(day)


def _worked(table: Calendar, ordinal: int) -> int:
    """Count working days from Monday 0001-01-01 on: whole weeks, then exceptions."""
    weeks, rest = divmod(ordinal, 7)
    return (
        weeks * _WORKED_A_WEEK
        + min(rest, _WORKED_A_WEEK)
        + bisect_right(table.worked, ordinal)
        - bisect_right(table.off, ordinal)
    )


def _day(instant_us: int) -> int:
    return calendar.local_date(instant_us).toordinal()
