"""The log in memory: for tests, trials and tools; it is gone with the process.

Rules of this file: the contract of ``events.store`` over lists and dictionaries, with
the same refusals as the tables of the SQL stores; nothing about what an entry means.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from events import errors
from events.store import Append, Coordinate, Node, Replayed, Root, Row, Selection

_T = TypeVar("_T")
_MAX_ENTRY = 65_535


class MemoryStore:
    """A ledger's log in this process. See ``events.store.Store`` for the contract.

    Appends take turns; a batch becomes visible to readers as a whole.
    """

    def __init__(self) -> None:
        """Make an empty log."""
        self._turn = threading.Lock()
        # Held for moments: by readers of the dictionaries, and while a batch is shown.
        self._state = threading.Lock()
        self._rows: list[Row] = []
        self._roots: list[Root] = []
        self._nodes: dict[Coordinate, bytes] = {}
        self._by_key: dict[tuple[str, str], Row] = {}
        self._by_id: defaultdict[str, list[Row]] = defaultdict(list)
        self._by_stream: defaultdict[str, dict[int, Row]] = defaultdict(dict)

    def close(self) -> None:
        """Do nothing: there is no connection to release."""

    @contextmanager
    def append(self) -> Iterator[Append]:
        """Hold the append lock for one transaction; show it on a clean exit."""
        with self._turn:
            batch = MemoryAppend(self)
            yield batch
            self._show(batch)

    def _show(self, batch: MemoryAppend) -> None:
        with self._state:
            for row in batch.new_rows:
                self._rows.append(row)
                self._by_key[row.source, row.id] = row
                self._by_id[row.id].append(row)
                self._by_stream[row.stream][row.version] = row
            self._nodes |= batch.new_nodes
            self._roots += batch.new_roots

    def head(self) -> Root | None:
        """Return the newest committed root, or None for an empty log."""
        with self._state:
            return self._roots[-1] if self._roots else None

    def row(self, position: int) -> Row | None:
        """Return the entry at a position."""
        with self._state:
            return _at(self._rows, position - 1)

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return up to ``limit`` rows with position > ``after``, ascending."""
        after = max(after, 0)
        with self._state:
            return self._rows[after : after + limit]

    def replay(self, *, after: int, limit: int) -> list[Replayed]:
        """Return what a replay reads of ``rows(after=, limit=)``, and no more."""
        return [
            (row.position, row.occurred, row.ingested, row.entry)
            for row in self.rows(after=after, limit=limit)
        ]

    def find(self, source: str, event_id: str) -> Row | None:
        """Return the entry of one submission key."""
        with self._state:
            return self._by_key.get((source, event_id))

    def find_id(self, event_id: str, *, limit: int = 2) -> list[Row]:
        """Return entries with this id from any source, by position."""
        with self._state:
            return self._by_id.get(event_id, [])[:limit]

    def select(
        self, selection: Selection, *, limit: int, newest_first: bool = False
    ) -> list[Row]:
        """Return up to ``limit`` matching rows by position (or its reverse)."""
        narrowed = selection.narrowed(self.position_at)
        with self._state:
            until = len(self._rows) if narrowed.until is None else narrowed.until
            rows = self._rows[max(narrowed.after, 0) : max(until, 0)]
        ordered = reversed(rows) if newest_first else iter(rows)
        return list(islice((row for row in ordered if _matches(narrowed, row)), limit))

    def stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[Row]:
        """Return rows of one stream with version > ``after``, by version."""
        with self._state:
            found = self._by_stream.get(stream, {})
            versions = sorted(version for version in found if version > after)
            return [found[version] for version in versions[:limit]]

    def streams(self, names: Iterable[str]) -> list[Row]:
        """Return all rows of these streams, by position."""
        with self._state:
            found = [self._by_stream.get(name, {}).values() for name in set(names)]
            return sorted(row for rows in found for row in rows)

    def hashes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return the stored hashes in the order asked. KeyError: one is not stored."""
        with self._state:
            return [self._hash(coordinate) for coordinate in coordinates]

    def _hash(self, coordinate: Coordinate) -> bytes:
        level, index = coordinate
        if level:
            return self._nodes[coordinate]
        row = _at(self._rows, index)
        if row is None:
            raise KeyError(coordinate)
        return row.leaf

    def leaves(self, *, start: int, end: int) -> list[bytes]:
        """Return leaf hashes for leaf indexes [start, end)."""
        return [row.leaf for row in self.rows(after=start, limit=max(0, end - start))]

    def entries(self, *, start: int, end: int) -> list[bytes]:
        """Return entry bytes for leaf indexes [start, end)."""
        return [row.entry for row in self.rows(after=start, limit=max(0, end - start))]

    def root_at(self, size: int) -> Root | None:
        """Return the committed root row of exactly this size."""
        with self._state:
            at = bisect_right(self._roots, size, key=lambda root: root.size) - 1
            found = _at(self._roots, at)
        return found if found is not None and found.size == size else None

    def root_covering(self, position: int) -> Root | None:
        """Return the smallest committed root with size >= ``position``."""
        with self._state:
            at = bisect_left(self._roots, position, key=lambda root: root.size)
            return _at(self._roots, at)

    def position_at(self, ingested: int) -> int:
        """Return the last position sealed at or before this instant (0: none)."""
        with self._state:
            at = bisect_right(self._roots, ingested, key=lambda root: root.ingested) - 1
            found = _at(self._roots, at)
        return found.size if found is not None else 0

    def iter_entries(self, after: int = 0) -> Iterator[Row]:
        """Yield all rows by position."""
        while page := self.rows(after=after, limit=1000):
            yield from page
            after = page[-1].position

    def iter_nodes(self) -> Iterator[Node]:
        """Yield all nodes by (level, idx)."""
        with self._state:
            nodes = sorted(self._nodes.items())
        for (level, index), node in nodes:
            yield Node(level, index, node)

    def iter_roots(self) -> Iterator[Root]:
        """Yield all roots by size."""
        with self._state:
            roots = list(self._roots)
        yield from roots


class MemoryAppend:
    """One append transaction: what it inserts waits here."""

    __slots__ = ("_store", "new_nodes", "new_roots", "new_rows")

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.new_rows: list[Row] = []
        self.new_nodes: dict[Coordinate, bytes] = {}
        self.new_roots: list[Root] = []

    def head(self) -> Root | None:
        """Return the newest root."""
        return self.new_roots[-1] if self.new_roots else self._store.head()

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return up to ``limit`` rows with position > ``after``, ascending."""
        return self._store.rows(after=after, limit=limit)

    def find_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row]:
        """Return the entries that exist for these (source, id) pairs."""
        found = ((key, self._store.find(*key)) for key in keys)
        return {key: row for key, row in found if row is not None}

    def streams(self, names: Sequence[str]) -> list[Row]:
        """Return all rows of these streams, by position."""
        return self._store.streams(names)

    def versions(self, names: Sequence[str]) -> dict[str, int]:
        """Return the current version of those streams that exist."""
        versions: dict[str, int] = {}
        for row in self._store.streams(names):
            versions[row.stream] = max(row.version, versions.get(row.stream, 0))
        return versions

    def hashes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return stored hashes in the order asked. KeyError: one is not stored."""
        return self._store.hashes(coordinates)

    def insert(self, *, rows: Sequence[Row], nodes: Sequence[Node], root: Root) -> None:
        """Insert one sealed batch."""
        head = self.head()
        before = head.size if head else 0
        if [row.position for row in rows] != list(range(before + 1, root.size + 1)):
            raise errors.Conflict("version_conflict", "position")
        known = self._store.streams({row.stream for row in rows}) + self.new_rows
        _require_new(
            "stream and version",
            [(row.stream, row.version) for row in rows],
            known={(row.stream, row.version) for row in known},
        )
        keys = [(row.source, row.id) for row in rows]
        present = set(self.find_many(keys)) | {(r.source, r.id) for r in self.new_rows}
        _require_new("source and id", keys, known=present)
        if not all(map(_is_sound, rows)):
            raise errors.Corrupt("row_refused")
        self.new_rows += rows
        self.new_nodes |= {(node.level, node.idx): node.hash for node in nodes}
        self.new_roots.append(root)


def _require_new(what: str, values: Sequence[_T], *, known: set[_T]) -> None:
    if len(set(values)) < len(values) or not known.isdisjoint(values):
        raise errors.Conflict("version_conflict", what)


def _is_sound(row: Row) -> bool:
    texts = row.stream and row.type and row.source and row.id
    sizes = len(row.leaf) == 32 and 0 < len(row.entry) <= _MAX_ENTRY
    return bool(texts) and sizes and row.version > 0


def _matches(selection: Selection, row: Row) -> bool:
    return (
        _has_type(selection.types, row.type)
        and (not selection.sources or row.source in selection.sources)
        and (not selection.streams or row.stream in selection.streams)
        and row.stream.partition("/")[0] not in selection.without
        and (selection.occurred_from is None or row.occurred >= selection.occurred_from)
        and (
            selection.occurred_before is None
            or row.occurred < selection.occurred_before
        )
    )


def _has_type(types: Sequence[str], name: str) -> bool:
    return not types or any(
        name.startswith(one[:-1]) if one.endswith("*") else name == one for one in types
    )


def _at(values: Sequence[_T], index: int) -> _T | None:
    return values[index] if 0 <= index < len(values) else None
