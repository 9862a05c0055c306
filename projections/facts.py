"""An entry as the folds see it: the columns, and the few members of the bytes they use.

Rules of this file: decoding only. The bytes were checked when they were sealed, so what
is not needed is skipped unread: this is most of the speed of a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from events import entries
from events.domain.model import Actor, Event
from events.store import Row


class Fact(NamedTuple):
    """One entry. Instants are µs; ``data`` is the payload as JSON, null where none.

    ``unit`` and ``post`` are those on whose behalf ``key`` acted.
    """

    position: int
    stream: str
    version: int
    type: str
    id: str
    source: str
    occurred: int
    recorded: int
    ingested: int
    key: str
    unit: str | None
    post: str | None
    person: str | None
    due_at: int | None
    policy: str | None
    data: msgspec.Raw


def facts(rows: Iterable[Row]) -> list[Fact]:
    """Decode entries; ``msgspec.DecodeError`` where the bytes are no entry."""
    return [_fact(row) for row in rows]


def event(fact: Fact, data: Any) -> Event:
    """Return the event that a domain fold takes, with its payload decoded by type."""
    return Event(
        type=fact.type,
        stream=fact.stream,
        version=fact.version,
        id=fact.id,
        source=fact.source,
        occurred=fact.occurred,
        ingested=fact.ingested,
        data=data,
        actor=Actor(fact.key, fact.unit, fact.post, fact.person),
        recorded=fact.recorded,
        policy=fact.policy,
        due_at=fact.due_at,
    )


def _fact(row: Row) -> Fact:
    entry = entries.envelope(row.entry)
    written, due = entry.recordedtime, entry.dueat
    return Fact(
        row.position,
        row.stream,
        row.version,
        row.type,
        row.id,
        row.source,
        row.occurred,
        row.ingested if written is None else entries.instant(written),
        row.ingested,
        entry.authid,
        entry.actorunit or entry.authunit,
        entry.actorpost or entry.authpost,
        entry.actorperson,
        None if due is None else entries.instant(due),
        entry.policyversion,
        entry.data,
    )
