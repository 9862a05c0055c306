"""The case before a guard: who wants what of which commitment, and shared questions.

Rules of this file: only what several guards ask. A guard is a function of the case that
returns nothing or raises ``errors.Refused`` with its own code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from events.calendar import Calendar
from events.domain import calendars
from events.domain import commitment_dues as dues
from events.domain.commitment_state import TERMINAL, Commitment, person_of
from events.domain.kinds import Kind
from events.domain.model import Context, Event
from events.domain.transitions import refuse
from events.entries import rfc3339


class Case(msgspec.Struct, frozen=True, gc=False):
    """One event that wants to happen to one commitment of one kind."""

    state: Commitment
    event: Event
    ctx: Context
    kind: Kind

    @property
    def data(self) -> Any:
        """The payload of the event."""
        return self.event.data

    @property
    def person(self) -> str:
        """Who acts."""
        return person_of(self.ctx.actor)

    @property
    def key(self) -> str:
        """The number of the commitment."""
        return self.event.stream.partition("/")[2]

    @property
    def approver(self) -> str:
        """Who approves: the post named in the payload, or else who acts."""
        post = self.event.data.approver_post
        return f"post:{post}" if post else self.person

    @property
    def table(self) -> Calendar:
        """The work calendar in force, which terms are counted by."""
        return calendars.current(self.ctx)

    def due(self, text: str, pointer: str) -> int:
        """Return the µs of a due, a term being counted from now."""
        return resolved_due(self.ctx, text, pointer)


Guard = Callable[[Case], None]

#: A commitment, its parts, and theirs.
MAX_DEPTH = 3
#: How many mergers of units are followed, one into the other.
_MAX_MERGERS = 100


def resolved_due(ctx: Context, text: str, pointer: str) -> int:
    """Return the µs of a due, a term being counted by the calendar in force.

    ``Refused('due_invalid')``: there is no such day.
    """
    if not dues.is_term(text):
        return dues.check_fixed(text, pointer)
    return dues.counted(text, ctx.at, table=calendars.current(ctx))


def heir(ctx: Context, unit: str) -> str:
    """Return the unit that answers for a unit now: itself, or what it went into.

    So the open commitments of a merged unit move with it, without an event each.
    """
    for _ in range(_MAX_MERGERS):
        found = ctx.state_of("unit/" + unit)
        if found is None or found.merged_into is None:
            break
        unit = found.merged_into
    return unit


def same_person(case: Case, one: str, other: str | None) -> bool:
    """Tell whether two are one: the same post or key, or two posts of one person."""
    if other is None or one == other:
        return one == other
    held = _holder(case, one)
    return held is not None and held == _holder(case, other)


def _holder(case: Case, person: str) -> str | None:
    """Return who holds a post at the instant of the case, as far as the log knows."""
    kind, _, post = person.partition(":")
    if person == case.person and case.ctx.actor.person:
        return case.ctx.actor.person
    found = case.ctx.state_of("post/" + post) if kind == "post" else None
    holding = found.holding_at(case.ctx.at) if found is not None else None
    return holding.person_ref if holding is not None else None


def appointed(case: Case, posts: Iterable[str | None], pointer: str) -> None:
    """A post that is named is held by somebody: an invented one approves nothing."""
    if not case.kind.requires_known_post:
        return
    for post in posts:
        if post is None:
            continue
        found = case.ctx.state_of("post/" + post)
        if found is None:
            raise refuse("post_unknown", pointer, post, post=post)
        if found.holding_at(case.ctx.at) is None:
            raise refuse("post_vacant", pointer, post, post=post)


def approver_appointed(case: Case) -> None:
    """The approving post, where one is named, is held by somebody."""
    appointed(case, (case.data.approver_post,), "/data/approver_post")


def by_lead(case: Case) -> None:
    """Only the lead unit acts as the owner, unless the kind lets everyone."""
    unit = case.ctx.actor.unit
    if case.kind.owner_only and not _is_lead(case):
        raise refuse("not_lead_unit", "/type", lead=case.state.lead_unit, unit=unit)


def by_lead_or_support(case: Case) -> None:
    """The lead unit or a supporting one reports progress."""
    state, unit = case.state, case.ctx.actor.unit
    if not case.kind.owner_only or _is_lead(case):
        return
    supporting = (heir(case.ctx, one) for one in state.support_units)
    if unit not in {*state.support_units, *supporting}:
        raise refuse("not_owner_unit", "/type", lead=state.lead_unit, unit=unit)


def _is_lead(case: Case) -> bool:
    lead, unit = case.state.lead_unit, case.ctx.actor.unit
    return unit == lead or (unit is not None and unit == heir(case.ctx, lead))


def known_units(ctx: Context, units: Iterable[str], pointer: str) -> None:
    """Refuse a unit that has no stream, or has ended."""
    for unit in units:
        found = ctx.state_of("unit/" + unit)
        if found is None:
            raise refuse("unit_unknown", pointer, unit, unit=unit)
        if not found.active:
            raise refuse("unit_not_active", pointer, unit, unit=unit)


def due_ahead(case: Case, due: int, pointer: str) -> None:
    """A due lies ahead, unless the kind records what has been."""
    if due <= case.ctx.at and not case.kind.past_due_allowed:
        raise refuse("due_in_past", pointer, due=rfc3339(due), at=rfc3339(case.ctx.at))


def enough_evidence(evidence: list[Any], least: int) -> None:
    """Different pieces count; the same digest twice is one."""
    given = len({piece.sha256 for piece in evidence})
    if given < least:
        raise refuse("evidence_required", "/data/evidence", given=given, least=least)


def checklist_complete(checklist: Any) -> None:
    """Every item of a checklist that is given has passed."""
    missed = [item.item for item in checklist.items if not item.passed]
    if missed:
        raise refuse("checklist_incomplete", "/data/checklist/items", missed=missed)


def parent_of(state: Commitment, ctx: Context) -> Commitment | None:
    """Return the state of the parent, if it has one."""
    found = ctx.state_of("commitment/" + state.parent) if state.parent else None
    return found if isinstance(found, Commitment) else None


def children_final(case: Case) -> None:
    """No part is left open: each was registered and is closed, merged or cancelled.

    A part that failed, or was never registered as one, must first leave the
    decomposition.
    """
    if not case.state.children:
        return
    left = {}
    for key in case.state.children:
        child = case.ctx.state_of("commitment/" + key)
        is_part = isinstance(child, Commitment) and child.parent == case.key
        status = child.status if is_part else "unregistered"
        if status not in TERMINAL or status == "failed":
            left[key] = status
    if left:
        raise refuse("children_open", "/subject", ", ".join(left), children=left)


def within(limit: int | None, due: int | None, pointer: str) -> None:
    """A part is due no later than the whole."""
    if limit is not None and due is not None and due > limit:
        raise refuse("child_due_after_parent", pointer, parent_due=rfc3339(limit))


def ancestors(state: Commitment, ctx: Context) -> list[str]:
    """Return the keys above, nearest first; at most the allowed depth of them."""
    keys: list[str] = []
    above: Commitment | None = state
    while above is not None and above.parent and len(keys) < MAX_DEPTH:
        keys.append(above.parent)
        above = parent_of(above, ctx)
    return keys


def depth(state: Commitment, ctx: Context) -> int:
    """Return 1 for a root, 2 for its parts ..."""
    return 1 + len(ancestors(state, ctx))
