"""Ranking with ties: 1, 2, 3, 3, 5, and none for a unit with too few cases.

Rules of this file: it orders values that others derived. More is better; whoever ties
shares the better place, and the next one counts all before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from projections.rules.derived import Derived
from projections.rules.in_force import Rules


@dataclass(frozen=True, slots=True)
class Entrant:
    """A unit, what it is ranked by, and the number of cases behind that."""

    unit: str
    value: int | Fraction
    cases: int
    events: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit stands; ``rank`` None: too few cases to rank. ``last``: 黄牌."""

    unit: str
    value: int | Fraction
    cases: int
    rank: int | None
    tied: bool
    last: bool


def ranking(entrants: Iterable[Entrant], rules: Rules) -> tuple[Derived[Place], ...]:
    """Return the places, best first, then those not ranked, each group by unit.

    The last place is given only where somebody is better: all equal is no disgrace.
    """
    rows = sorted(entrants, key=lambda row: row.unit)
    least = rules.ruleset.ranking_min_cases
    ranked = [row for row in rows if row.cases >= least]
    values = [row.value for row in ranked]
    # The sort is stable: ties stay in the order of their units.
    ranked.sort(key=lambda row: row.value, reverse=True)
    few = [row for row in rows if row.cases < least]
    rule = rules.cite("ranking")
    placed = [Derived(_place(row, values), rule, row.events) for row in ranked]
    return (
        *placed,
        *(
            Derived(
                Place(row.unit, row.value, row.cases, None, tied=False, last=False),
                rule,
                row.events,
                {"cases": row.cases, "least": least},
            )
            for row in few
        ),
    )


def criticised(
    weeks: Iterable[Sequence[Derived[Place]]], rules: Rules
) -> tuple[Derived[str], ...]:
    """Return the units that were last in too many weeks of a month (通报批评)."""
    last: Counter[str] = Counter()
    events: dict[str, set[int]] = {}
    for week in weeks:
        for place in week:
            if place.value.last:
                last[place.value.unit] += 1
                events.setdefault(place.value.unit, set()).update(place.events)
    limit = rules.ruleset.ranking_last_places
    return tuple(
        Derived(
            unit,
            rules.cite("ranking.last_places"),
            tuple(sorted(events[unit])),
            {"weeks": count, "limit": limit},
        )
        for unit, count in sorted(last.items())
        if count >= limit
    )


def _place(row: Entrant, values: Sequence[int | Fraction]) -> Place:
    return Place(
        unit=row.unit,
        value=row.value,
        cases=row.cases,
        rank=1 + sum(value > row.value for value in values),
        tied=values.count(row.value) > 1,
        last=row.value == min(values) < max(values),
    )
