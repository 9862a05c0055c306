"""The board: its read models as one projection, moved on in one transaction.

Rules of this file: composition only. One projection, so that an entry is decoded once
and the read models always stand at the same position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from events.store import Row
from projections import evidence, states, status, timeline
from projections.facts import facts
from projections.tables import Changes, Fetch, Table

NAME: Final = "board"
_MODELS: Final = (status, timeline, states, evidence)


@dataclass(frozen=True, slots=True)
class Board:
    """A ``projections.tables.Projector``. Raise ``version`` when rows would differ."""

    name: str = NAME
    version: int = 5
    tables: tuple[Table, ...] = (
        *status.TABLES,
        *timeline.TABLES,
        *states.TABLES,
        *evidence.TABLES,
    )

    def fold(self, rows: Sequence[Row], fetch: Fetch) -> Changes:
        """Return the net changes of consecutive entries to all read models."""
        decoded = facts(rows)
        changes: dict[str, Sequence[tuple[object, ...]]] = {}
        for model in _MODELS:
            changes.update(model.fold(decoded, fetch))
        return changes
