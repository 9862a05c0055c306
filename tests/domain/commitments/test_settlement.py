"""Verification, publicity, close, look-back, interruptions, ends: each row, refusal."""

from __future__ import annotations

import pytest

from events.domain.commitments import earliest_original_due
from events.entries import instant


def test_a_pass_verifies(world, who, say):
    """核查通过: verified, by a unit and person that are kept."""
    state = world.reach("verified")
    assert (state.verifier, state.verifier_unit) == ("post:verifier", "bureau")


def test_a_fail_returns_with_findings_and_a_new_due(world, who, say):
    """退回整改: a term for the new due is counted and stamped; the original stays."""
    state = world.reach("returned")
    assert world.stamps == {
        "dueat": "2017-11-21T16:00:00.000000Z",
        "duecalendar": "cn/2026.1",
    }
    assert (state.returns, state.findings) == (1, 2)
    assert state.current_due == instant("2017-11-21T16:00:00Z")
    assert state.original_due == instant("2017-12-15T16:00:00Z")


@pytest.mark.parametrize(
    ("base", "changes", "code"),
    [
        ("failed", {"findings": []}, "findings_required"),
        ("failed", {"new_due": None}, "new_due_required"),
        ("failed", {"new_due": "WD16"}, "rectification_window_exceeded"),
        ("failed", {"new_due": "2017-11-13"}, "due_in_past"),
        ("failed", {"new_due": "2017-11-31"}, "due_invalid"),
        ("passed", {"findings": ["a"]}, "findings_on_pass"),
        ("passed", {"new_due": "WD5"}, "findings_on_pass"),
        ("passed", {"evidence": []}, "evidence_required"),
        ("passed", {"method": "on_site"}, "verification_place_required"),
    ],
)
def test_a_verification_is_proven_and_consistent(world, who, say, base, changes, code):
    """Findings and a due with a fail, none with a pass; a place or a document."""
    world.reach("claimed")
    data = {**getattr(say, base), **changes}
    world.refused("verification_recorded", data, code, by=who.verifier)


def test_a_verification_uses_the_claimed_checklist(world, who, say):
    """The version of the checklist is the one that was claimed with, and complete."""
    world.reach("in_progress")
    items = [{"item": "fence", "passed": True}]
    ticked = {"ref": "dust-100/2017-11", "items": items}
    world.do("completion_claimed", {**say.claim, "checklist": ticked}, by=who.lead)
    by = who.verifier
    world.refused("verification_recorded", say.passed, "checklist_mismatch", by=by)
    other = {**say.passed, "checklist": {**ticked, "ref": "dust-100/2018"}}
    world.refused("verification_recorded", other, "checklist_mismatch", by=by)
    bad = {**ticked, "items": [{"item": "fence", "passed": False}]}
    data = {**say.passed, "checklist": bad}
    world.refused("verification_recorded", data, "checklist_incomplete", by=by)
    state = world.do(
        "verification_recorded", {**say.passed, "checklist": ticked}, by=by
    )
    assert state.status == "verified"


def test_publicity_lasts_and_is_answered(world, who, say):
    """公示: the days of the kind, closed after them, objections answered."""
    world.reach("verified")
    short = {**say.public, "until": "2017-11-16"}
    by = who.office
    world.refused("publicity_opened", short, "publicity_too_short", by=by)
    done = {"objections": 1, "answered": 1}
    world.refused("publicity_closed", done, "publicity_not_open", by=by)
    world.do("publicity_opened", say.public, by=by)
    world.refused("publicity_opened", say.public, "publicity_already_opened", by=by)
    world.at("2017-11-17T23:59:59+08:00")
    world.refused("publicity_closed", done, "publicity_still_running", by=by)
    world.refused("closed", say.close, "publicity_required", by=by)
    world.at("2017-11-18T00:00:00+08:00")
    left = {"objections": 1, "answered": 0}
    world.refused("publicity_closed", left, "objections_unanswered", by=by)
    world.do("publicity_closed", done, by=by)
    assert world.do("closed", say.close, by=by).status == "closed"


def test_publicity_is_needed_where_the_kind_says(world, who, say):
    """A supervised item is not closed without publicity; a campaign task is."""
    world.reach("verified")
    world.refused("closed", say.close, "publicity_required", by=who.office)
    world.reach("verified", key="C2", kind="campaign_task", campaign="sixty")
    world.do("closed", say.close, by=who.office, key="C2")


def test_a_relapse_reopens(world, who, say):
    """反弹: a new round with a new due; the number of rounds and the close stay."""
    closed = world.reach("closed")
    by = who.lookback
    data = {"new_due": "2017-12-28", "reason": "relapse"}
    world.refused("reopened", data, "relapse_required", by=by)
    passed = {**say.relapse, "result": "passed"}
    assert world.do("lookback_recorded", passed, by=by).status == "closed"
    world.refused("reopened", data, "relapse_required", by=by)
    found = world.do("lookback_recorded", say.relapse, by=by)
    other = {**data, "lookback_event": "e1"}
    world.refused("reopened", other, "lookback_event_unknown", by=by)
    past = {**data, "new_due": "2017-11-01"}
    world.refused("reopened", past, "due_in_past", by=by)
    named = {**data, "lookback_event": found.lookback_event}
    state = world.do("reopened", named, by=by)
    assert (state.status, state.reopen_no, state.percent) == ("reopened", 1, 0)
    assert state.current_due == instant("2017-12-28T16:00:00Z")
    assert state.original_due == closed.original_due
    assert state.closed_at == closed.closed_at


def test_a_reopened_round_is_verified_anew(world, who, say):
    """The verification and publicity of the first round do not count for the second."""
    world.reach("reopened")
    state = world.do("completion_claimed", say.claim, by=who.lead)
    assert (state.verifier, state.publicity) == (None, "none")
    world.refused("closed", say.close, "invalid_transition", by=who.office)


@pytest.mark.parametrize("status", ["issued", "in_progress", "claimed", "reopened"])
def test_a_suspension_goes_back_to_where_it_was(world, who, status):
    """中止 → 恢复: the previous state; the due stays unless the kind says otherwise."""
    due = world.reach(status).current_due
    cold = {"reason_class": "weather", "reason": "cold"}
    world.do("suspended", cold, by=who.office)
    world.at("2017-12-01T09:00:00+08:00")
    state = world.do("resumed", {}, by=who.office)
    assert (state.status, state.current_due) == (status, due)
    assert state.suspended_from is None


def test_a_permits_clock_stops_by_working_days(world, who, say):
    """Four working days of suspension move the due by four working days."""
    world.do("registered", {**say.permit, "due": "2017-11-30"}, by=who.system)
    cold = {"reason_class": "litigation", "reason": "court"}
    world.do("suspended", cold, by=who.system)
    world.at("2017-11-20T09:00:00+08:00")
    state = world.do("resumed", {}, by=who.system)
    assert world.stamps == {
        "dueat": "2017-12-06T16:00:00.000000Z",
        "duecalendar": "cn/2026.1",
    }
    assert state.current_due == instant("2017-12-06T16:00:00Z")
    assert state.original_due == instant("2017-11-30T16:00:00Z")


def test_a_suspension_does_not_heal_lateness(world, who, say):
    """A due that had passed when the clock stopped stays where it was."""
    world.do("registered", {**say.permit, "due": "2017-11-01"}, by=who.system)
    cold = {"reason_class": "other", "reason": "r"}
    due = world.do("suspended", cold, by=who.system).current_due
    world.at("2017-11-27T09:00:00+08:00")
    assert world.do("resumed", {}, by=who.system).current_due == due


def test_a_cancelled_or_failed_commitment_is_over(world, who):
    """撤销, 未完成结案: with a reason, by headquarters; nothing follows but corrections."""
    for status in ("cancelled", "failed"):
        world.reach(status, key=status)
        refusal = world.refused(
            "urged", {"level": "red"}, "invalid_transition", by=who.office, key=status
        )
        assert refusal.parameters["status"] == status
        first = next(e.id for e in world.log if e.stream.endswith(status))
        fix = {"corrects": first, "reason": "slip", "changes": {"theme": "dust"}}
        assert world.do("corrected", fix, by=who.office, key=status).theme == "dust"


def test_a_successor_exists_stands_and_leads_nowhere_back(world, who):
    """并入: the target is registered, not cancelled, not this one, also by a chain."""
    for key in ("A", "B", "C"):
        world.reach("issued", key=key)
    world.reach("cancelled", key="D")
    for by, code in (
        ("Z", "successor_unknown"),
        ("D", "successor_cancelled"),
        ("A", "supersede_cycle"),
    ):
        data = {"by": by, "reason": "r"}
        world.refused("superseded", data, code, by=who.office, key="A")
    world.do("superseded", {"by": "C", "reason": "r"}, by=who.office, key="B")
    world.do("superseded", {"by": "B", "reason": "r"}, by=who.office, key="A")
    loop = {"by": "A", "reason": "r"}
    world.refused("superseded", loop, "supersede_cycle", by=who.office, key="C")
    assert world.states["commitment/A"].superseded_by == "B"


def test_a_successor_inherits_the_earliest_original_due():
    """The view of the successor takes the minimum, also where one has no due."""
    assert earliest_original_due(5, 3) == 3
    assert earliest_original_due(None, 3) == 3
    assert earliest_original_due(5, None) == 5
    assert earliest_original_due(None, None) is None


def test_a_correction_names_and_changes_something(world, who):
    """更正: in any state; not empty, not of itself; the rest stays."""
    before = world.reach("draft")
    empty = {"corrects": "e1", "reason": "r", "changes": {}}
    world.refused("corrected", empty, "correction_empty", by=who.office)
    itself = f"e{world.number + 1}"
    data = {"corrects": itself, "reason": "r", "changes": {"title": "T"}}
    world.refused("corrected", data, "correction_of_itself", by=who.office)
    state = world.do("corrected", {**data, "corrects": "e1"}, by=who.office)
    assert (state.title, state.status) == ("T", "draft")
    assert state.current_due == before.current_due


def test_publicity_follows_the_verification(world, who, say):
    """公示: what was not verified yet is not shown as done."""
    world.reach("verified")
    early = {**say.public, "from": "2017-11-13"}
    code = "publicity_before_verification"
    world.refused("publicity_opened", early, code, by=who.office)
    same_day = {**say.public, "from": "2017-11-14"}
    assert world.do("publicity_opened", same_day, by=who.office).publicity == "open"
