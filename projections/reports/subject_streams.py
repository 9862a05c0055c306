"""Everything in the log that is about one subject: which streams, and their events.

Rules of this file: finding, no layout. An order names many sites: of its events only
those that name this one are about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from projections.reports.model import Cell, Column, Table, Text
from projections.reports.pieces import Scene, both, table
from projections.world import Happened, StateRow

NOT_RECORDED = both("Not recorded", "未记录")
_NOTHING = both("Nothing is recorded of this.", "未记录。")


@dataclass(frozen=True, slots=True)
class File:
    """One subject with what is about it, each by key; ``events`` by position."""

    one: Scene
    row: StateRow
    issues: tuple[StateRow, ...]
    visits: tuple[StateRow, ...]
    measures: tuple[StateRow, ...]
    orders: tuple[StateRow, ...]
    commitments: tuple[str, ...]
    cases: tuple[StateRow, ...]
    events: tuple[Happened, ...]

    @property
    def key(self) -> str:
        """Return the key of the subject."""
        return self.row.key

    def of(self, *kinds: str) -> list[Happened]:
        """Return the events of some types by their short names: ``subject.merged``."""
        wanted = {f"henji.{kind}.v1" for kind in kinds}
        return [event for event in self.events if event.type in wanted]

    def on(self, stream: str) -> list[Happened]:
        """Return the events of one stream."""
        return [event for event in self.events if event.stream == stream]


def file_of(one: Scene, row: StateRow) -> File:
    """Gather what is about a subject by the cut's instant."""
    key, world = row.key, one.world
    issues = _those(world.states("issue"), key, "subject")
    measures = _those(world.states("measure"), key, "subject")
    visits = tuple(v for v in world.states("inspection") if _looked_at(v, row.stream))
    orders = tuple(o for o in world.states("order") if _binds(o, key))
    promised = {i.state.commitment for i in issues if i.state.commitment is not None}
    known = {case.key for case in one.cases}
    commitments = tuple(sorted(promised & known))
    own = {row.stream, *(r.stream for r in (*issues, *measures, *visits))}
    own |= {f"commitment/{name}" for name in commitments}
    cases = tuple(
        case
        for case in world.states("accountability")
        if any(stream in own for stream, _ in case.state.facts)
    )
    own |= {case.stream for case in cases}
    shared = {order.stream: _violations(order, key) for order in orders}
    events = tuple(
        event
        for event in world.events()
        if event.occurred <= one.now
        and (event.stream in own or _names(event, key, shared.get(event.stream)))
    )
    return File(
        one=one,
        row=row,
        issues=issues,
        visits=visits,
        measures=measures,
        orders=orders,
        commitments=commitments,
        cases=cases,
        events=events,
    )


def filed(
    key: str,
    title: Text,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    note: Text | None = None,
) -> Table:
    """Return a table of a file; one without rows says that nothing is recorded."""
    return table(key, title, columns, rows, note=note, empty=_NOTHING)


def _those(rows: Iterable[StateRow], key: str, member: str) -> tuple[StateRow, ...]:
    return tuple(row for row in rows if getattr(row.state, member) == key)


def _looked_at(visit: StateRow, stream: str) -> bool:
    state = visit.state
    return stream in state.targets or any(of == stream for of, _ in state.results)


def _binds(order: StateRow, site: str) -> bool:
    state = order.state
    return site in state.sites or any(
        one.site == site for one in state.violations.values()
    )


def _violations(order: StateRow, site: str) -> frozenset[str]:
    found = order.state.violations.items()
    return frozenset(name for name, one in found if one.site == site)


def _names(event: Happened, key: str, violations: frozenset[str] | None) -> bool:
    """Say whether an event of an order names this subject, or a violation by it."""
    if violations is None:
        return False
    return (
        getattr(event.data, "site", None) == key
        or getattr(event.data, "violation", None) in violations
    )
