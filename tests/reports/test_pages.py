"""Pages of documents: which tables stand across, where numbers stand, what goes apart."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import replace

import docx
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn

from projections.reports.annexes import Part, issue_number, with_annexes
from projections.reports.formats.flow import Heading, Passage, document
from projections.reports.formats.grids import LENGTH_PT, WIDTH_PT, Grid, fitted
from projections.reports.formats.rendering import View
from projections.reports.formats.table import FORMATS
from projections.reports.model import Cell, Column, Paragraph, Section, Table
from projections.reports.pieces import both
from tests.support.reports import ledger, sample

ZH = View("zh")
LONG = "高新区沟赵办事处（模拟数据）"


def wide(key="wide", rows=12, columns=9):
    """Return a table that an upright page has no room for."""
    heads = tuple(Column(f"c{n}", both(f"C{n}", f"第{n}列")) for n in range(columns))
    body = tuple(tuple(Cell(LONG) for _ in heads) for _ in range(rows))
    return Table(key, both("Wide", "宽表"), heads, body, both("Note.", "注。"))


def with_wide(**more):
    """Return a report with a wide table between two parts that are not."""
    text = Paragraph(both("Text.", "正文。"))
    return replace(
        sample(),
        sections=(
            Section(both("First", "其一"), (text,)),
            Section(both("Second", "其二"), (wide(**more),)),
            Section(both("Third", "其三"), (text,)),
        ),
    )


def grid(rows, columns):
    """Return a table of long texts as it is measured."""
    row = (LONG,) * columns
    return fitted(("甲",) * columns, (row,) * rows, ("left",) * columns)


def test_a_table_that_would_be_small_stands_across():
    """It has the length of the type area then; never more, and never so small upright."""
    for columns in range(1, 20):
        made = grid(12, columns)
        room = LENGTH_PT if made.across else WIDTH_PT
        assert made.size >= 9 or made.across
        assert sum(made.widths) == pytest.approx(1, abs=1e-3)
        assert min(made.widths) * room > made.size
    assert not grid(12, 3).across
    assert grid(12, 9).across


def test_a_short_table_stays_upright_while_it_can_be_read():
    """Three rows do not turn a page; many rows of the same columns do."""
    assert not grid(3, 7).across
    assert grid(3, 7).size >= 7.5
    assert grid(30, 7).across


def test_a_heading_goes_with_its_table_and_a_note_too():
    """What is across begins with the title of the table and ends with its note."""
    upright, across, last = document(with_wide(), "zh").body
    assert (upright.across, across.across, last.across) == (False, True, False)
    kinds = [type(one) for one in across.elements]
    assert kinds == [Heading, Heading, Grid, Passage]
    assert upright.elements[-1] == Passage("正文。")
    assert last.elements[0] == Heading(1, "三、其三")


def test_a_document_turns_its_pages_for_a_wide_table():
    """A section across between upright ones: its type area is 225 by 156 mm."""
    made = docx.Document(io.BytesIO(FORMATS["docx"].render(with_wide(), ZH)))
    first, across, last = made.sections
    assert [one.orientation for one in (first, across, last)] == [
        WD_ORIENT.PORTRAIT,
        WD_ORIENT.LANDSCAPE,
        WD_ORIENT.PORTRAIT,
    ]
    sizes = across.page_width, across.page_height
    area = (
        sizes[0] - across.left_margin - across.right_margin,
        sizes[1] - across.top_margin - across.bottom_margin,
    )
    assert [round(size.mm) for size in sizes] == [297, 210]
    assert [round(side / 36000) for side in area] == [225, 156]


def test_the_number_of_a_page_across_stands_where_others_have_it():
    """GB/T 9704 section 8: turned, in the margin that is the foot of the bound page."""
    made = docx.Document(io.BytesIO(FORMATS["docx"].render(with_wide(), ZH)))
    across = made.sections[1]
    for header in (across.header, across.even_page_header):
        (box,) = header._element.xpath(".//*[local-name()='textbox']")
        assert box.get("style") == "layout-flow:vertical"
        (field,) = box.iter(qn("w:fldSimple"))
        assert field.get(qn("w:instr")) == " PAGE "
    for footer in (across.footer, across.even_page_footer):
        assert not footer._element.xpath(".//w:fldSimple")


def test_a_pdf_has_pages_of_both_kinds():
    """The wide table's pages are 297 by 210 mm, all others 210 by 297."""
    boxes = _boxes(FORMATS["pdf"].render(with_wide(), ZH))
    assert {("841", "595"), ("595", "841")} == boxes
    assert _boxes(FORMATS["pdf"].render(with_wide(columns=2), ZH)) == {("595", "841")}


def _boxes(content):
    """Return the sizes of pages in points, also of packed objects."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    texts = [content, *(_opened(one) for one in packed)]
    pattern = rb"/MediaBox\s*\[\s*0 0 (\d+)[\d.]* (\d+)[\d.]*\s*\]"
    found = {pair for text in texts for pair in re.findall(pattern, text)}
    return {(wide.decode(), high.decode()) for wide, high in found}


def _opened(packed):
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return b""


def test_corrections_are_announced_only_where_there_are_any():
    """Where nothing was published wrongly, nothing says that figures have changed."""
    none = replace(sample(), corrections=(ledger(0, "late_records"),))
    said = [
        one.text
        for pages in document(none, "zh").body
        for one in pages.elements
        if isinstance(one, Passage)
    ]
    assert not [text for text in said if "影响上期" in text]
    assert "影响上期" in FORMATS["html"].render(sample(), ZH).decode()
    assert "影响上期" not in FORMATS["html"].render(none, ZH).decode()


def test_a_list_with_rows_is_an_annex_and_an_empty_one_is_not():
    """Annexes are numbered as they come; an empty list says so in its part."""
    text = Paragraph(both("Text.", "正文。"))
    made = with_annexes(
        (
            Part(both("One", "一"), (text,), (ledger(0, "none"),)),
            Part(both("Two", "二"), (text,), (ledger(2, "some"),)),
            Part(both("Three", "三"), (text,)),
        )
    )
    keys = [[getattr(block, "key", "") for block in one.blocks] for one in made]
    assert [one.title["zh"] for one in made] == ["一", "二", "三", "附件1 二"]
    assert keys == [["", "none"], [""], [""], ["some"]]
    assert issue_number(2017, 48)["zh"] == "2017年第48期"
