"""What the key says of a report: its figures, rows and points, by what they are about.

Rules of this file: shapes. Instants are µs, dates ISO texts, shares 0-1, texts Chinese.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from services.demo.campaign.expected.known import Known

Row = Mapping[str, Any]
Points = Sequence[tuple[str, Any]]


class Rows(NamedTuple):
    """Rows of a table; ``by``: the columns that tell a row from the others."""

    by: tuple[str, ...]
    rows: tuple[Row, ...]


class Figures(NamedTuple):
    """Headline figures by name."""

    items: Row


class Lines(NamedTuple):
    """Series of a chart, each as (label, value) points."""

    series: tuple[Points, ...]


Block = Rows | Figures | Lines
Answer = Mapping[str, Block]
"""Block of a report → what it must show."""
Teller = Callable[[Known], Answer]


def rows(by: str, found: Iterable[Row]) -> Rows:
    """Return the rows of a table that some columns tell apart (``unit item``)."""
    return Rows(tuple(by.split()), tuple(found))


def share(part: int, whole: int) -> float | None:
    """Return a share; None: there is no case, which is not 0."""
    return part / whole if whole else None
