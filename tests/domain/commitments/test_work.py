"""Plan, parts, progress, extensions, urging, claim: each row, each refusal."""

from __future__ import annotations

import pytest

from events.entries import instant


def _part(key, *, weight=100, due="2017-12-10", unit="gouzhao"):
    return {
        "key": key,
        "title": "Part",
        "lead_unit": unit,
        "due": due,
        "weight": weight,
    }


def _split(world, who, *keys, of="C1"):
    parts = [_part(key, weight=100 // len(keys)) for key in keys]
    return world.do("decomposed", {"children": parts}, by=who.lead, key=of)


def test_a_plan_starts_the_work(world, who):
    """报方案: in progress, by the lead, milestones within the due."""
    world.reach("signed")
    late = {"summary": "s", "milestones": [{"due": "2017-12-16", "percent": 100}]}
    world.refused("plan_filed", {"summary": "s"}, "not_lead_unit", by=who.other)
    world.refused("plan_filed", late, "milestone_after_due", by=who.lead)
    assert world.do("plan_filed", {"summary": "s"}, by=who.lead).status == "in_progress"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([_part("A", weight=60)], "weights_not_100"),
        ([_part("A", weight=50), _part("A", weight=50)], "children_repeated"),
        ([_part("A", due="2017-12-16")], "child_due_after_parent"),
        ([_part("A", unit="nobody")], "unit_unknown"),
        ([_part("C1")], "decomposition_cycle"),
        ([_part("C2")], "child_taken"),
    ],
)
def test_parts_make_a_whole(world, who, parts, code):
    """分解: weights of 100, each part once, in time, known, no cycle, nobody else's."""
    world.reach("signed")
    world.reach("draft", key="C2")
    world.refused("decomposed", {"children": parts}, code, by=who.lead)


def test_the_lead_unit_decomposes(world, who):
    """分解: nobody else splits the work."""
    world.reach("signed")
    parts = {"children": [_part("A")]}
    world.refused("decomposed", parts, "not_lead_unit", by=who.other)
    assert world.do("decomposed", parts, by=who.lead).status == "in_progress"


def test_a_permit_is_not_closed_before_its_parts(world, who, say):
    """A kind that closes without a claim still waits for its parts."""
    world.do("registered", say.permit, by=who.system)
    world.do("decomposed", {"children": [_part("A")]}, by=who.system)
    world.refused("closed", {}, "children_open", by=who.system)
    world.do("registered", {**say.permit, "parent": "C1"}, by=who.system, key="A")
    world.do("closed", {}, by=who.system, key="A")
    assert world.do("closed", {}, by=who.system).status == "closed"


def test_parts_are_three_levels_deep_at_most(world, who, say):
    """A root, its part and a part of that; the third level is not decomposed."""
    world.reach("signed")
    _split(world, who, "A", of="C1")
    world.reach("signed", key="A", parent="C1", due="2017-12-10")
    _split(world, who, "B", of="A")
    world.reach("signed", key="B", parent="A", due="2017-12-10")
    parts = {"children": [_part("D")]}
    world.refused("decomposed", parts, "too_deep", by=who.lead, key="B")
    up = {"children": [_part("C1")]}
    world.refused("decomposed", up, "decomposition_cycle", by=who.lead, key="A")


def test_a_part_is_registered_as_planned(world, who, say):
    """A part's registration needs an open parent that lists it and is not due before."""
    world.reach("draft")
    part = {**say.registered, "parent": "C1", "due": "2017-12-10"}
    by = who.drafter
    world.refused("registered", part, "parent_not_open", by=by, key="A")
    world.reach("in_progress", key="C2")
    part["parent"] = "C2"
    world.refused("registered", part, "child_not_planned", by=by, key="A")
    _split(world, who, "A", of="C2")
    late = {**part, "due": "2017-12-16"}
    world.refused("registered", late, "child_due_after_parent", by=by, key="A")
    assert world.do("registered", part, by=by, key="A").parent == "C2"


def test_a_part_with_a_term_is_within_the_parent_at_issue(world, who, say):
    """A counted due of a part is held against the parent when it is counted."""
    world.reach("signed")
    _split(world, who, "A")
    part = {**say.registered, "parent": "C1", "due": "WD15"}
    world.do("registered", part, by=who.drafter, key="A")
    world.at("2017-12-01T09:00:00+08:00")
    world.refused("issued", {}, "child_due_after_parent", by=who.office, key="A")


def test_an_open_part_is_not_dropped(world, who):
    """A new decomposition keeps every part that is still open."""
    world.reach("signed")
    _split(world, who, "A", "B")
    world.reach("issued", key="A", parent="C1", due="2017-12-10")
    parts = {"children": [_part("B")]}
    world.refused("decomposed", parts, "child_dropped", by=who.lead)
    world.do("cancelled", {"reason": "not needed"}, by=who.boss, key="A")
    assert world.do("decomposed", parts, by=who.lead).children == ("B",)


def test_the_whole_is_not_claimed_before_its_parts(world, who, say):
    """I6: an open, failed or never registered part blocks the claim of the whole."""
    world.reach("signed")
    _split(world, who, "A", "B")
    world.reach("cancelled", key="A", parent="C1", due="2017-12-10")
    refusal = world.refused(
        "completion_claimed", say.claim, "children_open", by=who.lead
    )
    assert refusal.parameters["children"] == {"B": "unregistered"}
    world.reach("failed", key="B", parent="C1", due="2017-12-10")
    refusal = world.refused(
        "completion_claimed", say.claim, "children_open", by=who.lead
    )
    assert refusal.parameters["children"] == {"B": "failed"}
    _split(world, who, "A", "D")
    world.reach("claimed", key="D", parent="C1", due="2017-12-10")
    world.refused("completion_claimed", say.claim, "children_open", by=who.lead)
    world.do("superseded", {"by": "C1", "reason": "r"}, by=who.office, key="D")
    assert world.do("completion_claimed", say.claim, by=who.lead).status == "claimed"


def test_progress_has_evidence_and_goes_forward(world, who, say):
    """报进展: by lead or support, with evidence; numbers do not shrink."""
    world.reach("in_progress")
    told = {"text": "half", "percent": 50, "done": 45, "total": 90}
    shown = {**told, "evidence": say.proof}
    world.refused("progress_reported", told, "evidence_required", by=who.lead)
    world.refused("progress_reported", shown, "not_owner_unit", by=who.other)
    state = world.do("progress_reported", shown, by=who.support)
    assert (state.status, state.percent, state.evidence) == ("in_progress", 50, 1)
    for changes, code in (
        ({"percent": 49}, "percent_decreased"),
        ({"done": 44}, "done_decreased"),
        ({"done": 91}, "done_exceeds_total"),
        ({"total": 44}, "done_exceeds_total"),
    ):
        data = {"text": "x", "evidence": say.proof, **changes}
        world.refused("progress_reported", data, code, by=who.lead)


def test_a_correction_allows_a_lower_percentage(world, who, say):
    """更正: after it the number goes on from the corrected one."""
    world.reach("in_progress")
    shown = {"text": "x", "percent": 60, "evidence": say.proof}
    world.do("progress_reported", shown, by=who.lead)
    fix = {"corrects": "e5", "reason": "slip", "changes": {"percent": 40}}
    assert world.do("corrected", fix, by=who.office).percent == 40
    shown["percent"] = 45
    assert world.do("progress_reported", shown, by=who.lead).percent == 45


def test_work_is_planned_before_it_is_reported(world, who, say):
    """A kind with a plan takes no progress straight after the signature; others do."""
    shown = {"text": "x", "evidence": say.proof}
    world.reach("signed")
    world.refused("progress_reported", shown, "plan_required", by=who.lead)
    world.reach("signed", key="C2", kind="rectification")
    state = world.do("progress_reported", shown, by=who.lead, key="C2")
    assert state.status == "in_progress"


def test_an_extension_is_a_second_date(world, who, say):
    """延期: asked before the due, granted by another; the original due stays."""
    world.reach("in_progress")
    before = world.states["commitment/C1"].original_due
    world.refused("extension_requested", say.extension, "not_lead_unit", by=who.other)
    state = world.do("extension_requested", say.extension, by=who.lead)
    assert state.current_due == before
    again = "extension_pending"
    world.refused("extension_requested", say.extension, again, by=who.lead)
    state = world.do("extension_granted", {}, by=who.office)
    assert state.original_due == before
    assert state.current_due == instant("2017-12-22T16:00:00Z")
    assert (state.extensions, state.status) == (1, "in_progress")


def test_an_extension_is_asked_for_before_the_due(world, who, say):
    """At the due, and after it, it is too late to ask; the answer may come late."""
    world.reach("in_progress")
    world.reach("in_progress", key="C2")
    world.at("2017-12-15T23:59:59+08:00")
    world.do("extension_requested", say.extension, by=who.lead)
    world.at("2017-12-16T00:00:00+08:00")
    code = "extension_after_due"
    world.refused("extension_requested", say.extension, code, by=who.lead, key="C2")
    assert world.do("extension_granted", {}, by=who.office).extensions == 1


def test_an_extension_is_later_and_no_later_than_asked(world, who, say):
    """The new due is after the current one; the grant is at most the request."""
    world.reach("in_progress")
    same = {**say.extension, "new_due": "2017-12-15"}
    world.refused("extension_requested", same, "extension_not_later", by=who.lead)
    world.refused("extension_granted", {}, "extension_not_pending", by=who.office)
    world.do("extension_requested", say.extension, by=who.lead)
    more, less = {"new_due": "2017-12-23"}, {"new_due": "2017-12-18"}
    world.refused("extension_granted", more, "extension_beyond_request", by=who.office)
    state = world.do("extension_granted", less, by=who.office)
    assert state.current_due == instant("2017-12-18T16:00:00Z")


def test_the_second_extension_is_for_headquarters_and_the_last(world, who, say):
    """2nd: 分管领导; a third is not to be had."""
    world.reach("in_progress")
    for number, day in enumerate(("2017-12-18", "2017-12-20")):
        data = {**say.extension, "new_due": day}
        world.do("extension_requested", data, by=who.lead)
        if number:
            code = "senior_approval_required"
            world.refused("extension_granted", {}, code, by=who.office)
        world.do("extension_granted", {}, by=who.boss if number else who.office)
    world.refused("extension_requested", say.extension, "extension_limit", by=who.lead)


def test_a_part_is_not_extended_beyond_the_whole(world, who, say):
    """A new due of a part stays within its parent's."""
    world.reach("signed")
    _split(world, who, "A")
    world.reach("in_progress", key="A", parent="C1", due="2017-12-10")
    code = "child_due_after_parent"
    world.refused("extension_requested", say.extension, code, by=who.lead, key="A")


def test_a_denied_extension_leaves_the_due(world, who, say):
    """不批准: the due stays, and one may ask again."""
    world.reach("in_progress")
    due = world.do("extension_requested", say.extension, by=who.lead).current_due
    state = world.do("extension_denied", {"reason": "no"}, by=who.office)
    assert (state.current_due, state.extensions) == (due, 0)
    world.do("extension_requested", say.extension, by=who.lead)


def test_an_urge_is_never_milder_than_the_last(world, who):
    """催办: levels go up or repeat; the status stays."""
    world.reach("in_progress")
    world.do("urged", {"level": "orange"}, by=who.office)
    world.refused("urged", {"level": "blue"}, "urge_level_lowered", by=who.office)
    state = world.do("urged", {"level": "orange"}, by=who.office)
    assert (state.status, state.urge_level) == ("in_progress", 3)


def test_a_claim_is_shown(world, who, say):
    """报完成: by the lead, with evidence, a given checklist complete."""
    world.reach("in_progress")
    world.refused("completion_claimed", say.claim, "not_lead_unit", by=who.support)
    told = {"text": "done"}
    world.refused("completion_claimed", told, "evidence_required", by=who.lead)
    items = [{"item": "fence", "passed": True}, {"item": "cover", "passed": False}]
    ticked = {**say.claim, "checklist": {"ref": "dust-100/2017-11", "items": items}}
    refusal = world.refused(
        "completion_claimed", ticked, "checklist_incomplete", by=who.lead
    )
    assert refusal.parameters["missed"] == ["cover"]
    state = world.do("completion_claimed", say.claim, by=who.lead)
    assert (state.status, state.claimed_by) == ("claimed", "post:head")


def test_a_claim_is_withdrawn_before_the_verification(world, who):
    """撤回: the lead unit goes back to work."""
    world.reach("claimed")
    world.refused(
        "completion_withdrawn", {"reason": "r"}, "not_lead_unit", by=who.other
    )
    state = world.do("completion_withdrawn", {"reason": "r"}, by=who.lead)
    assert state.status == "in_progress"


def test_a_returned_item_answers_each_finding(world, who, say):
    """退回 → 报完成: all findings, and only those; progress leaves it returned."""
    world.reach("returned")
    shown = {"text": "x", "evidence": say.proof}
    assert world.do("progress_reported", shown, by=who.lead).status == "returned"
    for numbers, code in (
        ((), "findings_unanswered"),
        ((2,), "findings_unanswered"),
        ((1, 2, 3), "finding_unknown"),
    ):
        answers = [{"finding": n, "answer": "done"} for n in numbers]
        data = {**say.claim, "answers": answers}
        world.refused("completion_claimed", data, code, by=who.lead)
    answers = [{"finding": n, "answer": "done"} for n in (1, 2)]
    state = world.do(
        "completion_claimed", {**say.claim, "answers": answers}, by=who.lead
    )
    assert state.status == "claimed"


def test_withdrawing_does_not_forget_the_findings(world, who, say):
    """A claim withdrawn after a return still owes the answers."""
    world.reach("returned")
    answers = [{"finding": n, "answer": "done"} for n in (1, 2)]
    world.do("completion_claimed", {**say.claim, "answers": answers}, by=who.lead)
    world.do("completion_withdrawn", {"reason": "not yet"}, by=who.lead)
    code = "findings_unanswered"
    world.refused("completion_claimed", say.claim, code, by=who.lead)


def test_a_grant_is_later_and_still_ahead(world, who, say):
    """A request that was overtaken, by the calendar or by a new due, is not granted."""
    world.reach("in_progress")
    world.do("extension_requested", say.extension, by=who.lead)
    world.at("2017-12-23T00:00:00+08:00")
    world.refused("extension_granted", {}, "due_in_past", by=who.office)
    assert world.do("extension_denied", {"reason": "late"}, by=who.office)


def test_a_part_is_not_opened_again_under_a_settled_whole(world, who, say):
    """I6: while the whole is claimed or closed, a relapse first undoes that."""
    world.reach("signed")
    _split(world, who, "A")
    world.reach("closed", key="A", parent="C1", due="2017-12-10")
    world.do("lookback_recorded", say.relapse, by=who.lookback, key="A")
    world.do("completion_claimed", say.claim, by=who.lead)
    again = {"new_due": "WD5", "reason": "relapse"}
    by, code = who.lookback, "parent_settled"
    world.refused("reopened", again, code, by=by, key="A")
    cold = {"reason_class": "weather", "reason": "cold"}
    world.do("suspended", cold, by=who.office)
    world.refused("reopened", again, code, by=by, key="A")
    world.do("resumed", {}, by=who.office)
    world.do("completion_withdrawn", {"reason": "a relapse"}, by=who.lead)
    assert world.do("reopened", again, by=by, key="A").status == "reopened"


def test_a_planned_number_that_became_something_else_is_no_part(world, who, say):
    """A commitment of its own under a planned number neither settles nor blocks it."""
    world.reach("signed")
    _split(world, who, "A", "B")
    world.reach("issued", key="A")
    world.reach("cancelled", key="B", parent="C1", due="2017-12-10")
    refusal = world.refused(
        "completion_claimed", say.claim, "children_open", by=who.lead
    )
    assert refusal.parameters["children"] == {"A": "unregistered"}
    assert _split(world, who, "B").children == ("B",)
    assert world.do("completion_claimed", say.claim, by=who.lead).status == "claimed"
