"""A step of a commitment: one event, and how the commitment stood after it.

Rules of this file: the type. Steps are made in courses.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from events.domain.commitment_state import Commitment
from projections.status import Status
from projections.world import Happened


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a commitment and the status after it."""

    event: Happened
    row: Status

    @property
    def what(self) -> str:
        """Return the short name of the event: ``closed``."""
        return self.event.type.split(".")[2]

    @property
    def state(self) -> Commitment:
        """Return the domain's state after the event."""
        return self.row.state
