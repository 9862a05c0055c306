"""What a connection may do to a ledger in PostgreSQL, and whether that is guarded.

Rules of this file: looking only, at every start and by ``henji doctor``. Whoever owns
the tables can still do anything: that is what hashes and published checkpoints are for.
"""

from __future__ import annotations

from typing import Any

import psycopg

from events.errors import Corrupt, Denied, Unavailable
from events.postgres_roles import LOG_TABLES, Duty
from events.postgres_schema import migrations

# The guarded relations: the tables of the log, and every partition of log_entry.
_GUARDED = """
SELECT c.oid, c.relname, c.relowner, n.nspowner, n.oid AS schema,
    c.relrowsecurity AND c.relforcerowsecurity AS bound,
    c.relkind = 'p' AS partitioned
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') AND (
    c.relname IN ('log_entry', 'log_key', 'log_node', 'log_root')
    OR c.relispartition AND EXISTS (
        SELECT 1 FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
        WHERE i.inhrelid = c.oid AND p.relname = 'log_entry'
    )
)
"""

# A role that this session is, inherits from or may SET ROLE to, and what it may do that
# nobody who serves an insert-only log must be able to do. Rows go in by the three
# tables of the log; where projecting has a role of its own, it inserts nothing at all.
_POWERS = f"""
SELECT r.rolname, c.relname, p.power
FROM pg_roles r
CROSS JOIN ({_GUARDED}) c
CROSS JOIN (SELECT datdba FROM pg_database WHERE datname = current_database()) d
CROSS JOIN LATERAL (VALUES
    ('SUPERUSER', r.rolsuper),
    ('BYPASSRLS', r.rolbypassrls AND NOT r.rolsuper),
    ('OWNER', r.oid IN (c.relowner, c.nspowner, d.datdba)),
    ('SERVER FILES', r.rolname IN
        ('pg_write_server_files', 'pg_execute_server_program')),
    ('CREATE', has_schema_privilege(r.oid, c.schema, 'CREATE')),
    ('INSERT', has_any_column_privilege(r.oid, c.oid, 'INSERT')
        AND NOT (c.relname = ANY(%(tables)s) AND %(inserts)s)),
    ('UPDATE', has_any_column_privilege(r.oid, c.oid, 'UPDATE')),
    ('DELETE', has_table_privilege(r.oid, c.oid, 'DELETE')),
    ('TRUNCATE', has_table_privilege(r.oid, c.oid, 'TRUNCATE')),
    ('TRIGGER', has_table_privilege(r.oid, c.oid, 'TRIGGER')),
    ('REFERENCES', has_any_column_privilege(r.oid, c.oid, 'REFERENCES')),
    ('SET session_replication_role',
        has_parameter_privilege(r.oid, 'session_replication_role', 'SET'))
) p (power, held)
WHERE p.held AND pg_has_role(session_user, r.oid, 'MEMBER')
ORDER BY r.rolname = session_user DESC, r.rolname, c.relname, p.power
LIMIT 20
"""  # noqa: S608 - two constants

# By relation: triggers that refuse changes, enabled ALWAYS, for rows (tgtype: ROW 1,
# BEFORE 2, DELETE 8, UPDATE 16) and for TRUNCATE (2, 32); and whether rows are bound.
_GUARDS = f"""
SELECT c.relname, c.partitioned,
    count(*) FILTER (WHERE t.tgtype & 59 = 27),
    count(*) FILTER (WHERE t.tgtype & 59 = 34),
    c.bound AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = c.oid)
        AND NOT EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = c.oid
            AND polname <> 'ledger')
FROM ({_GUARDED}) c
LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgenabled = 'A'
    AND t.tgfoid = (SELECT f.oid FROM pg_proc f
        WHERE f.proname = 'refuse_change' AND f.pronamespace = c.schema)
GROUP BY c.oid, c.relname, c.partitioned, c.bound
"""  # noqa: S608 - constants

_COVERED = """
SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = 'log_root'
    AND t.tgname = 'log_root_cover' AND t.tgenabled = 'A'
"""


def check(connection: psycopg.Connection[Any], schema: str, duty: Duty) -> None:
    """Refuse a connection that could change the log, or a log without its guards.

    The errors of ``check_protection``, and ``Denied('store_overprivileged')``: this
    role is a superuser or owner, or may become one, or may do more than its duty needs.
    """
    check_protection(connection, schema)
    if powers := powers_beyond(connection, schema, duty):
        raise Denied("store_overprivileged", ", ".join(powers))


def may_append(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether this connection's role inserts into the log, or reads it only."""
    row = connection.execute(
        "SELECT has_table_privilege('log_root', 'INSERT')"
    ).fetchone()
    return row == (True,)


def powers_beyond(
    connection: psycopg.Connection[Any], schema: str, duty: Duty
) -> list[str]:
    """Return what this connection may do beyond its duty: ``<role>: <power> <table>``.

    Without a role of its own, projecting is done by the writer. Whoever only reads may
    do so as the writer.
    """
    apart = connection.execute(
        "SELECT 1 FROM log_role WHERE duty = 'projector'"
    ).fetchone()
    given = {
        "schema": schema,
        "tables": list(LOG_TABLES),
        "inserts": duty != "projector" or apart is None,
    }
    found = connection.execute(_POWERS, given).fetchall()
    return [f"{role}: {power} {table}" for role, table, power in found]


def check_protection(connection: psycopg.Connection[Any], schema: str) -> None:
    """Check all that ``check`` does but for the privileges of this connection.

    ``Unavailable('store_not_installed')``; ``Unavailable('store_schema_behind')``:
    migrations of this release are missing; ``Corrupt('store_unprotected')``: a trigger
    is missing or disabled, or rows are not bound to their ledger;
    ``Corrupt('store_not_durable')``: the server runs without fsync.
    """
    bare = unguarded(connection, schema)
    if behind := missing_migrations(connection):
        raise Unavailable("store_schema_behind", ", ".join(map(str, behind)))
    if bare:
        raise Corrupt("store_unprotected", ", ".join(bare))
    for setting in ("fsync", "full_page_writes"):
        row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
        if row != ("on",):
            raise Corrupt("store_not_durable", setting)


def missing_migrations(connection: psycopg.Connection[Any]) -> list[int]:
    """Return the migrations of this release that were not applied here.

    A schema that is ahead is served: migrations expand, they take nothing away.
    """
    done = {number for (number,) in connection.execute("SELECT number FROM migration")}
    return sorted(migrations().keys() - done)


def unguarded(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """Return the tables, partitions and triggers that keep the log without a guard.

    ``Unavailable('store_not_installed')``: there are no tables.
    """
    guards = connection.execute(_GUARDS, {"schema": schema}).fetchall()
    if missing := set(LOG_TABLES) - {table for table, *_ in guards}:
        raise Unavailable("store_not_installed", ", ".join(sorted(missing)))
    partitioned = any(is_parent for _, is_parent, *_ in guards)
    bare = [
        table
        for table, _, rows, truncate, bound in guards
        if (rows, truncate) != (1, 1) or (partitioned and not bound)
    ]
    covered = connection.execute(_COVERED, {"schema": schema}).fetchone()
    if partitioned and covered != (1,):
        bare.append("log_root_cover")
    return sorted(bare)
