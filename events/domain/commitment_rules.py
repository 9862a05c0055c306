"""Whether an event may happen to a commitment: the table of guards, and decide.

Rules of this file: decide is pure and reads nothing but its arguments. Roles are
checked before it, against the catalogue; here it is state, kind, unit and person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from events.domain import commitment_dues as dues
from events.domain import commitment_entry as entry
from events.domain import commitment_settlement as settlement
from events.domain import commitment_work as work
from events.domain import kinds
from events.domain.commitment_case import (
    Case,
    Guard,
    by_lead,
    by_lead_or_support,
    children_final,
)
from events.domain.commitment_payloads import type_name
from events.domain.commitment_state import Commitment
from events.domain.model import Context, Event, Stamps
from events.domain.transitions import refuse
from events.entries import rfc3339

_REGISTERED = type_name("registered")
_PROGRESS = type_name("progress_reported")
_NOTHING: Stamps = MappingProxyType({})

_GUARDS: Mapping[str, tuple[Guard, ...]] = {
    type_name(name): guards
    for name, guards in {
        "issued": (
            entry.issue_approved,
            entry.issue_lead_stands,
            entry.issue_due,
        ),
        "signed_for": (by_lead,),
        "receipt_rejected": (
            by_lead,
            entry.rejected_in_time,
            entry.suggestion_known,
        ),
        "reassigned": (entry.old_lead_gone, entry.new_lead),
        "plan_filed": (by_lead, work.milestones_fit),
        "decomposed": (by_lead, work.parts_fit, work.parts_own, work.parts_kept),
        "progress_reported": (
            by_lead_or_support,
            work.planned_first,
            work.progress_forward,
            work.progress_evidence,
        ),
        "extension_requested": (by_lead, work.extension_in_time, work.extension_later),
        "extension_granted": (
            work.extension_answered_by_another,
            work.extension_grantable,
        ),
        "extension_denied": (work.extension_answered_by_another,),
        "urged": (work.urge_not_lowered,),
        "completion_claimed": (
            by_lead,
            children_final,
            work.claim_shown,
            work.findings_answered,
        ),
        "completion_withdrawn": (by_lead,),
        "verification_recorded": (
            settlement.verifier_independent,
            settlement.verification_result,
            settlement.verification_proven,
            settlement.verification_checklist,
        ),
        "publicity_opened": (settlement.publicity_lasts,),
        "publicity_closed": (settlement.publicity_over,),
        "closed": (
            children_final,
            settlement.close_settled,
            settlement.close_by_two,
        ),
        "lookback_recorded": (settlement.lookback_independent,),
        "reopened": (
            settlement.reopen_founded,
            settlement.reopen_under_parent,
            settlement.reopen_due,
        ),
        "suspended": (),
        "resumed": (),
        "cancelled": (settlement.cancelled_by_another,),
        "superseded": (settlement.successor_fit,),
        "failed": (settlement.failed_for_cause,),
        "corrected": (
            settlement.correction_says_something,
            settlement.correction_keeps_owner,
            settlement.correction_fits,
        ),
    }.items()
}


def decide(state: Commitment | None, event: Event, ctx: Context) -> Stamps:
    """Return the stamps of an event that may happen now; else ``errors.Refused``.

    ``policyversion`` is stamped at registration, ``dueat`` wherever a due is counted.
    """
    if event.type == _REGISTERED:
        return _register(state, event, ctx)
    if state is None:
        raise refuse("commitment_unknown", "/subject", event.stream)
    case = Case(state, event, ctx, kinds.of_state(state.policy, ctx))
    settlement.in_right_state(case)
    if state.status == "closed" and event.type == _PROGRESS:
        return _NOTHING
    for guard in _GUARDS[event.type]:
        guard(case)
    counted = _COUNTED.get(event.type)
    due = counted(case) if counted else None
    return _NOTHING if due is None else {"dueat": rfc3339(due)}


def _register(state: Commitment | None, event: Event, ctx: Context) -> Stamps:
    if state is not None:
        raise refuse("commitment_exists", "/subject", event.stream)
    kind = kinds.current(event.data.kind, ctx)
    entry.registered_whole(kind, event)
    entry.registered_known(kind, event, ctx)
    due, is_counted = _registered_due(kind, event, ctx)
    if due is not None and due <= ctx.at and not kind.past_due_allowed:
        raise refuse("due_in_past", "/data/due", due=rfc3339(due), at=rfc3339(ctx.at))
    entry.registered_under_parent(event, ctx, due)
    stamps = {"policyversion": kind.id}
    if due is not None and is_counted:
        stamps["dueat"] = rfc3339(due)
    return stamps


def _registered_due(
    kind: kinds.Kind, event: Event, ctx: Context
) -> tuple[int | None, bool]:
    """Return the due, and whether it was counted; a draft counts from its issue."""
    text = event.data.due or kind.default_due
    if not text:
        return None, False
    is_counted = dues.is_term(text)
    if is_counted and kind.entry_state == "draft":
        return None, True
    return dues.resolved(text, ctx.at, "/data/due"), is_counted


def _issue_counted(case: Case) -> int | None:
    text = case.data.due
    if case.state.original_due is not None or (text and not dues.is_term(text)):
        return None
    return entry.issued_due(case)


def _new_due_counted(case: Case) -> int | None:
    text = case.data.new_due
    return dues.counted(text, case.ctx.at) if text and dues.is_term(text) else None


def _resume_shifted(case: Case) -> int | None:
    """Return the due after a suspension that stopped the clock, where it moved."""
    due, paused = case.state.current_due, case.state.suspended_at
    if not case.kind.suspension_pauses_clock or due is None or paused is None:
        return None
    moved = dues.shifted(due, paused=paused, resumed=case.ctx.at)
    return None if moved == due else moved


#: The events that may count a due of their own.
_COUNTED: Mapping[str, Callable[[Case], int | None]] = {
    type_name("issued"): _issue_counted,
    type_name("verification_recorded"): _new_due_counted,
    type_name("reopened"): _new_due_counted,
    type_name("resumed"): _resume_shifted,
}
