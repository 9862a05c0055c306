"""What a table was at an earlier position, as SQL: the tables as they were at a cut.

Rules of this file: queries from ``projections.tables``, pure, the same for both
databases. A generation that follows the partitions of a topic holds, of some, more than
the position at which all of them are; its readers see its tables through these.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projections.tables import Table
from projections.views import Generation

#: Stands in a query for the position. It is written into the text and not bound: what
#: lies beyond it is little, and a planner that does not know that reads whole tables.
CUT: Final = "{cut}"


def queries(generation: Generation, tables: Iterable[Table]) -> dict[str, str]:
    """Return, by table, the query of the rows that it had at position ``CUT``."""
    return {table.name: _query(generation, table) for table in tables}


def indexes(generation: Generation, tables: Iterable[Table]) -> list[str]:
    """Return what makes indexes by which the little beyond the cut is found."""
    names = [generation.table(table.name) for table in tables if table.past]
    return [f"CREATE INDEX {name}_from ON {name} (valid_from)" for name in names]


def _query(generation: Generation, table: Table) -> str:
    """Return the query of one table.

    A table has versions (``past``), or is one of past versions, or has one row for
    each entry.
    """
    name, columns = generation.table(table.name), ", ".join(table.names)
    rows = f"SELECT {columns} FROM {name}"  # noqa: S608 - ours
    if table.past:
        # The condition outside: PostgreSQL merges branches in the order of an index
        # only where they have none of their own, and sorts the whole table otherwise.
        both = f"({rows} UNION ALL {_stood(generation, table)}) s"
        return f"SELECT {columns} FROM {both} WHERE valid_from <= {CUT}"  # noqa: S608
    last = "valid_to" if "valid_to" in table.names else "position"
    return f"{rows} WHERE {last} <= {CUT}"


def _stood(generation: Generation, table: Table) -> str:
    """Return the rows that have changed since, as the version that stood at the cut."""
    (key,) = table.key
    now = {key, "registered"}
    columns = ", ".join(f"{'c' if n in now else 'h'}.{n}" for n in table.names)
    return (
        f"SELECT {columns} FROM {generation.table(table.name)} c "  # noqa: S608 - ours
        f"JOIN {generation.table(table.past)} h "
        f"ON h.{key} = c.{key} AND h.valid_from <= {CUT} AND h.valid_to > {CUT} "
        f"WHERE c.valid_from > {CUT}"
    )
