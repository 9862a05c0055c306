"""Create a ledger's tables in PostgreSQL, and check what a connection may do to them.

Run by an administrator (``install``, as the owner) and at every start (``check``, as
the writer). No reading or appending of the log here.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from events.errors import Corrupt, Denied, Unavailable
from events.sql import load

LOG_TABLES = ("log_entry", "log_node", "log_root")

_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MIGRATION = re.compile(r"migration_(\d+)")

# A role that this session is, inherits from or may SET ROLE to, and what it may do that
# a writer of an insert-only log must not be able to do.
_POWERS = """
SELECT r.rolname, c.relname, p.power
FROM pg_roles r
CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (SELECT datdba FROM pg_database WHERE datname = current_database()) d
CROSS JOIN LATERAL (VALUES
    ('SUPERUSER', r.rolsuper),
    ('OWNER', r.oid IN (c.relowner, n.nspowner, d.datdba)),
    ('SERVER FILES', r.rolname IN
        ('pg_write_server_files', 'pg_execute_server_program')),
    ('UPDATE', has_any_column_privilege(r.oid, c.oid, 'UPDATE')),
    ('DELETE', has_table_privilege(r.oid, c.oid, 'DELETE')),
    ('TRUNCATE', has_table_privilege(r.oid, c.oid, 'TRUNCATE')),
    ('TRIGGER', has_table_privilege(r.oid, c.oid, 'TRIGGER')),
    ('REFERENCES', has_any_column_privilege(r.oid, c.oid, 'REFERENCES'))
) p (power, held)
WHERE p.held AND n.nspname = %s AND c.relname = ANY(%s)
    AND pg_has_role(session_user, r.oid, 'MEMBER')
ORDER BY r.rolname = session_user DESC, r.rolname, c.relname, p.power
LIMIT 20
"""

# ALWAYS-enabled triggers by table: one for rows, one for TRUNCATE (tgtype bit 32).
_GUARDS = """
SELECT c.relname, count(*) FILTER (WHERE t.tgtype & 32 = 0),
    count(*) FILTER (WHERE t.tgtype & 32 <> 0)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgenabled = 'A'
    AND t.tgname IN (c.relname || '_change', c.relname || '_truncate')
WHERE n.nspname = %s AND c.relname = ANY(%s) GROUP BY c.relname
"""


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


def install(dsn: str, *, schema: str, writer_role: str | None) -> None:
    """Create or migrate a ledger's schema; let ``writer_role`` read and insert only.

    Connects as the owner. Idempotent; safe to run from several processes at once. A
    missing role is created with LOGIN and without a password.
    ``Denied('store_role_missing')``: it is missing and the owner may not create it.
    """
    require_schema_name(schema)
    try:
        with psycopg.connect(dsn) as connection:
            lock = advisory_key(schema, "install")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
            _migrate(connection, schema)
            if writer_role is not None:
                _create_role(connection, writer_role)
                _grant(connection, schema, writer_role)
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege) as error:
        detail = error.diag.message_primary or type(error).__name__
        raise Unavailable("store_unavailable", detail) from error


def check(connection: psycopg.Connection[Any], schema: str) -> None:
    """Refuse a connection that could change the log, or a log without its guards.

    ``Unavailable('store_not_installed')``; ``Corrupt('store_unprotected')``: a trigger
    is missing or disabled; ``Corrupt('store_not_durable')``: the server runs without
    fsync; ``Denied('store_overprivileged')``: this role is a superuser or owner, or may
    become one, or may update, delete or truncate.
    """
    check_protection(connection, schema)
    powers = connection.execute(_POWERS, [schema, list(LOG_TABLES)]).fetchall()
    if powers:
        found = ", ".join(f"{role}: {power} {table}" for role, table, power in powers)
        raise Denied("store_overprivileged", found)


def check_protection(connection: psycopg.Connection[Any], schema: str) -> None:
    """Check all that ``check`` does but for the privileges of this connection."""
    guards = connection.execute(_GUARDS, [schema, list(LOG_TABLES)]).fetchall()
    missing = set(LOG_TABLES) - {table for table, _, _ in guards}
    if missing:
        raise Unavailable("store_not_installed", ", ".join(sorted(missing)))
    bare = [table for table, rows, truncate in guards if (rows, truncate) != (1, 1)]
    if bare:
        raise Corrupt("store_unprotected", ", ".join(sorted(bare)))
    for setting in ("fsync", "full_page_writes"):
        row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
        if row != ("on",):
            raise Corrupt("store_not_durable", setting)


def _migrate(connection: psycopg.Connection[Any], schema: str) -> None:
    name = Identifier(schema)
    connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
    connection.execute(SQL("SET LOCAL search_path TO {}, pg_temp").format(name))
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (number int PRIMARY KEY,"
        " applied timestamptz NOT NULL DEFAULT now())"
    )
    done = {number for (number,) in connection.execute("SELECT number FROM migration")}
    for section, text in load("postgres").items():
        if (found := _MIGRATION.fullmatch(section)) and int(found[1]) not in done:
            connection.execute(text.encode())
            connection.execute("INSERT INTO migration VALUES (%s)", [int(found[1])])


def _create_role(connection: psycopg.Connection[Any], role: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    if known.fetchone() is not None:
        return
    try:
        connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Denied("store_role_missing", role) from error


def _grant(connection: psycopg.Connection[Any], schema: str, role: str) -> None:
    name, writer = Identifier(schema), Identifier(role)
    tables = SQL(", ").join(Identifier(schema, table) for table in LOG_TABLES)
    for statement in (
        SQL("REVOKE ALL ON SCHEMA {schema} FROM PUBLIC"),
        SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {writer}"),
        SQL("GRANT USAGE ON SCHEMA {schema} TO {writer}"),
        SQL("GRANT SELECT ON {schema}.migration TO {writer}"),
        SQL("GRANT SELECT, INSERT ON {tables} TO {writer}"),
    ):
        connection.execute(statement.format(schema=name, tables=tables, writer=writer))
