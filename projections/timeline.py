"""The timeline: one short line for every entry, readable by stream.

Rules of this file: what a line shows is fixed here; how it reads in a language is the
catalogue's text of the event type with ``params``, put together by who shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from projections.facts import Fact
from projections.tables import Changes, Fetch, Table, Values

#: Longer texts are cut for the line; the entry has them whole.
_LONGEST = 120
_MOST = 8

LINES = Table(
    name="line",
    columns=(
        ("position", "int"),
        ("stream", "text"),
        ("version", "int"),
        ("type", "text"),
        ("occurred", "int"),
        ("recorded", "int"),
        ("ingested", "int"),
        ("unit", "text"),
        ("post", "text"),
        ("id", "text"),
        ("source", "text"),
        ("params", "bytes"),
    ),
    key=("position",),
    indexes=(("stream", "position"),),
    grows=True,
)
TABLES = (LINES,)

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Line(NamedTuple):
    """One entry of a timeline. Instants are µs; ``params`` are scalars of its data.

    ``unit`` and ``post`` are those on whose behalf it was done.
    """

    position: int
    stream: str
    version: int
    type: str
    occurred: int
    recorded: int
    ingested: int
    unit: str | None
    post: str | None
    id: str
    source: str
    params: dict[str, Any]


def read(values: Values) -> Line:
    """Return a stored line."""
    return Line._make((*values[:-1], _decode(values[-1])))


def is_late_record(line: Line, *, days: int) -> bool:
    """Say whether it was recorded more than so many days after it happened (补录)."""
    return line.recorded - line.occurred > days * 86_400_000_000


def fold(facts: Sequence[Fact], _fetch: Fetch) -> Changes:
    """Return one line for each entry."""
    return {LINES.name: [_line(fact) for fact in facts]}


def _line(fact: Fact) -> Values:
    return (
        fact.position,
        fact.stream,
        fact.version,
        fact.type,
        fact.occurred,
        fact.recorded,
        fact.ingested,
        fact.unit,
        fact.post,
        fact.id,
        fact.source,
        _encode(_params(_decode(fact.data))),
    )


def _params(data: Any) -> dict[str, Any]:
    """Return the first few scalars of a payload, texts cut."""
    if not isinstance(data, dict):
        return {}
    scalars = {
        name: value[:_LONGEST] if type(value) is str else value
        for name, value in data.items()
        if type(value) in {str, int, float, bool}
    }
    if len(scalars) <= _MOST:
        return scalars
    return dict(list(scalars.items())[:_MOST])
