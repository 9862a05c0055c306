"""What recurs is scheduled once a period, and its outcome is shown, not said."""

from __future__ import annotations

import pytest

from events.domain.obligations import obligation_stream, routine_stream
from events.entries import instant
from tests.support.governance import actor

OFFICE = actor("clerk", "hq", roles={"office"})
OWNER = actor("head", "gouzhao", roles={"lead"})
DAY = {
    "kind": "daily_brief",
    "unit": "gouzhao",
    "period": "2017-11-24",
    "due": "2017-11-24T10:00:00Z",
}
BRIEF = obligation_stream("daily_brief", "gouzhao", "2017-11-24")
ROUTINE = {
    "kind": "daily_brief",
    "unit": "gouzhao",
    "rhythm": "daily",
    "title": "日研判简报",
    "first_day": "2017-11-15",
}
FACTS = [{"stream": "unit/gouzhao", "version": 1}]
MET = {"met_at": "2017-11-24T08:00:00Z", "facts": FACTS}


def refused(world, what, stream=BRIEF, /, *, by=OFFICE, **data):
    """Return the refusal of one event of an obligation."""
    return world.refusal(f"obligation.{what}", stream, by, **data)


def test_a_period_is_scheduled_once(world):
    """However often a scheduler tries: one kind, unit and period is one stream."""
    world.send("obligation.scheduled", BRIEF, OFFICE, **DAY)
    assert refused(world, "scheduled", **DAY) == ("stream_already_started", "/subject")
    later = DAY | {"due": "2017-11-24T11:00:00Z", "title": "t"}
    assert refused(world, "scheduled", **later)[0] == "stream_already_started"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "weekly_brief"},
        {"unit": "shifo"},
        {"period": "2017-11-25", "due": "2017-11-25T10:00:00Z"},
        {"subject": "ROAD-1"},
    ],
)
def test_the_key_is_kind_unit_subject_and_period(world, change):
    """An obligation in another stream than its own is refused, and taken in its own."""
    data = DAY | change
    assert refused(world, "scheduled", **data) == (
        "obligation_key_mismatch",
        "/subject",
    )
    own = obligation_stream(
        data["kind"], data["unit"], data["period"], subject=data.get("subject")
    )
    assert own != BRIEF
    assert world.send("obligation.scheduled", own, OFFICE, **data).status == "scheduled"


@pytest.mark.parametrize("period", ["2017-02-30", "2017-W53"])
def test_a_period_exists(world, period):
    """A day or week that the calendar does not have is refused."""
    stream = obligation_stream("daily_brief", "gouzhao", period)
    where = ("period_unknown", "/data/period")
    assert refused(world, "scheduled", stream, **(DAY | {"period": period})) == where


def test_it_falls_due_after_its_period_begins(world):
    """The first instant of the period, in local time, is too early."""
    start = DAY | {"due": "2017-11-23T16:00:00Z"}
    where = ("obligation_due_before_period", "/data/due")
    assert refused(world, "scheduled", **start) == where
    after = DAY | {"due": "2017-11-23T16:00:00.000001Z"}
    assert world.send("obligation.scheduled", BRIEF, OFFICE, **after)


def test_the_owner_exists(world):
    """An unknown unit owes nothing."""
    stream = obligation_stream("daily_brief", "none", "2017-11-24")
    data = DAY | {"unit": "none"}
    assert refused(world, "scheduled", stream, **data) == ("unit_unknown", "/data/unit")


@pytest.mark.parametrize(
    ("met_at", "status"),
    [("2017-11-24T10:00:00Z", "met"), ("2017-11-24T10:00:00.000001Z", "met_late")],
)
@pytest.mark.parametrize("missed_first", [False, True])
def test_meeting_is_judged_by_when_it_was_done(world, met_at, status, missed_first):
    """The due itself is in time; a miss recorded between stays on record."""
    world.send("obligation.scheduled", BRIEF, OFFICE, **DAY)
    world.at("2017-11-25T00:00:00Z")
    if missed_first:
        world.send("obligation.missed", BRIEF, OFFICE)
    state = world.send("obligation.met", BRIEF, OWNER, **(MET | {"met_at": met_at}))
    assert (state.status, state.met_at) == (status, instant(met_at))
    assert (state.missed_at is not None) is missed_first


def test_meeting_is_founded_on_events_or_evidence(world):
    """A bare statement is not enough, nor an event that is not there."""
    world.send("obligation.scheduled", BRIEF, OFFICE, **DAY)
    bare = {"met_at": MET["met_at"]}
    assert refused(world, "met", **bare) == ("obligation_met_unfounded", "/data/facts")
    unknown = [{"stream": "unit/gouzhao", "version": 2}]
    assert refused(world, "met", **bare, facts=unknown)[0] == "fact_unknown"
    ahead = MET | {"met_at": "2017-11-24T08:00:00.000001Z"}
    assert refused(world, "met", **ahead) == ("instant_in_future", "/data/met_at")
    state = world.send("obligation.met", BRIEF, OWNER, **bare, evidence=["ab" * 32])
    assert state.status == "met"
    assert refused(world, "met", **MET)[0] == "not_allowed_in_state"


def test_it_is_missed_from_its_due_on(world):
    """Not before, and once."""
    world.send("obligation.scheduled", BRIEF, OFFICE, **DAY)
    world.at("2017-11-24T09:59:59.999999Z")
    assert refused(world, "missed") == ("obligation_not_due", "/type")
    world.at("2017-11-24T10:00:00Z")
    assert world.send("obligation.missed", BRIEF, OFFICE).status == "missed"
    assert refused(world, "missed")[0] == "not_allowed_in_state"


def test_nobody_waives_what_they_owe(world):
    """A waiver comes from another unit; a met one cannot be waived."""
    world.send("obligation.scheduled", BRIEF, OFFICE, **DAY)
    waiver = {"reason_class": "weather", "reason": "3 °C"}
    own = actor("deputy", "gouzhao", roles={"office"})
    where = ("obligation_waived_by_owner", "/type")
    assert refused(world, "waived", by=own, **waiver) == where
    assert world.send("obligation.waived", BRIEF, OFFICE, **waiver).status == "waived"
    assert refused(world, "met", **MET)[0] == "not_allowed_in_state"


def test_a_routine_is_defined_once_for_a_unit_and_ends(world):
    """Its key is its kind and unit; it ends no earlier than it starts."""
    stream = routine_stream("daily_brief", "gouzhao")
    other = world.refusal(
        "routine.defined", stream, OFFICE, **(ROUTINE | {"unit": "shifo"})
    )
    assert other == ("routine_key_mismatch", "/subject")
    inverted = ROUTINE | {"last_day": "2017-11-14"}
    code = ("routine_ends_before_start", "/data/last_day")
    assert world.refusal("routine.defined", stream, OFFICE, **inverted) == code
    one_day = ROUTINE | {"last_day": "2017-11-15"}
    world.send("routine.defined", stream, OFFICE, **one_day)
    early = {"last_day": "2017-11-14", "reason": "r"}
    assert world.refusal("routine.ended", stream, OFFICE, **early) == code
    state = world.send(
        "routine.ended", stream, OFFICE, last_day="2017-11-15", reason="r"
    )
    assert (state.status, state.last_day.isoformat()) == ("ended", "2017-11-15")
    again = world.refusal(
        "routine.ended", stream, OFFICE, last_day="2017-11-15", reason="r"
    )
    assert again[0] == "not_allowed_in_state"


def test_a_routine_is_of_a_unit_that_exists(world):
    """An unknown unit gets no routine."""
    stream = routine_stream("daily_brief", "none", "ROAD-1")
    data = ROUTINE | {"unit": "none", "subject": "ROAD-1"}
    refusal = world.refusal("routine.defined", stream, OFFICE, **data)
    assert refusal == ("unit_unknown", "/data/unit")
