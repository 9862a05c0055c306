"""The fold of a commitment: what each accepted event changes.

Rules of this file: it never refuses. Whatever was accepted once folds for ever, without
a look into another stream, a calendar or a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from events.domain import commitment_dues as dues
from events.domain import kinds
from events.domain.commitment_payloads import type_name
from events.domain.commitment_state import (
    TRANSITIONS,
    URGE_LEVELS,
    Commitment,
    Extension,
    person_of,
)
from events.domain.model import Event

_REGISTERED = type_name("registered")
_PROGRESS = type_name("progress_reported")


def due_of(event: Event, text: str | None) -> int | None:
    """Return the due an event set: stamped where it was a term, else as written."""
    if event.due_at is not None:
        return event.due_at
    return dues.fixed(text) if text else None


def begin(event: Event) -> Commitment:
    """Return the state after ``registered``."""
    data = event.data
    policy = event.policy or data.kind
    due = due_of(event, data.due)
    return Commitment(
        status=kinds.entry_state(policy),
        policy=policy,
        title=data.title,
        lead_unit=data.lead_unit,
        lead_post=data.lead_post,
        support_units=tuple(data.support_units),
        drafter=person_of(event.actor),
        registered_at=event.occurred,
        standard=data.standard,
        parent=data.parent,
        campaign=data.campaign,
        directive=data.directive,
        theme=data.theme,
        urgent=data.urgent,
        due_rule=data.due if due is None else None,
        original_due=due,
        current_due=due,
    )


def evolve(state: Commitment | None, event: Event) -> Commitment | None:
    """Return the state after one more accepted event; total over accepted logs."""
    if state is None:
        return begin(event) if event.type == _REGISTERED else None
    if state.status == "closed" and event.type == _PROGRESS:
        return state
    to = TRANSITIONS[event.type].to
    status = to if isinstance(to, str) else to(state, event)
    change = _CHANGES.get(event.type)
    changes = change(state, event) if change else {}
    return msgspec.structs.replace(state, status=status, **changes)


def _issued(state: Commitment, event: Event) -> dict[str, Any]:
    due = state.original_due
    if due is None:
        due = due_of(event, event.data.due)
    approver = event.data.approver_post
    return {
        "issuer": f"post:{approver}" if approver else person_of(event.actor),
        "issued_at": event.occurred,
        "original_due": due,
        "current_due": due,
    }


def _reassigned(state: Commitment, event: Event) -> dict[str, Any]:
    """The new lead begins with its own receipt and plan; it supports itself no more."""
    lead = event.data.lead_unit
    return {
        "lead_unit": lead,
        "lead_post": event.data.lead_post,
        "support_units": tuple(unit for unit in state.support_units if unit != lead),
        "issued_at": event.occurred,
        "signed_at": None,
        "planned": bool(state.children),
        "pending_extension": None,
    }


def _progress(state: Commitment, event: Event) -> dict[str, Any]:
    data = event.data
    return {
        "percent": state.percent if data.percent is None else data.percent,
        "done": state.done if data.done is None else data.done,
        "total": state.total if data.total is None else data.total,
        "evidence": state.evidence + len(data.evidence),
    }


def _granted(state: Commitment, event: Event) -> dict[str, Any]:
    asked = state.pending_extension
    due = due_of(event, event.data.new_due)
    if due is None and asked is not None:
        due = asked.new_due
    return {
        "current_due": state.current_due if due is None else due,
        "extensions": state.extensions + 1,
        "pending_extension": None,
    }


def _claimed(state: Commitment, event: Event) -> dict[str, Any]:
    data = event.data
    return {
        "claimed_by": person_of(event.actor),
        "claimed_by_unit": event.actor.unit,
        "checklist": data.checklist.ref if data.checklist else None,
        "evidence": state.evidence + len(data.evidence),
    }


def _verified(state: Commitment, event: Event) -> dict[str, Any]:
    data = event.data
    evidence = state.evidence + len(data.evidence)
    if data.result == "pass":
        return {
            "verifier": person_of(event.actor),
            "verifier_unit": event.actor.unit,
            "verified_at": event.occurred,
            "findings": 0,
            "evidence": evidence,
            "pending_extension": None,
        }
    due = due_of(event, data.new_due)
    return {
        "findings": len(data.findings),
        "returns": state.returns + 1,
        "current_due": state.current_due if due is None else due,
        "evidence": evidence,
        "pending_extension": None,
    }


def _reopened(state: Commitment, event: Event) -> dict[str, Any]:
    """A new round: what was closed stays on record in ``closed_at`` and the log."""
    due = due_of(event, event.data.new_due)
    return {
        "reopen_no": state.reopen_no + 1,
        "current_due": state.current_due if due is None else due,
        "percent": 0,
        "done": 0,
        "urge_level": 0,
        "findings": 0,
        "publicity": "none",
        "publicity_until": None,
        "pending_extension": None,
        "verifier": None,
        "verifier_unit": None,
        "verified_at": None,
        "lookback": None,
        "lookback_event": None,
    }


def _suspended(state: Commitment, event: Event) -> dict[str, Any]:
    return {"suspended_from": state.status, "suspended_at": event.occurred}


def _resumed(state: Commitment, event: Event) -> dict[str, Any]:
    due = state.current_due if event.due_at is None else event.due_at
    return {"suspended_from": None, "suspended_at": None, "current_due": due}


def _corrected(_state: Commitment, event: Event) -> dict[str, Any]:
    changes: dict[str, Any] = msgspec.structs.asdict(event.data.changes)
    return {name: value for name, value in changes.items() if value is not None}


#: What an event changes besides the status; an event that is not here changes nothing.
_CHANGES: Mapping[str, Callable[[Commitment, Event], dict[str, Any]]] = {
    type_name(name): change
    for name, change in {
        "issued": _issued,
        "signed_for": lambda _, event: {"signed_at": event.occurred},
        "reassigned": _reassigned,
        "plan_filed": lambda *_: {"planned": True},
        "decomposed": lambda _, event: {
            "planned": True,
            "children": tuple(child.key for child in event.data.children),
        },
        "progress_reported": _progress,
        "extension_requested": lambda _, event: {
            "pending_extension": Extension(
                dues.fixed(event.data.new_due), person_of(event.actor)
            )
        },
        "extension_granted": _granted,
        "extension_denied": lambda *_: {"pending_extension": None},
        "urged": lambda _, event: {"urge_level": URGE_LEVELS.index(event.data.level)},
        "completion_claimed": _claimed,
        "verification_recorded": _verified,
        "publicity_opened": lambda _, event: {
            "publicity": "open",
            "publicity_until": dues.fixed(event.data.until),
        },
        "publicity_closed": lambda *_: {"publicity": "done"},
        "closed": lambda _, event: {
            "closed_by": person_of(event.actor),
            "closed_at": event.occurred,
        },
        "lookback_recorded": lambda _, event: {
            "lookback": event.data.result,
            "lookback_event": event.id,
        },
        "reopened": _reopened,
        "suspended": _suspended,
        "resumed": _resumed,
        "superseded": lambda _, event: {"superseded_by": event.data.by},
        "corrected": _corrected,
    }.items()
}
