"""Parts of a document with what is too long to stand in them: their annexes.

Rules of this file: numbers of issues and annexes, which lists go apart; no figure. A
list that is empty says so in its part, where nobody has to look for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from projections.reports.model import Block, Section, Table, Text
from projections.reports.pieces import both


class Part(NamedTuple):
    """A part of the body, and the lists that make the annex to it."""

    title: Text
    blocks: tuple[Block, ...]
    lists: tuple[Table, ...] = ()


def with_annexes(parts: Iterable[Part]) -> tuple[Section, ...]:
    """Return the body, then an annex for each part whose lists have rows."""
    body: list[Section] = []
    apart: list[Section] = []
    for part in parts:
        if any(table.rows for table in part.lists):
            body.append(Section(part.title, part.blocks))
            apart.append(annex(len(apart) + 1, part.title, *part.lists))
        else:
            body.append(Section(part.title, (*part.blocks, *part.lists)))
    return (*body, *apart)


def annex(number: int, title: Text, *blocks: Block) -> Section:
    """Return an annex by its number."""
    english, chinese = title["en"], title["zh"]
    return Section(
        both(f"Annex {number}: {english}", f"附件{number} {chinese}"), blocks
    )


def issue_number(year: int, number: int) -> Text:
    """Return the number of an issue: of a day its day of the year, of a week its week.

    It follows from the period alone, so that a missed issue leaves a gap that is seen.
    """
    return both(f"No. {number} of {year}", f"{year}年第{number}期")
