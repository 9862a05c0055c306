"""Who may do what to a ledger in PostgreSQL: duties as a table, granted and taken back.

Rules of this file: privileges only, run by the owner. The owner is for migrations and
may be NOLOGIN between them; no process of the service connects as the owner. What a
connection holds beyond its duty is found by ``postgres_check``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from events.errors import Denied

#: writer: API processes, ingest, scheduler. projector: ``henji work project``. reader:
#: reports, exports, verification.
Duty = Literal["writer", "projector", "reader"]
Roles = Mapping[Duty, str]

LOG_TABLES = ("log_entry", "log_node", "log_root")
_SELECTED = (*LOG_TABLES, "log_key", "log_layout", "log_role", "migration")

#: Duty -> what it is granted in the schema of the log; all get USAGE of the schema.
_GRANTS: Mapping[Duty, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "writer": (("SELECT", _SELECTED), ("INSERT", LOG_TABLES)),
    "projector": (("SELECT", _SELECTED),),
    "reader": (("SELECT", _SELECTED),),
}

_TAKEN_BACK = (
    "REVOKE ALL ON SCHEMA {schema} FROM {role}",
    "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM {role}",
    # What later migrations and partitions add is granted by name or not at all.
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE ALL ON TABLES FROM {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE ALL ON FUNCTIONS FROM {role}",
)


def named(writer: str | None, others: Roles) -> Roles:
    """Return who has which duty; a duty may be nobody's."""
    return {**others, **({"writer": writer} if writer else {})}


def create_roles(connection: psycopg.Connection[Any], roles: Roles) -> None:
    """Create the roles that are missing, with LOGIN and without a password.

    ``Denied('store_role_missing')``: one is missing and the owner may not create it.
    """
    for role in sorted(set(roles.values())):
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if known.fetchone() is None:
            _create_role(connection, role)


def _create_role(connection: psycopg.Connection[Any], role: str) -> None:
    try:
        connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Denied("store_role_missing", role) from error


def grant(connection: psycopg.Connection[Any], schema: str, roles: Roles) -> None:
    """Let each role do its duty in the schema of the log, and nothing else.

    PUBLIC and the roles named lose all that they had; other roles are left alone.
    """
    everyone = [SQL("PUBLIC"), *(Identifier(role) for role in set(roles.values()))]
    for grantee in everyone:
        for text in _TAKEN_BACK:
            statement = SQL(text).format(schema=Identifier(schema), role=grantee)
            connection.execute(statement)
    for duty, role in roles.items():
        for statement in _granting(schema, duty, role):
            connection.execute(statement)
        connection.execute(
            SQL("INSERT INTO {} VALUES (%s, %s) ON CONFLICT DO NOTHING").format(
                Identifier(schema, "log_role")
            ),
            [duty, role],
        )


def _granting(schema: str, duty: Duty, role: str) -> list[Composed]:
    name, given = Identifier(schema), Identifier(role)
    statements = [SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, given)]
    for privilege, tables in _GRANTS[duty]:
        listed = SQL(", ").join(Identifier(schema, table) for table in tables)
        text = f"GRANT {privilege} ON {{}} TO {{}}"
        statements.append(SQL(text).format(listed, given))
    bound = Identifier(schema, "log_bound")
    statements.append(SQL("GRANT EXECUTE ON FUNCTION {}() TO {}").format(bound, given))
    return statements


def grant_extension(
    connection: psycopg.Connection[Any], schema: str, writer: str
) -> None:
    """Let the writer add the next partition, by the owner's function and only so."""
    connection.execute(
        SQL("GRANT EXECUTE ON FUNCTION {}(bigint) TO {}").format(
            Identifier(schema, "extend_log"), Identifier(writer)
        )
    )
