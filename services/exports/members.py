"""What an entry says in plain members: its payload's scalars, and what it names.

Rules of this file: tables from the catalogue's schemas and member names to what process
mining knows (attributes, objects); no format. External payloads are opaque: they have a
schema of their own, and their words are not ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import msgspec

from events import catalogue, entries
from events.domain.fields import us
from events.entries import Envelope
from events.store import Row

Kind = Literal["string", "integer", "float", "boolean", "time"]
Scalar = str | int | float | bool

#: JSON type -> ours.
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {"string": "string", "integer": "integer", "number": "float", "boolean": "boolean"}
)
#: Member -> the kind of the stream that its value is the key of; a list names several.
_NAMED = MappingProxyType(
    {
        "alert": "alert",
        "appeal": "accountability",
        "approver_post": "post",
        "by_unit": "unit",
        "campaign": "campaign",
        "cell": "grid",
        "commitment": "commitment",
        "directive": "directive",
        "grid": "grid",
        "inspection": "inspection",
        "issue": "issue",
        "lead_post": "post",
        "lead_unit": "unit",
        "order": "order",
        "post": "post",
        "repeat_of": "issue",
        "ruleset": "ruleset",
        "site": "subject",
        "subject": "subject",
        "suggested_unit": "unit",
        "support_units": "unit",
        "team": "post",
        "to": "unit",
        "to_unit": "unit",
        "unit": "unit",
        "units": "unit",
    }
)
#: (kind of stream, member): a unit of measurement is no unit of the administration.
_OTHERWISE = frozenset({("campaign", "unit"), ("metric", "unit")})
#: Members that name another stream of the same kind.
_SAME_KIND = frozenset({"by", "follows", "into", "parent", "replaced_by"})
#: Members that hold whole stream ids.
_STREAMS = frozenset({"sample", "target", "targets"})
#: Lists of records: which member of theirs is a key, and of what kind (None: a stream).
_RECORDS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {
        "children": ("key", "commitment"),
        "evidence": ("sha256", "evidence"),
        "facts": ("stream", None),
    }
)


class Told(NamedTuple):
    """One entry, read: the row, its envelope, and its payload as plain JSON."""

    row: Row
    envelope: Envelope
    data: Any

    @property
    def unit(self) -> str | None:
        """On whose behalf it was done."""
        return self.envelope.actorunit or self.envelope.authunit

    @property
    def post(self) -> str | None:
        """In which post it was done."""
        return self.envelope.actorpost or self.envelope.authpost


def headed(row: Row) -> Told:
    """Return an entry with its envelope decoded, for who does not need its payload."""
    return Told(row, entries.envelope(row.entry), None)


def told(row: Row) -> Told:
    """Return an entry with its envelope and payload decoded."""
    envelope = entries.envelope(row.entry)
    return Told(row, envelope, msgspec.json.decode(envelope.data))


def recorded(entry: Told) -> int:
    """Return when its source wrote it down, in µs."""
    text = entry.envelope.recordedtime
    return entry.row.ingested if text is None else entries.instant(text)


@cache
def declared(event_type: str) -> Mapping[str, Kind]:
    """Return the scalar members of a type's payload; none for an external type."""
    if catalogue.lookup(event_type) is None:
        return {}
    properties = catalogue.schema(event_type).get("properties", {})
    found = {name: _kind(schema) for name, schema in sorted(properties.items())}
    return {name: kind for name, kind in found.items() if kind is not None}


def _kind(schema: Mapping[str, Any]) -> Kind | None:
    """Return the kind that holds every value the schema allows; None: no scalar."""
    options = schema.get("anyOf", [schema])
    kinds = {_of_option(option) for option in options if option.get("type") != "null"}
    if None in kinds:
        return None
    if len(kinds) == 1:
        return kinds.pop()
    return "float" if kinds == {"integer", "float"} else "string"


def _of_option(option: Mapping[str, Any]) -> Kind | None:
    if "enum" in option:
        return "integer" if isinstance(option["enum"][0], int) else "string"
    if option.get("format") == "date-time":
        return "time"
    return _KINDS.get(option.get("type", ""))


def scalars(entry: Told) -> Iterator[tuple[str, Kind, Scalar]]:
    """Yield (member, kind, value) of what the payload says and its schema declares."""
    if not isinstance(entry.data, dict):
        return
    for name, kind in declared(entry.row.type).items():
        value = entry.data.get(name)
        if value is not None:
            yield name, kind, _WRITTEN[kind](value)


def _instant(text: str) -> str:
    """Return an instant of a payload, which may be written as msgspec takes it."""
    return entries.rfc3339(us(msgspec.convert(text, datetime)))


_WRITTEN: Mapping[Kind, Callable[[Any], Scalar]] = MappingProxyType(
    {"string": str, "integer": int, "float": float, "boolean": bool, "time": _instant}
)


def named(entry: Told) -> Iterator[tuple[str, str]]:
    """Yield (stream, member) of each thing that the payload names, in its order."""
    own = catalogue.lookup(entry.row.type)
    if own is None or not isinstance(entry.data, dict):
        return
    for member, value in entry.data.items():
        values = value if isinstance(value, list) else [value]
        for one in values:
            stream = _stream(member, one, own.kind)
            if stream is not None:
                yield stream, member


def _stream(member: str, value: Any, kind: str) -> str | None:
    if member in _RECORDS:
        name, of = _RECORDS[member]
        key = value.get(name) if isinstance(value, dict) else None
        return _joined(of, key)
    if member in _STREAMS:
        return _joined(None, value)
    if member in _SAME_KIND:
        return _joined(kind, value)
    of = None if (kind, member) in _OTHERWISE else _NAMED.get(member)
    return None if of is None else _joined(of, value)


def _joined(kind: str | None, key: Any) -> str | None:
    if not isinstance(key, str) or not key:
        return None
    return key if kind is None else f"{kind}/{key}"
