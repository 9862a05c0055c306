"""What may happen to an inspection or patrol, beyond the order of its events.

Rules of this file: one function a payload, which returns nothing or refuses with its
own code; it reads the state, the event and, for other streams, the context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from events.domain import sampling
from events.domain import supervision_guards as ask
from events.domain.commitment_case import enough_evidence
from events.domain.commitment_state import person_of
from events.domain.inspection_payloads import (
    Ended,
    FindingAdded,
    ItemChecked,
    PatrolEnded,
    Planned,
    Point,
    PointChecked,
    Sampled,
    SignedBySubject,
    Started,
)
from events.domain.inspection_state import Inspection
from events.domain.model import Context, Event
from events.domain.organisation import check_unit
from events.domain.transitions import refuse

#: Who may run each kind of visit.
RUNNERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "inspection": frozenset(
            {"verifier", "lead", "office", "headquarters", "adapter"}
        ),
        "patrol": frozenset({"grid_worker", "lead", "adapter"}),
        "census_visit": frozenset({"grid_worker", "lead", "office", "adapter"}),
        "lookback": frozenset({"lookback", "headquarters", "adapter"}),
    }
)
VISITORS: Final = frozenset().union(*RUNNERS.values())
#: Who may hand in the signature of the one inspected.
SIGNERS: Final = VISITORS | {"enterprise"}


def planned(_state: None, event: Event, context: Context) -> None:
    """Days in order, a known unit and list, targets that exist, an independent team."""
    data: Planned = event.data
    _runs(data.kind, context, "/data/kind")
    check_unit(context, data.unit, "/data/unit")
    if data.end < data.start:
        raise refuse("window_ends_before_start", "/data/end")
    if data.checklist is not None:
        ask.listed(data.checklist, None, "/data/checklist")
    ask.known_streams(context, "campaign", [("/data/campaign", data.campaign)])
    ask.known_streams(context, "directive", [("/data/directive", data.directive)])
    _distinct_targets(data.targets, context, "/data/targets")
    _route(data.kind, data.route, context)
    _independent(data.kind, data.team, data.targets, context)


def sampled(state: Inspection, event: Event, context: Context) -> None:
    """The sample is what the seed gives of the population; it is drawn once."""
    data: Sampled = event.data
    if state.kind == "patrol":
        raise refuse("not_for_this_kind", "/type", kind=state.kind)
    _runs(state.kind, context, "/type")
    _drawn(data)
    for number, target in enumerate(data.sample):
        ask.known_stream(context, target, f"/data/sample/{number}")
    _independent(state.kind, state.team, data.sample, context)


def _drawn(data: Sampled) -> None:
    """Without the population only the order of the sample can be checked."""
    if data.population is None:
        fits = len(data.sample) <= data.population_size
        if not fits or not sampling.ranked(data.sample, data.seed):
            raise refuse("sample_not_drawn", "/data/sample")
        return
    if len(set(data.population)) != len(data.population):
        raise refuse("population_repeated", "/data/population")
    if len(data.population) != data.population_size:
        size = len(data.population)
        raise refuse("population_size_differs", "/data/population_size", size=size)
    digest = sampling.digest(data.population)
    if digest != data.population_digest:
        where = "/data/population_digest"
        raise refuse("population_digest_differs", where, expected=digest)
    fits = len(data.sample) <= len(data.population)
    if not fits or data.sample != sampling.draw(
        data.population, len(data.sample), data.seed
    ):
        raise refuse("sample_not_drawn", "/data/sample")


def started(state: Inspection | None, event: Event, context: Context) -> None:
    """A start keeps to its plan; the checklist is the one in force on the day."""
    data: Started = event.data
    kind = _kind(state, data)
    _runs(kind, context, "/type")
    if data.unit is not None:
        check_unit(context, data.unit, "/data/unit")
    _targets_kept(state, data, context)
    checklist = data.checklist or (None if state is None else state.checklist)
    if checklist is not None:
        ask.list_in_force(checklist, event.occurred, "/data/checklist")
    _route(kind, data.route, context)
    cells = {row.cell for row in data.route}
    if data.cell is not None:
        cells.add(data.cell)
    for cell in sorted(cells) or (None,):
        ask.cell_of_actor(event, context, cell, allowed=VISITORS, where="/data/cell")
    targets = data.targets if state is None else state.targets or data.targets
    team = data.team or (() if state is None else sorted(state.team))
    _independent(kind, team, targets, context)


def _kind(state: Inspection | None, data: Started) -> str:
    """Return the kind: the plan's, or what a visit without a plan must say."""
    if state is not None:
        if data.kind not in {None, state.kind}:
            raise refuse("inspection_kind_fixed", "/data/kind", kind=state.kind)
        return state.kind
    if data.kind is None:
        raise refuse("inspection_kind_required", "/data/kind")
    if data.unit is None:
        raise refuse("inspection_unit_required", "/data/unit")
    return data.kind


def _targets_kept(state: Inspection | None, data: Started, context: Context) -> None:
    """Targets that were planned or drawn are not chosen anew at the door."""
    if state is not None and state.targets:
        if data.targets and data.targets != state.targets:
            raise refuse("inspection_targets_fixed", "/data/targets")
        return
    _distinct_targets(data.targets, context, "/data/targets")


def item_checked(state: Inspection, event: Event, context: Context) -> None:
    """The item is on the visit's list, at one of its targets, and checked once."""
    data: ItemChecked = event.data
    _runs(state.kind, context, "/type")
    if state.checklist is None:
        raise refuse("checklist_not_named", "/data/checklist")
    if data.checklist != state.checklist:
        expected = state.checklist
        raise refuse("checklist_differs", "/data/checklist", expected=expected)
    _on_list(state, data.item, "/data/item")
    target = _target(state, data.target, context)
    if (target, data.item) in state.results:
        raise refuse("item_checked_already", "/data/item", item=data.item)


def finding_added(state: Inspection, event: Event, context: Context) -> None:
    """The issue exists, is not revoked, and is added once."""
    data: FindingAdded = event.data
    _runs(state.kind, context, "/type")
    issue = ask.known_stream(context, f"issue/{data.issue}", "/data/issue")
    if issue.status == "revoked":
        raise refuse("issue_revoked", "/data/issue", issue=data.issue)
    if data.issue in state.issues:
        raise refuse("issue_added_already", "/data/issue", issue=data.issue)
    if data.target is not None:
        _target(state, data.target, context)
    if data.checklist_item is not None:
        _on_list(state, data.checklist_item, "/data/checklist_item")


def ended(state: Inspection, event: Event, context: Context) -> None:
    """Every item was checked at every target, or it is said why not."""
    data: Ended = event.data
    if state.kind == "patrol":
        raise refuse("not_for_this_kind", "/type", kind=state.kind)
    _runs(state.kind, context, "/type")
    left = _unchecked(state)
    if left and data.incomplete is None:
        raise refuse("items_unchecked", "/data/incomplete", left=left[:20])


def signed(state: Inspection, event: Event, context: Context) -> None:
    """Once a subject; on paper where the enterprise does not sign by itself."""
    data: SignedBySubject = event.data
    ask.file_of_actor(context, data.subject, allowed=SIGNERS, where="/data/subject")
    ask.known_subject(context, data.subject, "/data/subject")
    if state.targets and f"subject/{data.subject}" not in state.targets:
        raise refuse("target_not_visited", "/data/subject")
    if data.subject in state.signed:
        raise refuse("inspection_signed_already", "/data/subject")
    if data.signed == "declined" and data.remark is None:
        raise refuse("remark_required", "/data/remark")
    by_subject = ask.only_as(ask.ENTERPRISE, context.actor, SIGNERS)
    if data.signed == "signed" and not by_subject:
        enough_evidence(list(data.evidence), 1)


def point_checked(state: Inspection, event: Event, context: Context) -> None:
    """A patrol's point, in the worker's own cell, once a patrol."""
    data: PointChecked = event.data
    _patrol(state)
    _runs(state.kind, context, "/type")
    ask.cell_of_actor(event, context, data.cell, allowed=VISITORS, where="/data/cell")
    ask.happened(event, context, "checked_at")
    ask.known_streams(context, "issue", [("/data/issue", data.issue)])
    if (data.cell, data.point) in state.points:
        raise refuse("point_checked_already", "/data/point", point=data.point)


def patrol_ended(state: Inspection, event: Event, context: Context) -> None:
    """Every point of the route was checked, or was skipped for a reason."""
    data: PatrolEnded = event.data
    _patrol(state)
    _runs(state.kind, context, "/type")
    skipped = {(row.cell, row.point) for row in data.skipped}
    left = set(state.route) - state.points
    if skipped != left:
        expected = [f"{cell}/{point}" for cell, point in sorted(left)]
        raise refuse("points_unaccounted", "/data/skipped", expected=expected[:20])
    if skipped and data.reason is None:
        raise refuse("skipping_needs_reason", "/data/reason")


def _runs(kind: str, context: Context, where: str) -> None:
    """Each kind of visit is run by its own roles."""
    if not context.actor.roles & RUNNERS[kind]:
        raise refuse(
            "role_not_for_kind", where, kind=kind, needed=sorted(RUNNERS[kind])
        )


def _patrol(state: Inspection) -> None:
    if state.kind != "patrol":
        raise refuse("not_for_this_kind", "/type", kind=state.kind)


def _distinct_targets(targets: tuple[str, ...], context: Context, where: str) -> None:
    for number, target in enumerate(targets):
        ask.known_stream(context, target, f"{where}/{number}")
    if len(set(targets)) != len(targets):
        raise refuse("target_repeated", where)


def _route(kind: str, route: tuple[Point, ...], context: Context) -> None:
    if route and kind != "patrol":
        raise refuse("not_for_this_kind", "/data/route", kind=kind)
    for number, row in enumerate(route):
        ask.known_stream(context, f"grid/{row.cell}", f"/data/route/{number}/cell")
    if len({(row.cell, row.point) for row in route}) != len(route):
        raise refuse("point_repeated", "/data/route")


def _independent(
    kind: str, team: Iterable[str], targets: Iterable[str], context: Context
) -> None:
    """Who verified a commitment does not look back at it, alone or in the team."""
    if kind != "lookback":
        return
    team = list(team)
    posts = {f"post:{post}" for post in team}
    own = ask.acting(context.actor) | {person_of(context.actor)}
    eyes = ask.known_as(context, posts | own)
    for target in targets:
        if not target.startswith("commitment/"):
            continue
        state: Any = context.state_of(target)
        verifier = None if state is None else state.verifier
        if verifier is not None and eyes & ask.known_as(context, {verifier}):
            raise refuse("verifier_in_lookback_team", "/data/team", target)
    ask.held_posts(context, team, "/data/team")


def _on_list(state: Inspection, item: str, where: str) -> None:
    found = ask.listed(state.checklist or "", None, "/data/checklist")
    if item not in found.codes:
        raise refuse("item_not_on_checklist", where, item=item, ref=found.ref)


def _target(state: Inspection, named: str | None, context: Context) -> str:
    """Return what is meant; it is a target of this visit, if these were named."""
    target = state.target_of(named)
    if target is None:
        raise refuse("target_required", "/data/target")
    if state.targets and target not in state.targets:
        raise refuse("target_not_visited", "/data/target")
    ask.known_stream(context, target, "/data/target")
    return target


def _unchecked(state: Inspection) -> list[str]:
    """Return what is left: items of the list, at each target it was begun for."""
    if state.checklist is None:
        return []
    codes = ask.listed(state.checklist, None, "/data/checklist").codes
    targets = state.targets or sorted({target for target, _ in state.results})
    return [
        f"{target} {code}"
        for target in targets
        for code in codes
        if (target, code) not in state.results
    ]
