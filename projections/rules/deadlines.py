"""Where a commitment stands against its deadlines at an instant: judged, never stored.

Rules of this file: pure functions of a row, an instant and the rules in force. The
original due and the current due are judged apart: an extension moves the second, never
the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from projections.rules import days
from projections.rules.in_force import Rules


class Terms(Protocol):
    """What these rules need of a status row. Instants are µs; None: not (yet) known."""

    @property
    def original_due(self) -> int | None:
        """The deadline first promised."""

    @property
    def current_due(self) -> int | None:
        """The deadline after extensions."""

    @property
    def issued_at(self) -> int | None:
        """When the term began to run."""

    @property
    def registered_at(self) -> int | None:
        """When the promise was recorded."""

    @property
    def ended_at(self) -> int | None:
        """When it was closed, cancelled, superseded or failed."""

    @property
    def finished(self) -> bool:
        """Whether it ended by being done: closed."""


class Schedule(StrEnum):
    """The schedule status, one of three that are kept apart."""

    NO_DEADLINE = "no_deadline"
    ON_TIME = "on_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    FINISHED_ON_TIME = "finished_on_time"
    FINISHED_LATE = "finished_late"
    ENDED_UNFINISHED = "ended_unfinished"


@dataclass(frozen=True, slots=True)
class Standing:
    """The schedule status by each due date, and working days left or passed.

    ``days_left`` counts to the current due of an open commitment. ``overdue_days``
    counts past the current due, up to now or to the end; 0 where it is not late.
    ``provisional``: the due is in a year whose days off are not published yet.
    """

    by_original: Schedule
    by_current: Schedule
    days_left: int | None
    overdue_days: int
    provisional: bool
    rule: str


def standing(row: Terms, now: int, rules: Rules) -> Standing:
    """Return where a row stands at an instant."""
    due = row.current_due
    until = now if row.ended_at is None else row.ended_at
    is_open = row.ended_at is None
    return Standing(
        by_original=_schedule(row, row.original_due, now=now, rules=rules),
        by_current=_schedule(row, due, now=now, rules=rules),
        days_left=days_left(due, now, rules) if is_open and due is not None else None,
        overdue_days=0 if due is None else overdue_days(due, until, rules),
        provisional=due is not None and not days.is_published(rules.table, due - 1),
        rule=rules.cite("schedule"),
    )


def days_left(due: int, now: int, rules: Rules) -> int:
    """Count working days after today up to the last day; 0 today and when passed."""
    return max(0, days.between(rules.table, now, due))


def overdue_days(due: int, until: int, rules: Rules) -> int:
    """Count working days after the last day of the term; 0 where it is kept.

    One minute late on a day off counts 0 days and is late all the same.
    """
    if until <= due:
        return 0
    return days.between(rules.table, due - 1, until)


def warning_days(row: Terms, rules: Rules) -> int:
    """Return how many days before the due a row is due soon: fewer for a short term."""
    start = term_start(row)
    if start is None or row.original_due is None:
        return rules.ruleset.yellow_days_left
    term = days.between(rules.table, start, row.original_due)
    if term <= rules.ruleset.short_term_days:
        return rules.ruleset.yellow_days_left_short
    return rules.ruleset.yellow_days_left


def term_start(row: Terms) -> int | None:
    """Return when the term began: at issue, or at registration where nobody issues."""
    return row.registered_at if row.issued_at is None else row.issued_at


def _schedule(row: Terms, due: int | None, *, now: int, rules: Rules) -> Schedule:
    if row.ended_at is not None and not row.finished:
        return Schedule.ENDED_UNFINISHED
    if due is None:
        return Schedule.NO_DEADLINE
    if row.ended_at is not None:
        late = row.ended_at > due
        return Schedule.FINISHED_LATE if late else Schedule.FINISHED_ON_TIME
    if now > due:
        return Schedule.OVERDUE
    soon = days_left(due, now, rules) <= warning_days(row, rules)
    return Schedule.DUE_SOON if soon else Schedule.ON_TIME
