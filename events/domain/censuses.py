"""Censuses 普查: what is expected in each cell, what is there, what is new or gone.

Rules of this file: the stream ``census``, one a campaign of counting. A source that is
found gets a file of its own (subjects); a visit may be an inspection of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from events.domain import supervision_guards as ask
from events.domain.census_payloads import Finished, Listed, NotFound, Visited
from events.domain.model import Context, Event
from events.domain.organisation import check_unit
from events.domain.transitions import NEW, Rule, event_types, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a census, by the ids of its entries.

    ``visited`` are listed and there, ``new`` are there and not listed, ``missing`` are
    listed and not there.
    """

    unit: str
    listed: frozenset[str] = frozenset()
    visited: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()
    finished: bool = False

    @property
    def open(self) -> frozenset[str]:
        """Return what is listed and neither visited nor missing."""
        return self.listed - self.visited - self.missing

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the counts that a finish must state."""
        return {
            "listed": len(self.listed),
            "visited": len(self.visited),
            "not_found": len(self.missing),
            "newly_found": len(self.new),
        }


@dataclass(frozen=True, slots=True)
class Census:
    """The state of one census."""

    status: str
    cells: Mapping[str, Cell]


_COUNTERS: Final = frozenset(
    {"grid_worker", "lead", "office", "headquarters", "adapter"}
)
_LISTERS: Final = _COUNTERS - {"grid_worker"}


def _guard_listed(state: Census | None, event: Event, context: Context) -> None:
    data: Listed = event.data
    ask.known_stream(context, f"grid/{data.cell}", "/data/cell")
    check_unit(context, data.unit, "/data/unit")
    cell = None if state is None else state.cells.get(data.cell)
    if cell is not None and cell.finished:
        raise refuse("census_cell_finished", "/data/cell", cell=data.cell)
    seen = set() if cell is None else set(cell.listed | cell.new)
    for number, row in enumerate(data.entries):
        if row.entry in seen:
            where = f"/data/entries/{number}/entry"
            raise refuse("census_entry_listed", where, entry=row.entry)
        seen.add(row.entry)
        if row.subject is not None:
            where = f"/data/entries/{number}/subject"
            ask.known_subject(context, row.subject, where)


def _guard_visited(state: Census, event: Event, context: Context) -> None:
    data: Visited = event.data
    cell = _cell(state, event, context)
    ask.happened(event, context, "visited_at")
    if data.subject is not None:
        ask.known_subject(context, data.subject, "/data/subject")
    ask.known_streams(context, "inspection", [("/data/inspection", data.inspection)])
    if data.entry in cell.visited | cell.new:
        raise refuse("census_entry_visited", "/data/entry", entry=data.entry)
    if data.newly_found and data.entry in cell.listed:
        raise refuse("census_entry_listed", "/data/newly_found", entry=data.entry)
    if not data.newly_found and data.entry not in cell.listed:
        raise refuse("census_entry_not_listed", "/data/entry", entry=data.entry)


def _guard_not_found(state: Census, event: Event, context: Context) -> None:
    data: NotFound = event.data
    cell = _cell(state, event, context)
    if data.entry not in cell.listed:
        raise refuse("census_entry_not_listed", "/data/entry", entry=data.entry)
    if data.entry in cell.visited:
        raise refuse("census_entry_visited", "/data/entry", entry=data.entry)
    if data.entry in cell.missing:
        raise refuse("census_entry_missing_already", "/data/entry", entry=data.entry)


def _guard_finished(state: Census, event: Event, context: Context) -> None:
    """Nothing is left over, and the counts are those of the events, never typed."""
    data: Finished = event.data
    cell = _cell(state, event, context)
    if cell.open:
        left = sorted(cell.open)
        raise refuse("census_entries_open", "/data/cell", entries=left[:20])
    for name, count in cell.counts.items():
        if getattr(data, name) != count:
            raise refuse("census_count_differs", f"/data/{name}", expected=count)


def _cell(state: Census, event: Event, context: Context) -> Cell:
    """Return the cell, if it was listed, is not finished, and is the worker's own."""
    name = event.data.cell
    ask.cell_of_actor(event, context, name, allowed=_COUNTERS, where="/data/cell")
    cell = state.cells.get(name)
    if cell is None:
        raise refuse("census_cell_not_listed", "/data/cell", cell=name)
    if cell.finished:
        raise refuse("census_cell_finished", "/data/cell", cell=name)
    return cell


def _list(state: Census | None, event: Event) -> Census:
    data: Listed = event.data
    before = state or Census("open", MappingProxyType({}))
    cell = before.cells.get(data.cell) or Cell(unit=data.unit)
    added = frozenset(row.entry for row in data.entries)
    return _with(
        before, data.cell, replace(cell, unit=data.unit, listed=cell.listed | added)
    )


def _visit(state: Census, event: Event) -> Census:
    """A source that was missing and is there after all is no longer missing."""
    data: Visited = event.data
    cell = state.cells[data.cell]
    one = frozenset({data.entry})
    if data.newly_found:
        return _with(state, data.cell, replace(cell, new=cell.new | one))
    there = replace(cell, visited=cell.visited | one, missing=cell.missing - one)
    return _with(state, data.cell, there)


def _miss(state: Census, event: Event) -> Census:
    data: NotFound = event.data
    cell = state.cells[data.cell]
    missing = cell.missing | {data.entry}
    return _with(state, data.cell, replace(cell, missing=missing))


def _finish(state: Census, event: Event) -> Census:
    name = event.data.cell
    return _with(state, name, replace(state.cells[name], finished=True))


def _with(state: Census, name: str, cell: Cell) -> Census:
    return replace(state, cells=MappingProxyType({**state.cells, name: cell}))


_OPEN: Final = frozenset({"open"})

EVENT_TYPES: Final = event_types(
    "census",
    (
        Rule(
            what="listed",
            data=Listed,
            en="Sources of a cell listed",
            zh="登记普查底册",
            roles=_LISTERS,
            when=frozenset({NEW, "open"}),
            guard=_guard_listed,
            apply=_list,
            examples=(
                {
                    "cell": "gouzhao-3-02",
                    "unit": "gouzhao",
                    "title": "污染源全面普查（模拟数据）",
                    "source": "2016年底册（模拟数据）",
                    "entries": [
                        {
                            "entry": "GZ-0201",
                            "name": "示例废品收购站（模拟数据）",
                            "kind": "scrap_yard",
                            "address": "示例村东头",
                        },
                        {
                            "entry": "GZ-0202",
                            "name": "示例餐馆（模拟数据）",
                            "kind": "restaurant",
                        },
                    ],
                },
            ),
        ),
        Rule(
            what="visited",
            data=Visited,
            en="Source visited",
            zh="走访普查对象",
            roles=_COUNTERS,
            when=_OPEN,
            guard=_guard_visited,
            apply=_visit,
            examples=(
                {
                    "cell": "gouzhao-3-02",
                    "entry": "GZ-0201",
                    "visited_at": "2017-11-16T10:00:00+08:00",
                },
                {
                    "cell": "gouzhao-3-02",
                    "entry": "GZ-N003",
                    "newly_found": True,
                    "subject": "ENT-0042",
                    "note": "A workshop without a sign (fictional).",
                },
            ),
        ),
        Rule(
            what="not_found",
            data=NotFound,
            en="Source not found",
            zh="普查对象查无",
            roles=_COUNTERS,
            when=_OPEN,
            guard=_guard_not_found,
            apply=_miss,
            examples=(
                {
                    "cell": "gouzhao-3-02",
                    "entry": "GZ-0202",
                    "reason": "Moved away in the summer (fictional).",
                },
            ),
        ),
        Rule(
            what="finished",
            data=Finished,
            en="Cell finished",
            zh="网格普查完成",
            roles=_COUNTERS,
            when=_OPEN,
            guard=_guard_finished,
            apply=_finish,
            examples=(
                {
                    "cell": "gouzhao-3-02",
                    "listed": 2,
                    "visited": 1,
                    "not_found": 1,
                    "newly_found": 1,
                },
            ),
        ),
    ),
)
