"""Urging 催办: which sheet is due at an instant, and when it becomes a clue.

Rules of this file: the table of levels and instants. It sends nothing; a worker that
does is safe to repeat, for each sheet has one key: commitment, level, cycle. A cycle
ends when the commitment gets another due.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from events.domain.commitment_state import URGE_LEVELS
from events.domain.rulesets import Ruleset
from projections.rules import days
from projections.rules.courses import OWED, Course
from projections.rules.derived import Derived, positions
from projections.rules.in_force import Rules
from projections.rules.steps import Step

Days = Callable[[Ruleset], int]
#: Sheet and after how many working days past the due; the due itself is day 0.
SHEETS: tuple[tuple[str, Days], ...] = (
    ("blue", lambda ruleset: ruleset.urge_blue_days),
    ("orange", lambda ruleset: ruleset.urge_orange_days),
    ("red", lambda ruleset: ruleset.urge_red_days),
)
#: An urgent commitment skips a level 越级: it gets each sheet one step earlier.
SKIPPED: tuple[tuple[str, Days], ...] = (
    ("orange", lambda ruleset: ruleset.urge_blue_days),
    ("red", lambda ruleset: ruleset.urge_orange_days),
)
CLUE = "red"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A level, and from which instant (µs) it is due."""

    level: str
    since: int


@dataclass(frozen=True, slots=True)
class Urge:
    """A sheet that is due; ``sent``: one of its level or above went out this cycle.

    ``allowed``: the log would take it, because no higher one was sent before.
    """

    commitment: str
    level: str
    cycle: int
    since: int
    sent: bool
    allowed: bool

    @property
    def key(self) -> tuple[str, str, int]:
        """Return what makes sending it twice the same as once."""
        return self.commitment, self.level, self.cycle


def sheets(due: int, rules: Rules, *, urgent: bool = False) -> tuple[Sheet, ...]:
    """Return each level of a due and from when it holds, earliest first.

    The reminder begins with the day from which so many working days are left; day 0 is
    the first instant that is late; day n is 00:00 of the n-th working day after.
    """
    ruleset, table = rules.ruleset, rules.table
    reminder = days.start_before(table, due, ruleset.urge_reminder_days)
    later = [
        Sheet(level, days.start_after(table, due, n) if (n := of(ruleset)) else due + 1)
        for level, of in (SKIPPED if urgent else SHEETS)
    ]
    return (Sheet("reminder", reminder), *later)


def level_due(
    due: int, now: int, rules: Rules, *, urgent: bool = False
) -> Sheet | None:
    """Return the highest level that holds at an instant; None: none yet."""
    begun = [row for row in sheets(due, rules, urgent=urgent) if row.since <= now]
    return max(begun, key=lambda row: (row.since, rank(row.level)), default=None)


def rank(level: str) -> int:
    """Return 1 for the reminder ... 4 for the red sheet."""
    return URGE_LEVELS.index(level)


def urge(course: Course, now: int, rules: Rules) -> Derived[Urge] | None:
    """Return the sheet that is due for a commitment at an instant; None: none.

    Only where its lead unit is to act: not while it waits for a verifier, not while
    its clock is stopped, not after its end.
    """
    steps = course.by(now)
    if not steps or steps[-1].state.status not in OWED:
        return None
    state = steps[-1].state
    due = state.current_due
    sheet = None if due is None else level_due(due, now, rules, urgent=state.urgent)
    if sheet is None:
        return None
    cycle, since = cycle_of(steps)
    sent = [step for step in steps[since:] if step.what == "urged"]
    level = rank(sheet.level)
    value = Urge(
        commitment=course.key,
        level=sheet.level,
        cycle=cycle,
        since=sheet.since,
        sent=any(rank(step.event.data.level) >= level for step in sent),
        allowed=level >= state.urge_level,
    )
    cause = steps[since].event.position
    return Derived(
        value,
        rules.cite(f"urging.{sheet.level}"),
        positions([cause], (step.event.position for step in sent)),
        {"due": due, "urgent": state.urgent},
    )


def clue(course: Course, now: int, rules: Rules) -> Derived[Urge] | None:
    """Return the red sheet that makes a clue for accountability; None: none is due.

    Its events are the facts: what set the due, and the sheets that were sent.
    """
    found = urge(course, now, rules)
    if found is None or found.value.level != CLUE:
        return None
    rule = rules.cite("urging.clue")
    return Derived(found.value, rule, found.events, found.reason)


def cycle_of(steps: Sequence[Step]) -> tuple[int, int]:
    """Return the cycle (0 first) and the index of the step that began it.

    A cycle begins with a due that differs from the one before, and at each reopening.
    """
    cycle, began, due = -1, 0, None
    for index, step in enumerate(steps):
        current = step.state.current_due
        if current is None or (current == due and step.what != "reopened"):
            continue
        cycle, began, due = cycle + 1, index, current
    return max(cycle, 0), began
