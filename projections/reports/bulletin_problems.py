"""The named items of a weekly bulletin, and what it demands of each unit for them.

Rules of this file: what is a named item, and the demand that follows from it. An item
is derived from events; nothing here is typed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from events.domain.periods import Span, span
from projections.reports.corrections import known
from projections.reports.flows import overdue
from projections.reports.model import Cell, Demand, Table, Text
from projections.reports.pieces import (
    Case,
    Scene,
    both,
    column,
    due_cell,
    is_within,
    table,
    until,
)
from projections.rules import days
from projections.rules.conduct import inaction, slow_action
from projections.rules.courses import GREY
from projections.rules.derived import Derived

#: A demand is answered by the end of so many working days after the week.
ANSWER_DAYS = 5
#: Most items that a demand names: its text is sealed, and has an end.
_NAMED = 50
PROBLEMS: Mapping[str, Text] = MappingProxyType(
    {
        "overdue": both("Overdue", "逾期"),
        "returned": both("Returned in the week", "本周退回"),
        "relapsed": both("Relapsed in the week", "本周反弹"),
        "inaction": both("Inaction", "不作为"),
        "slow_action": both("Slow action", "慢作为"),
    }
)


class Problem(NamedTuple):
    """One named item: a commitment, what is wrong with it, and what shows that."""

    case: Case
    what: str
    events: tuple[int, ...]
    rule: str


def problems(one: Scene) -> tuple[Problem, ...]:
    """Return the named items of a week, by unit, commitment and what is wrong."""
    week = until(span(one.question.period), one.now)
    at = min(one.now, week.end - 1)
    late = {case.key: position for case, position in overdue(known(one, ()), at)}
    found = []
    for case in one.cases:
        if case.key in late:
            rule = one.rules.cite("schedule")
            found.append(Problem(case, "overdue", (late[case.key],), rule))
        found += _setbacks(case, week)
        if case.state.status not in GREY:
            found += _conduct(case, at, one)
    order = list(PROBLEMS)
    found.sort(
        key=lambda row: (row.case.state.lead_unit, row.case.key, order.index(row.what))
    )
    return tuple(found)


def demands(one: Scene, found: Sequence[Problem]) -> tuple[Demand, ...]:
    """Return one demand for each unit with a named item, by unit: numbers 1, 2, 3."""
    week = span(one.question.period)
    due = days.after(one.rules.table, week.end - 1, ANSWER_DAYS)
    units: dict[str, dict[str, Problem]] = {}
    for row in found:
        units.setdefault(row.case.state.lead_unit, {})[row.case.key] = row
    made = []
    for number, (unit, rows) in enumerate(sorted(units.items()), start=1):
        text = _demanded(sorted(rows))
        events = {
            position
            for row in found
            if row.case.state.lead_unit == unit
            for position in row.events
        }
        made.append(Demand(str(number), unit, text, due, tuple(sorted(events))))
    return tuple(made)


def _demanded(keys: Sequence[str]) -> Text:
    """Name what is to be rectified; of very many the first, and how many there are."""
    named, more = keys[:_NAMED], len(keys) - _NAMED
    others = f" and {more} more" if more > 0 else ""
    return both(
        f"Rectify and report: {', '.join(named)}{others}.",
        f"对{'、'.join(named)}等{len(keys)}项逐项整改并反馈。",
    )


def _setbacks(case: Case, week: Span) -> Iterator[Problem]:
    wanted = (
        ("returned", "verification_recorded", "fail"),
        ("relapsed", "lookback_recorded", "relapsed"),
    )
    for what, event, result in wanted:
        events = tuple(
            step.event.position
            for step in case.steps
            if step.what == event
            and step.event.data.result == result
            and is_within(week, step.event.occurred)
        )
        if events:
            yield Problem(case, what, events, "")


def _conduct(case: Case, at: int, one: Scene) -> Iterator[Problem]:
    for what, judge in (("inaction", inaction), ("slow_action", slow_action)):
        told: Derived[bool] | None = judge(case.course, at, one.rules)
        if told is not None and told.value:
            yield Problem(case, what, told.events, told.rule)


def problems_table(one: Scene, found: Sequence[Problem]) -> Table:
    """Return the named items."""
    columns = (
        column("unit", "Unit", "责任单位"),
        column("key", "Number", "编号"),
        column("title", "Commitment", "事项"),
        column("problem", "Problem", "问题"),
        column("due", "Current due", "现行时限", "date"),
    )
    rows = [
        (
            Cell(one.unit(row.case.state.lead_unit), row.events),
            Cell(row.case.key, row.events),
            Cell(row.case.state.title, row.events),
            Cell(PROBLEMS[row.what], row.events, row.rule),
            due_cell(row.case.state.current_due, row.events),
        )
        for row in found
    ]
    return table("problems", both("Named items", "问题事项"), columns, rows)


def demands_table(one: Scene, asked: Sequence[Demand]) -> Table:
    """Return the demands."""
    columns = (
        column("item", "No.", "序号"),
        column("unit", "Unit", "责任单位"),
        column("demand", "Demand", "整改要求"),
        column("due", "Answer by", "反馈时限", "date"),
    )
    rows = [
        (
            Cell(row.item, row.events),
            Cell(one.unit(row.unit), row.events),
            Cell(row.text, row.events),
            due_cell(row.due, row.events),
        )
        for row in asked
    ]
    title = both("Demands", "整改要求")
    return table("demands", title, columns, rows)
