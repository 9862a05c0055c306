"""Any text in any place: every format stays what it is."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import docx
import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from projections.reports.formats.rendering import View
from projections.reports.formats.svg import svg
from projections.reports.formats.table import FORMATS
from projections.reports.formats.values import visible
from projections.reports.model import Cell, Chart, Column, Section, Series, Table
from tests.support.reports import sample

#: Characters that mean something to one of the formats, beside whatever is found.
MEANING = "<>&\"'=+-@#$*_`\\[]{}()\t\r\n\x00\x1b\u202e\ufffe,;/"
TEXT = st.text(
    st.one_of(st.sampled_from(MEANING), st.characters(exclude_categories=["Cs"])),
    max_size=40,
)


def report_of(text: str):
    """Return a report that has one text wherever there can be one."""
    both = {"en": text, "zh": text}
    cell = Cell(text, (1,), rule=text)
    column = Column("a", both)
    table = Table("t", both, (column,), ((cell,), (Cell(both),)), note=both)
    chart = Chart("c", both, "bar", (Series(both, ((text, Cell(1, (1,))),)),))
    section = Section(both, (table, chart))
    return replace(
        sample(),
        title=both,
        issuer=both,
        number=text,
        addressees=both,
        period=text,
        sections=(section,),
        corrections=(),
    )


@given(text=TEXT)
@example(text="0" * 22 + "\U00020000" * 4)
@settings(max_examples=40)
def test_any_text_is_only_text(text):
    """Documents open, tables have their rows, and the text comes back as shown."""
    report, view = report_of(text), View("en", "x?cell=")
    document = docx.Document(io.BytesIO(FORMATS["docx"].render(report, view)))
    (table,) = document.tables
    assert table.cell(1, 0).text == visible(text)
    book = openpyxl.load_workbook(io.BytesIO(FORMATS["xlsx"].render(report, view)))
    assert len(list(book.worksheets[0].rows)) == 5
    assert FORMATS["pdf"].render(report, view).startswith(b"%PDF-")
    assert json.loads(FORMATS["json"].render(report, view))["title"]["en"] == text


@given(text=TEXT)
@settings(max_examples=100)
def test_any_text_stays_in_its_field_and_picture(text):
    """A CSV has its rows and columns, a chart is well-formed, whatever is in them."""
    report = report_of(text)
    content = FORMATS["csv"].render(report, View("en", table="t")).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content, newline="")))
    assert [len(row) for row in rows] == [1, 1, 1] or visible(text) == ""
    chart = report.sections[0].blocks[1]
    assert ET.fromstring(svg(chart, "en", lambda address: f"x?{address}&"))


@pytest.mark.parametrize("kind", ["bar", "line", "coverage"])
@given(
    values=st.lists(
        st.none() | st.integers(-1000, 10**9) | st.floats(-1e6, 1e9), max_size=6
    )
)
@settings(max_examples=60)
def test_any_values_can_be_drawn(kind, values):
    """Charts of no, negative, huge or missing values are drawn inside their picture."""
    both = {"en": "A", "zh": "甲"}
    points = tuple((str(place), Cell(value)) for place, value in enumerate(values))
    chart = Chart("c", both, kind, (Series(both, points),))
    root = ET.fromstring(svg(chart, "zh"))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for element in root.iter():
        for name in ("x", "y", "cx", "cy"):
            place = float(element.attrib.get(name, 0))
            assert 0 <= place <= (width if name in {"x", "cx"} else height) + 1
