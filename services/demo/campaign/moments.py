"""Days and instants of the campaign, at UTC+08:00, as µs since the Unix epoch.

Rules of this file: arithmetic only. It is not events.calendar on purpose: the answer
key must not lean on what it is there to check.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

MINUTE: Final = 60_000_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

#: The sixty days, and the last day of the log (appeals, the end of the sealing order).
FIRST: Final = date(2017, 11, 2)
LAST: Final = date(2017, 12, 31)
END: Final = date(2018, 3, 31)

_ZONE: Final = timezone(timedelta(hours=8))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def day(text: str) -> date:
    """Return a day of the campaign: "11-14" and "12-05" of 2017, "01-15" of 2018."""
    year = 2017 if text >= "04" else 2018
    return date.fromisoformat(f"{year}-{text}")


def later(start: date, days: int) -> date:
    """Return the day so many days later."""
    return start + timedelta(days=days)


def at(when: date, hour: int = 0, minute: int = 0) -> int:
    """Return the instant of a local time on a day."""
    local = datetime(when.year, when.month, when.day, tzinfo=_ZONE)
    return (local - _EPOCH) // _MICROSECOND + hour * HOUR + minute * MINUTE


def end_of(when: date) -> int:
    """Return 24:00 of a day: the first instant that is late."""
    return at(later(when, 1))


def day_of(instant: int) -> date:
    """Return the local day that an instant lies in."""
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(_ZONE).date()


def written(instant: int) -> str:
    """Return an instant as RFC 3339 with the local offset."""
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(_ZONE).isoformat()


def week_of(when: date) -> str:
    """Return the ISO week of a day: 2017-W47."""
    year, week, _ = when.isocalendar()
    return f"{year:04d}-W{week:02d}"
