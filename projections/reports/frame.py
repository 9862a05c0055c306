"""What reports of a moment have around their figures: head, names, late records.

Rules of this file: the frame, nothing of any one report. Of what was published at an
earlier moment it says which late records touch which figure now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from projections.reports.addresses import blocks, cells
from projections.reports.corrections import (
    Figure,
    Previous,
    changed_table,
    differing,
    previous_cut,
)
from projections.reports.model import (
    Cell,
    Column,
    Figures,
    Maker,
    Report,
    Section,
    Table,
    Text,
    Value,
)
from projections.reports.naming import issuer, stream_text
from projections.reports.pieces import Scene, both, column, cut_line, event_text
from projections.reports.unit_standings import preceding
from projections.world import Cut, Happened, World

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


def finished(
    one: Scene, *, head: Head, sections: Iterable[Section], make: Maker
) -> Report:
    """Return the report of some sections, with its cut line and its corrections.

    ``make`` is what makes it: it tells what was published, and what is known of it now.
    """
    report = Report(
        name=head.name,
        period=one.question.period,
        title=head.title,
        issuer=issuer(one.world),
        cut=cut_line(one, head.name, head.template),
        sections=tuple(sections),
    )
    before = _published(one, head.name)
    if before is None:
        return report
    changed = changed_table(_changes(one, before, make))
    late = late_records(one, report, before.position)
    return replace(report, corrections=(changed, late))


def _published(one: Scene, name: str) -> Previous | None:
    """Return the cut that corrections are asked against; None: they are not."""
    if one.question.previous_position is None:
        return None
    period = one.question.period
    return previous_cut(one, name, preceding(period) if "-W" in period else period)


def _changes(
    one: Scene, before: Previous, make: Maker
) -> Sequence[tuple[Figure, Figure]]:
    """Make the report before twice: as it was known then, and as it is known now."""
    here = one.world.cut
    question = replace(one.question, period=before.period, previous_position=None)
    sealed = one.world.events()
    # A clock that is a little ahead must not make a correction of what was known.
    told = (event.occurred for event in sealed if event.position <= before.position)
    end = max(before.instant, max(told, default=0))
    then = Cut(before.position, here.root, before.instant, here.as_at)
    known = Cut(here.position, here.root, before.instant, _earlier(end, here.as_at))
    # The root is not printed: of these two only the figures are looked at.
    was = _headlines(make(one.world.at(then), question))
    now = _headlines(make(one.world.at(known), question))
    return differing(
        (
            was[key] if key in was else _untold(now[key]),
            now[key] if key in now else _untold(was[key]),
        )
        for key in {**was, **now}
    )


def _earlier(end: int, as_at: int | None) -> int:
    return end if as_at is None else min(end, as_at)


def _headlines(report: Report) -> Mapping[str, Figure]:
    """Return the headline figures of a report by their addresses."""
    return {
        f"{block.key}/{item}": Figure(item, _within(block.title, title), cell)
        for block in blocks(report)
        if isinstance(block, Figures)
        for item, title, cell in block.items
    }


def _within(block: Text, item: Text) -> Text:
    return both(f"{block['en']}: {item['en']}", f"{block['zh']}：{item['zh']}")


def _untold(figure: Figure) -> Figure:
    """Return a figure that one of two reports does not have."""
    return figure._replace(cell=Cell(None))


def late_records(one: Scene, report: Report, before: int) -> Table:
    """Return what changes figures of before: what came late and gives a value now.

    Events that happened by the previous cut, were recorded after it, and give a value
    of this report. Each is told with the values that rest on it.
    """
    touched: dict[int, list[str]] = {}
    for found in cells(report):
        for position in found.cell.events:
            if position > before:
                touched.setdefault(position, []).append(found.address)
    late = [row for row in recorded_since(one.world, before) if row.position in touched]
    rows = [_late(event, touched[event.position]) for event in late]
    title = both("Recorded after the previous cut", "上期截止后补录、更正事项")
    return listed("late_records", title, _LATE, rows, empty=_NOTHING_LATE)


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
