"""Working days as the rules ask for them: by the calendar in force at what is judged.

Rules of this file: shapes of questions only, no policy. How days are counted is
``events.calendar``; which table is in force is ``in_force``.
"""

from __future__ import annotations

from datetime import date

from events import calendar
from events.calendar import Calendar, worked_through


def between(table: Calendar, a_us: int, b_us: int) -> int:
    """Count working days after the day of ``a`` to the day ``b`` lies in or ends.

    Negative, by the same count, where ``b`` is before ``a``.
    """
    return calendar.working_days_between(a_us, b_us, table=table)


def after(table: Calendar, instant_us: int, days: int) -> int:
    """Return 24:00 of the ``days``-th working day after the day of an instant."""
    return calendar.working_days_after(instant_us, days, table=table).at


def start_after(table: Calendar, due_us: int, days: int) -> int:
    """Return 00:00 of the ``days``-th working day after the last day of a term."""
    return after(table, due_us - 1, days) - calendar.DAY_US


def start_before(table: Calendar, due_us: int, days: int) -> int:
    """Return the first instant from which at most ``days`` working days are left."""
    last = calendar.local_date(due_us - 1).toordinal()
    goal = worked_through(table, last) - days
    day = last
    while (surplus := worked_through(table, day - 1) - goal) >= 0:
        day -= 1 + surplus
    return calendar.start_of_day(date.fromordinal(day))


def is_published(table: Calendar, instant_us: int) -> bool:
    """Say whether the days off of an instant's year are known to this calendar."""
    return calendar.is_published(calendar.local_date(instant_us), table=table)
