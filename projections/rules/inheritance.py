"""The original due of what takes over 并入/替代: the earliest of all it stands for.

Rules of this file: which dues pass to which commitment, from when on. A promise that is
merged into another one is not put off by it. The own original due of each never changes
in the log; what is inherited is derived, and only here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from projections.rules.steps import Step


@dataclass(frozen=True, slots=True)
class Inherited:
    """An original due that passed to a commitment, and from when on (µs).

    ``events`` are the positions of what set it, and of each supersession on the way.
    """

    due: int
    since: int
    events: tuple[int, ...]


def inherited(
    courses: Mapping[str, Sequence[Step]],
) -> dict[str, tuple[Inherited, ...]]:
    """Return what each commitment inherits, from all that were taken over, by key.

    Through any number of supersessions: it passes once the last of them has happened.
    """
    found: dict[str, list[Inherited]] = {}
    for steps in courses.values():
        setting = next((s for s in steps if s.state.original_due is not None), None)
        if setting is None or setting.state.original_due is None:
            continue
        due, since, events = setting.state.original_due, 0, [setting.event.position]
        passing = _supersession(steps)
        while passing is not None:
            since = max(since, passing.event.occurred)
            events.append(passing.event.position)
            heir = passing.event.data.by
            passed = Inherited(due, since, tuple(sorted(events)))
            found.setdefault(heir, []).append(passed)
            passing = _supersession(courses.get(heir, ()))
    return {key: tuple(rows) for key, rows in found.items()}


def _supersession(steps: Sequence[Step]) -> Step | None:
    return next((step for step in steps if step.what == "superseded"), None)


def with_inherited(
    steps: tuple[Step, ...], passed: Sequence[Inherited], instant: int
) -> tuple[Step, ...]:
    """Return the steps up to an instant with the earliest original due of each.

    What had ended before it took over is left as it was.
    """
    known = [one for one in passed if one.since <= instant]
    if not known or not steps:
        return steps
    rows = [_earliest(step, known) for step in steps[:-1]]
    last = steps[-1]
    if last.row.ended_at is None:  # It stands, whenever its last event was.
        return (*rows, _with(last, min(one.due for one in known)))
    return (*rows, _earliest(last, known))


def _earliest(step: Step, passed: Sequence[Inherited]) -> Step:
    dues = [one.due for one in passed if one.since <= step.event.occurred]
    return _with(step, min(dues)) if dues else step


def _with(step: Step, due: int) -> Step:
    own = step.state.original_due
    if own is not None and own <= due:
        return step
    state = msgspec.structs.replace(step.state, original_due=due)
    return replace(step, row=msgspec.structs.replace(step.row, state=state))
