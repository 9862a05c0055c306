"""The state of every stream of ours, now and after every past position.

Rules of this file: the folds are those of the catalogue, used and never written twice.
Commitments have rows of their own (``projections.status``), which show more; here is
every other kind. A past state that is large keeps its row and not its body: a census
that grows by thousands of events would be stored thousands of times. Such a state is
folded again from the log when somebody asks (``projections.moments``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from events import catalogue
from events.domain.model import EventType
from projections import state_codec
from projections.facts import Fact, event
from projections.tables import Changes, Fetch, Kind, Table, Values

#: Bytes of a past state that are kept with its row.
LARGEST_KEPT: Final = 4096

_SHOWN: tuple[tuple[str, Kind], ...] = (
    ("kind", "text"),
    ("status", "text"),
    ("unit", "text"),
    ("parent", "text"),
    ("body", "bytes"),
)
CURRENT = Table(
    name="state",
    columns=(
        ("stream", "text"),
        ("valid_from", "int"),
        ("registered", "int"),
        *_SHOWN,
    ),
    key=("stream",),
    indexes=(
        ("kind", "status", "stream"),
        ("kind", "unit", "stream"),
    ),
    past="state_past",
)
PAST = Table(
    name="state_past",
    columns=(
        ("stream", "text"),
        ("valid_from", "int"),
        ("valid_to", "int"),
        *_SHOWN,
    ),
    # The last is no part of what is unique: a range is found in the index alone.
    key=("stream", "valid_from", "valid_to"),
    grows=True,
)
TABLES = (CURRENT, PAST)

#: Event types of ours but those of commitments, by name.
_TYPES: Final[Mapping[str, EventType]] = {
    row.name: row for row in catalogue.all_types() if row.kind != "commitment"
}
_payloads: Mapping[str, Callable[[msgspec.Raw], Any]] = {
    name: msgspec.json.Decoder(row.data).decode for name, row in _TYPES.items()
}
_BODY: Final = -1
_KIND: Final = CURRENT.names.index("kind")


def fold(facts: Sequence[Fact], fetch: Fetch) -> Changes:
    """Return the new state of every stream touched, and each version passed."""
    mine = [fact for fact in facts if fact.type in _TYPES]
    streams = dict.fromkeys(fact.stream for fact in mine)
    current = dict(fetch(CURRENT.name, list(streams)))
    states = {
        stream: state_codec.decode(values[_KIND], values[_BODY])
        for stream, values in current.items()
    }
    past: list[Values] = []
    for fact in mine:
        stream, before = fact.stream, current.get(fact.stream)
        happened = event(fact, _payloads[fact.type](fact.data))
        states[stream] = _TYPES[fact.type].evolve(states.get(stream), happened)
        if before is not None:
            past.append(_closed(before, fact.position))
        begun = fact.position if before is None else before[2]
        current[stream] = _values(fact, begun, states[stream])
    return {CURRENT.name: [current[stream] for stream in streams], PAST.name: past}


def unit_of(kind: str, state: Any) -> str | None:
    """Return the unit that a stream is of, where its state names one."""
    if kind == "metric":  # Its unit is what it is measured in.
        return None
    if kind == "routine":
        return str(state.definition.unit)
    if kind == "commitment":
        return str(state.lead_unit)
    return getattr(state, "unit", None)


def parent_of(state: Any) -> str | None:
    """Return what a stream belongs to: its subject, or its parent."""
    subject: str | None = getattr(state, "subject", None)
    return subject or getattr(state, "parent", None)


def _values(fact: Fact, registered: int, state: Any) -> Values:
    kind = fact.stream.partition("/")[0]
    return (
        fact.stream,
        fact.position,
        registered,
        kind,
        state.status,
        unit_of(kind, state),
        parent_of(state),
        state_codec.encode(state),
    )


def _closed(values: Values, valid_to: int) -> Values:
    """Turn the current version into a past one, valid in [valid_from, valid_to)."""
    body = values[_BODY] if len(values[_BODY]) <= LARGEST_KEPT else b""
    return (values[0], values[1], valid_to, *values[_KIND:_BODY], body)
