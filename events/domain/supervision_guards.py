"""What several guards of supervision ask: whose cell, whose file, which list, when.

Rules of this file: questions that return nothing or what was found, and raise
``errors.Refused`` with their code. Which event asks what is in the domain modules.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from events import calendar
from events.domain import codelists
from events.domain.commitment_state import person_of
from events.domain.fields import us
from events.domain.model import Actor, Context, Event
from events.domain.subjects import Subject
from events.domain.supervision_values import Place
from events.domain.transitions import refuse
from events.entries import rfc3339

#: The roles that act for one part of the territory, or for one subject, only.
GRID_WORKER = "grid_worker"
ENTERPRISE = "enterprise"


def moment(given: datetime | None, event: Event) -> int:
    """Return when something was so, in µs: as the payload says, else as the event."""
    return event.occurred if given is None else us(given)


def happened(
    event: Event, context: Context, member: str, *, since: int | None = None
) -> int:
    """Return when something happened: a member of the payload, else the event's time.

    ``Refused``: instant_in_future where the member says so, instant_too_early
    where it lies before ``since``.
    """
    given: datetime | None = getattr(event.data, member)
    where = "/time" if given is None else f"/data/{member}"
    instant = moment(given, event)
    if given is not None and instant > context.now:
        raise refuse("instant_in_future", where)
    if since is not None and instant < since:
        raise refuse("instant_too_early", where, since=rfc3339(since))
    return instant


def placed(place: Place, where: str) -> None:
    """Return if a place says where it is; place_empty."""
    if place.geo is None and place.address is None:
        raise refuse("place_empty", where)


def known_stream(context: Context, stream: str, where: str) -> Any:
    """Return the state of another stream; stream_unknown."""
    state = context.state_of(stream)
    if state is None:
        raise refuse("stream_unknown", where, stream=stream)
    return state


def known_streams(
    context: Context, kind: str, named: Iterable[tuple[str, str | None]]
) -> None:
    """Return if each (pointer, key) of a kind that is named exists; stream_unknown."""
    for where, key in named:
        if key is not None:
            known_stream(context, f"{kind}/{key}", where)


def known_subject(context: Context, key: str, where: str) -> Subject:
    """Return a subject that is on file; subject_unknown, subject_merged_already."""
    state: Subject | None = context.state_of(f"subject/{key}")
    if state is None:
        raise refuse("subject_unknown", where, subject=key)
    if state.status == "merged":
        raise refuse("subject_merged_already", where, subject=key)
    return state


def listed(ref: str, name: str | None, where: str) -> codelists.CodeList:
    """Return a published list (of a name); list_unknown."""
    found = codelists.find(ref)
    if found is None or name not in {None, found.name}:
        raise refuse("list_unknown", where, ref=ref)
    return found


def code_listed(code: str, ref: str, name: str, where: str) -> None:
    """Return if a code is in a list; list_unknown (beside it), code_not_listed."""
    found = listed(ref, name, where + "_list")
    if code not in found.codes:
        raise refuse("code_not_listed", where, given=code, ref=ref)


def list_in_force(ref: str, at_us: int, where: str) -> codelists.CodeList:
    """Return a list if it was in force on the day; list_unknown, list_not_in_force."""
    found = listed(ref, None, where)
    current = codelists.in_force(found.name, calendar.local_date(at_us))
    if current != found:
        expected = "" if current is None else current.ref
        raise refuse("list_not_in_force", where, ref=ref, expected=expected)
    return found


def only_as(role: str, actor: Actor, allowed: frozenset[str]) -> bool:
    """Tell whether an actor may do something by this one role alone."""
    return role in actor.roles and not actor.roles & (allowed - {role})


def cell_of_actor(
    event: Event,
    context: Context,
    cell: str | None,
    *,
    allowed: frozenset[str],
    where: str,
) -> None:
    """Return if the cell exists and a grid worker had it at the time of the event.

    A worker is the person named, or who held the post named; where neither is known it
    is the unit that the cell belongs to. stream_unknown, cell_required, cell_not_own.
    """
    state = None
    if cell is not None:
        state = known_stream(context, f"grid/{cell}", where)
    if not only_as(GRID_WORKER, context.actor, allowed):
        return
    if state is None:
        raise refuse("cell_required", where)
    person = _person(context, event.occurred)
    own = (
        context.actor.unit == state.unit
        if person is None
        else person in state.workers_at(event.occurred)
    )
    if not own:
        raise refuse("cell_not_own", where, cell=cell)


def file_of_actor(
    context: Context, subject: str, *, allowed: frozenset[str], where: str
) -> None:
    """Return unless an enterprise acts for a subject that is not itself.

    An enterprise's key is bound to its subject: its unit is the subject's key.
    subject_not_own.
    """
    actor = context.actor
    if only_as(ENTERPRISE, actor, allowed) and actor.unit != subject:
        raise refuse("subject_not_own", where, subject=subject)


def acting(actor: Actor) -> frozenset[str]:
    """Return by what an actor can be told again: post and person, else key and unit."""
    named = {f"post:{actor.post}"} if actor.post else set()
    if actor.person:
        named.add(f"person:{actor.person}")
    return frozenset(named or {f"key:{actor.key}@{actor.unit or ''}"})


def known_as(context: Context, names: Iterable[str]) -> frozenset[str]:
    """Return names with those who hold the posts among them: two posts, one person."""
    found = set(names)
    for name in tuple(found):
        kind, _, post = name.partition(":")
        held = _holder(context, post, context.at) if kind == "post" else None
        if held is not None:
            found.add(f"person:{held}")
    return frozenset(found)


def another_than(
    parties: Iterable[frozenset[str] | None], context: Context, code: str
) -> None:
    """Return if who acts is none of these parties (``acting``); otherwise the code."""
    own = known_as(context, acting(context.actor))
    for party in parties:
        if party is not None and own & known_as(context, party):
            raise refuse(code, "/type", person=person_of(context.actor))


def held_posts(context: Context, posts: Iterable[str], where: str) -> None:
    """Return if each post is held by somebody; post_unknown, post_vacant."""
    for post in posts:
        if context.state_of(f"post/{post}") is None:
            raise refuse("post_unknown", where, post=post)
        if _holder(context, post, context.at) is None:
            raise refuse("post_vacant", where, post=post)


def _person(context: Context, at_us: int) -> str | None:
    """Return who acts as a person, as far as the log knows."""
    actor = context.actor
    if actor.person is not None or actor.post is None:
        return actor.person
    return _holder(context, actor.post, at_us)


def _holder(context: Context, post: str, at_us: int) -> str | None:
    state = context.state_of(f"post/{post}")
    held = None if state is None else state.holding_at(at_us)
    return None if held is None else held.person_ref
