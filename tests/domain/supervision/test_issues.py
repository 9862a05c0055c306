"""The way of an issue: found, fixed, reported, handed over, disputed, settled."""

from __future__ import annotations

import pytest

from events.entries import instant
from events.errors import Denied
from tests.support.supervision import (
    LEAD,
    OFFICE,
    PHOTO,
    SECOND,
    SITE_KEY,
    VERIFIER,
    WORKER,
    actor,
)

ISSUE = "issue/W-1"
FOUND = {
    "title": "裸露土方（模拟数据）",
    "category": "earth_uncovered",
    "severity": "serious",
    "found_by": "patrol",
    "place": {"address": "示例路1号"},
    "subject": "S-1",
    "cell": "c1",
    "unit": "gouzhao",
}
FIXED = {"text": "covered", "evidence": PHOTO}
OVER = {"to_unit": "gouzhao", "requirement": "cover it"}


@pytest.fixture
def found(world):
    """Return a world in which p:1 found an issue."""
    world.send("issue.found", ISSUE, FOUND, by=WORKER)
    return world


def test_three_instants_are_kept_apart(world):
    """Found, fixed and reported each have their own time, in any order of recording."""
    world.send(
        "issue.found", ISSUE, FOUND | {"found_at": "2017-11-24T09:00:00+08:00"}, by=LEAD
    )
    fixed = FIXED | {"fixed_at": "2017-11-24T09:30:00+08:00"}
    world.send("issue.fixed_on_spot", ISSUE, fixed, by=LEAD)
    told = {"to_unit": "zone", "reported_at": "2017-11-24T10:00:00+08:00"}
    state = world.send("issue.reported", ISSUE, told, by=LEAD)
    assert (state.found_at, state.fixed_at, state.reported_at) == (
        instant("2017-11-24T01:00:00Z"),
        instant("2017-11-24T01:30:00Z"),
        instant("2017-11-24T02:00:00Z"),
    )
    assert state.status == "fixed"


def test_the_time_of_the_event_stands_for_an_absent_one(found):
    """Without found_at the issue was found when the event says it happened."""
    assert found.states[ISSUE].found_at == instant("2017-11-24T09:00:00Z")


@pytest.mark.parametrize(
    ("what", "data", "member"),
    [
        ("issue.fixed_on_spot", FIXED, "fixed_at"),
        ("issue.reported", {"to_unit": "zone"}, "reported_at"),
    ],
)
def test_nothing_is_done_before_it_was_found(found, what, data, member):
    """Neither a fix nor a report lies before the finding, nor after now."""
    early = data | {member: "2017-11-24T08:59:59Z"}
    refused = found.refusal(what, ISSUE, early, by=WORKER)
    assert refused == ("instant_too_early", f"/data/{member}")
    late = data | {member: "2018-01-01T00:00:00Z"}
    refused = found.refusal(what, ISSUE, late, by=WORKER)
    assert refused == ("instant_in_future", f"/data/{member}")
    refused = found.refusal(what, ISSUE, data, by=WORKER, at="2017-11-24T08:00:00Z")
    assert refused == ("instant_too_early", "/time")
    found.send(what, ISSUE, data | {member: "2017-11-24T09:00:00Z"}, by=WORKER)


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"category": "smog"}, "code_not_listed", "/data/category"),
        ({"category_list": "dust-100/2018"}, "list_unknown", "/data/category_list"),
        ({"place": {}}, "place_empty", "/data/place"),
        ({"subject": "S-9"}, "subject_unknown", "/data/subject"),
        ({"unit": "nowhere"}, "unit_unknown", "/data/unit"),
        ({"cell": "c9"}, "stream_unknown", "/data/cell"),
        ({"inspection": "X-9"}, "stream_unknown", "/data/inspection"),
        ({"repeat_of": "W-9"}, "stream_unknown", "/data/repeat_of"),
        ({"repeat_of": "W-1"}, "issue_repeats_itself", "/data/repeat_of"),
        ({"found_at": "2018-01-01T00:00:00Z"}, "instant_in_future", "/data/found_at"),
    ],
)
def test_what_an_issue_names_is_there(world, change, code, where):
    """Categories, places, subjects, cells, visits and repeats are looked up."""
    assert world.refusal("issue.found", ISSUE, FOUND | change) == (code, where)


def test_a_worker_finds_in_the_own_cell(world):
    """A grid worker needs the cell at the time of the event; an office does not."""
    found = "issue.found"
    other = FOUND | {"cell": "c2"}
    refused = world.refusal(found, ISSUE, other, by=WORKER)
    assert refused == ("cell_not_own", "/data/cell")
    refused = world.refusal(found, ISSUE, FOUND, by=WORKER, at="2017-10-31T15:59:59Z")
    assert refused == ("cell_not_own", "/data/cell")
    nowhere = {name: value for name, value in FOUND.items() if name != "cell"}
    refused = world.refusal(found, ISSUE, nowhere, by=WORKER)
    assert refused == ("cell_required", "/data/cell")
    world.send(found, ISSUE, FOUND, by=WORKER, at="2017-10-31T16:00:00Z")
    world.send(found, "issue/W-2", other, by=OFFICE)
    both = actor("gouzhao", None, "grid_worker", "lead", person="p:1")
    world.send(found, "issue/W-3", other, by=both)


def test_a_worker_is_known_by_post_or_unit(world):
    """Who is not named as a person is who held the post; else the unit counts."""
    term = {"unit": "gouzhao", "title": "网格员", "valid_from": "2017-01-01T00:00:00Z"}
    for number in (1, 2):
        appointed = term | {"person_ref": f"p:{number}"}
        world.send("post.appointed", f"post/w{number}", appointed)
    world.send("issue.found", ISSUE, FOUND, by=actor("zone", "w1", "grid_worker"))
    refused = world.refusal(
        "issue.found", "issue/W-2", FOUND, by=actor("gouzhao", "w2", "grid_worker")
    )
    assert refused == ("cell_not_own", "/data/cell")
    by_unit = actor("gouzhao", None, "grid_worker")
    world.send("issue.found", "issue/W-2", FOUND, by=by_unit)
    refused = world.refusal(
        "issue.found", "issue/W-3", FOUND, by=actor("bureau", None, "grid_worker")
    )
    assert refused == ("cell_not_own", "/data/cell")


def test_an_enterprise_acts_on_its_own_issue(found):
    """The site may fix and dispute what concerns it, another firm may not."""
    other = actor("S-2", None, "enterprise")
    for what, data in (
        ("issue.fixed_on_spot", FIXED),
        ("issue.disputed", {"reason": "not ours"}),
    ):
        refused = found.refusal(what, ISSUE, data, by=other)
        assert refused == ("subject_not_own", "/subject")
        found.send(what, ISSUE, data, by=SITE_KEY)
    with pytest.raises(Denied):
        found.send("issue.found", "issue/W-2", FOUND, by=SITE_KEY)


@pytest.mark.parametrize(
    ("what", "data"),
    [("issue.fixed_on_spot", FIXED), ("issue.reported", {"to_unit": "zone"})],
)
def test_a_worker_goes_on_with_issues_of_the_own_cell(world, what, data):
    """An issue of another cell is neither fixed nor reported by p:1."""
    world.send("issue.found", ISSUE, FOUND | {"cell": "c2"}, by=LEAD)
    refused = world.refusal(what, ISSUE, data, by=WORKER)
    assert refused == ("cell_not_own", "/subject")
    world.send(what, ISSUE, data, by=LEAD)


def test_a_fix_is_shown(found):
    """Fixing on the spot needs evidence."""
    bare = FIXED | {"evidence": []}
    refused = found.refusal("issue.fixed_on_spot", ISSUE, bare, by=WORKER)
    assert refused == ("evidence_required", "/data/evidence")


def test_an_issue_is_reported_once(found):
    """A second report is refused; the first one stands."""
    found.send("issue.reported", ISSUE, {"to_unit": "zone"}, by=WORKER)
    refused = found.refusal("issue.reported", ISSUE, {"to_unit": "zone"}, by=WORKER)
    assert refused == ("issue_reported_already", "/type")


def test_an_issue_handed_over_may_name_its_commitment(found):
    """The commitment exists and is not given up; the issue closes after it does."""

    def over(key):
        return found.refusal("issue.handed_over", ISSUE, OVER | {"commitment": key})

    assert over("GX-9") == ("stream_unknown", "/data/commitment")
    promise = {"title": "x", "kind": "permit", "lead_unit": "gouzhao"}
    for key in ("GX-1", "GX-2"):
        found.send("commitment.registered", f"commitment/{key}", promise)
    found.send("commitment.cancelled", "commitment/GX-2", {"reason": "x"})
    assert over("GX-2") == ("commitment_given_up", "/data/commitment")
    bad_due = OVER | {"due": "2017-02-30"}
    refused = found.refusal("issue.handed_over", ISSUE, bad_due)
    assert refused == ("due_invalid", "/data/due")
    found.send("issue.handed_over", ISSUE, OVER | {"commitment": "GX-1"})
    refused = found.refusal("issue.closed", ISSUE)
    assert refused == ("issue_not_settled", "/subject")
    found.send("commitment.closed", "commitment/GX-1", {"outcome": "done"})
    assert found.send("issue.closed", ISSUE).status == "closed"


def test_without_a_commitment_the_close_is_shown(found):
    """What was handed over without one is closed with evidence of its own."""
    found.send("issue.handed_over", ISSUE, OVER)
    refused = found.refusal("issue.closed", ISSUE)
    assert refused == ("evidence_required", "/data/evidence")
    found.send("issue.closed", ISSUE, {"evidence": PHOTO})


def test_who_fixed_does_not_close(found):
    """A fix is looked at by somebody else."""
    found.send("issue.fixed_on_spot", ISSUE, FIXED, by=LEAD)
    refused = found.refusal("issue.closed", ISSUE, by=LEAD)
    assert refused == ("issue_closed_by_fixer", "/type")
    found.send("issue.closed", ISSUE, by=OFFICE)


def test_an_open_issue_is_not_closed_as_it_is(found):
    """Neither found nor reported is settled."""
    refused = found.refusal("issue.closed", ISSUE)
    assert refused == ("not_allowed_in_state", "/type")


def test_a_dispute_is_decided_by_no_party(world):
    """Neither the finder nor who objects decides; lost, the issue is where it was."""
    world.send("issue.found", ISSUE, FOUND, by=OFFICE)
    world.send("issue.handed_over", ISSUE, OVER)
    judge = actor("gouzhao", "eps-head", "lead", "verifier")
    world.send("issue.disputed", ISSUE, {"reason": "x"}, by=LEAD)
    for what, data in (("issue.confirmed", {}), ("issue.revoked", {"reason": "x"})):
        for party in (OFFICE, judge):
            refused = world.refusal(what, ISSUE, data, by=party)
            assert refused == ("issue_judged_by_party", "/type")
    state = world.send("issue.confirmed", ISSUE, by=VERIFIER)
    assert (state.status, state.confirmed) == ("handed_over", True)
    refused = world.refusal("issue.disputed", ISSUE, {"reason": "x"}, by=LEAD)
    assert refused == ("issue_disputed_already", "/type")
    refused = world.refusal("issue.confirmed", ISSUE, by=SECOND)
    assert refused == ("issue_confirmed_already", "/type")


def test_a_revoked_issue_is_over(found):
    """Nothing follows on it, and no other one repeats it."""
    found.send("issue.revoked", ISSUE, {"reason": "x"})
    refused = found.refusal("issue.fixed_on_spot", ISSUE, FIXED, by=WORKER)
    assert refused == ("not_allowed_in_state", "/type")
    again = FOUND | {"repeat_of": "W-1"}
    refused = found.refusal("issue.found", "issue/W-2", again)
    assert refused == ("issue_revoked", "/data/repeat_of")
