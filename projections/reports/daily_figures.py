"""Figures of a day of supervision: looked at, found, fixed, handed over, at risk.

Rules of this file: what a figure counts, and its one event for each. The brief shows
them, and the next brief tells what late records have changed of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from events.domain.fields import us
from events.domain.periods import Span
from projections.reports.corrections import Figure, Known, Maker
from projections.reports.flows import of_kind
from projections.reports.model import Text
from projections.reports.pieces import (
    Case,
    Scene,
    both,
    cases_of,
    counted,
    is_within,
    last_of_each,
    until,
)
from projections.rules.courses import GREY
from projections.rules.deadlines import days_left
from projections.rules.lights import light
from projections.world import Happened

TYPES = ("henji.issue.*", "henji.inspection.*")
_FOUND = "henji.issue.found.v1"
_CELL = "henji.inspection.point_checked.v1"


class Places(NamedTuple):
    """Whose an issue, a visit or a cell is: by stream and by cell."""

    unit: str | None
    visits: Mapping[str, tuple[str, str]]
    cells: Mapping[str, str]

    def of_issue(self, found: Happened) -> bool:
        """Say whether an issue is one of the unit asked for; None: of anybody."""
        data = found.data
        return self.unit in {None, data.unit, self.cells.get(data.cell or "")}


def places(one: Scene) -> Places:
    """Return what belongs to whom."""
    visits = {
        row.stream: (row.state.kind, row.state.unit)
        for row in one.world.states("inspection")
    }
    cells = {row.key: row.state.unit for row in one.world.states("grid")}
    return Places(one.question.unit, visits, cells)


def maker(where: Places) -> Maker:
    """Return what makes the figures of a day, of a unit or of all."""

    def made(known: Known, day: Span) -> Sequence[Figure]:
        at = min(known.now, day.end - 1)
        cases = [
            case
            for case in cases_of(known.courses, at)
            if where.unit in {None, case.state.lead_unit}
        ]
        return (
            *looked_at(known.events, until(day, known.now), where),
            *findings(known.events, until(day, known.now), where),
            *_moved(cases, until(day, known.now)),
            *at_risk(cases, at, known),
        )

    return made


def looked_at(
    events: Iterable[Happened], day: Span, where: Places
) -> tuple[Figure, ...]:
    """Return visits and patrols begun in a day, and the cells that were walked."""
    started = [
        event
        for event in events
        if event.type == "henji.inspection.started.v1"
        and is_within(day, event.occurred)
        and where.unit in {None, where.visits[event.stream][1]}
    ]
    patrols = [e for e in started if where.visits[e.stream][0] == "patrol"]
    visits = [e for e in started if where.visits[e.stream][0] != "patrol"]
    walked: dict[str, int] = {}
    for event in events:
        checked = event.type == _CELL and is_within(day, _at(event, "checked_at"))
        if checked and where.unit in {None, where.cells.get(event.data.cell)}:
            walked[event.data.cell] = event.position
    return (
        _figure("visits", "Visits", "督查（次）", last_of_each(visits)),
        _figure("patrols", "Patrols", "巡查（次）", last_of_each(patrols)),
        _figure("cells", "Cells walked", "巡查网格（个）", walked.values()),
    )


def issues_of(
    events: Iterable[Happened], day: Span, where: Places
) -> tuple[Happened, ...]:
    """Return the findings of a day, in the order of the log."""
    return tuple(
        event
        for event in events
        if event.type == _FOUND
        and is_within(day, _at(event, "found_at"))
        and where.of_issue(event)
    )


def findings(
    events: Sequence[Happened], day: Span, where: Places
) -> tuple[Figure, ...]:
    """Return what was found in a day and what became of it by the cut."""
    found = issues_of(events, day, where)
    again = [event.position for event in found if event.data.repeat_of is not None]
    new = [event.position for event in found if event.data.repeat_of is None]
    streams = {event.stream for event in found}
    later = [e for e in events if e.stream in streams and e.occurred < day.end]
    fixed = [e for e in later if e.type == "henji.issue.fixed_on_spot.v1"]
    handed = [e for e in later if e.type == "henji.issue.handed_over.v1"]
    every = (event.position for event in found)
    return (
        _figure("found", "Problems found", "发现问题（个）", every),
        _figure("new", "New", "其中新发现", new),
        _figure("repeated", "Repeated", "其中重复", again),
        _figure("fixed", "Fixed on the spot", "立即解决", last_of_each(fixed)),
        _figure("handed_over", "Handed over", "交办", last_of_each(handed)),
    )


def at_risk(cases: Sequence[Case], at: int, known: Known) -> tuple[Figure, ...]:
    """Return the open commitments that need an eye, by their last event."""
    rules = known.rules
    colours: dict[str, list[int]] = {"red": [], "yellow": []}
    soon, unsigned = [], []
    for case in cases:
        colour = light(case.row, at, rules).colour.value
        if colour in colours:
            colours[colour].append(case.row.position)
        if is_due_soon(case, at, known):
            soon.append(case.row.position)
        if case.state.status == "issued":
            unsigned.append(case.row.position)
    rule = rules.cite("schedule")
    number = rules.ruleset.yellow_days_left
    due = both(f"Due in {number} working days", f"{number}个工作日内到期")
    return (
        _figure("red", "Red lights", "红灯", colours["red"]),
        _figure("yellow", "Yellow lights", "黄灯", colours["yellow"]),
        Figure("due_soon", due, counted(soon, rule)),
        _figure("unsigned", "Not signed for", "未签收", unsigned),
    )


def is_due_soon(case: Case, at: int, known: Known) -> bool:
    """Say whether an open commitment falls due within the days of a warning."""
    due = case.state.current_due
    if due is None or at > due or case.state.status in GREY | {"draft"}:
        return False
    return days_left(due, at, known.rules) <= known.rules.ruleset.yellow_days_left


def _moved(cases: Sequence[Case], day: Span) -> tuple[Figure, ...]:
    return (
        _figure("issued", "Handed out", "当日交办事项", of_kind(cases, day, "issued")),
        _figure("closed", "Closed", "当日销号事项", of_kind(cases, day, "closed")),
    )


def _figure(key: str, en: str, zh: str, events: Iterable[int]) -> Figure:
    title: Text = both(en, zh)
    return Figure(key, title, counted(events))


def _at(event: Happened, member: str) -> int:
    said = getattr(event.data, member)
    return event.occurred if said is None else us(said)
