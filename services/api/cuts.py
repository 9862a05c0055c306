"""The cut that a request asks for, and the world of it.

Rules of this file: from parameters to a cut of the log, once the read models have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from projections import board
from projections.cut_world import ViewWorld, cut_of
from projections.world import Cut, World
from services.api.desk import Desk, in_thread
from services.api.filters import as_of as parse_as_of
from services.api.filters import us
from services.api.waiting import reach

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class When:
    """A cut as it is asked for: sealed by, happened by, judged at."""

    as_of: str | None
    as_at: str | None = None
    at: str | None = None


async def asked_cut(desk: Desk, when: When) -> Cut:
    """Return the cut, once the read models have reached it.

    Without ``as_of`` it is what the read models have. ``Malformed``: position_ahead,
    invalid_parameter.
    """
    # Every ledger has an entry: this waits for the first tables to be there at all.
    await reach(desk, 1)
    cut = await in_thread(_cut, desk, when)
    await reach(desk, cut.position or None)
    return cut


def _cut(desk: Desk, when: When) -> Cut:
    store = desk.ledger.store
    as_at = us("as_at", when.as_at) if when.as_at else None
    now = us("at", when.at) if when.at else None
    if when.as_of is None:
        with desk.views.snapshot(board.NAME) as snapshot:
            position = snapshot.generation.position
        return cut_of(store, position=position, as_at=as_at, now=now)
    bound = parse_as_of(when.as_of)
    if "until" in bound:
        return cut_of(store, position=bound["until"], as_at=as_at, now=now)
    instant = bound["ingested_before"] - 1
    if now is None and as_at is None:
        now = instant
    position = store.position_at(instant)
    return cut_of(store, position=position, as_at=as_at, now=now)


def over(desk: Desk, cut: Cut, call: Callable[[World], T]) -> T:
    """Call with the world of a cut, all of it read from one snapshot."""
    with desk.views.snapshot(board.NAME) as snapshot:
        return call(ViewWorld(snapshot, desk.ledger.store, cut))
