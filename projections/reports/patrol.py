"""Report 12, patrols 巡查: each cell against how often it must be walked.

Rules of this file: spans that are over and what was walked in them; beside it what
patrols found and what only others found. Nobody gains by the number of records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from events.domain.grids import Cell as Place
from events.domain.periods import Span, span
from projections.reports.frame import Head, finished, listed
from projections.reports.model import (
    Block,
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
from projections.reports.pieces import (
    Scene,
    both,
    column,
    counted,
    is_within,
    last_of_each,
    scene,
    share,
)
from projections.rules.coverage import FREQUENCIES, Walked, patrols
from projections.rules.derived import Derived, Rate, positions
from projections.rules.thresholds import FOUND_BY_OTHERS
from projections.world import Happened, StateRow, World

HEAD: Final = Head("patrol", both("Patrol coverage", "网格巡查覆盖情况"), 1)


class Walk(NamedTuple):
    """One cell, how it was walked, and the problems found in it by whom."""

    row: StateRow
    found: Derived[Walked]
    checked: tuple[Happened, ...]
    by_patrol: tuple[int, ...]
    by_others: tuple[int, ...]

    @property
    def cell(self) -> Place:
        """Return the domain's state of the cell."""
        place: Place = self.row.state
        return place

    @property
    def value(self) -> Walked:
        """Return how it was walked."""
        return self.found.value


def make(world: World, question: Question) -> Report:
    """Return the report on a day, week or month; ``unit`` narrows it to its cells."""
    one = scene(world, question)
    period = span(question.period)
    walks = [
        walk for walk in _walks(one, period) if question.unit in {None, walk.value.unit}
    ]
    sections = (
        Section(both("Overall", "总体情况"), (_overall(one, walks),)),
        Section(both("By cell", "分网格情况"), _by_cell(one, walks)),
        Section(both("By unit", "分单位情况"), (_by_unit(one, walks),)),
        Section(both("Quality", "巡查质量"), (_quality(one, walks),)),
    )
    return finished(one, head=HEAD, sections=sections, make=make)


def _walks(one: Scene, period: Span) -> Iterator[Walk]:
    cells = {row.key: row for row in one.world.states("grid")}
    checked = one.world.events(types=("henji.inspection.point_checked.v1",))
    found = _issues(one, period)
    for walked in patrols(one.world, period, rules=one.rules):
        key, counting = walked.value.cell, set(walked.events)
        yield Walk(
            row=cells[key],
            found=walked,
            checked=tuple(e for e in checked if e.position in counting),
            by_patrol=positions(found.get((key, False), ())),
            by_others=positions(found.get((key, True), ())),
        )


def _issues(one: Scene, period: Span) -> Mapping[tuple[str, bool], list[int]]:
    """Return what was found in each cell, by patrols or by others; not the revoked."""
    found: dict[tuple[str, bool], list[int]] = {}
    for row in one.world.states("issue"):
        state = row.state
        others = state.found_by in FOUND_BY_OTHERS
        counts = others or state.found_by in _OWN
        if state.cell is None or state.status == "revoked" or not counts:
            continue
        if is_within(period, state.found_at) and state.found_at <= one.now:
            found.setdefault((state.cell, others), []).append(row.events[0])
    return found


def _overall(one: Scene, walks: Sequence[Walk]) -> Figures:
    rule = one.rules.cite("patrol_coverage")
    events = positions(*(walk.found.events for walk in walks))
    judged = [walk for walk in walks if walk.value.required]
    full = [walk for walk in judged if walk.value.met == walk.value.required]
    items = (
        ("cells", both("Cells with a frequency", "应巡网格"), counted(_all(walks))),
        (
            "judged",
            both("With a span over", "已考核网格"),
            counted(_all(judged)),
        ),
        ("full", both("Walked as required", "达标网格"), counted(_all(full), rule)),
        (
            "share",
            both("Share of cells", "网格达标率"),
            share(Rate(_all(full), _all(judged)), rule),
        ),
        (
            "patrols",
            both("Patrols", "巡查次数"),
            counted(last_of_each(e for walk in walks for e in walk.checked)),
        ),
        ("points", both("Points checked", "巡查点位"), counted(events)),
    )
    return Figures("totals", both("Patrols", "巡查"), items)


def _by_cell(one: Scene, walks: Sequence[Walk]) -> tuple[Block, ...]:
    made = listed(
        "cells",
        both("Cells against their frequency", "分网格巡查频次"),
        _CELLS,
        (_cell(one, walk) for walk in walks),
        empty=both("No cell has a frequency.", "无应巡网格。"),
        note=both(
            "Only spans that are over are judged. A patrol counts where it checked"
            " a point.",
            "未满考核期的不评价；至少核查一个点位方计为一次巡查。",
        ),
    )
    points = tuple((walk.cell.name, _met(walk)) for walk in walks)
    series = Series(both("Spans with enough patrols", "达标率"), points)
    title = both("Coverage by cell", "分网格巡查达标率")
    return made, Chart("coverage", title, "coverage", (series,))


def _cell(one: Scene, walk: Walk) -> Iterator[Cell]:
    value, rule, drawn = walk.value, walk.found.rule, walk.row.events
    frequency = FREQUENCIES[value.level]
    last = max(walk.checked, key=lambda e: (e.occurred, e.position), default=None)
    often = both(
        f"{frequency.times} in {frequency.days} days",
        f"每{frequency.days}日{frequency.times}次",
    )
    yield Cell(value.cell, drawn)
    yield Cell(walk.cell.name, drawn)
    yield Cell(one.unit(value.unit), drawn)
    yield Cell(value.level, drawn)
    yield Cell(len(walk.cell.workers_at(one.now)), drawn)
    yield Cell(often, drawn, rule)
    yield Cell(value.required, drawn, rule)
    yield Cell(value.met, walk.found.events, rule)
    yield _met(walk)
    yield counted(last_of_each(walk.checked), rule)
    yield counted(walk.found.events)
    yield Cell(
        None if last is None else last.occurred,
        () if last is None else (last.position,),
    )


def _by_unit(one: Scene, walks: Sequence[Walk]) -> Table:
    rule = one.rules.cite("patrol_coverage")
    units: dict[str, list[Walk]] = {}
    for walk in walks:
        units.setdefault(walk.value.unit, []).append(walk)
    rows = []
    for unit, own in sorted(units.items()):
        judged = [walk for walk in own if walk.value.required]
        full = [walk for walk in judged if walk.value.met == walk.value.required]
        rows.append(
            (
                Cell(one.unit(unit), _all(own)),
                counted(_all(own)),
                counted(_all(full), rule),
                share(Rate(_all(full), _all(judged)), rule),
                counted(last_of_each(e for walk in own for e in walk.checked)),
            )
        )
    return listed(
        "units",
        both("Cells walked as required, by unit", "分单位达标网格"),
        _UNITS,
        rows,
        empty=both("No cell has a frequency.", "无应巡网格。"),
    )


def _quality(one: Scene, walks: Sequence[Walk]) -> Table:
    rows = (
        (
            Cell(walk.cell.name, walk.row.events),
            Cell(one.unit(walk.value.unit), walk.row.events),
            counted(walk.by_patrol),
            counted(walk.by_others),
            share(Rate(walk.by_others, positions(walk.by_patrol, walk.by_others)), ""),
        )
        for walk in walks
        if walk.by_patrol or walk.by_others
    )
    return listed(
        "quality",
        both("Found by patrols and found by others", "巡查发现与他方发现"),
        _QUALITY,
        rows,
        empty=both("Nothing was found in these cells.", "上述网格未发现问题。"),
        note=both(
            "Missed: found by inspectors or superiors, of all that either found.",
            "漏报率＝督查或上级发现数÷（巡查发现数＋督查或上级发现数）。",
        ),
    )


def _met(walk: Walk) -> Cell:
    value = walk.value
    met = value.met / value.required if value.required else None
    return Cell(met, walk.found.events, walk.found.rule, "percent")


def _all(walks: Iterable[Walk]) -> tuple[int, ...]:
    """Return one event for each cell: that it was first drawn."""
    return positions(walk.row.events[0] for walk in walks)


_OWN: Final = frozenset({"patrol"})
_CELLS: Final = (
    column("cell", "Cell no.", "网格编号"),
    column("name", "Cell", "网格"),
    column("unit", "Unit", "责任单位"),
    column("level", "Level", "级别", "int"),
    column("workers", "Workers", "网格员数", "int"),
    column("frequency", "Required", "应巡频次"),
    column("required", "Spans that are over", "考核期数", "int"),
    column("met", "With enough patrols", "达标期数", "int"),
    column("coverage", "Coverage", "达标率", "percent"),
    column("patrols", "Patrols", "巡查次数", "int"),
    column("points", "Points checked", "核查点位", "int"),
    column("last", "Last walked", "最近巡查", "instant"),
)
_UNITS: Final = (
    column("unit", "Unit", "责任单位"),
    column("cells", "Cells", "应巡网格", "int"),
    column("full", "Walked as required", "达标网格", "int"),
    column("share", "Share", "达标率", "percent"),
    column("patrols", "Patrols", "巡查次数", "int"),
)
_QUALITY: Final = (
    column("cell", "Cell", "网格"),
    column("unit", "Unit", "责任单位"),
    column("own", "Found by patrols", "巡查发现", "int"),
    column("others", "Found by others", "他方发现", "int"),
    column("missed", "Missed", "漏报率", "percent"),
)
DEFINITIONS: Final = (Definition(HEAD.name, HEAD.title, HEAD.template, make, "week"),)
