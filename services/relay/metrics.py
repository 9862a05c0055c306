"""What operators watch a relay by.

Rules of this file: it reads and publishes, it never decides. A relay that does not
lead shows no lag: whoever leads knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from events.store import Reader
from services.relay.worker import Health
from services.telemetry import Metrics

_GAUGES: Final[Mapping[str, tuple[str, Callable[[Health], float]]]] = {
    "henji_relay_leading": (
        "1 where this relay holds the lease.",
        lambda health: float(health.leading),
    ),
    "henji_relay_position": (
        "Last position of the log that is on the topic.",
        lambda health: float(health.position if health.leading else 0),
    ),
    "henji_relay_stopped": (
        "1 where the line stands: see the process log for the code.",
        lambda health: float(bool(health.stopped)),
    ),
}
_COUNTERS: Final[Mapping[str, tuple[str, Callable[[Health], int]]]] = {
    "henji_relay_events": ("Entries published.", lambda health: health.published),
    "henji_relay_batches": ("Batches published.", lambda health: health.batches),
    "henji_relay_errors": ("Steps that failed.", lambda health: health.failures),
}


class _Counters(Collector):
    """Counters that the worker keeps itself."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> list[Metric]:
        """Return them as they stand."""
        return [
            CounterMetricFamily(name, text, value=read(self._health))
            for name, (text, read) in _COUNTERS.items()
        ]


def publish(
    metrics: Metrics, health: Health, reader: Reader, *, clock: Callable[[], int]
) -> None:
    """Publish the health of a relay; its lag is read from the log when it is asked."""
    for name, (text, read) in _GAUGES.items():
        metrics.gauge(name, text, partial(read, health))
    metrics.gauge(
        "henji_relay_lag_events",
        "Entries in the log that are not on the topic.",
        lambda: float(lag_events(health, reader)),
    )
    metrics.gauge(
        "henji_relay_lag_seconds",
        "Age of the oldest entry that is not on the topic.",
        lambda: lag_us(health, reader, now=clock()) / 1e6,
    )
    registry: CollectorRegistry = metrics.registry
    registry.register(_Counters(health))


def lag_events(health: Health, reader: Reader) -> int:
    """Return how many entries wait, 0 where another relay leads."""
    head = reader.head()
    return head.size - health.position if head and health.leading else 0


def lag_us(health: Health, reader: Reader, *, now: int) -> int:
    """Return for how many µs the oldest has waited, 0 where another relay leads."""
    waiting = reader.rows(after=health.position, limit=1) if health.leading else []
    return max(0, now - waiting[0].ingested) if waiting else 0
