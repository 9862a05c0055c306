"""Report 11, census 普查: what was listed, visited, missing and new, cell by cell.

Rules of this file: what has to be covered comes from the lists and the cells of the
log. A cell that no census has listed is shown as such, not left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from events.domain.fields import us
from projections.reports.frame import Head, finished, listed, named, subject_names
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
    Value,
)
from projections.reports.pieces import Scene, both, column, counted, scene
from projections.rules.coverage import Counted
from projections.rules.coverage import census as coverage
from projections.rules.derived import Derived, positions
from projections.world import Happened, World

HEAD: Final = Head("census", both("Census coverage", "普查覆盖情况"), 1)
#: Cells of this level are where sources are counted.
_VILLAGE: Final = 3


class Place(NamedTuple):
    """One cell of one census, how it is covered, and its events."""

    found: Derived[Counted]
    happened: tuple[Happened, ...]

    @property
    def value(self) -> Counted:
        """Return how it is covered."""
        return self.found.value

    def of(self, what: str) -> tuple[Happened, ...]:
        """Return its events of one kind, in the order of the log."""
        return tuple(e for e in self.happened if e.type.split(".")[2] == what)

    def visits(self, *, new: bool) -> tuple[int, ...]:
        """Return the visits to sources that no list had, or to those that one had."""
        return positions(
            e.position for e in self.of("visited") if e.data.newly_found is new
        )

    @property
    def lists(self) -> tuple[int, ...]:
        """Return the events that list its sources: each lists many."""
        return positions(event.position for event in self.of("listed"))

    @property
    def missing(self) -> tuple[int, ...]:
        """Return one event for each source that is not there."""
        visited = {event.data.entry for event in self.of("visited")}
        gone = (e for e in self.of("not_found") if e.data.entry not in visited)
        return positions(event.position for event in gone)


def make(world: World, question: Question) -> Report:
    """Return the report on every census; ``unit`` narrows it to a unit's cells."""
    one = scene(world, question)
    places = list(_places(one))
    cells = {row.key: row.state.name for row in world.states("grid")}
    sections = (
        Section(both("Overall", "总体情况"), (_overall(one, places),)),
        Section(both("By cell", "分网格情况"), _by_cell(one, places, cells)),
        Section(both("New sources", "新发现污染源"), (_new(one, places, cells),)),
        Section(both("Not listed yet", "未列入普查的网格"), (_unlisted(one, places),)),
    )
    return finished(one, head=HEAD, sections=sections, make=make)


def _places(one: Scene) -> Iterator[Place]:
    happened: dict[tuple[str, str], list[Happened]] = {}
    for event in one.world.events(types=("henji.census.*",)):
        key = event.stream.partition("/")[2], event.data.cell
        happened.setdefault(key, []).append(event)
    for found in coverage(one.world, one.rules):
        value = found.value
        if one.question.unit in {None, value.unit}:
            yield Place(found, tuple(happened.get((value.census, value.cell), ())))


def _overall(one: Scene, places: Sequence[Place]) -> Figures:
    rule = one.rules.cite("census_coverage")
    lists = positions(*(place.lists for place in places))
    total = sum(place.value.listed for place in places)
    left = total - sum(place.value.settled for place in places)
    every = positions(*(place.found.events for place in places))
    finished_ = (e.position for place in places for e in place.of("finished"))
    items = (
        ("cells", both("Cells", "网格数"), counted(map(_first, places))),
        ("finished", both("Cells finished", "完成网格数"), counted(finished_)),
        ("listed", both("Listed", "应普查"), Cell(total, lists, rule, "int")),
        (
            "visited",
            both("Visited", "已走访"),
            counted((p for s in places for p in s.visits(new=False)), rule),
        ),
        (
            "missing",
            both("Not there", "查无此户"),
            counted((p for s in places for p in s.missing), rule),
        ),
        (
            "new",
            both("Newly found", "新发现"),
            counted((p for s in places for p in s.visits(new=True)), rule),
        ),
        ("left", both("Left", "未普查"), Cell(left, every, rule, "int")),
        ("share", both("Coverage", "覆盖率"), _share(total, left, every, rule)),
    )
    return Figures("totals", both("Census", "普查"), items)


def _by_cell(
    one: Scene, places: Sequence[Place], cells: Mapping[str, Value]
) -> tuple[Table, Chart]:
    made = listed(
        "cells",
        both("Coverage by cell", "分网格普查情况"),
        _CELLS,
        (_cell(one, place, cells) for place in places),
        empty=both("No census was begun.", "未开展普查。"),
        note=both(
            "One event may list many sources; those listed are counted by source.",
            "一次列表可列多户，“应普查”按户数计。",
        ),
    )
    points = tuple((_label(place, cells), _covered(place)) for place in places)
    series = Series(both("Coverage", "覆盖率"), points)
    title = both("Coverage by cell", "分网格覆盖率")
    return made, Chart("coverage", title, "coverage", (series,))


def _cell(one: Scene, place: Place, cells: Mapping[str, Value]) -> Iterator[Cell]:
    value, rule = place.value, place.found.rule
    yield Cell(value.census, place.lists)
    yield Cell(value.cell, place.lists)
    yield Cell(named(cells, value.cell), place.lists)
    yield Cell(one.unit(value.unit), place.lists)
    yield Cell(value.listed, place.lists, rule)
    yield counted(place.visits(new=False), rule)
    yield counted(place.missing, rule)
    yield counted(place.visits(new=True), rule)
    yield Cell(value.listed - value.settled, place.found.events, rule)
    yield _covered(place)
    ended = place.of("finished")[-1:]
    yield Cell(
        ended[0].occurred if ended else None, positions(e.position for e in ended)
    )


def _new(one: Scene, places: Sequence[Place], cells: Mapping[str, Value]) -> Table:
    subjects = subject_names(one.world)
    rows = (
        (
            Cell(event.data.entry, (event.position,)),
            Cell(place.value.census, (event.position,)),
            Cell(named(cells, place.value.cell), (event.position,)),
            Cell(one.unit(place.value.unit), (event.position,)),
            Cell(_visited_at(event), (event.position,)),
            Cell(named(subjects, event.data.subject), (event.position,)),
        )
        for place in places
        for event in place.of("visited")
        if event.data.newly_found
    )
    return listed(
        "new_sources",
        both("Newly found, in no list", "新发现（清单以外）"),
        _NEW,
        rows,
        empty=both("Nothing new was found.", "无新发现污染源。"),
    )


def _unlisted(one: Scene, places: Iterable[Place]) -> Table:
    begun = {place.value.cell for place in places}
    rows = (
        (
            Cell(row.key, row.events),
            Cell(row.state.name, row.events),
            Cell(one.unit(row.state.unit), row.events),
        )
        for row in one.world.states("grid")
        if row.state.active
        and row.state.level == _VILLAGE
        and row.key not in begun
        and one.question.unit in {None, row.state.unit}
    )
    return listed(
        "unlisted",
        both("Cells in no census", "尚未列入普查的网格"),
        _CELLS[1:4],
        rows,
        empty=both("Every cell is in a census.", "网格已全部列入普查。"),
    )


def _covered(place: Place) -> Cell:
    value = place.value
    left = value.listed - value.settled
    return _share(value.listed, left, place.found.events, place.found.rule)


def _share(total: int, left: int, events: tuple[int, ...], rule: str) -> Cell:
    """Return the share that is settled; no value where nothing was listed."""
    settled = None if total == 0 else (total - left) / total
    return Cell(settled, events, rule, "percent")


def _label(place: Place, cells: Mapping[str, Value]) -> str:
    name = named(cells, place.value.cell)
    return name if isinstance(name, str) else place.value.cell


def _visited_at(event: Happened) -> int:
    said = event.data.visited_at
    return event.occurred if said is None else us(said)


def _first(place: Place) -> int:
    return place.lists[0]


_CELLS: Final = (
    column("census", "Census", "普查"),
    column("cell", "Cell no.", "网格编号"),
    column("name", "Cell", "网格"),
    column("unit", "Unit", "责任单位"),
    column("listed", "Listed", "应普查", "int"),
    column("visited", "Visited", "已走访", "int"),
    column("missing", "Not there", "查无此户", "int"),
    column("new", "Newly found", "新发现", "int"),
    column("left", "Left", "未普查", "int"),
    column("coverage", "Coverage", "覆盖率", "percent"),
    column("finished", "Finished", "完成时间", "instant"),
)
_NEW: Final = (
    column("entry", "Entry", "编号"),
    column("census", "Census", "普查"),
    column("cell", "Cell", "网格"),
    column("unit", "Unit", "责任单位"),
    column("visited", "Visited", "走访时间", "instant"),
    column("subject", "File", "建档对象"),
)
DEFINITIONS: Final = (Definition(HEAD.name, HEAD.title, HEAD.template, make, "moment"),)
