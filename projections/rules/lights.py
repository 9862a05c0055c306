"""The traffic light of a commitment at an instant: a table of rules, first match wins.

Rules of this file: pure; a light is never stored and never typed in. Each answer names
the rule and the ruleset version that gave it, so that anyone can check it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from projections.rules import days
from projections.rules.deadlines import Terms, days_left, term_start, warning_days
from projections.rules.derived import Reason
from projections.rules.in_force import Rules


class Colour(StrEnum):
    """What a light can show."""

    GREY = "grey"
    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"


class Lit(Terms, Protocol):
    """What these rules need of a status row beside its terms."""

    @property
    def suspended(self) -> bool:
        """Whether its clock is stopped for a recorded reason."""

    @property
    def working(self) -> bool:
        """Whether its lead unit is at work on it and owes reports."""

    @property
    def returns(self) -> int:
        """How many times a claim was sent back."""

    @property
    def percent(self) -> float | None:
        """The last reported share done, 0-100; None: never reported."""

    @property
    def activity_at(self) -> int | None:
        """When its lead unit last signed, planned, progressed or claimed."""


Judge = Callable[[Lit, int, Rules], Reason | None]


@dataclass(frozen=True, slots=True)
class Light:
    """A colour, the rule that decided (``light.<id>@<ruleset>``) and its numbers.

    ``finished_late`` marks a closed commitment that kept no deadline (逾期办结).
    """

    colour: Colour
    rule: str
    reason: Reason
    finished_late: bool


def light(row: Lit, now: int, rules: Rules) -> Light:
    """Return the light of a row at an instant."""
    for colour, name, judge in RULES:
        reason = judge(row, now, rules)
        if reason is not None:
            return Light(
                colour=colour,
                rule=rules.cite(f"light.{name}"),
                reason=reason,
                finished_late=_finished_late(row),
            )
    raise AssertionError("the last rule matches everything")


def _ended(row: Lit, _now: int, _rules: Rules) -> Reason | None:
    return None if row.ended_at is None else {"ended_at": row.ended_at}


def _suspended(row: Lit, _now: int, _rules: Rules) -> Reason | None:
    return {} if row.suspended else None


def _past_due(row: Lit, now: int, _rules: Rules) -> Reason | None:
    due = row.current_due
    return {"due": due} if due is not None and now > due else None


def _returned(row: Lit, _now: int, rules: Rules) -> Reason | None:
    enough = row.returns >= rules.ruleset.red_returns
    return (
        {"returns": row.returns, "limit": rules.ruleset.red_returns} if enough else None
    )


def _due_soon(row: Lit, now: int, rules: Rules) -> Reason | None:
    if row.current_due is None:
        return None
    left, limit = days_left(row.current_due, now, rules), warning_days(row, rules)
    return {"days_left": left, "limit": limit} if left <= limit else None


def _behind_plan(row: Lit, now: int, rules: Rules) -> Reason | None:
    """Compare with an even pace over the working days of the current term."""
    start = term_start(row)
    if row.percent is None or row.current_due is None or start is None:
        return None
    term = days.between(rules.table, start, row.current_due)
    if term <= 0:
        return None
    passed = days.between(rules.table, start, now)
    planned = min(100, 100 * passed // term)
    behind = planned - row.percent
    if behind <= rules.ruleset.yellow_points_behind:
        return None
    return {"planned": planned, "limit": rules.ruleset.yellow_points_behind}


def _silent(row: Lit, now: int, rules: Rules) -> Reason | None:
    """No progress for more than half the report interval and one working day more."""
    if not row.working or row.activity_at is None:
        return None
    silent = days.between(rules.table, row.activity_at, now)
    if 2 * (silent - 1) <= rules.ruleset.report_interval_days:
        return None
    return {"days": silent, "interval": rules.ruleset.report_interval_days}


def _otherwise(_row: Lit, _now: int, _rules: Rules) -> Reason | None:
    return {}


def _finished_late(row: Lit) -> bool:
    due, end = row.current_due, row.ended_at
    return row.finished and due is not None and end is not None and end > due


RULES: tuple[tuple[Colour, str, Judge], ...] = (
    (Colour.GREY, "ended", _ended),
    (Colour.GREY, "suspended", _suspended),
    (Colour.RED, "past_due", _past_due),
    (Colour.RED, "returned", _returned),
    (Colour.YELLOW, "due_soon", _due_soon),
    (Colour.YELLOW, "behind_plan", _behind_plan),
    (Colour.YELLOW, "silent", _silent),
    (Colour.GREEN, "otherwise", _otherwise),
)
