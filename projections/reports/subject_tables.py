"""What is on file about a subject: facts, plans, schedules, alert measures.

Rules of this file: tables of a subject's own stream and of its measures. Papers are in
subject_papers.py.
"""

from __future__ import annotations

from events.domain.codelists import published
from projections.reports.air import COLOUR_NAMES
from projections.reports.alert_words import STANDINGS
from projections.reports.issue_words import KINDS, SUBJECT_STATUSES
from projections.reports.model import Cell, Column, Table, Text, Value
from projections.reports.naming import listing, stream_text
from projections.reports.pieces import both, column, join
from projections.reports.subject_streams import NOT_RECORDED, File, filed
from projections.rules.alert_measures import standing
from projections.world import Happened

_CATEGORIES = {
    "scattered": both("Scattered", "散"),
    "disorderly": both("Disorderly", "乱"),
    "polluting": both("Polluting", "污"),
}
_HANDLINGS = {
    "ban": both("Ban", "关停取缔"),
    "relocate": both("Relocate", "整合搬迁"),
    "upgrade": both("Upgrade", "升级改造"),
}


def basics(file: File) -> Table:
    """Return the facts of the file, each with the event that says it."""
    columns = (column("item", "Item", "项目"), column("value", "Value", "内容"))
    state, said = file.row.state, file.on(file.row.stream)
    first = said[0] if said else None
    at = () if first is None else (first.position,)
    data = None if first is None else first.data
    cell = None if state.grid is None else file.one.world.state(f"grid/{state.grid}")
    drawn = () if cell is None else cell.events
    workers = () if cell is None else cell.state.workers_at(file.one.now)
    geo = None if data is None or data.latitude is None else data
    sorting = _of(file, "subject.classified")
    rows: list[tuple[Text, Value, tuple[int, ...]]] = [
        (both("Name", "名称"), state.name, at),
        (both("Number", "编号"), file.key, at),
        (both("Kind", "类别"), KINDS[state.kind], at),
        (both("Unified social credit code", "统一社会信用代码"), state.code, at),
        (both("Address", "地址"), None if data is None else data.address, at),
        (
            both("Position", "坐标"),
            None if geo is None else f"{geo.longitude}, {geo.latitude}",
            at,
        ),
        (
            both("Grid cell", "所属网格"),
            state.grid if cell is None else cell.state.name,
            (*at, *drawn),
        ),
        (both("Grid workers", "网格员"), listing(workers), drawn),
        (both("Industry", "行业"), None if data is None else data.industry, at),
        (both("Legal person", "法定代表人"), None, ()),
        (both("Status", "状态"), SUBJECT_STATUSES[state.status], _changes(file)),
        (both("Category", "分类"), _category(file), sorting),
        (both("Handling", "处置方式"), _handling(file), sorting),
    ]
    cells = [(Cell(title), _fact(value, events)) for title, value, events in rows]
    return filed("basics", both("Basic facts", "基本信息"), columns, cells)


def _fact(value: Value, events: tuple[int, ...]) -> Cell:
    """Return a fact with the events that say it; nobody said what is not recorded."""
    if value is None:
        return Cell(NOT_RECORDED)
    return Cell(value, tuple(sorted({*events})))


def plans(file: File) -> Table:
    """Return every version of the plan, with each measure."""
    columns = (
        column("version", "Version", "版本", "int"),
        column("approved", "Approved", "批准时间", "instant"),
        column("title", "Plan", "方案"),
        column("measure", "Measure", "措施"),
    )
    rows = [
        tuple(
            Cell(value, (event.position,))
            for value in (
                event.data.version,
                event.occurred,
                event.data.title,
                f"{measure.code} {measure.text}",
            )
        )
        for event in file.of("subject.plan_approved")
        for measure in event.data.measures
    ]
    return filed("plans", both("Plans", "一企一策各版本"), columns, rows)


def schedules(file: File) -> Table:
    """Return the schedules of staggered production and the seals, by first day."""
    columns = (
        column("kind", "Order", "要求"),
        column("start", "From", "起", "date"),
        column("end", "To", "止", "date"),
        column("limit", "Share of capacity", "限产比例", "percent"),
        column("basis", "Basis", "依据"),
    )
    rows = [_schedule(event) for event in file.of(*_SCHEDULES)]
    rows.sort(key=lambda row: (str(row[1].value), row[1].events))
    title = both("Staggered production and seals", "错峰生产及封土")
    return filed("schedules", title, columns, rows)


def alert_plan(file: File) -> Table:
    """Return the measures of the plan in force, by alert colour."""
    columns = (
        column("colour", "Alert", "预警等级"),
        column("code", "Code", "代码"),
        column("measure", "Measure", "措施"),
    )
    approved = file.of("subject.plan_approved")
    rows = []
    for event in approved[-1:]:
        found = [m for m in event.data.measures if m.alert is not None]
        order = list(COLOUR_NAMES)
        for measure in sorted(found, key=lambda m: (order.index(m.alert), m.code)):
            values = (COLOUR_NAMES[measure.alert], measure.code, measure.text)
            rows.append(tuple(Cell(value, (event.position,)) for value in values))
    title = both("Measures by alert colour", "各级预警减排措施")
    return filed("alert_plan", title, columns, rows)


def measures(file: File) -> Table:
    """Return what alerts demanded of the subject, and what came of it."""
    columns: tuple[Column, ...] = (
        column("alert", "Alert", "预警"),
        column("measure", "Measure", "措施"),
        column("required", "Required", "下达时间", "instant"),
        column("due", "Due", "时限", "instant"),
        column("applied", "Taken", "落实时间", "instant"),
        column("result", "Result", "落实情况"),
    )
    one, alerts = (
        file.one,
        {row.key: row.state for row in file.one.world.states("alert")},
    )
    rows = []
    for row in file.measures:
        state = row.state
        found = standing(row, alerts.get(state.alert), one.now, rules=one.rules)
        values = (
            state.alert,
            _measure(state.measure),
            state.required_at,
            state.due,
            state.applied_at,
        )
        result = STANDINGS[found.value.compliance]
        cells = [Cell(value, row.events) for value in values]
        rows.append((*cells, Cell(result, found.events, found.rule)))
    return filed("measures", both("Under alerts", "应急措施落实"), columns, rows)


_SCHEDULES = ("subject.schedule_set", "subject.seal_applied")


def _schedule(event: Happened) -> tuple[Cell, ...]:
    data, at = event.data, (event.position,)
    staggered = event.type == "henji.subject.schedule_set.v1"
    kind = both("Staggered", "错峰生产") if staggered else both("Sealed", "封土")
    return (
        Cell(kind, at),
        Cell(data.start.isoformat(), at),
        Cell(data.end.isoformat(), at),
        Cell(data.limit_percent / 100 if staggered else None, at),
        Cell(data.basis if staggered else stream_text(f"order/{data.order}"), at),
    )


def _changes(file: File) -> tuple[int, ...]:
    return _of(file, "subject.registered", "subject.status_changed", "subject.merged")


def _of(file: File, *kinds: str) -> tuple[int, ...]:
    return tuple(
        event.position for event in file.of(*kinds) if event.stream == file.row.stream
    )


def _category(file: File) -> Text | None:
    held = file.row.state.categories
    return join(text for name, text in _CATEGORIES.items() if name in held)


def _handling(file: File) -> Text | None:
    handling = file.row.state.handling
    return None if handling is None else _HANDLINGS[handling]


def _measure(code: str) -> Text:
    """Return what a measure is called, in the newest list that has it."""
    for row in reversed(list(published().values())):
        for item in row.items if row.name == "alert-measure" else ():
            if item.id == code:
                return both(item.en, item.zh)
    return both(code, code)
