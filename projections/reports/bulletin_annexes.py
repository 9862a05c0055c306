"""Annexes of a weekly bulletin: what is overdue, the cases, replies to the last one.

Rules of this file: tables. A person is shown by post, unless the outcome was published
by name; then by the reference that the log has, for it knows no names.
"""

from __future__ import annotations

from events.domain.accountability_payloads import FORMS
from events.domain.fields import us
from events.domain.periods import span
from projections.reports.accountability_words import STATUSES
from projections.reports.corrections import known
from projections.reports.flows import overdue
from projections.reports.model import Cell, Table
from projections.reports.pieces import (
    Scene,
    both,
    column,
    due_cell,
    is_within,
    status_text,
    table,
    until,
)
from projections.reports.posts import post_title
from projections.rules.deadlines import overdue_days
from projections.world import Happened, StateRow

_REPLIES = {
    "answered": both("Answered in time", "按期反馈"),
    "late": both("Answered late", "逾期反馈"),
    "none": both("Not answered", "未反馈"),
    "waiting": both("Not yet due", "未到期"),
}


def overdue_table(one: Scene) -> Table:
    """Return what was overdue at the end of the week, by unit and number."""
    at = min(one.now, span(one.question.period).end - 1)
    columns = (
        column("unit", "Unit", "责任单位"),
        column("key", "Number", "编号"),
        column("title", "Commitment", "事项"),
        column("status", "Status", "状态"),
        column("original_due", "Original due", "原定时限", "date"),
        column("due", "Current due", "现行时限", "date"),
        column("days", "Working days late", "逾期天数（工作日）", "int"),
    )
    late = sorted(
        overdue(known(one, ()), at),
        key=lambda row: (row[0].state.lead_unit, row[0].key),
    )
    rule = one.rules.cite("schedule")
    rows = []
    for case, position in late:
        state, events = case.state, (position,)
        late_days = overdue_days(state.current_due or at, at, one.rules)
        rows.append(
            (
                Cell(one.unit(state.lead_unit), events),
                Cell(case.key, events),
                Cell(state.title, events),
                Cell(status_text(state.status), case.events),
                due_cell(state.original_due, events),
                due_cell(state.current_due, events),
                Cell(late_days, events, rule),
            )
        )
    title = both("Overdue at the end of the week", "截至本周末逾期事项")
    note = both("Due dates are last days.", "时限为最后一日，当日24时届满。")
    return table("overdue", title, columns, rows, note=note)


def cases_table(one: Scene) -> Table:
    """Return the cases in which anything happened in the week, by number."""
    week = until(span(one.question.period), one.now)
    columns = (
        column("case", "Case", "案件编号"),
        column("title", "About", "事由"),
        column("unit", "Unit", "单位"),
        column("who", "Post", "责任人（职务）"),
        column("form", "Form", "追责形式"),
        column("decided", "Decided", "决定时间", "instant"),
        column("status", "Status", "状态"),
    )
    happened: dict[str, list[Happened]] = {}
    for event in one.world.events(types=("henji.accountability.*",)):
        happened.setdefault(event.stream, []).append(event)
    rows = []
    for row in one.world.states("accountability"):
        told = happened.get(row.stream, [])
        events = tuple(e.position for e in told if is_within(week, e.occurred))
        if events:
            state = row.state
            values = (
                row.key,
                _title(told),
                one.unit(state.unit),
                _who(row, told, one),
                None if state.form is None else both(*FORMS[state.form]),
                state.decided_at,
                STATUSES[state.status],
            )
            rows.append(tuple(Cell(value, events) for value in values))
    title = both("Cases of the week", "本周追责案件")
    return table("cases", title, columns, rows)


def replies_table(one: Scene, name: str, week: str) -> Table:
    """Return each demand of the issue of a week: answered, late, or not at all."""
    columns = (
        column("item", "No.", "序号"),
        column("unit", "Unit", "责任单位"),
        column("demand", "Demand", "整改要求"),
        column("due", "Answer by", "反馈时限", "instant"),
        column("answered", "Answered", "反馈时间", "instant"),
        column("result", "Result", "反馈情况"),
        column("answer", "Answer", "反馈内容"),
    )
    editions = [
        row
        for row in one.world.states("report")
        if (row.state.name, row.state.period) == (name, week)
        and row.state.unit is None
        and row.state.replaced_by is None
    ]
    title = both("Replies to the last issue", "上期通报整改反馈情况")
    if not editions:
        empty = both("No issue of the week before is on record.", "上期通报未定稿。")
        return table("replies", title, columns, (), empty=empty)
    last = max(editions, key=lambda row: row.state.edition)
    events = [
        e for e in one.world.events(streams=(last.stream,)) if e.occurred <= one.now
    ]
    rows = _replies(one, events)
    return table("replies", title, columns, rows)


def _replies(one: Scene, events: list[Happened]) -> list[tuple[Cell, ...]]:
    answers: dict[tuple[str, str], Happened] = {}
    for event in events:
        if event.type == "henji.report.answered.v1":
            answers.setdefault((event.data.unit, event.data.item), event)
    frozen = [event for event in events if event.type == "henji.report.frozen.v1"]
    rows = []
    for event in frozen:
        for demand in event.data.demands:
            answer = answers.get((demand.unit, demand.item))
            due = None if demand.due is None else us(demand.due)
            at = (event.position, *(() if answer is None else (answer.position,)))
            values = (
                demand.item,
                one.unit(demand.unit),
                demand.text,
                due,
                None if answer is None else answer.occurred,
                _REPLIES[_result(due, answer, one.now)],
                None if answer is None else answer.data.text,
            )
            rows.append(tuple(Cell(value, at) for value in values))
    return rows


def _result(due: int | None, answer: Happened | None, now: int) -> str:
    if answer is not None:
        return "late" if due is not None and answer.occurred > due else "answered"
    return "waiting" if due is None or now <= due else "none"


def _title(told: list[Happened]) -> str | None:
    titles = [e.data.title for e in told if hasattr(e.data, "title")]
    return titles[-1] if titles else None


def _who(row: StateRow, told: list[Happened], one: Scene) -> str | None:
    """Return the post's title, as it was when the case was opened."""
    state = row.state
    if any(
        e.type == "henji.accountability.published.v1" and e.data.by_name for e in told
    ):
        found: str | None = state.person_ref
        return found
    return post_title(one, state.post, state.opened_at)
