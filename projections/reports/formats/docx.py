"""A report as DOCX in the layout of GB/T 9704-2012, to be edited and signed.

Rules of this file: the document names the fonts that the standard names and embeds
none; it is written with the styles of headings, so that it can be navigated. Text only
ever becomes text. The same report is the same bytes.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import docx
from docx.enum.section import WD_ORIENT as ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
from docx.enum.text import WD_LINE_SPACING as SPACING
from docx.oxml import parse_xml
from docx.shared import Mm, Pt, RGBColor

from projections.reports.formats import docx_parts as parts
from projections.reports.formats import typesetting
from projections.reports.formats.archives import repacked
from projections.reports.formats.flow import (
    DATE_INDENT,
    Document,
    Element,
    Heading,
    Pages,
    Passage,
    Picture,
    document,
)
from projections.reports.formats.grids import WIDTH_PT, Grid, ems
from projections.reports.formats.rendering import View
from projections.reports.model import Report

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RED = RGBColor(0xD4, 0x00, 0x00)
_BLACK = RGBColor(0, 0, 0)
_SIZE = 16.0
_MARK_SIZE = 40.0
_PICTURE_PPI = 200.0
#: Top, bottom, left and right of the type area in mm, and of a page held across: there
#: the binding is above on odd pages and below on even ones, within 1 mm of 28 and 26.
_MARGINS, _MARGINS_ACROSS = (37, 35, 28, 26), (27, 27, 35, 37)
#: Style of the library -> fonts, size and the class of text it is for.
_STYLES = (
    ("Normal", parts.BODY, _SIZE),
    ("Heading 1", parts.HEI, _SIZE),
    ("Heading 2", parts.KAI, _SIZE),
    ("Title", parts.TITLE, 22.0),
)


def render(report: Report, view: View) -> bytes:
    """Return the report as a document for word processors."""
    flow = document(report, view.language)
    target = docx.Document()
    _properties(target, flow, report.cut.instant)
    _styles(target)
    _grid_and_mirror(target)
    _page(target.sections[0], flow, across=False)
    _head(target, flow)
    _pages(target, flow, flow.body)
    _turn(target, flow, across=False)
    _foot(target, flow)
    for annex in flow.annexes:
        _pages(target, flow, annex)
    sink = io.BytesIO()
    target.save(sink)
    return repacked(sink.getvalue(), {"word/fontTable.xml": parts.font_table()})


def _properties(target: Any, flow: Document, instant: int) -> None:
    about = target.core_properties
    about.title, about.author, about.last_modified_by = flow.title, flow.issuer, ""
    about.comments, about.revision = flow.mark, 1
    moment = (_EPOCH + timedelta(microseconds=instant)).replace(microsecond=0)
    about.created = about.modified = moment.replace(tzinfo=None)
    about.language = "zh-CN" if flow.language == "zh" else "en"


def _styles(target: Any) -> None:
    for name, face, size in _STYLES:
        style = target.styles[name]
        look = style.element.get_or_add_rPr()
        for old in look.findall(look.tag.replace("rPr", "rFonts")):
            look.remove(old)
        look.insert(0, parse_xml(parts.fonts(face)))
        style.font.size, style.font.bold, style.font.color.rgb = Pt(size), False, _BLACK
        if size == _SIZE:
            _put(look, parts.spacing(), before=("w:w", "w:kern", "w:position", "w:sz"))
        form = style.paragraph_format
        form.space_before = form.space_after = Pt(0)
        form.line_spacing_rule = SPACING.EXACTLY
        form.line_spacing = Pt(parts.LINE / 20 if size == _SIZE else 36)
    # Which forms of characters and marks a substitute font has to show.
    target.styles["Normal"].element.rPr.append(parse_xml(parts.language()))
    target.styles["Title"].paragraph_format.alignment = ALIGN.CENTER
    for border in target.styles["Title"].element.xpath(".//w:pBdr"):
        border.getparent().remove(border)


def _put(parent: Any, child: str, *, before: tuple[str, ...]) -> None:
    """Put an element where the schema wants it: before the first of these there is."""
    found = parent.xpath(" | ".join(f"./{name}" for name in before))
    place = parent.index(found[0]) if found else len(parent)
    parent.insert(place, parse_xml(child))


def _grid_and_mirror(target: Any) -> None:
    settings = target.settings
    settings.odd_and_even_pages_header_footer = True
    # After the zoom: the order of settings is part of their schema.
    settings.element.insert(1, parse_xml(f"<w:mirrorMargins {parts.NAMESPACES}/>"))


def _pages(target: Any, flow: Document, runs: tuple[Pages, ...]) -> None:
    for run in runs:
        _turn(target, flow, across=run.across)
        for element in run.elements:
            _element(target, flow, element)


def _turn(target: Any, flow: Document, *, across: bool) -> None:
    """Begin pages of the other kind, unless these are of the one wanted."""
    if (target.sections[-1].orientation == ORIENT.LANDSCAPE) is across:
        return
    _page(target.add_section(), flow, across=across)
    # The paragraph that ends a section takes no room: after a full page it would
    # take a page.
    last = target.element.body.xpath("./w:p[w:pPr/w:sectPr]")[-1]
    last.pPr.insert(0, parse_xml(parts.no_room()))


def _page(section: Any, flow: Document, *, across: bool) -> None:
    sides = (Mm(297), Mm(210)) if across else (Mm(210), Mm(297))
    section.page_width, section.page_height = sides
    section.orientation = ORIENT.LANDSCAPE if across else ORIENT.PORTRAIT
    top, bottom, left, right = _MARGINS_ACROSS if across else _MARGINS
    section.top_margin, section.bottom_margin = Mm(top), Mm(bottom)
    section.left_margin, section.right_margin = Mm(left), Mm(right)
    section.footer_distance, section.header_distance = Mm(21), Mm(15)
    for old in section._sectPr.xpath("./w:docGrid"):  # noqa: SLF001 - no word for it
        section._sectPr.remove(old)  # noqa: SLF001
    section._sectPr.append(parse_xml(parts.document_grid()))  # noqa: SLF001
    for number, right in ((1, True), (2, False)):
        _edges(section, flow, number, right=right, across=across)


def _edges(
    section: Any, flow: Document, number: int, *, right: bool, across: bool
) -> None:
    """Put the page number and the watermark on odd pages, or on even ones."""
    header = section.header if right else section.even_page_header
    footer = section.footer if right else section.even_page_footer
    marks = [parts.watermark(flow.mark, number)] if flow.mark else []
    if across:
        _replace(header, [*marks, parts.turned_number(right=right)])
        _replace(footer, [parts.nothing()])
    else:
        _replace(header, marks or [parts.nothing()])
        _replace(footer, [parts.page_number(right=right)])


def _replace(part: Any, paragraphs: list[str]) -> None:
    part.is_linked_to_previous = False
    for old in part.paragraphs:
        old._p.getparent().remove(old._p)  # noqa: SLF001 - the library removes nothing
    for paragraph in paragraphs:
        part._element.append(parse_xml(paragraph))  # noqa: SLF001


def _head(target: Any, flow: Document) -> None:
    size = min(_MARK_SIZE, 0.97 * WIDTH_PT / max(1.0, ems(flow.issuer)))
    mark = _paragraph(target, flow.issuer, align=ALIGN.CENTER)
    mark.paragraph_format.line_spacing = Pt(max(size * 1.3, parts.LINE / 20))
    run = mark.runs[0]
    run.font.size, run.font.color.rgb = Pt(size), _RED
    run._r.get_or_add_rPr().insert(0, parse_xml(parts.fonts(parts.TITLE)))  # noqa: SLF001
    _paragraph(target, "")
    line = _paragraph(target, flow.number, align=ALIGN.CENTER)
    line._p.get_or_add_pPr().insert(0, parse_xml(parts.red_line()))  # noqa: SLF001
    _paragraph(target, "")
    _paragraph(target, "")
    target.add_paragraph(flow.title, style="Title")
    _paragraph(target, "")
    if flow.addressees:
        _paragraph(target, flow.addressees)


def _element(target: Any, flow: Document, element: Element) -> None:
    match element:
        case Heading():
            style = f"Heading {max(1, element.level)}"
            added = target.add_paragraph(element.text, style)
            if element.level:
                _indent(added, flow)
            else:
                added.paragraph_format.page_break_before = True
        case Passage():
            _passage(target, flow, element)
        case Grid():
            body = target.element.body
            body.insert(len(body) - 1, parse_xml(parts.table(element)))
        case Picture():
            _picture(target, element)


def _passage(target: Any, flow: Document, passage: Passage) -> None:
    added = _paragraph(target, passage.text)
    if passage.small:
        added.runs[0].font.size = Pt(12)
        return
    if flow.language == "zh":
        added.alignment = ALIGN.JUSTIFY
    _indent(added, flow)


def _picture(target: Any, picture: Picture) -> None:
    drawn = typesetting.png(picture.svg, width_pt=WIDTH_PT, ppi=_PICTURE_PPI)
    added = target.add_paragraph()
    # An exact line would cut the picture off.
    added.paragraph_format.line_spacing_rule = SPACING.SINGLE
    shape = added.add_run().add_picture(io.BytesIO(drawn), width=Mm(156))
    shape._inline.docPr.set("descr", picture.title)  # noqa: SLF001 - for who cannot see


def _foot(target: Any, flow: Document) -> None:
    _paragraph(target, "")
    for text, indent in ((flow.issuer, flow.signed), (flow.dated, DATE_INDENT)):
        added = _paragraph(target, text, align=ALIGN.RIGHT)
        added.paragraph_format.right_indent = Pt(indent * _SIZE)
        added.paragraph_format.keep_together = True
        added.paragraph_format.keep_with_next = True
    cut = _paragraph(target, flow.cut)
    cut.runs[0].font.size = Pt(10.5)
    cut.paragraph_format.line_spacing = Pt(15)
    _put(cut._p.pPr, parts.off_grid(), before=("w:spacing",))  # noqa: SLF001


def _paragraph(target: Any, text: str, *, align: ALIGN | None = None) -> Any:
    added = target.add_paragraph()
    added.add_run(text)
    added.alignment = align
    return added


def _indent(paragraph: Any, flow: Document) -> None:
    """Indent the first line by two characters, as Chinese text is."""
    if flow.language != "zh":
        return
    paragraph.paragraph_format.first_line_indent = Pt(2 * _SIZE)
