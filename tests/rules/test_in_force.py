"""What is in force at an instant: rulesets and calendars, shipped and published."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from events import calendar
from events.domain import rulesets
from projections.rules import conduct, deadlines, lights, urging
from projections.rules.courses import courses
from projections.rules.in_force import as_shipped, rulebook, rules_at
from tests.rules.diary import Diary, put, us

CONTENT = msgspec.to_builtins(rulesets.built_in()["demo-2017"])
#: All of them change something about a commitment that is due on 2017-12-15.
CHANGES = {
    "yellow_days_left": 9,
    "red_returns": 1,
    "inaction_days": 1,
    "slow_returns": 1,
    "urge_reminder_days": 9,
    "urge_orange_days": 1,
}


def test_without_a_published_version_what_ships_with_the_code_counts(diary):
    """demo-2017/1 and the vendored calendar, resting on no event."""
    rules = rules_at(diary.world("2017-12-01"), us("2017-12-01"))
    assert (rules.ruleset.label, rules.table, rules.events) == (
        "demo-2017/1",
        calendar.load(),
        (),
    )
    assert rules.calendar == "cn/2026.1"
    assert rules == as_shipped()


def test_a_version_counts_from_its_own_instant(diary):
    """The microsecond before is judged by the version before."""
    events = put(
        diary,
        "ruleset",
        CONTENT | {"version": 2, "red_returns": 1},
        on="2017-11-20",
        valid_from="2017-12-01T00:00:00+08:00",
    )
    book = rulebook(diary.world("2018-01-01"))
    before, after = book.at(us("2017-12-01") - 1), book.at(us("2017-12-01"))
    assert (before.ruleset.label, before.events) == ("demo-2017/1", ())
    assert (after.ruleset.label, after.events) == ("demo-2017/2", events)
    assert after.cite("inaction") == "inaction@demo-2017/2"


def test_what_is_not_activated_does_not_count(diary):
    """A published version waits for its second person."""
    put(
        diary,
        "ruleset",
        CONTENT | {"version": 2},
        on="2017-11-20",
        valid_from="2017-12-01T00:00:00+08:00",
    )
    world = diary.world("2018-01-01", position=1)
    assert rules_at(world, us("2018-01-01")).ruleset.label == "demo-2017/1"


def test_a_book_of_before_does_not_know_what_was_activated_later(diary):
    """The first version may reach back; who asks what was known then is not told."""
    put(
        diary,
        "ruleset",
        CONTENT | {"version": 2},
        on="2017-12-10",
        valid_from="2017-12-01T00:00:00+08:00",
    )
    book, instant = rulebook(diary.world("2018-01-01")), us("2017-12-05")
    assert book.at(instant).ruleset.version == 2
    assert book.known_at(instant).at(instant).ruleset.version == 1


def test_days_are_counted_by_the_calendar_in_force(diary):
    """Another calendar makes 2017-12-15 a day off: the week has a day less left."""
    content = {
        "name": "cn",
        "version": 1,
        "source": "A notice of holidays (fictional)",
        "years": {"2017": {"off": ["12-15"], "worked": []}},
    }
    events = put(
        diary,
        "calendar",
        content,
        on="2017-11-20",
        valid_from="2017-12-12T00:00:00+08:00",
    )
    book = rulebook(diary.world("2018-01-01"))
    due = us("2017-12-16")
    left = {
        day: deadlines.days_left(due, us(day), book.at(us(day)))
        for day in ("2017-12-11", "2017-12-12")
    }
    assert left == {"2017-12-11": 4, "2017-12-12": 2}
    assert book.at(us("2017-12-12")).events == events
    assert book.at(us("2017-12-12")).calendar == "cn/1"


def commitments():
    """Return a log of a commitment that is returned, late and then silent."""
    fail = {"result": "fail", "method": "document", "findings": ["示例"]}
    diary = Diary()
    diary.commitment(
        "C-1",
        ("signed_for", "2017-11-15 10:00"),
        ("completion_claimed", "2017-11-24 10:00", {"text": "示例"}),
        ("verification_recorded", "2017-11-27 10:00", fail),
    )
    return diary


def judged(diary, instant):
    """Return every rule's answer about the commitment at an instant."""
    world = diary.world(instant)
    book = rulebook(world)
    rules = book.at(instant)
    (course,) = courses(world)
    row = course.at(instant)
    return (
        lights.light(row, instant, rules),
        deadlines.standing(row, instant, rules),
        conduct.inaction(course, instant, rules),
        conduct.slow_action(course, instant, rules),
        urging.urge(course, instant, rules),
    )


@given(
    instant=st.integers(us("2017-11-16"), us("2018-01-31")),
    start=st.integers(us("2017-11-20"), us("2018-01-20")),
)
@settings(deadline=None, max_examples=150)
def test_a_change_of_rules_never_reaches_an_instant_before_it(instant, start):
    """I14: with and without the new version, every answer about before is the same."""
    plain, changed = commitments(), commitments()
    seconds = start // 1_000_000
    valid_from = datetime.fromtimestamp(seconds, UTC).isoformat()
    put(
        changed,
        "ruleset",
        CONTENT | {"version": 2} | CHANGES,
        on="2017-11-14",
        valid_from=valid_from,
    )
    was, is_now = judged(plain, instant), judged(changed, instant)
    if instant < seconds * 1_000_000:
        assert was == is_now
    else:
        assert is_now[0].rule.endswith("@demo-2017/2")
        assert was[0].rule.endswith("@demo-2017/1")
