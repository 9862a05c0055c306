"""Units, posts and grid cells: the state of each organisation stream after its events.

Rules of this file: the folds are those of ``events.domain``; nothing is decided twice.
How many commitments a unit has is counted on the status rows when asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from events.domain import grids, organisation
from projections.facts import Fact, event
from projections.tables import Changes, Fetch, Table, Values

STREAMS = Table(
    name="organisation",
    columns=(
        ("stream", "text"),
        ("kind", "text"),
        ("position", "int"),
        ("state", "bytes"),
    ),
    key=("stream",),
    indexes=(("kind", "stream"),),
)
TABLES = (STREAMS,)

_types = {row.name: row for row in (*organisation.EVENT_TYPES, *grids.EVENT_TYPES)}
_payloads = {name: msgspec.json.Decoder(row.data) for name, row in _types.items()}
_encode = msgspec.json.Encoder(order="deterministic").encode
_states: dict[str, msgspec.json.Decoder[Any]] = {
    "unit": msgspec.json.Decoder(organisation.Unit),
    "post": msgspec.json.Decoder(organisation.Post),
    "grid": msgspec.json.Decoder(grids.Cell),
}


def read(values: Values) -> Any:
    """Return the domain state (Unit, Post, Cell) of a stored row."""
    return _states[values[1]].decode(values[3])


def fold(facts: Sequence[Fact], fetch: Fetch) -> Changes:
    """Return the new state of every organisation stream touched."""
    mine = [fact for fact in facts if fact.type in _types]
    streams = list({fact.stream: None for fact in mine})
    rows = dict(fetch(STREAMS.name, streams))
    states = {stream: read(values) for stream, values in rows.items()}
    for fact in mine:
        data = _payloads[fact.type].decode(fact.data)
        evolve = _types[fact.type].evolve
        states[fact.stream] = evolve(states.get(fact.stream), event(fact, data))
        kind = fact.stream.partition("/")[0]
        rows[fact.stream] = (
            fact.stream,
            kind,
            fact.position,
            _encode(states[fact.stream]),
        )
    return {STREAMS.name: [rows[stream] for stream in streams]}
