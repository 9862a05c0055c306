"""Query parameters as a selection of entries: one vocabulary for lists and streams.

Rules of this file: parsing only. An unknown name is an error, not silence: an auditor
who mistypes a filter must not be shown everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.datastructures import QueryParams

from events import entries, errors
from events.store import Selection

_REPEATED = {"type": "types", "source": "sources", "stream": "streams"}
#: An instant's operator -> (suffix of the selection's field, µs to add).
_OPERATORS = {
    "gte": ("from", 0),
    "gt": ("from", 1),
    "lt": ("before", 0),
    "lte": ("before", 1),
}
_CLOCKS = {"occurred_at": "occurred", "ingested_at": "ingested"}
#: Parameters that a route reads itself; ``strict`` knows which of them it has.
_OTHERS = frozenset({"limit", "cursor", "order", "from", "format", "follow"})


def _parameter(
    name: str, text: str, example: str, *, repeated: bool = False
) -> dict[str, Any]:
    one = {"type": "string"}
    return {
        "name": name,
        "in": "query",
        "description": text,
        "schema": {"type": "array", "items": one} if repeated else one,
        "example": [example] if repeated else example,
    }


FILTERS: list[dict[str, Any]] = [
    _parameter("type", "Type, or a prefix and `*`.", "henji.unit.*", repeated=True),
    _parameter("source", "CloudEvents source.", "urn:example:oa", repeated=True),
    _parameter("stream", "Stream.", "commitment/GX-2017-0012", repeated=True),
    _parameter("as_of", "Only what was sealed by then: position or instant.", "42"),
    *(
        _parameter(f"{clock}[{operator}]", "RFC 3339.", "2017-11-24T10:00:00Z")
        for clock in _CLOCKS
        for operator in _OPERATORS
    ),
]


def selection_of(query: QueryParams) -> Selection:
    """Return the selection a query asks for.

    ``Malformed('invalid_parameter')`` names a parameter that is unknown or no instant.
    """
    fields: dict[str, Any] = {}
    for name in dict.fromkeys(query.keys()):
        if name in _REPEATED:
            fields[_REPEATED[name]] = tuple(query.getlist(name))
        elif name not in _OTHERS:
            bounds = as_of if name == "as_of" else partial(_instant, name)
            _narrow(fields, bounds(query[name]))
    return Selection(**fields)


def _narrow(fields: dict[str, Any], bounds: Mapping[str, int]) -> None:
    """Add bounds; of two of the same side the narrower one counts."""
    for side, bound in bounds.items():
        narrower = max if side.endswith("_from") else min
        fields[side] = narrower(bound, fields.get(side, bound))


def as_of(text: str) -> Mapping[str, int]:
    """Return the bound of a past moment: a position, or everything sealed by then."""
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return {"until": int(text)}
    return {"ingested_before": us("as_of", text) + 1}


def _instant(name: str, text: str) -> Mapping[str, int]:
    clock, _, rest = name.partition("[")
    operator = _OPERATORS.get(rest.removesuffix("]"))
    if clock not in _CLOCKS or operator is None or not rest.endswith("]"):
        raise errors.Malformed("invalid_parameter", parameter=name)
    side, shift = operator
    return {f"{_CLOCKS[clock]}_{side}": us(name, text) + shift}


def us(name: str, text: str) -> int:
    """Return a parameter's instant; ``Malformed('invalid_parameter')`` names it."""
    try:
        return entries.instant(text)
    except errors.Malformed as cause:
        raise errors.Malformed("invalid_parameter", parameter=name) from cause
