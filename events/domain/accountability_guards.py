"""What an accountability case needs before each step, and whose hands must differ.

Rules of this file: the state of a case and one guard a step. Who opened does not
decide, who decided does not judge the appeal, and no case rests on unproven facts.
"""

from __future__ import annotations

from dataclasses import dataclass

from events import calendar
from events.domain.accountability_payloads import (
    AppealDecided,
    Appealed,
    ClueRegistered,
    Decided,
    Executed,
    FactAttached,
    Opened,
    Served,
    StatementHeard,
)
from events.domain.citations import check_facts
from events.domain.commitment_state import person_of
from events.domain.fields import us
from events.domain.model import Context, Event
from events.domain.organisation import check_unit
from events.domain.rulesets import current
from events.domain.transitions import refuse
from events.entries import rfc3339

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class AccountabilityCase:
    """The state of one case. Instants are µs; persons are ``person_of`` an actor.

    ``status``: clue, open, decided, served, appealed, final (the appeal is decided),
    revoked, closed, lifted. ``outcome`` (of a closed one): not_opened, no_action,
    carried_out or revoked. ``form`` is the one in force, ``decided_form`` the first.
    """

    status: str
    facts: frozenset[Place] = frozenset()
    unit: str | None = None
    post: str | None = None
    person_ref: str | None = None
    ruleset: str = ""
    clue_at: int | None = None
    opened_at: int | None = None
    opener: str | None = None
    statements: int = 0
    decided_at: int | None = None
    decider: str | None = None
    decided_form: str | None = None
    form: str | None = None
    appeal_days: int = 0
    influence_until: int | None = None
    served_at: int | None = None
    appeal_until: int | None = None
    executed_at: int | None = None
    published_at: int | None = None
    appealed_at: int | None = None
    appeal_outcome: str | None = None
    outcome: str | None = None


def clue(_state: None, event: Event, context: Context) -> None:
    """A clue names a unit that exists, and events that do."""
    data: ClueRegistered = event.data
    if data.unit is not None:
        check_unit(context, data.unit, "/data/unit")
    check_facts(data.facts, context)


def opening(_state: AccountabilityCase | None, event: Event, context: Context) -> None:
    """I10: the facts are in the log; the person held the post when it happened."""
    data: Opened = event.data
    check_unit(context, data.unit, "/data/unit")
    check_facts(data.facts, context)
    if us(data.fact_at) > context.at:
        raise refuse("instant_in_future", "/data/fact_at")
    if (data.post is None) != (data.person_ref is None):
        missing = "post" if data.post is None else "person_ref"
        raise refuse("accountable_incomplete", f"/data/{missing}")
    if data.post is not None:
        _held(data, context)
    current(data.ruleset, context, where="/data/ruleset")


def _held(data: Opened, context: Context) -> None:
    post = context.state_of(f"post/{data.post}")
    holding = None if post is None else post.holding_at(us(data.fact_at))
    if holding is None or holding.person_ref != data.person_ref:
        raise refuse("post_not_held_then", "/data/person_ref", post=data.post)
    if holding.unit != data.unit:
        raise refuse("post_of_other_unit", "/data/post", unit=holding.unit)


def attaching(state: AccountabilityCase, event: Event, context: Context) -> None:
    """New facts are in the log, and new."""
    data: FactAttached = event.data
    check_facts(data.facts, context, cited=state.facts)


def hearing(_state: AccountabilityCase, event: Event, context: Context) -> None:
    """A statement was heard before it is recorded."""
    data: StatementHeard = event.data
    if us(data.heard_at) > context.at:
        raise refuse("instant_in_future", "/data/heard_at")


def deciding(state: AccountabilityCase, event: Event, context: Context) -> None:
    """Another than the opener decides, who has heard, and leaves time to appeal."""
    data: Decided = event.data
    if person_of(context.actor) == state.opener:
        raise refuse("decider_is_opener", "/type")
    if not state.statements:
        raise refuse("statement_not_heard", "/type")
    least = current(state.ruleset, context, where="/subject").appeal_window_days
    if data.appeal_days < least:
        raise refuse("appeal_window_too_short", "/data/appeal_days", least=least)


def serving(state: AccountabilityCase, event: Event, context: Context) -> None:
    """What is served was decided before."""
    data: Served = event.data
    _between(us(data.served_at), state.decided_at, context, where="/data/served_at")


def executing(state: AccountabilityCase, event: Event, context: Context) -> None:
    """A decision is carried out once, an appeal notwithstanding."""
    data: Executed = event.data
    if state.executed_at is not None:
        raise refuse("case_executed_already", "/type")
    _between(us(data.executed_at), state.decided_at, context, where="/data/executed_at")


def publishing(state: AccountabilityCase, _event: Event, _context: Context) -> None:
    """An outcome is made known once; after a change, the changed one."""
    if state.published_at is not None:
        raise refuse("case_published_already", "/type")


def appealing(state: AccountabilityCase, event: Event, context: Context) -> None:
    """An appeal comes within the window, counted from service in calendar days."""
    data: Appealed = event.data
    received = us(data.received_at)
    _between(received, state.served_at, context, where="/data/received_at")
    if state.appeal_until is not None and received >= state.appeal_until:
        until = rfc3339(state.appeal_until)
        raise refuse("appeal_too_late", "/data/received_at", until=until)
    actor = context.actor
    if not actor.roles & {"discipline", "headquarters"} and actor.unit != state.unit:
        raise refuse("appeal_of_other_unit", "/type", unit=state.unit)


def judging(state: AccountabilityCase, event: Event, context: Context) -> None:
    """Another than the decider judges; only a change names a form, another one."""
    data: AppealDecided = event.data
    if person_of(context.actor) == state.decider:
        raise refuse("appeal_judge_is_decider", "/type")
    if (data.outcome == "changed") != (data.form is not None):
        raise refuse("appeal_form_only_on_change", "/data/form")
    if data.form is not None and data.form == state.form:
        raise refuse("appeal_form_unchanged", "/data/form")


def closing(state: AccountabilityCase, _event: Event, context: Context) -> None:
    """What is in force has been carried out, and can be appealed no longer."""
    if state.status not in {"served", "final"}:
        return
    if state.executed_at is None:
        raise refuse("case_not_executed", "/type")
    until = state.appeal_until
    if state.status == "served" and until is not None and context.at < until:
        raise refuse("appeal_window_open", "/type", until=rfc3339(until))


def lifting(state: AccountabilityCase, _event: Event, context: Context) -> None:
    """The influence of a decision that was carried out ends when it said."""
    until = state.influence_until
    if state.outcome != "carried_out" or until is None or context.at < until:
        raise refuse("influence_not_over", "/type")


def _between(at_us: int, since: int | None, context: Context, *, where: str) -> None:
    """Refuse an instant in the future, or before what it must follow."""
    if at_us > context.at:
        raise refuse("instant_in_future", where)
    if since is not None and at_us < since:
        raise refuse("instant_too_early", where, since=rfc3339(since))


def window_end(served_at: int, days: int) -> int:
    """Return until when an appeal is in time: 24:00 of the last calendar day."""
    return calendar.calendar_days_after(served_at, days).at
