"""What a store of read models promises: generations of tables, positions, snapshots.

Rules of this file: the contract and its types. A *generation* is one physical set of a
projection's tables. Exactly one is live; a rebuild fills another one beside it, and the
switch is one row. Stores: ``projections.sqlite`` and ``projections.postgres``.

A generation follows the log by one position, or the partitions of a topic by one
position each (``Part``). Then it stands where the least of them stands: what others
have folded beyond that is in its tables, and no snapshot shows it.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Literal, Protocol

from eventsourcing.persistence import (
    Tracking,
    TrackingRecorder,
    WaitInterruptedError,
)

from projections.tables import Changes, Projector, Table, Values

State = Literal["building", "live", "retired"]


@dataclass(frozen=True, slots=True)
class Poison:
    """The event that a projection could not fold, and why it stopped there."""

    position: int
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Part:
    """How far one partition of a topic has been folded into a generation.

    ``offset`` is that of the next record to read, ``position`` that of the last entry
    folded. All entries of the partition up to ``reached`` are folded: beyond its last
    entry, the log may have grown by what lies in other partitions.
    """

    topic: str
    number: int
    offset: int = 0
    position: int = 0
    reached: int = 0
    poison: Poison | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """One set of tables: of which projection and version, and how far it has come.

    ``parts`` is empty where it follows the log itself.
    """

    name: str
    number: int
    version: int
    state: State
    position: int
    poison: Poison | None = None
    parts: tuple[Part, ...] = ()

    @property
    def label(self) -> str:
        """Return the name under which its position is tracked."""
        return f"{self.name}@{self.number}"

    @property
    def ahead(self) -> bool:
        """Say whether its tables hold entries beyond its position."""
        return any(part.position > self.position for part in self.parts)

    def table(self, name: str) -> str:
        """Return the physical name of one of its tables."""
        return f"view_{self.name}_{name}_g{self.number}"

    def at(self, parts: Sequence[Part]) -> Generation:
        """Return it where these partitions are; without any, as it is."""
        if not parts:
            return self
        stopped = [part.poison for part in parts if part.poison is not None]
        return replace(
            self,
            parts=tuple(parts),
            position=min(part.reached for part in parts),
            poison=min(stopped, key=lambda each: each.position, default=None),
        )


def generation_of(row: Sequence[Any], parts: Sequence[Sequence[Any]]) -> Generation:
    """Return a generation from what the stores keep of it.

    ``row`` is name, number, version, state, position and the three of its poison, each
    of ``parts`` a part's topic, number, offset, position, reached and those three.
    """
    name, number, version, state, position, *stop = row
    found = Generation(name, number, version, state, position, _poison(stop))
    return found.at([_part(*part) for part in parts])


def _part(
    topic: str, number: int, offset: int, position: int, reached: int, *stop: Any
) -> Part:
    return Part(topic, number, offset, position, reached, _poison(stop))


def _poison(values: Sequence[Any]) -> Poison | None:
    return None if values[0] is None else Poison(*values)


class Snapshot(Protocol):
    """A consistent read of one generation: all its answers are of ``position``."""

    @property
    def generation(self) -> Generation:
        """The live generation that this reads."""

    def select(self, sql: str, parameters: Mapping[str, Any]) -> list[Values]:
        """Run a query with ``:name`` parameters; ``{table}`` names are resolved."""


class Views(TrackingRecorder):
    """Read models of one ledger. Positions are kept behind the library's interface."""

    def __init__(self) -> None:
        self._committed = threading.Condition()

    @abstractmethod
    def generations(self, name: str) -> list[Generation]:
        """Return the generations of a projection, oldest first."""

    @abstractmethod
    def create(self, projector: Projector, parts: Sequence[Part] = ()) -> Generation:
        """Create empty tables as a new generation in state ``building``.

        With ``parts`` it follows those partitions, each from where it is given.
        """

    @abstractmethod
    def discard(self, generation: Generation) -> None:
        """Drop a generation that is being built; one that is not stays."""

    @abstractmethod
    def fetch(
        self, generation: Generation, table: Table, keys: Sequence[str]
    ) -> dict[str, Values]:
        """Return the rows of these values of the table's first key column."""

    @abstractmethod
    def apply(
        self,
        generation: Generation,
        tables: Sequence[Table],
        *,
        position: int,
        changes: Changes,
    ) -> Generation:
        """Write changes and ``position`` in one transaction; return what is now true.

        ``errors.Conflict('projection_moved')`` and nothing written unless the stored
        position is still ``generation.position`` and the generation is not retired.
        """

    @abstractmethod
    def apply_part(
        self,
        generation: Generation,
        tables: Sequence[Table],
        *,
        before: Part,
        after: Part,
        changes: Changes,
    ) -> None:
        """Write changes, and move one partition, in one transaction.

        ``errors.Conflict('projection_moved')`` and nothing written unless the stored
        part is still where ``before`` is and the generation is not retired: who lost
        the partition to another worker and does not know it yet is refused.
        """

    @abstractmethod
    def stop_at(
        self, generation: Generation, poison: Poison, part: Part | None = None
    ) -> None:
        """Record the event at which the generation, or one of its parts, stopped."""

    @abstractmethod
    def switch(self, generation: Generation) -> bool:
        """Make a generation live if it has caught up with the live one; retire that.

        Tables of generations retired *before* that are dropped: a reader that has just
        resolved the live generation still finds its tables.
        """

    @abstractmethod
    def snapshot(self, name: str) -> AbstractContextManager[Snapshot]:
        """Open a read of the live generation.

        ``errors.Unavailable('projection_not_ready')``: there is none yet.
        """

    @abstractmethod
    def close(self) -> None:
        """Release every connection. Idempotent."""

    def notify_committed(self) -> None:
        """Wake everyone in ``wait``: a position has been committed."""
        with self._committed:
            self._committed.notify_all()

    def wait(
        self,
        application_name: str,
        notification_id: int | None,
        timeout: float = 1.0,
        interrupt: threading.Event | None = None,
    ) -> None:
        """Block until the position is reached, woken by commits of this process.

        ``TimeoutError`` after ``timeout`` seconds; ``WaitInterruptedError`` once
        ``interrupt`` is set. Commits of other processes and the interrupt are seen
        within 100 ms.
        """
        deadline = monotonic() + timeout
        with self._committed:
            while not self.has_tracking_id(application_name, notification_id):
                if interrupt is not None and interrupt.is_set():
                    raise WaitInterruptedError
                remaining = deadline - monotonic()
                if remaining <= 0:
                    text = f"{application_name} has not reached {notification_id}"
                    raise TimeoutError(text)
                self._committed.wait(min(remaining, 0.1))


__all__ = ["Generation", "Part", "Poison", "Snapshot", "Tracking", "Views"]
