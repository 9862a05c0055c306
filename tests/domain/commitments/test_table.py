"""The table of transitions, drawn completely: every state times every event."""

from __future__ import annotations

import msgspec
import pytest

from events.domain import commitments
from events.domain.commitment_payloads import PAYLOADS, type_name
from events.domain.kinds import built_in
from events.errors import Refused

#: domain.md 2.3, read by hand: event -> the states it may happen in (supervision).
ACTIVE = {
    "issued", "rejected_receipt", "signed", "in_progress", "claimed", "returned",
    "verified", "reopened",
}  # fmt: skip
WORKING = {"in_progress", "returned", "reopened"}
EXPECTED = {
    "registered": set(),
    "issued": {"draft"},
    "signed_for": {"issued"},
    "receipt_rejected": {"issued"},
    "reassigned": WORKING | {"rejected_receipt", "issued", "signed"},
    "plan_filed": {"signed", "in_progress", "reopened"},
    "decomposed": {"signed", "in_progress", "reopened"},
    "progress_reported": WORKING | {"signed"},
    "extension_requested": WORKING,
    "extension_granted": WORKING,
    "extension_denied": WORKING,
    "urged": ACTIVE,
    "completion_claimed": WORKING,
    "completion_withdrawn": {"claimed"},
    "verification_recorded": {"claimed"},
    "publicity_opened": {"verified"},
    "publicity_closed": {"verified"},
    "closed": {"verified"},
    "lookback_recorded": {"closed"},
    "reopened": {"closed"},
    "suspended": ACTIVE,
    "resumed": {"suspended"},
    "cancelled": ACTIVE | {"draft", "suspended"},
    "superseded": ACTIVE | {"draft", "suspended"},
    "failed": ACTIVE | {"suspended"},
    "corrected": set(commitments.STATUSES),
}
_FIRST = {row.name: row.examples[0] for row in commitments.EVENT_TYPES}


@pytest.mark.parametrize("status", commitments.STATUSES)
@pytest.mark.parametrize("what", EXPECTED)
def test_a_step_is_in_the_table_or_refused(world, who, what, status):
    """Each state times each event is allowed as the table says, or refused as such."""
    world.reach(status)
    event = world.event(what, _FIRST[type_name(what)], who.boss, "C1")
    try:
        world.decide(event)
        code = "allowed"
    except Refused as refusal:
        code, parameters = refusal.code, refusal.parameters
    if what == "registered":
        assert code == "commitment_exists"
    elif status in EXPECTED[what]:
        assert code not in {"invalid_transition", "commitment_exists"}
    else:
        assert code == "invalid_transition"
        assert parameters["status"] == status
        assert parameters["event"] == type_name(what)
        assert parameters["allowed"] == sorted(EXPECTED[what])


@pytest.mark.parametrize("what", sorted(set(EXPECTED) - {"registered"}))
def test_nothing_happens_to_what_was_not_registered(world, who, what):
    """An event on a number nobody registered is refused."""
    world.refused(what, _FIRST[type_name(what)], "commitment_unknown", by=_all(who))


def _all(who):
    roles = frozenset().union(*(row.roles for row in commitments.EVENT_TYPES))
    return type(who.boss)(key="k", unit="hq", post="director", roles=roles)


def test_every_status_is_reached_and_named(world):
    """There is no status in the table that no commitment can be in."""
    for number, status in enumerate(commitments.STATUSES):
        assert world.reach(status, key=f"C{number}").status == status
    for transition in commitments.TRANSITIONS.values():
        assert transition.when <= set(commitments.STATUSES)


def test_the_kind_narrows_the_table():
    """Closing and recording after the close are as the kind says."""
    from events.domain.commitment_state import allowed_in

    permit, full = built_in()["permit"], built_in()["supervision"]
    close, progress = type_name("closed"), type_name("progress_reported")
    assert allowed_in(close, full) == {"verified"}
    assert {"in_progress", "claimed"} <= allowed_in(close, permit)
    assert "closed" in allowed_in(progress, permit)
    assert "closed" not in allowed_in(progress, full)
    assert "closed" not in allowed_in(close, permit)


def test_payloads_are_the_catalogues():
    """The struct in the catalogue is the struct the projections import."""
    for row in commitments.EVENT_TYPES:
        assert row.data is PAYLOADS[row.name]
        assert issubclass(row.data, msgspec.Struct)
