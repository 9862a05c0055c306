"""Work calendars as versioned policy: which weekdays are off, which weekends worked.

Rules of this file: the table as it is published, that it is sound, and which is in
force. Counting days with it is events/calendar.py; publishing by two persons is
policy_versions.py.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from msgspec import Meta

from events import calendar
from events.calendar import Calendar
from events.domain.fields import Instant, Sha256Hex, Text, Version
from events.domain.model import Context, Event, Payload
from events.domain.policy_versions import Edition, published_types
from events.domain.transitions import refuse

Name = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}(?!\n)$", examples=["cn"])
]
Year = Annotated[str, Meta(pattern=r"^(?:19|20)[0-9]{2}(?!\n)$", examples=["2027"])]
DayOfYear = Annotated[
    str,
    Meta(
        pattern=r"^(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?!\n)$",
        description="Month and day.",
        examples=["10-01"],
    ),
]
#: The one calendar that days are counted by: ``calendar/cn``.
CALENDAR: Final = "cn"
_SATURDAY: Final = 5


class YearTable(Payload, frozen=True):
    """The exceptions of a year: weekdays that are off, weekend days that are worked."""

    off: Annotated[tuple[DayOfYear, ...], Meta(max_length=100)]
    worked: Annotated[tuple[DayOfYear, ...], Meta(max_length=100)]


class CalendarTable(Payload, frozen=True):
    """One version of a work calendar, for years without a gap."""

    name: Name
    version: Version
    source: Text
    years: Annotated[dict[Year, YearTable], Meta(min_length=1, max_length=200)]


class Published(Payload, frozen=True):
    """A version of a calendar is laid open; a second person puts it into force.

    `content_sha256` is that of the content's canonical JSON (RFC 8785).
    """

    version: Version
    content: CalendarTable
    content_sha256: Sha256Hex
    valid_from: Instant
    basis: Text | None = None


def calendar_of(edition: Edition) -> Calendar:
    """Return a published version as the calendar that days are counted with."""
    table: CalendarTable = edition.content
    years = sorted(int(year) for year in table.years)
    return Calendar(
        name=table.name,
        version=str(table.version),
        source=table.source,
        sha256=edition.sha256,
        first_day=date(years[0], 1, 1).toordinal(),
        last_day=date(years[-1], 12, 31).toordinal(),
        off=_ordinals(table, "off"),
        worked=_ordinals(table, "worked"),
    )


def table_of(edition: Edition | None) -> Calendar:
    """Return the table to count with; None: the one that comes with the code."""
    return calendar.load() if edition is None else calendar_of(edition)


def current(context: Context) -> Calendar:
    """Return the calendar in force for a decision."""
    state = context.state_of(f"calendar/{CALENDAR}")
    return table_of(None if state is None else state.in_force(context.at))


def _ordinals(table: CalendarTable, member: str) -> tuple[int, ...]:
    days = [
        date.fromisoformat(f"{year}-{day}").toordinal()
        for year, row in table.years.items()
        for day in getattr(row, member)
    ]
    return tuple(sorted(days))


def _check_content(event: Event) -> None:
    """Refuse a gap between years, a day that is none, off or worked by itself."""
    years: dict[str, YearTable] = event.data.content.years
    numbers = sorted(int(year) for year in years)
    if numbers != list(range(numbers[0], numbers[-1] + 1)):
        raise refuse("calendar_year_missing", "/data/content/years")
    for year, row in years.items():
        for member, days in (("off", row.off), ("worked", row.worked)):
            where = f"/data/content/years/{year}/{member}"
            if len(set(days)) != len(days):
                raise refuse("calendar_day_repeated", where)
            for index, day in enumerate(days):
                if not _is_exception(f"{year}-{day}", worked=member == "worked"):
                    raise refuse(
                        "calendar_day_wrong", f"{where}/{index}", day=f"{year}-{day}"
                    )


def _is_exception(text: str, *, worked: bool) -> bool:
    try:
        weekend = date.fromisoformat(text).weekday() >= _SATURDAY
    except ValueError:
        return False
    return weekend is worked


EVENT_TYPES: Final = published_types(
    "calendar",
    Published,
    names=("Work calendar", "工作日历"),
    check=_check_content,
    content={
        "name": "cn",
        "version": 1,
        "source": "A notice of holidays (fictional excerpt)",
        "years": {"2018": {"off": ["01-01"], "worked": ["02-11", "02-24"]}},
    },
)
