"""A report as CSV (RFC 4180): one table, or all of them in a ZIP archive.

Rules of this file: text that a spreadsheet would take for a formula is quoted with an
apostrophe; who wants it raw takes JSON. Archives carry no time but 1980, so that the
same report is the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from events import errors
from projections.reports.addresses import Addressed, row_cells
from projections.reports.formats.archives import archive
from projections.reports.formats.json import raw
from projections.reports.formats.rendering import View
from projections.reports.formats.tabular import as_tables
from projections.reports.formats.values import (
    cut_items,
    local,
    shown,
    visible,
)
from projections.reports.formats.words import in_language, word
from projections.reports.model import Language, Report, Table

ONE_TABLE = "text/csv; charset=utf-8; header=present"
#: What spreadsheets read as the beginning of a formula, also at full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
#: Without it spreadsheets take UTF-8 for the encoding of the country.
_BOM = "\ufeff"


def render(report: Report, view: View) -> bytes:
    """Return the table that is asked for, or an archive of all with the cut.

    ``NotFound('report_table_unknown')`` for a table that the report does not have.
    """
    found = {table.key: table for table in as_tables(report)}
    if view.table:
        if view.table not in found:
            raise errors.NotFound("report_table_unknown", table=view.table)
        return table_csv(found[view.table], view.language)
    files: Mapping[str, bytes] = {
        f"{key}.csv": table_csv(table, view.language) for key, table in found.items()
    }
    return archive({**files, "cut.csv": _cut(report, view.language)})


def table_csv(table: Table, language: Language) -> bytes:
    """Return one table as UTF-8 with a byte order mark, headings in the language."""
    headings = [in_language(column.title, language) for column in table.columns]
    rows = (
        [_field(found, language) for found in row_cells(table, number)]
        for number in range(1, len(table.rows) + 1)
    )
    return _written([[_safe(heading) for heading in headings], *rows])


def _field(found: Addressed, language: Language) -> str:
    value = found.cell.value
    if isinstance(value, int | float):
        if found.kind == "instant":
            return f"{local(int(value)).isoformat(sep=' ')}+08:00"
        return str(raw(found))
    return _safe(shown(value, found.kind, language))


def _safe(text: str) -> str:
    text = visible(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cut(report: Report, language: Language) -> bytes:
    rows = [[word("report", language), report.name], *cut_items(report.cut, language)]
    simulated = [[word("simulated", language), ""]] if report.cut.simulated else []
    return _written([[_safe(field) for field in row] for row in [*rows, *simulated]])


def _written(rows: list[Any]) -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows(rows)
    return (_BOM + sink.getvalue()).encode()
