"""Rules are published by one, activated by another, and never change the past."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from events import canonical
from events.calendar import load
from events.domain import rulesets
from events.domain.calendars import calendar_of
from events.domain.policy_versions import content_sha256
from events.entries import instant, rfc3339
from events.errors import Refused
from tests.support.governance import World, actor

DAY_US = 86_400_000_000
STREAM = "ruleset/demo-2017"
FIRST, SECOND = actor("first", roles={"admin"}), actor("second", roles={"admin"})
CONTENT = msgspec.to_builtins(rulesets.built_in()["demo-2017"])


def published(content, valid_from="2017-11-25T00:00:00Z"):
    """Return the publication of a content."""
    return {
        "version": content["version"],
        "content": content,
        "content_sha256": hashlib.sha256(canonical.encode(content)).hexdigest(),
        "valid_from": valid_from,
    }


def numbered(version, **changes):
    """Return the demo's thresholds as another version."""
    return CONTENT | {"version": version} | changes


def activated(content):
    """Return the activation of a content."""
    digest = hashlib.sha256(canonical.encode(content)).hexdigest()
    return {"version": content["version"], "content_sha256": digest}


def put(world, content, valid_from, stream=STREAM):
    """Publish and activate a version by two persons."""
    kind = stream.partition("/")[0]
    world.send(f"{kind}.published", stream, FIRST, **published(content, valid_from))
    return world.send(f"{kind}.activated", stream, SECOND, **activated(content))


def test_the_demo_rules_are_those_of_the_documents():
    """The thresholds that the rules of 2017 name."""
    rules = rulesets.built_in()["demo-2017"]
    assert rules.label == "demo-2017/1"
    assert rules.unrectified_steps == (2, 4, 6)
    assert rules.newly_found_steps == (5, 10, 15)
    assert rules.units_held_steps == (2, 3, 4)
    assert rules.seal_violation_days == 15
    assert rules.appeal_window_days == 30
    sheets = (rules.urge_blue_days, rules.urge_orange_days, rules.urge_red_days)
    assert (rules.urge_reminder_days, *sheets) == (3, 0, 2, 5)


def test_a_version_counts_once_a_second_person_activates_it(world):
    """The publisher cannot, under whatever key; before that nothing is in force."""
    state = world.send("ruleset.published", STREAM, FIRST, **published(CONTENT))
    late = instant("2018-01-01T00:00:00Z")
    assert state.in_force(late) is None
    twin = actor("first", "other", roles={"admin"})
    refusal = world.refusal("ruleset.activated", STREAM, twin, **activated(CONTENT))
    assert refusal == ("policy_activator_is_publisher", "/type")
    state = world.send("ruleset.activated", STREAM, SECOND, **activated(CONTENT))
    assert state.in_force(late).version == 1
    assert state.in_force(instant("2017-11-25T00:00:00Z")).version == 1
    assert state.in_force(instant("2017-11-24T23:59:59.999999Z")) is None
    again = world.refusal("ruleset.activated", STREAM, SECOND, **activated(CONTENT))
    assert again == ("policy_activated_already", "/data/version")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"version": 2}, "policy_version_mismatch", "/data/content/version"),
        (
            {"content_sha256": "00" * 32},
            "content_hash_mismatch",
            "/data/content_sha256",
        ),
        (
            {"content": CONTENT | {"name": "other"}},
            "policy_name_mismatch",
            "/data/content/name",
        ),
    ],
)
def test_a_publication_says_one_thing(world, change, code, pointer):
    """Name, version and digest agree with the content."""
    data = published(CONTENT) | change
    assert world.refusal("ruleset.published", STREAM, FIRST, **data) == (code, pointer)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"unrectified_steps": [2, 2, 6]}, "ruleset_steps_not_rising"),
        ({"newly_found_steps": [5, 4, 6]}, "ruleset_steps_not_rising"),
        ({"units_held_steps": [4, 3, 2]}, "ruleset_steps_not_rising"),
        ({"urge_red_days": 1}, "ruleset_sheets_not_rising"),
        ({"score_minimum": 101}, "ruleset_minimum_above_base"),
        ({"red_returns": 0}, "schema_violation"),
        ({"unheard_of": 1}, "schema_violation"),
    ],
)
def test_thresholds_are_sound(world, change, code):
    """Numbers that contradict each other are not published."""
    data = published(CONTENT | change)
    assert world.refusal("ruleset.published", STREAM, FIRST, **data)[0] == code


def test_a_missing_threshold_is_refused(world):
    """No threshold has a silent default."""
    for name in CONTENT.keys() - {"name", "version"}:
        content = {key: value for key, value in CONTENT.items() if key != name}
        data = published(content)
        refusal = world.refusal("ruleset.published", STREAM, FIRST, **data)
        assert refusal == ("schema_violation", f"/data/content/{name}")


def test_a_published_version_never_changes(world):
    """The same or an earlier number is refused, activated or not."""
    world.send("ruleset.published", STREAM, FIRST, **published(numbered(2)))
    for version in (1, 2):
        data = published(numbered(version, red_returns=9))
        refusal = world.refusal("ruleset.published", STREAM, FIRST, **data)
        assert refusal == ("policy_version_not_later", "/data/version")


def test_the_activator_confirms_the_content(world):
    """Another digest, or a version nobody published, is refused."""
    world.send("ruleset.published", STREAM, FIRST, **published(CONTENT))
    wrong = activated(CONTENT) | {"content_sha256": "00" * 32}
    refusal = world.refusal("ruleset.activated", STREAM, SECOND, **wrong)
    assert refusal == ("content_hash_mismatch", "/data/content_sha256")
    unknown = activated(numbered(2))
    refusal = world.refusal("ruleset.activated", STREAM, SECOND, **unknown)
    assert refusal == ("policy_version_unknown", "/data/version")


def test_only_the_first_version_may_reach_back(world):
    """Nothing was in force before it; a later one must not touch what has passed."""
    put(world, numbered(1), "2017-11-01T00:00:00Z")
    content = numbered(2)
    data = published(content, "2017-11-24T07:59:59.999999Z")
    world.send("ruleset.published", STREAM, FIRST, **data)
    refusal = world.refusal("ruleset.activated", STREAM, SECOND, **activated(content))
    assert refusal == ("policy_valid_from_past", "/data/version")
    assert put(world, numbered(3), rfc3339(world.now)).in_force(world.now).version == 3


def test_a_retired_version_gives_way_to_the_one_before(world):
    """By two persons, from now on at the earliest, once."""
    put(world, numbered(1), "2017-11-01T00:00:00Z")
    put(world, numbered(2), "2017-11-25T00:00:00Z")
    retired = {
        "version": 2,
        "valid_to": "2017-12-01T00:00:00Z",
        "reason": "r",
        "approver_post": "second",
    }

    def refusal(by=FIRST, **changes):
        return world.refusal("ruleset.retired", STREAM, by, **(retired | changes))

    assert refusal(SECOND) == ("policy_retired_not_by_two", "/data/approver_post")
    past = "2017-11-24T07:59:59.999999Z"
    assert refusal(valid_to=past) == ("policy_valid_to_past", "/data/valid_to")
    assert refusal(version=3) == ("policy_version_unknown", "/data/version")
    state = world.send("ruleset.retired", STREAM, FIRST, **retired)
    end = instant("2017-12-01T00:00:00Z")
    assert state.in_force(end - 1).version == 2
    assert state.in_force(end).version == 1
    assert refusal() == ("policy_not_active", "/data/version")


def test_a_version_may_be_retired_from_now_on(world):
    """The present instant has not passed; nothing else is in force then."""
    put(world, numbered(1), "2017-11-01T00:00:00Z")
    now = {"version": 1, "valid_to": rfc3339(world.now), "reason": "r"}
    state = world.send("ruleset.retired", STREAM, FIRST, **now, approver_post="second")
    assert state.in_force(world.now) is None


def test_what_was_never_activated_cannot_be_retired(world):
    """It was in force at no time."""
    world.send("ruleset.published", STREAM, FIRST, **published(CONTENT))
    data = {"version": 1, "valid_to": "2018-01-01T00:00:00Z", "reason": "r"}
    refusal = world.refusal(
        "ruleset.retired", STREAM, FIRST, **data, approver_post="second"
    )
    assert refusal == ("policy_not_active", "/data/version")


def test_the_built_in_rules_hold_until_others_do(world):
    """I11's and the appeals' numbers come from the version in force, or the code's."""
    state = put(world, numbered(2, seal_violation_days=20), "2017-11-25T00:00:00Z")
    start = instant("2017-11-25T00:00:00Z")
    found = [rulesets.in_force("demo-2017", at, state) for at in (start - 1, start)]
    assert [rules.seal_violation_days for rules in found] == [15, 20]
    assert [rules.label for rules in found] == ["demo-2017/1", "demo-2017/2"]
    assert rulesets.in_force("none", start, None) is None


@settings(deadline=None, max_examples=60)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["publish", "activate", "retire"]),
            st.integers(1, 6),
            st.integers(-2, 12),
            st.integers(0, 1),
        ),
        min_size=10,
        max_size=40,
    )
)
def test_a_change_counts_from_its_own_instant_only(steps):
    """I14: for each accepted change, what was in force before its instant stays so."""
    world = World()
    for what, version, offset, waited in steps:
        world.now += waited * DAY_US
        moment = world.now + offset * DAY_US
        before = world.states.get(STREAM)
        changes_from = _apply(world, what, version, moment)
        if changes_from is None or before is None:
            continue
        event(what)
        after = world.states[STREAM]
        for at in [changes_from - 1] + [
            changes_from - n * DAY_US for n in range(1, 60)
        ]:
            assert label(after, at) == label(before, at)


def label(state, at):
    """Return which rules a state says are in force at an instant."""
    edition = state.in_force(at)
    return None if edition is None else edition.content.label


def _apply(world, what, version, moment):
    """Try one step; return from when it may change what is in force, if it may."""
    content = numbered(version)
    try:
        if what == "publish":
            data = published(content, rfc3339(moment))
            world.send("ruleset.published", STREAM, FIRST, **data)
            return moment
        if what == "activate":
            state = world.send(
                "ruleset.activated", STREAM, SECOND, **activated(content)
            )
            return state.versions[version].valid_from
        data = {"version": version, "valid_to": rfc3339(moment), "reason": "r"}
        world.send("ruleset.retired", STREAM, FIRST, **data, approver_post="second")
    except Refused:
        return None
    assert moment >= world.now
    return moment


CALENDAR = {
    "name": "cn",
    "version": 1,
    "source": "s",
    "years": {
        "2017": {"off": ["10-02"], "worked": []},
        "2018": {"off": ["01-01"], "worked": ["02-11", "02-24"]},
    },
}


def test_the_shipped_calendar_can_be_published(world):
    """A published calendar counts days as the shipped one does."""
    shipped = load()
    table = files("events").joinpath("calendars", "cn.json").read_text()
    years = json.loads(table)["years"]
    content = CALENDAR | {"years": years}
    state = put(world, content, "2017-11-01T00:00:00Z", "calendar/cn")
    found = calendar_of(state.in_force(world.now))
    assert (found.off, found.worked) == (shipped.off, shipped.worked)
    assert (found.first_day, found.last_day) == (shipped.first_day, shipped.last_day)
    assert found.sha256 == content_sha256(content)


@pytest.mark.parametrize(
    ("years", "code", "pointer"),
    [
        (
            {"2017": {"off": [], "worked": []}, "2019": {"off": [], "worked": []}},
            "calendar_year_missing",
            "/data/content/years",
        ),
        (
            {"2018": {"off": ["01-06"], "worked": []}},
            "calendar_day_wrong",
            "/data/content/years/2018/off/0",
        ),
        (
            {"2018": {"off": [], "worked": ["02-11", "02-12"]}},
            "calendar_day_wrong",
            "/data/content/years/2018/worked/1",
        ),
        (
            {"2018": {"off": ["02-30"], "worked": []}},
            "calendar_day_wrong",
            "/data/content/years/2018/off/0",
        ),
        (
            {"2018": {"off": ["01-01", "01-01"], "worked": []}},
            "calendar_day_repeated",
            "/data/content/years/2018/off",
        ),
    ],
)
def test_a_calendar_is_sound(world, years, code, pointer):
    """No year is left out, and each day is an exception of its week, once."""
    data = published(CALENDAR | {"years": years})
    assert world.refusal("calendar.published", "calendar/cn", FIRST, **data) == (
        code,
        pointer,
    )
