"""Everything a projection holds, for comparing two ways of having come to it."""

from __future__ import annotations

from typing import Any

from projections.board import Board
from projections.views import Snapshot, Views


def dump(views: Views) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the live board, by table, in order of key."""
    with views.snapshot("board") as snapshot:
        return dump_snapshot(snapshot)


def dump_snapshot(snapshot: Snapshot) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of a snapshot of the board."""
    return {
        table.name: snapshot.select(
            f"SELECT * FROM {{{table.name}}} ORDER BY {', '.join(table.key)}", {}
        )
        for table in Board().tables
    }
