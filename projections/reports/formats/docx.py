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
    _page(target, flow)
    _head(target, flow)
    for element in flow.body:
        _element(target, flow, element)
    _foot(target, flow)
    for annex in flow.annexes:
        for element in annex:
            _element(target, flow, element)
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
    target.styles["Title"].paragraph_format.alignment = ALIGN.CENTER
    for border in target.styles["Title"].element.xpath(".//w:pBdr"):
        border.getparent().remove(border)


def _put(parent: Any, child: str, *, before: tuple[str, ...]) -> None:
    """Put an element where the schema wants it: before the first of these there is."""
    found = parent.xpath(" | ".join(f"./{name}" for name in before))
    place = parent.index(found[0]) if found else len(parent)
    parent.insert(place, parse_xml(child))


def _page(target: Any, flow: Document) -> None:
    section = target.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.footer_distance, section.header_distance = Mm(21), Mm(15)
    for old in section._sectPr.xpath("./w:docGrid"):  # noqa: SLF001 - no word for it
        section._sectPr.remove(old)  # noqa: SLF001
    section._sectPr.append(parse_xml(parts.document_grid()))  # noqa: SLF001
    settings = target.settings
    settings.odd_and_even_pages_header_footer = True
    # After the zoom: the order of settings is part of their schema.
    settings.element.insert(1, parse_xml(f"<w:mirrorMargins {parts.NAMESPACES}/>"))
    _replace(section.footer, parts.page_number(right=True))
    _replace(section.even_page_footer, parts.page_number(right=False))
    if flow.mark:
        _replace(section.header, parts.watermark(flow.mark, 1))
        _replace(section.even_page_header, parts.watermark(flow.mark, 2))


def _replace(part: Any, paragraph: str) -> None:
    part.is_linked_to_previous = False
    for old in part.paragraphs:
        old._p.getparent().remove(old._p)  # noqa: SLF001 - the library removes nothing
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
