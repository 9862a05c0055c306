"""Kinds of commitment as versioned policy: put into force by two persons.

Rules of this file: which events the streams ``policy/<kind>`` have, and what the kinds
that one person published before two were asked for still mean. What a kind says, and
which come with the code, is kinds.py; the mechanism is policy_versions.py.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from events.domain import kinds
from events.domain.commitment_state import person_of
from events.domain.fields import Instant, Sha256Hex, Text, Version
from events.domain.kinds import Kind
from events.domain.model import Context, Event, Payload
from events.domain.policy_versions import (
    Edition,
    Versions,
    content_sha256,
    published_types,
)
from events.domain.transitions import NEW, Rule, event_types, refuse

#: A kind that one person published was in force at once, whatever instant was judged.
_ALWAYS: Final = 0


class Published(Payload, frozen=True):
    """A version of a kind is laid open; it counts once a second person activates it.

    `content_sha256` is that of the content's canonical JSON (RFC 8785), in which
    members that have their default are left out.
    """

    version: Version
    content: Kind
    content_sha256: Sha256Hex
    valid_from: Instant
    basis: Text | None = None


def _check_content(event: Event) -> None:
    kinds.checked(event.data.content)


def _guard_published_by_one(
    _state: Versions | None, _event: Event, _context: Context
) -> None:
    raise refuse("kind_needs_two_persons", "/type")


def _publish_by_one(state: Versions | None, event: Event) -> Versions:
    """Fold what was accepted before two persons were asked for."""
    kind: Kind = event.data
    edition = Edition(
        version=kind.version,
        content=kind,
        sha256=content_sha256(kind),
        valid_from=_ALWAYS,
        publisher=person_of(event.actor),
        activated_at=event.ingested,
    )
    before = {} if state is None else state.versions
    rows = MappingProxyType({**before, kind.version: edition})
    return Versions(status="published", versions=rows)


_EXAMPLE: Final = {
    "name": "permit",
    "version": 2,
    "en": "Permit procedure",
    "zh": "行政许可办件",
    "entry_state": "in_progress",
    "closes_from": ["verified"],
}

EVENT_TYPES: Final = (
    *published_types(
        "policy",
        Published,
        names=("Kind of commitment", "承诺类型"),
        check=_check_content,
        content=_EXAMPLE | {"closes_from": ["claimed"]},
    ),
    *event_types(
        "policy",
        (
            Rule(
                what="kind_published",
                data=Kind,
                en="Kind of commitment published by one person (no longer accepted)",
                zh="单人发布承诺类型（不再接受）",
                roles=frozenset({"admin"}),
                when=frozenset({NEW, "published"}),
                guard=_guard_published_by_one,
                apply=_publish_by_one,
                examples=(_EXAMPLE,),
            ),
        ),
    ),
)
