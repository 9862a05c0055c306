"""Pass rates of checklists (7个100%): of each item, and of whole visits.

Rules of this file: counting results by the version of the list that each visit used. A
visit passes if every item of that list was looked at and none failed.
"""

from __future__ import annotations

from dataclasses import dataclass

from events.domain import codelists
from events.domain.inspection_state import Inspection
from events.domain.periods import Span
from projections.rules.derived import Derived, Rate, positions
from projections.rules.in_force import Rules
from projections.world import Happened, World

_CHECKED = ("henji.inspection.item_checked.v1",)
Visit = tuple[str, str]
"""(stream of the inspection, target)."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One version of a checklist: (item, rate) of each item, and of whole visits."""

    checklist: str
    items: tuple[tuple[str, Rate], ...]
    visits: Rate


def pass_rates(
    world: World, period: Span, *, rules: Rules
) -> tuple[Derived[Passed], ...]:
    """Return the pass rates of each checklist that was used in a period, by its ref."""
    lists: dict[str, dict[Visit, dict[str, Happened]]] = {}
    inspections = {row.stream: row.state for row in world.states("inspection")}
    for event in world.events(
        types=_CHECKED, occurred_from=period.start, occurred_before=period.end
    ):
        state: Inspection | None = inspections.get(event.stream)
        if state is None or event.occurred > world.cut.now:
            continue
        visit = (event.stream, state.target_of(event.data.target) or "")
        results = lists.setdefault(event.data.checklist, {}).setdefault(visit, {})
        # What is checked again replaces what was found before on the same visit.
        results[event.data.item] = event
    return tuple(_passed(ref, visits, rules) for ref, visits in sorted(lists.items()))


def _passed(
    ref: str, visits: dict[Visit, dict[str, Happened]], rules: Rules
) -> Derived[Passed]:
    codes = _codes(ref, visits)
    value = Passed(
        ref,
        tuple((code, _item_rate(code, visits)) for code in codes),
        _visit_rate(codes, visits),
    )
    events = positions(
        event.position for results in visits.values() for event in results.values()
    )
    return Derived(value, rules.cite("checklist_pass_rate"), events)


def _codes(ref: str, visits: dict[Visit, dict[str, Happened]]) -> tuple[str, ...]:
    known = codelists.find(ref)
    if known is not None:
        return known.codes
    return tuple(sorted({item for results in visits.values() for item in results}))


def _item_rate(code: str, visits: dict[Visit, dict[str, Happened]]) -> Rate:
    """Count one item; where it did not apply, it is no case."""
    found = [results[code] for results in visits.values() if code in results]
    judged = [event for event in found if event.data.result != "not_applicable"]
    return Rate(
        positions(row.position for row in judged if row.data.result == "pass"),
        positions(row.position for row in judged),
    )


def _visit_rate(
    codes: tuple[str, ...], visits: dict[Visit, dict[str, Happened]]
) -> Rate:
    """Count whole visits, each by the last event of it."""
    hits, base = [], []
    for results in visits.values():
        last = max(event.position for event in results.values())
        base.append(last)
        failed = any(event.data.result == "fail" for event in results.values())
        if not failed and results.keys() >= set(codes):
            hits.append(last)
    return Rate(positions(hits), positions(base))
