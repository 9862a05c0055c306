"""A report as a workbook: a sheet a table, real dates, nothing that computes.

Rules of this file: values as they are in the report. There is no formula; text that
looks like one has the apostrophe that spreadsheets know (ECMA-376 part 1, quotePrefix),
so that its value stays what it is. Times are local, because spreadsheets have no zones.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import Any

import xlsxwriter

from projections.reports.addresses import Addressed, blocks, row_cells, tables
from projections.reports.formats.json import table_json
from projections.reports.formats.rendering import View
from projections.reports.formats.sheets import Sheets
from projections.reports.formats.svg import text_width
from projections.reports.formats.tabular import as_tables, rules_of
from projections.reports.formats.values import (
    cut_items,
    local,
    local_day,
    shown,
    visible,
)
from projections.reports.formats.words import in_language, word
from projections.reports.model import Chart, Kind, Language, Report, Table

_NUMBER_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "int": "0",
        "number": "0.##",
        "percent": "0.0%",
        "instant": "yyyy-mm-dd hh:mm",
        "date": "yyyy-mm-dd",
    }
)
#: ARGB without alpha: fill and ink of a light, both readable in print.
_LIGHTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "red": ("#F8D0CC", "#7A0F08"),
        "yellow": ("#FFF1B8", "#5C4300"),
        "green": ("#D3EBD5", "#124F17"),
        "grey": ("#E3E3E3", "#333333"),
    }
)
#: Bounds of a column, in characters; where there are many columns, text wraps sooner.
_NARROWEST, _WIDEST, _WIDEST_OF_MANY = 8.0, 48.0, 18.0
#: A character of width in pixels, a line and the highest row in points.
_UNIT, _LINE, _HIGHEST = 7.0, 14.0, 400.0
#: Widths of the two columns of the sheets that explain and that check.
_PAIR = (36.0, 72.0)
_HEADER_ROW = 2
_A4, _A3 = 9, 8
_MANY_COLUMNS = 15


@dataclass(frozen=True, slots=True)
class _Book:
    """A workbook with the names of its sheets, and the language it is in."""

    target: Any
    sheets: Sheets
    language: Language
    formats: dict[tuple[str, ...], Any]

    def style(self, **properties: Any) -> Any:
        """Return a cell format; the same properties are written once."""
        key = tuple(f"{name}={value}" for name, value in sorted(properties.items()))
        if key not in self.formats:
            self.formats[key] = self.target.add_format(
                {"font_name": "SimSun", "font_size": 10, "valign": "top", **properties}
            )
        return self.formats[key]


def render(report: Report, view: View) -> bytes:
    """Return a workbook: the tables, then the charts, the rules and the checks."""
    sink = io.BytesIO()
    # In memory: temporary files would put their own times into the archive.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    target = xlsxwriter.Workbook(sink, options)
    book = _Book(target, Sheets(), view.language, {})
    target.set_properties(
        {
            "title": visible(in_language(report.title, view.language)),
            "author": visible(in_language(report.issuer, view.language)),
            "created": local(report.cut.instant),
        }
    )
    for table in _in_order(report):
        _table(book, report, table)
    for chart in blocks(report):
        if isinstance(chart, Chart):
            _chart(book, chart)
    _definitions(book, report)
    _checks(book, report)
    target.close()
    return sink.getvalue()


def _in_order(report: Report) -> list[Table]:
    """Return the tables in the order of their sheets: a ledger begins with itself."""
    found = list(as_tables(report))
    if report.layout != "ledger":
        return found
    own = {table.key for table in tables(report)}
    return sorted(found, key=lambda table: table.key not in own)


def _table(book: _Book, report: Report, table: Table) -> None:
    title = visible(in_language(table.title, book.language))
    name = book.sheets.named(table.key, title)
    sheet = book.target.add_worksheet(name)
    _head(book, report, sheet, title)
    columns = [visible(in_language(one.title, book.language)) for one in table.columns]
    heading = book.style(
        bold=True, text_wrap=True, border=1, bg_color="#E8EEF5", valign="vcenter"
    )
    for number, text in enumerate(columns):
        _text(book, sheet, (_HEADER_ROW, number), text, heading)
    widths = list(_widths(table, columns, book.language))
    sheet.set_row(_HEADER_ROW, _height(columns, widths))
    for number in range(1, len(table.rows) + 1):
        row = list(row_cells(table, number))
        texts = [shown(one.cell.value, one.kind, book.language) for one in row]
        sheet.set_row(_HEADER_ROW + number, _height(texts, widths))
        for place, found in enumerate(row):
            _cell(book, sheet, (_HEADER_ROW + number, place), found)
    last = _HEADER_ROW + len(table.rows)
    if len(columns) > _MANY_COLUMNS:
        _wide_paper(sheet)
    if columns:
        sheet.autofilter(_HEADER_ROW, 0, last, len(columns) - 1)
        sheet.repeat_rows(_HEADER_ROW)
    sheet.freeze_panes(_HEADER_ROW + 1, min(2, len(columns)))
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)


def _head(book: _Book, report: Report, sheet: Any, title: str) -> None:
    simulated = (
        f"（{word('simulated', book.language)}）" if report.cut.simulated else ""
    )
    text = visible(in_language(report.title, book.language)) + simulated
    _text(book, sheet, (0, 0), text, book.style(bold=True, font_size=14))
    _text(book, sheet, (1, 0), title, book.style(italic=True))
    sheet.set_row(0, 22)
    _paper(sheet)
    mark = f"&R{word('simulated', book.language)}" if report.cut.simulated else ""
    sheet.set_header(f"&L&A{mark}")
    sheet.set_footer(f"&L#{report.cut.position}&C- &P / &N -")


def _paper(sheet: Any) -> None:
    """Print on A4 across, all columns on one page."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4)


def _wide_paper(sheet: Any) -> None:
    """Print on two sheets of A3 side by side, the first columns on both."""
    sheet.set_paper(_A3)
    sheet.fit_to_pages(2, 0)
    sheet.repeat_columns(0, 2)


def _cell(book: _Book, sheet: Any, place: tuple[int, int], found: Addressed) -> None:
    value, kind = found.cell.value, found.kind
    style = book.style(**_style(value, kind))
    if value is None:
        sheet.write_blank(*place, None, style)
    elif isinstance(value, int | float) and kind == "instant":
        sheet.write_datetime(*place, local(int(value)), style)
    elif kind == "date" and isinstance(value, int | float | str):
        sheet.write_datetime(*place, local_day(value), style)
    elif isinstance(value, int | float):
        sheet.write_number(*place, value, style)
    else:
        _text(book, sheet, place, shown(value, kind, book.language), style)


def _style(value: Any, kind: Kind) -> dict[str, Any]:
    style: dict[str, Any] = {"border": 1}
    if isinstance(value, int | float) or kind == "date":
        style["num_format"] = _NUMBER_FORMATS.get(kind, "General")
        style["align"] = "right" if kind in {"int", "number", "percent"} else "left"
        return style
    style["text_wrap"] = True
    if kind == "light" and value in _LIGHTS:
        style["bg_color"], style["font_color"] = _LIGHTS[value]
    if _formula_like(value):
        style["quote_prefix"] = True
    return style


def _formula_like(value: Any) -> bool:
    texts = value.values() if isinstance(value, Mapping) else (value,)
    return any(isinstance(one, str) and one[:1] in _FORMULA for one in texts if one)


_FORMULA = frozenset("=+-@\t\r\n\0＝＋－＠")


def _text(
    book: _Book, sheet: Any, place: tuple[int, int], text: str, style: Any
) -> None:
    if text[:1] in _FORMULA and not style.quote_prefix:
        style = book.style(text_wrap=True, quote_prefix=True)
    sheet.write_string(*place, text, style)


def _widths(table: Table, columns: list[str], language: Language) -> Iterator[float]:
    """Yield widths in characters, of what is in each column, within reason."""
    bound = _WIDEST if len(columns) <= _MANY_COLUMNS else _WIDEST_OF_MANY
    for place, heading in enumerate(columns):
        kind = table.columns[place].kind
        texts = (
            shown(row[place].value, row[place].kind or kind, language)
            for row in table.rows[:200]
        )
        widest = max((text_width(text) for text in (heading, *texts)), default=0.0)
        yield min(bound, max(_NARROWEST, widest / _UNIT + 3))


def _height(texts: list[str], widths: list[float]) -> float:
    """Return how high a row must be to show its texts: programs do not all find out."""
    lines = max(
        (
            ceil(text_width(text) / ((width - 1) * _UNIT)) or 1
            for text, width in zip(texts, widths, strict=True)
        ),
        default=1,
    )
    return min(_HIGHEST, 3 + lines * _LINE)


def _chart(book: _Book, chart: Chart) -> None:
    """Draw a native chart over the sheet that has its numbers."""
    sheet = book.target.get_worksheet_by_name(book.sheets.of(chart.key))
    kind = {"type": "line" if chart.kind == "line" else "bar"}
    drawn = book.target.add_chart(kind)
    row = _HEADER_ROW + 1
    for series in chart.series:
        last = row + len(series.points) - 1
        if series.points:
            drawn.add_series(
                {
                    "name": visible(in_language(series.name, book.language)),
                    "categories": [sheet.name, row, 1, last, 1],
                    "values": [sheet.name, row, 2, last, 2],
                }
            )
        row = last + 1
    drawn.set_title({"name": visible(in_language(chart.title, book.language))})
    if chart.kind != "line":
        drawn.set_y_axis({"reverse": True})
    drawn.set_size({"width": 720, "height": 400})
    if row > _HEADER_ROW + 1:
        sheet.insert_chart(_HEADER_ROW, 4, drawn)


def _definitions(book: _Book, report: Report) -> None:
    """Write what the figures mean: notes of tables, and the rules they rest on."""
    language = book.language
    sheet = _pairs(book, "definitions")
    rows = [(word("rule", language), word("uses", language))]
    rows += [(rule, str(uses)) for rule, uses in rules_of(report)]
    rows += [
        (in_language(table.title, language), in_language(table.note, language))
        for table in as_tables(report)
        if table.note
    ]
    rows.append((word("note", language), word("times", language)))
    for number, row in enumerate(rows):
        for place, text in enumerate(row):
            style = book.style(border=1, text_wrap=True)
            _text(book, sheet, (number, place), visible(text), style)
        sheet.set_row(number, _height(list(row), list(_PAIR)))


def _checks(book: _Book, report: Report) -> None:
    """Write the cut, and the digest of the values of each table."""
    language = book.language
    sheet = _pairs(book, "checks")
    rows: list[tuple[str, ...]] = [
        (word("report", language), report.name),
        (word("period", language), report.period),
        *cut_items(report.cut, language),
        (word("note", language), word("verify", language)),
        (word("table", language), word("digest", language), word("rows", language)),
    ]
    rows += [
        (table.key, hashlib.sha256(table_json(table)).hexdigest(), str(len(table.rows)))
        for table in as_tables(report)
    ]
    for number, row in enumerate(rows):
        for place, text in enumerate(row):
            _text(book, sheet, (number, place), visible(text), book.style(border=1))


def _pairs(book: _Book, name: str) -> Any:
    title = word(name, book.language)
    sheet = book.target.add_worksheet(book.sheets.named(f"={name}", title))
    _paper(sheet)
    for place, width in enumerate(_PAIR):
        sheet.set_column(place, place, width)
    return sheet
