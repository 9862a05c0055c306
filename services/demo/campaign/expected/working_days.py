"""Working days of the campaign's winter, by the notices of the State Council.

Rules of this file: a table of exceptions and counting day by day. It is not
events.calendar on purpose, as in ``moments``.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Final

from services.demo.campaign.moments import day_of, later

_SATURDAY: Final = 5
#: New Year's Day; the Spring Festival, 15 to 21 February; Qingming, 5 to 7 April.
_OFF: Final = frozenset(
    {
        date(2018, 1, 1),
        *(date(2018, 2, day) for day in range(15, 22)),
        *(date(2018, 4, day) for day in range(5, 8)),
    }
)
#: Days of weekends that are worked to make up for these.
_WORKED: Final = frozenset({date(2018, 2, 11), date(2018, 2, 24), date(2018, 4, 8)})


@cache
def is_worked(when: date) -> bool:
    """Tell whether a day is a working day."""
    if when in _WORKED:
        return True
    return when.weekday() < _SATURDAY and when not in _OFF


@cache
def _count(first: date, last: date) -> int:
    days = (last - first).days
    return sum(is_worked(later(first, number)) for number in range(1, days + 1))


def between(start: int, end: int) -> int:
    """Count working days after the day of ``start``, up to the day that ``end`` ends.

    24:00 belongs to the day before. None are left where ``end`` is not later.
    """
    return _count(day_of(start), day_of(end - 1)) if end > start else 0


def after(start: date, days: int) -> date:
    """Return the n-th working day after a day."""
    while days:
        start = later(start, 1)
        days -= is_worked(start)
    return start
