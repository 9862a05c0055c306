"""How much each row does: everything that makes a run longer, in one table.

Rules of this file: numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Repetitions and sizes. ``seconds`` is the length of one contender's turn."""

    rounds: int
    seconds: float
    bulk_requests: int
    entries: int
    small: int
    large: int
    baseline_events: int


FULL = Effort(
    rounds=5,
    seconds=2.0,
    bulk_requests=15,
    entries=20_000,
    small=10_000,
    large=100_000,
    baseline_events=1_000,
)
QUICK = Effort(
    rounds=2,
    seconds=0.7,
    bulk_requests=5,
    entries=4_000,
    small=2_000,
    large=20_000,
    baseline_events=300,
)
