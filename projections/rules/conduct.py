"""Inaction 不作为 and slow action 慢作为: derived from events, never typed in.

Rules of this file: two rules over the course of one commitment, and inaction over one
daily duty. What is suspended, ended, or waiting for somebody else accuses nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from events.domain.obligations import Obligation
from events.domain.periods import span
from projections.rules import days
from projections.rules.courses import GREY, OWED, Course, due_set
from projections.rules.derived import Derived, positions
from projections.rules.in_force import Rules
from projections.rules.steps import Step
from projections.world import StateRow

#: What only the lead unit does.
OWN = frozenset(
    {
        "signed_for",
        "receipt_rejected",
        "plan_filed",
        "decomposed",
        "progress_reported",
        "extension_requested",
        "completion_claimed",
        "completion_withdrawn",
    }
)
#: What puts the lead unit to work: silence is counted from the last of these.
ASKED = frozenset({"issued", "reassigned", "reopened", "resumed"})
_RETURNED = "verification_recorded"


def inaction(course: Course, now: int, rules: Rules) -> Derived[bool] | None:
    """Say whether the lead unit has been silent for too many whole working days.

    None: it is not to act now. Silence begins with its last event, or with what last
    put it to work, whichever is later; being resumed begins it anew.
    """
    steps = course.by(now)
    if not steps or steps[-1].state.status not in OWED:
        return None
    heard = [step for step in steps if _counts(step)] or [steps[0]]
    last = max(heard, key=lambda step: (step.event.occurred, step.event.position))
    limit = rules.ruleset.inaction_days
    since = days.after(rules.table, last.event.occurred, limit)
    return Derived(
        now >= since,
        rules.cite("inaction"),
        (last.event.position,),
        {"last_at": last.event.occurred, "since": since, "limit": limit},
    )


def daily_inaction(
    rows: Sequence[StateRow], now: int, rules: Rules
) -> Derived[bool] | None:
    """Say the same of one daily duty, given all its periods; None: none is owed.

    A day that was waived on record counts as if it had been met.
    """
    owed = [row for row in rows if span(row.state.period).start <= now]
    if not owed:
        return None
    done = [(at, row) for row in owed if (at := _answered(row.state, now)) is not None]
    first = min(owed, key=lambda row: span(row.state.period).start)
    begun = span(first.state.period).start - 1, first
    at, last = max(done, key=lambda found: found[0], default=begun)
    missing = [
        row
        for row in owed
        if at < row.state.due < now and _answered(row.state, now) is None
    ]
    limit = rules.ruleset.inaction_days_daily
    since = days.after(rules.table, at, limit)
    return Derived(
        bool(missing) and now >= since,
        rules.cite("inaction.daily"),
        positions(last.events[-1:], *(row.events[:1] for row in missing)),
        {"last_at": at, "since": since, "limit": limit},
    )


def slow_action(course: Course, now: int, rules: Rules) -> Derived[bool] | None:
    """Say whether the lead unit is slow, and by which of three signs.

    Overdue by the current due; returned too often; more time granted after the due had
    passed. None: not registered, not handed out, or grey.
    """
    steps = course.by(now)
    if not steps or steps[-1].state.status in GREY | {"draft"}:
        return None
    due = steps[-1].state.current_due
    returned = [step for step in steps if _is_return(step)]
    signs = {
        "overdue": [due_set(steps)] if due is not None and now > due else [],
        "returns": returned if len(returned) >= rules.ruleset.slow_returns else [],
        "extended_late": _extended_late(steps),
    }
    found = {name: rows for name, rows in signs.items() if rows}
    return Derived(
        bool(found),
        rules.cite("slow_action"),
        positions(*([step.event.position for step in rows] for rows in found.values())),
        {"signs": tuple(found), "due": due, "returns": len(returned)},
    )


def _counts(step: Step) -> bool:
    return step.what in OWN or step.what in ASKED or _is_return(step)


def _is_return(step: Step) -> bool:
    return step.what == _RETURNED and step.event.data.result == "fail"


def _extended_late(steps: Sequence[Step]) -> list[Step]:
    return [
        step
        for earlier, step in pairwise(steps)
        if step.what == "extension_granted"
        and earlier.state.current_due is not None
        and step.event.occurred > earlier.state.current_due
    ]


def _answered(state: Obligation, now: int) -> int | None:
    if state.status == "waived":
        return state.due
    met = state.met_at
    return met if met is not None and met <= now else None
