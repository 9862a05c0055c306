"""Visits: planned, drawn, walked through a checklist in force, ended and signed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.domain import codelists, sampling
from tests.support.supervision import (
    LEAD,
    LOOKBACK,
    OFFICE,
    PHOTO,
    SITE_KEY,
    VERIFIER,
    WORKER,
    World,
    actor,
)

VISIT = "inspection/X-1"
PLAN = {
    "kind": "inspection",
    "title": "x",
    "unit": "bureau",
    "start": "2017-11-20",
    "end": "2017-11-30",
    "team": ["verifier"],
}
START = {
    "kind": "inspection",
    "unit": "bureau",
    "targets": ["subject/S-1"],
    "checklist": "dust-100/2017-11",
}
LIST = codelists.published()["dust-100/2017-11"].codes
SITES = ("subject/S-1", "subject/S-2", "subject/E-1")


def drawn(population, size, seed="seed-1"):
    """Return what an honest draw records."""
    return {
        "population": list(population),
        "population_size": len(population),
        "population_digest": sampling.digest(population),
        "seed": seed,
        "method": "sha256-rank",
        "method_version": 1,
        "sample": list(sampling.draw(population, size, seed)),
    }


def check(world, item, result="pass", **more):
    """Check one item of the list of 2017."""
    data = {"checklist": "dust-100/2017-11", "item": item, "result": result} | more
    return world.send("inspection.item_checked", VISIT, data, by=VERIFIER)


@pytest.fixture
def visit(world):
    """Return a world in which a site is being visited."""
    world.send("inspection.started", VISIT, START, by=VERIFIER)
    return world


@pytest.fixture
def planned(world):
    """Return a world in which a visit is planned."""
    world.send("inspection.planned", VISIT, PLAN, by=VERIFIER)
    return world


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"end": "2017-11-19"}, "window_ends_before_start", "/data/end"),
        ({"unit": "nowhere"}, "unit_unknown", "/data/unit"),
        ({"checklist": "dust-100/2016"}, "list_unknown", "/data/checklist"),
        ({"targets": ["subject/S-9"]}, "stream_unknown", "/data/targets/0"),
        ({"targets": ["subject/S-1"] * 2}, "target_repeated", "/data/targets"),
        ({"campaign": "none"}, "stream_unknown", "/data/campaign"),
        ({"directive": "none"}, "stream_unknown", "/data/directive"),
        ({"kind": "patrol"}, "role_not_for_kind", "/data/kind"),
        (
            {"route": [{"cell": "c1", "point": "P"}]},
            "not_for_this_kind",
            "/data/route",
        ),
    ],
)
def test_a_plan_names_what_there_is(world, change, code, where):
    """Days, units, lists, targets and roles are checked when a visit is planned."""
    refused = world.refusal("inspection.planned", VISIT, PLAN | change, by=VERIFIER)
    assert refused == (code, where)


@settings(deadline=None, max_examples=60)
@given(
    number=st.integers(1, 12),
    seed=st.from_regex(r"[!-~]{1,12}", fullmatch=True),
    data=st.data(),
)
def test_only_what_the_seed_gives_is_recorded(number, seed, data):
    """For any population, size and seed: the draw is taken, any other choice is not."""
    world = World()
    population = [f"unit/u{n}" for n in range(number)]
    for stream in population:
        world.send("unit.created", stream, {"name": "x"}, by=actor("u", "a", "admin"))
    world.send("inspection.planned", VISIT, PLAN | {"unit": "u0"}, by=VERIFIER)
    size = data.draw(st.integers(1, number))
    honest = drawn(population, size, seed)
    other = data.draw(
        st.lists(st.sampled_from(population), min_size=1, max_size=number)
    )
    if other != honest["sample"] and other != list(
        sampling.draw(population, min(len(other), number), seed)
    ):
        chosen = honest | {"sample": other}
        refused = world.refusal("inspection.sampled", VISIT, chosen, by=VERIFIER)
        assert refused == ("sample_not_drawn", "/data/sample")
    state = world.send("inspection.sampled", VISIT, honest, by=VERIFIER)
    recorded = world.log[-1].data
    again = sampling.draw(recorded.population, len(recorded.sample), recorded.seed)
    assert state.targets == again == recorded.sample


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"population_size": 2}, "population_size_differs", "/data/population_size"),
        (
            {"population_digest": "00" * 32},
            "population_digest_differs",
            "/data/population_digest",
        ),
        (
            {"population": [*SITES, SITES[0]]},
            "population_repeated",
            "/data/population",
        ),
        ({"seed": "seed-2"}, "sample_not_drawn", "/data/sample"),
        ({"sample": [*SITES, SITES[0]]}, "sample_not_drawn", "/data/sample"),
        ({"method": "dice"}, "schema_violation", "/data/method"),
    ],
)
def test_a_sample_hangs_together(planned, change, code, where):
    """Size, digest, seed and sample are of one population."""
    data = drawn(SITES, 2) | change
    refused = planned.refusal("inspection.sampled", VISIT, data, by=VERIFIER)
    assert refused == (code, where)


def test_a_sample_is_drawn_once(planned):
    """Nobody draws again until the sample pleases."""
    planned.send("inspection.sampled", VISIT, drawn(SITES, 2), by=VERIFIER)
    again = drawn(SITES, 2, "seed-2")
    refused = planned.refusal("inspection.sampled", VISIT, again, by=VERIFIER)
    assert refused == ("not_allowed_in_state", "/type")
    other = {"targets": ["subject/E-1"]}
    refused = planned.refusal("inspection.started", VISIT, other, by=VERIFIER)
    assert refused == ("inspection_targets_fixed", "/data/targets")


def test_without_the_population_the_order_is_checked(planned):
    """A digest holds for later; a sample out of order, or too large, is none."""
    data = {k: v for k, v in drawn(SITES, 3).items() if k != "population"}
    turned = data | {"sample": data["sample"][::-1]}
    for wrong in (turned, data | {"population_size": 2}):
        refused = planned.refusal("inspection.sampled", VISIT, wrong, by=VERIFIER)
        assert refused == ("sample_not_drawn", "/data/sample")
    planned.send("inspection.sampled", VISIT, data, by=VERIFIER)


def test_a_drawn_stream_is_there(planned):
    """A sample names streams of this log."""
    data = drawn(["subject/S-9"], 1)
    refused = planned.refusal("inspection.sampled", VISIT, data, by=VERIFIER)
    assert refused == ("stream_unknown", "/data/sample/0")


@pytest.mark.parametrize(
    ("at", "ref", "expected"),
    [
        ("2017-10-31T15:59:59Z", "dust-100/2017-11", "list_not_in_force"),
        ("2017-10-31T16:00:00Z", "dust-100/2017-11", None),
        ("2017-11-24T09:00:00Z", "dust-100/2015", "list_not_in_force"),
        ("2017-11-24T09:00:00Z", "dust-100/2018", "list_not_in_force"),
        ("2017-11-24T09:00:00Z", "dust-100/2016", "list_unknown"),
    ],
)
def test_the_checklist_is_that_of_the_day(world, at, ref, expected):
    """A visit uses the version in force on its local day, recorded late or not."""
    data = START | {"checklist": ref}
    if expected:
        refused = world.refusal("inspection.started", VISIT, data, by=VERIFIER, at=at)
        assert refused == (expected, "/data/checklist")
    else:
        world.send("inspection.started", VISIT, data, by=VERIFIER, at=at)


def test_the_checklist_stays_that_of_the_start(visit):
    """Items are of the list and version that the visit began with."""
    data = {"checklist": "dust-100/2018", "item": "fence", "result": "pass"}
    refused = visit.refusal("inspection.item_checked", VISIT, data, by=VERIFIER)
    assert refused == ("checklist_differs", "/data/checklist")
    data = {"checklist": "dust-100/2017-11", "item": "bare_ground_covered"}
    refused = visit.refusal(
        "inspection.item_checked", VISIT, data | {"result": "pass"}, by=VERIFIER
    )
    assert refused == ("item_not_on_checklist", "/data/item")


def test_a_visit_begins_with_kind_and_unit_or_a_plan(world):
    """Without a plan both are said; with one they do not change."""
    start = "inspection.started"
    refused = world.refusal(start, VISIT, {"unit": "bureau"}, by=VERIFIER)
    assert refused == ("inspection_kind_required", "/data/kind")
    refused = world.refusal(start, VISIT, {"kind": "inspection"}, by=VERIFIER)
    assert refused == ("inspection_unit_required", "/data/unit")
    world.send("inspection.planned", VISIT, PLAN, by=VERIFIER)
    refused = world.refusal(start, VISIT, {"kind": "census_visit"}, by=VERIFIER)
    assert refused == ("inspection_kind_fixed", "/data/kind")
    state = world.send(start, VISIT, by=VERIFIER)
    assert (state.kind, state.unit, state.team) == (
        "inspection",
        "bureau",
        frozenset({"verifier"}),
    )


def test_an_item_is_checked_once_at_one_target(visit):
    """The only target is meant where none is named; a second check is refused."""
    state = check(visit, "fence", "fail")
    assert state.results == {("subject/S-1", "fence"): "fail"}
    data = {"checklist": "dust-100/2017-11", "item": "fence", "result": "pass"}
    refused = visit.refusal("inspection.item_checked", VISIT, data, by=VERIFIER)
    assert refused == ("item_checked_already", "/data/item")
    elsewhere = data | {"target": "subject/S-2"}
    refused = visit.refusal("inspection.item_checked", VISIT, elsewhere, by=VERIFIER)
    assert refused == ("target_not_visited", "/data/target")


def test_without_targets_or_a_list_an_item_has_no_place(world):
    """An item needs a target, and a visit that was begun with a list."""
    data = {"checklist": "dust-100/2017-11", "item": "fence", "result": "pass"}
    world.send("inspection.started", VISIT, START | {"targets": []}, by=VERIFIER)
    refused = world.refusal("inspection.item_checked", VISIT, data, by=VERIFIER)
    assert refused == ("target_required", "/data/target")
    bare = {"kind": "inspection", "unit": "bureau"}
    world.send("inspection.started", "inspection/X-2", bare, by=VERIFIER)
    refused = world.refusal(
        "inspection.item_checked", "inspection/X-2", data, by=VERIFIER
    )
    assert refused == ("checklist_not_named", "/data/checklist")


def test_a_visit_ends_when_its_list_is_done(visit):
    """All seven items are checked, or it is said why not."""
    for item in LIST[:-1]:
        check(visit, item)
    refused = visit.refusal("inspection.ended", VISIT, by=VERIFIER)
    assert refused == ("items_unchecked", "/data/incomplete")
    check(visit, LIST[-1], "not_applicable")
    assert visit.send("inspection.ended", VISIT, by=VERIFIER).status == "ended"


def test_a_visit_may_end_early_for_a_reason(visit):
    """A locked gate is a reason."""
    visit.send("inspection.ended", VISIT, {"incomplete": "locked"}, by=VERIFIER)


def test_a_finding_is_an_issue_that_stands(visit):
    """It exists, is not revoked, is added once; also after the end."""
    issue = {
        "title": "x",
        "category": "other",
        "severity": "minor",
        "found_by": "inspection",
        "place": {"address": "x"},
        "inspection": "X-1",
    }
    for key in ("W-1", "W-2"):
        visit.send("issue.found", f"issue/{key}", issue)
    visit.send("issue.revoked", "issue/W-2", {"reason": "x"})

    def add(**data):
        return visit.refusal("inspection.finding_added", VISIT, data, by=VERIFIER)

    assert add(issue="W-9") == ("stream_unknown", "/data/issue")
    assert add(issue="W-2") == ("issue_revoked", "/data/issue")
    assert add(issue="W-1", checklist_item="x") == (
        "item_not_on_checklist",
        "/data/checklist_item",
    )
    assert add(issue="W-1", target="subject/S-2") == (
        "target_not_visited",
        "/data/target",
    )
    visit.send("inspection.ended", VISIT, {"incomplete": "x"}, by=VERIFIER)
    visit.send("inspection.finding_added", VISIT, {"issue": "W-1"}, by=VERIFIER)
    assert add(issue="W-1") == ("issue_added_already", "/data/issue")


def test_the_subject_signs_for_itself(visit):
    """The site signs its own record; on paper it is shown; a refusal is explained."""
    sign = "inspection.signed_by_subject"
    yes = {"subject": "S-1", "signed": "signed"}
    refused = visit.refusal(sign, VISIT, yes, by=SITE_KEY)
    assert refused == ("not_allowed_in_state", "/type")
    visit.send("inspection.ended", VISIT, {"incomplete": "x"}, by=VERIFIER)
    other = actor("S-2", None, "enterprise")
    assert visit.refusal(sign, VISIT, yes, by=other) == (
        "subject_not_own",
        "/data/subject",
    )
    assert visit.refusal(sign, VISIT, yes | {"subject": "S-2"}, by=other) == (
        "target_not_visited",
        "/data/subject",
    )
    assert visit.refusal(sign, VISIT, yes, by=VERIFIER) == (
        "evidence_required",
        "/data/evidence",
    )
    no = yes | {"signed": "declined"}
    assert visit.refusal(sign, VISIT, no, by=VERIFIER) == (
        "remark_required",
        "/data/remark",
    )
    visit.send(sign, VISIT, yes, by=SITE_KEY)
    shown = yes | {"evidence": PHOTO}
    assert visit.refusal(sign, VISIT, shown, by=VERIFIER) == (
        "inspection_signed_already",
        "/data/subject",
    )


def test_a_lookback_team_is_without_the_verifier(world):
    """Who verified a commitment is not in the team, planned, drawn or at the door."""
    promise = {
        "title": "x",
        "kind": "urgent",
        "basis": [{"ref": "x"}],
        "standard": "x",
        "lead_unit": "gouzhao",
        "lead_post": "eps-head",
        "due": "PT2H",
    }
    way = (
        ("registered", promise, OFFICE),
        ("issued", {"approver_post": "director"}, OFFICE),
        ("signed_for", {}, LEAD),
        ("plan_filed", {"summary": "x"}, LEAD),
        ("completion_claimed", {"text": "x", "evidence": PHOTO}, LEAD),
        (
            "verification_recorded",
            {"result": "pass", "method": "document", "evidence": PHOTO},
            VERIFIER,
        ),
    )
    for post in ("director", "verifier", "lookback-1", "second-post"):
        person = "p:v" if post == "second-post" else f"p:{post[0]}"
        term = {"person_ref": person, "valid_from": "2017-01-01T00:00:00Z"}
        appointed = term | {"unit": "bureau", "title": "x"}
        world.send("post.appointed", f"post/{post}", appointed)
    for what, data, by in way:
        world.send(f"commitment.{what}", "commitment/GX-1", data, by=by)
    target = ["commitment/GX-1"]
    plan = PLAN | {"kind": "lookback"}
    refused = world.refusal(
        "inspection.planned", VISIT, plan | {"targets": target}, by=LOOKBACK
    )
    assert refused == ("verifier_in_lookback_team", "/data/team")
    world.send("inspection.planned", VISIT, plan, by=LOOKBACK)
    refused = world.refusal("inspection.sampled", VISIT, drawn(target, 1), by=LOOKBACK)
    assert refused == ("verifier_in_lookback_team", "/data/team")
    other = plan | {"team": ["lookback-1"]}
    world.send("inspection.planned", "inspection/X-2", other, by=LOOKBACK)
    world.send("inspection.sampled", "inspection/X-2", drawn(target, 1), by=LOOKBACK)
    for team, code in (
        (["verifier"], "verifier_in_lookback_team"),
        (["second-post"], "verifier_in_lookback_team"),
        (["invented"], "post_unknown"),
    ):
        swapped = {"team": team}
        refused = world.refusal(
            "inspection.started", "inspection/X-2", swapped, by=LOOKBACK
        )
        assert refused == (code, "/data/team")
    for post, person in (("verifier", None), ("second-post", None), (None, "p:v")):
        himself = actor("bureau", post, "lookback", person=person)
        refused = world.refusal("inspection.started", "inspection/X-2", by=himself)
        assert refused == ("verifier_in_lookback_team", "/data/team")
    world.send("inspection.started", "inspection/X-2", by=LOOKBACK)


def test_each_kind_has_its_own_people(world):
    """A verifier does not look back, a grid worker does not inspect."""
    for kind, who in (("lookback", VERIFIER), ("inspection", WORKER)):
        data = {"kind": kind, "unit": "bureau", "cell": "c1"}
        refused = world.refusal("inspection.started", VISIT, data, by=who)
        assert refused == ("role_not_for_kind", "/type")


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("item_checked", {"checklist": "dust-100/2017-11", "item": "fence"}),
        ("finding_added", {"issue": "W-1"}),
        ("ended", {"incomplete": "x"}),
        ("point_checked", {"cell": "c1", "point": "P1"}),
        ("patrol_ended", {"distance_m": 1}),
    ],
)
def test_a_visit_goes_on_with_its_own_people(world, what, data):
    """Who may not begin a visit of a kind does not carry it on either."""
    patrol = what in {"point_checked", "patrol_ended"}
    start = PATROL if patrol else START
    world.send("inspection.started", VISIT, start, by=LEAD)
    data = data | {"item_checked": {"result": "pass"}}.get(what, {})
    data = data | {"point_checked": {"result": "in_order"}}.get(what, {})
    who = VERIFIER if patrol else WORKER
    refused = world.refusal(f"inspection.{what}", VISIT, data, by=who)
    assert refused == ("role_not_for_kind", "/type")


def test_a_start_names_a_unit_there_is(world):
    """With or without a plan the unit that runs the visit exists."""
    data = START | {"unit": "nowhere"}
    refused = world.refusal("inspection.started", VISIT, data, by=VERIFIER)
    assert refused == ("unit_unknown", "/data/unit")
    world.send("inspection.planned", VISIT, PLAN, by=VERIFIER)
    refused = world.refusal(
        "inspection.started", VISIT, {"unit": "nowhere"}, by=VERIFIER
    )
    assert refused == ("unit_unknown", "/data/unit")


def test_a_visit_without_a_checklist_just_ends(world):
    """Nothing is left unchecked where there was no list."""
    bare = {"kind": "inspection", "unit": "bureau", "targets": ["subject/S-1"]}
    world.send("inspection.started", VISIT, bare, by=VERIFIER)
    assert world.send("inspection.ended", VISIT, by=VERIFIER).status == "ended"


ROUTE = [{"cell": "c1", "point": "P1"}, {"cell": "c1", "point": "P2"}]
PATROL = {"kind": "patrol", "unit": "gouzhao", "cell": "c1", "route": ROUTE}


@pytest.fixture
def patrol(world):
    """Return a world in which p:1 patrols c1."""
    world.send("inspection.started", VISIT, PATROL, by=WORKER)
    return world


def test_a_patrol_goes_through_own_cells(world):
    """A worker starts and checks in the own cell, once a point."""
    start = "inspection.started"
    refused = world.refusal(
        start, VISIT, PATROL | {"cell": "c2", "route": []}, by=WORKER
    )
    assert refused == ("cell_not_own", "/data/cell")
    bare = {"kind": "patrol", "unit": "gouzhao"}
    refused = world.refusal(start, VISIT, bare, by=WORKER)
    assert refused == ("cell_required", "/data/cell")
    refused = world.refusal(start, VISIT, PATROL | {"route": ROUTE[:1] * 2}, by=WORKER)
    assert refused == ("point_repeated", "/data/route")
    world.send(start, VISIT, PATROL, by=WORKER)
    point = ROUTE[0] | {"result": "in_order"}
    ahead = point | {"checked_at": "2018-01-01T00:00:00Z"}
    refused = world.refusal("inspection.point_checked", VISIT, ahead, by=WORKER)
    assert refused == ("instant_in_future", "/data/checked_at")
    elsewhere = point | {"cell": "c2"}
    refused = world.refusal("inspection.point_checked", VISIT, elsewhere, by=WORKER)
    assert refused == ("cell_not_own", "/data/cell")
    unknown = point | {"result": "problem", "issue": "W-9"}
    refused = world.refusal("inspection.point_checked", VISIT, unknown, by=WORKER)
    assert refused == ("stream_unknown", "/data/issue")
    world.send("inspection.point_checked", VISIT, point, by=WORKER)
    refused = world.refusal("inspection.point_checked", VISIT, point, by=WORKER)
    assert refused == ("point_checked_already", "/data/point")


def test_a_patrol_accounts_for_its_route(patrol):
    """What was not checked is named as skipped, for a reason; nothing else is."""
    point = ROUTE[0] | {"result": "in_order"}
    patrol.send("inspection.point_checked", VISIT, point, by=WORKER)
    end = "inspection.patrol_ended"
    for skipped in ([], ROUTE, ROUTE[:1]):
        data = {"distance_m": 900, "skipped": skipped, "reason": "x"}
        refused = patrol.refusal(end, VISIT, data, by=WORKER)
        assert refused == ("points_unaccounted", "/data/skipped")
    issue = {
        "title": "x",
        "category": "other",
        "severity": "minor",
        "found_by": "patrol",
        "place": {"address": "x"},
        "cell": "c1",
    }
    patrol.send("issue.found", "issue/W-1", issue, by=WORKER)
    extra = {"cell": "c1", "point": "P9", "result": "problem", "issue": "W-1"}
    state = patrol.send("inspection.point_checked", VISIT, extra, by=WORKER)
    assert state.issues == {"W-1"}
    data = {"distance_m": 900, "skipped": ROUTE[1:]}
    refused = patrol.refusal(end, VISIT, data, by=WORKER)
    assert refused == ("skipping_needs_reason", "/data/reason")
    state = patrol.send(end, VISIT, data | {"reason": "road closed"}, by=WORKER)
    assert (state.status, state.distance_m) == ("ended", 900)


def test_a_route_is_planned_through_known_cells(world):
    """A plan for one day is a plan; a point of an unknown cell is none."""
    day = PLAN | {"kind": "patrol", "unit": "gouzhao", "end": PLAN["start"]}
    lost = day | {"route": [{"cell": "c9", "point": "P1"}]}
    refused = world.refusal("inspection.planned", VISIT, lost, by=LEAD)
    assert refused == ("stream_unknown", "/data/route/0/cell")
    world.send("inspection.planned", VISIT, day | {"route": ROUTE}, by=LEAD)


def test_patrols_and_visits_end_each_in_their_way(patrol):
    """A patrol has neither sample nor end of a visit, a visit no points."""
    refused = patrol.refusal("inspection.ended", VISIT, by=WORKER)
    assert refused == ("not_for_this_kind", "/type")
    start = START | {"unit": "bureau"}
    patrol.send("inspection.started", "inspection/X-2", start, by=VERIFIER)
    point = ROUTE[0] | {"result": "in_order"}
    refused = patrol.refusal(
        "inspection.point_checked", "inspection/X-2", point, by=VERIFIER
    )
    assert refused == ("not_for_this_kind", "/type")
    refused = patrol.refusal(
        "inspection.patrol_ended", "inspection/X-2", {"distance_m": 1}, by=VERIFIER
    )
    assert refused == ("not_for_this_kind", "/type")
    round_ = PLAN | {"kind": "patrol", "unit": "gouzhao"}
    patrol.send("inspection.planned", "inspection/X-3", round_, by=LEAD)
    refused = patrol.refusal(
        "inspection.sampled", "inspection/X-3", drawn(SITES, 1), by=LEAD
    )
    assert refused == ("not_for_this_kind", "/type")
