"""Read models in PostgreSQL: in the ledger's own schema, in transactions of their own.

Rules of this file: native SQL for the contract of ``projections.views``; no projection
is known here. The role needs CREATE on the schema: generations come and go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any

import psycopg
from eventsourcing.persistence import IntegrityError, Tracking
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool, PoolTimeout

from events.errors import Unavailable
from events.postgres_sessions import (
    RECONNECT_SECONDS,
    WAITS,
    Waits,
    bound_waits,
    conninfo,
    milliseconds,
    refuse_closed,
)
from projections import cuts, postgres_roles, postgres_tracking
from projections.postgres_tables import arrays, ddl, listed, write
from projections.postgres_tracking import Connection
from projections.tables import Changes, Projector, Table, Values
from projections.views import Generation, Part, Poison, Views

#: A report is made within one snapshot: its transaction may stand still for a while.
_IDLE_SECONDS = 600.0


class PostgresViews(Views):
    """Read models in the first schema of the connection's search path."""

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = "public",
        size: int = 4,
        waits: Waits = WAITS,
    ) -> None:
        """Connect, creating the bookkeeping tables where missing and allowed."""
        super().__init__()
        self._waits = waits
        self._tables_seen = False
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            conninfo(dsn, "views"),
            min_size=1,
            max_size=size,
            timeout=waits.connect,
            reconnect_timeout=RECONNECT_SECONDS,
            open=True,
            configure=self._configure,
            check=refuse_closed,
            kwargs={"options": f"-c search_path={schema} -c synchronous_commit=off"},
        )
        self._read_only = SQL(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
            " SET LOCAL statement_timeout = {}"
        ).format(milliseconds(waits.read))
        with self._writing() as connection:
            if postgres_roles.may_create(connection):
                _prepare(connection)

    def _configure(self, connection: Connection) -> None:
        # Building a generation takes what it takes; reading is bounded in _reading.
        bound_waits(connection, replace(self._waits, idle=_IDLE_SECONDS), statement=0)
        connection.commit()

    def close(self) -> None:
        """Release every connection. Idempotent."""
        self._pool.close()

    def generations(self, name: str) -> list[Generation]:
        """Return the generations of a projection, oldest first."""
        with self._reading() as connection:
            if not self._has_tables(connection):
                return []
            return postgres_tracking.generations(connection, name)

    def create(self, projector: Projector, parts: Sequence[Part] = ()) -> Generation:
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
            ).at(parts)
            names = [made.table(table.name) for table in projector.tables]
            postgres_tracking.begin(connection, made, names)
            for table in projector.tables:
                for statement in ddl(made.table(table.name), table):
                    connection.execute(statement)
            if parts:
                queries = cuts.queries(made, projector.tables)
                postgres_tracking.keep_cuts(connection, made, queries)
                for text in cuts.indexes(made, projector.tables):
                    connection.execute(text.encode())
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
            postgres_tracking.move(connection, generation, position)
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
            postgres_tracking.move_part(connection, generation, before, after)
            _write(connection, generation, tables, changes)
        self.notify_committed()

    def discard(self, generation: Generation) -> None:
        """Drop a generation that is being built."""
        name, number = generation.name, generation.number
        with self._writing() as connection:
            postgres_tracking.drop(connection, name, "building", number)

    def stop_at(
        self, generation: Generation, poison: Poison, part: Part | None = None
    ) -> None:
        """Record the event at which the generation, or one of its parts, stopped."""
        with self._writing() as connection:
            postgres_tracking.note(connection, generation, poison, part)

    def switch(self, generation: Generation) -> bool:
        """Make a generation live if it has caught up with the live one."""
        self._analyze(generation)
        with self._writing() as connection:
            # The rows stay as they are until the switch: _MOVE reads them FOR SHARE.
            connection.execute(
                "SELECT 1 FROM view_generation WHERE name = %s FOR UPDATE",
                (generation.name,),
            )
            found = {
                g.number: g
                for g in postgres_tracking.generations(connection, generation.name)
            }
            mine = found.get(generation.number)
            live = next((g for g in found.values() if g.state == "live"), None)
            if mine is None or mine.state != "building":
                return False
            if live is not None and mine.position < live.position:
                return False
            postgres_tracking.drop(connection, generation.name, "retired")
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
            for generation in postgres_tracking.generations(connection, name):
                if generation.state == "live":
                    shown = postgres_tracking.cuts_at(connection, generation)
                    yield PostgresSnapshot(connection, generation, shown)
                    return
        raise Unavailable("projection_not_ready", name)

    def insert_tracking(self, tracking: Tracking) -> None:
        """Record a position that is beyond the recorded one, or ``IntegrityError``."""
        label, position = tracking.application_name, tracking.notification_id
        with self._writing() as connection:
            if not postgres_tracking.track(connection, label, position):
                raise IntegrityError(tracking)
        self.notify_committed()

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return the recorded position, None: never recorded."""
        with self._reading() as connection:
            return postgres_tracking.position(connection, application_name)

    def _has_tables(self, connection: Connection) -> bool:
        """Tell whether anybody has projected yet: who only reads makes no tables."""
        if not self._tables_seen:
            found = connection.execute("SELECT to_regclass('view_generation')")
            self._tables_seen = found.fetchone() != (None,)
        return self._tables_seen

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _translated(), self._pool.connection() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(), self._pool.connection() as connection:
            connection.execute(self._read_only)
            yield connection


def _prepare(connection: Connection) -> None:
    # Two processes that start together must not both create the tables.
    schema_sql = postgres_tracking.SCHEMA
    connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (schema_sql,))
    connection.execute(schema_sql)
    postgres_roles.share(connection)


class PostgresSnapshot:
    """A consistent read of one generation."""

    def __init__(
        self, connection: Connection, generation: Generation, shown: Mapping[str, str]
    ) -> None:
        self._cursor = connection.cursor(binary=True)
        self._shown = shown
        self.generation = generation

    def select(self, sql: str, parameters: Mapping[str, Any]) -> list[Values]:
        """Run a query with ``:name`` parameters; ``{table}`` names are resolved."""
        text = _bounded(_NAME.sub(self._resolved, _marked(sql)), parameters)
        return self._cursor.execute(text.encode(), dict(parameters)).fetchall()

    def _resolved(self, match: re.Match[str]) -> str:
        return self._shown.get(match[1]) or self.generation.table(match[1])


_NAME = re.compile(r"\{(\w+)\}")
_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


@lru_cache(maxsize=256)
def _marked(sql: str) -> str:
    """Turn ``:name`` into psycopg's ``%(name)s``."""
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))


def _bounded(text: str, parameters: Mapping[str, Any]) -> str:
    """Write the limit into a query: a plan that is kept is then made for so many rows.

    With a limit that it does not know the planner reckons with a tenth of all rows. So
    the plan that fits looked too dear where tables are long, and each page was planned
    anew, which takes longer than to read it.
    """
    if "limit" not in parameters:
        return text
    return text.replace("%(limit)s", str(int(parameters["limit"])))


@contextmanager
def _translated() -> Iterator[None]:
    """Turn a lost or missing connection into our error."""
    try:
        yield
    except psycopg.errors.UndefinedTable as error:
        # Only who projects makes tables, and has not come by yet.
        raise Unavailable("projection_not_ready", "no tables") from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        raise Unavailable("projection_store_unavailable", str(error)) from error


def _write(
    connection: Connection,
    generation: Generation,
    tables: Sequence[Table],
    changes: Changes,
) -> None:
    for table in tables:
        rows = changes.get(table.name)
        if rows:
            name = generation.table(table.name)
            connection.execute(write(name, table), arrays(rows))
