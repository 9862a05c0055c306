"""A promise that is merged into another is not put off by it (模拟数据)."""

from __future__ import annotations

import pytest

from events.domain.periods import Span
from projections.rules.courses import courses
from projections.rules.rates import on_time_by_current, on_time_by_original
from tests.rules.diary import end, us

DONE = ("closed", "2017-12-08 10:00", {"approver_post": "head"})
DECEMBER = Span(us("2017-12-01"), us("2018-01-01"))


def merged(at, by):
    """Return the event that merges a commitment into another."""
    return ("superseded", at, {"by": by, "reason": "示例"})


def due_at(diary, key, now):
    """Return the original due of a commitment as a rule sees it at an instant."""
    (course,) = [row for row in courses(diary.world("2018-03-01")) if row.key == key]
    return course.at(us(now)).original_due


@pytest.mark.parametrize(
    ("earlier", "own", "expected"),
    [
        ("2017-12-01", "2017-12-15", "2017-12-01"),
        ("2017-12-20", "2017-12-15", "2017-12-15"),
    ],
    ids=["earlier", "later"],
)
def test_what_takes_over_has_the_earliest_original_due(diary, earlier, own, expected):
    """From the merger on; the state in the log keeps its own."""
    diary.commitment("A", merged("2017-11-20", "B"), due=earlier)
    diary.commitment("B", due=own)
    assert due_at(diary, "B", "2017-11-19") == end(own)
    assert due_at(diary, "B", "2017-11-21") == end(expected)
    assert diary.world("2018-01-01").state("commitment/B").state.original_due == end(
        own
    )
    assert due_at(diary, "A", "2017-11-21") == end(earlier)


def test_it_passes_on_through_every_merger_once_that_has_happened(diary):
    """A into B, later B into C: C has A's due from then on, and names why."""
    first = diary.commitment("A", merged("2017-11-20", "B"), due="2017-11-30")
    second = diary.commitment("B", merged("2017-11-22", "C"), due="2017-12-05")
    diary.commitment("C", due="2017-12-15")
    assert due_at(diary, "C", "2017-11-21") == end("2017-12-15")
    assert due_at(diary, "C", "2017-11-23") == end("2017-11-30")
    (course,) = [row for row in courses(diary.world("2018-01-01")) if row.key == "C"]
    assert (first[0], first[2], second[2]) in {one.events for one in course.inherited}


def test_what_had_ended_before_stays_as_it_ended(diary):
    """A merger into what is closed does not make its close late."""
    diary.commitment("A", merged("2017-12-11", "B"), due="2017-12-01")
    diary.commitment("B", DONE, due="2017-12-15")
    assert due_at(diary, "B", "2017-12-31") == end("2017-12-15")


def test_a_merger_does_not_make_a_late_promise_punctual(diary, rules):
    """Closed by the due of what took over, and late by what it stands for."""
    diary.commitment("A", merged("2017-11-20", "B"), due="2017-12-01")
    diary.commitment("B", DONE, due="2017-12-15")
    rows = courses(diary.world("2018-01-01"))
    now = us("2018-01-01")
    original = on_time_by_original(rows, DECEMBER, now, rules=rules).value
    current = on_time_by_current(rows, DECEMBER, now, rules=rules).value
    assert (len(original.hits), len(original.base)) == (0, 1)
    assert (len(current.hits), len(current.base)) == (1, 1)
