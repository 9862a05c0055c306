"""A period names one span of local time, and every instant lies in one day and week."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.domain.periods import day_of, span, week_of
from events.entries import instant, rfc3339


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("2017-11-24", "2017-11-23T16:00:00Z", "2017-11-24T16:00:00Z"),
        ("2017-11-24T23", "2017-11-24T15:00:00Z", "2017-11-24T16:00:00Z"),
        ("2017-W47", "2017-11-19T16:00:00Z", "2017-11-26T16:00:00Z"),
        ("2020-W53", "2020-12-27T16:00:00Z", "2021-01-03T16:00:00Z"),
        ("2017-11", "2017-10-31T16:00:00Z", "2017-11-30T16:00:00Z"),
        ("2017-12", "2017-11-30T16:00:00Z", "2017-12-31T16:00:00Z"),
        ("2017", "2016-12-31T16:00:00Z", "2017-12-31T16:00:00Z"),
    ],
)
def test_a_period_spans_local_time(period, start, end):
    """The instants of each kind of period, at UTC+08:00."""
    assert span(period) == (instant(start), instant(end))


@pytest.mark.parametrize("period", ["2017-02-29", "2017-W53", "0000", "0000-01-01"])
def test_a_period_that_the_calendar_lacks_is_an_error(period):
    """Such a text has the right form and no instants."""
    with pytest.raises(ValueError):
        span(period)


@settings(deadline=None, max_examples=200)
@given(at=st.integers(0, 4_000_000_000_000_000))
def test_an_instant_lies_in_its_day_and_its_week(at):
    """The day and week that we name for an instant contain it."""
    for period in (day_of(at), week_of(at)):
        start, end = span(period)
        assert start <= at < end, rfc3339(at)
