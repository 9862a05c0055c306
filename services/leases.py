"""A lease: which of several workers does the work, and until when.

Rules of this file: the contract and its two native stores. A lease saves work, it
guards nothing: a worker that lost it unawares goes on until it looks. What its holder
notes for the next one is guarded: who has lost the lease can note no more. The tables
can be dropped at any time; without a note a worker begins from the beginning.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import psycopg
from psycopg.sql import SQL, Identifier

from events.errors import Unavailable
from events.postgres_sessions import WAITS, bound_waits, conninfo

_BUSY_SECONDS = 5.0


class Lease(NamedTuple):
    """A lease that is held. ``epoch`` grows by one with each change of its holder."""

    name: str
    holder: str
    epoch: int


class Leases(Protocol):
    """All methods raise ``Unavailable('lease_unavailable')``."""

    def claim(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """Take a lease that is free or over, or renew one's own; None: another's."""

    def release(self, lease: Lease) -> None:
        """Let go of a lease if it is still held; another may take it at once."""

    def note(self, lease: Lease, text: str) -> bool:
        """Leave a note for whoever holds it next; False: it is held by another."""

    def noted(self, name: str) -> str | None:
        """Return the last note that a holder of this lease left."""

    def close(self) -> None:
        """Release the connection. Idempotent."""


_SQLITE_TABLES = """
CREATE TABLE IF NOT EXISTS lease (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL,
    epoch INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS lease_note (
    name TEXT PRIMARY KEY, note TEXT NOT NULL
) STRICT;
"""
# Nobody's lease ends later than one taken now would: a clock was set back since.
_SQLITE_CLAIM = """
INSERT INTO lease VALUES (:name, :holder, 1, :now + :term)
ON CONFLICT (name) DO UPDATE SET
    holder = excluded.holder,
    epoch = lease.epoch + (lease.holder <> excluded.holder),
    expires = excluded.expires
WHERE lease.holder = excluded.holder
    OR lease.expires <= :now OR lease.expires > excluded.expires
RETURNING epoch
"""
_SQLITE_RELEASE = """
UPDATE lease SET expires = 0 WHERE name = ? AND holder = ? AND epoch = ?
"""


_SQLITE_NOTE = """
INSERT INTO lease_note
SELECT name, :note FROM lease
WHERE name = :name AND holder = :holder AND epoch = :epoch
ON CONFLICT (name) DO UPDATE SET note = excluded.note
RETURNING name
"""
_SQLITE_NOTED = "SELECT note FROM lease_note WHERE name = ?"


class SqliteLeases:
    """Leases in a file of their own beside the ledger; ``clock`` gives µs."""

    def __init__(self, path: Path, *, clock: Callable[[], int]) -> None:
        """Open the file, creating it (mode 0600) and its table where missing."""
        self._clock = clock
        self._mutex = threading.Lock()
        with _translated():
            path.touch(mode=0o600, exist_ok=True)
            self._connection = sqlite3.connect(
                path,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SQLITE_TABLES)

    def claim(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """Take a lease that is free or over, or renew one's own; None: another's."""
        given = {
            "name": name,
            "holder": holder,
            "now": self._clock(),
            "term": int(seconds * 1_000_000),
        }
        with self._mutex, _translated():
            found = self._connection.execute(_SQLITE_CLAIM, given).fetchone()
        return None if found is None else Lease(name, holder, found[0])

    def release(self, lease: Lease) -> None:
        """Let go of a lease if it is still held."""
        given = (lease.name, lease.holder, lease.epoch)
        with self._mutex, _translated():
            self._connection.execute(_SQLITE_RELEASE, given)

    def note(self, lease: Lease, text: str) -> bool:
        """Leave a note for whoever holds it next; False: it is held by another."""
        given = {**lease._asdict(), "note": text}
        with self._mutex, _translated():
            return bool(self._connection.execute(_SQLITE_NOTE, given).fetchall())

    def noted(self, name: str) -> str | None:
        """Return the last note that a holder of this lease left."""
        with self._mutex, _translated():
            found = self._connection.execute(_SQLITE_NOTED, (name,)).fetchone()
        return None if found is None else str(found[0])

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._connection.close()


#: What the tables are called, by their names in the statements below.
TABLES = {"table": "lease", "notes": "lease_note"}

_POSTGRES_TABLES = {
    "table": """
CREATE TABLE {table} (
    name text PRIMARY KEY, holder text NOT NULL,
    epoch bigint NOT NULL, expires timestamptz NOT NULL
)
""",
    "notes": "CREATE TABLE {notes} (name text PRIMARY KEY, note text NOT NULL)",
}
_POSTGRES_OURS = """
SELECT 1 FROM pg_tables
WHERE schemaname = %s AND tablename = %s AND tableowner = current_user
"""
# The server's clock: workers on several machines need not agree on the time.
_POSTGRES_CLAIM = """
INSERT INTO {table} AS l
VALUES (%(name)s, %(holder)s, 1,
        clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (name) DO UPDATE SET
    holder = excluded.holder,
    epoch = l.epoch + (l.holder <> excluded.holder)::int,
    expires = excluded.expires
WHERE l.holder = excluded.holder
    OR l.expires <= clock_timestamp() OR l.expires > excluded.expires
RETURNING epoch
"""
_POSTGRES_RELEASE = """
UPDATE {table} SET expires = '-infinity'
WHERE name = %(name)s AND holder = %(holder)s AND epoch = %(epoch)s
"""
# The row is locked: who takes the lease meanwhile waits, and then reads this note.
_POSTGRES_NOTE = """
WITH held AS (
    SELECT name FROM {table}
    WHERE name = %(name)s AND holder = %(holder)s AND epoch = %(epoch)s
    FOR UPDATE
)
INSERT INTO {notes} SELECT name, %(note)s FROM held
ON CONFLICT (name) DO UPDATE SET note = excluded.note
RETURNING name
"""
_POSTGRES_NOTED = "SELECT note FROM {notes} WHERE name = %(name)s"


class PostgresLeases:
    """Leases in a table of a schema where this role may create one."""

    def __init__(self, conninfo: str, *, schema: str) -> None:
        """Connect, creating the table where missing."""
        self._conninfo = conninfo
        self._tables = {
            name: Identifier(schema, table) for name, table in TABLES.items()
        }
        self._mutex = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        with _translated():
            self._open()

    def claim(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """Take a lease that is free or over, or renew one's own; None: another's."""
        given = {"name": name, "holder": holder, "seconds": seconds}
        found = self._run(_POSTGRES_CLAIM, given)
        return Lease(name, holder, found[0][0]) if found else None

    def release(self, lease: Lease) -> None:
        """Let go of a lease if it is still held."""
        self._run(_POSTGRES_RELEASE, lease._asdict())

    def note(self, lease: Lease, text: str) -> bool:
        """Leave a note for whoever holds it next; False: it is held by another."""
        return bool(self._run(_POSTGRES_NOTE, {**lease._asdict(), "note": text}))

    def noted(self, name: str) -> str | None:
        """Return the last note that a holder of this lease left."""
        found = self._run(_POSTGRES_NOTED, {"name": name})
        return str(found[0][0]) if found else None

    def close(self) -> None:
        """Close the connection. Idempotent."""
        if self._connection is not None:
            self._connection.close()

    def _run(self, text: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
        with self._mutex, _translated():
            # One that broke while idle is replaced; each statement may be repeated.
            connection = self._connection
            if connection is None or connection.closed or connection.broken:
                connection = self._open()
            cursor = connection.execute(SQL(text).format(**self._tables), given)
            return cursor.fetchall() if cursor.description else []

    def _open(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(
            conninfo(self._conninfo, "leases"), autocommit=True
        )
        self._connection = connection
        bound_waits(connection, WAITS, statement=WAITS.statement)
        with connection.transaction():
            _create(connection, self._tables)
        return connection


def create_tables(owner_url: str, *, schema: str, roles: Collection[str]) -> None:
    """Create the tables of leases as the owner of their schema, for roles that work.

    Tables that one of the roles has made itself stay that role's.
    """
    tables = {name: Identifier(schema, table) for name, table in TABLES.items()}
    with psycopg.connect(owner_url) as connection:
        _create(connection, tables)
        for table in TABLES.values():
            ours = connection.execute(_POSTGRES_OURS, [schema, table]).fetchone()
            for role in roles if ours else ():
                connection.execute(
                    SQL("GRANT SELECT, INSERT, UPDATE ON {} TO {}").format(
                        Identifier(schema, table), Identifier(role)
                    )
                )


def _create(connection: psycopg.Connection[Any], tables: dict[str, Identifier]) -> None:
    """Create what is missing: whether it is is asked first, which anybody may."""
    # Two workers that start together must not both create them.
    connection.execute("SELECT pg_advisory_xact_lock(hashtext('henji/lease'))")
    for name, text in _POSTGRES_TABLES.items():
        at = tables[name].as_string(connection)
        found = connection.execute("SELECT to_regclass(%s)", [at]).fetchone()
        if found == (None,):
            connection.execute(SQL(text).format(**tables))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, psycopg.Error, OSError) as error:
        raise Unavailable("lease_unavailable", str(error)) from error
