"""Report 14, what records cost 记录负担, late ones 补录, reused evidence.

Rules of this file: facts about records beside what they achieved. No unit is ranked by
them, and none has done better for having more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from events.domain.periods import Span, span
from projections.reports.burden_words import LATE, REUSED, UNITS
from projections.reports.frame import Head, finished, listed
from projections.reports.model import (
    Cell,
    Chart,
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Series,
    Table,
)
from projections.reports.naming import stream_text
from projections.reports.pieces import (
    Scene,
    both,
    counted,
    event_text,
    is_within,
    scene,
)
from projections.rules.coverage import LookedBack, lookbacks
from projections.rules.derived import Derived, positions
from projections.rules.records import (
    Burden,
    Late,
    Reuse,
    burdens,
    late_records,
    reuses,
)
from projections.rules.steps import Step
from projections.world import Happened, World

HEAD: Final = Head(
    "burden", both("Burden of recording", "记录负担、补录及佐证复用情况"), 1
)


class Costs(NamedTuple):
    """What one unit recorded: its burden, and the events that each count lists."""

    found: Derived[Burden]
    closes: tuple[int, ...]
    steps: tuple[int, ...]
    proofs: tuple[int, ...]
    submitted: tuple[int, ...]

    @property
    def value(self) -> Burden:
        """Return the rule's answer."""
        return self.found.value


def make(world: World, question: Question) -> Report:
    """Return the report on a day, week, month or year; ``unit`` narrows it."""
    one, period = scene(world, question), span(question.period)
    happened = {event.position: event for event in world.events()}
    asked = {None, question.unit} if question.unit else None
    costs = [row for row in _costs(one, period, happened) if _of(row.value.unit, asked)]
    late = [row for row in late_records(world, period) if _of(row.value.unit, asked)]
    reused = [
        row
        for row in reuses(world, one.rules)
        if _of(row.value.unit, asked)
        and is_within(period, happened[_detected(row, happened)].occurred)
    ]
    sections = (
        Section(
            both("Overall", "总体情况"), (_overall(costs, late, reused, happened),)
        ),
        Section(both("Burden", "记录负担"), _burden(one, costs, late)),
        Section(both("Late records", "补录"), (_late(one, late, happened),)),
        Section(
            both("Evidence used again", "佐证复用"), (_reused(one, reused, happened),)
        ),
    )
    return finished(one, head=HEAD, sections=sections, make=make)


def _of(unit: str | None, asked: set[str | None] | None) -> bool:
    """Say whether a unit is asked for: any, or that one and what has no unit."""
    return asked is None or (unit is not None and unit in asked)


def _costs(
    one: Scene, period: Span, happened: Mapping[int, Happened]
) -> Iterator[Costs]:
    closed: dict[str, list[tuple[Step, ...]]] = {}
    for course in one.courses:
        steps = course.by(min(period.end - 1, one.now))
        if (
            steps
            and steps[-1].row.finished
            and is_within(period, steps[-1].row.ended_at)
        ):
            closed.setdefault(steps[-1].state.lead_unit, []).append(steps)
    for found in burdens(one.world, one.courses, period, rules=one.rules):
        own = closed.get(found.value.unit, [])
        steps_ = [step for steps in own for step in steps]
        yield Costs(
            found,
            closes=positions(_close(steps) for steps in own),
            steps=positions(step.event.position for step in steps_),
            proofs=positions(
                step.event.position
                for step in steps_
                if getattr(step.event.data, "evidence", ())
            ),
            submitted=positions(
                position
                for position in found.events
                if happened[position].unit == found.value.unit
                and is_within(period, happened[position].occurred)
            ),
        )


def _close(steps: Sequence[Step]) -> int:
    return [step.event.position for step in steps if step.what == "closed"][-1]


def _overall(
    costs: Sequence[Costs],
    late: Sequence[Derived[Late]],
    reused: Sequence[Derived[Reuse]],
    happened: Mapping[int, Happened],
) -> Figures:
    items = (
        (
            "submitted",
            both("Events submitted", "提交事件数"),
            counted(p for row in costs for p in row.submitted),
        ),
        (
            "closed",
            both("Closed", "销号事项"),
            counted(p for row in costs for p in row.closes),
        ),
        (
            "steps",
            both("Events of what was closed", "销号事项的事件数"),
            counted(p for row in costs for p in row.steps),
        ),
        (
            "late",
            both("Late records", "补录"),
            counted((row.value.position for row in late), late[0].rule if late else ""),
        ),
        (
            "reused",
            both("Evidence used again", "佐证复用"),
            counted(_detected(row, happened) for row in reused),
        ),
    )
    return Figures("totals", both("Records", "记录"), items)


def _burden(
    one: Scene, costs: Sequence[Costs], late: Sequence[Derived[Late]]
) -> tuple[Table, Chart]:
    looked = {
        row.value.group: row
        for row in lookbacks(
            one.courses,
            one.now,
            by=lambda close: close.state.lead_unit,
            rules=one.rules,
        )
    }
    made = listed(
        "units",
        both("What closing cost, by unit", "各单位记录负担"),
        UNITS,
        (_unit(one, row, late, looked.get(row.value.unit)) for row in costs),
        empty=both("Nobody recorded anything.", "本期无记录。"),
        note=both(
            "More records are no merit: results stand beside them. The relapse rate"
            " is of all look-backs until now.",
            "记录多少不作为评价依据，与结果并列仅供参考；反弹率为截至目前全部回头看。",
        ),
    )
    points = tuple(
        (one.unit(row.value.unit), _average(row, row.value.events_per_closed))
        for row in costs
        if row.value.closed
    )
    series = Series(
        both("Events for one that was closed", "每件销号事项事件数"), points
    )
    title = both("Events for one that was closed", "每件销号事项事件数")
    return made, Chart("burden", title, "bar", (series,))


def _unit(
    one: Scene,
    row: Costs,
    late: Sequence[Derived[Late]],
    looked: Derived[LookedBack] | None,
) -> Iterator[Cell]:
    value, rule = row.value, row.found.rule
    own = [found for found in late if found.value.unit == value.unit]
    yield Cell(one.unit(value.unit), row.found.events)
    yield counted(row.submitted, rule)
    yield counted(row.closes, rule)
    yield counted(row.steps, rule)
    yield _average(row, value.events_per_closed)
    yield Cell(value.evidence, row.proofs, rule)
    yield _average(row, value.evidence_per_closed)
    yield counted((f.value.position for f in own), own[0].rule if own else "")
    if looked is None:
        yield Cell(None, (), "", "percent")
    else:
        rate = looked.value.relapsed
        yield Cell(rate.value, rate.base, looked.rule, "percent")


def _average(row: Costs, value: Fraction | None) -> Cell:
    number = None if value is None else float(value)
    return Cell(number, row.steps, row.found.rule, "number")


def _late(
    one: Scene, late: Sequence[Derived[Late]], happened: Mapping[int, Happened]
) -> Table:
    return listed(
        "late",
        both("Recorded late", "补录明细"),
        LATE,
        (_late_line(one, row, happened[row.value.position]) for row in late),
        empty=both("Nothing was recorded late.", "本期无补录。"),
    )


def _late_line(one: Scene, row: Derived[Late], event: Happened) -> Iterator[Cell]:
    own = row.events
    yield Cell(event.position, own)
    yield Cell(one.unit(row.value.unit), own)
    yield Cell(stream_text(row.value.stream), own)
    yield Cell(event_text(event.type), own)
    yield Cell(event.occurred, own)
    yield Cell(event.recorded, own)
    yield Cell(row.value.days, own, row.rule)


def _reused(
    one: Scene, reused: Sequence[Derived[Reuse]], happened: Mapping[int, Happened]
) -> Table:
    return listed(
        "reused",
        both("The same content for two claims", "佐证复用明细"),
        REUSED,
        (
            (
                Cell(happened[_detected(row, happened)].occurred, row.events),
                Cell(row.value.sha256, row.events, row.rule),
                Cell(one.unit(row.value.unit), row.events),
                Cell(row.value.first, row.events),
                Cell(row.value.second, row.events),
            )
            for row in reused
        ),
        empty=both("No evidence was used again.", "本期未发现佐证复用。"),
    )


def _detected(row: Derived[Reuse], happened: Mapping[int, Happened]) -> int:
    """Return the event that found a reuse, among those it rests on."""
    return next(p for p in row.events if happened[p].type == _FOUND)


_FOUND: Final = "henji.evidence.reuse_detected.v1"
DEFINITIONS: Final = (Definition(HEAD.name, HEAD.title, HEAD.template, make, "week"),)
