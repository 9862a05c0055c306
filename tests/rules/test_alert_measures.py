"""Measures of an alert: two hours, day and night, never moved to a working day."""

from __future__ import annotations

import pytest

from projections.rules.alert_measures import standings
from tests.rules.diary import PHOTO, rfc, us

STREAM = "measure/A-1.S-1.1"


def required(diary, at="2017-12-02 23:30", **more):
    """Note an alert from 23:00 of a Saturday and a measure under it."""
    alert = {
        "colour": "orange",
        "grade": "II",
        "plan": "alert-plan/2016-10",
        "from": rfc("2017-12-02 23:00"),
    }
    diary.note("alert.issued", "alert/A-1", "2017-12-02 22:00", alert)
    data = {
        "alert": "A-1",
        "subject": "S-1",
        "measure": "stop_earthwork",
        "unit": "gouzhao",
    }
    return diary.note("measure.required", STREAM, at, data | more)


def applied(at):
    """Return the note of a measure that is taken."""
    return ("applied", at, {"evidence": [PHOTO]})


ROWS = [
    # what, what came after, asked at, compliance, late by minutes
    ("waiting", (), "2017-12-03 01:30", "waiting", 0),
    ("missing", (), "2017-12-03 01:40", "missing", 10),
    ("in time", (applied("2017-12-03 01:30"),), "2017-12-05", "in_time", 0),
    ("late", (applied("2017-12-03 02:30"),), "2017-12-05", "late", 60),
    (
        "breached",
        (
            applied("2017-12-03 00:30"),
            ("breached", "2017-12-03 22:00", {"text": "示例"}),
        ),
        "2017-12-05",
        "breached",
        0,
    ),
    (
        "checked and not kept",
        (
            applied("2017-12-03 00:30"),
            ("checked", "2017-12-03 22:00", {"result": "not_kept"}),
        ),
        "2017-12-05",
        "breached",
        0,
    ),
    (
        "exempted",
        (("exempted", "2017-12-03 00:30", {"basis": "示例"}),),
        "2017-12-05",
        "exempted",
        0,
    ),
]


@pytest.mark.parametrize(
    ("notes", "at", "compliance", "late"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_how_a_measure_stands(diary, rules, notes, at, compliance, late):
    """Required at 23:30 on a Saturday night, so due at 01:30 on Sunday."""
    required(diary)
    for what, when, data in notes:
        diary.note(f"measure.{what}", STREAM, when, data)
    ((key, found),) = standings(diary.world(at), rules)
    assert key == "A-1.S-1.1"
    assert (found.value.compliance, found.value.late_us) == (
        compliance,
        late * 60_000_000,
    )
    assert found.rule == "alert_measure@demo-2017/1"
    assert found.reason["due"] == us("2017-12-03 01:30")
    assert found.events == tuple(range(2, 3 + len(notes)))


@pytest.mark.parametrize(
    ("at", "late"), [("2017-12-03 01:00", False), ("2017-12-03 01:01", True)]
)
def test_notice_within_two_hours_of_the_level(diary, rules, at, late):
    """The level came at 23:00: notice until 01:00 is in time."""
    required(diary, at)
    ((_, found),) = standings(diary.world("2017-12-05"), rules)
    assert found.value.notice_late is late
    assert found.reason["called_at"] == us("2017-12-02 23:00")


def test_a_measure_may_have_a_time_of_its_own(diary, rules):
    """Thirty minutes, where it says so."""
    required(diary, within="PT30M")
    ((_, found),) = standings(diary.world("2017-12-03 00:01"), rules)
    assert found.value.compliance == "missing"
