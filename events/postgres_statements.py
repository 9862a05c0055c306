"""The statements of the PostgreSQL store on one connection, and its errors as ours.

Rules of this file: named statements of ``sql/postgres.sql`` with parameters; no
connecting, no BEGIN, no COMMIT. No pipeline mode: large batches hang in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import starmap
from typing import Any, Literal

import psycopg
from psycopg_pool import PoolTimeout

from events import errors
from events.selection import FEW, Clause, happened, where
from events.store import Coordinate, Node, Root, Row, Selection

#: Positions to go on for, where a partition could not be added.
_ASK_AGAIN = 1_000

Order = Literal["ASC", "DESC"]
_Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresReads:
    """The reads that a pooled reader and an append transaction have in common."""

    __slots__ = ("_connection", "_sql")

    def __init__(self, connection: _Connection, sql: dict[str, bytes]) -> None:
        self._connection = connection
        self._sql = sql

    def tuples(self, name: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a named statement, prepared, and return all its rows."""
        cursor = self._connection.cursor(binary=True)
        with translated():
            cursor.execute(self._sql[name], parameters, prepare=True)
            return cursor.fetchall()

    def select(self, narrowed: Selection, *, order: Order, limit: int) -> list[Row]:
        """Run a selection, whose instants of ingestion are positions."""
        window = None if narrowed.streams else happened(narrowed, mark="%b")
        if window is not None and self._are_few(window):
            return self._rows(*choosing(narrowed, window, order=order, limit=limit))
        statement, parameters = selecting(narrowed, order=order, limit=limit)
        if narrowed.streams:
            return self._rows(statement, parameters)
        # Some values are rare and found by their index, others soon met in a walk by
        # position: they are written into the text, so that it is planned for them.
        with translated():
            text = psycopg.ClientCursor(self._connection).mogrify(statement, parameters)
        return self._rows(text.encode())

    def _rows(
        self, statement: bytes, parameters: tuple[object, ...] | None = None
    ) -> list[Row]:
        cursor = self._connection.cursor(binary=True)
        with translated():
            return list(map(Row._make, cursor.execute(statement, parameters)))

    def _are_few(self, window: Clause) -> bool:
        """Say whether so few entries happened then that they are best read by that."""
        statement, parameters = counting(window)
        cursor = self._connection.cursor(binary=True)
        with translated():
            found = cursor.execute(statement, parameters).fetchone()
        return found is not None and found[0] <= FEW

    def fetch(self, name: str, *parameters: object) -> list[Row]:
        """Run a named statement that yields entry rows."""
        return list(map(Row._make, self.tuples(name, *parameters)))

    def root(self, name: str, *parameters: object) -> Root | None:
        """Run a named statement that yields at most one root."""
        return next(starmap(Root, self.tuples(name, *parameters)), None)

    def hashes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return stored hashes in the order asked. KeyError: one is not stored."""
        positions = [index + 1 for level, index in coordinates if level == 0]
        nodes = [pair for pair in coordinates if pair[0] > 0]
        levels, indexes = [level for level, _ in nodes], [index for _, index in nodes]
        rows = self.tuples("hashes", positions, levels, indexes)
        found = {(level, index): one for level, index, one in rows}
        return [found[coordinate] for coordinate in coordinates]


class Room:
    """Up to which position ``log_entry`` has partitions, as this process knows.

    Others may have added some since: asking for more returns what there is then.
    """

    __slots__ = ("_ask_from", "_bound", "_sql")

    def __init__(self, sql: dict[str, bytes]) -> None:
        self._sql = sql
        self._bound: int | None = None
        self._ask_from = 0

    def measure(self, connection: _Connection) -> None:
        """Read the bound, and from which position on a further partition is due."""
        row = connection.execute(self._sql["bound"]).fetchone()
        bound, width = row or (None, None)
        self._keep(bound, 0 if bound is None else bound - width)

    def _keep(self, bound: int | None, ask_from: int) -> None:
        self._bound = bound
        self._ask_from = sys.maxsize if bound is None else ask_from

    def make(self, connection: _Connection, size: int) -> None:
        """See to it that a log of this size has partitions, and one to spare.

        A partition is added in the append that enters the last one. Should that fail
        there is room for another million appends to try again, and ``henji doctor``
        and ``/readyz`` tell. ``Unavailable('log_partition_missing')``: none is left.
        """
        if size < self._ask_from:
            return
        try:
            with connection.transaction():  # a savepoint: the append goes on without
                connection.execute(self._sql["extend"], [size], prepare=False)
            self.measure(connection)
        except psycopg.Error as error:
            bound = self._bound or 0
            if size >= bound:
                detail = detail_of(error)
                raise errors.Unavailable("log_partition_missing", detail) from error
            self._ask_from = min(size + _ASK_AGAIN, bound)


class PostgresAppend(PostgresReads):
    """One append transaction. See ``events.store.Append``."""

    __slots__ = ("_head", "_room")

    def __init__(
        self,
        connection: _Connection,
        sql: dict[str, bytes],
        *,
        head: Root | None,
        room: Room,
    ) -> None:
        super().__init__(connection, sql)
        self._head = head
        self._room = room

    def head(self) -> Root | None:
        """Return the newest root: read with the lock, no further query."""
        return self._head

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return up to ``limit`` rows with position > ``after``, ascending."""
        return self.fetch("rows", after, limit)

    def find_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row]:
        """Return the entries that exist for these (source, id) pairs: one query."""
        sources, ids = [source for source, _ in keys], [one for _, one in keys]
        rows = self.fetch("find_many", sources, ids)
        return {(row.source, row.id): row for row in rows}

    def streams(self, names: Sequence[str]) -> list[Row]:
        """Return all rows of these streams, by position: one query."""
        return self.fetch("streams", list(names))

    def versions(self, names: Sequence[str]) -> dict[str, int]:
        """Return the current version of those streams that exist: one query."""
        return dict(self.tuples("versions", list(names)))

    def insert(self, *, rows: Sequence[Row], nodes: Sequence[Node], root: Root) -> None:
        """Insert one sealed batch: one statement, one round trip."""
        self._room.make(self._connection, root.size)
        columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 10
        tree = [list(column) for column in zip(*nodes, strict=True)] or [[]] * 3
        cursor = self._connection.cursor(binary=True)
        with translated():
            cursor.execute(self._sql["insert"], [*columns, *tree, *root], prepare=True)
        self._head = root


def counting(window: Clause) -> tuple[bytes, tuple[object, ...]]:
    """Return what counts the entries that happened then, up to one more than few."""
    text = (
        "SELECT count(*) FROM "  # noqa: S608
        f"(SELECT 1 FROM log_entry WHERE {window.text} LIMIT {FEW + 1}) few"
    )
    return text.encode(), window.parameters


def selecting(
    narrowed: Selection, *, order: Order, limit: int
) -> tuple[bytes, tuple[object, ...]]:
    """Return the statement of a selection and its parameters: fixed fragments only.

    Streams are many, and most are short: the planner's guess for several of them may be
    a walk through the whole log. So each is read by its own index, up to the limit.

    The limit is in the text: a plan for any limit is made for a tenth of the log, and
    what is best for so many is not the same in short and long logs.
    """
    clause = where(replace(narrowed, streams=()), mark="%b")
    tail = f"ORDER BY position {order} LIMIT {limit:d}"
    if not narrowed.streams:
        text = f"SELECT * FROM log_entry WHERE {clause.text} {tail}"  # noqa: S608
        return text.encode(), clause.parameters
    names = list(dict.fromkeys(narrowed.streams))
    text = (
        "SELECT e.* FROM unnest(%b::text[]) AS k (stream) CROSS JOIN LATERAL ("  # noqa: S608
        f"SELECT * FROM log_entry l WHERE l.stream = k.stream AND {clause.text} {tail}"
        f") e {tail}"
    )
    return text.encode(), (names, *clause.parameters)


def choosing(
    narrowed: Selection, window: Clause, *, order: Order, limit: int
) -> tuple[bytes, tuple[object, ...]]:
    """Return what chooses among the few that happened within ``window``.

    They are found by nothing but when they happened: a plan that may use all conditions
    has been seen to walk the log by position. Type and position are in the same index,
    so that only the rows of the answer are read.
    """
    rest = where(replace(narrowed, occurred_from=None, occurred_before=None), mark="%b")
    seen = "position, type"
    if narrowed.sources or narrowed.without:
        seen += ", source, stream"
    text = (
        "WITH happened AS MATERIALIZED "  # noqa: S608
        f"(SELECT {seen} FROM log_entry WHERE {window.text}), "
        f"chosen AS (SELECT position FROM happened WHERE {rest.text} "
        f"ORDER BY position {order} LIMIT {limit:d}) "
        "SELECT e.* FROM chosen JOIN log_entry e USING (position) "
        f"ORDER BY e.position {order}"
    )
    return text.encode(), (*window.parameters, *rest.parameters)


#: The first class that an error is an instance of decides. The rest are bugs of ours.
_TRANSLATIONS: tuple[tuple[type[Exception], type[errors.HenjiError], str], ...] = (
    (psycopg.errors.UniqueViolation, errors.Conflict, "version_conflict"),
    (psycopg.errors.IntegrityError, errors.Corrupt, "row_refused"),
    (psycopg.errors.DataError, errors.Malformed, "text_not_storable"),
    (UnicodeEncodeError, errors.Malformed, "text_not_storable"),
    (psycopg.errors.LockNotAvailable, errors.Unavailable, "store_busy"),
    (psycopg.errors.QueryCanceled, errors.Unavailable, "store_busy"),
    (PoolTimeout, errors.Unavailable, "store_busy"),
    (psycopg.errors.UndefinedTable, errors.Unavailable, "store_not_installed"),
    (psycopg.errors.InsufficientPrivilege, errors.Denied, "store_privilege_missing"),
    (psycopg.OperationalError, errors.Unavailable, "store_unavailable"),
    (psycopg.InterfaceError, errors.Unavailable, "store_unavailable"),
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the driver raises as one of our errors, without any row's content."""
    try:
        yield
    except (psycopg.Error, UnicodeEncodeError) as error:
        for known, ours, code in _TRANSLATIONS:
            if isinstance(error, known):
                raise ours(code, detail_of(error)) from error
        raise


def detail_of(error: Exception) -> str:
    """Return the server's primary message, which holds no row, or the error's class."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    return type(error).__name__
