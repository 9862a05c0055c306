"""Which sheet is due when: one row an instant, and what must hold for all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from projections.rules import urging
from projections.rules.courses import courses
from projections.rules.in_force import as_shipped
from tests.rules.diary import end, us

RULES = as_shipped()

SHEETS = [
    # what, last day, reminder, orange, red
    ("a Friday", "2017-12-15", "2017-12-12", "2017-12-19", "2017-12-22"),
    ("over New Year", "2017-12-28", "2017-12-25", "2018-01-02", "2018-01-05"),
    ("before a worked Sunday", "2018-02-09", "2018-02-06", "2018-02-12", "2018-02-22"),
    ("after a worked Sunday", "2018-02-13", "2018-02-09", "2018-02-22", "2018-02-26"),
    ("on a Sunday", "2017-12-17", "2017-12-12", "2017-12-19", "2017-12-22"),
]


@pytest.mark.parametrize(
    ("last_day", "reminder", "orange", "red"),
    [row[1:] for row in SHEETS],
    ids=[row[0] for row in SHEETS],
)
def test_each_sheet_begins_on_its_working_day(last_day, reminder, orange, red):
    """T-3 reminder, T+0 blue, T+2 orange, T+5 red, counted in working days."""
    due = end(last_day)
    found = [(sheet.level, sheet.since) for sheet in urging.sheets(due, RULES)]
    assert found == [
        ("reminder", us(reminder)),
        ("blue", due + 1),
        ("orange", us(orange)),
        ("red", us(red)),
    ]


LEVELS = [
    # asked at, normal, urgent
    ("2017-12-11 23:59", None, None),
    ("2017-12-12", "reminder", "reminder"),
    ("2017-12-16", "reminder", "reminder"),
    ("2017-12-16 00:01", "blue", "orange"),
    ("2017-12-18 23:59", "blue", "orange"),
    ("2017-12-19", "orange", "red"),
    ("2017-12-21 23:59", "orange", "red"),
    ("2017-12-22", "red", "red"),
    ("2018-03-01", "red", "red"),
]


@pytest.mark.parametrize(("at", "normal", "urgent"), LEVELS)
def test_an_urgent_commitment_skips_a_level(at, normal, urgent):
    """Due at the end of 2017-12-15; 24:00 itself is still in time."""
    due = end("2017-12-15")
    for is_urgent, expected in ((False, normal), (True, urgent)):
        sheet = urging.level_due(due, us(at), RULES, urgent=is_urgent)
        assert (sheet and sheet.level) == expected


def test_a_sheet_that_was_sent_is_not_due_again(diary, rules):
    """The key is commitment, level, cycle; its events are the due and the sheets."""
    diary.commitment("C-1", ("signed_for", "2017-11-14 10:00"))
    before = diary.world("2017-12-18 09:00")
    found = urging.urge(courses(before)[0], before.cut.now, rules)
    assert found.value.key == ("C-1", "blue", 0)
    assert (found.value.sent, found.value.allowed) == (False, True)
    assert (found.rule, found.events) == ("urging.blue@demo-2017/1", (1,))
    sheet = {"level": "blue"}
    sent = diary.note("commitment.urged", "commitment/C-1", "2017-12-18 09:00", sheet)
    after = diary.world("2017-12-18 10:00")
    again = urging.urge(courses(after)[0], after.cut.now, rules)
    assert (again.value.key, again.value.sent) == (("C-1", "blue", 0), True)
    assert again.events == (1, sent)
    later = diary.world("2017-12-19 10:00")
    orange = urging.urge(courses(later)[0], later.cut.now, rules)
    assert (orange.value.level, orange.value.sent) == ("orange", False)


def test_another_due_begins_another_cycle(diary, rules):
    """After an extension the reminder of the new due is another sheet."""
    diary.commitment(
        "C-1",
        ("signed_for", "2017-11-14 10:00"),
        ("plan_filed", "2017-11-15 10:00", {"summary": "示例"}),
        ("urged", "2017-12-12 09:00", {"level": "reminder"}),
        (
            "extension_requested",
            "2017-12-13 09:00",
            {"new_due": "2017-12-28", "reason": "示例", "progress": "示例"},
        ),
    )
    granted = diary.note(
        "commitment.extension_granted", "commitment/C-1", "2017-12-14 09:00"
    )
    world = diary.world("2017-12-26 09:00")
    found = urging.urge(courses(world)[0], world.cut.now, rules)
    assert found.value.key == ("C-1", "reminder", 1)
    assert (found.value.sent, found.events) == (False, (granted,))


def test_a_reopening_begins_another_cycle_even_for_the_same_due(diary, rules):
    """Closed in time, relapsed, to be done again by the date it had."""
    again = {"new_due": "2017-12-15", "reason": "示例"}
    made = diary.commitment(
        "C-1",
        ("urged", "2017-12-12 09:00", {"level": "reminder"}),
        ("closed", "2017-12-13 09:00"),
        ("reopened", "2017-12-14 09:00", again),
    )
    world = diary.world("2017-12-14 10:00")
    found = urging.urge(courses(world)[0], world.cut.now, rules)
    assert found.value.key == ("C-1", "reminder", 1)
    assert (found.value.sent, found.events) == (False, (made[-1],))


NOT_URGED = [
    ("claimed", ("completion_claimed", "2017-12-14 09:00", {"text": "示例"})),
    (
        "suspended",
        (
            "suspended",
            "2017-12-14 09:00",
            {"reason_class": "weather", "reason": "示例"},
        ),
    ),
    ("cancelled", ("cancelled", "2017-12-14 09:00", {"reason": "示例"})),
    ("closed", ("closed", "2017-12-14 09:00")),
]


@pytest.mark.parametrize(
    "last", [row[1] for row in NOT_URGED], ids=[row[0] for row in NOT_URGED]
)
def test_nobody_is_urged_who_is_not_to_act(diary, rules, last):
    """Waiting for a verifier, stopped or ended: no sheet, however late it is."""
    diary.commitment("C-1", ("signed_for", "2017-11-14 10:00"), last)
    world = diary.world("2018-01-10 09:00")
    assert urging.urge(courses(world)[0], world.cut.now, rules) is None


def test_the_red_sheet_becomes_a_clue(diary, rules):
    """Five working days past the due, and not a moment before."""
    diary.commitment("C-1", ("signed_for", "2017-11-14 10:00"))
    (course,) = courses(diary.world("2018-01-01"))
    assert urging.clue(course, us("2017-12-22") - 1, rules) is None
    found = urging.clue(course, us("2017-12-22"), rules)
    assert found.rule == "urging.clue@demo-2017/1"
    assert found.value.key == ("C-1", "red", 0)


def test_a_lower_sheet_is_not_sent_after_a_higher_one(diary, rules):
    """The log refuses it, so it is told apart as not allowed."""
    diary.commitment("C-1", ("urged", "2017-12-13 09:00", {"level": "orange"}))
    world = diary.world("2017-12-18 09:00")
    value = urging.urge(courses(world)[0], world.cut.now, rules).value
    assert (value.level, value.sent, value.allowed) == ("blue", True, False)


def test_the_days_are_those_of_the_ruleset():
    """Blue a day after the due, where the ruleset says so."""
    ruleset = structs.replace(RULES.ruleset, version=2, urge_blue_days=1)
    changed = replace(RULES, ruleset=ruleset)
    due = end("2017-12-15")
    assert urging.sheets(due, changed)[1] == urging.Sheet("blue", us("2017-12-18"))


instants = st.integers(us("2017-11-01"), us("2018-03-31"))


@given(due=instants, a=instants, b=instants, urgent=st.booleans())
@settings(deadline=None, max_examples=300)
def test_levels_only_rise_and_urgent_is_never_lower(due, a, b, urgent):
    """Later is never milder, and skipping a level never makes it milder either."""

    def rank(at, *, urgent):
        sheet = urging.level_due(due, at, RULES, urgent=urgent)
        return urging.rank(sheet.level) if sheet else 0

    first, second = sorted((a, b))
    assert rank(first, urgent=urgent) <= rank(second, urgent=urgent)
    assert rank(a, urgent=False) <= rank(a, urgent=True)
