"""What reports of a moment have around their figures: head, names, late records.

Rules of this file: the frame, nothing of any one report. Of what was published at an
earlier moment it says which late records touch which figure now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from projections.reports.addresses import cells
from projections.reports.model import (
    Cell,
    Column,
    Report,
    Section,
    Table,
    Text,
    Value,
)
from projections.reports.naming import issuer, stream_text
from projections.reports.pieces import Scene, both, column, cut_line, event_text
from projections.world import Happened, World

#: Addresses of so many figures stand in a correction; the rest is counted.
_NAMED: Final = 5


class Head(NamedTuple):
    """What a report is called; ``template`` grows when its layout changes."""

    name: str
    title: Text
    template: int


def listed(
    key: str,
    title: Text,
    columns: Sequence[Column],
    rows: Iterable[Iterable[Cell]],
    *,
    empty: Text,
    note: Text | None = None,
) -> Table:
    """Return a table; one without rows says ``empty`` instead of its note."""
    made = tuple(tuple(row) for row in rows)
    return Table(key, title, tuple(columns), made, note=note if made else empty)


def subject_names(world: World) -> Mapping[str, Value]:
    """Return the name of each subject on file, by its id."""
    return {row.key: row.state.name for row in world.states("subject")}


def named(names: Mapping[str, Value], key: str | None) -> Value:
    """Return the name of a key; one that has none is its own name."""
    return None if key is None else names.get(key, key)


def finished(one: Scene, *, head: Head, sections: Iterable[Section]) -> Report:
    """Return the report of some sections, with its cut line and its corrections."""
    report = Report(
        name=head.name,
        period=one.question.period,
        title=head.title,
        issuer=issuer(one.world),
        cut=cut_line(one, head.name, head.template),
        sections=tuple(sections),
    )
    return replace(report, corrections=late_records(one, report))


def late_records(one: Scene, report: Report) -> tuple[Table, ...]:
    """Return what changes figures of before: none where nothing was published before.

    Events that happened by the previous cut, were recorded after it, and give a value
    of this report. Each is told with the values that rest on it.
    """
    before = one.question.previous_position
    if before is None:
        return ()
    touched: dict[int, list[str]] = {}
    for found in cells(report):
        for position in found.cell.events:
            if position > before:
                touched.setdefault(position, []).append(found.address)
    late = [row for row in recorded_since(one.world, before) if row.position in touched]
    rows = [_late(event, touched[event.position]) for event in late]
    title = both("Recorded after the previous cut", "上期截止后补录、更正事项")
    return (listed("late_records", title, _LATE, rows, empty=_NOTHING_LATE),)


def recorded_since(world: World, position: int) -> list[Happened]:
    """Return what had happened by the instant of an earlier cut and came after it."""
    happened = world.events()
    instant = sealed_at(happened, position)
    return [
        event
        for event in happened
        if event.position > position and event.occurred <= instant
    ]


def sealed_at(happened: Iterable[Happened], position: int) -> int:
    """Return when a position was sealed, as far as some events tell; 0: before all."""
    sealed = (event.ingested for event in happened if event.position <= position)
    return max(sealed, default=0)


def _late(event: Happened, addresses: Sequence[str]) -> tuple[Cell, ...]:
    more = " …" if len(addresses) > _NAMED else ""
    values: tuple[Value, ...] = (
        event.position,
        stream_text(event.stream),
        event_text(event.type),
        event.occurred,
        event.recorded,
        len(addresses),
        ", ".join(addresses[:_NAMED]) + more,
    )
    return tuple(Cell(value, (event.position,)) for value in values)


_NOTHING_LATE: Final = both(
    "Nothing recorded since changes what was published.",
    "上期以来无影响已公布数字的补录、更正事项。",
)
_LATE: Final = (
    column("position", "Event no.", "事件编号", "int"),
    column("stream", "About", "对象"),
    column("what", "Event", "事件"),
    column("occurred", "Happened", "发生时间", "instant"),
    column("recorded", "Recorded", "记录时间", "instant"),
    column("figures", "Values that rest on it", "影响的数值个数", "int"),
    column("where", "Where", "位置"),
)
