"""What the columns of the ledger 督办台账 show of a commitment: one function a cell.

Rules of this file: cells. Each names the events that it rests on, and the rule where
it is derived. Which column is where stands in ledger_columns.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from events.domain.accountability_payloads import FORMS
from events.domain.commitment_state import URGE_LEVELS
from projections.reports.model import Cell, Text, Value
from projections.reports.pieces import (
    Case,
    Scene,
    both,
    due_cell,
    join,
    lit,
    lit_cell,
    names,
    status_text,
)
from projections.reports.posts import post_title
from projections.rules.courses import due_set
from projections.rules.deadlines import standing
from projections.rules.records import is_late
from projections.rules.steps import Step
from projections.world import StateRow

_URGES = {
    "reminder": both("Reminder", "提醒"),
    "blue": both("Blue", "蓝单"),
    "orange": both("Orange", "橙单"),
    "red": both("Red", "红单"),
}
_RESULTS = {
    "pass": both("Passed", "通过"),
    "fail": both("Returned", "退回整改"),
    "passed": both("Lasting", "巩固"),
    "relapsed": both("Relapsed", "反弹"),
}
_YES, _NO = both("Yes", "是"), both("No", "否")


class Entry(NamedTuple):
    """One commitment with what else is needed of the cut to show it."""

    one: Scene
    case: Case
    cases: tuple[StateRow, ...]


Show = Callable[[Entry, int], Cell]


def entries(one: Scene) -> Iterator[Entry]:
    """Yield the commitments that a unit leads or supports (all: no unit), by key."""
    facts: dict[str, list[StateRow]] = {}
    for row in one.world.states("accountability"):
        for stream in sorted({stream for stream, _ in row.state.facts}):
            facts.setdefault(stream, []).append(row)
    for case in one.cases:
        if belongs(case, one.question.unit):
            found = tuple(facts.get(f"commitment/{case.key}", ()))
            yield Entry(one, case, found)


def belongs(case: Case, unit: str | None) -> bool:
    """Say whether a unit leads or supports a commitment; None: any unit."""
    state = case.state
    return unit is None or unit == state.lead_unit or unit in state.support_units


def last(case: Case, *what: str) -> Step | None:
    """Return the last event of some kinds, as it happened in the stream."""
    found = [step for step in case.steps if step.what in what]
    return found[-1] if found else None


def of(case: Case, *what: str) -> tuple[int, ...]:
    """Return the positions of all events of some kinds."""
    return tuple(sorted(s.event.position for s in case.steps if s.what in what))


def _from(step: Step | None, value: Value) -> Cell:
    return Cell(None) if step is None else Cell(value, (step.event.position,))


def ordinal(entry: Entry, number: int) -> Cell:
    """Show where it stands in the sheet, by its registration."""
    return Cell(number, (entry.case.row.registered_position,))


def registered(read: Callable[[Case], Value]) -> Show:
    """Show what the registration says, or what corrected it."""
    return lambda entry, _: Cell(
        read(entry.case), of(entry.case, "registered", "corrected")
    )


def at(*what: str) -> Show:
    """Show when the last event of a kind happened."""

    def show(entry: Entry, _number: int) -> Cell:
        step = last(entry.case, *what)
        return _from(step, None if step is None else step.event.occurred)

    return show


def count(what: str, wanted: Callable[[Any], bool] = lambda _: True) -> Show:
    """Count events of a kind: each is one time that it happened."""

    def show(entry: Entry, _number: int) -> Cell:
        steps = [s for s in entry.case.steps if s.what == what and wanted(s.event.data)]
        return Cell(len(steps), tuple(sorted(s.event.position for s in steps)))

    return show


def basis(entry: Entry, _number: int) -> Cell:
    """Show what a commitment rests on: its references, and its directive."""
    case = entry.case
    refs = [(one.ref, one.clause) for one in _bases(case)]
    if case.state.directive is not None:
        refs.append((case.state.directive, None))
    names = [_document(entry.one, ref, clause) for ref, clause in refs]
    text = "；".join(dict.fromkeys(names)) or None
    return Cell(text, of(case, "registered", "corrected"))


def _document(one: Scene, ref: str, clause: str | None) -> str:
    """Return what a document is called: a directive by its title and its number."""
    row = one.world.state(f"directive/{ref.removeprefix('directive/')}")
    name = ref if row is None else f"{row.state.title}（{row.state.number or row.key}）"
    return name if clause is None else f"{name} {clause}"


def _bases(case: Case) -> Sequence[Any]:
    registered = last(case, "registered")
    return () if registered is None else registered.event.data.basis


def leader(entry: Entry, _number: int) -> Cell:
    """Show who approved the handing out, by post."""
    step = last(entry.case, "issued")
    if step is None:
        return Cell(None)
    post = step.event.data.approver_post
    return _from(step, post_title(entry.one, post, step.event.occurred))


def lead_unit(entry: Entry, _number: int) -> Cell:
    """Show who leads it."""
    events = of(entry.case, "registered", "reassigned")
    return Cell(entry.one.unit(entry.case.state.lead_unit), events)


def lead_post(entry: Entry, _number: int) -> Cell:
    """Show which post answers for it."""
    state, events = entry.case.state, of(entry.case, "registered", "reassigned")
    title = post_title(entry.one, state.lead_post, entry.one.now)
    return Cell(title, events)


def support(entry: Entry, _number: int) -> Cell:
    """Show who supports it."""
    units = entry.case.state.support_units
    return Cell(names(entry.one, units), of(entry.case, "registered"))


def original_due(entry: Entry, _number: int) -> Cell:
    """Show the deadline first promised: the earliest of what it stands for."""
    events = of(entry.case, "registered", "issued")
    for one in entry.case.course.inherited:
        if one.since <= entry.one.now:
            events += one.events
    return due_cell(entry.case.state.original_due, tuple(sorted(set(events))))


def current_due(entry: Entry, _number: int) -> Cell:
    """Show the deadline after extensions, by what set it."""
    steps = entry.case.steps
    return due_cell(entry.case.state.current_due, (due_set(steps).event.position,))


def progress(entry: Entry, _number: int) -> Cell:
    """Show what was last reported."""
    step = last(entry.case, "progress_reported")
    return _from(step, None if step is None else step.event.data.text)


def percent(entry: Entry, _number: int) -> Cell:
    """Show the last share reported."""
    percent = entry.case.row.percent
    events = of(entry.case, "progress_reported", "corrected")
    return Cell(None if percent is None else percent / 100, events)


def problem(entry: Entry, _number: int) -> Cell:
    """Show what the last failed verification found, while it is not made good."""
    step = last(entry.case, "verification_recorded", "suspended")
    if step is None:
        return Cell(None)
    if step.what == "suspended":
        said = step.event.data.reason if entry.case.row.suspended else None
        return _from(step, said)
    failed = step.event.data.result == "fail"
    return _from(step, "；".join(step.event.data.findings) or None if failed else None)


def measures(entry: Entry, _number: int) -> Cell:
    """Show the last plan that was filed."""
    step = last(entry.case, "plan_filed")
    return _from(step, None if step is None else step.event.data.summary)


def light(entry: Entry, _number: int) -> Cell:
    """Show its light."""
    return lit_cell(entry.case, lit(entry.case, entry.one))


def is_overdue(entry: Entry, _number: int) -> Cell:
    """Show whether it is past its current due, or was when it was closed."""
    case, now = entry.case, entry.one.now
    due, end = case.state.current_due, case.row.ended_at
    ended_otherwise = end is not None and not case.row.finished
    waiting = case.state.status in {"draft", "suspended"}
    late = due is not None and (now if end is None else end) > due
    is_late_now = late and not ended_otherwise and not waiting
    rule = entry.one.rules.cite("schedule")
    return Cell(_YES if is_late_now else _NO, case.events, rule)


def days_late(entry: Entry, number: int) -> Cell:
    """Show by how many working days."""
    case, one = entry.case, entry.one
    found = standing(case.row, one.now, one.rules)
    late = is_overdue(entry, number).value == _YES
    return Cell(found.overdue_days if late else 0, case.events, found.rule)


def urged(entry: Entry, _number: int) -> Cell:
    """Show the highest sheet that went out."""
    levels = [s.event.data.level for s in entry.case.steps if s.what == "urged"]
    highest = max(levels, key=URGE_LEVELS.index, default=None)
    value = None if highest is None else _URGES[highest]
    return Cell(value, of(entry.case, "urged"))


def verifier(entry: Entry, _number: int) -> Cell:
    """Show who verified it last, by post."""
    step = last(entry.case, "verification_recorded")
    if step is None:
        return Cell(None)
    event = step.event
    post = post_title(entry.one, event.post, event.occurred)
    return _from(step, post or entry.one.unit(event.unit))


def verdict(what: str) -> Show:
    """Show the last result of a verification or look-back."""

    def show(entry: Entry, _number: int) -> Cell:
        step = last(entry.case, what)
        return _from(step, None if step is None else _RESULTS[step.event.data.result])

    return show


def accountability(entry: Entry, _number: int) -> Cell:
    """Show the cases that cite one of its events as a fact."""
    texts = [
        both(row.key, row.key)
        if row.state.form is None
        else both(*(f"{row.key} {form}" for form in FORMS[row.state.form]))
        for row in entry.cases
    ]
    return Cell(
        join(texts), tuple(sorted(e for row in entry.cases for e in row.events))
    )


def evidence(entry: Entry, _number: int) -> Cell:
    """Count different contents among its evidence."""
    steps = [s for s in entry.case.steps if getattr(s.event.data, "evidence", ())]
    digests = {proof.sha256 for s in steps for proof in s.event.data.evidence}
    return Cell(len(digests), tuple(sorted(s.event.position for s in steps)))


def last_event(entry: Entry, _number: int) -> Cell:
    """Show the id of the event that was sealed last."""
    step = max(entry.case.steps, key=lambda one: one.event.position)
    return _from(step, step.event.id)


def remark(entry: Entry, _number: int) -> Cell:
    """Show its status, late records, and what it belongs to."""
    case, one = entry.case, entry.one
    texts: list[Text] = [status_text(case.state.status)]
    late = [
        step.event
        for step in case.steps
        if is_late(step.event.occurred, step.event.recorded, one.rules)
    ]
    if late:
        texts.append(both(f"{len(late)} recorded late", f"补录{len(late)}条"))
    if case.state.parent is not None:
        texts.append(both(f"Part of {case.state.parent}", f"属{case.state.parent}"))
    if case.state.superseded_by is not None:
        by = case.state.superseded_by
        texts.append(both(f"Taken over by {by}", f"并入{by}"))
    return Cell(join(texts), case.events)
