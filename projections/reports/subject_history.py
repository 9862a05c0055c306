"""What happened about a subject: visits, problems, penalties, readings, evidence.

Rules of this file: tables in the order of time. Evidence is listed by digest, with the
event that brought it: whoever has the material can check that it is the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from events.domain import codelists
from events.domain.accountability_payloads import FORMS
from events.domain.inspection_state import KINDS
from projections.reports.accountability_words import STATUSES as CASE_STATUSES
from projections.reports.air import readings
from projections.reports.issue_words import ORIGINS, STATUSES
from projections.reports.model import Cell, Table, Text
from projections.reports.naming import (
    listing,
    measure_text,
    stream_text,
    streams_text,
)
from projections.reports.pieces import (
    both,
    column,
    due_cell,
    event_text,
    lit,
    lit_cell,
    status_text,
)
from projections.reports.subject_streams import File, filed
from projections.rules.records import is_late
from projections.world import Happened, StateRow

_SIGNED = {"signed": both("Signed", "已签字"), "declined": both("Declined", "拒签")}
_VIOLATIONS = {
    "recorded": both("Recorded", "待确认"),
    "confirmed": both("Confirmed", "已确认"),
    "revoked": both("Revoked", "已撤销"),
}
_SHORT = 12


def visits(file: File) -> Table:
    """Return every visit with the results of its checklist for this subject."""
    columns = (
        column("time", "Begun", "开始时间", "instant"),
        column("visit", "Visit", "检查编号"),
        column("kind", "Kind", "类别"),
        column("unit", "Unit", "检查单位"),
        column("checklist", "Checklist", "检查表"),
        column("passed", "Passed", "合格项", "int"),
        column("failed", "Failed", "不合格项", "int"),
        column("signed", "Signed by the subject", "被检方签字"),
    )
    rows = [_visit(file, row) for row in file.visits]
    rows.sort(key=lambda row: (row[0].value or 0, str(row[1].value)))
    return filed("visits", both("Visits", "检查记录"), columns, rows)


def failed(file: File) -> Table:
    """Return every item of a checklist that this subject failed, by time."""
    columns = (
        column("time", "Checked", "核对时间", "instant"),
        column("visit", "Visit", "检查编号"),
        column("item", "Item", "检查项"),
        column("note", "Note", "情况说明"),
    )
    rows = [
        tuple(
            Cell(value, (event.position,))
            for value in (
                event.occurred,
                row.key,
                _item(event.data.checklist, event.data.item),
                event.data.note,
            )
        )
        for row in file.visits
        for event in _checked(file, row)
        if event.data.result == "fail"
    ]
    rows.sort(key=lambda row: (row[0].value, row[0].events))
    return filed("failed", both("Items failed", "不合格项"), columns, rows)


def issues(file: File) -> Table:
    """Return every problem with what became of it, before and after."""
    columns = (
        column("time", "Found", "发现时间", "instant"),
        column("issue", "Number", "问题编号"),
        column("problem", "Problem", "问题"),
        column("origin", "Found by", "来源"),
        column("status", "Status", "状态"),
        column("fixed", "Fixed", "解决时间", "instant"),
        column("commitment", "Handed over as", "交办编号"),
        column("before", "Evidence before", "整改前佐证"),
        column("after", "Evidence after", "整改后佐证"),
    )
    rows = [_issue(file, row) for row in file.issues]
    rows.sort(key=lambda row: (row[0].value, str(row[1].value)))
    return filed("issues", both("Problems", "问题与整改"), columns, rows)


def violations(file: File) -> Table:
    """Return the violations of orders by this site."""
    columns = (
        column("time", "Found", "发现时间", "instant"),
        column("order", "Order", "管控令"),
        column("violation", "Number", "违规编号"),
        column("status", "Status", "状态"),
    )
    rows = []
    for order in file.orders:
        told = [e.position for e in file.on(order.stream)]
        for name, one in sorted(order.state.violations.items()):
            if one.site == file.key:
                values = (one.found_at, order.key, name, _VIOLATIONS[one.status])
                rows.append(tuple(Cell(value, tuple(told)) for value in values))
    rows.sort(key=lambda row: (row[0].value, str(row[2].value)))
    return filed("violations", both("Violations", "违反管控令"), columns, rows)


def cases(file: File) -> Table:
    """Return the cases that cite an event about this subject as a fact."""
    columns = (
        column("case", "Case", "案件编号"),
        column("unit", "Unit", "单位"),
        column("form", "Form", "追责形式"),
        column("status", "Status", "状态"),
    )
    rows = []
    for row in file.cases:
        form = row.state.form
        values = (
            row.key,
            file.one.unit(row.state.unit),
            None if form is None else both(*FORMS[form]),
            CASE_STATUSES[row.state.status],
        )
        rows.append(tuple(Cell(value, row.events) for value in values))
    return filed("cases", both("Accountability", "追责"), columns, rows)


def readings_table(file: File) -> Table:
    """Return what was measured at this subject, by period and series."""
    columns = (
        column("period", "Period", "时段"),
        column("series", "Series", "指标"),
        column("value", "Value", "数值", "number"),
        column("unit", "Unit", "单位"),
    )
    own = [row for row in readings(file.one) if row.place == file.key]
    rows = []
    for row in sorted(own, key=lambda one: (one.period, one.series)):
        value = None if row.value is None else float(row.value)
        series, unit = row.series.upper(), measure_text(row.unit)
        values = (row.period, series, value, unit)
        rows.append(tuple(Cell(told, (row.event,)) for told in values))
    return filed("readings", both("Measurements", "监测数据"), columns, rows)


def promises(file: File) -> Table:
    """Return the commitments that problems of this subject were handed over as."""
    columns = (
        column("key", "Number", "编号"),
        column("title", "Commitment", "事项"),
        column("unit", "Unit", "责任单位"),
        column("due", "Current due", "现行时限", "date"),
        column("light", "Light", "亮灯", "light"),
        column("status", "Status", "状态"),
    )
    rows = [
        (
            Cell(case.key, case.events),
            Cell(case.state.title, case.events),
            Cell(file.one.unit(case.state.lead_unit), case.events),
            due_cell(case.state.current_due, case.events),
            lit_cell(case, lit(case, file.one)),
            Cell(status_text(case.state.status), case.events),
        )
        for case in file.one.cases
        if case.key in file.commitments
    ]
    return filed("promises", both("Promises", "承诺事项"), columns, rows)


def timeline(file: File) -> Table:
    """Return every event about this subject in the order in which it happened."""
    columns = (
        column("occurred", "Happened", "发生时间", "instant"),
        column("recorded", "Recorded", "记录时间", "instant"),
        column("what", "Event", "事件"),
        column("stream", "Stream", "对象"),
        column("unit", "Unit", "单位"),
        column("position", "Position", "日志位置", "int"),
        column("late", "Recorded late", "补录"),
    )
    rules, rows = file.one.rules, []
    for event in sorted(file.events, key=lambda e: (e.occurred, e.position)):
        late = is_late(event.occurred, event.recorded, rules)
        at = (event.position,)
        values = (
            event.occurred,
            event.recorded,
            event_text(event.type),
            stream_text(event.stream),
            file.one.unit(event.unit),
            event.position,
        )
        flag = both("Late", "补录") if late else None
        cells = [Cell(value, at) for value in values]
        rows.append((*cells, Cell(flag, at, rules.cite("late_record"))))
    return filed("timeline", both("Timeline", "事件时间线"), columns, rows)


def evidence(file: File) -> Table:
    """Return each content once, by first use, with all events that refer to it."""
    columns = (
        column("no", "No.", "序号", "int"),
        column("sha256", "SHA-256", "SHA-256"),
        column("sm3", "SM3", "SM3"),
        column("media_type", "Media type", "类型"),
        column("first", "First used", "首次使用", "instant"),
        column("by", "Used by", "使用对象"),
        column("uses", "Uses", "引用次数", "int"),
    )
    used: dict[str, list[Happened]] = {}
    for event in file.events:
        for digest in digests(event):
            used.setdefault(digest, []).append(event)
    stored = {
        event.data.sha256: event
        for event in file.one.world.events(types=("henji.evidence.stored.v1",))
    }
    rows = [
        _content(number, digest, used[digest], stored.get(digest))
        for number, digest in enumerate(used, start=1)
    ]
    return filed("evidence", both("Evidence", "佐证目录"), columns, rows)


def digests(event: Happened) -> tuple[str, ...]:
    """Return the contents that an event refers to, each once."""
    found = getattr(event.data, "evidence", ())
    return tuple(
        dict.fromkeys(one if isinstance(one, str) else one.sha256 for one in found)
    )


def _content(
    number: int, digest: str, uses: list[Happened], stored: Happened | None
) -> tuple[Cell, ...]:
    at = tuple(sorted({event.position for event in uses}))
    kept = None if stored is None else stored.data
    known = () if stored is None else (stored.position,)
    return (
        Cell(number, at),
        Cell(digest, at),
        Cell(None if kept is None else kept.sm3, known),
        Cell(None if kept is None else kept.media_type, known),
        Cell(min(event.occurred for event in uses), at),
        Cell(streams_text(dict.fromkeys(event.stream for event in uses)), at),
        Cell(len(at), at),
    )


def _visit(file: File, row: StateRow) -> tuple[Cell, ...]:
    state, own = row.state, file.on(row.stream)
    last = {event.data.item: event for event in _checked(file, row)}
    begun = state.started_at
    at = tuple(event.position for event in own)
    return (
        Cell(begun, at),
        Cell(row.key, at),
        Cell(both(*KINDS[state.kind]), at),
        Cell(file.one.unit(state.unit), at),
        Cell(_list_name(state.checklist), at),
        _with_result(last.values(), "pass"),
        _with_result(last.values(), "fail"),
        _signature(file, own),
    )


def _checked(file: File, row: StateRow) -> list[Happened]:
    """Return what a visit checked at this subject, in the order of the log."""
    return [
        event
        for event in file.on(row.stream)
        if event.type == "henji.inspection.item_checked.v1"
        and row.state.target_of(event.data.target) == file.row.stream
    ]


def _list_name(ref: str | None) -> Text | str | None:
    """Return what a checklist is called, with its version."""
    found = None if ref is None else codelists.find(ref)
    if found is None:
        return ref
    version = found.ref.partition("/")[2]
    return both(f"{found.en} ({version})", f"{found.zh}（{version}）")


def _item(ref: str, item: str) -> Text | str:
    """Return what an item of a checklist is called."""
    found = codelists.find(ref)
    for row in () if found is None else found.items:
        if row.id == item:
            return both(row.en, row.zh)
    return item


def _with_result(checked: Iterable[Happened], result: str) -> Cell:
    """Count items of a checklist: each is one event, the last of its item."""
    events = sorted(e.position for e in checked if e.data.result == result)
    return Cell(len(events), tuple(events))


def _signature(file: File, own: list[Happened]) -> Cell:
    for event in reversed(own):
        signed = event.type == "henji.inspection.signed_by_subject.v1"
        if signed and event.data.subject == file.key:
            return Cell(_SIGNED[event.data.signed], (event.position,))
    return Cell(None)


def _issue(file: File, row: StateRow) -> tuple[Cell, ...]:
    state, own = row.state, file.on(row.stream)
    first, later = own[:1], own[1:]
    at = tuple(event.position for event in own)
    title: str | Text | None = first[0].data.title if first else None
    fixed = state.fixed_at
    return (
        Cell(state.found_at, at[:1]),
        Cell(row.key, at[:1]),
        Cell(title, at[:1]),
        Cell(ORIGINS[state.found_by], at[:1]),
        Cell(STATUSES[state.status], at),
        Cell(fixed, at),
        Cell(state.commitment, at),
        _pictures(first),
        _pictures(later),
    )


def _pictures(events: list[Happened]) -> Cell:
    """Show digests shortened; the list of evidence has them whole."""
    found = {digest: event.position for event in events for digest in digests(event)}
    names = listing(digest[:_SHORT] for digest in found)
    return Cell(names, tuple(sorted(set(found.values()))))
