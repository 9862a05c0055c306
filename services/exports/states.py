"""What is known of a thing at a moment, as plain attributes of a stream's state.

Rules of this file: which members of the domain's states are shown, and how. A state
that has no such member has no such attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from events.entries import rfc3339
from services.exports.members import Kind, Scalar


class Attribute(NamedTuple):
    """A name, how its value is meant, and the value."""

    name: str
    kind: Kind
    value: Scalar


_TEXTS = (
    "status",
    "title",
    "name",
    "name_en",
    "category",
    "severity",
    "colour",
    "grade",
    "policy",
    "theme",
    "lead_unit",
    "lead_post",
    "unit",
    "subject",
    "cell",
    "found_by",
    "handed_to",
)
_COUNTS = ("percent", "extensions", "returns", "reopen_no", "urge_level", "evidence")
_INSTANTS = (
    "original_due",
    "current_due",
    "registered_at",
    "issued_at",
    "signed_at",
    "verified_at",
    "closed_at",
    "found_at",
    "fixed_at",
    "reported_at",
)
#: Member of a state -> how it is meant.
_SHOWN: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(_TEXTS, "string"),
        **dict.fromkeys(_COUNTS, "integer"),
        **dict.fromkeys(_INSTANTS, "time"),
    }
)
_TYPES: Mapping[Kind, type] = MappingProxyType(
    {"string": str, "integer": int, "time": int}
)
_WRITTEN: Mapping[Kind, Callable[[Any], Scalar]] = MappingProxyType(
    {"string": str, "integer": int, "time": rfc3339}
)


def attributes(state: object) -> Iterator[Attribute]:
    """Yield what a state says, in one order; instants as RFC 3339."""
    for name, kind in _SHOWN.items():
        value = getattr(state, name, None)
        if isinstance(value, _TYPES[kind]):
            yield Attribute(name, kind, _WRITTEN[kind](value))
