"""Making a report of a cut: from what is asked, over the read models, to bytes.

Rules of this file: what the HTTP interface and the command line have in common; neither
is known here, and no clock. The same cut and question give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlencode

import msgspec

from events import errors
from events.domain import periods
from events.entries import rfc3339
from events.store import Reader
from projections import board
from projections.cut_world import LogWorld, ViewWorld
from projections.reports.addresses import explain
from projections.reports.formats.rendering import Format, View
from projections.reports.formats.table import FORMATS
from projections.reports.model import Definition, Question, Report
from projections.reports.registry import named
from projections.views import Views
from projections.world import Cut, World

Kind = Literal["day", "week", "campaign", "moment"]
_LONGEST = 200
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
#: Formats of which a file is an archive of several.
_ARCHIVED: Mapping[str, str] = MappingProxyType({"csv": "csv.zip"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a report; what is None is found in the cut.

    ``previous`` is the position of the cut that corrections are told against.
    """

    name: str
    period: str | None = None
    unit: str | None = None
    subject: str | None = None
    previous: int | None = None


def format_of(definition: Definition, name: str) -> Format:
    """Return a format that a report has; ``NotFound('report_format_unavailable')``."""
    if name not in definition.formats:
        offered = ", ".join(definition.formats)
        raise errors.NotFound(
            "report_format_unavailable",
            report=definition.name,
            format=name,
            formats=offered,
        )
    return FORMATS[name]


def period_of(kind: Kind, given: str | None, cut: Cut) -> str:
    """Return the period that is asked for, or the one that the cut lies in.

    A campaign is named by its key; empty: the maker finds the one there is.
    ``Malformed('report_period_invalid')``.
    """
    if given is None:
        return _DEFAULTS[kind](cut.now)
    shape = _SHAPES[kind]
    try:
        known = shape is None or shape(periods.span(given).start) == given
    except (ValueError, OverflowError):
        known = False
    if not known or len(given) > _LONGEST:
        raise errors.Malformed("report_period_invalid", period=given, kind=kind)
    return given


_Shape = Callable[[int], str]
_DEFAULTS: Mapping[Kind, _Shape] = MappingProxyType(
    {
        "day": periods.day_of,
        "week": periods.week_of,
        "moment": periods.day_of,
        "campaign": lambda _instant: "",
    }
)
#: What writes the period back, where there is one way to write it.
_SHAPES: Mapping[Kind, _Shape | None] = MappingProxyType(
    {
        "day": periods.day_of,
        "week": periods.week_of,
        "moment": None,
        "campaign": None,
    }
)


@contextmanager
def world_of(reader: Reader, views: Views, cut: Cut) -> Iterator[World]:
    """Give the world of a cut: of the read models where they have reached it.

    Else of the log, folded up to the cut: slower, and the same.
    """
    if not _reached(views, cut):
        yield LogWorld(reader, cut)
        return
    with views.snapshot(board.NAME) as snapshot:
        yield ViewWorld(snapshot, reader, cut)


def _reached(views: Views, cut: Cut) -> bool:
    try:
        with views.snapshot(board.NAME) as snapshot:
            return snapshot.generation.position >= cut.position
    except errors.Unavailable:
        return False


def made(world: World, asked: Asked) -> Report:
    """Return the report that is asked for, of this cut.

    ``NotFound('report_unknown')``, ``Malformed('report_period_invalid')``, and what
    its maker raises.
    """
    definition = named(asked.name)
    period = period_of(definition.period, asked.period, world.cut)
    previous = asked.previous
    if previous is None:
        previous = previous_position(world, asked, period)
    question = Question(
        period=period,
        unit=asked.unit,
        subject=asked.subject,
        previous_position=previous,
    )
    return definition.make(world, question)


def previous_position(world: World, asked: Asked, period: str) -> int | None:
    """Return where the report was last frozen for an earlier period; None: never."""
    found = [
        row.state.cut.position
        for row in world.states("report")
        if row.state.name == asked.name
        and row.state.unit == asked.unit
        and row.state.period < period
        and row.state.cut.position < world.cut.position
    ]
    return max(found, default=None)


def written(report: Report, format_: Format, view: View) -> bytes:
    """Return a report in a format."""
    return format_.render(report, view)


def positions(world: World, asked: Asked, cell: str) -> tuple[int, ...]:
    """Return the positions behind one value; ``NotFound('report_cell_unknown')``."""
    return explain(made(world, asked), cell)


def tag(cut: Cut, asked: Asked, *rest: str) -> str:
    """Return what names the bytes: the cut, the question, and how it is written."""
    definition = named(asked.name)
    parts = (tuple(cut), msgspec.to_builtins(asked), definition.template, rest)
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def file_name(asked: Asked, suffix: str) -> str:
    """Return what a file of a report is called; several tables come in one archive."""
    parts = (asked.name, asked.unit, asked.subject, asked.period)
    name = _UNSAFE.sub("_", "-".join(part for part in parts if part))
    return f"{name}.{_ARCHIVED.get(suffix, suffix)}"


def link(asked: Asked, cut: Cut, *, above: str = "../") -> str:
    """Return where a value of this cut is explained, seen from a report that is served.

    It ends where the address of the value goes. ``/v1/reports/`` and ``/v1/frozen/``
    are beside each other, so that the same bytes lead there from both, whatever is in
    front of them; from elsewhere ``above`` says where these are.
    """
    given = {
        "period": asked.period,
        "unit": asked.unit,
        "subject": asked.subject,
        "since": asked.previous,
        "as_of": cut.position,
        "as_at": None if cut.as_at is None else rfc3339(cut.as_at),
        "at": rfc3339(cut.now),
    }
    known = {name: value for name, value in given.items() if value is not None}
    return f"{above}reports/{asked.name}/explain?{urlencode(known)}&cell="
