"""How things were recorded: late 补录, with the same picture twice, at what burden.

Rules of this file: facts about records, for the eyes of a reader. None of them is a
score: whoever records more is not better, and whoever records late is only shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from events import calendar
from events.domain.periods import Span
from projections.rules.courses import Course
from projections.rules.derived import Derived, positions
from projections.rules.in_force import Rules, rulebook
from projections.rules.steps import Step
from projections.world import Happened, World


@dataclass(frozen=True, slots=True)
class Late:
    """An event that was recorded long after it happened; ``days`` are whole days."""

    position: int
    stream: str
    unit: str | None
    days: int


@dataclass(frozen=True, slots=True)
class Reuse:
    """One content that serves two claims; ``unit`` made the second."""

    sha256: str
    unit: str | None
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Burden:
    """What closing cost a unit in records: events and evidence of all it closed.

    ``submitted`` are all events of the unit in the period, whatever they are about.
    """

    unit: str
    closed: int
    events: int
    evidence: int
    submitted: int

    @property
    def events_per_closed(self) -> Fraction | None:
        """Return the events of one closed commitment on average; None: none closed."""
        return Fraction(self.events, self.closed) if self.closed else None

    @property
    def evidence_per_closed(self) -> Fraction | None:
        """Return the pieces of evidence of one of them on average."""
        return Fraction(self.evidence, self.closed) if self.closed else None


def is_late(occurred: int, recorded: int, rules: Rules) -> bool:
    """Say whether a record is a late one: more than so many calendar days after."""
    return recorded - occurred > rules.ruleset.late_record_days * calendar.DAY_US


def late_records(world: World, period: Span) -> tuple[Derived[Late], ...]:
    """Return what was recorded late in a period, by the rules of that instant."""
    book = rulebook(world)
    found = []
    for event in world.events():
        if not period.start <= event.recorded < period.end:
            continue
        rules = book.at(event.recorded)
        if is_late(event.occurred, event.recorded, rules):
            days = (event.recorded - event.occurred) // calendar.DAY_US
            value = Late(event.position, event.stream, event.unit, days)
            rule, limit = rules.cite("late_record"), rules.ruleset.late_record_days
            found.append(Derived(value, rule, (event.position,), {"limit": limit}))
    return tuple(found)


def reuses(world: World, rules: Rules) -> tuple[Derived[Reuse], ...]:
    """Return every reuse of evidence on record, in the order of the log."""
    detected = world.events(types=("henji.evidence.reuse_detected.v1",))
    streams = {
        fact.stream for row in detected for fact in (row.data.first, row.data.second)
    }
    cited = world.events(streams=tuple(sorted(streams))) if streams else ()
    places = {(row.stream, row.version): row for row in cited}
    return tuple(_reuse(row, places, rules) for row in detected)


def _reuse(
    event: Happened, places: Mapping[tuple[str, int], Happened], rules: Rules
) -> Derived[Reuse]:
    first, second = event.data.first, event.data.second
    uses = [places[of] for of in (first.place, second.place) if of in places]
    maker = places.get(second.place)
    value = Reuse(
        sha256=event.data.sha256,
        unit=None if maker is None else maker.unit,
        first=first.stream,
        second=second.stream,
    )
    events = positions([event.position], (row.position for row in uses))
    return Derived(value, rules.cite("evidence_reuse"), events)


def burdens(
    world: World, rows: Iterable[Course], period: Span, *, rules: Rules
) -> tuple[Derived[Burden], ...]:
    """Return the burden of each unit that submitted or closed anything, by unit."""
    submitted: dict[str, list[int]] = {}
    for event in world.events(occurred_from=period.start, occurred_before=period.end):
        if event.unit is not None:
            submitted.setdefault(event.unit, []).append(event.position)
    closed: dict[str, list[tuple[Step, ...]]] = {}
    for course in rows:
        steps = course.by(min(period.end - 1, world.cut.now))
        if steps and _closed_in(steps, period):
            closed.setdefault(steps[-1].state.lead_unit, []).append(steps)
    return tuple(
        _burden(unit, closed.get(unit, []), submitted.get(unit, []), rules)
        for unit in sorted({*submitted, *closed})
    )


def _burden(
    unit: str, closed: list[tuple[Step, ...]], submitted: list[int], rules: Rules
) -> Derived[Burden]:
    steps = [step for course in closed for step in course]
    value = Burden(
        unit=unit,
        closed=len(closed),
        events=len(steps),
        evidence=sum(_evidence(step) for step in steps),
        submitted=len(submitted),
    )
    events = positions(submitted, (step.event.position for step in steps))
    return Derived(value, rules.cite("recording_burden"), events)


def _closed_in(steps: tuple[Step, ...], period: Span) -> bool:
    row = steps[-1].row
    end = row.ended_at
    return row.finished and end is not None and period.start <= end < period.end


def _evidence(step: Step) -> int:
    return len(getattr(step.event.data, "evidence", ()))
