"""What a table was at an earlier position, as SQL: the tables as they were at a cut.

Rules of this file: queries from ``projections.tables``, pure, the same for both
databases. A generation that follows the partitions of a topic holds, of some, more than
the position at which all of them are; its readers see its tables through these.
"""

from __future__ import annotations

from typing import Final

from projections.tables import Table
from projections.views import Generation

_CUT: Final = "(SELECT min(reached) FROM view_part WHERE application_name = '{label}')"


def ddl(generation: Generation, table: Table) -> list[str]:
    """Return what lets a table be read as of where all partitions are.

    What has changed since is found by an index: it is little, and the table is not.
    """
    name, cut = generation.table(table.name), _CUT.format(label=generation.label)
    made = [
        f"CREATE VIEW {generation.cut(table.name)} AS {_query(generation, table, cut)}"
    ]
    if table.past:
        made.append(f"CREATE INDEX {name}_from ON {name} (valid_from)")
    return made


def _query(generation: Generation, table: Table, cut: str) -> str:
    """Return the rows that a table had at position ``cut``, an expression of SQL.

    A table has versions (``past``), or is one of past versions, or has one row for
    each entry.
    """
    name, columns = generation.table(table.name), ", ".join(table.names)
    rows = f"SELECT {columns} FROM {name}"  # noqa: S608 - ours
    if table.past:
        # The condition outside: PostgreSQL merges branches in the order of an index
        # only where they have none of their own, and sorts the whole table otherwise.
        stood = _stood(generation, table, cut)
        both = f"({rows} UNION ALL {stood}) s"
        return f"SELECT {columns} FROM {both} WHERE valid_from <= {cut}"  # noqa: S608
    last = "valid_to" if "valid_to" in table.names else "position"
    return f"{rows} WHERE {last} <= {cut}"


def _stood(generation: Generation, table: Table, cut: str) -> str:
    """Return the rows that have changed since, as the version that stood at the cut."""
    (key,) = table.key
    now = {key, "registered"}
    columns = ", ".join(f"{'c' if n in now else 'h'}.{n}" for n in table.names)
    return (
        f"SELECT {columns} FROM {generation.table(table.name)} c "  # noqa: S608 - ours
        f"JOIN {generation.table(table.past)} h "
        f"ON h.{key} = c.{key} AND h.valid_from <= {cut} AND h.valid_to > {cut} "
        f"WHERE c.valid_from > {cut}"
    )
