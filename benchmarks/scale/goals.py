"""The lines that have to be shown, computed of series that took turns in one run.

Rules of this file: a table of comparisons and bounds; a goal that is missed is a
finding, not a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from benchmarks.measure import Row, compared
from benchmarks.scale.results import Kept, Series, newest, together
from benchmarks.scale.running import Measured


class Against(NamedTuple):
    """Throughput of one scenario against that of another, taken within each turn."""

    name: str
    ours: str
    baseline: str
    goal: float | None


class Bound(NamedTuple):
    """A figure of one scenario against an absolute bound."""

    name: str
    ours: str
    figure: Callable[[Measured], float | None]
    unit: str
    goal: float
    better: str


AGAINST = (
    Against("two API processes and two ingest workers", "both-2", "both-1", 1.0),
    Against("two API processes", "bulk-2", "bulk-1", None),
    Against("two ingest workers", "kafka-2", "kafka-1", None),
    Against("Kafka path, receipts", "kafka-1", "bulk-1", 0.5),
    Against("Kafka path, no receipts", "kafka-minimal", "bulk-minimal", 0.5),
)


def _p99_ms(run: Measured) -> float | None:
    return run.projection.p99_seconds * 1e3 if run.projection else None


BOUNDS = (
    Bound(
        "relay to Apache Kafka",
        "relay",
        lambda run: run.relay.rate if run.relay else None,
        "events/s",
        5_000,
        "more",
    ),
    Bound(
        "projection lag over Kafka, half load",
        "remote-half",
        _p99_ms,
        "ms p99",
        500,
        "less",
    ),
    Bound(
        "projection lag from the log, half load",
        "local-half",
        _p99_ms,
        "ms p99",
        500,
        "less",
    ),
)


def rows(kept: Sequence[Kept]) -> list[Row]:
    """Return the lines for which there are series."""
    return [*_compared(kept), *_bound(newest(kept))]


def _compared(kept: Sequence[Kept]) -> list[Row]:
    found = []
    for name, ours, baseline, goal in AGAINST:
        series = together(kept, (ours, baseline))
        if not series:
            continue
        rates = {one: _throughputs(series[one]) for one in (ours, baseline)}
        found.append(
            compared(
                rates,
                name=name,
                store=series[ours].runs[0].scenario.store,
                ours=ours,
                baseline=baseline,
                goal=goal,
            )
        )
    return found


def _bound(series: Mapping[str, Series]) -> list[Row]:
    found = []
    for name, ours, figure, unit, goal, better in BOUNDS:
        runs = series[ours].runs if ours in series else []
        values = [value for run in runs if (value := figure(run)) is not None]
        if not values:
            continue
        value = median(values)
        found.append(
            Row(
                name=name,
                store=runs[0].scenario.store,
                henji=float(f"{value:.4g}"),
                goal=goal,
                met=value >= goal if better == "more" else value <= goal,
                better=better,
                unit=unit,
                extra={"runs": values, "rate": runs[-1].scenario.rate},
            )
        )
    return found


def _throughputs(one: Series) -> list[float]:
    return [run.throughput for run in one.runs]
