"""Report 2, 周通报: the weekly bulletin on supervision and accountability.

Rules of this file: its five parts and their annexes. Figures are in flows.py, places in
ranking.py; what is demanded of a unit follows from its named items, never typed in.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.domain.accountability_payloads import FORMS
from events.domain.periods import span
from projections.reports.annexes import annex, issue_number
from projections.reports.bulletin_annexes import (
    cases_table,
    overdue_table,
    replies_table,
)
from projections.reports.bulletin_problems import (
    demands,
    demands_table,
    problems,
    problems_table,
)
from projections.reports.corrections import Figure, corrections, known, previous_cut
from projections.reports.flows import ACCOUNTABILITY, week_figures
from projections.reports.model import (
    Cell,
    Definition,
    Paragraph,
    Question,
    Report,
    Section,
    Table,
)
from projections.reports.naming import issuer
from projections.reports.pieces import (
    Scene,
    both,
    column,
    counted,
    cut_line,
    due_cell,
    is_within,
    names,
    scene,
    status_text,
    table,
    until,
)
from projections.reports.ranking import (
    items_table,
    ranking_table,
    sentence,
)
from projections.reports.unit_standings import preceding, standings
from projections.rules.courses import GREY
from projections.world import Happened, World

NAME = "weekly_bulletin"
VERSION = 3


def make(world: World, question: Question) -> Report:
    """Return the bulletin on an ISO week (``2017-W47``)."""
    one = scene(world, question)
    week = question.period
    number = int(week[-2:])
    found = problems(one)
    asked = demands(one, found)
    before = previous_cut(one, NAME, preceding(week))
    rows = standings(one, week)
    good, early = Paragraph(sentence(one, rows)), _early(one)
    sections = (
        Section(both("Overall", "总体情况"), (_overall(one), _states(one))),
        Section(
            both("What went well", "好的方面"),
            (good,) if early.rows else (good, early),
        ),
        Section(both("Problems", "存在问题"), (problems_table(one, found),)),
        Section(both("Accountability", "追责情况"), (_forms(one),)),
        Section(both("Demands", "整改要求"), (demands_table(one, asked),)),
        annex(
            1,
            both("Ranking of units", "单位排名"),
            ranking_table(one, rows),
            items_table(one, rows),
        ),
        annex(2, both("Overdue", "逾期清单"), overdue_table(one)),
        annex(3, both("Accountability", "追责清单"), cases_table(one)),
        annex(
            4,
            both("Replies to the last issue", "上期反馈情况"),
            replies_table(one, NAME, preceding(week)),
        ),
        *([annex(5, early.title, early)] if early.rows else ()),
    )
    return Report(
        name=NAME,
        period=week,
        title=both(
            f"Bulletin on supervision and accountability in week {number}",
            f"关于第{number}周督查及追责情况的通报",
        ),
        issuer=issuer(world),
        cut=cut_line(one, NAME, VERSION),
        sections=sections,
        number=issue_number(int(week[:4]), number),
        addressees=names(one, addressees(one)),
        corrections=corrections(one, before, ACCOUNTABILITY, make=week_figures),
        demands=asked,
        layout="document",
    )


def addressees(one: Scene) -> list[str]:
    """Return the units that a bulletin goes to: all that exist, headquarters aside."""
    return [
        row.key
        for row in one.world.states("unit")
        if row.state.active and row.state.category != "headquarters"
    ]


def _overall(one: Scene) -> Table:
    week, facts = one.question.period, known(one, ACCOUNTABILITY)
    columns = (
        column("item", "Item", "指标"),
        column("this", "This week", "本周", "int"),
        column("last", "Last week", "上周", "int"),
        column("change", "Change", "增减", "int"),
    )
    now = week_figures(facts, span(week))
    then = week_figures(facts, span(preceding(week)))
    rows = [_compared(*pair) for pair in zip(now, then, strict=True)]
    title = both("Figures of the week", "本周主要数据")
    note = both(
        "Each figure counts commitments or cases, each once a week.",
        "各指标按事项（案件）计，同一事项一周内只计一次；“按期”以原定时限为准。",
    )
    return table("overall", title, columns, rows, note=note)


def _compared(this: Figure, last: Figure) -> tuple[Cell, ...]:
    new, old = this.cell, last.cell
    change = len(new.events) - len(old.events)
    events = tuple(sorted({*new.events, *old.events}))
    return (Cell(this.title), new, old, Cell(change, events, new.rule))


def _states(one: Scene) -> Table:
    """Every commitment is in one status: the sum is what was registered (I1)."""
    columns = (
        column("status", "Status", "状态"),
        column("count", "Commitments", "事项数", "int"),
    )
    held: dict[str, list[int]] = {}
    for case in one.cases:
        held.setdefault(case.state.status, []).append(case.row.registered_position)
    rows = [
        (Cell(status_text(status)), counted(held[status]))
        for status in sorted(held, key=lambda status: (status in GREY, status))
    ]
    total = both("Registered in all", "累计立项")
    rows.append((Cell(total), counted(c.row.registered_position for c in one.cases)))
    title = both("Where all commitments stand", "全部事项所处状态")
    return table("by_status", title, columns, rows)


def _early(one: Scene) -> Table:
    """List what was verified and closed before its original due."""
    week = until(span(one.question.period), one.now)
    columns = (
        column("unit", "Unit", "单位"),
        column("key", "Number", "编号"),
        column("title", "Commitment", "事项"),
        column("closed", "Closed", "销号时间", "instant"),
        column("due", "Original due", "原定时限", "date"),
    )
    rows = []
    for case in one.cases:
        closes = [
            step
            for step in case.steps
            if step.what == "closed" and is_within(week, step.event.occurred)
        ]
        due = case.state.original_due
        if not closes or due is None or closes[-1].event.occurred > due:
            continue
        at = (closes[-1].event.position,)
        rows.append(
            (
                Cell(one.unit(case.state.lead_unit), at),
                Cell(case.key, at),
                Cell(case.state.title, at),
                Cell(closes[-1].event.occurred, at),
                due_cell(due, at),
            )
        )
    title = both("Closed by the original due", "本周按期销号事项")
    return table("closed_in_time", title, columns, rows)


def _forms(one: Scene) -> Table:
    """Count the decisions of the week by form: one case is one person or unit."""
    found: dict[str, list[int]] = {}
    for event in _decided(one):
        found.setdefault(event.data.form, []).append(event.position)
    columns = (
        column("form", "Form", "追责形式"),
        column("count", "Persons or units", "人次", "int"),
    )
    rows = [
        (Cell(both(*FORMS[form])), counted(found[form]))
        for form in FORMS
        if form in found
    ]
    if rows:
        total = counted(position for part in found.values() for position in part)
        rows.append((Cell(both("In all", "合计")), total))
    title = both("Decisions by form", "本周追责形式统计")
    return table("forms", title, columns, rows)


def _decided(one: Scene) -> Iterator[Happened]:
    week = until(span(one.question.period), one.now)
    for event in one.world.events(types=("henji.accountability.decided.v1",)):
        if is_within(week, event.occurred):
            yield event


DEFINITION = Definition(
    name=NAME,
    title=both("Weekly bulletin", "周通报"),
    template=VERSION,
    make=make,
    period="week",
    formats=("html", "json", "csv", "docx", "pdf"),
)
DEFINITIONS = (DEFINITION,)
