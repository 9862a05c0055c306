"""What a report is: plain data, in two languages, every figure with its events.

Rules of this file: shapes only. A report is computed from a ``World`` and is the same
for the same cut; a format turns it into bytes and adds nothing to what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from projections.world import World

Language = Literal["en", "zh"]
Text = Mapping[Language, str]
"""The same sentence in both languages."""
Value = str | int | float | None | Text
Kind = Literal["text", "int", "number", "percent", "instant", "date", "light"]
"""How a value is meant: ``percent`` is a share (0.125 is 12.5 %), ``instant`` is in µs,
``date`` is local (``2017-11-24``, or any instant of it in µs), ``light`` is a colour.
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a report and the positions of the events that give it.

    ``rule`` names the rule and version that derived it: ``light.past_due@demo-2017/1``.
    ``kind`` says how the value is meant where no column does, or where it differs.
    """

    value: Value
    events: tuple[int, ...] = ()
    rule: str = ""
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a stable key, its heading, and what its values are."""

    key: str
    title: Text
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns; ``key`` names it in ``explain``.

    No two blocks of a report have the same key. The ``note`` says how to read it; of a
    table without rows, why there are none.
    """

    key: str
    title: Text
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """A few headline figures, each with a name: (key, heading, cell)."""

    key: str
    title: Text
    items: tuple[tuple[str, Text, Cell], ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text between tables."""

    text: Text


@dataclass(frozen=True, slots=True)
class Series:
    """One line or bar of a chart: its name and (label, cell) points.

    A point without a value is a gap. Points of ``coverage`` are shares of the whole.
    """

    name: Text
    points: tuple[tuple[str | Text, Cell], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures for people who look rather than read."""

    key: str
    title: Text
    kind: Literal["line", "bar", "coverage"]
    series: tuple[Series, ...]


Block = Table | Figures | Paragraph | Chart


@dataclass(frozen=True, slots=True)
class Demand:
    """What a report asks of a unit, by its number, and until when (µs)."""

    item: str
    unit: str
    text: Text
    due: int
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of a report; one that begins with 附件 is an annex of it."""

    title: Text
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class CutLine:
    """What the report was made from: printed on it, enough to make it again.

    ``root`` is in base64, as in a checkpoint; ``instant`` in µs.
    """

    position: int
    root: str
    instant: int
    ruleset: str
    calendar: str
    template: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A finished report. ``corrections`` lists what was recorded after the last cut.

    ``demands`` are what units must answer once it is frozen; its sections show them.
    """

    name: str
    period: str
    title: Text
    issuer: Text
    cut: CutLine
    sections: tuple[Section, ...]
    number: str | Text = ""
    addressees: Text | None = None
    corrections: tuple[Table, ...] = ()
    demands: tuple[Demand, ...] = ()
    layout: Literal["document", "ledger", "board"] = "board"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a report: a period and, where it has one, a unit or subject."""

    period: str
    unit: str | None = None
    subject: str | None = None
    previous_position: int | None = None


Maker = Callable[[World, Question], Report]


@dataclass(frozen=True, slots=True)
class Definition:
    """One row of the table of reports: its name, titles, template version and maker."""

    name: str
    title: Text
    template: int
    make: Maker
    period: Literal["day", "week", "campaign", "moment"]
    formats: Sequence[str] = field(default=("html", "json", "csv"))
