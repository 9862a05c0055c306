"""Tables of read models as PostgreSQL's own SQL: creating them, writing their rows.

Rules of this file: statements from ``projections.tables``, pure; no connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg.sql import SQL, Composed, Identifier

from projections.tables import Table, Values

_TYPES = {"int": SQL("bigint"), "text": SQL('text COLLATE "C"'), "bytes": SQL("bytea")}
_ARRAYS = {"int": SQL("bigint[]"), "text": SQL("text[]"), "bytes": SQL("bytea[]")}


def ddl(name: str, table: Table) -> list[Composed]:
    """Return what creates a table and its indexes."""
    columns = SQL(", ").join(
        SQL("{} {}").format(Identifier(column), _TYPES[kind])
        for column, kind in table.columns
    )
    made = SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(
        Identifier(name), columns, listed(table.key)
    )
    return [made] + [
        SQL("CREATE INDEX {} ON {} ({})").format(
            Identifier(f"{name}_{number}"), Identifier(name), listed(index)
        )
        for number, index in enumerate(table.indexes)
    ]


def write(name: str, table: Table) -> Composed:
    """One binary array a column: the fastest insert short of COPY, and it upserts."""
    given = SQL(", ").join(
        SQL("%b::{}").format(_ARRAYS[kind]) for _, kind in table.columns
    )
    insert = SQL("INSERT INTO {} SELECT * FROM unnest({})").format(
        Identifier(name), given
    )
    if table.grows:
        return insert
    updates = SQL(", ").join(
        SQL("{0} = excluded.{0}").format(Identifier(column))
        for column in table.names
        if column not in table.key
    )
    return SQL("{} ON CONFLICT ({}) DO UPDATE SET {}").format(
        insert, listed(table.key), updates
    )


def arrays(rows: Sequence[Values]) -> list[list[Any]]:
    """Return rows as what ``write`` takes: one list a column."""
    return [list(column) for column in zip(*rows, strict=True)]


def listed(names: Sequence[str]) -> Composed:
    """Return names as a list in SQL."""
    return SQL(", ").join(Identifier(name) for name in names)
