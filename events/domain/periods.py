"""Periods of local time that recurring things are named by: 2017-11-24, 2017-W47.

Rules of this file: the text of a period and the instants it spans, in Asia/Shanghai.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from events import calendar
from events.domain.transitions import refuse

_DAY: Final = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_WEEK: Final = "[0-9]{4}-W(?:0[1-9]|[1-4][0-9]|5[0-3])"
_HOUR: Final = _DAY + "T(?:[01][0-9]|2[0-3])"
_MONTH: Final = "[0-9]{4}-(?:0[1-9]|1[0-2])"

Period = Annotated[
    str,
    Meta(
        pattern=rf"^(?:{_HOUR}|{_DAY}|{_WEEK}|{_MONTH}|[0-9]{{4}})(?!\n)$",
        description=(
            "A span of local time (UTC+08:00): an hour 2017-11-24T08, a day"
            " 2017-11-24, an ISO week 2017-W47, a month 2017-11, a year 2017."
        ),
        examples=["2017-11-24", "2017-W47"],
    ),
]
DayOrWeek = Annotated[
    str,
    Meta(
        pattern=rf"^(?:{_DAY}|{_WEEK})(?!\n)$",
        description="A local day 2017-11-24, or an ISO week 2017-W47 (Mon-Sun).",
        examples=["2017-11-24", "2017-W47"],
    ),
]


class Span(NamedTuple):
    """The instants [start, end) of a period, in µs since the Unix epoch."""

    start: int
    end: int


def span(period: str) -> Span:
    """Return the instants that a period covers.

    ValueError: there is no such day or week (2017-02-30, 2017-W53).
    """
    if "T" in period:
        day, _, hour = period.partition("T")
        start = calendar.start_of_day(date.fromisoformat(day))
        start += int(hour) * calendar.HOUR_US
        return Span(start, start + calendar.HOUR_US)
    first, following = _days(period)
    return Span(calendar.start_of_day(first), calendar.start_of_day(following))


def check_period(period: str, where: str = "/data/period") -> Span:
    """Return the span of a period; ``Refused('period_unknown')`` if there is none."""
    try:
        return span(period)
    except (ValueError, OverflowError) as cause:
        raise refuse("period_unknown", where, period=period) from cause


def day_of(instant_us: int) -> str:
    """Return the local day that an instant lies in."""
    return calendar.local_date(instant_us).isoformat()


def week_of(instant_us: int) -> str:
    """Return the ISO week that an instant lies in, in local time."""
    year, week, _ = calendar.local_date(instant_us).isocalendar()
    return f"{year:04d}-W{week:02d}"


def _days(period: str) -> tuple[date, date]:
    """Return the first day of a period and the first day after it."""
    week = re.fullmatch(r"([0-9]{4})-W([0-9]{2})", period)
    if week:
        monday = date.fromisocalendar(int(week[1]), int(week[2]), 1)
        return monday, monday + timedelta(days=7)
    parts = [int(part) for part in period.split("-")]
    if len(parts) == 3:
        day = date(*parts)
        return day, day + timedelta(days=1)
    year, month = (*parts, 1)[:2]
    if len(parts) == 1:
        return date(year, 1, 1), date(year + 1, 1, 1)
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
