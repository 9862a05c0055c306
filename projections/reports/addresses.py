"""Where a value of a report stands, and the events behind it: ``explain``.

Rules of this file: addresses only. A table's cell is ``<table>/<row>/<column>`` with
rows counted from 1, a headline figure ``<figures>/<item>/value``, a point of a chart
``<chart>/<series>/<point>``, both counted from 1. The same cut has the same addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from events import errors
from projections.reports.model import (
    Block,
    Cell,
    Chart,
    Figures,
    Kind,
    Paragraph,
    Report,
    Table,
)


class Addressed(NamedTuple):
    """A cell with its address, and how its value is meant."""

    address: str
    cell: Cell
    kind: Kind


def blocks(report: Report) -> Iterator[Block]:
    """Yield every block of a report in the order of reading, corrections last."""
    sections = chain.from_iterable(section.blocks for section in report.sections)
    return chain(sections, report.corrections)


def tables(report: Report) -> Iterator[Table]:
    """Yield every table of a report in the order of reading, corrections last."""
    return (block for block in blocks(report) if isinstance(block, Table))


def cells(report: Report) -> Iterator[Addressed]:
    """Yield every cell of a report in the order of reading."""
    return chain.from_iterable(cells_of(block) for block in blocks(report))


def cells_of(block: Block) -> Iterator[Addressed]:
    """Yield the cells of one block."""
    match block:
        case Table():
            return chain.from_iterable(
                row_cells(block, number) for number in range(1, len(block.rows) + 1)
            )
        case Figures():
            return (
                Addressed(f"{block.key}/{item}/value", cell, kind_of(cell))
                for item, _, cell in block.items
            )
        case Chart():
            return _chart_cells(block)
        case Paragraph():
            return iter(())


def row_cells(table: Table, number: int) -> Iterator[Addressed]:
    """Yield the cells of one row, counted from 1.

    ValueError: the row does not have a cell for each column.
    """
    pairs = zip(table.columns, table.rows[number - 1], strict=True)
    return (
        Addressed(f"{table.key}/{number}/{column.key}", cell, cell.kind or column.kind)
        for column, cell in pairs
    )


def kind_of(cell: Cell) -> Kind:
    """Return how a value is meant where no column says it."""
    if cell.kind is not None:
        return cell.kind
    match cell.value:
        case int():
            return "int"
        case float():
            return "number"
        case _:
            return "text"


def find(report: Report, address: str) -> Cell:
    """Return the cell at an address; ``NotFound('report_cell_unknown')``."""
    for found in cells(report):
        if found.address == address:
            return found.cell
    raise errors.NotFound("report_cell_unknown", cell=address, report=report.name)


def explain(report: Report, address: str) -> tuple[int, ...]:
    """Return the positions of the events that give the value at an address, ascending.

    ``NotFound('report_cell_unknown')``.
    """
    return tuple(sorted(set(find(report, address).events)))


def _chart_cells(chart: Chart) -> Iterator[Addressed]:
    for number, series in enumerate(chart.series, start=1):
        for place, (_, cell) in enumerate(series.points, start=1):
            kind = cell.kind or ("percent" if chart.kind == "coverage" else None)
            address = f"{chart.key}/{number}/{place}"
            yield Addressed(address, cell, kind or kind_of(cell))
