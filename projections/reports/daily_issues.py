"""What was found on a day, for the daily brief: by category, and one by one.

Rules of this file: issues of one day. What became of one is told as of the cut.
"""

from __future__ import annotations

from events.domain import codelists
from events.domain import commitment_dues as dues
from events.domain.periods import span
from projections.reports.corrections import Known
from projections.reports.daily_figures import Places, findings, issues_of
from projections.reports.issue_words import ORIGINS, STATUSES
from projections.reports.model import Cell, Table, Text
from projections.reports.naming import cell_name, subject_name
from projections.reports.pieces import Scene, both, column, due_cell, table, until
from projections.world import Happened, StateRow


def categories(one: Scene, facts: Known, day: str, where: Places) -> Table:
    """Return what was found, by category: new, repeated, fixed, handed over."""
    found = issues_of(facts.events, until(span(day), one.now), where)
    groups: dict[tuple[str, str], set[str]] = {}
    for event in found:
        key = event.data.category_list, event.data.category
        groups.setdefault(key, set()).add(event.stream)
    columns, rows = [column("category", "Category", "类别")], []
    for (ref, code), streams in sorted(groups.items()):
        own = [event for event in facts.events if event.stream in streams]
        told = findings(own, until(span(day), one.now), where)
        rows.append((Cell(_code(ref, code)), *(row.cell for row in told)))
    columns += [
        column(row.key, row.title["en"], row.title["zh"], "int")
        for row in findings((), until(span(day), one.now), where)
    ]
    return table("categories", both("By category", "问题分类"), columns, rows)


def issues(one: Scene, facts: Known, day: str, where: Places) -> Table:
    """Return the problems of the day, by instant."""
    columns = (
        column("time", "Time", "时间", "instant"),
        column("place", "Place", "地点"),
        column("problem", "Problem", "问题"),
        column("origin", "Found by", "来源"),
        column("unit", "Unit", "责任单位"),
        column("handling", "Handling", "处置"),
        column("due", "Due", "时限", "date"),
        column("status", "Status", "状态"),
    )
    rows = []
    for event in issues_of(facts.events, until(span(day), one.now), where):
        row = one.world.state(event.stream)
        if row is not None:
            rows.append(_issue(one, event, row))
    rows.sort(key=lambda cells: (cells[0].value, cells[0].events))
    return table("issues", both("Problems", "问题清单"), columns, rows)


def _issue(one: Scene, found: Happened, row: StateRow) -> tuple[Cell, ...]:
    state, data, at = row.state, found.data, (found.position,)
    geo = data.place.geo
    cell = cell_name(one.world, data.cell)
    place = data.place.address or cell or subject_name(one.world, data.subject)
    handed = state.handed_to
    return (
        Cell(state.found_at, at),
        Cell(place or (None if geo is None else f"{geo.lat},{geo.lon}"), at),
        Cell(data.title, at),
        Cell(ORIGINS[state.found_by], at),
        Cell(one.unit(handed or state.unit), row.events),
        Cell(_handling(one, row), row.events),
        due_cell(_issue_due(one, row), row.events),
        Cell(STATUSES[state.status], row.events),
    )


def _handling(one: Scene, row: StateRow) -> Text:
    state = row.state
    if state.handed_to is not None:
        unit = one.unit(state.handed_to)
        return both(f"Handed over to {unit['en']}", f"交办{unit['zh']}")
    if state.fixed_at is not None:
        return both("Fixed on the spot", "立即解决")
    if state.reported_at is not None:
        return both("Reported", "上报")
    return both("None recorded", "未记录处置")


def _issue_due(one: Scene, row: StateRow) -> int | None:
    """Return the due of the hand-over, or of the commitment that it became."""
    handed = [
        event
        for event in one.world.events(types=("henji.issue.handed_over.v1",))
        if event.stream == row.stream
    ]
    if handed and handed[-1].data.due is not None:
        return dues.fixed(handed[-1].data.due)
    key = row.state.commitment
    found = None if key is None else one.world.state(f"commitment/{key}")
    return None if found is None else found.state.original_due


def _code(ref: str, code: str) -> Text:
    """Return what a category is called in the list that was in force."""
    found = codelists.find(ref)
    for item in () if found is None else found.items:
        if item.id == code:
            return both(item.en, item.zh)
    return both(code, code)
