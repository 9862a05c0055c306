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
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from eventsourcing.persistence import IntegrityError, Tracking

from events.errors import Conflict, Unavailable
from projections.tables import Changes, Projector, Table, Values
from projections.views import Generation, Poison, Views

_BUSY_SECONDS = 30.0
_TYPES = {"int": "INTEGER", "text": "TEXT", "bytes": "BLOB"}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS view_tracking (
    application_name TEXT PRIMARY KEY,
    notification_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS view_generation (
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('building', 'live', 'retired', 'dropped')),
    tables TEXT NOT NULL,
    poison_position INTEGER,
    poison_type TEXT,
    poison_reason TEXT,
    PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS view_one_live
    ON view_generation (name) WHERE state = 'live';
"""

_GENERATIONS = """
SELECT g.name, g.number, g.version, g.state, t.notification_id,
       g.poison_position, g.poison_type, g.poison_reason
FROM view_generation g
JOIN view_tracking t ON t.application_name = g.name || '@' || g.number
WHERE g.name = ? AND g.state <> 'dropped' ORDER BY g.number
"""

_MOVE = """
UPDATE view_tracking SET notification_id = ?
WHERE application_name = ? AND notification_id = ?
  AND EXISTS (SELECT 1 FROM view_generation
              WHERE name = ? AND number = ? AND state IN ('building', 'live'))
"""

_TRACK = """
INSERT INTO view_tracking VALUES (?, ?)
ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id
WHERE notification_id < excluded.notification_id
"""


class SqliteViews(Views):
    """Read models in one SQLite file. See ``projections.views.Views``."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating the bookkeeping tables where missing."""
        super().__init__()
        self._path = path
        self._lock = threading.Lock()
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._writer = self._connect()
        self._writer.executescript("BEGIN IMMEDIATE;" + _SCHEMA + "COMMIT;")

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
            return _generations(connection, name)

    def create(self, projector: Projector) -> Generation:
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
            )
            connection.execute(
                "INSERT INTO view_generation VALUES (?, ?, ?, 'building', ?, "
                "NULL, NULL, NULL)",
                (
                    made.name,
                    made.number,
                    made.version,
                    json.dumps([made.table(table.name) for table in projector.tables]),
                ),
            )
            connection.execute("INSERT INTO view_tracking VALUES (?, 0)", (made.label,))
            for table in projector.tables:
                for statement in _ddl(made.table(table.name), table):
                    connection.execute(statement)
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
            self._move(connection, generation, position)
            for table in tables:
                rows = changes.get(table.name)
                if rows:
                    name = generation.table(table.name)
                    connection.executemany(_write(name, table), rows)
        self.notify_committed()
        return Generation(
            name=generation.name,
            number=generation.number,
            version=generation.version,
            state=generation.state,
            position=position,
        )

    def _move(
        self, connection: sqlite3.Connection, generation: Generation, position: int
    ) -> None:
        moved = connection.execute(
            _MOVE,
            (
                position,
                generation.label,
                generation.position,
                generation.name,
                generation.number,
            ),
        )
        if moved.rowcount != 1 or position <= generation.position:
            raise Conflict("projection_moved", generation.label, position=position)
        if generation.poison is not None:
            _note_poison(connection, generation, None)

    def stop_at(self, generation: Generation, poison: Poison) -> None:
        """Record the event at which the generation stopped."""
        with self._writing() as connection:
            _note_poison(connection, generation, poison)

    def switch(self, generation: Generation) -> bool:
        """Make a generation live if it has caught up with the live one."""
        with self._writing() as connection:
            found = {g.number: g for g in _generations(connection, generation.name)}
            mine = found.get(generation.number)
            live = next((g for g in found.values() if g.state == "live"), None)
            if mine is None or mine.state != "building":
                return False
            if live is not None and mine.position < live.position:
                return False
            _drop_retired(connection, generation.name)
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
            for generation in _generations(connection, name):
                if generation.state == "live":
                    yield SqliteSnapshot(connection, generation)
                    return
        raise Unavailable("projection_not_ready", name)

    def insert_tracking(self, tracking: Tracking) -> None:
        """Record a position that is beyond the recorded one, or ``IntegrityError``."""
        with self._writing() as connection:
            done = connection.execute(
                _TRACK, (tracking.application_name, tracking.notification_id)
            )
            if done.rowcount != 1:
                raise IntegrityError(tracking)
        self.notify_committed()

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return the recorded position, None: never recorded."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT notification_id FROM view_tracking WHERE application_name = ?",
                (application_name,),
            ).fetchone()
        return None if row is None else int(row[0])

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
            connection = self._connect()
        try:
            with _translated():
                connection.execute("BEGIN")
                yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._idle.put(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=128,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -65536")
        # A rebuild touches pages at random; copying them back rarely doubles its speed.
        connection.execute("PRAGMA wal_autocheckpoint = 16384")
        return connection


class SqliteSnapshot:
    """A consistent read of one generation."""

    def __init__(self, connection: sqlite3.Connection, generation: Generation) -> None:
        self._connection = connection
        self.generation = generation

    def select(self, sql: str, parameters: Mapping[str, Any]) -> list[Values]:
        """Run a query with ``:name`` parameters; ``{table}`` names are resolved."""
        return self._connection.execute(
            sql.format_map(_Names(self.generation)), dict(parameters)
        ).fetchall()


class _Names(dict[str, str]):
    """Resolves logical table names, by the generation it is made for."""

    def __init__(self, generation: Generation) -> None:
        super().__init__()
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


def _generations(connection: sqlite3.Connection, name: str) -> list[Generation]:
    return [
        Generation(
            name=row[0],
            number=row[1],
            version=row[2],
            state=row[3],
            position=row[4],
            poison=None if row[5] is None else Poison(*row[5:]),
        )
        for row in connection.execute(_GENERATIONS, (name,))
    ]


def _note_poison(
    connection: sqlite3.Connection, generation: Generation, poison: Poison | None
) -> None:
    values = (
        (None, None, None)
        if poison is None
        else (poison.position, poison.type, poison.reason)
    )
    connection.execute(
        "UPDATE view_generation SET poison_position = ?, poison_type = ?, "
        "poison_reason = ? WHERE name = ? AND number = ?",
        (*values, generation.name, generation.number),
    )


def _drop_retired(connection: sqlite3.Connection, name: str) -> None:
    retired = connection.execute(
        "SELECT number, tables FROM view_generation "
        "WHERE name = ? AND state = 'retired'",
        (name,),
    ).fetchall()
    for number, tables in retired:
        for table in json.loads(tables):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(
            "UPDATE view_generation SET state = 'dropped' "
            "WHERE name = ? AND number = ?",
            (name, number),
        )


def _ddl(name: str, table: Table) -> list[str]:
    columns = ", ".join(f"{column} {_TYPES[kind]}" for column, kind in table.columns)
    made = [
        f"CREATE TABLE {name} ({columns}, PRIMARY KEY ({', '.join(table.key)})) STRICT"
    ]
    return made + [
        f"CREATE INDEX {name}_{number} ON {name} ({', '.join(index)})"
        for number, index in enumerate(table.indexes)
    ]


def _write(name: str, table: Table) -> str:
    marks = ", ".join("?" * len(table.columns))
    insert = f"INSERT INTO {name} VALUES ({marks})"  # noqa: S608 - our table names
    if table.grows:
        return insert
    updates = ", ".join(
        f"{column} = excluded.{column}"
        for column in table.names
        if column not in table.key
    )
    return f"{insert} ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {updates}"
