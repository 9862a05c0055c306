"""Accountability by number, counted monthly: who answers from how many on.

Rules of this file: three counts with three steps each (2/4/6, 5/10/15, 2/3/4 in the
demo). A step names a level of office; whether a case is opened is for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from events.domain import commitment_dues as dues
from events.domain.periods import Span, span
from projections.rules.courses import Course
from projections.rules.derived import Derived, positions
from projections.rules.in_force import Rules
from projections.world import Happened, World

#: Who answers at step 1, 2 and 3.
LEVELS: Final = ("deputy_in_charge", "head", "party_secretary")
#: Only what others find is counted: finding one's own problems must never be punished.
FOUND_BY_OTHERS: Final = frozenset({"inspection", "upper_level"})


@dataclass(frozen=True, slots=True)
class Level:
    """How many in a month, and how high that reaches; ``step`` 0: not far enough."""

    unit: str | None
    month: str
    count: int
    step: int

    @property
    def answers(self) -> str | None:
        """Return the level of office that answers; None: none."""
        return LEVELS[self.step - 1] if self.step else None


def step_of(count: int, steps: Sequence[int]) -> int:
    """Return how many steps a count reaches, 0-3."""
    return sum(count >= step for step in steps)


def unrectified(
    world: World, rows: Iterable[Course], month: str, *, rules: Rules
) -> tuple[Derived[Level], ...]:
    """Count, by unit, problems handed over that were not settled by a due in a month.

    The due is that of the hand-over, or the original due of its commitment.
    """
    period, now = span(month), world.cut.now
    known = {course.key: course for course in rows}
    closed = {
        event.stream: event
        for event in world.events(types=("henji.issue.closed.v1",))
        if event.occurred <= now
    }
    found: dict[str, list[int]] = {}
    for event in _handed_over(world):
        due = _due(event, known)
        if due is None or not period.start < due <= min(period.end, now - 1):
            continue
        if not _settled(event, due, known=known, closed=closed):
            found.setdefault(event.data.to_unit, []).append(event.position)
    return _levels(found, month, "unrectified", rules=rules)


def newly_found(
    world: World, month: str, *, rules: Rules
) -> tuple[Derived[Level], ...]:
    """Count, by unit, problems that inspectors or superiors newly found in a month.

    A finding that was revoked, or that repeats an older one, is not newly found.
    """
    period = span(month)
    found: dict[str, list[int]] = {}
    for row in world.states("issue"):
        state = row.state
        if state.found_by not in FOUND_BY_OTHERS or state.unit is None:
            continue
        if state.status == "revoked" or state.repeat_of is not None:
            continue
        if _in(period, state.found_at) and state.found_at <= world.cut.now:
            found.setdefault(state.unit, []).append(row.events[0])
    return _levels(found, month, "newly_found", rules=rules)


def units_held(world: World, month: str, *, rules: Rules) -> Derived[Level]:
    """Count the units against which a case was opened in a month and not revoked."""
    period = span(month)
    opened: dict[str, list[int]] = {}
    standing = {
        row.stream
        for row in world.states("accountability")
        if "revoked" not in {row.state.status, row.state.appeal_outcome}
    }
    for event in world.events(types=("henji.accountability.opened.v1",)):
        if event.occurred > world.cut.now or not _in(period, event.occurred):
            continue
        if event.stream in standing:
            opened.setdefault(event.data.unit, []).append(event.position)
    steps = rules.ruleset.units_held_steps
    return Derived(
        Level(None, month, len(opened), step_of(len(opened), steps)),
        rules.cite("threshold.units_held"),
        positions(*opened.values()),
        {"steps": steps, "units": tuple(sorted(opened))},
    )


def _levels(
    found: Mapping[str, list[int]], month: str, name: str, *, rules: Rules
) -> tuple[Derived[Level], ...]:
    steps: Sequence[int] = getattr(rules.ruleset, f"{name}_steps")
    return tuple(
        Derived(
            Level(unit, month, len(rows), step_of(len(rows), steps)),
            rules.cite(f"threshold.{name}"),
            positions(rows),
            {"steps": tuple(steps)},
        )
        for unit, rows in sorted(found.items())
    )


def _handed_over(world: World) -> Iterable[Happened]:
    """Return the last hand-over of each issue that was not revoked."""
    standing = {
        row.stream for row in world.states("issue") if row.state.status != "revoked"
    }
    last = {
        event.stream: event
        for event in world.events(types=("henji.issue.handed_over.v1",))
    }
    return [event for stream, event in last.items() if stream in standing]


def _due(event: Happened, known: Mapping[str, Course]) -> int | None:
    if event.data.due is not None:
        return dues.fixed(event.data.due)
    course = known.get(event.data.commitment or "")
    return None if course is None else course.steps[-1].state.original_due


def _settled(
    event: Happened,
    due: int,
    *,
    known: Mapping[str, Course],
    closed: Mapping[str, Happened],
) -> bool:
    end = closed.get(event.stream)
    if end is not None and end.occurred <= due:
        return True
    course = known.get(event.data.commitment or "")
    row = None if course is None else course.at(due)
    return row is not None and row.finished


def _in(period: Span, instant: int) -> bool:
    return period.start <= instant < period.end
