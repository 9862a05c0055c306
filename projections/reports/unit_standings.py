"""Where each unit stands in a week: its group, place, score, and the card it gets.

Rules of this file: who is ranked with whom, week by week. Points and places are rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from events.domain.periods import span, week_of
from projections.reports.model import Text
from projections.reports.pieces import Scene, both, local_day
from projections.rules.derived import Derived
from projections.rules.ranking import Entrant, Place, criticised, ranking
from projections.rules.scoring import Score, scores

#: Category of a unit -> its group, in the order of reading.
GROUPS: Mapping[str, Text] = MappingProxyType(
    {
        "office": both("Sub-district offices", "办事处组"),
        "bureau": both("Bureaus", "职能部门组"),
        "company": both("Companies", "企业组"),
        "other": both("Others", "其他单位组"),
    }
)
_OWN = frozenset(GROUPS) - {"other"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A unit in a week: its group, place and score, and those of the week before."""

    group: str
    unit: str
    place: Derived[Place]
    score: Derived[Score]
    before: Derived[Place] | None
    card: str | None
    card_events: tuple[int, ...]
    card_rule: str


def preceding(week: str) -> str:
    """Return the week before a week."""
    return week_of(span(week).start - 1)


def standings(one: Scene, week: str) -> tuple[Standing, ...]:
    """Return every unit by group and place, then those that are not ranked."""
    now, last = _places(one, week), _places(one, preceding(week))
    earlier = {row.value.unit: row for rows in last.values() for row, _ in rows}
    red = _criticised(one, week)
    found = []
    for group, rows in now.items():
        for place, score in rows:
            unit = place.value.unit
            card = "red" if unit in red else "yellow" if place.value.last else None
            reason = red.get(unit, place)
            found.append(
                Standing(
                    group=group,
                    unit=unit,
                    place=place,
                    score=score,
                    before=earlier.get(unit),
                    card=card,
                    card_events=reason.events if card else (),
                    card_rule=reason.rule if card else "",
                )
            )
    return tuple(found)


def _groups(one: Scene) -> dict[str, list[str]]:
    """Return the units of each group: the three, and whoever else leads anything."""
    leading = {case.state.lead_unit for case in one.cases}
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for row in one.world.states("unit"):
        category = row.state.category
        if category in _OWN and (row.state.active or row.key in leading):
            found[category].append(row.key)
        elif row.key in leading:
            found["other"].append(row.key)
    return found


def _places(
    one: Scene, week: str
) -> dict[str, list[tuple[Derived[Place], Derived[Score]]]]:
    groups = _groups(one)
    units = [unit for members in groups.values() for unit in members]
    found = scores(one.world, one.courses, week, units)
    told = {row.value.unit: _founded(one, row) for row in found}
    return {
        group: [
            (place, told[place.value.unit])
            for place in ranking(_entrants(told, members), one.rules)
        ]
        for group, members in groups.items()
    }


def _founded(one: Scene, score: Derived[Score]) -> Derived[Score]:
    """Return a score with its events: a unit without any has its points by existing."""
    if score.events:
        return score
    row = one.world.state(f"unit/{score.value.unit}")
    return replace(score, events=() if row is None else row.events[:1])


def _entrants(
    told: Mapping[str, Derived[Score]], members: Sequence[str]
) -> Iterator[Entrant]:
    for unit in members:
        row = told[unit]
        yield Entrant(unit, row.value.points, row.value.cases, row.events)


def _criticised(one: Scene, week: str) -> dict[str, Derived[str]]:
    """Return who was last too often in the month of a week's last day, so far."""
    month, weeks = _month(week), []
    while _month(week) == month:
        weeks.append([row for rows in _places(one, week).values() for row, _ in rows])
        week = preceding(week)
    return {row.value: row for row in criticised(weeks, one.rules)}


def _month(week: str) -> str:
    return local_day(span(week).end - 1)[:7]
