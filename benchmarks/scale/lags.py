"""How far something is behind the log: from batches and from what was seen of it.

Rules of this file: pure. Instants are µs; a batch counts with as many events as it has.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec


class Batch(NamedTuple):
    """Entries that were committed at once: up to which position, and when sealed."""

    through: int
    sealed: int
    entries: int


class Sample(NamedTuple):
    """At this instant, all entries up to this position were seen."""

    at: int
    position: int


class Lag(msgspec.Struct, kw_only=True):
    """Percentiles: seconds from sealing until it was seen, and events behind.

    ``rate`` is events a second, from when the first were seen to the last.
    """

    p50_seconds: float
    p99_seconds: float
    p50_events: int
    p99_events: int
    rate: float


def batches(roots: Iterable[tuple[int, int]], *, after: int) -> list[Batch]:
    """Return the batches behind a position, of (size, sealed) in order."""
    found, before = [], after
    for size, sealed in roots:
        if size > before:
            found.append(Batch(size, sealed, size - before))
            before = size
    return found


def throughput(found: Sequence[Batch]) -> float:
    """Return events a second, from the first batch (not counted) to the last.

    0 where they were no two.
    """
    if len(found) < 2 or found[-1].sealed == found[0].sealed:
        return 0.0
    events = found[-1].through - found[0].through
    return events * 1e6 / (found[-1].sealed - found[0].sealed)


def lag(found: Sequence[Batch], samples: Sequence[Sample]) -> Lag | None:
    """Return how far behind these batches something was; None: it never saw them.

    ``samples`` are in order. Every sample between the first sealing and the last one
    counts alike for the events behind.
    """
    if not found or not samples or samples[-1].position < found[-1].through:
        return None
    positions = [sample.position for sample in samples]
    waits = [
        (samples[bisect_left(positions, one.through)].at - one.sealed, one.entries)
        for one in found
    ]
    behind = _behind(found, samples) or [0]
    return Lag(
        p50_seconds=_weighted(waits, 0.5) / 1e6,
        p99_seconds=_weighted(waits, 0.99) / 1e6,
        p50_events=behind[len(behind) // 2],
        p99_events=behind[len(behind) * 99 // 100],
        rate=_rate(found, samples),
    )


def _behind(found: Sequence[Batch], samples: Sequence[Sample]) -> list[int]:
    sealed = [one.sealed for one in found]
    return sorted(
        max(0, found[bisect_right(sealed, at) - 1].through - position)
        for at, position in samples
        if sealed[0] <= at <= sealed[-1]
    )


def _rate(found: Sequence[Batch], samples: Sequence[Sample]) -> float:
    first, last = found[0].through - found[0].entries, found[-1].through
    seen = [one for one in samples if one.position > first]
    end = next((one for one in seen if one.position >= last), None)
    if end is None or end.at == seen[0].at:
        return 0.0
    return (end.position - seen[0].position) * 1e6 / (end.at - seen[0].at)


def _weighted(values: Iterable[tuple[int, int]], share: float) -> int:
    """Return the least value that this share of all counts is not above."""
    ordered = sorted(values)
    left = share * sum(count for _, count in ordered)
    for value, count in ordered:
        left -= count
        if left <= 0:
            return value
    return ordered[-1][0]
