"""The tables of the daily brief 日研判简报.

Rules of this file: one function a table, each of one day and of the units asked for.
A subject that was looked at is counted by the event that opened its file.
"""

from __future__ import annotations

from events import calendar
from events.domain.periods import Span, day_of, span
from projections.reports.air import days_of, mean, one_day, readings, within
from projections.reports.corrections import Known
from projections.reports.daily_figures import Places
from projections.reports.issue_words import DUTIES, KINDS
from projections.reports.model import Cell, Table
from projections.reports.naming import measure_text, place_text, stream_text
from projections.reports.pieces import (
    Scene,
    both,
    cases_of,
    column,
    counted,
    due_cell,
    event_text,
    is_within,
    lit_cell,
    table,
    until,
)
from projections.rules.coverage import FREQUENCIES, patrols
from projections.rules.deadlines import days_left, overdue_days
from projections.rules.lights import light
from projections.rules.records import late_records


def _day(one: Scene, day: str) -> Span:
    return until(span(day), one.now)


def air(one: Scene, day: str) -> Table:
    """Return each measured series: the day, the month and year to date, the rank."""
    columns = (
        column("series", "Series", "指标"),
        column("place", "Place", "点位"),
        column("unit", "Unit", "计量单位"),
        column("day", "Day", "当日", "number"),
        column("month", "Month to date", "本月均值", "number"),
        column("year", "Year to date", "本年均值", "number"),
        column("rank", "Rank", "排名", "number"),
        column("forecast", "Forecast for tomorrow", "次日预报", "number"),
    )
    rows = readings(one)
    end = span(day).end
    tomorrow = day_of(end)
    made = []
    for series, place, unit in sorted({(r.series, r.place, r.unit) for r in rows}):
        if series.endswith("-rank"):
            continue
        own = days_of(rows, series, place)
        ahead = [r for r in rows if r[:3] == (series, place, tomorrow)]
        told = [r for r in ahead if r.forecast is not None]
        made.append(
            (
                Cell(series.upper()),
                Cell(place_text(one.world, place)),
                Cell(measure_text(unit)),
                one_day(rows, series, place, day),
                mean(within(own, Span(span(day[:7]).start, end))),
                mean(within(own, Span(span(day[:4]).start, end))),
                one_day(rows, f"{series}-rank", place, day),
                Cell(float(told[0].forecast or 0), (told[0].event,))
                if told
                else Cell(None),
            )
        )
    note = both("Means are of valid daily readings.", "均值按有效日数据计算。")
    return table("air", both("Air", "空气质量"), columns, made, note=note)


def subjects(one: Scene, day: str, where: Places) -> Table:
    """Count the different subjects that visits of the day looked at, by kind."""
    columns = (
        column("kind", "Kind", "对象类别"),
        column("count", "Looked at", "检查数（个）", "int"),
    )
    files = {row.stream: row for row in one.world.states("subject")}
    streams = {
        event.stream
        for event in one.world.events(types=("henji.inspection.started.v1",))
        if is_within(_day(one, day), event.occurred)
    }
    seen: dict[str, set[int]] = {}
    for row in one.world.states("inspection"):
        if row.stream in streams and where.unit in {None, row.state.unit}:
            for target in row.state.targets:
                if target in files:
                    kind = files[target].state.kind
                    seen.setdefault(kind, set()).add(files[target].events[0])
    rows = [(Cell(KINDS[kind]), counted(seen[kind])) for kind in KINDS if kind in seen]
    title = both("Subjects looked at", "检查对象")
    note = both("Each subject counts once.", "同一对象当日只计一次。")
    return table("subjects", title, columns, rows, note=note)


def patrol_cells(one: Scene, day: str) -> Table:
    """Return, by level, the cells walked as often as is required up to the day."""
    columns = (
        column("level", "Level", "网格级别", "int"),
        column("required", "Cells required", "应巡网格（个）", "int"),
        column("met", "Walked as required", "已按频次巡查（个）", "int"),
    )
    end = min(one.now, span(day).end)
    drawn = {row.key: row.events[0] for row in one.world.states("grid")}
    rows = []
    for level, often in sorted(FREQUENCIES.items()):
        period = Span(end - often.days * calendar.DAY_US, end)
        only = {level: often}
        told = [
            row
            for row in patrols(one.world, period, rules=one.rules, frequencies=only)
            if one.question.unit in {None, row.value.unit}
        ]
        if told:
            required = [drawn[r.value.cell] for r in told if r.value.required]
            met = [drawn[r.value.cell] for r in told if r.value.met]
            rule = told[0].rule
            cells = counted(required, rule), counted(met, rule)
            rows.append((Cell(level, cells[0].events), *cells))
    title = both("Cells walked", "网格巡查覆盖")
    return table("cells", title, columns, rows)


def risks(one: Scene, facts: Known, day: str) -> Table:
    """Return what is red or yellow at the end of the day: red first, then by due."""
    columns = (
        column("light", "Light", "亮灯", "light"),
        column("key", "Number", "编号"),
        column("title", "Commitment", "事项"),
        column("unit", "Unit", "责任单位"),
        column("due", "Current due", "现行时限", "date"),
        column("left", "Working days left", "剩余工作日", "int"),
        column("late", "Working days late", "逾期工作日", "int"),
    )
    at = min(one.now, span(day).end - 1)
    rule = one.rules.cite("schedule")
    rows = []
    for case in cases_of(facts.courses, at):
        shown = light(case.row, at, one.rules)
        mine = one.question.unit in {None, case.state.lead_unit}
        if mine and shown.colour.value in {"red", "yellow"}:
            due, events = case.state.current_due, (case.row.position,)
            left = None if due is None else days_left(due, at, one.rules)
            late_days = None if due is None else overdue_days(due, at, one.rules)
            rows.append(
                (
                    lit_cell(case, shown),
                    Cell(case.key, events),
                    Cell(case.state.title, events),
                    Cell(one.unit(case.state.lead_unit), events),
                    due_cell(due, events),
                    Cell(left, events, rule),
                    Cell(late_days, events, rule),
                )
            )
    rows.sort(key=lambda row: (row[0].value != "red", row[4].value or 0, row[1].value))
    return table("risks", both("At risk", "红黄灯事项"), columns, rows)


def analysis(one: Scene, day: str) -> Table:
    """Return what units wrote about the day when they met their daily duty."""
    columns = (
        column("unit", "Unit", "单位"),
        column("text", "Causes and orders", "原因研判及工作安排"),
    )
    rows = []
    for event in one.world.events(types=("henji.obligation.met.v1",)):
        row = one.world.state(event.stream)
        if row is None or row.state.period != day or event.data.note is None:
            continue
        if one.question.unit in {None, row.state.unit}:
            at = (event.position,)
            rows.append((Cell(one.unit(row.state.unit), at), Cell(event.data.note, at)))
    return table("analysis", both("Analysis", "研判意见"), columns, rows)


def orders(one: Scene, day: str) -> Table:
    """Return the commitments that were put on record on the day."""
    columns = (
        column("key", "Number", "编号"),
        column("title", "Commitment", "事项"),
        column("unit", "Unit", "责任单位"),
        column("due", "Due", "时限", "date"),
    )
    rows = []
    for case in one.cases:
        mine = one.question.unit in {None, case.state.lead_unit}
        if mine and is_within(_day(one, day), case.state.registered_at):
            at = (case.row.registered_position,)
            rows.append(
                (
                    Cell(case.key, at),
                    Cell(case.state.title, at),
                    Cell(one.unit(case.state.lead_unit), at),
                    due_cell(case.state.original_due, at),
                )
            )
    return table("orders", both("Orders", "当日立项事项"), columns, rows)


def missing(one: Scene, day: str) -> Table:
    """Return the duties of the day that were not met, or met late."""
    columns = (
        column("unit", "Unit", "单位"),
        column("kind", "Duty", "义务"),
        column("due", "Due", "时限", "instant"),
        column("status", "Status", "情况"),
    )
    rows = []
    for row in one.world.states("obligation"):
        state = row.state
        if state.period != day or one.question.unit not in {None, state.unit}:
            continue
        status = (
            "overdue"
            if state.status == "scheduled" and one.now > state.due
            else state.status
        )
        if status in DUTIES:
            cells = (one.unit(state.unit), state.kind, state.due, DUTIES[status])
            rows.append(tuple(Cell(value, row.events) for value in cells))
    empty = both("No duty was missed.", "无缺报。")
    return table("missing", both("Duties", "缺报情况"), columns, rows, empty=empty)


def late(one: Scene, day: str) -> Table:
    """Return what was recorded late on the day."""
    columns = (
        column("stream", "About", "对象"),
        column("what", "Event", "事件"),
        column("occurred", "Happened", "发生时间", "instant"),
        column("recorded", "Recorded", "记录时间", "instant"),
        column("unit", "Unit", "单位"),
        column("days", "Days later", "滞后天数", "int"),
    )
    happened = {event.position: event for event in one.world.events()}
    rows = []
    for told in late_records(one.world, _day(one, day)):
        event = happened[told.value.position]
        if one.question.unit not in {None, event.unit}:
            continue
        values = (
            stream_text(event.stream),
            event_text(event.type),
            event.occurred,
            event.recorded,
            one.unit(event.unit),
            told.value.days,
        )
        rows.append(tuple(Cell(value, told.events, told.rule) for value in values))
    return table("late", both("Recorded late", "补录"), columns, rows)
