"""Read models in SQLite: beside the log in the same file, on connections of their own.

Rules of this file: native SQL for the contract of ``projections.views``; no projection
is known here. ``synchronous=NORMAL``: what a power cut takes from a read model is
folded again from the log, which is FULL; the position goes back with its rows.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from eventsourcing.persistence import IntegrityError, Tracking

from events.errors import Unavailable
from projections import cuts, sqlite_tracking
from projections.sqlite_tables import ddl, write
from projections.tables import Changes, Projector, Table, Values
from projections.views import Generation, Part, Poison, Views

_BUSY_SECONDS = 30.0
#: Pages that a connection keeps; why those that read keep few: ``events.sqlite``.
_WRITER_KIB, _READER_KIB = 65_536, 4_096


class SqliteViews(Views):
    """Read models in one SQLite file. See ``projections.views.Views``."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating the bookkeeping tables where missing."""
        super().__init__()
        self._path = path
        self._lock = threading.Lock()
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._writer = self._connect(_WRITER_KIB)
        self._writer.executescript(f"BEGIN IMMEDIATE;{sqlite_tracking.SCHEMA}COMMIT;")

    def close(self) -> None:
        """Release every connection. Idempotent."""
        self._writer.close()
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def generations(self, name: str) -> list[Generation]:
        """Return the generations of a projection, oldest first."""
        with self._reading() as connection:
            return sqlite_tracking.generations(connection, name)

    def create(self, projector: Projector, parts: Sequence[Part] = ()) -> Generation:
        """Create empty tables as a new generation in state ``building``."""
        with self._writing() as connection:
            ((last,),) = connection.execute(
                "SELECT coalesce(max(number), 0) FROM view_generation WHERE name = ?",
                (projector.name,),
            ).fetchall()
            made = Generation(
                name=projector.name,
                number=last + 1,
                version=projector.version,
                state="building",
                position=0,
            ).at(parts)
            names = [made.table(table.name) for table in projector.tables]
            sqlite_tracking.begin(connection, made, names)
            for table in projector.tables:
                for statement in ddl(made.table(table.name), table):
                    connection.execute(statement)
            if parts:
                queries = cuts.queries(made, projector.tables)
                sqlite_tracking.keep_cuts(connection, made, queries)
                for text in cuts.indexes(made, projector.tables):
                    connection.execute(text)
        return made

    def fetch(
        self, generation: Generation, table: Table, keys: Sequence[str]
    ) -> dict[str, Values]:
        """Return the rows of these values of the table's first key column."""
        statement = (
            f"SELECT {', '.join(table.names)} FROM {generation.table(table.name)} "  # noqa: S608 - our table names
            f"WHERE {table.key[0]} IN (SELECT value FROM json_each(?))"
        )
        at = table.names.index(table.key[0])
        with self._reading() as connection:
            rows = connection.execute(statement, (json.dumps(list(keys)),)).fetchall()
        return {row[at]: row for row in rows}

    def apply(
        self,
        generation: Generation,
        tables: Sequence[Table],
        *,
        position: int,
        changes: Changes,
    ) -> Generation:
        """Write changes and position in one transaction, or refuse a moved position."""
        with self._writing() as connection:
            sqlite_tracking.move(connection, generation, position)
            _write(connection, generation, tables, changes)
        self.notify_committed()
        return replace(generation, position=position, poison=None)

    def apply_part(
        self,
        generation: Generation,
        tables: Sequence[Table],
        *,
        before: Part,
        after: Part,
        changes: Changes,
    ) -> None:
        """Write changes and move one partition, or refuse a moved one."""
        with self._writing() as connection:
            sqlite_tracking.move_part(connection, generation, before, after)
            _write(connection, generation, tables, changes)
        self.notify_committed()

    def discard(self, generation: Generation) -> None:
        """Drop a generation that is being built."""
        name, number = generation.name, generation.number
        with self._writing() as connection:
            sqlite_tracking.drop(connection, name, "building", number)

    def stop_at(
        self, generation: Generation, poison: Poison, part: Part | None = None
    ) -> None:
        """Record the event at which the generation, or one of its parts, stopped."""
        with self._writing() as connection:
            sqlite_tracking.note(connection, generation, poison, part)

    def switch(self, generation: Generation) -> bool:
        """Make a generation live if it has caught up with the live one."""
        with self._writing() as connection:
            found = {
                g.number: g
                for g in sqlite_tracking.generations(connection, generation.name)
            }
            mine = found.get(generation.number)
            live = next((g for g in found.values() if g.state == "live"), None)
            if mine is None or mine.state != "building":
                return False
            if live is not None and mine.position < live.position:
                return False
            sqlite_tracking.drop(connection, generation.name, "retired")
            for state, which in (("retired", live), ("live", mine)):
                if which is not None:
                    connection.execute(
                        "UPDATE view_generation SET state = ? "
                        "WHERE name = ? AND number = ?",
                        (state, which.name, which.number),
                    )
        return True

    @contextmanager
    def snapshot(self, name: str) -> Iterator[SqliteSnapshot]:
        """Open a read of the live generation."""
        with self._reading() as connection:
            for generation in sqlite_tracking.generations(connection, name):
                if generation.state == "live":
                    shown = sqlite_tracking.cuts_at(connection, generation)
                    yield SqliteSnapshot(connection, generation, shown)
                    return
        raise Unavailable("projection_not_ready", name)

    def insert_tracking(self, tracking: Tracking) -> None:
        """Record a position that is beyond the recorded one, or ``IntegrityError``."""
        label, position = tracking.application_name, tracking.notification_id
        with self._writing() as connection:
            if not sqlite_tracking.track(connection, label, position):
                raise IntegrityError(tracking)
        self.notify_committed()

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return the recorded position, None: never recorded."""
        with self._reading() as connection:
            return sqlite_tracking.position(connection, application_name)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _translated():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._connect(_READER_KIB)
        try:
            with _translated():
                connection.execute("BEGIN")
                yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._idle.put(connection)

    def _connect(self, cache_kib: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=128,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        # A rebuild touches pages at random; copying them back rarely doubles its speed.
        connection.execute("PRAGMA wal_autocheckpoint = 16384")
        return connection


class SqliteSnapshot:
    """A consistent read of one generation."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        generation: Generation,
        shown: Mapping[str, str],
    ) -> None:
        self._connection = connection
        self._shown = shown
        self.generation = generation

    def select(self, sql: str, parameters: Mapping[str, Any]) -> list[Values]:
        """Run a query with ``:name`` parameters; ``{table}`` names are resolved."""
        return self._connection.execute(
            sql.format_map(_Names(self.generation, self._shown)), dict(parameters)
        ).fetchall()


class _Names(dict[str, str]):
    """Resolves logical table names, by the generation it is made for."""

    def __init__(self, generation: Generation, shown: Mapping[str, str]) -> None:
        super().__init__(shown)
        self._generation = generation

    def __missing__(self, name: str) -> str:
        return self._generation.table(name)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what SQLite calls operational (busy, full, unreadable) into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable("projection_store_unavailable", str(error)) from error


def _write(
    connection: sqlite3.Connection,
    generation: Generation,
    tables: Sequence[Table],
    changes: Changes,
) -> None:
    for table in tables:
        rows = changes.get(table.name)
        if rows:
            name = generation.table(table.name)
            connection.executemany(write(name, table), rows)
