"""Deadlines: days of the Chinese work calendar, counted in Asia/Shanghai.

Rules of this file: pure functions of instants and of one versioned table, vendored or
published (events.domain.calendars says which is in force); no clock, no policy (who
must answer within how many days is policy data, not calendar).
Instants are µs since the Unix epoch. A day runs 00:00-24:00 at +08:00: there is no
daylight saving time since 1991, so the zone is a constant here, on purpose.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
OFFSET_US = 8 * HOUR_US
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_SATURDAY = 5
#: A term longer than this is a slip of the keyboard, not a deadline.
_LONGEST_TERM = 36_500


class Deadline(NamedTuple):
    """An instant, and whether it rests on a year whose holidays are not published."""

    at: int
    provisional: bool


class _Year(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    off: tuple[str, ...]
    worked: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    calendar: str
    version: str
    source: str
    years: dict[str, _Year]


@dataclass(frozen=True, slots=True)
class Calendar:
    """One version of a work calendar. ``off`` and ``worked`` are sorted day ordinals:

    weekdays that are holidays, and weekend days that are worked in exchange.
    """

    name: str
    version: str
    source: str
    sha256: str
    first_day: int
    last_day: int
    off: tuple[int, ...]
    worked: tuple[int, ...]

    @property
    def label(self) -> str:
        """Return the name by which results cite this version: ``cn/2026.1``."""
        return f"{self.name}/{self.version}"


@cache
def load(name: str = "cn") -> Calendar:
    """Return a vendored calendar; read once, ``sha256`` is of the file's bytes."""
    raw = files("events").joinpath("calendars", f"{name}.json").read_bytes()
    table = msgspec.json.decode(raw, type=_File)
    years = sorted(int(year) for year in table.years)
    if years != list(range(years[0], years[-1] + 1)):
        raise ValueError(f"calendar {name} leaves out a year")
    return Calendar(
        name=table.calendar,
        version=table.version,
        source=table.source,
        sha256=hashlib.sha256(raw).hexdigest(),
        first_day=date(years[0], 1, 1).toordinal(),
        last_day=date(years[-1], 12, 31).toordinal(),
        off=_ordinals(f"{y}-{d}" for y, t in table.years.items() for d in t.off),
        worked=_ordinals(f"{y}-{d}" for y, t in table.years.items() for d in t.worked),
    )


def is_working_day(day: date, *, table: Calendar) -> bool:
    """Say whether a day is worked; in an unpublished year Monday to Friday are."""
    ordinal = day.toordinal()
    return worked_through(table, ordinal) > worked_through(table, ordinal - 1)


def is_published(day: date, *, table: Calendar) -> bool:
    """Say whether the holidays of the day's year are known to this calendar."""
    return table.first_day <= day.toordinal() <= table.last_day


def working_days_after(instant_us: int, days: int, *, table: Calendar) -> Deadline:
    """Return 24:00 of the ``days``-th working day after the day of receipt.

    The day of receipt is not counted, worked or not. Zero gives 24:00 of that very day.
    """
    _check_term(days)
    last = start = _day(instant_us)
    goal = worked_through(table, start) + days
    # No day adds more than one: this never goes too far.
    while (lack := goal - worked_through(table, last)) > 0:
        last += lack
    known = table.first_day <= start + 1 and last <= table.last_day
    return Deadline(_end_of(last), provisional=days > 0 and not known)


def calendar_days_after(instant_us: int, days: int) -> Deadline:
    """Return 24:00 of the ``days``-th day after receipt; never provisional."""
    _check_term(days)
    return Deadline(_end_of(_day(instant_us) + days), provisional=False)


def hours(instant_us: int, count: int) -> Deadline:
    """Return the instant ``count`` hours later: alert measures run day and night."""
    _check_term(count)
    return Deadline(instant_us + count * HOUR_US, provisional=False)


def rolled_to_working_day(deadline: Deadline, *, table: Calendar) -> Deadline:
    """Move a deadline that ends on a day off to 24:00 of the next working day."""
    last = _day(deadline.at - 1)
    if is_working_day(date.fromordinal(last), table=table):
        return deadline
    moved = working_days_after(deadline.at - 1, 1, table=table)
    return Deadline(moved.at, deadline.provisional or moved.provisional)


def working_days_between(a_us: int, b_us: int, *, table: Calendar) -> int:
    """Count working days after the day of ``a`` to the day that ``b`` lies in or ends.

    So, by one table, ``between(a, working_days_after(a, n).at) == n``. Negative, by the
    same count, where ``b`` is before ``a``. To count days *past* a deadline (24:00 of a
    day), start from ``deadline - 1``: the last moment of its day.
    """
    if b_us < a_us:
        return -working_days_between(b_us, a_us, table=table)
    first, last = _day(a_us), _day(b_us - 1)
    if last <= first:
        return 0
    return worked_through(table, last) - worked_through(table, first)


def worked_through(table: Calendar, ordinal: int) -> int:
    """Count working days from Monday 0001-01-01 to a day: weeks, then exceptions."""
    weeks, rest = divmod(ordinal, 7)
    return (
        weeks * _SATURDAY
        + min(rest, _SATURDAY)
        + bisect_right(table.worked, ordinal)
        - bisect_right(table.off, ordinal)
    )


def local_date(instant_us: int) -> date:
    """Return the date in Shanghai at an instant."""
    return date.fromordinal(_day(instant_us))


def start_of_day(day: date) -> int:
    """Return 00:00 in Shanghai of a day."""
    return (day.toordinal() - _EPOCH_ORDINAL) * DAY_US - OFFSET_US


def end_of_day(day: date) -> int:
    """Return 24:00 in Shanghai of a day: the first instant that is late."""
    return start_of_day(day + timedelta(days=1))


def _day(instant_us: int) -> int:
    return (instant_us + OFFSET_US) // DAY_US + _EPOCH_ORDINAL


def _end_of(ordinal: int) -> int:
    return (ordinal + 1 - _EPOCH_ORDINAL) * DAY_US - OFFSET_US


def _check_term(count: int) -> None:
    if not 0 <= count <= _LONGEST_TERM:
        raise ValueError(f"a term is 0 to {_LONGEST_TERM}, not {count}")


def _ordinals(days: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted(date.fromisoformat(day).toordinal() for day in days))
