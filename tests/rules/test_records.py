"""Late records, evidence used twice, and what recording costs."""

from __future__ import annotations

from fractions import Fraction

import pytest

from events.domain.periods import span
from projections.rules import records
from projections.rules.courses import courses
from tests.rules.diary import PHOTO, us

CLAIM = {"text": "示例", "evidence": [PHOTO, {"sha256": "6f" * 32}]}


@pytest.mark.parametrize(
    ("recorded", "late"),
    [
        ("2017-11-20 09:00", False),
        ("2017-11-23 09:00", False),
        ("2017-11-23 09:01", True),
        ("2017-11-19 09:00", False),
    ],
)
def test_more_than_three_calendar_days_is_late(rules, recorded, late):
    """Exactly three days are in order; a record ahead of its event is not late."""
    assert records.is_late(us("2017-11-20 09:00"), us(recorded), rules) is late


def test_late_records_are_listed_when_they_were_written(diary):
    """The week of writing lists it, with whole days of delay, and no other week."""
    diary.commitment("C-1", ("signed_for", "2017-11-14 10:00"))
    late = diary.note(
        "commitment.progress_reported",
        "commitment/C-1",
        "2017-11-16 09:00",
        {"text": "示例"},
        unit="gouzhao",
        recorded="2017-11-24 12:00",
    )
    world = diary.world("2017-12-01")
    (found,) = records.late_records(world, span("2017-W47"))
    assert found.value == records.Late(late, "commitment/C-1", "gouzhao", 8)
    assert (found.rule, found.events) == ("late_record@demo-2017/1", (late,))
    assert records.late_records(world, span("2017-W46")) == ()


def test_a_reuse_names_who_used_it_second(diary, rules):
    """And rests on the detection and both claims."""
    first = diary.commitment("C-1", ("completion_claimed", "2017-11-20 09:00", CLAIM))
    second = diary.commitment(
        "C-2", ("completion_claimed", "2017-11-21 09:00", CLAIM), unit="wutong"
    )
    data = {
        "sha256": PHOTO["sha256"],
        "first": {"stream": "commitment/C-1", "version": 3},
        "second": {"stream": "commitment/C-2", "version": 3},
    }
    stream = f"evidence/{PHOTO['sha256']}"
    detected = diary.note("evidence.reuse_detected", stream, "2017-11-21 09:01", data)
    (found,) = records.reuses(diary.world("2017-12-01"), rules)
    assert found.value.unit == "wutong"
    assert found.events == (first[-1], second[-1], detected)
    assert records.reuses(diary.world("2017-12-01", position=detected - 1), rules) == ()


def test_the_burden_is_what_closing_took(diary, rules):
    """Two closed with nine events and two pieces of evidence; the open one not."""
    diary.commitment(
        "C-1",
        ("signed_for", "2017-11-14 10:00"),
        ("completion_claimed", "2017-11-20 09:00", CLAIM),
        ("closed", "2017-11-21 09:00"),
    )
    diary.commitment(
        "C-2", ("signed_for", "2017-11-14 10:00"), ("closed", "2017-11-22 09:00")
    )
    diary.commitment("C-3", ("signed_for", "2017-11-14 10:00"))
    world = diary.world("2017-12-01")
    rows = courses(world)
    (found,) = records.burdens(world, rows, span("2017-11"), rules=rules)
    value = found.value
    assert (value.unit, value.closed, value.events, value.evidence) == (
        "gouzhao",
        2,
        9,
        2,
    )
    assert (value.events_per_closed, value.evidence_per_closed) == (Fraction(9, 2), 1)
    assert value.submitted == 6
    (later,) = records.burdens(world, rows, span("2017-W46"), rules=rules)
    assert (later.value.closed, later.value.events_per_closed) == (0, None)
