"""更正与补录: what was recorded after the previous cut and changes a published figure.

Rules of this file: the figures of the previous report are computed twice, from what
was known at its cut and from what is known now of the same time. It is the same code
both times, so that a difference is one of records. The published report stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType
from typing import NamedTuple

from events import calendar
from events.domain.fields import us
from events.domain.periods import Span, span
from projections.reports.model import Cell, Table, Text
from projections.reports.naming import stream_text
from projections.reports.pieces import Scene, both, column, event_text, table
from projections.rules.courses import Course
from projections.rules.in_force import Rules, rulebook
from projections.world import Happened


class Known(NamedTuple):
    """What is known of commitments and other events at a cut, and when it is judged."""

    courses: tuple[Course, ...]
    events: tuple[Happened, ...]
    now: int
    rules: Rules


class Figure(NamedTuple):
    """One published number."""

    key: str
    title: Text
    cell: Cell


NO_CHANGE: Text = MappingProxyType(
    {"en": "No published figure has changed.", "zh": "原公布数据无更正。"}
)
Maker = Callable[[Known, Span], Sequence[Figure]]


class Previous(NamedTuple):
    """The cut of the report before this one."""

    period: str
    position: int
    instant: int


def known(one: Scene, types: Sequence[str]) -> Known:
    """Return all that the cut knows; ``types`` are events beside commitments'."""
    events = one.world.events(types=types) if types else ()
    return Known(one.courses, tuple(events), one.now, one.rules)


def previous_cut(one: Scene, name: str, period: str) -> Previous | None:
    """Return the cut before: as asked, or of the last frozen report of the name.

    ``period`` is what it was about if only its position is asked for. None: neither.
    """
    frozen = [
        Previous(row.state.period, row.state.cut.position, us(row.state.cut.instant))
        for row in one.world.states("report")
        if row.state.name == name
        and row.state.unit == one.question.unit
        and row.state.replaced_by is None
        and row.state.period < one.question.period
    ]
    position = one.question.previous_position
    if position is None:
        return max(frozen, key=lambda row: (row.period, row.position), default=None)
    for row in frozen:
        if row.position == position:
            return row
    at = [row.ingested for row in one.world.events() if row.position <= position]
    return Previous(period, position, max(at)) if at else None


def corrections(
    one: Scene, before: Previous | None, types: Sequence[str], *, make: Maker
) -> tuple[Table, ...]:
    """Return what changed since the previous cut, and the records that changed it."""
    if before is None:
        return (changed_table((), _NO_PREVIOUS),)
    now = known(one, types)
    then = span(before.period)
    rules = rulebook(one.world).at(before.instant)
    revised = now._replace(now=before.instant, rules=rules)
    was = make(_as_known(revised, before.position), then)
    pairs = differing(zip(was, make(revised, then), strict=True))
    changed = {position for pair in pairs for position in _difference(*pair)}
    return (
        changed_table(pairs),
        _recorded(_late(one, now, before, changed), one),
    )


def _as_known(now: Known, position: int) -> Known:
    """Leave out what was sealed after a position: always the end of its stream."""
    kept = []
    for course in now.courses:
        steps = tuple(step for step in course.steps if step.event.position <= position)
        if steps:
            kept.append(Course(course.key, course.kind, steps))
    events = tuple(row for row in now.events if row.position <= position)
    return now._replace(courses=tuple(kept), events=events)


def _late(
    one: Scene, now: Known, before: Previous, changed: set[int]
) -> list[Happened]:
    """Return the late events of those streams whose part in a figure changed."""
    happened = [step.event for course in one.courses for step in course.steps]
    happened += now.events
    streams = {row.stream for row in happened if row.position in changed}
    found = {
        row.position: row
        for row in happened
        if row.stream in streams
        and row.position > before.position
        and row.occurred <= before.instant
    }
    return [found[position] for position in sorted(found)]


def differing(
    pairs: Iterable[tuple[Figure, Figure]],
) -> Sequence[tuple[Figure, Figure]]:
    """Return those (published, known now) that are not of the same events."""
    return [
        (old, new)
        for old, new in pairs
        if (old.cell.value, old.cell.events) != (new.cell.value, new.cell.events)
    ]


def changed_table(
    pairs: Iterable[tuple[Figure, Figure]], empty: Text = NO_CHANGE
) -> Table:
    """Return each published figure with what it is known to be now."""
    columns = (
        column("figure", "Figure", "指标"),
        column("published", "As published", "原公布数"),
        column("corrected", "As known now", "更正后"),
        column("change", "Change", "增减"),
    )
    rows = [
        (
            Cell(new.title),
            old.cell,
            new.cell,
            Cell(_change(old, new), _difference(old, new), new.cell.rule, "number"),
        )
        for old, new in pairs
    ]
    title = both("Corrections to the previous issue", "对上期数据的更正")
    return table("corrections", title, columns, rows, empty=empty)


def _recorded(rows: Iterable[Happened], one: Scene) -> Table:
    columns = (
        column("occurred", "Happened", "发生时间", "instant"),
        column("recorded", "Recorded", "记录时间", "instant"),
        column("stream", "About", "对象"),
        column("what", "Event", "事件"),
        column("unit", "Unit", "单位"),
        column("days", "Days later", "滞后天数", "int"),
    )
    title = both("Recorded after the previous cut", "上期截止后补录的事件")
    made = []
    for row in rows:
        at = (row.position,)
        about, what = stream_text(row.stream), event_text(row.type)
        values = (row.occurred, row.recorded, about, what)
        days = (row.recorded - row.occurred) // calendar.DAY_US
        cells = [Cell(value, at) for value in values]
        rule = one.rules.cite("late_record")
        made.append((*cells, Cell(one.unit(row.unit), at), Cell(days, at, rule)))
    return table("late_records", title, columns, made)


def _change(old: Figure, new: Figure) -> float | None:
    before, after = old.cell.value, new.cell.value
    if isinstance(before, int | float) and isinstance(after, int | float):
        return after - before
    return None


def _difference(old: Figure, new: Figure) -> tuple[int, ...]:
    return tuple(sorted({*old.cell.events} ^ {*new.cell.events}))


_NO_PREVIOUS = both("There is no previous issue.", "无上期。")
