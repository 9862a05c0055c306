"""A lease: which of several workers does the work, and until when.

Rules of this file: the contract and its two native stores. A lease saves work, it
guards nothing: a worker that lost it unawares appends what is in the log already. It
holds no state of what was done, and its table can be dropped at any time.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import psycopg
from psycopg.sql import SQL, Identifier

from events.errors import Unavailable

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

    def close(self) -> None:
        """Release the connection. Idempotent."""


_SQLITE_TABLE = """
CREATE TABLE IF NOT EXISTS lease (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL,
    epoch INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT
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
            self._connection.execute(_SQLITE_TABLE)

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

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._connection.close()


_POSTGRES_TABLE = """
CREATE TABLE IF NOT EXISTS {table} (
    name text PRIMARY KEY, holder text NOT NULL,
    epoch bigint NOT NULL, expires timestamptz NOT NULL
)
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


class PostgresLeases:
    """Leases in a table of a schema where this role may create one."""

    def __init__(self, conninfo: str, *, schema: str) -> None:
        """Connect, creating the table where missing."""
        self._conninfo = conninfo
        self._table = Identifier(schema, "lease")
        self._mutex = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        with _translated():
            self._open()

    def claim(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """Take a lease that is free or over, or renew one's own; None: another's."""
        given = {"name": name, "holder": holder, "seconds": seconds}
        found = self._run(_POSTGRES_CLAIM, given, returns=True)
        return None if found is None else Lease(name, holder, found[0])

    def release(self, lease: Lease) -> None:
        """Let go of a lease if it is still held."""
        self._run(_POSTGRES_RELEASE, lease._asdict(), returns=False)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        if self._connection is not None:
            self._connection.close()

    def _run(self, text: str, given: dict[str, Any], *, returns: bool) -> Any:
        with self._mutex, _translated():
            # One that broke while idle is replaced; claiming twice is claiming once.
            connection = self._connection
            if connection is None or connection.closed or connection.broken:
                connection = self._open()
            statement = SQL(text).format(table=self._table)
            cursor = connection.execute(statement, given)
            return cursor.fetchone() if returns else None

    def _open(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(self._conninfo, autocommit=True)
        self._connection = connection
        with connection.transaction():
            # Two workers that start together must not both create it.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('henji/lease'))")
            connection.execute(SQL(_POSTGRES_TABLE).format(table=self._table))
        return connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, psycopg.Error, OSError) as error:
        raise Unavailable("lease_unavailable", str(error)) from error
