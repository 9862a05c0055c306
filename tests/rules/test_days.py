"""Counting by a given calendar: the same as by the shipped one, where it is that one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import calendar
from projections.rules import days
from tests.rules.diary import end, us

TABLE = calendar.load()
instants = st.integers(us("2016-01-01"), us("2026-06-01"))


@given(due=instants, left=st.integers(0, 30))
@settings(deadline=None, max_examples=200)
def test_so_many_days_are_left_from_there_on_and_not_before(due, left):
    """The first instant with n days left has n, and a moment earlier there are more."""
    first = days.start_before(TABLE, due, left)
    assert days.between(TABLE, first, due) <= left
    assert days.between(TABLE, first - 1, due) == left + 1


@pytest.mark.parametrize(
    ("last_day", "count", "expected"),
    [
        ("2017-12-28", 3, "2018-01-03"),
        ("2018-02-09", 3, "2018-02-13"),
        ("2018-02-13", 5, "2018-02-26"),
        ("2017-12-17", 1, "2017-12-18"),
    ],
)
def test_days_after_a_due_begin_at_midnight(last_day, count, expected):
    """00:00 of the n-th working day after the last day of a term."""
    assert days.start_after(TABLE, end(last_day), count) == us(expected)


def test_a_day_off_in_the_table_is_not_counted():
    """A table with one more holiday has one working day less."""
    off = tuple(sorted((*TABLE.off, date(2017, 11, 22).toordinal())))
    table = replace(TABLE, off=off)
    week = us("2017-11-20"), us("2017-11-25")
    assert (days.between(TABLE, *week), days.between(table, *week)) == (4, 3)


def test_a_year_without_a_notice_is_not_published():
    """2026 is in the table, 2027 is not."""
    assert days.is_published(TABLE, us("2026-12-31"))
    assert not days.is_published(TABLE, us("2027-01-01"))
