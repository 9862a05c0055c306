"""Tables on pages: how wide each column is, and how small the type must be.

Rules of this file: measures only. What cannot be broken (a number, a date, a word) sets
the least width of its column; the type is as large as lets all of them fit. A table
that would have to be smaller than reads easily stands across the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from unicodedata import east_asian_width

from projections.reports.model import Kind

Align = Literal["left", "right"]
_RIGHT: frozenset[Kind] = frozenset({"int", "number", "percent"})
#: Width of the type area of GB/T 9704, and the sizes of type for tables, in points.
WIDTH_PT, LENGTH_PT = 156 / 25.4 * 72, 225 / 25.4 * 72
_SIZES = (12.0, 10.5, 9.0, 7.5, 6.5, 5.5)
#: Space beside the text of a cell; the most that a column must hold, the most that it
#: may wish for, and the least that Chinese text is broken to: all in em.
INSET = 0.35
_MOST, _WISH, _SHORT = 16.0, 34.0, 4
_SYLLABLES = 5.0
#: What reads easily: so wide a column, down to so small a type. A table of which this
#: cannot be had stands across the page, unless it is short and its type not too small.
_EASY, _EASY_SIZE = 10.0, 9.0
_FEW_ROWS, _SMALL_SIZE = 6, 7.5
_LATIN = 0.56
#: Where a line may end: at spaces, after hyphens, and around Chinese characters.
_BREAKS = re.compile(r"[\s]+|(?<=[-/])|(?<=[\u2e80-\uffef])|(?=[\u2e80-\uffef])")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as words. ``size`` is of the type in points, ``widths`` sum up to 1.

    One that stands ``across`` has the type area's length to be wide in.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    aligns: tuple[Align, ...]
    widths: tuple[float, ...]
    size: float
    across: bool


def aligned(kind: Kind) -> Align:
    """Return the side that values of a kind stand at."""
    return "right" if kind in _RIGHT else "left"


def fitted(
    header: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
    aligns: tuple[Align, ...],
) -> Grid:
    """Return a table with the largest type and the widths that let it fit a page."""
    columns = list(zip(header, *rows, strict=True))
    least = [_least(column) + 2 * INSET for column in columns]
    longest = [max(map(ems, column)) + 2 * INSET for column in columns]
    wanted = [
        max(low, min(_WISH, long)) for low, long in zip(least, longest, strict=True)
    ]
    easy = [min(want, max(low, _EASY)) for low, want in zip(least, wanted, strict=True)]
    bound = (
        sum(least) * _SMALL_SIZE if len(rows) <= _FEW_ROWS else sum(easy) * _EASY_SIZE
    )
    across = bound > WIDTH_PT
    room = LENGTH_PT if across else WIDTH_PT
    size = _size(least, easy, room)
    widths = _shared(least, wanted, room / size)
    return Grid(header, rows, aligns, widths, size, across)


def ems(text: str) -> float:
    """Return about how wide a text is, in em: a Chinese character is one."""
    return sum(1.0 if east_asian_width(c) in "WF" else _LATIN for c in text)


def _size(least: list[float], easy: list[float], width: float) -> float:
    """Return the largest type in which all columns are easy to read, or at least fit.

    Type is not made smaller than ``_EASY_SIZE`` only to spare lines.
    """
    for size in _SIZES:
        room = width / size
        if sum(easy if size > _EASY_SIZE else least) <= room:
            return size
    return _SIZES[-1]


def _least(texts: tuple[str, ...]) -> float:
    unbroken = max(max(map(ems, _parts(text)), default=0.0) for text in texts)
    return min(_MOST, max(unbroken, min(_SYLLABLES, max(map(ems, texts)))))


def _parts(text: str) -> list[str]:
    """Return what is never broken. Numbers of things and short words are kept whole."""
    if len(text) <= 16 and text.isascii():
        return text.split() or [""]
    return [text] if len(text) <= _SHORT else _BREAKS.split(text)


def _shared(least: list[float], wanted: list[float], whole: float) -> tuple[float, ...]:
    """Share the width: first what each needs, then by how much more each wants."""
    rest = max(0.0, whole - sum(least))
    wish = sum(wanted) - sum(least)
    more = [
        (want - low) * rest / wish if wish else rest / len(least)
        for low, want in zip(least, wanted, strict=True)
    ]
    total = sum(least) + sum(more)
    given = (low + add for low, add in zip(least, more, strict=True))
    return tuple(round(width / total, 5) for width in given)
