"""How things are compared: contenders take turns, and ratios are taken within a turn.

Rules of this file: no row is known here. A busy machine slows whoever runs; taking
turns (forwards, then backwards) and the median of the ratios of each turn cancel it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any

import msgspec

Contender = Callable[[], float]
"""Runs once and returns what it measured, in the unit of its row."""

Rates = Mapping[str, list[float]]


class Row(msgspec.Struct, kw_only=True):
    """One line of the result. ``ratio`` is henji / baseline within the same turn.

    ``spread`` is the least and greatest ratio of any turn. ``goal`` is a lower bound of
    the ratio, or with ``better="less"`` an upper one; None: for information only.
    """

    name: str
    store: str
    henji: float
    baseline: float | None = None
    ratio: float | None = None
    goal: float | None = None
    met: bool | None = None
    better: str = "more"
    unit: str = "events/s"
    baseline_name: str = ""
    spread: tuple[float, float] | None = None
    extra: dict[str, Any] = {}


def alternate(contenders: Mapping[str, Contender], *, rounds: int) -> Rates:
    """Run each contender once a round, in an order that turns around each time."""
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders)
        for name in names if number % 2 == 0 else reversed(names):
            gc.collect()
            measured[name].append(contenders[name]())
    return measured


def compared(
    rates: Rates,
    *,
    name: str,
    store: str,
    ours: str = "henji",
    baseline: str,
    goal: float | None = None,
    better: str = "more",
    unit: str = "events/s",
    extra: Mapping[str, Any] | None = None,
) -> Row:
    """Return the row of one contender against another; both ran in every round."""
    ratios = [a / b for a, b in zip(rates[ours], rates[baseline], strict=True)]
    ratio = median(ratios)
    met = None
    if goal is not None:
        met = ratio >= goal if better == "more" else ratio <= goal
    return Row(
        name=name,
        store=store,
        henji=_short(median(rates[ours])),
        baseline=_short(median(rates[baseline])),
        ratio=_short(ratio),
        goal=goal,
        met=met,
        better=better,
        unit=unit,
        baseline_name=baseline,
        spread=(_short(min(ratios)), _short(max(ratios))),
        extra=dict(extra or {}),
    )


def per_second(work: Callable[[], int], *, seconds: float = 0.0) -> float:
    """Run once, and again until so many seconds are over; return how many a second."""
    started, count = perf_counter(), 0
    while True:
        count += work()
        elapsed = perf_counter() - started
        if elapsed >= seconds:
            return count / elapsed


def _short(value: float) -> float:
    return float(f"{value:.4g}")
