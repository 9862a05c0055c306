"""Whether an event may happen to a commitment: the table of guards, and decide.

Rules of this file: decide is pure and reads nothing but its arguments. Roles are
checked before it, against the catalogue; here it is state, kind, unit and person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from events.domain import calendars, kinds
from events.domain import commitment_dues as dues
from events.domain import commitment_entry as entry
from events.domain import commitment_settlement as settlement
from events.domain import commitment_work as work
from events.domain.commitment_case import (
    Case,
    Guard,
    by_lead,
    by_lead_or_support,
    children_final,
    resolved_due,
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

    ``policyversion`` is stamped at registration, ``dueat`` wherever a due is counted,
    and ``duecalendar`` ("cn/2026.1") where it is counted in working days.
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
    return _stamps(counted(case) if counted else None, ctx)


def _register(state: Commitment | None, event: Event, ctx: Context) -> Stamps:
    if state is not None:
        raise refuse("commitment_exists", "/subject", event.stream)
    kind = kinds.current(event.data.kind, ctx)
    entry.registered_whole(kind, event)
    entry.registered_known(kind, event, ctx)
    text = _registered_due(kind, event)
    due = resolved_due(ctx, text, "/data/due") if text else None
    if due is not None and due <= ctx.at and not kind.past_due_allowed:
        raise refuse("due_in_past", "/data/due", due=rfc3339(due), at=rfc3339(ctx.at))
    entry.registered_under_parent(event, ctx, due)
    return {"policyversion": kind.id, **_stamps(_counted(text, due), ctx)}


def _registered_due(kind: kinds.Kind, event: Event) -> str:
    """Return the due as written; empty: none yet, a draft counts from its issue."""
    text: str = event.data.due or kind.default_due
    later = kind.entry_state == "draft" and text and dues.is_term(text)
    return "" if later else text


class _Counted(NamedTuple):
    """A due that was counted (µs), and whether in working days."""

    at: int
    in_working_days: bool


def _stamps(counted: _Counted | None, ctx: Context) -> Stamps:
    if counted is None:
        return _NOTHING
    stamps = {"dueat": rfc3339(counted.at)}
    if counted.in_working_days:
        stamps["duecalendar"] = calendars.current(ctx).label
    return stamps


def _counted(text: str | None, due: int | None) -> _Counted | None:
    """Return the due that a text gave, if the text is a term."""
    if not text or due is None or not dues.is_term(text):
        return None
    return _Counted(due, dues.is_in_working_days(text))


def _issue_counted(case: Case) -> _Counted | None:
    if case.state.original_due is not None:
        return None
    return _counted(entry.issued_text(case), entry.issued_due(case))


def _new_due_counted(case: Case) -> _Counted | None:
    text = case.data.new_due
    return _counted(text, case.due(text, "/data/new_due")) if text else None


def _resume_shifted(case: Case) -> _Counted | None:
    """Return the due after a suspension that stopped the clock, where it moved."""
    due, paused = case.state.current_due, case.state.suspended_at
    if not case.kind.suspension_pauses_clock or due is None or paused is None:
        return None
    moved = dues.shifted(due, paused=paused, resumed=case.ctx.at, table=case.table)
    return None if moved == due else _Counted(moved, in_working_days=True)


#: The events that may count a due of their own.
_COUNTED: Mapping[str, Callable[[Case], _Counted | None]] = {
    type_name("issued"): _issue_counted,
    type_name("verification_recorded"): _new_due_counted,
    type_name("reopened"): _new_due_counted,
    type_name("resumed"): _resume_shifted,
}
