"""What a store of the log promises: three insert-only tables and one append lock.

Rules of this file: the contract and its row types, nothing else. Each store keeps it in
its own native SQL (``memory``, ``sqlite``, ``postgres``); they share the contract's
tests, not code. Instants are integer µs since the Unix epoch; hashes are 32 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

Coordinate = tuple[int, int]
"""(level, index) of a complete subtree of 256**level leaves; level 0 is a leaf hash."""


class Row(NamedTuple):
    """One row of ``log_entry``. Every column but ``entry`` only indexes ``entry``."""

    position: int
    stream: str
    version: int
    type: str
    source: str
    id: str
    occurred: int
    ingested: int
    leaf: bytes
    entry: bytes


Replayed = tuple[int, int, int, bytes]
"""(position, occurred, ingested, entry): the columns that spare parsing instants."""


class Node(NamedTuple):
    """One row of ``log_node``: a complete subtree of 256**level leaves."""

    level: int
    idx: int
    hash: bytes


class Root(NamedTuple):
    """One row of ``log_root``: the root at ``size``, one row a committed batch."""

    size: int
    root: bytes
    ingested: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries a reader wants; every given field narrows it, repeats mean OR.

    ``after``/``until`` are positions, exclusive and inclusive; ``types`` may end in
    ``*``; instants are half-open ranges [from, before). ``without`` leaves out whole
    kinds of stream.
    """

    after: int = 0
    until: int | None = None
    types: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    occurred_from: int | None = None
    occurred_before: int | None = None
    ingested_from: int | None = None
    ingested_before: int | None = None

    def narrowed(self, position_at: Callable[[int], int]) -> Selection:
        """Return the same selection with the ingested range as a position range.

        Positions and ingested instants grow together, so no column scan is needed.
        """
        after, until = self.after, self.until
        if self.ingested_from is not None:
            after = max(after, position_at(self.ingested_from - 1))
        if self.ingested_before is not None:
            last = position_at(self.ingested_before - 1)
            until = last if until is None else min(until, last)
        return replace(
            self,
            after=after,
            until=until,
            ingested_from=None,
            ingested_before=None,
        )


class Reader(Protocol):
    """Reads that see only committed rows; safe from any thread."""

    def head(self) -> Root | None:
        """Return the newest committed root, or None for an empty log."""

    def row(self, position: int) -> Row | None:
        """Return the entry at a position."""

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return up to ``limit`` rows with position > ``after``, ascending, no gaps."""

    def replay(self, *, after: int, limit: int) -> list[Replayed]:
        """Return what a replay reads of ``rows(after=, limit=)``, and no more."""

    def find(self, source: str, event_id: str) -> Row | None:
        """Return the entry of one submission key."""

    def find_id(self, event_id: str, *, limit: int = 2) -> list[Row]:
        """Return entries with this id from any source, by position."""

    def select(
        self, selection: Selection, *, limit: int, newest_first: bool = False
    ) -> list[Row]:
        """Return up to ``limit`` matching rows by position, or newest first."""

    def stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[Row]:
        """Return rows of one stream with version > ``after``, by version."""

    def hashes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return the stored hashes in the order asked. KeyError: one is not stored."""

    def leaves(self, *, start: int, end: int) -> list[bytes]:
        """Return leaf hashes for leaf indexes [start, end)."""

    def entries(self, *, start: int, end: int) -> list[bytes]:
        """Return entry bytes for leaf indexes [start, end)."""

    def root_at(self, size: int) -> Root | None:
        """Return the committed root row of exactly this size."""

    def root_covering(self, position: int) -> Root | None:
        """Return the smallest committed root with size >= ``position``."""

    def position_at(self, ingested: int) -> int:
        """Return the last position sealed at or before this instant (0: none)."""

    def iter_entries(self, after: int = 0) -> Iterator[Row]:
        """Yield all rows by position, in bounded memory."""

    def iter_nodes(self) -> Iterator[Node]:
        """Yield all ``log_node`` rows by (level, idx)."""

    def iter_roots(self) -> Iterator[Root]:
        """Yield all ``log_root`` rows by size."""


class Append(Protocol):
    """One append transaction. It holds the ledger's append lock from its first moment.

    Its reads see everything committed before it: who decides here decides on the truth.
    """

    def head(self) -> Root | None:
        """Return the newest root."""

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return up to ``limit`` rows with position > ``after``, ascending."""

    def find_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row]:
        """Return the entries that exist for these (source, id) pairs: one query."""

    def streams(self, names: Sequence[str]) -> list[Row]:
        """Return all rows of these streams, by position: one query."""

    def versions(self, names: Sequence[str]) -> dict[str, int]:
        """Return the current version of those streams that exist: one query."""

    def hashes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return stored hashes in the order asked."""

    def insert(self, *, rows: Sequence[Row], nodes: Sequence[Node], root: Root) -> None:
        """Insert one sealed batch.

        ``errors.Conflict('version_conflict')`` where a unique index refuses a row.
        """


class Store(Reader, Protocol):
    """A ledger's log. ``append()`` commits on a clean exit and rolls back on any raise.

    If the commit itself fails with an unknown outcome, ``append()`` raises
    ``errors.Unavailable('commit_unknown')``: the caller must re-read the head.
    """

    def append(self) -> AbstractContextManager[Append]:
        """Open an append transaction; waits for the lock."""

    def close(self) -> None:
        """Release every connection. Idempotent."""
