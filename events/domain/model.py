"""The vocabulary of the domain core: event, actor, context, event type.

Rules of this file: types only, no domain rule. Everything a ``decide`` may know reaches
it through ``Context``; there is no clock, no id factory and no I/O below this line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

#: What a decide may stamp onto the entry beside the submission (all optional):
#: ``policyversion`` ("permit@1"), ``dueat`` (RFC 3339: a term made an instant) and
#: ``duecalendar`` ("cn/2026.1": by which work calendar).
Stamps = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the submitting key, and the unit and post on whose behalf it acts.

    ``unit`` and ``post`` are ids of the organisation streams (``unit/<id>``), from the
    submission's ``actorunit`` / ``actorpost`` where the key may delegate, otherwise
    from the key's own binding. ``person`` is an opaque reference, never a name.
    """

    key: str
    unit: str | None = None
    post: str | None = None
    person: str | None = None
    roles: frozenset[str] = frozenset()


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event as the fold sees it. Instants are µs since the Unix epoch.

    ``data`` is the typed struct of the event type (a plain dict for external types).
    """

    type: str
    stream: str
    version: int
    id: str
    source: str
    occurred: int
    ingested: int
    data: Any
    actor: Actor
    recorded: int = 0
    policy: str | None = None
    due_at: int | None = None


def _nothing_known(_stream: str) -> int:
    """Prove no event: what is not shown to exist is refused."""
    return 0


def _no_event_known(_stream: str, _event_id: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Context:
    """All that a decision may depend on beside the stream's own state.

    ``now`` is read once a batch. ``at`` is the instant against which windows and
    deadlines are judged: ``now``, or the event's own time for a key that may backfill.
    ``state_of`` reads another stream's state under the append lock (None: there is no
    such stream); ``version_of`` how many events it holds (0: none), external streams
    included; ``has_event`` whether it holds an event of this id.
    """

    now: int
    at: int
    actor: Actor
    state_of: Callable[[str], Any]
    version_of: Callable[[str], int] = _nothing_known
    has_event: Callable[[str, str], bool] = _no_event_known


Decide = Callable[[Any, Event, Context], Stamps]
Evolve = Callable[[Any, Event], Any]


@dataclass(frozen=True, slots=True)
class EventType:
    """One row of the catalogue: all that is known of an event type.

    ``data`` is the msgspec struct that parses, validates and documents the payload;
    ``roles`` may submit it; ``decide`` raises ``errors.Refused`` / ``errors.Denied`` or
    returns stamps; ``evolve`` folds it into the state of its stream.
    """

    name: str
    kind: str
    en: str
    zh: str
    version: int
    data: type[msgspec.Struct]
    roles: frozenset[str]
    decide: Decide
    evolve: Evolve
    examples: tuple[Mapping[str, Any], ...]
    description: str = ""
    tags: tuple[str, ...] = field(default=())


class Payload(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False
):
    """The root of all payload structs: frozen, no unknown members (spelling counts)."""
