"""A report as pages want it: headings, paragraphs, grids and pictures in one language.

Rules of this file: what DOCX and PDF have in common, as plain words and numbers; no
layout and no bytes. Official documents number their parts and say figures in sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from events.calendar import local_date
from projections.reports.addresses import cells_of, row_cells
from projections.reports.formats.grids import Grid, aligned, ems, fitted
from projections.reports.formats.sections import sections
from projections.reports.formats.svg import svg
from projections.reports.formats.values import cut_line, shown, visible
from projections.reports.formats.words import (
    in_language,
    is_annex,
    part_number,
    subpart_number,
    word,
)
from projections.reports.model import (
    Chart,
    Figures,
    Language,
    Paragraph,
    Report,
    Section,
    Table,
    Text,
)

#: GB/T 9704-2012 section 7.3.5.1: the date stands four characters from the right.
DATE_INDENT = 4.0


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a part (level 1) or of a part of it (level 2), numbered.

    Level 0 is the title of an annex.
    """

    level: Literal[0, 1, 2]
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph of body text; ``small`` ones are notes to a table."""

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as SVG, and what it shows in words."""

    svg: str
    title: str


Element = Heading | Passage | Grid | Picture


@dataclass(frozen=True, slots=True)
class Pages:
    """Elements on pages of one kind: upright, or ``across`` for wide tables."""

    across: bool
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document: its head, its body, and where it was cut.

    ``signed`` is how far from the right the issuer stands under the body, in em: over
    the middle of the date, which stands four characters from the right.
    """

    title: str
    issuer: str
    number: str
    addressees: str
    body: tuple[Pages, ...]
    annexes: tuple[tuple[Pages, ...], ...]
    dated: str
    signed: float
    cut: str
    mark: str
    language: Language


def document(report: Report, language: Language) -> Document:
    """Return a report as a document in one language."""
    addressees = ""
    if report.addressees is not None:
        colon = "：" if language == "zh" else ":"
        addressees = _words(report.addressees, language) + colon
    cut = cut_line(report.cut, language)
    issuer, dated = _words(report.issuer, language), _dated(report, language)
    return Document(
        title=_words(report.title, language),
        issuer=issuer,
        number=_words(report.number, language),
        addressees=addressees,
        body=_paged(_body(report, language)),
        annexes=tuple(_paged(annex) for annex in _annexes(report, language)),
        dated=dated,
        signed=max(0.0, DATE_INDENT + (ems(dated) - ems(issuer)) / 2),
        cut=f"（{cut}）" if language == "zh" else f"({cut})",
        mark=word("simulated", language) if report.cut.simulated else "",
        language=language,
    )


def _paged(elements: Iterable[Element]) -> tuple[Pages, ...]:
    """Share elements out: a heading goes with what follows it, a note with its table.

    A heading over another one goes with it.
    """
    found = list(elements)
    sides = [isinstance(one, Grid) and one.across for one in found]
    for place, (before, one) in enumerate(pairwise(found), start=1):
        if isinstance(one, Passage) and one.small and isinstance(before, Grid):
            sides[place] = sides[place - 1]
    for place in reversed(range(len(found) - 1)):
        if isinstance(found[place], Heading):
            sides[place] = sides[place + 1]
    grouped = groupby(zip(sides, found, strict=True), key=lambda pair: pair[0])
    return tuple(Pages(side, tuple(one for _, one in pairs)) for side, pairs in grouped)


def _dated(report: Report, language: Language) -> str:
    """Return the date of the document, in Arabic digits without leading zeros."""
    day = local_date(report.cut.instant)
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _body(report: Report, language: Language) -> Iterator[Element]:
    """Yield the numbered parts, corrections last, and the names of the annexes."""
    parts = [part for part in sections(report) if not is_annex(part.title)]
    for number, part in enumerate(parts, start=1):
        title = _words(part.title, language)
        yield Heading(1, part_number(number, language) + title)
        yield from _part(number, part, language)
    names = [
        _words(section.title, language).removeprefix(word("annexes", language)).strip()
        for section in report.sections
        if is_annex(section.title)
    ]
    if names:
        colon, comma, stop = _marks(language)
        yield Passage(word("annexes", language) + colon + comma.join(names) + stop)


def _annexes(report: Report, language: Language) -> Iterator[tuple[Element, ...]]:
    annexes = (section for section in report.sections if is_annex(section.title))
    for number, section in enumerate(annexes, start=1):
        title = Heading(0, _words(section.title, language))
        yield (title, *_part(number, section, language))


def _marks(language: Language) -> tuple[str, str, str]:
    """Return the colon, the separator and the full stop of a language."""
    return ("：", "；", "。") if language == "zh" else (": ", "; ", ".")


def _part(part: int, section: Section, language: Language) -> Iterator[Element]:
    """Yield the elements of a part; its only table needs no number, nor its title."""
    alone = sum(isinstance(block, Table | Chart) for block in section.blocks) == 1
    count = 0
    for block in section.blocks:
        match block:
            case Paragraph():
                for line in visible(in_language(block.text, language)).split("\n"):
                    yield Passage(line)
            case Figures():
                yield Passage(_sentence(block, language))
            case _:
                count += 1
                title = _words(block.title, language)
                number = "" if alone else subpart_number(part, count, language)
                if not alone or title != _words(section.title, language):
                    yield Heading(2, number + title)
                yield from _drawn(block, language)


def _drawn(block: Table | Chart, language: Language) -> Iterator[Element]:
    if isinstance(block, Chart):
        yield Picture(svg(block, language), _words(block.title, language))
        return
    note = _words(block.note, language) if block.note is not None else ""
    if block.rows:
        yield _grid(block, language)
        yield from [Passage(note, small=True)] if note else []
    else:
        stop = _marks(language)[-1]
        yield Passage(note or word("empty", language) + stop)


def _sentence(figures: Figures, language: Language) -> str:
    """Return headline figures as a sentence: 概况：登记 12；办结 9。"""
    pairs = zip(figures.items, cells_of(figures), strict=True)
    colon, comma, stop = _marks(language)
    said = comma.join(
        f"{_words(title, language)}"
        f" {shown(found.cell.value, found.kind, language) or '—'}"
        for (_, title, _), found in pairs
    )
    return _words(figures.title, language) + colon + said + stop


def _grid(table: Table, language: Language) -> Grid:
    header = tuple(_words(column.title, language) for column in table.columns)
    rows = tuple(
        tuple(
            shown(found.cell.value, found.kind, language)
            for found in row_cells(table, number)
        )
        for number in range(1, len(table.rows) + 1)
    )
    aligns = tuple(aligned(column.kind) for column in table.columns)
    return fitted(header, rows, aligns)


def _words(text: str | Text, language: Language) -> str:
    return visible(in_language(text, language))
