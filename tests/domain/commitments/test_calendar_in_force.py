"""Dues in working days: counted by the calendar in force, which the entry names."""

from __future__ import annotations

from types import MappingProxyType

import msgspec
import pytest

from events import calendar
from events.domain import calendars
from events.domain.policy_versions import Edition, Versions

#: Wednesday 2017-11-22 is off, so is Monday 2017-12-18 (fictional).
TABLE = {
    "name": "cn",
    "version": 7,
    "source": "A notice of holidays (fictional)",
    "years": {"2017": {"off": ["11-22", "12-18"], "worked": []}},
}
SHIPPED = calendar.load().label


@pytest.fixture
def put_calendar(world):
    """Return a way to have a calendar published, and activated from an instant on."""

    def put(valid_from, *, activated=True):
        edition = Edition(
            version=7,
            content=msgspec.convert(TABLE, calendars.CalendarTable),
            sha256="",
            valid_from=calendar.start_of_day(valid_from),
            publisher="post:first",
            activated_at=world.now if activated else None,
        )
        state = Versions("published", MappingProxyType({7: edition}))
        world.states["calendar/cn"] = state

    return put


def _day(world):
    return calendar.local_date(world.now)


def _stamped(world):
    due, by = world.stamps["dueat"], world.stamps["duecalendar"]
    return due[:10], by


def _issue(world, who, say, key):
    data = {**say.registered, "due": "WD7"}
    world.do("registered", data, by=who.drafter, key=key)
    return world.do("issued", {}, by=who.office, key=key)


def test_an_activated_calendar_counts_what_is_decided_after_it(
    world, who, say, put_calendar
):
    """Seven working days from 11-14 are 11-23, and one more where 11-22 is off."""
    first = _issue(world, who, say, "before")
    assert _stamped(world) == ("2017-11-23", SHIPPED)
    put_calendar(_day(world))
    _issue(world, who, say, "after")
    assert _stamped(world) == ("2017-11-24", "cn/7")
    assert world.states["commitment/before"] == first


@pytest.mark.parametrize("activated", [False, True])
def test_a_calendar_does_not_count_before_it_is_in_force(
    world, who, say, put_calendar, activated
):
    """Published by one person, or valid from tomorrow on: the one before it counts."""
    tomorrow = calendar.local_date(world.now + calendar.DAY_US)
    put_calendar(tomorrow if activated else _day(world), activated=activated)
    _issue(world, who, say, "c")
    assert _stamped(world) == ("2017-11-23", SHIPPED)


def test_a_due_that_is_not_in_working_days_names_no_calendar(
    world, who, say, put_calendar
):
    """Calendar days and hours are counted without one; a date is as written."""
    put_calendar(_day(world))
    world.do("registered", {**say.permit, "due": "D30"}, by=who.system, key="days")
    assert set(world.stamps) == {"policyversion", "dueat"}
    world.do("registered", {**say.permit, "due": "WD1"}, by=who.system, key="working")
    assert set(world.stamps) == {"policyversion", "dueat", "duecalendar"}


def test_a_window_is_counted_by_the_calendar_in_force(world, who, say, put_calendar):
    """A day more to reject a receipt, where the day after its issue is off."""
    world.at("2017-11-21T10:00:00+08:00")
    put_calendar(_day(world))
    world.reach("issued")
    world.at("2017-11-23T10:00:00+08:00")
    rejected = world.do("receipt_rejected", {"reason": "not ours"}, by=who.lead)
    assert rejected.status == "rejected_receipt"


def test_a_suspension_gives_back_the_days_of_the_calendar_in_force(
    world, who, say, put_calendar
):
    """Three working days lost by the shipped table are two where one of them is off."""
    world.do("registered", {**say.permit, "due": "2017-12-15"}, by=who.system)
    world.at("2017-11-20T10:00:00+08:00")
    stop = {"reason_class": "weather", "reason": "cold"}
    world.do("suspended", stop, by=who.office)
    world.at("2017-11-23T10:00:00+08:00")
    put_calendar(_day(world))
    world.do("resumed", {}, by=who.office)
    # Two days after Friday 12-15, Monday 12-18 being off: the end of Wednesday.
    assert _stamped(world) == ("2017-12-20", "cn/7")
