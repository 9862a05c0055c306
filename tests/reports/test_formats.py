"""Formats of reports: the same bytes, nothing that breaks out, nothing left out."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import datetime, timedelta
from html.parser import HTMLParser

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn

from events import errors
from projections.reports.addresses import cells, explain, tables
from projections.reports.formats.rendering import View
from projections.reports.formats.table import FORMATS
from projections.reports.formats.values import shown, visible
from tests.support.reports import CUT, HOSTILE, INSTANT, ledger, sample

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """What a page consists of; every element must be closed in order."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content.decode())
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.seen if name == tag]


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_is_the_same_bytes(written, name):
    """Made twice from the same cut, a report does not differ in one byte."""
    assert written(name) == written(name)


@pytest.mark.parametrize("name", FORMATS)
def test_another_value_is_other_bytes(written, name):
    """A report with one more row is not the same: the formats look at their values."""
    assert written(name, rows=5) != written(name, rows=6)


def test_no_text_becomes_markup_of_a_page(written):
    """A title with a script in it is shown, not run; nothing is loaded from anywhere."""
    page = Page(written("html"))
    assert not page.attributes("script")
    assert not page.attributes("img")
    assert not page.attributes("link")
    assert visible(HOSTILE) in page.text
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text


def test_every_value_with_events_leads_to_its_explanation(written):
    """Each shown figure that has events is a link to explain with its own address."""
    page = Page(written("html"))
    targets = {attrs["href"] for attrs in page.attributes("a")}
    wanted = {
        f"sample/explain?as_of=12345&cell={found.address}"
        for found in cells(sample())
        if found.cell.events and found.cell.value is not None
    }
    assert wanted <= targets


def test_a_page_without_a_service_has_no_links():
    """Where nobody says where values are explained, none pretends to lead there."""
    page = Page(FORMATS["html"].render(sample(), View("en")))
    assert {attrs["href"] for attrs in page.attributes("a")} == {"#main"}


def test_tables_of_a_page_say_what_their_cells_are(written):
    """Each table has a caption, each header a scope, the page a language and title."""
    page = Page(written("html"))
    count = len(page.attributes("table"))
    assert count > len(list(tables(sample()))) > 0
    assert len(page.attributes("caption")) == count
    assert {attrs["scope"] for attrs in page.attributes("th")} == {"col", "row"}
    assert page.attributes("html")[0]["lang"] in {"en", "zh-CN"}


@pytest.mark.parametrize("name", ["html", "docx", "xlsx", "pdf"])
def test_only_simulated_data_is_marked(name):
    """The watermark is there when the cut is of fictional data, and only then."""
    content = FORMATS[name].render(sample(), View("zh"))
    real = FORMATS[name].render(sample(simulated=False), View("zh"))
    assert _has_mark(name, content)
    assert not _has_mark(name, real)


def _has_mark(name: str, content: bytes) -> bool:
    if name == "pdf":
        # Text of a PDF is glyphs: what tells is whether the mark's are embedded.
        return len(content) > len(
            FORMATS["pdf"].render(sample(simulated=False), View("zh"))
        )
    if name == "html":
        return "模拟数据".encode() in content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return any(
            "模拟数据".encode() in archive.read(one) for one in archive.namelist()
        )


def test_json_has_all_values_and_their_positions(written):
    """The JSON holds every value raw, with the positions behind it."""
    body = json.loads(written("json"))
    rows = body["sections"][1]["blocks"][0]["rows"]
    assert rows[1]["title"]["value"] == HOSTILE
    assert rows[1]["due"] == {
        "value": "2017-11-25",
        "cell": "ledger/2/due",
        "positions": [4],
    }
    assert rows[1]["signed"]["value"] == "2017-11-23T10:00:00.000000Z"
    assert rows[1]["light"]["rule"] == "light.past_due@demo-2017/1"
    assert body["cut"]["position"] == CUT.position
    assert body["title"] == sample().title


def _csv(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_is_an_archive_of_all_tables(written):
    """The archive has a file for each table, figures and charts too, and the cut."""
    with zipfile.ZipFile(io.BytesIO(written("csv"))) as archive:
        names = archive.namelist()
        rows = _csv(archive.read("ledger.csv"))
        cut = _csv(archive.read("cut.csv"))
    assert names == [
        *("totals.csv", "burn_down.csv", "ranking.csv", "cells.csv", "ledger.csv"),
        *("demands.csv", "ranks.csv", "late_records.csv", "cut.csv"),
    ]
    assert len(rows) == 1 + len(ledger().rows)
    assert ["#12345"] in [row[1:] for row in cut]


def test_csv_gives_one_table_by_its_key(view):
    """One table alone is plain CSV; one that is not there is told."""
    one = View(view.language, table="ledger")
    rows = _csv(FORMATS["csv"].render(sample(), one))
    assert rows[1][3] == ""
    assert rows[2][2:5] == ["2017-11-25", "2017-11-23 18:00:00+08:00", "0.125"]
    with pytest.raises(errors.NotFound) as refusal:
        FORMATS["csv"].render(sample(), View(view.language, table="nothing"))
    assert refusal.value.code == "report_table_unknown"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＠"])
def test_no_text_is_a_formula_in_csv(start):
    """What a spreadsheet would compute is quoted; a negative number stays a number."""
    from projections.reports.formats.csv import table_csv
    from projections.reports.model import Cell, Column, Table

    both = {"en": "A", "zh": "甲"}
    columns = (Column("a", both), Column("b", both, "int"))
    table = Table("t", both, columns, ((Cell(f"{start}1+1"), Cell(-2)),))
    row = _csv(table_csv(table, "en"))[1]
    assert row[0][0] in "'□"
    assert row[1] == "-2"


def test_a_workbook_has_the_values_of_the_report(view):
    """Opened by another library, every cell of a table is equal, dates are dates."""
    report = sample(rows=12)
    content = FORMATS["xlsx"].render(report, view)
    book = openpyxl.load_workbook(io.BytesIO(content))
    table = next(one for one in tables(report) if one.key == "ledger")
    sheet = book[table.title[view.language]]
    for number, row in enumerate(table.rows, start=4):
        for place, cell in enumerate(row, start=1):
            kind = table.columns[place - 1].kind
            found = sheet.cell(number, place)
            assert found.value == _expected(cell.value, kind, view), found.coordinate
            assert found.data_type != "f"
    assert sheet.freeze_panes == "C4"
    assert sheet.auto_filter.ref == "A3:G15"


def _expected(value, kind, view):
    if value is None:
        return None
    local = datetime(1970, 1, 1) + timedelta(microseconds=INSTANT + 8 * 3_600_000_000)
    if kind == "instant":
        return local + timedelta(microseconds=value - INSTANT)
    if kind == "date":
        day = local + timedelta(microseconds=value - INSTANT)
        return datetime(day.year, day.month, day.day)
    return shown(value, kind, view.language) if isinstance(value, str | dict) else value


def test_a_workbook_says_how_to_check_it(written, view):
    """The last sheets tell the rules, the cut and the digest of each table."""
    book = openpyxl.load_workbook(io.BytesIO(written("xlsx")))
    definitions, checks = book.worksheets[-2:]
    assert checks.title == {"zh": "校验", "en": "Verification"}[view.language]
    values = [[cell.value for cell in row] for row in checks.rows]
    assert CUT.root in [row[1] for row in values]
    (digest,) = (row[1] for row in values if row[0] == "ledger")
    assert re.fullmatch("[0-9a-f]{64}", digest)
    rules = [row[0].value for row in definitions.rows]
    assert "light.past_due@demo-2017/1" in rules


def test_text_like_a_formula_is_quoted_in_a_workbook(written, view):
    """Such text keeps its value and carries the mark that spreadsheets know."""
    book = openpyxl.load_workbook(io.BytesIO(written("xlsx")))
    sheet = book[{"zh": "督办台账", "en": "Ledger"}[view.language]]
    assert sheet["B5"].value == visible(HOSTILE)
    assert sheet["B5"].quotePrefix
    assert not sheet["B4"].quotePrefix


def test_a_document_has_the_layout_of_the_standard(written):
    """A4, 37/35/28/26 mm, 22 lines a page, its fonts named, its pages mirrored."""
    document = docx.Document(io.BytesIO(written("docx")))
    section = document.sections[0]
    sizes = [section.page_width, section.page_height, section.top_margin]
    sizes += [section.bottom_margin, section.left_margin, section.right_margin]
    assert [round(size.mm) for size in sizes] == [210, 297, 37, 35, 28, 26]
    grid = section._sectPr.find(qn("w:docGrid"))
    assert int(grid.get(qn("w:linePitch"))) * 22 <= 225 / 25.4 * 1440
    faces = [_face(document, name) for name in ("Normal", "Heading 1", "Title")]
    assert faces == ["仿宋_GB2312", "黑体", "方正小标宋简体"]
    assert document.styles["Normal"].font.size.pt == 16
    assert document.styles["Title"].font.size.pt == 22
    assert document.settings.element.find(qn("w:mirrorMargins")) is not None
    assert document.settings.odd_and_even_pages_header_footer


def _face(document, name: str) -> str:
    return document.styles[name].element.rPr.rFonts.get(qn("w:eastAsia"))


def test_page_numbers_stand_outside(written):
    """Odd pages have their number right, even ones left, between dashes, at 14 pt."""
    section = docx.Document(io.BytesIO(written("docx"))).sections[0]
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        (paragraph,) = footer.paragraphs
        assert paragraph._p.pPr.jc.get(qn("w:val")) == side
        assert paragraph._p.xpath(".//w:fldSimple/@w:instr") == [" PAGE "]
        assert paragraph._p.xpath(".//w:sz/@w:val") == ["28", "28", "28"]


def test_a_document_has_the_text_of_the_report(written, view):
    """Titles are numbered headings, tables are tables, hostile text is only text."""
    document = docx.Document(io.BytesIO(written("docx")))
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    wanted = {"zh": "一、总体情况", "en": "1. Overall"}
    assert headings[0] == wanted[view.language]
    annex = {"zh": "附件1 单位排名", "en": "Annex 1 Ranking"}
    assert headings[4:] == [annex[view.language]]
    big, _late, _ranks = document.tables
    assert len(big.rows) == 6
    assert big.cell(2, 1).text == visible(HOSTILE)
    assert len(document.inline_shapes) == 3


def test_a_pdf_embeds_its_fonts_and_loads_none(written):
    """Both fonts are in the file as subsets; the file says when the cut was."""
    content = written("pdf")
    assert content.startswith(b"%PDF-")
    faces = set(re.findall(rb"/FontName\s*/[A-Z]{6}\+([A-Za-z-]+)", content))
    assert {name.split(b"-")[0] for name in faces} == {b"NotoSansSC", b"NotoSerifSC"}
    assert b"/FontFile3" in content
    assert b"D:20171124100000" in content


def test_addresses_are_unique_and_explained():
    """Every cell has an address of its own that leads to the positions behind it."""
    found = list(cells(sample()))
    assert len({one.address for one in found}) == len(found) > 100
    for one in found:
        assert explain(sample(), one.address) == tuple(sorted(set(one.cell.events)))
    with pytest.raises(errors.NotFound) as refusal:
        explain(sample(), "ledger/99/due")
    assert refusal.value.code == "report_cell_unknown"
