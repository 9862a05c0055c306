"""Tables of the countdown 倒计时: targets against what was measured, and top risks.

Rules of this file: what a target still allows, and which open commitments come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from events import calendar
from events.domain.periods import Span
from projections.reports.air import days_of, mean, readings, within
from projections.reports.model import Cell, Table
from projections.reports.naming import place_text
from projections.reports.pieces import (
    Case,
    Scene,
    both,
    column,
    counted,
    due_cell,
    lit,
    lit_cell,
    table,
)
from projections.rules.deadlines import days_left, overdue_days
from projections.world import StateRow

RISKS = 10
_COLOURS = ("red", "yellow", "green", "grey")


def window(campaign: StateRow, now: int) -> tuple[int, int, int]:
    """Return the days of a campaign, which of them it is (0 before), and days left."""
    start, end = campaign.state.start, campaign.state.end
    length = (end - start).days + 1
    passed = (calendar.local_date(now) - start).days + 1
    number = min(max(passed, 0), length)
    return length, number, length - number


def targets_table(one: Scene, campaign: StateRow) -> Table:
    """Return each target with the mean to date, and what the rest still allows."""
    columns = (
        column("metric", "Series", "指标"),
        column("place", "Place", "点位"),
        column("target", "Target", "目标", "number"),
        column("actual", "Mean to date", "累计均值", "number"),
        column("days", "Days measured", "有效天数", "int"),
        column("gap", "Above the target", "高于目标", "number"),
        column("needed", "Mean needed for the rest", "剩余日均需控制在", "number"),
        column("unit", "Unit", "单位"),
    )
    start = calendar.start_of_day(campaign.state.start)
    period = Span(start, min(one.now, calendar.end_of_day(campaign.state.end)))
    rows, made = readings(one), []
    for name, target in sorted(campaign.state.targets.items()):
        places = sorted({row.place for row in rows if row.series == name}) or [""]
        for place in places:
            own = within(days_of(rows, name, place), period)
            made.append(
                (
                    Cell(name.upper(), campaign.events),
                    Cell(place_text(one.world, place) if place else None),
                    Cell(float(target.value), campaign.events),
                    mean(own),
                    counted(row.event for row in own),
                    *_rest(one, campaign, target.value, mean(own)),
                    Cell(target.unit, campaign.events),
                )
            )
    note = both(
        "Of all days without a value. Below 0 the target is out of reach.",
        "剩余日均按窗口内全部日历天推算；为负即已无法达标。",
    )
    return table("targets", both("Targets", "目标与实际"), columns, made, note=note)


def _rest(
    one: Scene, campaign: StateRow, target: float, actual: Cell
) -> tuple[Cell, Cell]:
    """Return the gap, and which mean of the days without a value meets the target."""
    length, _, _ = window(campaign, one.now)
    measured, events = len(actual.events), (*campaign.events, *actual.events)
    at = tuple(sorted(set(events)))
    if not isinstance(actual.value, float):
        return Cell(None), Cell(float(target), campaign.events)
    left = length - measured
    gap = Cell(round(actual.value - target, 2), at)
    if left <= 0:
        return gap, Cell(None)
    needed = (target * length - actual.value * measured) / left
    return gap, Cell(round(needed, 2), at)


def risks_table(one: Scene, cases: Sequence[Case]) -> Table:
    """Return the first ten of the red and yellow: the gravest first."""
    columns = (
        column("no", "No.", "序号", "int"),
        column("light", "Light", "亮灯", "light"),
        column("key", "Number", "编号"),
        column("title", "Commitment", "事项"),
        column("unit", "Unit", "责任单位"),
        column("due", "Current due", "现行时限", "date"),
        column("late", "Working days late", "逾期工作日", "int"),
        column("left", "Working days left", "剩余工作日", "int"),
        column("percent", "Done", "完成比例", "percent"),
    )
    rows = [
        (Cell(number, (case.row.position,)), *_risk(one, case))
        for number, case in enumerate(_ranked(one, cases), start=1)
    ]
    note = both(
        "Red before yellow, then the longest overdue, then the next due.",
        "红灯在前，逾期长者在前，再按到期先后排列。",
    )
    return table("risks", both("Top risks", "风险事项"), columns, rows, note=note)


def _ranked(one: Scene, cases: Sequence[Case]) -> list[Case]:
    def key(case: Case) -> tuple[int, int, int, str]:
        due = case.state.current_due
        late = 0 if due is None else overdue_days(due, one.now, one.rules)
        colour = _COLOURS.index(lit(case, one).colour.value)
        return colour, -late, 2**62 if due is None else due, case.key

    risky = [case for case in cases if lit(case, one).colour.value in _COLOURS[:2]]
    return sorted(risky, key=key)[:RISKS]


def _risk(one: Scene, case: Case) -> Iterator[Cell]:
    due, events = case.state.current_due, (case.row.position,)
    rule, percent = one.rules.cite("schedule"), case.row.percent
    late = None if due is None else overdue_days(due, one.now, one.rules)
    left = None if due is None else days_left(due, one.now, one.rules)
    yield lit_cell(case, lit(case, one))
    yield Cell(case.key, events)
    yield Cell(case.state.title, events)
    yield Cell(one.unit(case.state.lead_unit), events)
    yield due_cell(due, events)
    yield Cell(late, events, rule)
    yield Cell(left, events, rule)
    yield Cell(None if percent is None else percent / 100, case.events)
