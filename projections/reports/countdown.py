"""Report 5, 倒计时: how far a campaign is, against its targets and its promises.

Rules of this file: its parts. Air (what came of it) and work (what was done) stand
side by side and are never added up. ``subject`` names the campaign; else the one open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from events import calendar
from events.domain.periods import Span
from projections.reports.corrections import (
    Figure,
    Known,
    Maker,
    corrections,
    previous_cut,
)
from projections.reports.countdown_tables import risks_table, targets_table, window
from projections.reports.model import (
    Cell,
    Chart,
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Series,
    Table,
)
from projections.reports.naming import issuer
from projections.reports.pieces import (
    UNNAMED,
    Case,
    Scene,
    both,
    cases_of,
    column,
    counted,
    cut_line,
    lit,
    local_day,
    scene,
    share,
    table,
)
from projections.rules.courses import Course
from projections.rules.derived import Rate
from projections.rules.rates import kept_promises
from projections.world import StateRow, World

NAME = "countdown"
VERSION = 2


def make(world: World, question: Question) -> Report:
    """Return the countdown of a campaign at the cut's instant."""
    one = scene(world, question)
    campaign = chosen(one)
    title = both("Countdown", "倒计时")
    sections: tuple[Section, ...]
    if campaign is None:
        none = both("No campaign is on record.", "尚无攻坚行动。")
        sections = (Section(title, (table("campaign", title, (), (), empty=none),)),)
    else:
        title = both(f"Countdown: {campaign.state.title}", campaign.state.title)
        sections = _sections(one, campaign)
    key = None if campaign is None else campaign.key
    before = previous_cut(one, NAME, local_day(one.now))
    return Report(
        name=NAME,
        period=question.period,
        title=title,
        issuer=issuer(world),
        cut=cut_line(one, NAME, VERSION),
        sections=sections,
        corrections=corrections(one, before, (), make=_figures(key)),
    )


def chosen(one: Scene) -> StateRow | None:
    """Return the campaign asked for, else the open one that began last, else the last.

    Of several that began on one day it is the last by key.
    """
    rows = one.world.states("campaign")
    if one.question.subject is not None:
        rows = [row for row in rows if row.key == one.question.subject]
    running = [row for row in rows if row.state.status == "open"] or list(rows)
    return max(running, key=lambda row: (row.state.start, row.key), default=None)


def of_campaign(cases: Sequence[Case], key: str | None) -> tuple[Case, ...]:
    """Return the commitments of a campaign that were handed out."""
    return tuple(
        case
        for case in cases
        if case.state.campaign == key and case.state.status != "draft"
    )


def _sections(one: Scene, campaign: StateRow) -> tuple[Section, ...]:
    cases = of_campaign(one.cases, campaign.key)
    return (
        Section(both("Days", "时间进度"), (_days(one, campaign),)),
        Section(both("Targets", "目标与实际"), (targets_table(one, campaign),)),
        Section(
            both("Promises", "事项进度"),
            (_progress(one, cases), _themes(one, cases), _burn_down(one, campaign)),
        ),
        Section(both("Risks", "十大风险"), (risks_table(one, cases),)),
    )


def _days(one: Scene, campaign: StateRow) -> Figures:
    length, number, left = window(campaign, one.now)
    events = campaign.events
    items = (
        ("day", both("Day", "第几天"), Cell(number, events)),
        ("length", both("Of days", "共几天"), Cell(length, events)),
        ("left", both("Days left", "剩余天数"), Cell(left, events)),
        ("start", both("First day", "开始"), _day(campaign.state.start, events)),
        ("end", both("Last day", "结束"), _day(campaign.state.end, events)),
    )
    return Figures("days", both("Days", "时间进度"), items)


def _day(day: date, events: tuple[int, ...]) -> Cell:
    return Cell(day.isoformat(), events, kind="date")


def _progress(one: Scene, cases: Sequence[Case]) -> Figures:
    items = [(row.key, row.title, row.cell) for row in _states(cases)]
    kept = kept_promises((case.course for case in cases), one.now, rules=one.rules)
    rate = share(kept.value, kept.rule)
    items.append(("kept", both("Promises kept", "兑现率"), rate))
    items.append(("due", both("Fallen due", "已到期"), counted(kept.value.base)))
    return Figures("promises", both("Promises", "事项"), tuple(items))


def _states(cases: Sequence[Case]) -> list[Figure]:
    told = (
        ("handed_out", both("Handed out", "已交办"), cases),
        ("closed", both("Closed", "已销号"), [c for c in cases if c.row.finished]),
        ("open", both("Open", "未结"), [c for c in cases if c.row.ended_at is None]),
    )
    return [
        Figure(key, title, counted(case.row.registered_position for case in rows))
        for key, title, rows in told
    ]


def _figures(key: str | None) -> Maker:
    def made(known: Known, _period: Span) -> Sequence[Figure]:
        return _states(of_campaign(tuple(cases_of(known.courses, known.now)), key))

    return made


def _themes(one: Scene, cases: Sequence[Case]) -> Table:
    columns = (
        column("theme", "Theme", "专项"),
        column("total", "Handed out", "交办", "int"),
        column("closed", "Closed", "销号", "int"),
        column("rate", "Closed of all", "销号率", "percent"),
        column("red", "Red", "红灯", "int"),
        column("yellow", "Yellow", "黄灯", "int"),
    )
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.state.theme or "", []).append(case)
    rows = []
    for theme, own in sorted(groups.items()):
        lights = {case.key: lit(case, one).colour.value for case in own}
        total = counted(case.row.registered_position for case in own)
        closed = counted(c.row.registered_position for c in own if c.row.finished)
        coloured = (
            counted(c.row.registered_position for c in own if lights[c.key] == colour)
            for colour in ("red", "yellow")
        )
        rate = share(Rate(closed.events, total.events), "")
        rows.append((Cell(theme or UNNAMED), total, closed, rate, *coloured))
    return table("themes", both("By theme", "分专项进度"), columns, rows)


def _burn_down(one: Scene, campaign: StateRow) -> Chart:
    """Show what was open at the end of each day, and the even pace to none."""
    keys = {case.key for case in of_campaign(one.cases, campaign.key)}
    own = [course for course in one.courses if course.key in keys]
    length, number, _ = window(campaign, one.now)
    days = [campaign.state.start + timedelta(days=n) for n in range(number)]
    actual = tuple((f"{day:%m-%d}", _open_at(own, day, one.now)) for day in days)
    every = tuple(sorted(c.steps[0].row.registered_position for c in own))
    pace = tuple(
        (f"{campaign.state.start + timedelta(days=n):%m-%d}", _pace(every, n, length))
        for n in range(length)
    )
    return Chart(
        "burn_down",
        both("Open commitments", "未结事项"),
        "line",
        (
            Series(both("Open", "实际未结"), actual),
            Series(both("Even pace", "序时"), pace),
        ),
    )


def _open_at(own: Sequence[Course], day: date, now: int) -> Cell:
    at = min(now, calendar.end_of_day(day) - 1)
    return counted(
        case.row.registered_position
        for case in cases_of(own, at)
        if case.row.ended_at is None and case.state.status != "draft"
    )


def _pace(every: tuple[int, ...], number: int, length: int) -> Cell:
    """Return what would be open after some days if as much were closed each day."""
    left = len(every) * (length - 1 - number) / max(1, length - 1)
    return Cell(round(left, 1), every)


DEFINITION = Definition(
    name=NAME,
    title=both("Countdown", "倒计时"),
    template=VERSION,
    make=make,
    period="campaign",
)
DEFINITIONS = (DEFINITION,)
