"""Tables of read models as SQLite's own SQL: creating them, writing their rows.

Rules of this file: statements from ``projections.tables``, pure; no connection.
"""

from __future__ import annotations

from projections.tables import Table

_TYPES = {"int": "INTEGER", "text": "TEXT", "bytes": "BLOB"}


def ddl(name: str, table: Table) -> list[str]:
    """Return what creates a table and its indexes."""
    columns = ", ".join(f"{column} {_TYPES[kind]}" for column, kind in table.columns)
    made = [
        f"CREATE TABLE {name} ({columns}, PRIMARY KEY ({', '.join(table.key)})) STRICT"
    ]
    return made + [
        f"CREATE INDEX {name}_{number} ON {name} ({', '.join(index)})"
        for number, index in enumerate(table.indexes)
    ]


def write(name: str, table: Table) -> str:
    """Return what inserts a row, or replaces that of its key."""
    marks = ", ".join("?" * len(table.columns))
    insert = f"INSERT INTO {name} VALUES ({marks})"  # noqa: S608 - our table names
    if table.grows:
        return insert
    updates = ", ".join(
        f"{column} = excluded.{column}"
        for column in table.names
        if column not in table.key
    )
    return f"{insert} ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {updates}"
