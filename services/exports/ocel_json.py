"""OCEL 2.0 as JSON: events first, then objects, then the types that were met.

Rules of this file: the JSON grammar of OCEL 2.0, whose attribute values are strings;
what stands in it comes from ``ocel``. JSON objects have no order: types may come
last, where they are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from services.exports.job import Job, Pieces, pieces
from services.exports.members import Scalar
from services.exports.ocel import (
    EventFact,
    ObjectFact,
    Relation,
    events,
    folder,
    objects,
    of_type,
    spool,
)

_encode = msgspec.json.Encoder().encode


def ocel_json(job: Job) -> Pieces:
    """Yield one JSON object: events, objects, eventTypes, objectTypes."""
    return pieces(_document(job))


def _document(job: Job) -> Iterator[bytes]:
    types: dict[str, None] = {}
    kinds: dict[str, dict[str, str]] = {}
    with folder() as place, spool(place) as seen:
        yield b'{"events":['
        yield from _list(_event(fact, types) for fact in events(job, seen))
        yield b'],"objects":['
        yield from _list(_object(fact, kinds) for fact in objects(job, seen))
    yield b'],"eventTypes":'
    yield _encode([_type(name, of_type(name)) for name in sorted(types)])
    yield b',"objectTypes":'
    yield _encode([_type(name, kinds[name].items()) for name in sorted(kinds)])
    yield b"}\n"


def _list(items: Iterable[bytes]) -> Iterator[bytes]:
    for number, item in enumerate(items):
        yield b",\n" + item if number else b"\n" + item


def _event(fact: EventFact, types: dict[str, None]) -> bytes:
    types[fact.type] = None
    return _encode(
        {
            "id": fact.id,
            "type": fact.type,
            "time": fact.time,
            "attributes": [
                {"name": name, "value": _text(value)}
                for name, _, value in fact.attributes
            ],
            "relationships": _relations(fact.relations),
        }
    )


def _object(fact: ObjectFact, kinds: dict[str, dict[str, str]]) -> bytes:
    known = kinds.setdefault(fact.type, {})
    values: list[dict[str, str]] = []
    for time, changed in fact.changes:
        for name, kind, value in changed:
            known[name] = kind
            values.append({"name": name, "time": time, "value": _text(value)})
    return _encode(
        {
            "id": fact.id,
            "type": fact.type,
            "attributes": values,
            "relationships": _relations(fact.relations),
        }
    )


def _relations(relations: list[Relation]) -> list[dict[str, str]]:
    return [
        {"objectId": target, "qualifier": qualifier} for target, qualifier in relations
    ]


def _type(name: str, attributes: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {
        "name": name,
        "attributes": [
            {"name": attribute, "type": kind} for attribute, kind in attributes
        ],
    }


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
