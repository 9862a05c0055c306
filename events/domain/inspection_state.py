"""What is known of an inspection or patrol after some number of its events.

Rules of this file: the state and its fold. What is allowed is in inspection_guards.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from events.domain.commitment_state import person_of
from events.domain.inspection_payloads import (
    ItemChecked,
    PatrolEnded,
    Planned,
    PointChecked,
    Sampled,
    Started,
)
from events.domain.model import Event

#: Kind of visit -> (English, Chinese).
KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "inspection": ("Inspection", "督查"),
        "patrol": ("Patrol", "巡查"),
        "census_visit": ("Census visit", "普查走访"),
        "lookback": ("Look-back", "回头看"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The state of one visit, look-back or patrol. Instants are µs.

    ``status``: planned, sampled, running or ended. ``targets`` are stream ids (the
    sample, once there is one); ``results`` is by (target, item); ``route`` and
    ``points`` are (cell, point).
    """

    status: str
    kind: str
    unit: str
    team: frozenset[str] = frozenset()
    targets: tuple[str, ...] = ()
    checklist: str | None = None
    cell: str | None = None
    route: tuple[tuple[str, str], ...] = ()
    seed: str | None = None
    inspector: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    results: Mapping[tuple[str, str], str] = field(default_factory=dict)
    issues: frozenset[str] = frozenset()
    points: frozenset[tuple[str, str]] = frozenset()
    distance_m: int | None = None
    signed: frozenset[str] = frozenset()

    def target_of(self, named: str | None) -> str | None:
        """Return the target that is named, or the only one there is."""
        if named is None and len(self.targets) == 1:
            return self.targets[0]
        return named


def plan(_state: None, event: Event) -> Inspection:
    """Begin the stream with a plan."""
    data: Planned = event.data
    return Inspection(
        status="planned",
        kind=data.kind,
        unit=data.unit,
        team=frozenset(data.team),
        targets=data.targets,
        checklist=data.checklist,
        route=tuple((row.cell, row.point) for row in data.route),
    )


def sample(state: Inspection, event: Event) -> Inspection:
    """Make the sample what is looked at."""
    data: Sampled = event.data
    return replace(state, status="sampled", targets=data.sample, seed=data.seed)


def start(state: Inspection | None, event: Event) -> Inspection:
    """Begin the visit; what the start names goes before what the plan named."""
    data: Started = event.data
    before = state or Inspection(
        status="new", kind=data.kind or "", unit=data.unit or ""
    )
    route = tuple((row.cell, row.point) for row in data.route)
    return replace(
        before,
        status="running",
        unit=data.unit or before.unit,
        team=frozenset(data.team) or before.team,
        targets=before.targets or data.targets,
        checklist=data.checklist or before.checklist,
        cell=data.cell,
        route=route or before.route,
        inspector=person_of(event.actor),
        started_at=event.occurred,
    )


def check_item(state: Inspection, event: Event) -> Inspection:
    """Keep the result of an item."""
    data: ItemChecked = event.data
    key = (state.target_of(data.target) or "", data.item)
    results = MappingProxyType({**state.results, key: data.result})
    return replace(state, results=results)


def add_finding(state: Inspection, event: Event) -> Inspection:
    """Keep the issue."""
    return replace(state, issues=state.issues | {event.data.issue})


def end(state: Inspection, event: Event) -> Inspection:
    """End the visit."""
    return replace(state, status="ended", ended_at=event.occurred)


def sign(state: Inspection, event: Event) -> Inspection:
    """Keep whose signature, or refusal of one, there is."""
    return replace(state, signed=state.signed | {event.data.subject})


def check_point(state: Inspection, event: Event) -> Inspection:
    """Keep the point, and the issue found there."""
    data: PointChecked = event.data
    found = frozenset() if data.issue is None else frozenset({data.issue})
    return replace(
        state,
        points=state.points | {(data.cell, data.point)},
        issues=state.issues | found,
    )


def end_patrol(state: Inspection, event: Event) -> Inspection:
    """End the patrol."""
    data: PatrolEnded = event.data
    return replace(end(state, event), distance_m=data.distance_m)
