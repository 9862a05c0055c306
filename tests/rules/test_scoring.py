"""The score of a unit and week: what costs, what gains, and what never counts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.domain.periods import span, week_of
from projections.rules.courses import courses
from projections.rules.in_force import as_shipped
from projections.rules.scoring import COSTS, EARLY_CLOSE, Mark, score, scores
from tests.rules.diary import put_ruleset, us

SIGNED = ("signed_for", "2017-11-14 10:00")
CLAIM = ("completion_claimed", "2017-11-20 10:00", {"text": "示例"})
FAIL = {"result": "fail", "method": "document", "findings": ["示例"]}
PASS = {"result": "pass", "method": "document"}
LOOK = {"result": "relapsed", "team": ["t"], "text": "示例"}


def of(diary, week, unit="gouzhao", now="2018-03-31"):
    """Return (points, {item: count}) of a unit in a week."""
    world = diary.world(now)
    (found,) = scores(world, courses(world), week, [unit])
    assert found.rule == "score@demo-2017/1"
    return found.value.points, {row.name: row.count for row in found.value.items}


def test_a_unit_without_a_mark_has_the_base(diary):
    """One hundred, and one case that it owes."""
    diary.commitment("C-1", SIGNED)
    world = diary.world("2017-11-24")
    (found,) = scores(world, courses(world), "2017-W47", ["gouzhao"])
    assert (found.value.points, found.value.cases, found.events) == (100, 1, ())


OVERDUE = [("2017-W50", 0), ("2017-W51", 1), ("2017-W52", 1), ("2018-W01", 0)]


@pytest.mark.parametrize(("week", "count"), OVERDUE)
def test_each_week_of_being_overdue_costs_two_points(diary, week, count):
    """Due at the end of Sunday 12-17, closed on Thursday 12-28: two item-weeks."""
    diary.commitment("C-1", SIGNED, ("closed", "2017-12-28 10:00"), due="2017-12-17")
    points, items = of(diary, week)
    assert (points, items.get("overdue_week", 0)) == (100 - 2 * count, count)


def test_nothing_is_overdue_before_it_is(diary):
    """Asked within the week, before the due: no mark yet."""
    diary.commitment("C-1", SIGNED, due="2017-12-20")
    assert of(diary, "2017-W51", now="2017-12-20 12:00") == (100, {})
    assert of(diary, "2017-W51", now="2017-12-21 12:00")[1] == {"overdue_week": 1}


def test_what_is_suspended_is_not_overdue(diary):
    """The week in which its clock stood still costs nothing."""
    stop = {"reason_class": "weather", "reason": "示例"}
    diary.commitment("C-1", SIGNED, ("suspended", "2017-12-15 10:00", stop))
    assert of(diary, "2017-W51") == (100, {})


SIGNATURES = [
    ("in the window", [("signed_for", "2017-11-15 23:59")], {}),
    ("a day late", [("signed_for", "2017-11-16 09:00")], {"late_sign": 1}),
    ("never", [], {"late_sign": 1}),
    ("rejected", [("receipt_rejected", "2017-11-15 09:00", {"reason": "示例"})], {}),
]


@pytest.mark.parametrize(
    ("notes", "items"), [row[1:] for row in SIGNATURES], ids=[r[0] for r in SIGNATURES]
)
def test_a_late_signature_costs_a_point_once(diary, notes, items):
    """Issued on Tuesday 11-14: the window of a working day ends with 11-15."""
    diary.commitment("C-1", *notes)
    assert of(diary, "2017-W46", now="2017-11-18") == (100 - len(items), items)
    assert of(diary, "2017-W47", now="2017-11-25") == (100, {})


def test_a_failed_verification_and_a_relapse(diary):
    """Three and five points, in the weeks in which they happened."""
    diary.commitment(
        "C-1",
        SIGNED,
        CLAIM,
        ("verification_recorded", "2017-11-21 10:00", FAIL),
        ("completion_claimed", "2017-11-24 10:00", {"text": "示例"}),
        ("verification_recorded", "2017-11-27 10:00", PASS),
        ("closed", "2017-12-15 10:00"),
        ("lookback_recorded", "2017-12-20 10:00", LOOK),
    )
    assert of(diary, "2017-W47") == (97, {"failed_verification": 1})
    assert of(diary, "2017-W51") == (95, {"relapse": 1})


EARLY = [
    ("2017-12-14 10:00", "2017-12-15", {"early_close": 1}),
    ("2017-12-15 10:00", "2017-12-15", {}),
    # A Friday before a due on a Sunday: no working day is left.
    ("2017-12-15 10:00", "2017-12-17", {}),
]


@pytest.mark.parametrize(("at", "due", "items"), EARLY)
def test_an_early_verified_close_gains_a_point(diary, at, due, items):
    """A working day or more before the original due."""
    passed = ("verification_recorded", "2017-11-27 10:00", PASS)
    diary.commitment("C-1", SIGNED, CLAIM, passed, ("closed", at), due=due)
    assert of(diary, "2017-W50") == (100 + len(items), items)


def test_a_close_without_a_verification_gains_nothing(diary):
    """What nobody else has looked at is not early, it is only closed."""
    diary.commitment("C-1", SIGNED, ("closed", "2017-11-20 10:00"))
    assert of(diary, "2017-W47") == (100, {})


def test_a_late_record_costs_a_point_in_the_week_it_was_written(diary):
    """More than three days after it happened; three days exactly are in order."""
    diary.commitment("C-1", SIGNED)
    progress = {"text": "示例"}
    for written in ("2017-11-23 09:00", "2017-11-23 09:01"):
        diary.note(
            "commitment.progress_reported",
            "commitment/C-1",
            "2017-11-20 09:00",
            progress,
            unit="gouzhao",
            recorded=written,
        )
    assert of(diary, "2017-W47") == (99, {"late_record": 1})


def test_a_breach_of_an_alert_measure_costs_five_points(diary):
    """It is the unit's that sees to the measure, at the instant of the breach."""
    stream = "measure/A-1.S-1.1"
    required = {
        "alert": "A-1",
        "subject": "S-1",
        "measure": "stop_earthwork",
        "unit": "gouzhao",
    }
    diary.note("measure.required", stream, "2017-11-21 12:20", required)
    breach = {"text": "示例", "breached_at": "2017-11-26T23:59:00+08:00"}
    diary.note("measure.breached", stream, "2017-11-27 08:00", breach)
    assert of(diary, "2017-W47") == (95, {"alert_breach": 1})
    assert of(diary, "2017-W48") == (100, {})


def test_a_mark_is_of_the_unit_that_led_then(diary):
    """Reassigned on Wednesday: the first unit was late, the second one is late too."""
    diary.commitment("C-1", SIGNED, due="2017-11-20")
    data = {"lead_unit": "wutong", "reason": "示例"}
    diary.note("commitment.reassigned", "commitment/C-1", "2017-11-22 10:00", data)
    diary.note("commitment.signed_for", "commitment/C-1", "2017-11-22 11:00")
    assert of(diary, "2017-W47") == (98, {"overdue_week": 1})
    assert of(diary, "2017-W47", unit="wutong") == (98, {"overdue_week": 1})
    assert of(diary, "2017-W48") == (100, {})


def test_a_change_of_rules_in_mid_week_counts_from_the_next_one(diary):
    """I14: the week that had begun keeps the points of when it began."""
    changes = {"version": 2, "score_overdue_week": 9}
    put_ruleset(diary, changes, valid_from="2017-12-20T00:00:00+08:00")
    diary.commitment("C-1", SIGNED, due="2017-12-17")
    world = diary.world("2018-01-01")
    rows = courses(world)
    found = [
        scores(world, rows, week, ["gouzhao"])[0] for week in ("2017-W51", "2017-W52")
    ]
    assert [(row.value.points, row.rule) for row in found] == [
        (98, "score@demo-2017/1"),
        (91, "score@demo-2017/2"),
    ]


def test_more_records_give_no_points(diary):
    """Twenty reports of progress are worth as much as none."""
    diary.commitment("C-1", SIGNED)
    for _ in range(20):
        diary.note(
            "commitment.progress_reported",
            "commitment/C-1",
            "2017-11-22 10:00",
            {"text": "示例"},
            unit="gouzhao",
        )
    assert of(diary, "2017-W47") == (100, {})


BOUNDS = [(["relapse"] * 21, 0), ([EARLY_CLOSE] * 9, 105), (["relapse"] * 20, 0)]


@pytest.mark.parametrize(("names", "points"), BOUNDS)
def test_the_score_has_a_floor_and_the_gain_a_cap(rules, names, points):
    """Never below zero; at most five points for closing early."""
    marks = [Mark("u", name, n) for n, name in enumerate(names)]
    assert score("u", "2017-W47", marks, cases=9, rules=rules).value.points == points


@given(
    names=st.lists(st.sampled_from([*COSTS, EARLY_CLOSE]), max_size=40),
    more=st.sampled_from(list(COSTS)),
)
@settings(deadline=None, max_examples=200)
def test_another_fault_never_raises_a_score(names, more):
    """Monotone: and every item is the count of its events (I9)."""
    rules = as_shipped()
    marks = [Mark("u", name, n) for n, name in enumerate(names)]
    before = score("u", "w", marks, cases=1, rules=rules)
    worse = score("u", "w", [*marks, Mark("u", more, 999)], cases=1, rules=rules)
    assert worse.value.points <= before.value.points
    assert 0 <= worse.value.points <= 105
    assert all(row.count == len(row.events) for row in worse.value.items)


def test_the_week_of_an_instant_is_its_own():
    """Monday 00:00 begins the week that the scores of it cover."""
    assert span(week_of(us("2017-11-20"))).start == us("2017-11-20")


def test_what_begins_later_costs_nothing_yet(diary):
    """Judged before its first event, a commitment of the log is not there."""
    diary.commitment("C-1", SIGNED)
    assert of(diary, "2017-W45", now="2017-11-08") == (100, {})
