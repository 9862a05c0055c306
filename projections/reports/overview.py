"""The overview: how many commitments each unit has in each status, and their sum.

Rules of this file: one pass over the commitments of a cut. Every commitment is in
exactly one status, so that the sums equal the registrations (no promise may vanish).
"""

from __future__ import annotations

from collections import defaultdict

from events.domain.commitment_state import STATUSES, TERMINAL
from projections.reports.model import (
    Cell,
    Chart,
    Column,
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Series,
    Table,
    Text,
)
from projections.reports.naming import issuer
from projections.reports.pieces import Scene, cut_line, scene
from projections.world import StateRow, World

NAME = "overview"
TEMPLATE = 1
_TITLE: Text = {"en": "Overview of commitments", "zh": "督办事项总览"}
_TOTAL: Text = {"en": "Total", "zh": "合计"}


def make(world: World, question: Question) -> Report:
    """Return the overview of all commitments, or of those that one unit leads."""
    one = scene(world, question)
    rows = [
        row
        for row in world.states("commitment")
        if question.unit in {None, row.state.lead_unit}
    ]
    sections = (
        Section(
            {"en": "Figures", "zh": "总体情况"}, (_figures(rows), _chart(rows, one))
        ),
        Section({"en": "By unit", "zh": "分单位情况"}, (_table(rows, one),)),
    )
    return Report(
        name=NAME,
        period=question.period,
        title=_TITLE,
        issuer=issuer(world),
        cut=cut_line(one, NAME, TEMPLATE),
        sections=sections,
    )


def _count(rows: list[StateRow]) -> Cell:
    """Return how many there are; each counts by the event that put it where it is."""
    return Cell(len(rows), tuple(sorted(row.events[-1] for row in rows)))


def _figures(rows: list[StateRow]) -> Figures:
    """Return registrations, by the events that registered, and what became of them."""
    ended = [row for row in rows if row.state.status in TERMINAL]
    open_ = [row for row in rows if row.state.status not in TERMINAL]
    registered = Cell(len(rows), tuple(sorted(row.events[0] for row in rows)))
    return Figures(
        "totals",
        {"en": "Commitments", "zh": "督办事项"},
        (
            ("registered", {"en": "Registered", "zh": "登记"}, registered),
            ("open", {"en": "Open", "zh": "未结"}, _count(open_)),
            ("ended", {"en": "Ended", "zh": "已结"}, _count(ended)),
        ),
    )


def _by_unit(rows: list[StateRow]) -> dict[str, list[StateRow]]:
    units: defaultdict[str, list[StateRow]] = defaultdict(list)
    for row in rows:
        units[row.state.lead_unit].append(row)
    return dict(sorted(units.items()))


def _table(rows: list[StateRow], one: Scene) -> Table:
    shown = [
        status for status in STATUSES if any(r.state.status == status for r in rows)
    ]
    columns = (
        Column("unit", {"en": "Unit", "zh": "单位"}),
        Column("total", _TOTAL, "int"),
        *(
            Column(
                status, {"en": STATUSES[status][0], "zh": STATUSES[status][1]}, "int"
            )
            for status in shown
        ),
    )
    lines = [
        (Cell(one.unit(unit)), *_line(of_unit, shown))
        for unit, of_unit in _by_unit(rows).items()
    ]
    lines.append((Cell(_TOTAL), *_line(rows, shown)))
    title: Text = {"en": "Commitments by unit and status", "zh": "分单位分状态"}
    return Table("by_unit", title, columns, tuple(lines))


def _line(rows: list[StateRow], shown: list[str]) -> tuple[Cell, ...]:
    by_status = ([r for r in rows if r.state.status == status] for status in shown)
    return (_count(rows), *map(_count, by_status))


def _chart(rows: list[StateRow], one: Scene) -> Chart:
    points = tuple(
        (
            one.unit(unit),
            _count([row for row in of_unit if row.state.status not in TERMINAL]),
        )
        for unit, of_unit in _by_unit(rows).items()
    )
    title: Text = {"en": "Open commitments by unit", "zh": "各单位未结事项"}
    name: Text = {"en": "Open", "zh": "未结"}
    return Chart("open_by_unit", title, "bar", (Series(name, points),))


DEFINITIONS = (
    Definition(
        name=NAME,
        title=_TITLE,
        template=TEMPLATE,
        make=make,
        period="moment",
        formats=("html", "json", "csv", "xlsx", "docx", "pdf"),
    ),
)
