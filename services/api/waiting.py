"""Reading what was written: waiting until the read models include a position.

Rules of this file: waiting only. Threads that wait have a limit of their own, so that
they leave those alone that read.
"""

from __future__ import annotations

import time
from functools import partial

from anyio import to_thread

from events import errors
from projections.board import NAME
from services.api.desk import Desk, in_thread

_WAIT_SECONDS = 10.0
_PAUSE_SECONDS = 0.02


async def reach(desk: Desk, position: int | None) -> None:
    """Return once the read models include a position (None: whatever they include).

    ``Malformed('position_ahead')`` for a position that the log does not have;
    ``Unavailable('projection_behind')`` after ten seconds.
    """
    if position is None:
        return
    head = await in_thread(desk.ledger.store.head)
    if head is None or position > head.size:
        raise errors.Malformed("position_ahead", position=position)
    try:
        await to_thread.run_sync(partial(_wait, desk, position), limiter=desk.patience)
    except TimeoutError as cause:
        raise errors.Unavailable("projection_behind", position=position) from cause


def _wait(desk: Desk, position: int) -> None:
    """Wait for the position, and for the tables that hold it to be the live ones."""
    deadline = time.monotonic() + _WAIT_SECONDS
    desk.service.reach(position, seconds=_WAIT_SECONDS)
    while not is_live(desk):
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(_PAUSE_SECONDS)


def is_live(desk: Desk) -> bool:
    """Say whether there are tables to read: not while they are first built."""
    try:
        with desk.views.snapshot(NAME):
            return True
    except errors.Unavailable:
        return False
