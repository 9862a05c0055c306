"""Report 1, 日研判简报: the brief on one local day, of the zone or of one unit.

Rules of this file: its six parts and their order. Figures are in daily_figures.py, air
in air.py; the analysis of a day is what units wrote, each order is a commitment.
"""

from __future__ import annotations

from collections.abc import Sequence

from events import calendar
from events.domain.periods import day_of, span
from projections.reports import daily_tables as tables
from projections.reports.air import alert_cell
from projections.reports.corrections import Figure, corrections, known, previous_cut
from projections.reports.daily_figures import TYPES, maker, places
from projections.reports.daily_issues import categories, issues
from projections.reports.model import (
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Table,
    Text,
)
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
VERSION = 1
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
    unit = ZONE if question.unit is None else one.unit(question.unit)
    sections = (
        _section("Air", "空气质量", _air(one, day), tables.air(one, day)),
        _section(
            "Inspected",
            "督查巡查情况",
            _figures("inspected", _LOOKED_AT, told),
            tables.subjects(one, day, where),
            tables.patrol_cells(one, day),
        ),
        _section(
            "Found",
            "发现问题情况",
            _figures("found", _FOUND, told),
            categories(one, facts, day, where),
            issues(one, facts, day, where),
        ),
        _section(
            "Open and at risk",
            "未结及风险事项",
            _figures("at_risk", _AT_RISK, told),
            tables.risks(one, facts, day),
        ),
        _section(
            "Analysis and orders",
            "研判及次日安排",
            tables.analysis(one, day),
            tables.orders(one, day),
        ),
        _section(
            "Missing and late",
            "缺报及补录",
            tables.missing(one, day),
            tables.late(one, day),
        ),
    )
    before = previous_cut(one, NAME, day_of(span(day).start - calendar.DAY_US))
    return Report(
        name=NAME,
        period=day,
        title=_title(day, unit),
        issuer=unit,
        cut=cut_line(one, NAME, VERSION),
        sections=sections,
        corrections=corrections(one, before, TYPES, make=make_figures),
        layout="document",
    )


def _title(day: str, unit: Text) -> Text:
    when = day_text(day)
    return both(
        f"Daily brief, {when['en']}: {unit['en']}",
        f"日研判简报（{unit['zh']}，{when['zh']}）",
    )


def _section(en: str, zh: str, *blocks: Figures | Table) -> Section:
    return Section(both(en, zh), blocks)


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
