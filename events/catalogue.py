"""The catalogue: every event type, from the one table that the code itself runs on.

Rules of this file: it collects what the domain modules declare and serves it (lookup,
schemas, documents, typed events). No rule of the domain is written here, and no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Final, cast

import jsonschema_rs
import msgspec

from events.domain import schemas
from events.domain.external import ExternalType
from events.domain.model import Actor, Event, EventType
from events.domain.registry import EXAMPLE_SUBJECTS, KEY, KEYS, MODULES
from events.domain.transitions import refuse
from events.entries import envelope, instant
from events.errors import Denied, Fault, Refused

_TYPES: Final[Mapping[str, EventType]] = {
    row.name: row for module in MODULES for row in module
}
_PLAIN: Final[Callable[[msgspec.Raw], Any]] = msgspec.json.Decoder().decode


def lookup(name: str) -> EventType | None:
    """Return the row of an event type of ours; None: external, or no such type."""
    return _TYPES.get(name)


def all_types() -> tuple[EventType, ...]:
    """Return every event type of ours, by name."""
    return tuple(_TYPES[name] for name in sorted(_TYPES))


def permit(roles: frozenset[str], actor: Actor) -> None:
    """Return if one of the actor's roles may submit; otherwise raise ``Denied``.

    The code is role_not_allowed. An empty set of roles (an external type that names
    none) lets every role in.
    """
    if roles and not roles & actor.roles:
        raise Denied("role_not_allowed", needed=sorted(roles), held=sorted(actor.roles))


def stream_of(event_type: EventType, subject: str | None) -> str:
    """Return the stream of a submission: its subject, ``<kind>/<key>``.

    ``Refused``: subject_required, subject_not_of_kind or subject_malformed.
    """
    if not subject:
        raise refuse("subject_required", "/subject", kind=event_type.kind)
    prefix = event_type.kind + "/"
    if not subject.startswith(prefix):
        raise refuse("subject_not_of_kind", "/subject", kind=event_type.kind)
    allowed = KEYS.get(event_type.kind, KEY)
    if not allowed.fullmatch(subject, len(prefix)):
        raise refuse("subject_malformed", "/subject", pattern=allowed.pattern)
    return subject


def external_stream(event: Mapping[str, Any]) -> str:
    """Return the stream of an external event: by its subject, else by its source."""
    return f"external/{event.get('subject') or event['source']}"


def parse_data(event_type: EventType, data: object) -> msgspec.Struct:
    """Return the payload as the struct of its type; strict, no unknown members.

    ``Refused('schema_violation')`` with a fault for each violation, pointing at it.
    """
    try:
        return msgspec.convert(data, type=event_type.data, strict=True)
    except msgspec.ValidationError as cause:
        found = schemas.faults(_validator(event_type.name), data)
        raise Refused(
            "schema_violation",
            faults=found or (_fault_of(str(cause)),),
            type=event_type.name,
        ) from cause


def validate_external(state: ExternalType | None, data: object) -> None:
    """Return if ``data`` keeps the schema registered for an external type.

    ``state`` is that of the stream ``catalogue/<type>``. ``Refused``:
    unknown_event_type, event_type_retired or schema_violation with all faults.
    """
    if state is None:
        raise refuse("unknown_event_type", "/type")
    if state.retired:
        raise refuse("event_type_retired", "/type", type=state.name)
    found = schemas.faults(schemas.compiled(state.schema_text), data)
    if found:
        raise Refused("schema_violation", faults=found, type=state.name)


def read(entry: bytes, moments: tuple[int, int] | None = None) -> Event:
    """Return a stored entry as the typed event that the folds see.

    ``moments`` are (occurred, ingested) in µs, where columns have them already: then
    no instant needs to be parsed. External data becomes a plain value.
    """
    told = envelope(entry)
    if moments is None:
        ingested = instant(told.ingestedtime)
        occurred = ingested if told.time is None else instant(told.time)
    else:
        occurred, ingested = moments
    decode = _payloads().get(told.type, _PLAIN)
    return Event(
        type=told.type,
        stream=told.stream,
        version=told.streamversion,
        id=told.id,
        source=told.source,
        occurred=occurred,
        ingested=ingested,
        data=decode(told.data),
        actor=_actor(
            told.authid,
            told.actorunit or told.authunit,
            told.actorpost or told.authpost,
            told.actorperson,
        ),
        recorded=ingested if told.recordedtime is None else instant(told.recordedtime),
        policy=told.policyversion,
        due_at=None if told.dueat is None else instant(told.dueat),
    )


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of a type's data. Shared: do not change it.

    KeyError: no such type.
    """
    row = _TYPES[name]
    (root,), definitions = msgspec.json.schema_components(
        [row.data], ref_template="#/$defs/{name}"
    )
    body = definitions.pop(root["$ref"].removeprefix("#/$defs/"))
    document = {
        **body,
        "$schema": schemas.DIALECT,
        "$id": f"urn:henji:event-type:{name}",
        "title": row.en,
        "description": row.description or body.get("description", row.en),
        "examples": [dict(example) for example in row.examples],
    }
    if definitions:
        document["$defs"] = definitions
    # Defaults of structs may be tuples: what is served is JSON, whoever asks.
    return cast("dict[str, Any]", msgspec.json.decode(msgspec.json.encode(document)))


def describe(name: str, language: str = "en") -> dict[str, Any]:
    """Return what a submitter must know of a type, titles first in ``language``.

    ``examples`` are whole CloudEvents, ready to post. KeyError: no such type.
    """
    row = _TYPES[name]
    titles = {"en": row.en, "zh": row.zh}
    return {
        "name": row.name,
        "version": row.version,
        "kind": row.kind,
        "title": titles.get(language, row.en),
        "titles": titles,
        "description": row.description,
        "roles": sorted(row.roles),
        "tags": list(row.tags),
        "schema": schema(name),
        "examples": examples(name),
    }


def examples(name: str) -> list[dict[str, Any]]:
    """Return a type's examples as whole CloudEvents. KeyError: no such type."""
    row = _TYPES[name]
    return [
        {
            "specversion": "1.0",
            "id": f"example-{number}",
            "source": "urn:example:oa",
            "type": name,
            "subject": EXAMPLE_SUBJECTS[row.kind],
            "time": "2017-11-14T07:00:00Z",
            "data": dict(example),
        }
        for number, example in enumerate(row.examples, start=1)
    ]


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return schemas.own(schema(name))


@cache
def _payloads() -> Mapping[str, Callable[[msgspec.Raw], Any]]:
    """Return the decoder of each type's payload; msgspec compiles it once."""
    return {
        row.name: msgspec.json.Decoder(row.data, strict=True).decode
        for row in _TYPES.values()
    }


@lru_cache(maxsize=4096)
def _actor(key: str, unit: str | None, post: str | None, person: str | None) -> Actor:
    return Actor(key=key, unit=unit, post=post, person=person)


def _fault_of(message: str) -> Fault:
    """Turn msgspec's "… - at `$.a[0].b`" into a fault at ``/data/a/0/b``."""
    detail, _, path = message.partition(" - at `$")
    steps = re.findall(r"[^.\[\]`]+", path)
    return Fault(code="value_invalid", detail=detail, pointer=schemas.pointer(steps))
