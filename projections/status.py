"""The status of each commitment, now and after every past position.

Rules of this file: the state machine is ``events.domain.commitment_fold``, used and
never written twice; this adds what a board shows beside it. What depends on the
instant of asking (lights, overdue) is in ``projections.rules`` and is never stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from events.domain.commitment_fold import evolve
from events.domain.commitment_payloads import PAYLOADS, type_name
from events.domain.commitment_state import TERMINAL, WORKING, Commitment
from projections.facts import Fact, event
from projections.tables import FOREVER, Changes, Fetch, Kind, Table, Values


class Status(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One commitment after its last event: the domain's state, and what is seen of it.

    Instants are µs since the Unix epoch, as they *occurred*. ``position`` is that of
    the last event. ``ended_at`` is None while it is open. ``recording_delay`` is the
    longest time from an event to its being recorded.
    """

    key: str
    state: Commitment
    position: int
    registered_position: int
    last_event: str
    last_at: int
    basis: tuple[str, ...] = ()
    weight: int | None = None
    activity_at: int | None = None
    progress_at: int | None = None
    progress_text: str | None = None
    percent: int | None = None
    claimed_at: int | None = None
    verified_at: int | None = None
    verdict: str | None = None
    ended_at: int | None = None
    outcome: str | None = None
    urges: int = 0
    lookbacks: int = 0
    suspended_for: str | None = None
    recording_delay: int = 0

    @property
    def evidence(self) -> str:
        """Return the evidence status: what the records support, not what is said."""
        state = self.state
        if state.verifier is not None:
            return "verified"
        if state.status == "returned":
            return "refuted"
        if state.evidence:
            return "evidenced"
        said = state.claimed_by is not None or state.status == "closed"
        return "claimed_without_evidence" if said else "none"

    @property
    def original_due(self) -> int | None:
        """Return the deadline first promised."""
        return self.state.original_due

    @property
    def current_due(self) -> int | None:
        """Return the deadline after extensions."""
        return self.state.current_due

    @property
    def issued_at(self) -> int | None:
        """Return when its term began to run."""
        return self.state.issued_at

    @property
    def registered_at(self) -> int | None:
        """Return when the promise was put on record."""
        return self.state.registered_at

    @property
    def returns(self) -> int:
        """Return how many times a claim was sent back."""
        return self.state.returns

    @property
    def finished(self) -> bool:
        """Say whether it ended by being done."""
        return self.state.status == "closed"

    @property
    def suspended(self) -> bool:
        """Say whether its clock is stopped."""
        return self.state.status == "suspended"

    @property
    def working(self) -> bool:
        """Say whether its lead unit owes reports."""
        return self.state.status in WORKING


FILTERS: tuple[tuple[str, Kind], ...] = (
    ("status", "text"),
    ("evidence", "text"),
    ("kind", "text"),
    ("lead_unit", "text"),
    ("parent", "text"),
    ("theme", "text"),
    ("campaign", "text"),
    ("due", "int"),
    ("search", "text"),
    ("body", "bytes"),
)
CURRENT = Table(
    name="current",
    columns=(
        ("key", "text"),
        ("valid_from", "int"),
        ("registered", "int"),
        *FILTERS,
    ),
    key=("key",),
    indexes=(
        ("due", "key"),
        ("status", "due", "key"),
        ("lead_unit", "due", "key"),
        ("key", "registered"),
    ),
    past="past",
)
PAST = Table(
    name="past",
    columns=(("key", "text"), ("valid_from", "int"), ("valid_to", "int"), *FILTERS),
    # The last is no part of what is unique: a range is found in the index alone.
    key=("key", "valid_from", "valid_to"),
    grows=True,
)
TABLES = (CURRENT, PAST)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Status).decode
_payloads = {name: msgspec.json.Decoder(data) for name, data in PAYLOADS.items()}
_PREFIX = "commitment/"


def read(body: bytes) -> Status:
    """Return a stored status row."""
    return _decode(body)


def fold(facts: Sequence[Fact], fetch: Fetch) -> Changes:
    """Return the new status of every commitment touched, and each version passed."""
    mine = [fact for fact in facts if fact.type in _payloads]
    keys = {fact.stream[len(_PREFIX) :]: None for fact in mine}
    current = dict(fetch(CURRENT.name, list(keys)))
    rows = {key: _decode(values[-1]) for key, values in current.items()}
    past: list[Values] = []
    for fact in mine:
        key = fact.stream[len(_PREFIX) :]
        after = advance(rows.get(key), fact)
        if after is None:
            continue
        if key in current:
            past.append(_closed(current[key], fact.position))
        rows[key] = after
        current[key] = _values(after)
    changed = [current[key] for key in keys if key in current]
    return {CURRENT.name: changed, PAST.name: past}


def advance(row: Status | None, fact: Fact) -> Status | None:
    """Return a commitment's status after one more of its events."""
    happened = event(fact, _payloads[fact.type].decode(fact.data))
    state = evolve(row.state if row else None, happened)
    if state is None:
        return None
    if row is None:
        return _begin(fact, state, happened.data)
    changes: dict[str, Any] = {}
    if state is not row.state:
        change = _CHANGES.get(fact.type)
        changes = change(row, fact, happened.data) if change else {}
        if state.status in TERMINAL and row.state.status not in TERMINAL:
            changes["ended_at"] = fact.occurred
    delay = fact.recorded - fact.occurred
    return msgspec.structs.replace(
        row,
        state=state,
        position=fact.position,
        last_event=fact.id,
        last_at=fact.occurred,
        recording_delay=max(row.recording_delay, delay),
        **changes,
    )


def replay(facts: Sequence[Fact], occurred_until: int | None = None) -> Status | None:
    """Fold one stream: all of it, or only what had happened by an instant."""
    row: Status | None = None
    for fact in facts:
        if occurred_until is None or fact.occurred <= occurred_until:
            row = advance(row, fact)
    return row


def _begin(fact: Fact, state: Commitment, data: Any) -> Status:
    return Status(
        key=fact.stream[len(_PREFIX) :],
        state=state,
        position=fact.position,
        registered_position=fact.position,
        last_event=fact.id,
        last_at=fact.occurred,
        basis=tuple(basis.ref for basis in data.basis),
        weight=data.weight,
        recording_delay=max(0, fact.recorded - fact.occurred),
    )


def _values(row: Status) -> Values:
    state = row.state
    due = FOREVER if state.current_due is None else state.current_due
    return (
        row.key,
        row.position,
        row.registered_position,
        state.status,
        row.evidence,
        state.policy.partition("@")[0],
        state.lead_unit,
        state.parent,
        state.theme,
        state.campaign,
        due,
        f"{row.key} {state.title}".casefold(),
        _encode(row),
    )


def _closed(values: Values, valid_to: int) -> Values:
    """Turn the current version into a past one, valid in [valid_from, valid_to)."""
    return (values[0], values[1], valid_to, *values[3:])


def _progress(row: Status, fact: Fact, data: Any) -> dict[str, Any]:
    return {
        "activity_at": fact.occurred,
        "progress_at": fact.occurred,
        "progress_text": data.text,
        "percent": row.percent if data.percent is None else data.percent,
    }


def _verified(_row: Status, fact: Fact, data: Any) -> dict[str, Any]:
    passed = fact.occurred if data.result == "pass" else None
    return {"verdict": data.result, "verified_at": passed}


def _reopened(_row: Status, fact: Fact, _data: Any) -> dict[str, Any]:
    return {
        "activity_at": fact.occurred,
        "percent": None,
        "claimed_at": None,
        "verified_at": None,
        "verdict": None,
        "ended_at": None,
        "outcome": None,
    }


def _activity(_row: Status, fact: Fact, _data: Any) -> dict[str, Any]:
    return {"activity_at": fact.occurred}


Change = Callable[[Status, Fact, Any], dict[str, Any]]

#: What an event shows beside the state; one that is not here shows nothing more.
_CHANGES: Mapping[str, Change] = {
    type_name(what): change
    for what, change in {
        "signed_for": _activity,
        "plan_filed": _activity,
        "decomposed": _activity,
        "progress_reported": _progress,
        "completion_claimed": lambda _row, fact, _data: {
            "activity_at": fact.occurred,
            "claimed_at": fact.occurred,
        },
        "completion_withdrawn": lambda *_: {"claimed_at": None},
        "verification_recorded": _verified,
        "urged": lambda row, _fact, _data: {"urges": row.urges + 1},
        "closed": lambda _row, _fact, data: {"outcome": data.outcome},
        "lookback_recorded": lambda row, *_: {"lookbacks": row.lookbacks + 1},
        "reopened": _reopened,
        "suspended": lambda _row, _fact, data: {"suspended_for": data.reason_class},
        "resumed": lambda *_: {"suspended_for": None},
        "corrected": lambda _row, _fact, data: (
            {} if data.changes.percent is None else {"percent": data.changes.percent}
        ),
    }.items()
}
