"""Rates of promises kept: by the original due, by the current due, and at all.

Rules of this file: each rate is a list of cases and the part of it that was kept; one
event stands for each case, its registration. What was cancelled, taken over or never
handed out is no case, and neither is what is suspended at the instant that is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from events.domain.periods import Span
from projections.rules.courses import Course, before
from projections.rules.derived import Derived, Rate
from projections.rules.in_force import Rules
from projections.status import Status

#: Statuses that make no case.
NO_CASE = frozenset({"draft", "cancelled", "superseded", "suspended"})
#: The normal quantile of a two-sided interval of 95 %.
_Z = 1.959963984540054

Due = Callable[[Status], int | None]
Kept = Callable[[Status, int], bool]


class Interval(NamedTuple):
    """Bounds of a share, 0-1."""

    low: float
    high: float


def on_time_by_original(
    rows: Iterable[Course], period: Span, now: int, *, rules: Rules
) -> Derived[Rate]:
    """Return 按期办结率 of what fell due in a period by its original due."""
    rule = rules.cite("on_time.original")
    return _rate(rows, period, now, due=_original, kept=_on_time, rule=rule)


def on_time_by_current(
    rows: Iterable[Course], period: Span, now: int, *, rules: Rules
) -> Derived[Rate]:
    """Return the same by the due after extensions."""
    rule = rules.cite("on_time.current")
    return _rate(rows, period, now, due=_current, kept=_on_time, rule=rule)


def kept_promises(rows: Iterable[Course], now: int, *, rules: Rules) -> Derived[Rate]:
    """Return 兑现率: of all that fell due by an instant, what is closed, late or not.

    A close that a look-back undid counts again once the rest is done.
    """
    always = Span(-(2**62), 2**62)
    rule = rules.cite("kept_promises")
    return _rate(rows, always, now, due=_original, kept=_closed, rule=rule)


def wilson(hits: int, cases: int) -> Interval | None:
    """Return the 95 % interval of a share by Wilson's score; None: there is no case.

    E. B. Wilson, JASA 22 (1927), without correction for continuity.
    """
    if cases == 0:
        return None
    share, z2 = hits / cases, _Z * _Z
    middle = share + z2 / (2 * cases)
    half = _Z * math.sqrt(share * (1 - share) / cases + z2 / (4 * cases * cases))
    scale = 1 + z2 / cases
    # The bounds of 0 and of all are exact; the arithmetic is not.
    low = 0.0 if hits == 0 else (middle - half) / scale
    high = 1.0 if hits == cases else (middle + half) / scale
    return Interval(low, high)


def _rate(
    rows: Iterable[Course],
    period: Span,
    now: int,
    *,
    due: Due,
    kept: Kept,
    rule: str,
) -> Derived[Rate]:
    hits: list[int] = []
    base: list[int] = []
    for _, row in before(rows, now):
        at = due(row)
        if at is None or row.state.status in NO_CASE:
            continue
        # A due is the end of its last day: 24:00 belongs to the day before.
        if not period.start < at <= period.end or now <= at:
            continue
        base.append(row.registered_position)
        if kept(row, at):
            hits.append(row.registered_position)
    rate = Rate(tuple(sorted(hits)), tuple(sorted(base)))
    return Derived(rate, rule, rate.base, {"hits": len(hits), "cases": len(base)})


def _original(row: Status) -> int | None:
    return row.original_due


def _current(row: Status) -> int | None:
    return row.current_due


def _on_time(row: Status, due: int) -> bool:
    return row.finished and row.ended_at is not None and row.ended_at <= due


def _closed(row: Status, _due: int) -> bool:
    return row.finished
