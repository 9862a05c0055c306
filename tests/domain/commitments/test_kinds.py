"""Kinds: the same machine under other policies, built in and published at run time."""

from __future__ import annotations

import msgspec

from events.domain import kinds
from events.entries import instant


def _later(name, **changes):
    kind = kinds.built_in()[name.partition(".")[0]]
    return msgspec.structs.replace(kind, name=name, **{"version": 2, **changes})


def test_a_permit_starts_at_once_and_needs_little(world, who, say):
    """No basis, standard, post, due, receipt, evidence or verification."""
    state = world.do("registered", say.permit, by=who.system)
    assert (state.status, state.original_due) == ("in_progress", None)
    assert world.stamps == {"policyversion": "permit@1"}
    state = world.do("progress_reported", {"text": "T02 check"}, by=who.system)
    assert state.status == "in_progress"
    assert world.do("closed", {"outcome": "granted"}, by=who.system).status == "closed"


def test_a_permit_is_closed_by_whom_it_was_claimed(world, who, say):
    """Also from claimed, without a second person."""
    world.do("registered", say.permit, by=who.system)
    world.do("completion_claimed", {"text": "done"}, by=who.system)
    assert world.do("closed", {}, by=who.system).status == "closed"


def test_a_permit_may_be_late_when_it_is_registered(world, who, say):
    """A log of what has been is recorded as it was."""
    data = {**say.permit, "due": "2011-12-06T13:41:31.788+01:00"}
    state = world.do("registered", data, by=who.system)
    assert state.original_due == instant("2011-12-06T12:41:31.788Z")
    assert "dueat" not in world.stamps


def test_a_permit_with_a_term_counts_from_registration(world, who, say):
    """There is no issue to count from; the term is resolved and stamped."""
    state = world.do("registered", {**say.permit, "due": "D30"}, by=who.system)
    assert world.stamps["dueat"] == "2017-12-14T16:00:00.000000Z"
    assert state.original_due == instant("2017-12-14T16:00:00Z")


def test_a_permits_later_activities_change_nothing(world, who, say):
    """Recorded after the close they are taken, and the state is the very same."""
    world.do("registered", say.permit, by=who.system)
    closed = world.do("closed", {}, by=who.system)
    late = {"text": "T20 print report", "percent": 3}
    assert world.do("progress_reported", late, by=who.system) is closed
    world.refused("closed", {}, "invalid_transition", by=who.system)


def test_a_permits_unit_is_known(world, who, say):
    """It is the one thing that a permit cannot do without."""
    data = {**say.permit, "lead_unit": "nobody"}
    world.refused("registered", data, "unit_unknown", by=who.system)


def test_a_rectification_has_a_rule_for_its_due(world, who, say):
    """Fifteen working days from the issue where no due is named."""
    data = {**say.registered, "kind": "rectification", "due": None}
    world.do("registered", data, by=who.drafter)
    world.do("issued", {}, by=who.office)
    assert world.stamps == {
        "dueat": "2017-12-05T16:00:00.000000Z",
        "duecalendar": "cn/2026.1",
    }


def test_an_urgent_order_runs_in_hours_and_is_not_extended(world, who, say):
    """Two hours from the issue, to the second, day and night."""
    data = {**say.registered, "kind": "urgent", "due": None}
    world.do("registered", data, by=who.drafter)
    world.at("2017-12-02T23:30:00+08:00")
    state = world.do("issued", {}, by=who.office)
    assert state.original_due == instant("2017-12-02T17:30:00Z")
    world.do("signed_for", {}, by=who.lead)
    world.do("progress_reported", {"text": "x", "evidence": say.proof}, by=who.lead)
    world.refused("extension_requested", say.extension, "extension_limit", by=who.lead)


def test_a_published_version_goes_before_the_built_in(world, put_kind, who, say):
    """New registrations take it; the old ones keep the version they began under."""
    world.do("registered", say.permit, by=who.system, key="old")
    strict = _later("permit", evidence_progress=1)
    put_kind(strict)
    world.do("registered", say.permit, by=who.system, key="new")
    assert world.stamps == {"policyversion": "permit@2"}
    told = {"text": "x"}
    world.do("progress_reported", told, by=who.system, key="old")
    code = "evidence_required"
    world.refused("progress_reported", told, code, by=who.system, key="new")


def test_a_version_can_be_pinned(world, put_kind, who, say):
    """`permit@1` stays what it was when permit@2 is out."""
    put_kind(_later("permit", evidence_progress=1))
    world.do("registered", {**say.permit, "kind": "permit@1"}, by=who.system)
    assert world.stamps == {"policyversion": "permit@1"}
    assert world.do("progress_reported", {"text": "x"}, by=who.system).percent == 0


def test_a_specialised_kind_enters_like_its_base(world, put_kind, who, say):
    """`permit.felling` folds without a look into its policy."""
    put_kind(_later("permit.felling"))
    data = {**say.permit, "kind": "permit.felling"}
    assert world.do("registered", data, by=who.system).status == "in_progress"
    assert world.stamps == {"policyversion": "permit.felling@2"}


def test_a_kind_that_one_person_published_is_not_in_force(world, put_kind, who, say):
    """Nobody registers under it; the built-in version goes on."""
    put_kind(_later("permit", evidence_progress=1), activated_at=None)
    put_kind(_later("permit.felling"), activated_at=None)
    world.do("registered", say.permit, by=who.system)
    assert world.stamps == {"policyversion": "permit@1"}
    for kind in ("permit@2", "permit.felling", "permit.felling@2"):
        data = {**say.permit, "kind": kind}
        world.refused("registered", data, "kind_unknown", by=who.system, key="no")


def test_a_retired_kind_stays_that_of_its_commitments(world, put_kind, who, say):
    """Nothing new is registered under it; what was goes on as it began."""
    strict = _later("permit", evidence_progress=1)
    put_kind(strict)
    world.do("registered", say.permit, by=who.system, key="old")
    put_kind(strict, valid_to=world.now)
    world.do("registered", say.permit, by=who.system, key="new")
    assert world.stamps == {"policyversion": "permit@1"}
    told = {"text": "x"}
    code = "evidence_required"
    world.refused("progress_reported", told, code, by=who.system, key="old")
    world.do("progress_reported", told, by=who.system, key="new")


def test_a_kind_is_not_in_force_before_its_own_instant(world, put_kind, who, say):
    """Activated today, valid from tomorrow: today the version before it counts."""
    put_kind(_later("permit"), valid_from=world.now + 1)
    world.do("registered", say.permit, by=who.system, key="today")
    assert world.stamps == {"policyversion": "permit@1"}
    world.now += 1
    world.do("registered", say.permit, by=who.system, key="tomorrow")
    assert world.stamps == {"policyversion": "permit@2"}
