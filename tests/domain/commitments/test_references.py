"""What a commitment names exists: campaigns, directives, posts, units, events."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest

from events.domain.organisation import Unit


def _merge(world, unit, into):
    world.states[f"unit/{unit}"] = replace(
        world.states[f"unit/{unit}"], status="merged", merged_into=into
    )


def _end(world, unit):
    world.states[f"unit/{unit}"] = Unit(status="ended", name=unit)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"campaign": "none"}, "campaign_unknown"),
        ({"campaign": "over"}, "campaign_closed"),
        ({"directive": "none"}, "directive_unknown"),
        ({"directive": "old"}, "directive_not_in_force"),
    ],
)
def test_a_registration_cites_what_is_in_force(world, who, say, changes, code):
    """Also where the kind needs neither a campaign nor a directive."""
    world.states["campaign/over"] = SimpleNamespace(status="closed")
    world.states["directive/old"] = SimpleNamespace(active=False)
    refusal = world.refused(
        "registered", {**say.registered, **changes}, code, by=who.drafter
    )
    assert refusal.faults[0].pointer == f"/data/{next(iter(changes))}"
    good = {**say.registered, "campaign": "sixty", "directive": "D1"}
    assert world.do("registered", good, by=who.drafter).directive == "D1"


def test_an_approving_post_is_held_by_somebody(world, who, say):
    """A post nobody heard of, or that is vacant, approves nothing."""
    world.reach("draft")
    nobody = {"approver_post": "invented"}
    world.refused("issued", nobody, "post_unknown", by=who.office)
    world.states["post/empty"] = SimpleNamespace(holding_at=lambda _at: None)
    empty = {"approver_post": "empty"}
    world.refused("issued", empty, "post_vacant", by=who.office)
    world.reach("in_progress", key="C2")
    world.do("extension_requested", say.extension, by=who.lead, key="C2")
    by, key = who.office, "C2"
    world.refused("extension_granted", nobody, "post_unknown", by=by, key=key)
    denied = {**empty, "reason": "r"}
    world.refused("extension_denied", denied, "post_vacant", by=by, key=key)
    cancel = {**nobody, "reason": "r"}
    world.refused("cancelled", cancel, "post_unknown", by=who.boss, key=key)
    world.reach("verified", key="C3", kind="campaign_task", campaign="sixty")
    world.refused("closed", nobody, "post_unknown", by=who.office, key="C3")


def test_a_permit_names_any_post(world, who, say):
    """Its own system knows its posts; ours need not."""
    world.do("registered", say.permit, by=who.system)
    closed = world.do("closed", {"approver_post": "invented"}, by=who.system)
    assert closed.status == "closed"


def test_a_looking_post_is_held_by_somebody(world, who, say):
    """The team of a look-back consists of posts that are held."""
    world.reach("closed")
    ghosts = {**say.relapse, "team": ["looker", "invented"]}
    refusal = world.refused(
        "lookback_recorded", ghosts, "post_unknown", by=who.lookback
    )
    assert refusal.faults[0].pointer == "/data/team"


def test_a_unit_that_ended_is_not_charged(world, who):
    """Between draft and issue the lead unit may have ended."""
    world.reach("draft")
    _end(world, "gouzhao")
    world.refused("issued", {}, "unit_not_active", by=who.office)


def test_the_heir_of_a_merged_unit_leads_on(world, who, say):
    """Open commitments move with the merger, through as many as there were."""
    world.reach("in_progress")
    shown = {"text": "x", "evidence": say.proof}
    world.refused("completion_claimed", say.claim, "not_lead_unit", by=who.other)
    world.refused("progress_reported", shown, "not_owner_unit", by=who.other)
    _merge(world, "gouzhao", "hq")
    _merge(world, "hq", "fengyang")
    world.do("progress_reported", shown, by=who.other)
    assert world.do("completion_claimed", say.claim, by=who.other).status == "claimed"


def test_the_heir_of_a_supporting_unit_reports(world, who, say):
    """What a supporting unit was merged into reports in its place, and no more."""
    world.reach("in_progress")
    _merge(world, "city", "fengyang")
    shown = {"text": "x", "evidence": say.proof}
    world.do("progress_reported", shown, by=who.other)
    world.refused("completion_claimed", say.claim, "not_lead_unit", by=who.other)


def test_a_merger_makes_no_verifier_independent(world, who, say):
    """Units that have become one do not verify each other's work."""
    code = "verifier_not_independent"
    for key, gone, into in (("C1", "gouzhao", "bureau"), ("C2", "bureau", "gouzhao")):
        before = dict(world.states)
        world.reach("claimed", key=key)
        _merge(world, gone, into)
        by = who.verifier
        world.refused("verification_recorded", say.passed, code, by=by, key=key)
        world.states = before


def test_an_orphaned_commitment_is_reassigned(world, who, say):
    """Where the lead unit is no more the office charges another, which signs anew."""
    world.reach("in_progress")
    world.do("extension_requested", say.extension, by=who.lead)
    new = {"lead_unit": "city", "lead_post": "head", "reason": "the office was ended"}
    world.refused("reassigned", new, "lead_stands", by=who.office)
    _end(world, "gouzhao")
    state = world.do("reassigned", new, by=who.office)
    assert (state.status, state.lead_unit, state.planned) == ("issued", "city", False)
    assert (state.support_units, state.pending_extension) == ((), None)
    assert world.do("signed_for", {}, by=who.support).status == "signed"


def test_a_suggested_unit_exists(world, who):
    """Who declines suggests a unit that there is."""
    world.reach("issued")
    data = {"reason": "not ours", "suggested_unit": "nobody"}
    world.refused("receipt_rejected", data, "unit_unknown", by=who.lead)


def test_a_correction_names_an_event_of_the_commitment(world, who):
    """Neither an id that nobody used nor an event of another commitment."""
    world.reach("issued")
    other = world.reach("draft", key="C2")
    assert other.status == "draft"
    data = {"reason": "r", "changes": {"title": "T"}}
    for wrong in ("e99", world.log[-1].id):
        fix = {**data, "corrects": wrong}
        refusal = world.refused("corrected", fix, "corrected_unknown", by=who.office)
        assert refusal.faults[0].pointer == "/data/corrects"
    assert world.do("corrected", {**data, "corrects": "e1"}, by=who.office).title == "T"


def test_a_correction_leaves_the_owner_on_duty(world, who):
    """A responsible post is corrected in a draft, and not after the issue."""
    fix = {"corrects": "e1", "reason": "r", "changes": {"lead_post": "deputy"}}
    world.reach("draft")
    assert world.do("corrected", fix, by=who.office).lead_post == "deputy"
    world.do("issued", {}, by=who.office)
    world.refused("corrected", fix, "owner_not_correctable", by=who.office)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"done": 91}, "done_exceeds_total"),
        ({"campaign": "none"}, "campaign_unknown"),
        ({"directive": "none"}, "directive_unknown"),
    ],
)
def test_a_corrected_value_is_possible(world, who, say, changes, code):
    """A correction does not say what a report or a registration could not."""
    world.reach("in_progress")
    counted = {"text": "x", "done": 45, "total": 90, "evidence": say.proof}
    world.do("progress_reported", counted, by=who.lead)
    fix = {"corrects": "e1", "reason": "r", "changes": changes}
    world.refused("corrected", fix, code, by=who.office)
    right = {"done": 90, "campaign": "sixty", "directive": "D1"}
    assert world.do("corrected", {**fix, "changes": right}, by=who.office).done == 90


def test_a_campaign_takes_its_tasks_down_only_at_its_end(world, who):
    """未完成结案 for the end of the campaign: after its last day, or once it closed."""
    ended = {"reason": "12 left", "cause": "campaign_ended"}
    code = "campaign_not_ended"
    world.reach("issued", campaign="sixty")
    world.refused("failed", ended, code, by=who.boss)
    world.reach("issued", key="C2")
    world.refused("failed", ended, code, by=who.boss, key="C2")
    world.at("2018-01-01T00:00:00+08:00")
    assert world.do("failed", ended, by=who.boss).status == "failed"
    world.at("2017-12-01T00:00:00+08:00")
    world.reach("issued", key="C3", campaign="sixty")
    closed = SimpleNamespace(status="closed", end=date(2017, 12, 31))
    world.states["campaign/sixty"] = closed
    world.do("failed", ended, by=who.boss, key="C3")
    with_reason = {"reason": "the street was flooded"}
    assert world.do("failed", with_reason, by=who.boss, key="C2").status == "failed"
