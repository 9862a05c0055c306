"""What operators see of an ingest worker.

Rules of this file: it counts and publishes, it never decides.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Sequence
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from events import errors
from services.ingest.appending import InHand
from services.ingest.consuming import Inflow

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_LOOK_EVERY_US = 5_000_000


class IngestMetrics:
    """The metrics of one worker, in its registry. ``clock`` gives µs."""

    def __init__(
        self, registry: CollectorRegistry, *, clock: Callable[[], int]
    ) -> None:
        self._clock = clock
        self._looked = 0
        self._records = Counter(
            "henji_ingest_records",
            "Records by topic and outcome.",
            ["topic", "outcome"],
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "henji_ingest_batch_seconds",
            "From taking a batch to the commit of its offsets.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._failures = Counter(
            "henji_ingest_failures",
            "What had to be tried again, by code.",
            ["code"],
            registry=registry,
        )
        self._lag = Gauge(
            "henji_ingest_lag_events",
            "Records of a partition held that are not done.",
            ["topic", "partition"],
            registry=registry,
        )
        self._paused = Gauge(
            "henji_ingest_paused",
            "1 while nothing is taken because something has to be tried again.",
            registry=registry,
        )
        self._last_commit = Gauge(
            "henji_ingest_last_commit_timestamp_seconds",
            "When offsets were last committed, in seconds since 1970.",
            registry=registry,
        )

    def count(self, batch: Sequence[InHand]) -> None:
        """Count the records of a batch that is done."""
        tally = Tally((one.topic.name, _outcome(one)) for one in batch)
        for labels, number in tally.items():
            self._records.labels(*labels).inc(number)

    def failed(self, code: str) -> None:
        """Count what has to be tried again."""
        self._failures.labels(code).inc()

    def paused(self, *, yes: bool) -> None:
        """Say whether records are being taken."""
        self._paused.set(yes)

    def committed(self) -> None:
        """Note that offsets were committed now."""
        self._last_commit.set(self._clock() / 1e6)

    def look(self, inflow: Inflow) -> None:
        """Publish the lag of what is held, every few seconds."""
        now = self._clock()
        if abs(now - self._looked) < _LOOK_EVERY_US:
            return
        self._looked = now
        with suppress(errors.Unavailable):
            lag = inflow.lag()
            self._lag.clear()  # Partitions that went elsewhere are told of there.
            for (topic, partition), number in lag.items():
                self._lag.labels(topic, partition).set(number)


def _outcome(one: InHand) -> str:
    if isinstance(one.result, errors.Malformed):
        return "malformed"
    if isinstance(one.result, errors.HenjiError):
        return "refused"
    return "duplicate" if one.result and one.result.repeat else "accepted"
