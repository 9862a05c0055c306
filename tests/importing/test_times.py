"""Instants as logs write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.importing.times import format_instant, parse_instant, pattern_fault

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FORMATS = ("iso", "%d-%m-%Y %H:%M:%S", "%d/%m/%Y", "epoch_ms")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2011-10-11 13:45:40.276000+02:00", "2011-10-11T11:45:40.276Z"),
        ("2011-10-11T13:45:40+0200", "2011-10-11T11:45:40Z"),
        ("2011-10-11T11:45:40Z", "2011-10-11T11:45:40Z"),
        ("2011-10-11T11:45:40.1234567Z", "2011-10-11T11:45:40.123456Z"),
        ("2011-10-11 13:45:40,5", "2011-10-11T11:45:40.5Z"),
        ("2011-10-11 13:45", "2011-10-11T11:45:00Z"),
        ("2011-12-11 13:45:40", "2011-12-11T12:45:40Z"),
        ("20111011T114540Z", "2011-10-11T11:45:40Z"),
        ("2011-10-11", "2011-10-10T22:00:00Z"),
        ("11-10-2011 13:45:40", "2011-10-11T11:45:40Z"),
        ("11/10/2011", "2011-10-10T22:00:00Z"),
        ("1318333540276", "2011-10-11T11:45:40.276Z"),
        ("-1000", "1969-12-31T23:59:59Z"),
    ],
)
def test_mixed_forms_in_one_column_are_read(text, meaning):
    """Each form that the mapping allows is read, naive ones in the mapping's zone."""
    instant = parse_instant(text, FORMATS, AMSTERDAM)
    assert format_instant(instant) == meaning


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2011-13-01", "2011-10-11 25:00", "10-11", "2011-10-11x13:45",
     "20111011123000123456789"],
)  # fmt: skip
def test_what_no_format_says_is_not_guessed(text):
    """A text that fits no format gives None, never a near miss."""
    assert parse_instant(text, FORMATS, AMSTERDAM) is None


def test_a_deadline_that_is_a_date_ends_with_that_day():
    """A bare date as a deadline is its last microsecond, also when clocks change."""
    for text in ("2011-10-30", "30/10/2011"):
        due = parse_instant(text, FORMATS, AMSTERDAM, day_end=True)
        assert format_instant(due) == "2011-10-30T22:59:59.999999Z"
    timed = parse_instant("2011-10-30 00:00", FORMATS, AMSTERDAM, day_end=True)
    assert format_instant(timed) == "2011-10-29T22:00:00Z"


@pytest.mark.parametrize("pattern", ["isoo", "%H:%M", "%Q", "%d-%m %H"])
def test_a_useless_pattern_is_told(pattern):
    """A format that cannot fix a day is refused when the mapping is read."""
    assert pattern_fault(pattern) is not None


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)),
    st.integers(-14 * 60, 14 * 60),
)
def test_iso_text_comes_back_as_the_same_instant(moment, offset):
    """What isoformat writes in any offset is read to the microsecond."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    instant = parse_instant(aware.isoformat(), ("iso",), AMSTERDAM)
    again = datetime.fromisoformat(format_instant(instant))
    assert again == aware
    assert again.tzinfo == UTC
