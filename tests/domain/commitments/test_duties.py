"""Separation of duties (domain.md 2.7): who did one thing does not do the other."""

from __future__ import annotations

import msgspec
import pytest

from events.domain.kinds import built_in
from events.domain.model import Actor


def _as(actor: Actor, **changes) -> Actor:
    fields = {name: getattr(actor, name) for name in Actor.__slots__}
    return Actor(**{**fields, **changes})


def test_the_drafter_does_not_approve_the_issue(world, who):
    """Neither by submitting nor by being named; another approver makes it right."""
    world.reach("draft")
    world.refused("issued", {}, "approver_is_drafter", by=who.drafter)
    named = {"approver_post": "clerk"}
    world.refused("issued", named, "approver_is_drafter", by=who.office)
    state = world.do("issued", {"approver_post": "chief"}, by=who.drafter)
    assert state.issuer == "post:chief"


def test_a_person_is_a_post_or_else_a_key(world, who):
    """Another key with the same post is the same person."""
    world.reach("draft")
    twin = _as(who.drafter, key="another-key")
    world.refused("issued", {}, "approver_is_drafter", by=twin)


def test_a_key_without_a_post_is_a_person(world, who, say):
    """Where there is no post, the key is compared."""
    nameless = _as(who.drafter, post=None)
    world.do("registered", say.registered, by=nameless)
    world.refused("issued", {}, "approver_is_drafter", by=nameless)
    world.do("issued", {}, by=_as(nameless, key="k2"))


def test_the_requester_does_not_answer_the_extension(world, who, say):
    """Neither grants nor denies, neither as actor nor as the named approver."""
    world.reach("in_progress")
    world.do("extension_requested", say.extension, by=who.lead_2)
    by, code = who.lead_2, "approver_is_requester"
    world.refused("extension_granted", {}, code, by=by)
    world.refused("extension_granted", {"approver_post": "chief"}, code, by=by)
    world.refused("extension_granted", {"approver_post": "deputy"}, code, by=who.office)
    world.refused("extension_denied", {"reason": "no"}, code, by=by)
    world.do("extension_granted", {}, by=who.office)


def test_the_verifier_is_of_another_unit(world, who, say):
    """Not the lead's, not the claimer's, and not of no unit at all."""
    world.reach("claimed")
    code = "verifier_not_independent"
    world.refused("verification_recorded", say.passed, code, by=who.lead_2)
    nowhere = _as(who.verifier, unit=None)
    world.refused("verification_recorded", say.passed, code, by=nowhere)
    world.refused("verification_recorded", say.failed, code, by=who.lead_2)


def test_the_claimer_does_not_verify_from_another_unit(world, who, say):
    """The same post in another unit's name is still the claimer."""
    world.reach("claimed")
    moved = _as(who.verifier, post="head")
    world.refused("verification_recorded", say.passed, "verifier_is_claimer", by=moved)


@pytest.fixture
def verified(world):
    """A campaign task: no publicity between verification and close."""
    world.reach("verified", kind="campaign_task", campaign="sixty")
    return world


def test_the_verifier_does_not_close(verified, who, say):
    """Neither alone nor with an approver."""
    verified.refused("closed", say.close, "closer_is_verifier", by=who.verifier)


def test_two_persons_close(verified, who, say):
    """An approver is named, who is neither the closer nor the verifier."""
    by = who.office
    verified.refused("closed", {}, "approver_required", by=by)
    code = "approver_not_independent"
    verified.refused("closed", {"approver_post": "chief"}, code, by=by)
    verified.refused("closed", {"approver_post": "verifier"}, code, by=by)
    assert verified.do("closed", say.close, by=by).closed_by == "post:chief"


def test_no_close_without_an_independent_verification(world, put_kind, who, say):
    """I2, where a policy was published past the check of kinds."""
    loose = msgspec.structs.replace(
        built_in()["campaign_task"], version=2, closes_from=("in_progress",)
    )
    put_kind(loose)
    world.reach("in_progress", kind="campaign_task", campaign="sixty")
    world.refused("closed", say.close, "verification_required", by=who.office)


def test_the_verifier_does_not_look_back(world, who, say):
    """Neither records it, nor is in the team, nor reopens on it."""
    world.reach("closed")
    code = "verifier_in_lookback_team"
    world.refused("lookback_recorded", say.relapse, code, by=who.verifier)
    team = {**say.relapse, "team": ["looker", "verifier"]}
    world.refused("lookback_recorded", team, code, by=who.lookback)
    world.do("lookback_recorded", say.relapse, by=who.lookback)
    data = {"new_due": "WD10", "reason": "r"}
    world.refused("reopened", data, code, by=who.verifier)


def test_the_issuer_does_not_cancel(world, who):
    """A superior does; a draft is not cancelled by its drafter."""
    world.reach("issued")
    chief = _as(who.boss, post="chief")
    code = "approver_is_issuer"
    world.refused("cancelled", {"reason": "r"}, code, by=chief)
    named = {"reason": "r", "approver_post": "chief"}
    world.refused("cancelled", named, code, by=who.boss)
    world.do("cancelled", {"reason": "r"}, by=who.boss)
    world.reach("draft", key="C2")
    clerk = _as(who.boss, post="clerk")
    world.refused("cancelled", {"reason": "r"}, code, by=clerk, key="C2")


def test_two_posts_of_one_person_are_one_person(verified, who, say):
    """Separation of duties is between people: who holds both posts is one of them."""
    verified.appoint("director", person="p:chief")
    code = "approver_not_independent"
    verified.refused("closed", say.close, code, by=who.office)
    verified.appoint("director", person="p:verifier")
    verified.refused("closed", say.close, code, by=who.office)
    verified.appoint("chief", person="p:verifier")
    verified.refused("closed", say.close, "closer_is_verifier", by=who.office)
    verified.appoint("chief")
    verified.appoint("director")
    assert verified.do("closed", say.close, by=who.office).status == "closed"


def test_one_person_under_two_posts_holds_no_two_duties(world, who, say):
    """The same for issue, extension, verification, cancellation and look-back."""
    world.reach("draft")
    world.appoint("chief", person="p:clerk")
    world.refused("issued", {}, "approver_is_drafter", by=who.office)
    world.appoint("chief")
    world.reach("in_progress", key="C2")
    world.do("extension_requested", say.extension, by=who.lead_2, key="C2")
    world.appoint("chief", person="p:deputy")
    by, key = who.office, "C2"
    world.refused("extension_granted", {}, "approver_is_requester", by=by, key=key)
    world.appoint("chief")
    world.reach("issued", key="C3")
    world.appoint("director", person="p:chief")
    cancel = {"reason": "r"}
    world.refused("cancelled", cancel, "approver_is_issuer", by=who.boss, key="C3")
    world.appoint("director")
    world.reach("closed", key="C4")
    world.appoint("looker", person="p:verifier")
    by, key, code = who.lookback, "C4", "verifier_in_lookback_team"
    world.refused("lookback_recorded", say.relapse, code, by=by, key=key)


def test_a_named_person_is_known_by_that_name(world, who, say):
    """A system that says who acted is taken at its word: the holder of the post."""
    world.reach("claimed")
    world.appoint("head", person="p:7")
    moved = _as(who.verifier, person="p:7")
    world.refused("verification_recorded", say.passed, "verifier_is_claimer", by=moved)


def test_a_supporting_unit_owns_its_sub_task(world, who, say):
    """协办: signs for and claims the part it leads, and not the whole."""
    inspector = _as(who.support, roles=frozenset({"support"}))
    world.reach("issued", lead_unit="city", lead_post="inspector", support_units=[])
    assert world.do("signed_for", {}, by=inspector).status == "signed"
    world.reach("issued", key="C2")
    world.refused("signed_for", {}, "not_lead_unit", by=inspector, key="C2")
