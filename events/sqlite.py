"""The log in one SQLite file: the embedded default.

Rules of this file: native SQL over the stdlib driver, and the contract of
``events.store``; nothing about what an entry means. WAL with ``synchronous=FULL``: a
commit is on disk when it returns. One connection writes, readers take one each from a
pool. ``BEGIN IMMEDIATE`` is the append lock, across processes too.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from itertools import starmap
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self

import msgspec

from events import errors
from events.selection import FEW, Clause, happened, where
from events.sql import load
from events.store import Append, Coordinate, Node, Replayed, Root, Row, Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_BUSY_SECONDS = 30.0
_PAGE = 2_000
#: Pages that a connection keeps. A commit changes pages all over the indexes. A reader
#: lets go of its pages after each commit, and comes to a page of the past once: to fill
#: a large cache takes it longer than to ask the system again.
_WRITER_KIB, _READER_KIB = 65_536, 4_096
_BY_TIME = "INDEXED BY log_entry_occurred"
_WALK = "SELECT * FROM log_entry WHERE {where} ORDER BY position {order} LIMIT ?"
#: Chosen in the index, so that only the rows of the answer are read.
_THEN = (
    "SELECT * FROM log_entry WHERE position IN ("  # noqa: S608 - fixed fragments
    f"SELECT position FROM log_entry {_BY_TIME} WHERE {{where}} "
    "ORDER BY position {order} LIMIT ?) ORDER BY position {order}"
)


class SqliteStore:
    """A ledger's log in one file. See ``events.store.Store`` for the contract."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it (mode 0600) and its tables where missing."""
        self.path = path
        if not path.exists():
            path.touch(mode=0o600)
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._sql = load("sqlite")
        # Threads of this process wait here; other processes at BEGIN IMMEDIATE.
        self._mutex = threading.Lock()
        self._writer = self._connect(_WRITER_KIB)
        self._writer.executescript("BEGIN IMMEDIATE;" + self._sql["schema"] + "COMMIT;")

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create the store at ``path``."""
        return cls(path)

    def close(self) -> None:
        """Close every pooled connection. Idempotent."""
        self._writer.close()
        while True:
            try:
                self._readers.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def append(self) -> Iterator[Append]:
        """Hold the append lock for one transaction; commit on a clean exit."""
        with self._mutex:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                raise errors.Unavailable("store_busy", str(error)) from error
            try:
                yield SqliteAppend(self._writer)
            except BaseException:
                self._abandon()
                raise
            self._commit()

    def _commit(self) -> None:
        try:
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            self._abandon()
            raise errors.Unavailable("commit_unknown", str(error)) from error

    def _abandon(self) -> None:
        """Roll back on a fresh connection's terms: a broken one must not be reused."""
        try:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        except sqlite3.Error:
            self._writer.close()
            self._writer = self._connect(_WRITER_KIB)

    def _connect(self, cache_kib: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=128,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # REPLACE deletes without firing delete triggers unless this is on.
        connection.execute("PRAGMA recursive_triggers = ON")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        # Pages are copied back from the log less often: that work is in a commit.
        connection.execute("PRAGMA wal_autocheckpoint = 4096")
        return connection

    @contextmanager
    def _reading(self) -> Iterator[SqliteReads]:
        try:
            connection = self._readers.get_nowait()
        except Empty:
            connection = self._connect(_READER_KIB)
            connection.execute("PRAGMA query_only = ON")
        try:
            yield SqliteReads(connection)
        finally:
            self._readers.put(connection)

    def head(self) -> Root | None:
        """Return the newest committed root, or None for an empty log."""
        with self._reading() as reads:
            return reads.head()

    def row(self, position: int) -> Row | None:
        """Return the entry at a position."""
        with self._reading() as reads:
            return _one(reads.fetch("row", (position,)))

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return up to ``limit`` rows with position > ``after``, ascending."""
        with self._reading() as reads:
            return reads.rows(after=after, limit=limit)

    def replay(self, *, after: int, limit: int) -> list[Replayed]:
        """Return what a replay reads of ``rows(after=, limit=)``, and no more."""
        with self._reading() as reads:
            return reads.cursor("replay", (after, limit)).fetchall()

    def find(self, source: str, event_id: str) -> Row | None:
        """Return the entry of one submission key."""
        with self._reading() as reads:
            return _one(reads.fetch("find", (event_id, source)))

    def find_id(self, event_id: str, *, limit: int = 2) -> list[Row]:
        """Return entries with this id from any source, by position."""
        with self._reading() as reads:
            return reads.fetch("find_id", (event_id, limit))

    def select(
        self, selection: Selection, *, limit: int, newest_first: bool = False
    ) -> list[Row]:
        """Return up to ``limit`` matching rows by position, or newest first."""
        narrowed = selection.narrowed(self.position_at)
        clause: Clause = where(narrowed, mark="?")
        order = "DESC" if newest_first else "ASC"
        with self._reading() as reads:
            few = reads.are_few(happened(narrowed, mark="?"))
            statement = (_THEN if few else _WALK).format(where=clause.text, order=order)
            return reads.execute(statement, (*clause.parameters, limit))

    def stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[Row]:
        """Return rows of one stream with version > ``after``, by version."""
        with self._reading() as reads:
            return reads.fetch("stream", (stream, after, limit))

    def hashes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return the stored hashes in the order asked. KeyError: one is not stored."""
        with self._reading() as reads:
            return reads.hashes(coordinates)

    def leaves(self, *, start: int, end: int) -> list[bytes]:
        """Return leaf hashes for leaf indexes [start, end)."""
        with self._reading() as reads:
            return [leaf for (leaf,) in reads.cursor("leaves", (start, end))]

    def entries(self, *, start: int, end: int) -> list[bytes]:
        """Return entry bytes for leaf indexes [start, end)."""
        with self._reading() as reads:
            return [entry for (entry,) in reads.cursor("entries", (start, end))]

    def root_at(self, size: int) -> Root | None:
        """Return the committed root row of exactly this size."""
        with self._reading() as reads:
            return next(starmap(Root, reads.cursor("root_at", (size,))), None)

    def root_covering(self, position: int) -> Root | None:
        """Return the smallest committed root with size >= ``position``."""
        with self._reading() as reads:
            return next(starmap(Root, reads.cursor("root_covering", (position,))), None)

    def position_at(self, ingested: int) -> int:
        """Return the last position sealed at or before this instant (0: none)."""
        with self._reading() as reads:
            found = reads.cursor("position_at", (ingested,)).fetchone()
        return int(found[0]) if found else 0

    def iter_entries(self, after: int = 0) -> Iterator[Row]:
        """Yield all rows by position, in bounded memory, page by page."""
        while page := self.rows(after=after, limit=_PAGE):
            yield from page
            after = page[-1].position

    def iter_nodes(self) -> Iterator[Node]:
        """Yield all ``log_node`` rows by (level, idx)."""
        with self._reading() as reads:
            yield from starmap(Node, reads.cursor("nodes", ()))

    def iter_roots(self) -> Iterator[Root]:
        """Yield all ``log_root`` rows by size."""
        with self._reading() as reads:
            yield from starmap(Root, reads.cursor("roots", ()))


class SqliteReads:
    """The reads that a pooled reader and an append transaction have in common."""

    __slots__ = ("_connection", "_sql")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sql = load("sqlite")

    def cursor(self, name: str, parameters: tuple[Any, ...]) -> sqlite3.Cursor:
        """Run a named statement."""
        return self._connection.execute(self._sql[name], parameters)

    def execute(self, statement: str, parameters: tuple[Any, ...]) -> list[Row]:
        """Run a statement that yields entry rows."""
        return list(map(Row._make, self._connection.execute(statement, parameters)))

    def are_few(self, window: Clause | None) -> bool:
        """Say whether so few entries happened then that they are best read by that."""
        if window is None:
            return False
        statement = (
            "SELECT count(*) FROM (SELECT 1 FROM log_entry "  # noqa: S608 - fixed fragments
            f"{_BY_TIME} WHERE {window.text} LIMIT ?)"
        )
        found = self._connection.execute(statement, (*window.parameters, FEW + 1))
        return bool(found.fetchone()[0] <= FEW)

    def fetch(self, name: str, parameters: tuple[Any, ...]) -> list[Row]:
        """Run a named statement that yields entry rows."""
        return list(map(Row._make, self.cursor(name, parameters)))

    def head(self) -> Root | None:
        """Return the newest root."""
        found = self.cursor("head", ()).fetchone()
        return Root._make(found) if found else None

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return up to ``limit`` rows with position > ``after``, ascending."""
        return self.fetch("rows", (after, limit))

    def hashes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return stored hashes in the order asked. KeyError: one is not stored."""
        leaves = [index for level, index in coordinates if level == 0]
        nodes = [pair for pair in coordinates if pair[0] > 0]
        found: dict[Coordinate, bytes] = {}
        if leaves:
            for index, leaf in self.cursor("leaf_hashes", (_json(leaves),)):
                found[0, index] = leaf
        if nodes:
            for level, index, node in self.cursor("node_hashes", (_json(nodes),)):
                found[level, index] = node
        return [found[coordinate] for coordinate in coordinates]


class SqliteAppend(SqliteReads):
    """One append transaction. See ``events.store.Append``."""

    __slots__ = ()

    def find_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row]:
        """Return the entries that exist for these (source, id) pairs: one query."""
        rows = self.fetch("find_many", (_json(keys),))
        return {(row.source, row.id): row for row in rows}

    def streams(self, names: Sequence[str]) -> list[Row]:
        """Return all rows of these streams, by position: one query."""
        return self.fetch("streams", (_json(names),))

    def versions(self, names: Sequence[str]) -> dict[str, int]:
        """Return the current version of those streams that exist: one query."""
        found = self.cursor("versions", (_json(names),))
        return {name: version for name, version in found if version is not None}

    def insert(self, *, rows: Sequence[Row], nodes: Sequence[Node], root: Root) -> None:
        """Insert one sealed batch, entries first."""
        try:
            self._insert_many("insert_entry", rows)
            if nodes:
                self._insert_many("insert_node", nodes)
            self.cursor("insert_root", tuple(root))
        except sqlite3.IntegrityError as error:
            raise errors.Conflict("version_conflict", str(error)) from error

    def _insert_many(self, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._connection.executemany(self._sql[name], rows)


def _one(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
