"""The log in PostgreSQL: for several processes on one ledger.

Rules of this file: connections, transactions and the contract of ``events.store``;
nothing about what an entry means. One connection appends, a pool reads. The append lock
is an advisory lock: the writer's role has no privilege that a row or table lock needs.
Tables are made by ``postgres_schema``, statements are run by ``postgres_statements``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import starmap
from typing import Any, Literal, Self, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from events import errors
from events.postgres_check import check, check_protection, may_append
from events.postgres_roles import Duty
from events.postgres_schema import advisory_key, install, require_schema_name
from events.postgres_sessions import (
    RECONNECT_SECONDS,
    WAITS,
    Waits,
    bind,
    bound_waits,
    conninfo,
    refuse_closed,
)
from events.postgres_statements import (
    Order,
    PostgresAppend,
    PostgresReads,
    Room,
    detail_of,
    translated,
)
from events.sql import load
from events.store import Append, Coordinate, Node, Replayed, Root, Row, Selection

__all__ = ["PostgresStore", "Waits", "install"]

_T = TypeVar("_T")
_Connection = psycopg.Connection[tuple[Any, ...]]
_PAGE = 1_000


class PostgresStore:
    """A ledger's log in one schema. See ``events.store.Store`` for the contract."""

    def __init__(self, dsn: str, *, schema: str, readers: int, waits: Waits) -> None:
        """Prepare a store without connecting; ``open`` is the way in."""
        require_schema_name(schema)
        self.schema = schema
        self._dsn = dsn
        self._waits = waits
        self._sql = {name: text.encode() for name, text in load("postgres").items()}
        lock = advisory_key(schema, "append")
        # One round trip. Each statement of it has its own snapshot, so the head is read
        # as it is once the lock is ours.
        self._begin = (
            b"BEGIN ISOLATION LEVEL READ COMMITTED;"
            + f"SELECT pg_advisory_xact_lock({lock});".encode()
            + self._sql["head"]
        )
        self._mutex = threading.Lock()
        self._writer: _Connection | None = None
        self._room = Room(self._sql)
        self._may_append = True
        self._closed = False
        self._pool: ConnectionPool[_Connection] = ConnectionPool(
            conninfo(dsn, "read"),
            min_size=1,
            max_size=readers,
            open=False,
            timeout=waits.connect,
            reconnect_timeout=RECONNECT_SECONDS,
            kwargs={"autocommit": True},
            configure=self._configure_reader,
            check=refuse_closed,
            name=f"henji-{schema}",
        )

    @classmethod
    def open(
        cls,
        dsn: str,
        *,
        schema: str = "henji",
        readers: int = 4,
        waits: Waits = WAITS,
        overprivileged: Literal["refuse", "allow"] = "refuse",
        duty: Duty = "writer",
    ) -> Self:
        """Connect, and check what this connection may do to the log.

        ``overprivileged="allow"`` is for laptops: it lets a superuser or owner in. See
        ``postgres_check.check`` for the errors; ``Unavailable('store_unavailable')``.
        """
        store = cls(dsn, schema=schema, readers=readers, waits=waits)
        try:
            with translated():
                connection = store._connected()
                check_protection(connection, schema)
                if overprivileged == "refuse":
                    check(connection, schema, duty)
                store._room.measure(connection)
                store._may_append = may_append(connection)
                store._pool.open(wait=True, timeout=waits.connect)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Release every connection. Idempotent. Waits for an append that is running."""
        with self._mutex:
            self._closed = True
            self._drop_writer()
        self._pool.close()

    @contextmanager
    def append(self) -> Iterator[Append]:
        """Hold the append lock for one transaction; commit on a clean exit.

        ``Unavailable('store_read_only')``: this connection was opened to read.
        """
        if not self._may_append:
            raise errors.Unavailable("store_read_only")
        with self._mutex:
            with translated():
                connection, head = self._begun()
            try:
                yield PostgresAppend(connection, self._sql, head=head, room=self._room)
            except BaseException:
                self._roll_back(connection)
                raise
            self._commit(connection)

    def _begun(self) -> tuple[_Connection, Root | None]:
        """Open the transaction and take the lock.

        A connection that broke while idle is replaced once: nothing was sent on it that
        could have had an effect.
        """
        idle = self._writer
        if idle is not None:
            try:
                return idle, self._take_lock(idle)
            except psycopg.OperationalError:
                if not idle.closed:
                    raise
        fresh = self._connected()
        return fresh, self._take_lock(fresh)

    def _take_lock(self, connection: _Connection) -> Root | None:
        try:
            cursor = connection.execute(self._begin, prepare=False)
            while cursor.nextset():
                pass
            return next(starmap(Root, cursor.fetchall()), None)
        except BaseException:
            self._roll_back(connection)
            raise

    def _connected(self) -> _Connection:
        """Return a new writing connection, kept only once it is fully configured."""
        self._drop_writer()
        if self._closed:
            raise errors.Unavailable("store_unavailable", "the store is closed")
        connection = psycopg.connect(conninfo(self._dsn, "append"), autocommit=True)
        try:
            bound_waits(connection, self._waits, statement=self._waits.statement)
            self._configure(connection)
            self._configure_writer(connection)
        except BaseException:
            connection.close()
            raise
        self._writer = connection
        return connection

    def _configure_writer(self, connection: _Connection) -> None:
        connection.execute(
            # Anything weaker would answer before the commit is on disk.
            "SELECT set_config('synchronous_commit', CASE current_setting("
            "'synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply'"
            " ELSE 'on' END, false)"
        )

    def _configure(self, connection: _Connection) -> None:
        bind(connection, self.schema)
        connection.execute(
            # Plans made while the tables were small must not stay with large ones.
            "SELECT set_config('enable_seqscan', 'off', false),"
            " set_config('enable_hashjoin', 'off', false),"
            " set_config('enable_mergejoin', 'off', false),"
            " set_config('jit', 'off', false),"
            # No plan for each call: it would cost more than the rows of a small batch,
            # or of a page. Every statement is written so that one plan is right for
            # all values, or has its values in the text.
            " set_config('plan_cache_mode', 'force_generic_plan', false)"
        )

    def _configure_reader(self, connection: _Connection) -> None:
        bound_waits(connection, self._waits, statement=self._waits.read)
        self._configure(connection)
        connection.execute("SET default_transaction_read_only = on")

    def _commit(self, connection: _Connection) -> None:
        """Commit. A crash before this leaves nothing; after it, the whole batch."""
        try:
            done = connection.execute(b"COMMIT", prepare=False)
        except BaseException as error:
            idle = connection.info.transaction_status == TransactionStatus.IDLE
            if idle and isinstance(error, psycopg.Error) and not connection.closed:
                detail = detail_of(error)  # The server answered: it rolled back.
                raise errors.Unavailable("store_unavailable", detail) from error
            self._drop_writer()
            if isinstance(error, psycopg.Error):
                raise errors.Unavailable("commit_unknown", detail_of(error)) from error
            raise
        if done.statusmessage != "COMMIT":
            detail = "a statement had failed: rolled back"
            raise errors.Unavailable("store_unavailable", detail)

    def _roll_back(self, connection: _Connection) -> None:
        """Roll back; a connection that cannot is closed, which rolls back as well."""
        try:
            connection.execute(b"ROLLBACK", prepare=False)
        except psycopg.Error:
            self._drop_writer()

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(psycopg.Error):
                writer.close()

    def _read(self, use: Callable[[PostgresReads], _T]) -> _T:
        """Run a read on a pooled connection; once more if connections had broken."""
        try:
            return self._read_once(use)
        except errors.Unavailable as error:
            if error.code != "store_unavailable":
                raise
        with translated():
            self._pool.check()
        return self._read_once(use)

    def _read_once(self, use: Callable[[PostgresReads], _T]) -> _T:
        with translated(), self._pool.connection() as connection:
            return use(PostgresReads(connection, self._sql))

    def room(self) -> int | None:
        """Return how many more positions there are partitions for; None: no limit."""
        found = next(iter(self._tuples("bound")), (None, None))
        head = self.head()
        return None if found[0] is None else found[0] - 1 - (head.size if head else 0)

    def head(self) -> Root | None:
        """Return the newest committed root, or None for an empty log."""
        return self._read(lambda reads: reads.root("head"))

    def row(self, position: int) -> Row | None:
        """Return the entry at a position."""
        return _first(self._read(lambda reads: reads.fetch("row", position)))

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return up to ``limit`` rows with position > ``after``, ascending."""
        return self._read(lambda reads: reads.fetch("rows", after, limit))

    def replay(self, *, after: int, limit: int) -> list[Replayed]:
        """Return what a replay reads of ``rows(after=, limit=)``, and no more."""
        found: list[Replayed] = self._tuples("replay", after, limit)
        return found

    def find(self, source: str, event_id: str) -> Row | None:
        """Return the entry of one submission key."""
        return _first(self._read(lambda reads: reads.fetch("find", event_id, source)))

    def find_id(self, event_id: str, *, limit: int = 2) -> list[Row]:
        """Return entries with this id from any source, by position."""
        return self._read(lambda reads: reads.fetch("find_id", event_id, limit))

    def select(
        self, selection: Selection, *, limit: int, newest_first: bool = False
    ) -> list[Row]:
        """Return up to ``limit`` matching rows by position (or its reverse)."""
        narrowed = selection.narrowed(self.position_at)
        order: Order = "DESC" if newest_first else "ASC"
        return self._read(
            lambda reads: reads.select(narrowed, order=order, limit=limit)
        )

    def stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[Row]:
        """Return rows of one stream with version > ``after``, by version."""
        return self._read(lambda reads: reads.fetch("stream", stream, after, limit))

    def hashes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return the stored hashes in the order asked. KeyError: one is not stored."""
        return self._read(lambda reads: reads.hashes(coordinates))

    def leaves(self, *, start: int, end: int) -> list[bytes]:
        """Return leaf hashes for leaf indexes [start, end)."""
        return [leaf for (leaf,) in self._tuples("leaves", start, end)]

    def entries(self, *, start: int, end: int) -> list[bytes]:
        """Return entry bytes for leaf indexes [start, end)."""
        return [entry for (entry,) in self._tuples("entries", start, end)]

    def root_at(self, size: int) -> Root | None:
        """Return the committed root row of exactly this size."""
        return self._read(lambda reads: reads.root("root_at", size))

    def root_covering(self, position: int) -> Root | None:
        """Return the smallest committed root with size >= ``position``."""
        return self._read(lambda reads: reads.root("root_covering", position))

    def position_at(self, ingested: int) -> int:
        """Return the last position sealed at or before this instant (0: none)."""
        return next((int(size) for (size,) in self._tuples("position_at", ingested)), 0)

    def iter_entries(self, after: int = 0) -> Iterator[Row]:
        """Yield all rows by position, page by page.

        Not a server-side cursor: that would hold a connection and a snapshot for as
        long as the consumer takes. Rows never change, so pages are as good.
        """
        while page := self.rows(after=after, limit=_PAGE):
            yield from page
            after = page[-1].position

    def iter_nodes(self) -> Iterator[Node]:
        """Yield all ``log_node`` rows by (level, idx), page by page."""
        last = (0, -1)
        while page := list(starmap(Node, self._tuples("nodes", *last, _PAGE))):
            yield from page
            last = (page[-1].level, page[-1].idx)

    def iter_roots(self) -> Iterator[Root]:
        """Yield all ``log_root`` rows by size, page by page."""
        last = 0
        while page := list(starmap(Root, self._tuples("roots", last, _PAGE))):
            yield from page
            last = page[-1].size

    def _tuples(self, name: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._read(lambda reads: reads.tuples(name, *parameters))


def _first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None
