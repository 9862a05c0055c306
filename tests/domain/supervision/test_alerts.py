"""Alerts and which level is in force; the measures of one subject under an alert."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.domain import codelists
from events.domain.alerts import COLOURS, Alert, Level, level_at, strictness
from events.entries import instant
from tests.support.supervision import (
    LEAD,
    OFFICE,
    PHOTO,
    SITE_KEY,
    VERIFIER,
    WORKER,
    actor,
)

ALERT = "alert/A-1"
MEASURE = "measure/M-1"
ISSUED = {
    "colour": "yellow",
    "grade": "III",
    "plan": "alert-plan/2016-10",
    "from": "2017-11-21T12:00:00+08:00",
    "until": "2017-11-25T00:00:00+08:00",
}
ORANGE = {
    "colour": "orange",
    "grade": "II",
    "from": "2017-11-22T12:00:00+08:00",
    "reason": "x",
}
REQUIRED = {
    "alert": "A-1",
    "subject": "S-1",
    "measure": "stop_earthwork",
    "unit": "gouzhao",
    "required_at": "2017-11-21T12:20:00+08:00",
}


@pytest.fixture
def alert(world):
    """Return a world with a yellow alert from 21 November noon to the 25th."""
    world.send("alert.issued", ALERT, ISSUED)
    return world


@pytest.fixture
def measure(alert):
    """Return a world in which the site must stop earthwork."""
    alert.send("measure.required", MEASURE, REQUIRED)
    return alert


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"grade": "II"}, "grade_not_of_colour", "/data/grade"),
        ({"plan": "alert-plan/2015"}, "list_unknown", "/data/plan"),
        ({"plan": "dust-100/2018"}, "list_unknown", "/data/plan"),
        (
            {"until": "2017-11-21T12:00:00+08:00"},
            "alert_ends_before_start",
            "/data/until",
        ),
        ({"directive": "no"}, "stream_unknown", "/data/directive"),
        ({"follows": "A-9"}, "stream_unknown", "/data/follows"),
        ({"follows": "A-1"}, "alert_follows_itself", "/data/follows"),
    ],
)
def test_an_alert_hangs_together(world, change, code, where):
    """Colour and grade, plan and days belong together."""
    assert world.refusal("alert.issued", ALERT, ISSUED | change) == (code, where)


@pytest.mark.parametrize("colour", COLOURS)
def test_each_colour_has_its_grade(world, colour):
    """蓝Ⅳ 黄Ⅲ 橙Ⅱ 红Ⅰ, and no other pair."""
    grades = dict(
        zip(("blue", "yellow", "orange", "red"), ("IV", "III", "II", "I"), strict=True)
    )
    for grade in grades.values():
        data = ISSUED | {"colour": colour, "grade": grade}
        if grade == grades[colour]:
            world.send("alert.issued", ALERT, data)
        else:
            refused = world.refusal("alert.issued", "alert/A-2", data)
            assert refused == ("grade_not_of_colour", "/data/grade")


def test_up_is_stricter_and_down_is_milder(alert):
    """Levels change in their direction, one after the other, before the end."""
    up, down = "alert.upgraded", "alert.downgraded"
    same = {"colour": "yellow", "grade": "III"}
    blue = {"colour": "blue", "grade": "IV"}
    assert alert.refusal(up, ALERT, ORANGE | same)[0] == "alert_not_stricter"
    assert alert.refusal(up, ALERT, ORANGE | blue)[0] == "alert_not_stricter"
    assert alert.refusal(down, ALERT, ORANGE)[0] == "alert_not_milder"
    assert alert.refusal(down, ALERT, ORANGE | same)[0] == "alert_not_milder"
    wrong = ORANGE | {"grade": "I"}
    assert alert.refusal(up, ALERT, wrong) == ("grade_not_of_colour", "/data/grade")
    early = ORANGE | {"from": ISSUED["from"]}
    assert alert.refusal(up, ALERT, early) == ("alert_level_before_last", "/data/from")
    late = ORANGE | {"from": ISSUED["until"]}
    assert alert.refusal(up, ALERT, late) == ("alert_over_by_then", "/data/from")
    alert.send(up, ALERT, ORANGE)
    lower = ORANGE | blue | {"from": "2017-11-23T12:00:00+08:00"}
    assert alert.send(down, ALERT, lower).colour == "blue"


def test_an_alert_knows_its_level_at_any_instant(alert):
    """Before, during, after a change, and after the end."""
    state = alert.send("alert.upgraded", ALERT, ORANGE)

    def at(text):
        return state.colour_at(instant(text))

    assert at("2017-11-21T03:59:59Z") is None
    assert at("2017-11-21T04:00:00Z") == "yellow"
    assert at("2017-11-22T03:59:59Z") == "yellow"
    assert at("2017-11-22T04:00:00Z") == "orange"
    assert at("2017-11-24T15:59:59Z") == "orange"
    assert at("2017-11-24T16:00:00Z") is None


def test_an_end_is_moved_later_only(alert):
    """An extension is later than what was said; without an end there is none."""
    same = {"until": ISSUED["until"], "reason": "x"}
    refused = alert.refusal("alert.extended", ALERT, same)
    assert refused == ("alert_not_longer", "/data/until")
    later = same | {"until": "2017-11-26T00:00:00+08:00"}
    state = alert.send("alert.extended", ALERT, later)
    assert state.end == instant("2017-11-25T16:00:00Z")
    endless = {k: v for k, v in ISSUED.items() if k != "until"}
    alert.send("alert.issued", "alert/A-2", endless)
    refused = alert.refusal("alert.extended", "alert/A-2", later)
    assert refused == ("alert_has_no_end", "/type")


def test_a_lifted_alert_is_over(alert):
    """It ends when it is lifted, not before it began; nothing follows."""
    early = {"lifted_at": "2017-11-21T11:59:59+08:00"}
    refused = alert.refusal("alert.lifted", ALERT, early)
    assert refused == ("instant_too_early", "/data/lifted_at")
    refused = alert.refusal("alert.lifted", ALERT, at="2017-11-21T03:00:00Z")
    assert refused == ("instant_too_early", "/time")
    state = alert.send(
        "alert.lifted", ALERT, {"lifted_at": "2017-11-22T12:00:00+08:00"}
    )
    assert state.end == instant("2017-11-22T04:00:00Z")
    refused = alert.refusal("alert.upgraded", ALERT, ORANGE)
    assert refused == ("not_allowed_in_state", "/type")


def test_lifting_late_does_not_lengthen(alert):
    """An alert that had run out before it was lifted ended when it ran out."""
    state = alert.send(
        "alert.lifted", ALERT, {"lifted_at": "2017-12-01T00:00:00+08:00"}
    )
    assert state.end == instant("2017-11-24T16:00:00Z")


def test_a_following_alert_is_no_milder(alert):
    """What overlaps a running alert does not lower it; after its end anything may."""
    alert.send("alert.upgraded", ALERT, ORANGE)
    follows = ISSUED | {"follows": "A-1", "from": "2017-11-24T00:00:00+08:00"}
    refused = alert.refusal("alert.issued", "alert/A-2", follows)
    assert refused == ("alert_milder_than_running", "/data/colour")
    red = follows | {"colour": "red", "grade": "I"}
    alert.send("alert.issued", "alert/A-2", red)
    after = follows | {
        "from": "2017-11-25T00:00:00+08:00",
        "until": "2017-11-26T00:00:00+08:00",
    }
    alert.send("alert.issued", "alert/A-3", after)


ALERTS = st.lists(
    st.builds(
        lambda colour, since, length: Alert(
            status="in_force",
            plan="alert-plan/2016-10",
            levels=(Level(colour, since),),
            until=None if length is None else since + length,
        ),
        st.sampled_from(COLOURS),
        st.integers(0, 20),
        st.none() | st.integers(1, 10),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=100)
@given(alerts=ALERTS, at=st.integers(0, 32), data=st.data())
def test_the_strictest_of_overlapping_alerts_counts(alerts, at, data):
    """Whatever overlaps, in any order: none is stricter than the answer."""
    running = [
        row.colour
        for row in alerts
        if row.levels[0].since <= at and (row.until is None or at < row.until)
    ]
    found = level_at(data.draw(st.permutations(alerts)), at)
    assert (found is None) == (not running)
    assert strictness(found) == max(map(strictness, running), default=0)


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"alert": "A-9"}, "stream_unknown", "/data/alert"),
        ({"subject": "S-9"}, "subject_unknown", "/data/subject"),
        ({"unit": "no"}, "unit_unknown", "/data/unit"),
        ({"measure": "pray"}, "code_not_listed", "/data/measure"),
        ({"measure_list": "dust-100/2018"}, "list_unknown", "/data/measure_list"),
        (
            {"required_at": "2017-11-25T00:00:00+08:00"},
            "alert_over_by_then",
            "/data/alert",
        ),
        (
            {"required_at": "2018-01-01T00:00:00Z"},
            "instant_in_future",
            "/data/required_at",
        ),
        ({"within": "PT0H"}, "schema_violation", "/data/within"),
    ],
)
def test_a_measure_is_required_under_an_alert(alert, change, code, where):
    """Alert, subject, unit and code exist, and the alert is not over."""
    refused = alert.refusal("measure.required", MEASURE, REQUIRED | change)
    assert refused == (code, where)


@pytest.mark.parametrize(
    ("within", "due"),
    [
        (None, "2017-11-25T17:30:00Z"),
        ("PT2H", "2017-11-25T17:30:00Z"),
        ("PT30M", "2017-11-25T16:00:00Z"),
        ("PT48H", "2017-11-27T15:30:00Z"),
    ],
)
def test_the_time_of_a_measure_never_rolls(world, within, due):
    """Two hours are two hours, at night and on a Sunday."""
    endless = {k: v for k, v in ISSUED.items() if k != "until"}
    world.send("alert.issued", ALERT, endless)
    data = REQUIRED | {"required_at": "2017-11-25T23:30:00+08:00"}
    data |= {"within": within} if within else {}
    assert world.send("measure.required", MEASURE, data).due == instant(due)


def test_a_measure_runs_its_way(measure):
    """Required, acknowledged, taken, checked; each instant is kept."""
    noted = {"acknowledged_at": "2017-11-21T12:45:00+08:00"}
    measure.send("measure.acknowledged", MEASURE, noted, by=SITE_KEY)
    ahead = {"applied_at": "2018-01-01T00:00:00Z", "evidence": PHOTO}
    refused = measure.refusal("measure.applied", MEASURE, ahead, by=SITE_KEY)
    assert refused == ("instant_in_future", "/data/applied_at")
    taken = {"applied_at": "2017-11-21T13:30:00+08:00", "evidence": PHOTO}
    measure.send("measure.applied", MEASURE, taken, by=SITE_KEY)
    state = measure.send("measure.checked", MEASURE, {"result": "kept"}, by=VERIFIER)
    assert state.status == "applied"
    assert state.kept
    assert state.applied_at < state.due
    again = measure.refusal("measure.applied", MEASURE, taken, by=SITE_KEY)
    assert again == ("not_allowed_in_state", "/type")


def test_a_breach_is_counted_and_may_be_made_good(measure):
    """Given up, taken again, given up: two breaches, each with its time."""
    for times in (1, 2):
        data = {"text": "excavating"}
        state = measure.send("measure.breached", MEASURE, data, by=VERIFIER)
        assert (state.status, state.breaches) == ("breached", times)
        measure.send("measure.applied", MEASURE, {"evidence": PHOTO}, by=SITE_KEY)
    unknown = {"text": "x", "issue": "W-9"}
    refused = measure.refusal("measure.breached", MEASURE, unknown, by=VERIFIER)
    assert refused == ("stream_unknown", "/data/issue")


@pytest.mark.parametrize(
    ("what", "data", "member", "by"),
    [
        ("measure.acknowledged", {}, "acknowledged_at", SITE_KEY),
        ("measure.checked", {"result": "kept"}, "checked_at", VERIFIER),
        ("measure.breached", {"text": "x"}, "breached_at", VERIFIER),
    ],
)
def test_nothing_happens_before_it_is_required(measure, what, data, member, by):
    """Notes, checks and breaches lie between the requirement and now."""
    early = data | {member: "2017-11-21T12:19:59+08:00"}
    refused = measure.refusal(what, MEASURE, early, by=by)
    assert refused == ("instant_too_early", f"/data/{member}")
    late = data | {member: "2018-01-01T00:00:00Z"}
    refused = measure.refusal(what, MEASURE, late, by=by)
    assert refused == ("instant_in_future", f"/data/{member}")
    measure.send(what, MEASURE, data | {member: "2017-11-21T12:20:00+08:00"}, by=by)


def test_a_check_names_a_visit_that_took_place(measure):
    """The inspection of a check is one in the log."""
    data = {"result": "kept", "inspection": "X-9"}
    refused = measure.refusal("measure.checked", MEASURE, data, by=VERIFIER)
    assert refused == ("stream_unknown", "/data/inspection")


def test_a_plan_need_not_have_all_colours(world, monkeypatch):
    """A colour that the plan does not know is not issued under it."""
    plan = codelists.published()["alert-plan/2016-10"]
    without_blue = msgspec.structs.replace(plan, items=plan.items[1:])
    monkeypatch.setattr(codelists, "published", lambda: {plan.ref: without_blue})
    blue = ISSUED | {"colour": "blue", "grade": "IV"}
    refused = world.refusal("alert.issued", ALERT, blue)
    assert refused == ("code_not_listed", "/data/colour")
    world.send("alert.issued", ALERT, ISSUED)


def test_an_exemption_may_rest_on_its_words_alone(measure):
    """Where none is on file the basis is enough; the measure is then over."""
    state = measure.send("measure.exempted", MEASURE, {"basis": "rescue work"})
    assert state.status == "exempted"


def test_who_takes_the_measure_does_not_check_it(measure):
    """The applier is another one than the checker, also under a second post."""
    for post in ("eps-head", "second"):
        term = {"unit": "gouzhao", "title": "x", "person_ref": "p:7"}
        since = {"valid_from": "2017-01-01T00:00:00Z"}
        measure.send("post.appointed", f"post/{post}", term | since)
    measure.send("measure.applied", MEASURE, {"evidence": PHOTO}, by=LEAD)
    for own in (LEAD, actor("gouzhao", "second", "lead", "verifier")):
        refused = measure.refusal(
            "measure.checked", MEASURE, {"result": "kept"}, by=own
        )
        assert refused == ("measure_checked_by_applier", "/type")
    measure.send("measure.checked", MEASURE, {"result": "not_kept"}, by=VERIFIER)


def test_subjects_and_workers_act_for_their_own(measure):
    """Another site, or the worker of another cell, has no say here."""
    taken = {"evidence": PHOTO}
    other = actor("S-2", None, "enterprise")
    for what, data in (("applied", taken), ("acknowledged", {})):
        refused = measure.refusal(f"measure.{what}", MEASURE, data, by=other)
        assert refused == ("subject_not_own", "/subject")
    elsewhere = REQUIRED | {"subject": "S-2"}
    measure.send("measure.required", "measure/M-2", elsewhere)
    for what, data in (
        ("applied", taken),
        ("checked", {"result": "kept"}),
        ("breached", {"text": "x"}),
    ):
        refused = measure.refusal(f"measure.{what}", "measure/M-2", data, by=WORKER)
        assert refused == ("cell_not_own", "/subject")
    bare = measure.refusal("measure.applied", MEASURE, {"evidence": []}, by=WORKER)
    assert bare == ("evidence_required", "/data/evidence")
    measure.send("measure.applied", MEASURE, taken, by=WORKER)


def test_an_exemption_rests_on_the_file(measure):
    """A named exemption is one in force; an exempted subject takes nothing."""
    data = {"basis": "a school", "exemption": "E-1"}
    refused = measure.refusal("measure.exempted", MEASURE, data)
    assert refused == ("exemption_unknown", "/data/exemption")
    granted = {"exemption": "E-1", "basis": "a school"}
    measure.send("subject.exemption_granted", "subject/S-1", granted, by=OFFICE)
    measure.send("measure.exempted", MEASURE, data)
    taken = {"evidence": PHOTO}
    refused = measure.refusal("measure.applied", MEASURE, taken, by=SITE_KEY)
    assert refused == ("not_allowed_in_state", "/type")
