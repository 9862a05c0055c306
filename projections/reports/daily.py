"""Report 1, 日研判简报: the brief on one local day, of the zone or of one unit.

Rules of this file: its six parts and their order; lists stand in annexes to them.
Figures are in daily_figures.py, air in air.py; the analysis of a day is what units
wrote, each order is a commitment.
"""

from __future__ import annotations

from collections.abc import Sequence

from events import calendar
from events.domain.periods import day_of, span
from projections.reports import daily_tables as tables
from projections.reports.air import alert_cell
from projections.reports.annexes import Part, issue_number, with_annexes
from projections.reports.corrections import Figure, corrections, known, previous_cut
from projections.reports.daily_figures import TYPES, maker, places
from projections.reports.daily_issues import categories, issues
from projections.reports.model import (
    Definition,
    Figures,
    Question,
    Report,
    Table,
    Text,
)
from projections.reports.naming import issuer
from projections.reports.pieces import (
    ZONE,
    Scene,
    both,
    cut_line,
    day_text,
    scene,
)
from projections.world import World

NAME = "daily_brief"
VERSION = 3
_LOOKED_AT = ("visits", "patrols", "cells")
_FOUND = ("found", "new", "repeated", "fixed", "handed_over")
_AT_RISK = ("red", "yellow", "due_soon", "unsigned", "issued", "closed")


def make(world: World, question: Question) -> Report:
    """Return the brief on a local day (``2017-11-24``), of one unit or of all."""
    one = scene(world, question)
    day = question.period
    facts, where = known(one, TYPES), places(one)
    make_figures = maker(where)
    told = make_figures(facts, span(day))
    unit, body = ZONE, issuer(world)
    if question.unit is not None:
        unit = body = one.unit(question.unit)
    parts = (
        _part("Air", "空气质量", _air(one, day), tables.air(one, day)),
        _part(
            "Inspected",
            "督查巡查情况",
            _figures("inspected", _LOOKED_AT, told),
            lists=(tables.subjects(one, day, where), tables.patrol_cells(one, day)),
        ),
        _part(
            "Found",
            "发现问题情况",
            _figures("found", _FOUND, told),
            lists=(categories(one, facts, day, where), issues(one, facts, day, where)),
        ),
        _part(
            "Open and at risk",
            "未结及风险事项",
            _figures("at_risk", _AT_RISK, told),
            lists=(tables.risks(one, facts, day),),
        ),
        _part(
            "Analysis and orders",
            "研判及次日安排",
            tables.analysis(one, day),
            lists=(tables.orders(one, day),),
        ),
        _part(
            "Missing and late",
            "缺报及补录",
            tables.missing(one, day),
            lists=(tables.late(one, day),),
        ),
    )
    before = previous_cut(one, NAME, day_of(span(day).start - calendar.DAY_US))
    return Report(
        name=NAME,
        period=day,
        title=_title(day, unit),
        issuer=body,
        cut=cut_line(one, NAME, VERSION),
        sections=with_annexes(parts),
        number=_number(day),
        corrections=corrections(one, before, TYPES, make=make_figures),
        layout="document",
    )


def _title(day: str, unit: Text) -> Text:
    when = day_text(day)
    return both(
        f"Daily brief, {when['en']}: {unit['en']}",
        f"日研判简报（{unit['zh']}，{when['zh']}）",
    )


def _number(day: str) -> Text:
    date = calendar.local_date(span(day).start)
    return issue_number(date.year, date.timetuple().tm_yday)


def _part(
    en: str, zh: str, *blocks: Figures | Table, lists: tuple[Table, ...] = ()
) -> Part:
    return Part(both(en, zh), blocks, lists)


def _figures(key: str, wanted: Sequence[str], told: Sequence[Figure]) -> Figures:
    by_key = {row.key: row for row in told}
    items = tuple((name, by_key[name].title, by_key[name].cell) for name in wanted)
    return Figures(key, both("Figures of the day", "当日数据"), items)


def _air(one: Scene, day: str) -> Figures:
    at = min(one.now, span(day).end - 1)
    item = ("alert", both("Alert in force", "预警等级"), alert_cell(one, at))
    return Figures("alert", both("Alert", "预警"), (item,))


DEFINITION = Definition(
    name=NAME,
    title=both("Daily brief", "日研判简报"),
    template=VERSION,
    make=make,
    period="day",
    formats=("html", "json", "csv", "docx", "pdf"),
)
DEFINITIONS = (DEFINITION,)
