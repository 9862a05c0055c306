"""Due dates as written, and the instants they mean.

Rules of this file: pure arithmetic over events.calendar. A fixed due means the same for
ever; a term is resolved once, by decide, and stamped on the entry as ``dueat``, with
the calendar it was counted by, so that no replay depends on the one in force.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from events import calendar
from events.calendar import Calendar
from events.errors import Fault, Refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MINUTE_US = 60_000_000


def is_term(text: str) -> bool:
    """Say whether a due is counted from an instant (PT2H, D30, WD15)."""
    return not text[0].isdigit()


def is_in_working_days(text: str) -> bool:
    """Say whether a due depends on the work calendar (WD15)."""
    return text.startswith("WD")


@lru_cache(maxsize=4096)
def fixed(text: str) -> int | None:
    """Return the µs of a date (its 24:00, +08:00) or of an RFC 3339 instant.

    None where there is no such day or time (2017-02-30), and for a term.
    """
    if is_term(text):
        return None
    try:
        if len(text) == 10:
            return calendar.end_of_day(date.fromisoformat(text))
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except ValueError:
        return None


def begin(text: str) -> int | None:
    """Return the first µs of a date (its 00:00, +08:00), or the instant itself."""
    end = fixed(text)
    return end - calendar.DAY_US if end is not None and len(text) == 10 else end


def elapsed(term: str, start: int) -> int:
    """Return the µs so many hours (PT2H) or minutes (PT30M) later: day and night."""
    unit = calendar.HOUR_US if term[-1] == "H" else _MINUTE_US
    return start + int(term[2:-1]) * unit


def counted(term: str, start: int, *, table: Calendar) -> int:
    """Return the µs at which a term, counted from ``start``, ends."""
    if term.startswith("PT"):
        return elapsed(term, start)
    if is_in_working_days(term):
        return calendar.working_days_after(start, int(term[2:]), table=table).at
    return calendar.calendar_days_after(start, int(term[1:])).at


def check_fixed(text: str, pointer: str) -> int:
    """Return the µs of a due as written; ``Refused('due_invalid')``: no such day."""
    at = fixed(text)
    if at is None:
        fault = Fault("due_invalid", f"there is no {text}", pointer)
        raise Refused("due_invalid", fault.detail, faults=(fault,), due=text)
    return at


def shifted(due: int, *, paused: int, resumed: int, table: Calendar) -> int:
    """Return a due moved on by the working days that lay in a suspension.

    A due that had passed when the clock stopped stays: being late is no reason to gain.
    """
    if paused >= due:
        return due
    lost = calendar.working_days_between(paused, resumed, table=table)
    return calendar.working_days_after(due - 1, lost, table=table).at if lost else due
