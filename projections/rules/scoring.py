"""The score of a unit in an ISO week: points off a base, a few on, never for records.

Rules of this file: what earns a mark, and whose it is: the unit that led at the time.
The points are the ruleset's in force when the week began, so that a change in
mid-week counts from the next one. No mark is given for the number of records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from events import calendar
from events.domain import commitment_dues as dues
from events.domain.periods import Span, span
from projections.rules import days
from projections.rules.alert_measures import breaches
from projections.rules.courses import GREY, Course, due_set
from projections.rules.derived import Derived, positions
from projections.rules.in_force import Rules, rulebook
from projections.rules.steps import Step
from projections.world import World

#: What costs points -> the member of the ruleset that says how many.
COSTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "overdue_week": "score_overdue_week",
        "late_sign": "score_late_sign",
        "failed_verification": "score_failed_verification",
        "relapse": "score_relapse",
        "alert_breach": "score_alert_breach",
        "late_record": "score_late_record",
    }
)
EARLY_CLOSE: Final = "early_close"
_DONE: Final = GREY | {"draft"}


class Mark(NamedTuple):
    """One thing that counts: whose it is, for what, and the event that shows it."""

    unit: str
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Item:
    """All marks of one name: how many, the points they give or take, their events."""

    name: str
    count: int
    points: int
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Points of a unit in a week; ``cases``: commitments it led and owed in it."""

    unit: str
    week: str
    points: int
    cases: int
    items: tuple[Item, ...]


def scores(
    world: World, rows: Iterable[Course], week: str, units: Iterable[str]
) -> tuple[Derived[Score], ...]:
    """Return the score of each unit in an ISO week (``2017-W47``), by unit."""
    period, now = span(week), world.cut.now
    rules = rulebook(world).at(period.start)
    known = tuple(rows)
    marks = tuple(marks_of(world, known, period, rules=rules))
    cases = _cases(known, min(now, period.end), period)
    return tuple(
        score(unit, week, marks, cases=cases.get(unit, 0), rules=rules)
        for unit in sorted(units)
    )


def score(
    unit: str, week: str, marks: Iterable[Mark], *, cases: int, rules: Rules
) -> Derived[Score]:
    """Return the score that a unit's marks give."""
    own: dict[str, list[int]] = {}
    for mark in marks:
        if mark.unit == unit:
            own.setdefault(mark.name, []).append(mark.position)
    items = tuple(
        _item(name, own[name], rules) for name in (*COSTS, EARLY_CLOSE) if name in own
    )
    ruleset = rules.ruleset
    points = ruleset.score_base + sum(item.points for item in items)
    value = Score(unit, week, max(ruleset.score_minimum, points), cases, items)
    return Derived(
        value, rules.cite("score"), positions(*(item.events for item in items))
    )


def marks_of(
    world: World, rows: Iterable[Course], period: Span, *, rules: Rules
) -> Iterator[Mark]:
    """Yield every mark of a period, as far as it had come by the cut's instant."""
    now = world.cut.now
    until = Span(period.start, min(period.end, now + 1))
    begun = ((course, steps) for course in rows if (steps := course.by(now)))
    for course, steps in begun:
        for marks in _COMMITMENT:
            yield from marks(course, steps, until, rules)
    for unit, at, position in breaches(world, now):
        if until.start <= at < until.end:
            yield Mark(unit, "alert_breach", position)
    longest = rules.ruleset.late_record_days * calendar.DAY_US
    for event in world.events():
        recorded = until.start <= event.recorded < until.end
        if recorded and event.unit and event.recorded - event.occurred > longest:
            yield Mark(event.unit, "late_record", event.position)


def _overdue(
    _course: Course, steps: tuple[Step, ...], period: Span, _rules: Rules
) -> Iterator[Mark]:
    """Yield one mark for each unit that let the commitment be overdue in the period."""
    found: dict[str, int] = {}
    ends = [*(step.event.occurred for step in steps[1:]), period.end]
    for index, (step, end) in enumerate(zip(steps, ends, strict=True)):
        state = step.state
        due = state.current_due
        if due is None or state.status in _DONE:
            continue
        start = max(step.event.occurred, due + 1, period.start)
        if start < min(end, period.end):
            cause = due_set(steps[: index + 1]).event.position
            found.setdefault(state.lead_unit, cause)
    yield from (Mark(unit, "overdue_week", at) for unit, at in found.items())


def _late_sign(
    course: Course, steps: tuple[Step, ...], period: Span, rules: Rules
) -> Iterator[Mark]:
    window = course.kind.sign_window
    for step in steps:
        if not window or step.what not in {"issued", "reassigned"}:
            continue
        end = dues.counted(window, step.event.occurred, table=rules.table)
        if not period.start < end <= period.end:
            continue
        then = course.at(end)
        waiting = then is not None and then.state.status == "issued"
        if waiting and then is not None and then.position == step.event.position:
            yield Mark(step.state.lead_unit, "late_sign", step.event.position)


def _failed(
    _course: Course, steps: tuple[Step, ...], period: Span, _rules: Rules
) -> Iterator[Mark]:
    for step in _within(steps, period, "verification_recorded"):
        if step.event.data.result == "fail":
            yield _mark(step, "failed_verification")


def _relapsed(
    _course: Course, steps: tuple[Step, ...], period: Span, _rules: Rules
) -> Iterator[Mark]:
    for step in _within(steps, period, "lookback_recorded"):
        if step.event.data.result == "relapsed":
            yield _mark(step, "relapse")


def _early(
    _course: Course, steps: tuple[Step, ...], period: Span, rules: Rules
) -> Iterator[Mark]:
    """Closed after a verification, a working day or more before the original due."""
    for step in _within(steps, period, "closed"):
        due, verified = step.state.original_due, step.state.verifier is not None
        if verified and due is not None:
            left = days.between(rules.table, step.event.occurred, due)
            if left >= 1:
                yield _mark(step, EARLY_CLOSE)


_COMMITMENT: tuple[
    Callable[[Course, tuple[Step, ...], Span, Rules], Iterator[Mark]], ...
] = (_overdue, _late_sign, _failed, _relapsed, _early)


def _mark(step: Step, name: str) -> Mark:
    return Mark(step.state.lead_unit, name, step.event.position)


def _within(steps: Iterable[Step], period: Span, what: str) -> Iterator[Step]:
    for step in steps:
        if step.what == what and period.start <= step.event.occurred < period.end:
            yield step


def _item(name: str, found: list[int], rules: Rules) -> Item:
    ruleset = rules.ruleset
    if name == EARLY_CLOSE:
        points = ruleset.score_early_close * len(found)
        points = min(points, ruleset.score_early_close_cap)
    else:
        points = -getattr(ruleset, COSTS[name]) * len(found)
    return Item(name, len(found), points, positions(found))


def _cases(rows: Iterable[Course], instant: int, period: Span) -> Mapping[str, int]:
    """Count, by lead unit, what was handed out and not ended before the period."""
    counts: dict[str, int] = {}
    for course in rows:
        row = course.at(instant)
        if row is None or row.state.status == "draft":
            continue
        if row.ended_at is None or row.ended_at >= period.start:
            unit = row.state.lead_unit
            counts[unit] = counts.get(unit, 0) + 1
    return counts
