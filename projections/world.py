"""What a report or a rule may know: the states and events of one cut of the log.

Rules of this file: the contract between read models and all that derives from them. A
cut has two clocks: what had been *sealed* (``position``) and what had *happened*
(``as_at``). Every answer names the positions of the events it rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Cut(NamedTuple):
    """Which part of the log: sealed up to ``position``, happened up to ``as_at`` (µs).

    ``root`` is the 32-byte root at ``position``; ``now`` the instant that lights and
    overdues are judged at (usually ``as_at``, or the ingestion of ``position``).
    """

    position: int
    root: bytes
    now: int
    as_at: int | None = None


class StateRow(NamedTuple):
    """The state of one stream in a cut: the domain's own state struct.

    ``events`` are the positions of all its events in the cut, ascending.
    """

    stream: str
    kind: str
    key: str
    state: Any
    events: tuple[int, ...]


class Happened(NamedTuple):
    """One event in a cut. Instants are µs; ``data`` is its typed payload.

    ``unit`` and ``post`` are those on whose behalf it was done; ``due_at`` is the due
    that the decision counted, where it counted one.
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
    unit: str | None
    post: str | None
    data: Any
    due_at: int | None = None


class World(Protocol):
    """Reads of one cut; the same cut always gives the same answers, in one order."""

    @property
    def cut(self) -> Cut:
        """What this is a view of."""

    def at(self, cut: Cut) -> World:
        """Return the same log at another cut, not further along than this one."""

    def state(self, stream: str) -> StateRow | None:
        """Return the state of one stream; None: it had not begun."""

    def states(self, kind: str) -> Sequence[StateRow]:
        """Return the state of every stream of a kind, by key."""

    def events(
        self,
        *,
        types: Sequence[str] = (),
        streams: Sequence[str] = (),
        occurred_from: int | None = None,
        occurred_before: int | None = None,
    ) -> Sequence[Happened]:
        """Return events by position; types may end in ``*``, every filter narrows."""
