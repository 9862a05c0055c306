"""Traffic lights and the schedule status: one row a case, and what must always hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from events import calendar
from projections.rules.deadlines import Schedule, standing
from projections.rules.in_force import as_shipped
from projections.rules.lights import RULES, Colour, light

RULES_NOW = as_shipped()
HOUR = calendar.HOUR_US


def noon(text):
    """Return 12:00 in Shanghai of a day, in µs."""
    return calendar.start_of_day(date.fromisoformat(text)) + 12 * HOUR


def end(text):
    """Return 24:00 in Shanghai of a day, in µs."""
    return calendar.end_of_day(date.fromisoformat(text))


@dataclass(frozen=True)
class Case:
    """A status row, as far as the rules look at it: issued on 11-14, due on 12-15."""

    original_due: int | None = end("2017-12-15")
    current_due: int | None = end("2017-12-15")
    registered_at: int = noon("2017-11-13")
    issued_at: int | None = noon("2017-11-14")
    ended_at: int | None = None
    finished: bool = False
    suspended: bool = False
    working: bool = True
    returns: int = 0
    percent: float | None = None
    activity_at: int | None = None


LIGHTS = [
    # what, row, asked on, colour, rule
    ("far from due", Case(), "2017-11-20", "green", "otherwise"),
    ("four working days left", Case(), "2017-12-11", "green", "otherwise"),
    ("three working days left", Case(), "2017-12-12", "yellow", "due_soon"),
    ("the last day", Case(), "2017-12-15", "yellow", "due_soon"),
    ("the day after, a Saturday", Case(), "2017-12-16", "red", "past_due"),
    ("returned once", Case(returns=1), "2017-11-20", "green", "otherwise"),
    ("returned twice", Case(returns=2), "2017-11-20", "red", "returned"),
    ("suspended and past due", Case(suspended=True), "2018-01-03", "grey", "suspended"),
    (
        "cancelled after its due",
        Case(ended_at=noon("2017-12-20")),
        "2018-01-03",
        "grey",
        "ended",
    ),
    (
        "extended",
        Case(current_due=end("2017-12-29")),
        "2017-12-18",
        "green",
        "otherwise",
    ),
    (
        "a short term warns on the day before",
        Case(original_due=end("2017-11-21"), current_due=end("2017-11-21")),
        "2017-11-20",
        "yellow",
        "due_soon",
    ),
    (
        "a short term, two days before",
        Case(original_due=end("2017-11-21"), current_due=end("2017-11-21")),
        "2017-11-17",
        "green",
        "otherwise",
    ),
    # 23 working days in the term; 9 passed on 11-27 are 39 %.
    ("20 points behind", Case(percent=19), "2017-11-27", "green", "otherwise"),
    ("21 points behind", Case(percent=18), "2017-11-27", "yellow", "behind_plan"),
    (
        "silent for three days",
        Case(activity_at=noon("2017-11-15")),
        "2017-11-20",
        "green",
        "otherwise",
    ),
    (
        "silent for four days",
        Case(activity_at=noon("2017-11-15")),
        "2017-11-21",
        "yellow",
        "silent",
    ),
    (
        "silent, but waiting for the verifier",
        Case(activity_at=noon("2017-11-15"), working=False),
        "2017-11-21",
        "green",
        "otherwise",
    ),
    (
        "without a deadline",
        Case(original_due=None, current_due=None),
        "2018-06-01",
        "green",
        "otherwise",
    ),
]


@pytest.mark.parametrize(
    ("row", "day", "colour", "rule"),
    [case[1:] for case in LIGHTS],
    ids=[case[0] for case in LIGHTS],
)
def test_the_first_rule_that_matches_gives_the_light(row, day, colour, rule):
    """Each case has its colour, and the rule with its version that gave it."""
    shown = light(row, noon(day), RULES_NOW)
    assert (shown.colour, shown.rule) == (colour, f"light.{rule}@demo-2017/1")


SCHEDULES = [
    ("on time", Case(), "2017-11-20", "on_time", "on_time", 0),
    ("soon", Case(), "2017-12-14", "due_soon", "due_soon", 0),
    ("overdue by a weekend", Case(), "2017-12-17", "overdue", "overdue", 0),
    ("overdue by two days", Case(), "2017-12-19", "overdue", "overdue", 2),
    (
        "late by the first date, in time by the second",
        Case(current_due=end("2017-12-29")),
        "2017-12-20",
        "overdue",
        "on_time",
        0,
    ),
    (
        "finished at the last moment",
        Case(ended_at=end("2017-12-15"), finished=True),
        "2018-06-01",
        "finished_on_time",
        "finished_on_time",
        0,
    ),
    (
        "finished between the two dates",
        Case(current_due=end("2017-12-29"), ended_at=noon("2017-12-20"), finished=True),
        "2018-06-01",
        "finished_late",
        "finished_on_time",
        0,
    ),
    (
        "finished a microsecond late",
        Case(ended_at=end("2017-12-15") + 1, finished=True),
        "2018-06-01",
        "finished_late",
        "finished_late",
        0,
    ),
    (
        "cancelled",
        Case(ended_at=noon("2017-12-20")),
        "2018-06-01",
        "ended_unfinished",
        "ended_unfinished",
        3,
    ),
    (
        "no deadline",
        Case(original_due=None, current_due=None),
        "2018-06-01",
        "no_deadline",
        "no_deadline",
        0,
    ),
]


@pytest.mark.parametrize(
    ("row", "day", "by_original", "by_current", "overdue"),
    [case[1:] for case in SCHEDULES],
    ids=[case[0] for case in SCHEDULES],
)
def test_the_schedule_is_judged_by_both_dates(
    row, day, by_original, by_current, overdue
):
    """An extension changes the second answer and never the first."""
    found = standing(row, noon(day), RULES_NOW)
    assert (found.by_original, found.by_current, found.overdue_days) == (
        by_original,
        by_current,
        overdue,
    )


def test_a_closed_commitment_that_was_late_keeps_the_mark():
    """Grey, but marked as finished late."""
    late = Case(ended_at=noon("2017-12-20"), finished=True)
    assert light(late, noon("2018-01-03"), RULES_NOW).finished_late
    kept = Case(ended_at=noon("2017-12-14"), finished=True)
    assert not light(kept, noon("2018-01-03"), RULES_NOW).finished_late


rows = st.builds(
    Case,
    current_due=st.none() | st.integers(end("2017-11-20"), end("2018-03-01")),
    returns=st.integers(0, 3),
    suspended=st.booleans(),
    percent=st.none() | st.integers(0, 100),
    activity_at=st.none() | st.integers(noon("2017-11-14"), noon("2018-03-01")),
)


@given(row=rows, days=st.integers(0, 150))
@settings(deadline=None, max_examples=200)
def test_light_and_schedule_agree(row, days):
    """Overdue is red unless the clock is stopped; what is open is never grey."""
    now = noon("2017-11-14") + days * 24 * HOUR
    shown, found = light(row, now, RULES_NOW), standing(row, now, RULES_NOW)
    assert (shown.colour is Colour.GREY) == row.suspended
    if found.by_current is Schedule.OVERDUE and not row.suspended:
        assert shown.colour is Colour.RED
    if found.by_current is Schedule.DUE_SOON and not row.suspended:
        assert shown.colour in {Colour.RED, Colour.YELLOW}


def test_every_rule_of_the_table_has_a_case():
    """No rule goes untested when one is added."""
    assert {name for _, name, _ in RULES} == {case[4] for case in LIGHTS}


def test_another_ruleset_gives_another_light_under_its_own_name():
    """Thresholds are data: the answer cites the version that gave it."""
    thresholds = structs.replace(RULES_NOW.ruleset, version=2, red_returns=1)
    strict = replace(RULES_NOW, ruleset=thresholds)
    shown = light(Case(returns=1), noon("2017-11-20"), strict)
    assert (shown.colour, shown.rule) == ("red", "light.returned@demo-2017/2")


def test_days_across_the_new_year_count_as_the_calendar_says():
    """Due on 2017-12-28, asked on 2018-01-03: 12-29, 01-02 and 01-03 have passed."""
    row = Case(current_due=end("2017-12-28"))
    found = standing(row, noon("2018-01-03"), RULES_NOW)
    assert found.overdue_days == 3
    assert found.days_left == 0
    assert timedelta(microseconds=noon("2018-01-03") - end("2017-12-28")).days == 5
