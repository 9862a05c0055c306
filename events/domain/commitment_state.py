"""The states of a commitment and its table of transitions, drawn once.

Rules of this file: what there is to know of a commitment and which event leads from
where to where. What else an event requires is in commitment_rules.py, what it changes
besides the status in commitment_fold.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from events.domain import kinds
from events.domain.commitment_payloads import type_name
from events.domain.model import Actor, Event

#: Every official status, in the order of the loop: (English, Chinese).
STATUSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "draft": ("Draft", "拟立项"),
        "issued": ("Issued", "已交办"),
        "rejected_receipt": ("Receipt rejected", "拒签（退回交办）"),
        "signed": ("Signed for", "已签收"),
        "in_progress": ("In progress", "办理中"),
        "claimed": ("Claimed done", "已报完成（待核查）"),
        "returned": ("Returned", "退回整改"),
        "verified": ("Verified", "核查通过"),
        "closed": ("Closed", "已销号"),
        "reopened": ("Reopened", "回头看反弹（重新办理）"),
        "suspended": ("Suspended", "中止"),
        "cancelled": ("Cancelled", "撤销"),
        "superseded": ("Superseded", "并入（替代）"),
        "failed": ("Failed", "未完成结案"),
    }
)
TERMINAL = frozenset({"closed", "cancelled", "superseded", "failed"})
#: Handed out and running: what can be urged, suspended and given parts.
ACTIVE = frozenset(STATUSES) - TERMINAL - {"draft", "suspended"}
#: Where the owner works on it.
WORKING = frozenset({"in_progress", "returned", "reopened"})
URGE_LEVELS = ("", "reminder", "blue", "orange", "red")


class Extension(msgspec.Struct, frozen=True, gc=False):
    """A request for more time that nobody has answered yet."""

    new_due: int | None
    requested_by: str


class Commitment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A commitment after some number of its events. Instants are µs since the epoch.

    Persons (``drafter``, ``issuer`` …) are ``person_of`` an actor. ``original_due`` is
    set once, at registration or issue, and never changes; ``current_due`` does.
    """

    status: str
    policy: str
    title: str
    lead_unit: str
    lead_post: str | None
    support_units: tuple[str, ...]
    drafter: str
    registered_at: int
    standard: str | None = None
    parent: str | None = None
    campaign: str | None = None
    directive: str | None = None
    theme: str | None = None
    urgent: bool = False
    due_rule: str | None = None
    original_due: int | None = None
    current_due: int | None = None
    issuer: str | None = None
    issued_at: int | None = None
    signed_at: int | None = None
    planned: bool = False
    children: tuple[str, ...] = ()
    percent: int = 0
    done: int = 0
    total: int | None = None
    evidence: int = 0
    extensions: int = 0
    pending_extension: Extension | None = None
    urge_level: int = 0
    claimed_by: str | None = None
    claimed_by_unit: str | None = None
    checklist: str | None = None
    findings: int = 0
    returns: int = 0
    verifier: str | None = None
    verifier_unit: str | None = None
    verified_at: int | None = None
    publicity: str = "none"
    publicity_until: int | None = None
    closed_by: str | None = None
    closed_at: int | None = None
    lookback: str | None = None
    lookback_event: str | None = None
    reopen_no: int = 0
    suspended_from: str | None = None
    suspended_at: int | None = None
    superseded_by: str | None = None


def person_of(actor: Actor) -> str:
    """Return who acts, as one string: the post, or the key of who has none."""
    return f"post:{actor.post}" if actor.post else f"key:{actor.key}"


def _same(state: Commitment, _event: Event) -> str:
    return state.status


def _worked_on(state: Commitment, _event: Event) -> str:
    """A returned item stays visibly returned; after the close nothing moves."""
    return state.status if state.status in {"returned", "closed"} else "in_progress"


def _found(_state: Commitment, event: Event) -> str:
    return "verified" if event.data.result == "pass" else "returned"


def _before(state: Commitment, _event: Event) -> str:
    return state.suspended_from or "in_progress"


@dataclass(frozen=True, slots=True)
class Transition:
    """From which states an event may happen, and where it leads."""

    when: frozenset[str]
    to: str | Callable[[Commitment, Event], str]


def _table(rows: Mapping[str, Transition]) -> Mapping[str, Transition]:
    return MappingProxyType({type_name(name): row for name, row in rows.items()})


_PLANNING = frozenset({"signed", "in_progress", "reopened"})
_OPEN = ACTIVE | {"suspended"}
_CLAIMED = frozenset({"claimed"})
_CLOSED = frozenset({"closed"})
#: Where a lead unit that no longer exists can be replaced (else: a rejected receipt).
_ORPHANED = frozenset({"issued", "signed"}) | WORKING

#: The state machine, whole. ``registered`` begins a stream and so is from no state. Two
#: rows are narrowed by the kind: see ``allowed_in``.
TRANSITIONS: Mapping[str, Transition] = _table(
    {
        "registered": Transition(frozenset(), _same),
        "issued": Transition(frozenset({"draft"}), "issued"),
        "signed_for": Transition(frozenset({"issued"}), "signed"),
        "receipt_rejected": Transition(frozenset({"issued"}), "rejected_receipt"),
        "reassigned": Transition(_ORPHANED | {"rejected_receipt"}, "issued"),
        "plan_filed": Transition(_PLANNING, "in_progress"),
        "decomposed": Transition(_PLANNING, "in_progress"),
        "progress_reported": Transition(WORKING | {"signed", "closed"}, _worked_on),
        "extension_requested": Transition(WORKING, _same),
        "extension_granted": Transition(WORKING, _same),
        "extension_denied": Transition(WORKING, _same),
        "urged": Transition(ACTIVE, _same),
        "completion_claimed": Transition(WORKING, "claimed"),
        "completion_withdrawn": Transition(_CLAIMED, "in_progress"),
        "verification_recorded": Transition(_CLAIMED, _found),
        "publicity_opened": Transition(frozenset({"verified"}), _same),
        "publicity_closed": Transition(frozenset({"verified"}), _same),
        "closed": Transition(WORKING | {"claimed", "verified"}, "closed"),
        "lookback_recorded": Transition(_CLOSED, _same),
        "reopened": Transition(_CLOSED, "reopened"),
        "suspended": Transition(ACTIVE, "suspended"),
        "resumed": Transition(frozenset({"suspended"}), _before),
        "cancelled": Transition(_OPEN | {"draft"}, "cancelled"),
        "superseded": Transition(_OPEN | {"draft"}, "superseded"),
        "failed": Transition(_OPEN, "failed"),
        "corrected": Transition(frozenset(STATUSES), _same),
    }
)

_CLOSE = type_name("closed")
_PROGRESS = type_name("progress_reported")


def allowed_in(event_type: str, kind: kinds.Kind) -> frozenset[str]:
    """Return the states in which an event may happen to a commitment of a kind."""
    when = TRANSITIONS[event_type].when
    if event_type == _CLOSE:
        return when.intersection(kind.closes_from)
    if event_type == _PROGRESS and not kind.records_after_close:
        return when - TERMINAL
    return when
