"""Create and migrate a ledger's tables in PostgreSQL, as the owner of its schema.

Rules of this file: run by an administrator, in one transaction, under a lock. Nothing
is appended, and no row of the log is ever written again. What roles may do is in
``postgres_roles``, what is checked at every start in ``postgres_check``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from events.errors import Unavailable
from events.postgres_roles import Roles, create_roles, grant, grant_extension, named
from events.sql import load

#: Positions in one partition of ``log_entry``: about a gigabyte.
PARTITION_ROWS = 1_000_000

_NOBODY: Roles = MappingProxyType({})
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MIGRATION = re.compile(r"migration_(\d+)")


def require_schema_name(schema: str) -> None:
    """Refuse a schema name that is not a plain lower-case identifier. ValueError."""
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"not a plain schema name: {schema!r}")


def advisory_key(schema: str, purpose: str) -> int:
    """Return the 64-bit advisory lock key of a ledger for one purpose.

    Two keys that collide by chance would only make two ledgers wait for each other.
    """
    digest = sha256(f"henji/{schema}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def migrations() -> dict[int, str]:
    """Return the migrations of this release, by number."""
    return {
        int(found[1]): text
        for section, text in load("postgres_schema").items()
        if (found := _MIGRATION.fullmatch(section))
    }


def install(
    dsn: str,
    *,
    schema: str,
    writer_role: str | None,
    others: Roles = _NOBODY,
    partition_rows: int = PARTITION_ROWS,
) -> None:
    """Create or migrate a ledger's schema; let each role do its duty and no more.

    Connects as the owner. Idempotent; safe to run from several processes at once. A
    ledger made here is partitioned; one that exists stays as it is (see ``partition``).
    A missing role is created with LOGIN and without a password.
    ``Denied('store_role_missing')``: it is missing and the owner may not create it.
    """
    require_schema_name(schema)
    roles = named(writer_role, others)
    with _as_owner(dsn, schema) as connection:
        create_roles(connection, roles)
        if _migrate(connection):
            _partition(connection, partition_rows)
        _grant(connection, schema, roles)


def partition(dsn: str, *, schema: str, partition_rows: int = PARTITION_ROWS) -> None:
    """Partition a ledger that an earlier release made, while nobody uses it.

    Its rows stay where they are and become the first partition. The roles that it was
    installed for keep their duties; what release 1 runs is refused from then on. A
    ledger that is partitioned is left alone.
    """
    require_schema_name(schema)
    with _as_owner(dsn, schema) as connection:
        _migrate(connection)
        # To the end: a batch appended in between would be missing from log_key. The
        # lock of appends first, as they take it: who holds it never waits for tables.
        lock = advisory_key(schema, "append")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
        connection.execute("LOCK TABLE log_entry, log_root IN ACCESS EXCLUSIVE MODE")
        if is_partitioned(connection):
            return
        _partition(connection, partition_rows)
        known = connection.execute("SELECT duty, role FROM log_role").fetchall()
        for duty, role in known:
            _grant(connection, schema, {duty: role})


@contextmanager
def _as_owner(dsn: str, schema: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield one transaction under the ledger's install lock, in its schema."""
    try:
        with psycopg.connect(dsn) as connection:
            lock = advisory_key(schema, "install")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
            name = Identifier(schema)
            connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
            connection.execute(SQL("SET LOCAL search_path TO {}, pg_temp").format(name))
            # Row level security binds the owner, too.
            connection.execute("SELECT set_config('henji.ledger', %s, true)", [schema])
            yield connection
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege) as error:
        detail = error.diag.message_primary or type(error).__name__
        raise Unavailable("store_unavailable", detail) from error


def _migrate(connection: psycopg.Connection[Any]) -> bool:
    """Apply what is missing; tell whether the ledger is new."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (number int PRIMARY KEY,"
        " applied timestamptz NOT NULL DEFAULT now())"
    )
    done = {number for (number,) in connection.execute("SELECT number FROM migration")}
    for number, text in migrations().items():
        if number not in done:
            connection.execute(text.encode())
            connection.execute("INSERT INTO migration VALUES (%s)", [number])
    return not done


def is_partitioned(connection: psycopg.Connection[Any]) -> bool:
    """Tell which of its two layouts the ledger of this connection has."""
    row = connection.execute("SELECT partition_rows FROM log_layout").fetchone()
    return row is not None and row[0] is not None


def _partition(connection: psycopg.Connection[Any], rows: int) -> None:
    connection.execute("UPDATE log_layout SET partition_rows = %s", [rows])
    connection.execute(load("postgres_schema")["partition"].encode())


def _grant(connection: psycopg.Connection[Any], schema: str, roles: Roles) -> None:
    grant(connection, schema, roles)
    if is_partitioned(connection) and (writer := roles.get("writer")):
        grant_extension(connection, schema, writer)
