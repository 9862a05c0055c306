"""Guards of a commitment's beginning: registration, issue, receipt, reassignment.

Rules of this file: one function a precondition; which event has which guards is a table
in commitment_rules.py.
"""

from __future__ import annotations

from events.domain import commitment_dues as dues
from events.domain import kinds
from events.domain.commitment_case import (
    MAX_DEPTH,
    Case,
    approver_appointed,
    depth,
    due_ahead,
    heir,
    known_units,
    parent_of,
    same_person,
    within,
)
from events.domain.commitment_state import ACTIVE, Commitment
from events.domain.model import Context, Event
from events.domain.transitions import refuse
from events.entries import rfc3339


def registered_whole(kind: kinds.Kind, event: Event) -> None:
    """A registration carries all that its kind requires."""
    data = event.data
    lacks = (
        ("basis_required", kind.requires_basis and not data.basis),
        ("standard_required", kind.requires_standard and not data.standard),
        ("lead_post_required", kind.requires_lead_post and not data.lead_post),
        ("due_required", kind.requires_due and not (data.due or kind.default_due)),
        ("campaign_required", kind.requires_campaign and not data.campaign),
    )
    for code, lacking in lacks:
        if lacking:
            raise refuse(code, "/data/" + code.removesuffix("_required"), kind=kind.id)


def registered_known(kind: kinds.Kind, event: Event, ctx: Context) -> None:
    """The units, the campaign and the directive exist, and are in force."""
    data = event.data
    if data.lead_unit in data.support_units:
        raise refuse("lead_supports_itself", "/data/support_units", unit=data.lead_unit)
    if kind.requires_known_unit:
        known_units(ctx, (data.lead_unit,), "/data/lead_unit")
        known_units(ctx, data.support_units, "/data/support_units")
    _campaign_open(data.campaign, ctx)
    _directive_in_force(data.directive, ctx)


def _campaign_open(key: str | None, ctx: Context) -> None:
    if key is None:
        return
    campaign = ctx.state_of("campaign/" + key)
    if campaign is None:
        raise refuse("campaign_unknown", "/data/campaign", key, campaign=key)
    if campaign.status != "open":
        raise refuse("campaign_closed", "/data/campaign", key, campaign=key)


def _directive_in_force(key: str | None, ctx: Context) -> None:
    if key is None:
        return
    directive = ctx.state_of("directive/" + key)
    if directive is None:
        raise refuse("directive_unknown", "/data/directive", key, directive=key)
    if not directive.active:
        raise refuse("directive_not_in_force", "/data/directive", key, directive=key)


def registered_under_parent(event: Event, ctx: Context, due: int | None) -> None:
    """A part belongs to an open parent that lists it, not too deep, not due later.

    The order is: the parent's ``decomposed`` first, then each part's registration.
    """
    key, parent_key = event.stream.partition("/")[2], event.data.parent
    if parent_key is None:
        return
    parent = ctx.state_of("commitment/" + parent_key)
    if not isinstance(parent, Commitment):
        raise refuse("parent_unknown", "/data/parent", parent_key)
    if parent.status not in ACTIVE:
        raise refuse("parent_not_open", "/data/parent", status=parent.status)
    if key not in parent.children:
        raise refuse("child_not_planned", "/data/parent", parent_key, key=key)
    if depth(parent, ctx) >= MAX_DEPTH:
        raise refuse("too_deep", "/data/parent", limit=MAX_DEPTH)
    within(parent.current_due, due, "/data/due")


def issue_approved(case: Case) -> None:
    """Who drafted a commitment does not approve its issue."""
    drafter = case.state.drafter
    if case.kind.separate_approver and same_person(case, case.approver, drafter):
        raise refuse("approver_is_drafter", "/data/approver_post")
    approver_appointed(case)


def issue_lead_stands(case: Case) -> None:
    """The lead unit, or what it was merged into, still exists when it is charged."""
    if case.kind.requires_known_unit:
        known_units(case.ctx, (heir(case.ctx, case.state.lead_unit),), "/subject")


def issue_due(case: Case) -> None:
    """The due is set once, at registration or here; ahead, and within the parent's."""
    state, text = case.state, case.data.due
    was = state.original_due
    if was is not None and text is not None and dues.fixed(text) != was:
        raise refuse("due_already_set", "/data/due", original_due=rfc3339(was))
    due = issued_due(case)
    if due is None:
        if case.kind.requires_due:
            raise refuse("due_required", "/data/due", kind=case.kind.id)
        return
    due_ahead(case, due, "/data/due")
    parent = parent_of(state, case.ctx)
    within(parent.current_due if parent else None, due, "/data/due")


def issued_due(case: Case) -> int | None:
    """Return the due an issue results in: as registered, or as named or counted."""
    if case.state.original_due is not None:
        return case.state.original_due
    text = issued_text(case)
    return case.due(text, "/data/due") if text else None


def issued_text(case: Case) -> str:
    """Return the due of an issue as it was written, a term perhaps; empty: none."""
    return case.data.due or case.state.due_rule or case.kind.default_due


def rejected_in_time(case: Case) -> None:
    """A receipt is rejected within the sign window; later it is a late signature."""
    window, issued = case.kind.sign_window, case.state.issued_at
    if not window or issued is None:
        return
    if case.ctx.at >= dues.counted(window, issued, table=case.table):
        raise refuse("rejection_window_over", "/type", window=window)


def suggestion_known(case: Case) -> None:
    """A unit that is suggested instead exists."""
    suggested = case.data.suggested_unit
    if suggested is not None and case.kind.requires_known_unit:
        known_units(case.ctx, (suggested,), "/data/suggested_unit")


def old_lead_gone(case: Case) -> None:
    """Duty moves after a rejected receipt, or where the lead unit is no more."""
    lead = case.ctx.state_of("unit/" + case.state.lead_unit)
    stands = lead is None or lead.active
    if case.state.status != "rejected_receipt" and stands:
        raise refuse("lead_stands", "/type", lead=case.state.lead_unit)


def new_lead(case: Case) -> None:
    """A reassignment names another duty holder, a unit that exists."""
    state, data = case.state, case.data
    if (data.lead_unit, data.lead_post) == (state.lead_unit, state.lead_post):
        raise refuse("same_lead", "/data/lead_unit", unit=data.lead_unit)
    if case.kind.requires_lead_post and not data.lead_post:
        raise refuse("lead_post_required", "/data/lead_post", kind=case.kind.id)
    if case.kind.requires_known_unit:
        known_units(case.ctx, (data.lead_unit,), "/data/lead_unit")
