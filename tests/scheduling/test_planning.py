"""What is due is a pure function of the log's states and of a range of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import calendar
from events.domain.commitment_state import STATUSES, URGE_LEVELS, Commitment
from events.domain.obligations import Defined
from events.domain.policy_versions import Edition, Versions
from events.entries import instant, rfc3339
from projections.rules.in_force import Rulebook, as_shipped
from services.scheduling.plan import BEGINNING, due_between, due_until
from services.scheduling.states import Owed, Promise, Running, States

DAY = calendar.DAY_US
HOUR = calendar.HOUR_US
START = calendar.start_of_day(date(2017, 11, 13))
RULES = as_shipped()


def defined(**changed):
    """Return the definition of something recurring."""
    given = {
        "kind": "brief",
        "unit": "u",
        "rhythm": "daily",
        "title": "Brief (模拟数据)",
        "first_day": date(2017, 11, 15),
    }
    return Defined(**{**given, **changed})


def states(*definitions, promises=(), **more):
    """Return states with these routines (each of its own unit) and promises."""
    routines = {
        f"routine/{one.kind}/{number}": Running(one, BEGINNING, one.last_day)
        for number, one in enumerate(definitions)
    }
    named = {f"commitment/C{number}": one for number, one in enumerate(promises)}
    return States(routines=routines, promises=named, **more)


def promise(due, *, status="in_progress", since=START, sent=0, **more):
    """Return an open commitment."""
    state = Commitment(
        status=status,
        policy="supervision@1",
        title="T",
        lead_unit="u",
        lead_post=None,
        support_units=(),
        drafter="p",
        registered_at=START,
        current_due=due,
        original_due=due,
        **more,
    )
    return Promise(state, version=7, since=since, cycle=0, sent=sent)


def local(us):
    """Return an instant as local date and time."""
    return rfc3339(us + 8 * HOUR)[5:16]


def told(dues):
    """Return a plan as ``when what name``."""
    return [
        f"{local(due.instant)} {due.event['type'].split('.')[2]}"
        f" {due.event['data'].get('level') or due.event['subject'].rpartition('/')[2]}"
        for due in dues
    ]


def between(found, first, last, **more):
    """Return the plan between two local instants."""
    since, until = (instant(f"2017-{text}:00+08:00") for text in (first, last))
    return told(due_between(found, since, until, RULES, **more))


def test_working_days_are_those_of_the_calendar(monkeypatch):
    """A working-day routine is owed on no weekend, but on a weekend day that is worked."""
    one = defined(
        rhythm="working_day",
        first_day=date(2018, 2, 9),
        last_day=date(2018, 2, 26),
    )
    plan = due_between(states(one), BEGINNING, instant("2018-03-01T00:00:00Z"), RULES)
    days = [due.event["data"]["period"] for due in plan if due.event["data"]]
    assert days == [
        "2018-02-09",
        *(f"2018-02-{n}" for n in (11, 12, 13, 14, 22, 23, 24, 26)),
    ]


def test_a_week_is_owed_where_its_due_day_is_one_of_the_routine():
    """A week counts by the weekday it falls due on, from the first day to the last."""
    one = defined(
        rhythm="weekly",
        due_weekday=3,
        due_time="12:00",
        first_day=date(2017, 11, 16),
        last_day=date(2017, 12, 5),
    )
    assert between(states(one), "11-01T00:00", "12-31T00:00") == [
        "11-20T00:00 scheduled 2017-W47",
        "11-22T12:00 missed 2017-W47",
        "11-27T00:00 scheduled 2017-W48",
        "11-29T12:00 missed 2017-W48",
    ]


def test_a_routine_recorded_late_is_owed_from_then_on():
    """Nobody owed anything at an instant at which nobody had asked for it."""
    found = states(defined(due_time="18:00", last_day=date(2017, 11, 16)))
    found.routines["routine/brief/0"].since = instant("2017-11-16T09:00:00+08:00")
    assert between(found, "11-01T00:00", "12-01T00:00") == [
        "11-16T09:00 scheduled 2017-11-15",
        "11-16T09:00 scheduled 2017-11-16",
        "11-16T09:00 missed 2017-11-15",
        "11-16T18:00 missed 2017-11-16",
    ]


def test_what_others_scheduled_is_missed_all_the_same():
    """An obligation counts whoever scheduled it; it is not scheduled again."""
    stream = "obligation/brief/u/2017-11-15"
    due = instant("2017-11-15T12:00:00+08:00")
    found = states(
        defined(last_day=date(2017, 11, 15)),
        owed={stream: Owed(due, START)},
        settled={stream},
    )
    assert between(found, "11-01T00:00", "12-01T00:00") == [
        "11-15T12:00 missed 2017-11-15"
    ]


def test_what_others_scheduled_late_is_missed_at_that_instant():
    """Nobody missed anything before it was owed."""
    due = instant("2017-11-15T12:00:00+08:00")
    found = states(owed={"obligation/brief/u/2017-11-15": Owed(due, due + HOUR)})
    assert between(found, "11-01T00:00", "12-01T00:00") == [
        "11-15T13:00 missed 2017-11-15"
    ]


DUE = calendar.end_of_day(date(2017, 11, 24))  # a Friday


def test_a_commitment_is_urged_four_times():
    """Three working days before, past the due, and on the second and fifth after it."""
    found = states(promises=[promise(DUE)])
    assert between(found, "11-01T00:00", "12-31T00:00") == [
        "11-21T00:00 urged reminder",
        "11-25T00:00 urged blue",
        "11-28T00:00 urged orange",
        "12-01T00:00 urged red",
        "12-01T00:00 clue_registered urging-C0-0",
    ]


def test_an_urgent_commitment_skips_a_level():
    """It gets each sheet one step earlier."""
    found = states(promises=[promise(DUE, urgent=True)])
    levels = [line.split()[-1] for line in between(found, "11-01T00:00", "11-28T12:00")]
    assert levels == ["reminder", "orange", "red", "urging-C0-0"]


def test_each_urging_rests_on_the_version_before_it():
    """So that whatever comes between makes the rest of the plan void."""
    plan = due_between(states(promises=[promise(DUE)]), START, DUE + 9 * DAY, RULES)
    assert [due.version for due in plan] == [7, 8, 9, 10, None]
    *_, red, clue = plan
    assert clue.needs == red.event["id"]
    fact = {"stream": "commitment/C0", "version": 11}
    assert clue.event["data"]["facts"] == [fact]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("11-20T00:00", ["11-21T00:00 reminder", "11-25T00:00 blue"]),
        ("11-22T00:00", ["11-25T00:00 blue"]),
        ("11-26T08:00", ["11-26T08:00 blue"]),
    ],
)
def test_the_past_is_not_urged(since, expected):
    """Who must act only now gets the highest sheet of the past, at that instant."""
    found = states(promises=[promise(DUE, since=instant(f"2017-{since}:00+08:00"))])
    lines = between(found, "11-01T00:00", "11-27T12:00")
    assert [line.replace(" urged", "") for line in lines] == expected


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_only_who_has_to_act_is_urged(status):
    """Nobody is urged while a verifier is to act, while it is suspended, or at its end."""
    found = states(promises=[promise(DUE, status=status)])
    lines = between(found, "11-01T00:00", "11-27T12:00")
    acting = {"issued", "signed", "in_progress", "returned", "reopened"}
    assert bool(lines) is (status in acting)


def test_a_level_is_sent_once_in_a_cycle_and_never_a_lower_one():
    """What was sent in this cycle, or a higher one in another, is not planned."""
    found = states(promises=[promise(DUE, sent=3), promise(DUE, urge_level=3)])
    lines = between(found, "11-01T00:00", "11-30T00:00")
    assert lines == ["11-28T00:00 urged orange"]


def test_a_red_sheet_leads_to_one_clue_whoever_sent_it():
    """It cites the sheet; once the case exists it is not planned."""
    red = instant("2017-11-22T10:00:00+08:00")
    found = states(promises=[replace(promise(DUE, sent=4), red=(9, red))])
    (clue,) = due_between(found, START, DUE, RULES)
    assert told([clue]) == ["11-22T10:00 clue_registered urging-C0-0"]
    assert clue.event["data"]["facts"] == [{"stream": "commitment/C0", "version": 9}]
    found.clues.add(clue.event["subject"])
    assert due_between(found, START, DUE, RULES) == []


def test_reports_are_frozen_every_monday_since_the_opening():
    """The week of the opening is the first; one that is frozen is not planned."""
    found = states(opened=instant("2017-11-15T10:00:00+08:00"))
    found.frozen["report/weekly/2017-W47"] = instant("2017-11-27T01:00:00Z")
    lines = between(found, "11-01T00:00", "12-04T09:00", weekly=["weekly", "other"])
    assert lines == [
        "11-20T09:00 frozen 2017-W46",
        "11-20T09:00 frozen 2017-W46",
        "11-27T09:00 frozen 2017-W47",
        "12-04T09:00 frozen 2017-W48",
        "12-04T09:00 frozen 2017-W48",
    ]
    assert between(found, "11-01T00:00", "12-04T08:59", weekly=["weekly"])[-1:] == [
        "11-20T09:00 frozen 2017-W46"
    ]
    assert between(found, "11-01T00:00", "12-31T00:00") == []


def test_a_new_ruleset_moves_no_instant_before_it():
    """Sheets before a ruleset came into force are those of the one before it."""
    later = msgspec.structs.replace(
        RULES.ruleset,
        version=2,
        urge_reminder_days=9,
        urge_orange_days=3,
        urge_red_days=4,
    )
    since = instant("2017-11-27T00:00:00+08:00")
    edition = Edition(2, later, "0" * 64, since, "p", activated_at=since)
    book = Rulebook(ruleset=Versions("published", {2: edition}))
    found = replace(states(promises=[promise(DUE)]), rulebook=book)
    plan = [due for due in due_until(found, DUE + 9 * DAY) if due.version]
    assert [
        f"{line} {due.event['data']['text']}"
        for line, due in zip(told(plan), plan, strict=True)
    ] == [
        "11-21T00:00 urged reminder urging.reminder@demo-2017/1",
        "11-25T00:00 urged blue urging.blue@demo-2017/1",
        "11-29T00:00 urged orange urging.orange@demo-2017/2",
        "11-30T00:00 urged red urging.red@demo-2017/2",
    ]


days = st.integers(0, 60).map(
    lambda n: date.fromordinal(date(2017, 11, 1).toordinal() + n)
)
instants = st.integers(START - 20 * DAY, START + 60 * DAY)
on_the_day = st.integers(-20, 60).map(lambda n: START + n * DAY)
moments = st.one_of(instants, on_the_day)
routines = st.builds(
    defined,
    unit=st.sampled_from(["a", "b", "c"]),
    rhythm=st.sampled_from(["daily", "working_day", "weekly"]),
    first_day=days,
    last_day=st.none() | days,
    due_time=st.sampled_from(["08:00", "18:30", "24:00"]),
    due_weekday=st.integers(1, 7),
    due_days_later=st.integers(0, 9),
)
promises = st.builds(
    promise,
    st.none() | moments,
    status=st.sampled_from(sorted(STATUSES)),
    since=moments,
    sent=st.integers(0, 4),
    urgent=st.booleans(),
    urge_level=st.integers(0, len(URGE_LEVELS) - 1),
)


@given(
    st.lists(routines, max_size=3),
    st.lists(promises, max_size=4),
    st.lists(moments, min_size=2, max_size=6),
)
@settings(max_examples=150)
def test_pieces_are_the_whole(definitions, made, edges):
    """Planning a range in pieces gives what planning it whole gives, in the same order."""
    found = states(*definitions, promises=made, opened=START)
    edges = sorted(edges)
    whole = due_between(found, edges[0], edges[-1], RULES, weekly=["weekly"])
    pieces = [
        due
        for since, until in pairwise(edges)
        for due in due_between(found, since, until, RULES, weekly=["weekly"])
    ]
    assert pieces == whole
    assert [due.instant for due in whole] == sorted(due.instant for due in whole)


@given(st.lists(routines, max_size=3), st.lists(promises, max_size=4), moments)
@settings(max_examples=100)
def test_no_event_is_planned_twice(definitions, made, until):
    """No id occurs twice in a plan, and each event's time is the instant it was due."""
    named = {(one.kind, one.unit): one for one in definitions}
    found = states(*named.values(), promises=made, opened=START)
    plan = due_until(found, until, weekly=["weekly"])
    ids = [due.event["id"] for due in plan]
    assert len(ids) == len(set(ids))
    assert all(instant(due.event["time"]) == due.instant <= until for due in plan)


BULLETIN = "report/weekly_bulletin/2017-W47"
MONDAY = instant("2017-11-27T09:00:00+08:00")


def owing(due, *, missed=False, frozen=None):
    """Return states in which a bulletin is owed, and perhaps frozen."""
    owed = Owed(instant(f"2017-{due}:00+08:00"), START, (BULLETIN,), missed=missed)
    done = {} if frozen is None else {BULLETIN: frozen}
    return states(owed={"obligation/weekly_bulletin/hq/2017-W47": owed}, frozen=done)


@pytest.mark.parametrize(
    ("due", "frozen", "lines"),
    [
        ("11-27T09:00", MONDAY, ["11-27T09:00 met 2017-W47"]),
        ("11-28T09:00", MONDAY, ["11-27T09:00 met 2017-W47"]),
        (
            "11-27T08:59",
            MONDAY,
            ["11-27T08:59 missed 2017-W47", "11-27T09:00 met 2017-W47"],
        ),
        ("11-27T09:00", None, ["11-27T09:00 missed 2017-W47"]),
    ],
)
def test_what_is_owed_is_met_by_the_report_that_was_frozen(due, frozen, lines):
    """In time it is never missed; too late it was missed first, and both are said."""
    assert between(owing(due, frozen=frozen), "11-01T00:00", "12-31T00:00") == lines


def test_what_was_missed_is_met_later_and_not_missed_again():
    """After the miss the frozen report is all that is still to be said."""
    found = owing("11-27T08:59", missed=True, frozen=MONDAY)
    assert between(found, "11-01T00:00", "12-31T00:00") == ["11-27T09:00 met 2017-W47"]
    alone = owing("11-27T08:59", missed=True)
    assert between(alone, "11-01T00:00", "12-31T00:00") == []


def test_a_report_is_frozen_before_what_falls_due_with_it_is_missed():
    """At one instant the report comes first: frozen at nine it was due at nine in time."""
    found = owing("11-27T09:00")
    found.opened = instant("2017-11-20T10:00:00+08:00")
    lines = between(found, "11-01T00:00", "11-30T00:00", weekly=["weekly_bulletin"])
    assert lines == ["11-27T09:00 frozen 2017-W47", "11-27T09:00 missed 2017-W47"]
