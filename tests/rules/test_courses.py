"""The course of a commitment: what stood when, also where it was recorded late."""

from __future__ import annotations

from projections.rules.courses import course_of, courses
from projections.status import Status
from tests.rules.diary import end, us


def test_the_status_at_each_instant(diary):
    """Registered, issued, signed, closed; and nothing before the first."""
    diary.commitment(
        "C-1", ("signed_for", "2017-11-15 10:00"), ("closed", "2017-11-20 10:00")
    )
    (course,) = courses(diary.world("2017-12-01"))
    assert course.at(us("2017-11-13 08:59")) is None
    found = {
        day: course.at(us(day)).state.status
        for day in ("2017-11-13 09:00", "2017-11-14 09:00", "2017-11-15 10:00")
    }
    assert list(found.values()) == ["draft", "issued", "signed"]
    closed = course.at(us("2017-11-20 10:00"))
    assert isinstance(closed, Status)
    assert (closed.finished, closed.ended_at) == (True, us("2017-11-20 10:00"))


def test_what_was_recorded_late_stands_where_it_happened(diary):
    """A signature entered after a later report counts from its own instant."""
    diary.commitment("C-1", ("progress_reported", "2017-11-20 10:00", {"text": "示例"}))
    diary.note(
        "commitment.signed_for",
        "commitment/C-1",
        "2017-11-15 10:00",
        recorded="2017-11-24 10:00",
    )
    (course,) = courses(diary.world("2017-12-01"))
    assert course.at(us("2017-11-15 09:59")).state.signed_at is None
    assert course.at(us("2017-11-16")).state.signed_at == us("2017-11-15 10:00")
    then = course.at(us("2017-11-16"))
    assert (then.state.status, then.progress_at) == ("signed", None)
    assert course.at(us("2017-11-21")).progress_at == us("2017-11-20 10:00")


def test_a_due_that_was_a_term_is_the_instant_it_meant(diary):
    """Three working days from 2017-12-28 end with 2018-01-03."""
    data = {"title": "示例", "lead_unit": "gouzhao"}
    stream = "commitment/C-1"
    diary.note("commitment.registered", stream, "2017-12-28 09:00", data)
    diary.note("commitment.issued", stream, "2017-12-28 10:00", {"due": "WD3"})
    course = course_of(diary.world("2018-02-01"), "C-1")
    assert course.at(us("2018-02-01")).current_due == end("2018-01-03")
    assert course.at(us("2018-02-01")).original_due == end("2018-01-03")


def test_one_course_is_the_same_as_among_all(diary):
    """Asked for alone, or with the others; None for what is not there."""
    diary.commitment("C-1", ("signed_for", "2017-11-15 10:00"))
    diary.commitment("C-2")
    world = diary.world("2017-12-01")
    assert [course_of(world, key) for key in ("C-1", "C-2")] == list(courses(world))
    assert course_of(world, "C-3") is None


def test_the_last_status_is_that_of_the_world(diary):
    """However dues were counted on the way, the end is what the log's fold says."""
    diary.commitment(
        "C-1", ("suspended", "2017-11-20", {"reason_class": "other", "reason": "示例"})
    )
    moved = end("2017-12-20")
    diary.note("commitment.resumed", "commitment/C-1", "2017-11-24", due_at=moved)
    world = diary.world("2017-12-01")
    (course,) = courses(world)
    assert course.steps[-1].state == world.state("commitment/C-1").state
    assert course.at(us("2017-12-01")).current_due == moved
