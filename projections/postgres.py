"""Read models in PostgreSQL: in the ledger's own schema, in transactions of their own.

Rules of this file: native SQL for the contract of ``projections.views``; no projection
is known here. The role needs CREATE on the schema: generations come and go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from eventsourcing.persistence import IntegrityError, Tracking
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool, PoolTimeout

from events.errors import Conflict, Unavailable
from projections.postgres_tables import arrays, ddl, listed, write
from projections.tables import Changes, Projector, Table, Values
from projections.views import Generation, Poison, Views

Connection = psycopg.Connection[tuple[Any, ...]]
Connect = Callable[[], Connection]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS view_tracking (
    application_name text PRIMARY KEY,
    notification_id bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS view_generation (
    name text NOT NULL,
    number bigint NOT NULL,
    version bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('building', 'live', 'retired', 'dropped')),
    tables text[] NOT NULL,
    poison_position bigint,
    poison_type text,
    poison_reason text,
    PRIMARY KEY (name, number)
);
CREATE UNIQUE INDEX IF NOT EXISTS view_one_live
    ON view_generation (name) WHERE state = 'live';
"""

_GENERATIONS = """
SELECT g.name, g.number, g.version, g.state, t.notification_id,
       g.poison_position, g.poison_type, g.poison_reason
FROM view_generation g
JOIN view_tracking t ON t.application_name = g.name || '@' || g.number
WHERE g.name = %s AND g.state <> 'dropped' ORDER BY g.number
"""

_MOVE = """
UPDATE view_tracking SET notification_id = %s
WHERE application_name = %s AND notification_id = %s
  AND EXISTS (SELECT 1 FROM view_generation
              WHERE name = %s AND number = %s AND state IN ('building', 'live')
              FOR SHARE)
"""

_TRACK = """
INSERT INTO view_tracking AS t VALUES (%s, %s)
ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id
WHERE t.notification_id < excluded.notification_id
"""


def create_views_schema(conninfo: str, *, schema: str, role: str) -> None:
    """Create the schema of a ledger's read models, where ``role`` may create tables.

    Read models can be thrown away: whoever projects may also drop. Idempotent.
    """
    name, owner = Identifier(schema), Identifier(role)
    with psycopg.connect(conninfo) as connection:
        connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        connection.execute(
            SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(name, owner)
        )


class PostgresViews(Views):
    """Read models in the first schema of the connection's search path."""

    def __init__(self, conninfo: str, *, schema: str = "public", size: int = 4) -> None:
        """Connect, creating the bookkeeping tables where missing."""
        super().__init__()
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            conninfo,
            min_size=1,
            max_size=size,
            timeout=10.0,
            open=True,
            kwargs={"options": f"-c search_path={schema} -c synchronous_commit=off"},
        )
        with self._writing() as connection:
            # Two processes that start together must not both create the tables.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (_SCHEMA,))
            connection.execute(_SCHEMA)

    def close(self) -> None:
        """Release every connection. Idempotent."""
        self._pool.close()

    def generations(self, name: str) -> list[Generation]:
        """Return the generations of a projection, oldest first."""
        with self._reading() as connection:
            return _generations(connection, name)

    def create(self, projector: Projector) -> Generation:
        """Create empty tables as a new generation in state ``building``."""
        with self._writing() as connection:
            connection.execute(
                "SELECT pg_advisory_xact_lock(hashtext(%s))", (projector.name,)
            )
            ((last,),) = connection.execute(
                "SELECT coalesce(max(number), 0) FROM view_generation WHERE name = %s",
                (projector.name,),
            ).fetchall()
            made = Generation(
                name=projector.name,
                number=last + 1,
                version=projector.version,
                state="building",
                position=0,
            )
            names = [made.table(table.name) for table in projector.tables]
            connection.execute(
                "INSERT INTO view_generation VALUES (%s, %s, %s, 'building', %s)",
                (made.name, made.number, made.version, names),
            )
            connection.execute(
                "INSERT INTO view_tracking VALUES (%s, 0)", (made.label,)
            )
            for table in projector.tables:
                for statement in ddl(made.table(table.name), table):
                    connection.execute(statement)
        return made

    def fetch(
        self, generation: Generation, table: Table, keys: Sequence[str]
    ) -> dict[str, Values]:
        """Return the rows of these values of the table's first key column."""
        statement = SQL("SELECT {} FROM {} WHERE {} = ANY(%b)").format(
            listed(table.names),
            Identifier(generation.table(table.name)),
            Identifier(table.key[0]),
        )
        at = table.names.index(table.key[0])
        with self._reading() as connection:
            cursor = connection.cursor(binary=True)
            rows = cursor.execute(statement, (list(keys),)).fetchall()
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
            _move(connection, generation, position)
            for table in tables:
                rows = changes.get(table.name)
                if rows:
                    name = generation.table(table.name)
                    connection.execute(write(name, table), arrays(rows))
        self.notify_committed()
        return Generation(
            name=generation.name,
            number=generation.number,
            version=generation.version,
            state=generation.state,
            position=position,
        )

    def stop_at(self, generation: Generation, poison: Poison) -> None:
        """Record the event at which the generation stopped."""
        with self._writing() as connection:
            _note_poison(connection, generation, poison)

    def switch(self, generation: Generation) -> bool:
        """Make a generation live if it has caught up with the live one."""
        self._analyze(generation)
        with self._writing() as connection:
            # The rows stay as they are until the switch: _MOVE reads them FOR SHARE.
            connection.execute(
                "SELECT 1 FROM view_generation WHERE name = %s FOR UPDATE",
                (generation.name,),
            )
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
                        "UPDATE view_generation SET state = %s "
                        "WHERE name = %s AND number = %s",
                        (state, which.name, which.number),
                    )
        return True

    def _analyze(self, generation: Generation) -> None:
        """Let the planner know the rows of new tables before anyone asks for them.

        Autovacuum does it a minute later; until then plans are made for empty tables.
        """
        with self._writing() as connection:
            names = connection.execute(
                "SELECT unnest(tables) FROM view_generation "
                "WHERE name = %s AND number = %s AND state = 'building'",
                (generation.name, generation.number),
            ).fetchall()
            for (name,) in names:
                connection.execute(SQL("ANALYZE {}").format(Identifier(name)))

    @contextmanager
    def snapshot(self, name: str) -> Iterator[PostgresSnapshot]:
        """Open a read of the live generation."""
        with self._reading() as connection:
            for generation in _generations(connection, name):
                if generation.state == "live":
                    yield PostgresSnapshot(connection, generation)
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
                "SELECT notification_id FROM view_tracking WHERE application_name = %s",
                (application_name,),
            ).fetchone()
        return None if row is None else int(row[0])

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _translated(), self._pool.connection() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(), self._pool.connection() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield connection


class PostgresSnapshot:
    """A consistent read of one generation."""

    def __init__(self, connection: Connection, generation: Generation) -> None:
        self._cursor = connection.cursor(binary=True)
        self.generation = generation

    def select(self, sql: str, parameters: Mapping[str, Any]) -> list[Values]:
        """Run a query with ``:name`` parameters; ``{table}`` names are resolved."""
        text = _NAME.sub(self._resolved, _marked(sql))
        return self._cursor.execute(text.encode(), dict(parameters)).fetchall()

    def _resolved(self, match: re.Match[str]) -> str:
        return self.generation.table(match[1])


_NAME = re.compile(r"\{(\w+)\}")
_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


@lru_cache(maxsize=256)
def _marked(sql: str) -> str:
    """Turn ``:name`` into psycopg's ``%(name)s``."""
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))


@contextmanager
def _translated() -> Iterator[None]:
    """Turn a lost or missing connection into our error."""
    try:
        yield
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise Unavailable("projection_store_unavailable", str(error)) from error


def _generations(connection: Connection, name: str) -> list[Generation]:
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


def _move(connection: Connection, generation: Generation, position: int) -> None:
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


def _note_poison(
    connection: Connection, generation: Generation, poison: Poison | None
) -> None:
    values = (
        (None, None, None)
        if poison is None
        else (poison.position, poison.type, poison.reason)
    )
    connection.execute(
        "UPDATE view_generation SET poison_position = %s, poison_type = %s, "
        "poison_reason = %s WHERE name = %s AND number = %s",
        (*values, generation.name, generation.number),
    )


def _drop_retired(connection: Connection, name: str) -> None:
    retired = connection.execute(
        "UPDATE view_generation SET state = 'dropped' "
        "WHERE name = %s AND state = 'retired' RETURNING tables",
        (name,),
    ).fetchall()
    for (tables,) in retired:
        for table in tables:
            connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(table)))
