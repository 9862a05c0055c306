"""What operators see of a worker of remote read models.

Rules of this file: it counts and publishes, it never decides.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from events.errors import HenjiError
from events.store import Row
from projections.views import Part

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class RemoteMetrics:
    """The metrics of the partitions that a worker holds. ``clock`` gives µs."""

    def __init__(
        self, registry: CollectorRegistry, *, clock: Callable[[], int]
    ) -> None:
        self._clock = clock

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"henji_remote_{name}", text, ["partition"], registry=registry)

        self._position = gauge("position", "Position of the last entry folded.")
        self._reached = gauge(
            "reached", "Position up to which all of the partition is folded."
        )
        self._waiting = gauge("lag_events", "Records that are not folded.")
        self._behind = gauge(
            "lag_seconds", "Age of the last entry folded; 0 where nothing waits."
        )
        self._stopped = gauge("stopped", "1 where a partition stopped; it says why.")
        self._events = Counter(
            "henji_remote_events", "Entries folded.", registry=registry
        )
        self._failures = Counter(
            "henji_remote_failures",
            "What had to be tried again, by code.",
            ["code"],
            registry=registry,
        )
        self._delay = Histogram(
            "henji_remote_delay_seconds",
            "From the sealing of an entry to its being in the read models.",
            buckets=_BUCKETS,
            registry=registry,
        )

    def held(self, parts: Iterable[Part]) -> None:
        """Publish where the partitions held are; the others are told of elsewhere."""
        for each in (self._position, self._reached, self._waiting, self._behind):
            each.clear()
        self._stopped.clear()
        for part in parts:
            self._at(part)
            self._stopped.labels(part.number).set(0)

    def folded(self, part: Part, rows: Sequence[Row], waiting: int) -> None:
        """Publish where a partition is after a batch, and how old its entries were."""
        now = self._clock()
        self._at(part)
        self._waiting.labels(part.number).set(waiting)
        self._events.inc(len(rows))
        for row in rows:
            self._delay.observe((now - row.ingested) / 1e6)
        age = (now - rows[-1].ingested) / 1e6 if rows and waiting else 0.0
        self._behind.labels(part.number).set(age)

    def stopped(self, part: Part, error: HenjiError) -> None:
        """Publish that a partition does not go on, and write why to standard error."""
        self._stopped.labels(part.number).set(1)
        line = {
            "event": "partition_stopped",
            "topic": part.topic,
            "partition": part.number,
            "reached": part.reached,
            "offset": part.offset,
            "code": error.code,
            "detail": error.detail,
            **error.parameters,
        }
        sys.stderr.write(json.dumps(line, default=str) + "\n")

    def failed(self, code: str) -> None:
        """Count what has to be tried again."""
        self._failures.labels(code).inc()

    def _at(self, part: Part) -> None:
        self._position.labels(part.number).set(part.position)
        self._reached.labels(part.number).set(part.reached)
