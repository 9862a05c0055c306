"""Pieces of WordprocessingML (ECMA-376 part 1) that the library has no words for.

Rules of this file: strings of XML with every text escaped; sizes are those of the
layout of GB/T 9704-2012. A twip is a twentieth of a point.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from projections.reports.formats.grids import INSET, Grid, ems

NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:o="urn:schemas-microsoft-com:office:office"'
)
#: Width of the type area: 156 mm; its length, for tables across the page: 225 mm.
WIDTH, LENGTH = 8845, 12756
#: 225 mm in 22 lines, rounded down so that 22 of them fit.
LINE = 579
#: 156 mm in 28 characters of 16 pt: each is drawn a quarter of a point (5 twips)
#: closer. Programs disagree about grids of characters, but all know spacing.
_CLOSER = -5
BODY, KAI, HEI, TITLE, SONG = (
    "仿宋_GB2312",
    "楷体_GB2312",
    "黑体",
    "方正小标宋简体",
    "宋体",
)
LATIN = "Times New Roman"
#: What a program may take instead where the standard's fonts are not installed.
_ALTERNATIVES = (
    (BODY, "仿宋"),
    (KAI, "楷体"),
    (HEI, "SimHei"),
    (TITLE, "华文中宋"),
    (SONG, "SimSun"),
)


def document_grid() -> str:
    """Return the grid of a section: 22 lines a page."""
    return f'<w:docGrid {NAMESPACES} w:type="lines" w:linePitch="{LINE}"/>'


def fonts(east_asian: str) -> str:
    """Return the fonts of a style: one for Chinese, one for all else."""
    return (
        f'<w:rFonts {NAMESPACES} w:ascii="{LATIN}" w:hAnsi="{LATIN}" '
        f'w:cs="{LATIN}" w:eastAsia="{east_asian}"/>'
    )


def language() -> str:
    """Return what language the text is in: Chinese of the mainland, and English."""
    return f'<w:lang {NAMESPACES} w:val="en-US" w:eastAsia="zh-CN"/>'


def spacing() -> str:
    """Return how close the characters of the body stand: 28 in a line."""
    return f'<w:spacing {NAMESPACES} w:val="{_CLOSER}"/>'


def font_table() -> bytes:
    """Return the table of fonts, with what may stand for each."""
    rows = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/>'
        '<w:charset w:val="86"/></w:font>'
        for name, other in _ALTERNATIVES
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f"<w:fonts {NAMESPACES}>{rows}"
        f'<w:font w:name="{LATIN}"><w:charset w:val="00"/></w:font></w:fonts>'
    ).encode()


def page_number(*, right: bool) -> str:
    """Return a footer's paragraph: the number between dashes, one character inwards.

    Section 7.5 of the standard: size 4 (14 pt) Song, odd pages right, even ones left.
    """
    look = (
        f'<w:rPr><w:rFonts w:ascii="{SONG}" w:hAnsi="{SONG}" w:eastAsia="{SONG}"/>'
        '<w:sz w:val="28"/><w:szCs w:val="28"/></w:rPr>'
    )
    side = "right" if right else "left"
    return (
        f"<w:p {NAMESPACES}><w:pPr>"
        '<w:spacing w:before="0" w:after="0" w:line="400" w:lineRule="exact"/>'
        f'<w:ind w:{side}="280" w:firstLine="0"/><w:jc w:val="{side}"/></w:pPr>'
        f'<w:r>{look}<w:t xml:space="preserve">— </w:t></w:r>'
        f'<w:fldSimple w:instr=" PAGE "><w:r>{look}<w:t>1</w:t></w:r></w:fldSimple>'
        f'<w:r>{look}<w:t xml:space="preserve"> —</w:t></w:r></w:p>'
    )


def nothing() -> str:
    """Return the empty paragraph of a header or footer that has nothing to say."""
    return f"<w:p {NAMESPACES}/>"


def off_grid() -> str:
    """Return what lets the lines of a paragraph stand closer than those of the page."""
    return f'<w:snapToGrid {NAMESPACES} w:val="0"/>'


def no_room() -> str:
    """Return the spacing of a paragraph that is as good as not there."""
    return (
        f'<w:spacing {NAMESPACES} w:before="0" w:after="0" w:line="20" '
        'w:lineRule="exact"/>'
    )


def turned_number(*, right: bool) -> str:
    """Return a header's paragraph with the page number of a table across the page.

    Section 8 of the standard: the number stands where that of other pages stands. What
    is the foot of the bound page is the left of one that is held to be read.
    """
    side = "bottom" if right else "top"
    top = _TURNED_BELOW if right else _TURNED_ABOVE
    style = (
        f"position:absolute;margin-left:{_TURNED_LEFT}pt;margin-top:{top}pt;"
        f"width:{_TURNED_WIDE}pt;height:{_TURNED_LONG}pt;z-index:1;"
        "mso-position-horizontal-relative:page;mso-position-vertical-relative:page"
    )
    return (
        f"<w:p {NAMESPACES}><w:pPr>{no_room()}</w:pPr>"
        f'<w:r><w:pict><v:shape id="number-{side}" '
        f'type="#_x0000_t202" style="{style}" filled="f" stroked="f">'
        '<v:textbox style="layout-flow:vertical" inset="0,0,0,0"><w:txbxContent>'
        f"{page_number(right=right)}</w:txbxContent></v:textbox></v:shape>"
        "</w:pict></w:r></w:p>"
    )


#: Place of the number on a page across, in points: 297 mm and 210 mm are its sides,
#: and 7 mm lie between the type area and the number.
_TURNED_LEFT, _TURNED_WIDE, _TURNED_LONG = 59.5, 20.0, 150.0
_TURNED_ABOVE = 27 / 25.4 * 72
_TURNED_BELOW = (210 - 27) / 25.4 * 72 - _TURNED_LONG


def watermark(text: str, number: int) -> str:
    """Return a header's paragraph that puts a text across the page, behind the body."""
    width = 420
    style = (
        "position:absolute;margin-left:0;margin-top:0;"
        f"width:{width}pt;height:{width / ems(text):.0f}pt;"
        "rotation:325;z-index:-251658752;mso-position-horizontal:center;"
        "mso-position-horizontal-relative:margin;mso-position-vertical:center;"
        "mso-position-vertical-relative:margin"
    )
    return (
        f"<w:p {NAMESPACES}><w:pPr>{no_room()}</w:pPr><w:r><w:pict>"
        '<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" '
        'adj="10800" path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas>'
        '<v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/>'
        '<v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/>'
        '<v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/>'
        '<v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/>'
        '<v:f eqn="if @0 @4 21600"/></v:formulas>'
        '<v:path textpathok="t" o:connecttype="rect"/>'
        '<v:textpath on="t" fitshape="t"/></v:shapetype>'
        f'<v:shape id="watermark{number}" o:spid="_x0000_s{2048 + number}" '
        f'type="#_x0000_t136" style="{style}" fillcolor="#f2c4c0" stroked="f" '
        'o:allowincell="f">'
        '<v:fill opacity=".5"/>'
        f'<v:textpath style="font-family:&quot;{HEI}&quot;;font-size:1pt" '
        f"string={quoteattr(text)}/></v:shape></w:pict></w:r></w:p>"
    )


def red_line() -> str:
    """Return the border that makes a paragraph the red line under the head."""
    return (
        f"<w:pBdr {NAMESPACES}>"
        '<w:bottom w:val="single" w:sz="12" w:space="11" w:color="D40000"/></w:pBdr>'
    )


def table(grid: Grid) -> str:
    """Return a table with a header that is repeated and rows that are not torn."""
    whole = LENGTH if grid.across else WIDTH
    widths = [round(width * whole) for width in grid.widths]
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    # In twips, a little less than the measures reckon with: programs round.
    margin = int(grid.size * 20 * (INSET - 0.05))
    centred = ("center",) * len(widths)
    head = _row(grid.header, widths, centred, size=grid.size, head=True)
    rows = "".join(
        _row(row, widths, grid.aligns, size=grid.size, head=False) for row in grid.rows
    )
    return (
        f'<w:tbl {NAMESPACES}><w:tblPr><w:tblW w:w="{whole}" w:type="dxa"/>'
        # Centred: programs disagree whether its left edge or its text is at the margin.
        '<w:jc w:val="center"/>'
        f'<w:tblBorders>{sides}</w:tblBorders><w:tblLayout w:type="fixed"/>'
        f'<w:tblCellMar><w:left w:w="{margin}" w:type="dxa"/>'
        f'<w:right w:w="{margin}" w:type="dxa"/></w:tblCellMar>'
        '<w:tblLook w:firstRow="1"/></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{head}{rows}</w:tbl>"
    )


def _row(
    texts: tuple[str, ...],
    widths: list[int],
    aligns: tuple[str, ...],
    *,
    size: float,
    head: bool,
) -> str:
    mark = "<w:cantSplit/>" + ("<w:tblHeader/>" if head else "")
    cells = "".join(
        _cell(text, width, align, size=size, head=head)
        for text, width, align in zip(texts, widths, aligns, strict=True)
    )
    return f"<w:tr><w:trPr>{mark}</w:trPr>{cells}</w:tr>"


def _cell(text: str, width: int, align: str, *, size: float, head: bool) -> str:
    half = round(size * 2)
    line = round(size * 1.3 * 20)
    face = HEI if head else SONG
    look = (
        f'<w:rPr><w:rFonts w:ascii="{LATIN}" w:hAnsi="{LATIN}" w:eastAsia="{face}"/>'
        f'<w:sz w:val="{half}"/><w:szCs w:val="{half}"/></w:rPr>'
    )
    runs = f"<w:r>{look}<w:br/></w:r>".join(
        f'<w:r>{look}<w:t xml:space="preserve">{escape(part)}</w:t></w:r>'
        for part in text.split("\n")
    )
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>'
        '<w:vAlign w:val="center"/></w:tcPr>'
        '<w:p><w:pPr><w:snapToGrid w:val="0"/>'
        f'<w:spacing w:before="40" w:after="40" w:line="{line}" w:lineRule="exact"/>'
        f'<w:ind w:firstLineChars="0" w:firstLine="0"/><w:jc w:val="{align}"/></w:pPr>'
        f"{runs}</w:p></w:tc>"
    )
