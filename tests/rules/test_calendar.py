"""The work calendar: published facts, the package it came from, and its own arithmetic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import calendar

SHANGHAI = timezone(timedelta(hours=8))
SHIPPED = calendar.load()


def at(text: str) -> int:
    """Return µs of a local time such as ``2017-11-14 09:00``."""
    local = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
    return int(local.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("received", "days", "last_day"),
    [
        ("2017-11-14 09:00", 3, "2017-11-17"),
        ("2017-11-24 09:00", 5, "2017-12-01"),
        ("2017-12-28 09:00", 3, "2018-01-03"),
        ("2018-02-09 09:00", 3, "2018-02-13"),
        ("2018-02-13 09:00", 5, "2018-02-26"),
    ],
)
def test_a_term_in_working_days_ends_where_the_published_calendar_says(
    received, days, last_day
):
    """The five reference terms, over New Year and over two worked weekends."""
    deadline = calendar.working_days_after(at(received), days, table=SHIPPED)
    assert deadline == (calendar.end_of_day(date.fromisoformat(last_day)), False)


def test_a_due_day_ends_at_24_00_in_shanghai():
    """The end of 2017-11-17 is 16:00 UTC of that day, whatever the hour of receipt."""
    expected = int(datetime(2017, 11, 17, 16, tzinfo=UTC).timestamp()) * 1_000_000
    for hour in ("00:00", "12:00", "23:59"):
        received = at(f"2017-11-14 {hour}")
        assert calendar.working_days_after(received, 3, table=SHIPPED).at == expected
        assert calendar.calendar_days_after(received, 3).at == expected


def test_the_campaign_window_has_43_working_days():
    """From 2017-11-01 to 2017-12-31 there is no holiday and no make-up day."""
    window = calendar.working_days_between(
        at("2017-10-31 12:00"), calendar.end_of_day(date(2017, 12, 31)), table=SHIPPED
    )
    assert window == 43


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2017-12-30", False),
        ("2017-12-31", False),
        ("2018-01-01", False),
        ("2018-02-11", True),
        ("2018-02-24", True),
        ("2018-02-15", False),
        ("2018-02-21", False),
        ("2018-02-22", True),
    ],
)
def test_days_around_the_turn_of_2018(day, worked):
    """Holidays and make-up days of the winter of 2017-18."""
    assert calendar.is_working_day(date.fromisoformat(day), table=SHIPPED) is worked


def test_every_vendored_day_agrees_with_the_package_it_came_from():
    """All days of 2004-2026 are worked exactly where chinesecalendar says so."""
    day, end = date(2004, 1, 1), date(2026, 12, 31)
    wrong = []
    while day <= end:
        if calendar.is_working_day(
            day, table=SHIPPED
        ) is not chinese_calendar.is_workday(day):
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []


def test_the_vendored_table_is_the_published_version():
    """A change of the table needs a new version: replay must not move under our feet."""
    table = calendar.load()
    assert (table.name, table.version, table.sha256) == (
        "cn",
        "2026.1",
        "e1f69c81576087967da810e0b4d81469629c018ee8e1c335ab1b3aa987031a7e",
    )


def test_a_deadline_in_an_unpublished_year_is_provisional():
    """2027 has no notice yet: Monday to Friday, and flagged."""
    crossing = calendar.working_days_after(at("2026-12-30 09:00"), 3, table=SHIPPED)
    assert crossing == (calendar.end_of_day(date(2027, 1, 4)), True)
    assert (
        calendar.working_days_after(
            at("2026-12-30 09:00"), 1, table=SHIPPED
        ).provisional
        is False
    )
    assert (
        calendar.working_days_after(
            at("2003-12-29 09:00"), 3, table=SHIPPED
        ).provisional
        is True
    )
    assert not calendar.is_published(date(2027, 1, 1), table=SHIPPED)


def test_hours_run_day_and_night():
    """Two hours after 23:30 on a Saturday is 01:30 on Sunday."""
    assert calendar.hours(at("2017-12-02 23:30"), 2).at == at("2017-12-03 01:30")


def test_rolling_moves_a_due_day_off_to_the_next_working_day():
    """A calendar-day due on Sunday 2017-12-31 rolls over New Year to 01-02."""
    due = calendar.calendar_days_after(at("2017-12-29 10:00"), 2)
    rolled = calendar.rolled_to_working_day(due, table=SHIPPED)
    assert rolled.at == calendar.end_of_day(date(2018, 1, 2))
    assert calendar.rolled_to_working_day(rolled, table=SHIPPED) == rolled


@pytest.mark.parametrize("days", [-1, 36_501])
def test_an_absurd_term_is_refused(days):
    """A negative or endless term is an error, not a date."""
    with pytest.raises(ValueError, match="a term is"):
        calendar.working_days_after(0, days, table=SHIPPED)


instants = st.integers(at("2003-06-01 00:00"), at("2028-06-01 00:00"))


@given(start=instants, days=st.integers(0, 400))
@settings(deadline=None, max_examples=200)
def test_counting_back_gives_the_term(start, days):
    """Between receipt and due lie exactly the days of the term, the last one worked."""
    due = calendar.working_days_after(start, days, table=SHIPPED).at
    assert calendar.working_days_between(start, due, table=SHIPPED) == days
    assert days == 0 or calendar.is_working_day(
        calendar.local_date(due - 1), table=SHIPPED
    )


@given(a=instants, span=st.integers(0, 300))
@settings(deadline=None, max_examples=100)
def test_the_count_is_the_number_of_worked_days(a, span):
    """The closed form agrees with asking each day."""
    first = calendar.local_date(a)
    days = [first + timedelta(days=n) for n in range(1, span + 1)]
    expected = sum(calendar.is_working_day(day, table=SHIPPED) for day in days)
    b = calendar.end_of_day(first + timedelta(days=span))
    assert calendar.working_days_between(a, b, table=SHIPPED) == expected
    if b != a:
        assert calendar.working_days_between(b, a, table=SHIPPED) == -expected
