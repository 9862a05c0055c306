"""Who may do what to read models in PostgreSQL: the schema made, and its tables shared.

Rules of this file: privileges only. Read models can be thrown away: whoever projects
owns its tables and may drop them; the others read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

# Tables of whoever projected before: a new projector can neither write nor share them.
_ABANDONED = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')
    AND c.relowner <> %s::regrole AND NOT c.relname = ANY(%s)
"""

# What lets those for whom the schema is open read the tables that this role has made
# and will make, as statements.
_SHARING = """
WITH reader AS (
    SELECT DISTINCT a.grantee, n.oid AS schema, n.nspname
    FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE n.nspname = current_schema() AND a.privilege_type = 'USAGE'
        AND a.grantee NOT IN (0, n.nspowner, current_user::regrole)
)
SELECT format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO %s',
    nspname, grantee::regrole) FROM reader
UNION ALL
SELECT format('GRANT SELECT ON %s TO %s', c.oid::regclass, grantee::regrole)
FROM reader JOIN pg_class c ON c.relnamespace = schema AND c.relkind = 'r'
    AND c.relowner = current_user::regrole
WHERE NOT has_table_privilege(grantee, c.oid, 'SELECT')
"""


def create_views_schema(
    conninfo: str,
    *,
    schema: str,
    projector: str,
    readers: Sequence[str] = (),
    kept: Sequence[str] = (),
) -> None:
    """Create the schema of a ledger's read models; let one role make tables in it.

    ``readers`` may read what it makes. Idempotent. Read models that another role has
    made are dropped, to be built anew; tables named in ``kept`` are no read models.
    """
    name = Identifier(schema)
    with psycopg.connect(conninfo) as connection:
        connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        connection.execute(SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(name))
        for role in readers:
            text = "REVOKE ALL ON SCHEMA {0} FROM {1}; GRANT USAGE ON SCHEMA {0} TO {1}"
            connection.execute(SQL(text).format(name, Identifier(role)))
        connection.execute(
            SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(
                name, Identifier(projector)
            )
        )
        given = (schema, f'"{projector}"', list(kept))
        for (table,) in connection.execute(_ABANDONED, given).fetchall():
            dropped = Identifier(schema, table)
            connection.execute(SQL("DROP TABLE {} CASCADE").format(dropped))


def may_create(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether this role makes the tables of its schema, or only reads them."""
    row = connection.execute(
        "SELECT has_schema_privilege(current_schema(), 'CREATE')"
    ).fetchone()
    return row == (True,)


def share(connection: psycopg.Connection[Any]) -> None:
    """Let whoever may enter this schema read each table that this role makes."""
    for (statement,) in connection.execute(_SHARING).fetchall():
        connection.execute(statement.encode())
