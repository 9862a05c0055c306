"""Accountability by number, 2/4/6 · 5/10/15 · 2/3/4, counted by the month."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.rules import thresholds
from projections.rules.courses import courses
from tests.rules.diary import rfc, us

STEPS = [
    ((2, 4, 6), [0, 0, 1, 1, 2, 2, 3, 3]),
    ((5, 10, 15), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3]),
    ((2, 3, 4), [0, 0, 1, 2, 3, 3]),
]


@pytest.mark.parametrize(("steps", "expected"), STEPS)
def test_each_count_reaches_its_step(steps, expected):
    """From two on the deputy answers, from four on the head, and so on."""
    assert [thresholds.step_of(n, steps) for n in range(len(expected))] == expected


@given(count=st.integers(0, 30), steps=st.sampled_from([row[0] for row in STEPS]))
@settings(deadline=None, max_examples=100)
def test_more_never_reaches_less(count, steps):
    """The step rises with the count, and by one at a time."""
    here, more = (thresholds.step_of(n, steps) for n in (count, count + 1))
    assert 0 <= more - here <= 1


def found(diary, number, at, **more):
    """Note an issue that was found."""
    data = {
        "title": "示例（模拟数据）",
        "category": "earth_uncovered",
        "severity": "serious",
        "found_by": "inspection",
        "place": {"address": "示例"},
        "unit": "gouzhao",
    }
    return diary.note("issue.found", f"issue/W-{number}", at, data | more)


def handed_over(diary, number, due, closed=None):
    """Note an issue that was handed over with a due, and perhaps closed."""
    found(diary, number, "2017-11-20 09:00")
    data = {"to_unit": "gouzhao", "requirement": "示例", "due": due}
    stream = f"issue/W-{number}"
    position = diary.note("issue.handed_over", stream, "2017-11-21 09:00", data)
    if closed:
        diary.note("issue.closed", stream, closed)
    return position


def unrectified(diary, rules, month, now="2018-03-01"):
    """Return the levels of a month."""
    world = diary.world(now)
    return thresholds.unrectified(world, courses(world), month, rules=rules)


def test_what_is_not_settled_by_its_due_counts_in_the_month_of_the_due(diary, rules):
    """Two late ones in November: the deputy in charge answers; the others are fine."""
    late = handed_over(diary, 1, "2017-11-30", closed="2017-12-01 00:01")
    never = handed_over(diary, 2, "2017-11-24")
    handed_over(diary, 3, "2017-11-24", closed="2017-11-24 23:59")
    handed_over(diary, 4, "2017-12-01")
    (level,) = unrectified(diary, rules, "2017-11")
    assert (level.value.count, level.value.step) == (2, 1)
    assert level.value.answers == "deputy_in_charge"
    assert (level.rule, level.events) == (
        "threshold.unrectified@demo-2017/1",
        (late, never),
    )
    (later,) = unrectified(diary, rules, "2017-12")
    assert (later.value.count, later.value.answers) == (1, None)


def test_what_is_still_to_fall_due_does_not_count(diary, rules):
    """Asked on the last day, and a moment after it."""
    handed_over(diary, 1, "2017-11-30")
    assert unrectified(diary, rules, "2017-11", now="2017-11-30 23:59") == ()
    (level,) = unrectified(diary, rules, "2017-11", now="2017-12-01 00:01")
    assert level.value.count == 1


def test_the_due_of_the_commitment_counts_where_the_hand_over_has_none(diary, rules):
    """And closing that commitment settles the problem."""
    for key, notes in (("C-1", ()), ("C-2", (("closed", "2017-11-23 09:00"),))):
        diary.commitment(key, *notes, due="2017-11-24")
        found(diary, key, "2017-11-20 09:00")
        data = {"to_unit": "gouzhao", "requirement": "示例", "commitment": key}
        diary.note("issue.handed_over", f"issue/W-{key}", "2017-11-21", data)
    (level,) = unrectified(diary, rules, "2017-11")
    assert level.value.count == 1


def test_a_finding_that_is_revoked_does_not_count(diary, rules):
    """On whichever of the counts."""
    handed_over(diary, 1, "2017-11-24")
    diary.note("issue.revoked", "issue/W-1", "2017-11-22", {"reason": "示例"})
    assert unrectified(diary, rules, "2017-11") == ()
    assert (
        thresholds.newly_found(diary.world("2018-01-01"), "2017-11", rules=rules) == ()
    )


def test_only_what_others_find_is_newly_found(diary, rules):
    """Five found by inspectors: step 1; one's own patrols and repeats do not count."""
    for number in range(5):
        found(diary, number, "2017-11-30 23:59")
    found(diary, 5, "2017-11-20 09:00", found_by="patrol")
    found(diary, 6, "2017-11-20 09:00", repeat_of="W-0")
    found(diary, 7, "2017-12-01 00:00")
    (level,) = thresholds.newly_found(diary.world("2018-01-01"), "2017-11", rules=rules)
    assert (level.value.unit, level.value.count) == ("gouzhao", 5)
    assert level.value.answers == "deputy_in_charge"
    assert level.events == (1, 2, 3, 4, 5)


def case(diary, number, unit, at):
    """Note a case that is opened against a unit."""
    data = {
        "title": "示例（模拟数据）",
        "unit": unit,
        "fact_at": rfc("2017-11-20 09:00"),
        "facts": [{"stream": "issue/W-1", "version": 1}],
    }
    return diary.note("accountability.opened", f"accountability/Z-{number}", at, data)


def test_units_held_to_account_are_counted_once(diary, rules):
    """Two cases against one unit and one against another: two units, step 1."""
    cases = [
        case(diary, 1, "gouzhao", "2017-11-21"),
        case(diary, 2, "gouzhao", "2017-11-22"),
        case(diary, 3, "wutong", "2017-11-23"),
    ]
    case(diary, 4, "shifo", "2017-12-01")
    level = thresholds.units_held(diary.world("2018-01-01"), "2017-11", rules=rules)
    assert (level.value.count, level.value.step) == (2, 1)
    assert level.events == tuple(cases)
    assert level.reason["units"] == ("gouzhao", "wutong")
    early = thresholds.units_held(diary.world("2017-11-22"), "2017-11", rules=rules)
    assert early.value.count == 1


def test_months_are_local():
    """2017-12-01 00:00 in Shanghai is December, though it is November in UTC."""
    assert thresholds.span("2017-12").start == us("2017-12-01")
