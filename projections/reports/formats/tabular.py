"""A report as plain tables: what spreadsheets and CSV files hold of it.

Rules of this file: figures and charts become tables of their own, so that nothing of a
report is missing where there are only rows; no bytes are made here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from projections.reports.addresses import blocks, cells_of, kind_of
from projections.reports.formats.words import word
from projections.reports.model import (
    Cell,
    Chart,
    Column,
    Figures,
    Report,
    Table,
    Text,
)


def as_tables(report: Report) -> Iterator[Table]:
    """Yield everything of a report that has values, as tables in order of reading."""
    for block in blocks(report):
        match block:
            case Table():
                yield block
            case Figures():
                yield _figures(block)
            case Chart():
                yield _chart(block)
            case _:
                pass


def rules_of(report: Report) -> list[tuple[str, int]]:
    """Return each rule that values rest on, and how many do, by name."""
    found = sorted(
        entry.cell.rule
        for block in blocks(report)
        for entry in cells_of(block)
        if entry.cell.rule
    )
    return [(rule, len(list(uses))) for rule, uses in groupby(found)]


def _both(name: str) -> Text:
    return {"en": word(name, "en"), "zh": word(name, "zh")}


def _figures(figures: Figures) -> Table:
    columns = (Column("item", _both("item")), Column("value", _both("value")))
    rows = tuple((Cell(title), _kinded(cell)) for _, title, cell in figures.items)
    return Table(figures.key, figures.title, columns, rows)


def _chart(chart: Chart) -> Table:
    columns = (
        Column("series", _both("series")),
        Column("point", _both("point")),
        Column("value", _both("value")),
    )
    found = iter(cells_of(chart))
    rows = []
    for series in chart.series:
        for label, cell in series.points:
            value = Cell(cell.value, cell.events, cell.rule, next(found).kind)
            rows.append((Cell(series.name), Cell(label), value))
    return Table(chart.key, chart.title, columns, tuple(rows))


def _kinded(cell: Cell) -> Cell:
    return Cell(cell.value, cell.events, cell.rule, kind_of(cell))
