"""What a read model is made of: tables as data, and changes to their rows.

Rules of this file: shapes only, no SQL. Each store writes its own SQL from these rows;
the folds of the read models give ``Changes`` and know no store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from events.store import Row

#: Sorts after every real position, instant and due date; fits SQLite and PostgreSQL.
FOREVER = 2**63 - 1

Kind = Literal["int", "text", "bytes"]
Values = tuple[Any, ...]
Changes = Mapping[str, Sequence[Values]]
"""Table name -> rows: inserted where the table grows, else replaced by key."""
Fetch = Callable[[str, Sequence[str]], Mapping[str, Values]]
"""(table, keys) -> the stored row of each key that has one."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a read model. The first ``key`` columns identify a row.

    ``grows`` tables are only inserted into: a second row of one key is an error.
    ``past`` names the table of the versions that a row of this one had before. From
    these columns follows what a table was at any position: ``projections.cuts``.
    """

    name: str
    columns: tuple[tuple[str, Kind], ...]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    grows: bool = False
    past: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names in order."""
        return tuple(name for name, _ in self.columns)


class Projector(Protocol):
    """A projection: its tables and a pure fold. A new ``version`` means new tables."""

    @property
    def name(self) -> str:
        """A word, part of the table names."""

    @property
    def version(self) -> int:
        """Raised whenever the same events would give other rows."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that ``fold`` changes."""

    def fold(self, rows: Sequence[Row], fetch: Fetch) -> Changes:
        """Return the net changes of consecutive entries; raises where one is poison."""
