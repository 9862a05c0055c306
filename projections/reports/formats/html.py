"""A report as one HTML page: no script, nothing loaded, every figure a link.

Rules of this file: every text is escaped where it is put in; style is in ``page.css``.
Tables have captions and headers that a screen reader can say, charts their numbers,
lights a word beside the colour.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files
from urllib.parse import quote

from projections.reports.addresses import Addressed, cells_of, row_cells
from projections.reports.formats.rendering import View
from projections.reports.formats.sections import sections
from projections.reports.formats.svg import svg
from projections.reports.formats.tabular import rules_of
from projections.reports.formats.values import cut_line, shown, visible
from projections.reports.formats.words import (
    in_language,
    is_annex,
    part_number,
    word,
)
from projections.reports.model import (
    Block,
    Chart,
    Figures,
    Kind,
    Paragraph,
    Report,
    Table,
    Text,
)

#: What a page of ours may do: nothing but be styled by itself.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CLASSES: dict[Kind, str] = {
    "int": "n",
    "number": "n",
    "percent": "n",
    "instant": "t",
    "date": "t",
}
_TAGS = {"en": "en", "zh": "zh-CN"}


def render(report: Report, view: View) -> bytes:
    """Return the report as a page of its own, in UTF-8."""
    title = _words(report.title, view)
    parts = (
        _opening(report, view, title),
        f'<a class="skip" href="#main">{word("skip", view.language)}</a>',
        *_head(report, view, title),
        '<main id="main">',
        *_sections(report, view),
        "</main>\n",
        *_foot(report, view),
        "</body></html>\n",
    )
    return "".join(parts).encode("utf-8")


def _opening(report: Report, view: View, title: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{_TAGS[view.language]}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title} · {_escaped(report.period)}</title>"
        f'<style>{_style()}</style></head>\n<body class="{escape(report.layout)}">'
    )


def _head(report: Report, view: View, title: str) -> Iterator[str]:
    simulated = word("simulated", view.language)
    if report.cut.simulated:
        yield '<div class="watermark" aria-hidden="true">'
        yield f"<span>{simulated}</span></div>"
    yield f'<header><p class="issuer">{_words(report.issuer, view)}</p>'
    if report.number:
        yield f'<p class="number">{_words(report.number, view)}</p>'
    yield f"<h1>{title}</h1>"
    if report.period:
        period = word("period", view.language)
        yield f'<p class="period">{period} {_escaped(report.period)}</p>'
    if report.cut.simulated:
        yield f'<p class="banner">{simulated}</p>'
    yield "</header>\n"
    if report.addressees is not None:
        colon = "：" if view.language == "zh" else ":"
        yield f"<p>{_words(report.addressees, view)}{colon}</p>"


def _sections(report: Report, view: View) -> Iterator[str]:
    parts = [one for one in sections(report) if not is_annex(one.title)]
    for number, section in enumerate(parts, start=1):
        name = in_language(section.title, view.language)
        title = part_number(number, view.language) + name
        yield _section(number, title, section.blocks, view)
    annexes = (one for one in report.sections if is_annex(one.title))
    for number, section in enumerate(annexes, start=len(parts) + 1):
        name = in_language(section.title, view.language)
        yield _section(number, name, section.blocks, view)


def _section(number: int, title: str, blocks: tuple[Block, ...], view: View) -> str:
    body = "".join(_block(block, view) for block in blocks)
    return (
        f'<section aria-labelledby="s{number}"><h2 id="s{number}">'
        f"{_escaped(title)}</h2>{body}</section>\n"
    )


def _block(block: Block, view: View) -> str:
    match block:
        case Table():
            return _table(block, view)
        case Figures():
            return _figures(block, view)
        case Paragraph():
            lines = visible(in_language(block.text, view.language)).split("\n")
            return "".join(f'<p class="text">{escape(line)}</p>' for line in lines)
        case Chart():
            return _chart(block, view)


def _table(table: Table, view: View) -> str:
    heads = "".join(
        f'<th scope="col"{_class(column.kind)}>{_words(column.title, view)}</th>'
        for column in table.columns
    )
    rows = "".join(
        f"<tr>{_row(row_cells(table, number), view)}</tr>\n"
        for number in range(1, len(table.rows) + 1)
    )
    words = _words(table.note, view) if table.note is not None else ""
    note = f'<p class="note">{words}</p>' if words else ""
    if not table.rows:
        empty, note = words or word("empty", view.language), ""
        rows = f'<tr><td colspan="{len(table.columns)}">{empty}</td></tr>'
    title, key = _words(table.title, view), _escaped(table.key)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
        f'<table id="{key}"><caption>{title}</caption><thead><tr>{heads}</tr></thead>'
        f"\n<tbody>{rows}</tbody></table></div>{note}"
    )


def _row(found: Iterator[Addressed], view: View) -> str:
    first = next(found, None)
    if first is None:
        return ""
    head = f'<th scope="row"{_class(first.kind)}>{_value(first, view)}</th>'
    return head + "".join(
        f"<td{_class(one.kind)}>{_value(one, view)}</td>" for one in found
    )


def _figures(figures: Figures, view: View) -> str:
    pairs = zip(figures.items, cells_of(figures), strict=True)
    items = "".join(
        f"<div><dt>{_words(title, view)}</dt>"
        f"<dd>{_value(found, view) or '—'}</dd></div>"
        for (_, title, _), found in pairs
    )
    title = _words(figures.title, view)
    return f'<h3>{title}</h3><dl class="figures">{items}</dl>'


def _chart(chart: Chart, view: View) -> str:
    link = (lambda address: _url(address, view)) if view.explain else None
    series = iter(cells_of(chart))
    rows = "".join(
        f'<tr><th scope="row">{_words(one.name, view)}</th>'
        f"<td>{_words(label, view)}</td>"
        f'<td class="n">{_value(next(series), view)}</td></tr>'
        for one in chart.series
        for label, _ in one.points
    )
    heads = "".join(
        f'<th scope="col">{word(name, view.language)}</th>'
        for name in ("series", "point", "value")
    )
    title = _words(chart.title, view)
    return (
        f'<figure id="{_escaped(chart.key)}"><figcaption>{title}</figcaption>'
        f"{svg(chart, view.language, link)}"
        f"<details><summary>{word('data', view.language)}</summary><table>"
        f"<caption>{title}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></details></figure>"
    )


def _value(found: Addressed, view: View) -> str:
    text = escape(shown(found.cell.value, found.kind, view.language))
    if found.kind == "light" and isinstance(found.cell.value, str):
        colour = found.cell.value if found.cell.value.isalpha() else "none"
        text = f'<span class="light light-{escape(colour)}">{text}</span>'
    if not (view.explain and found.cell.events and text):
        return text
    title = f' title="{_escaped(found.cell.rule)}"' if found.cell.rule else ""
    return f'<a href="{escape(_url(found.address, view))}"{title}>{text}</a>'


def _url(address: str, view: View) -> str:
    return view.explain + quote(address, safe="/")


def _foot(report: Report, view: View) -> Iterator[str]:
    yield f'<footer class="cut"><p>{_escaped(cut_line(report.cut, view.language))}</p>'
    yield f"<p>{word('times', view.language)} {word('verify', view.language)}</p>"
    rules = rules_of(report)
    if rules:
        names = "; ".join(_escaped(rule) for rule, _ in rules)
        yield f"<p>{word('rule', view.language)}: {names}</p>"
    yield "</footer>"


def _class(kind: Kind) -> str:
    return f' class="{_CLASSES[kind]}"' if kind in _CLASSES else ""


def _words(text: str | Text, view: View) -> str:
    return _escaped(in_language(text, view.language))


def _escaped(text: str) -> str:
    return escape(visible(text))


@cache
def _style() -> str:
    return files("projections.reports.formats").joinpath("page.css").read_text("utf-8")
