"""The course of each commitment: its status after every event, and at any instant.

Rules of this file: it replays, it judges nothing. The folds are those of the board, so
that a rule and the board can never differ about what stood when. One thing no fold of
one stream can know is added: what takes over from others inherits their earliest
original due (``inheritance``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from events.domain import kinds
from events.domain.commitment_state import TERMINAL
from events.domain.kinds import Kind
from projections.facts import Fact
from projections.rules.inheritance import Inherited, inherited, with_inherited
from projections.rules.steps import Step
from projections.status import Status, advance
from projections.world import Happened, StateRow, World

TYPES = ("henji.commitment.*",)
#: Statuses in which the lead unit is to act: it has been asked and has not claimed.
OWED = frozenset({"issued", "signed", "in_progress", "returned", "reopened"})
#: Statuses whose light is grey: nothing is demanded of anybody.
GREY = TERMINAL | {"suspended"}


@dataclass(frozen=True, slots=True)
class Course:
    """A commitment from its registration on; ``steps`` are in the order of its stream.

    ``kind`` is the policy it is under, ``inherited`` the original dues of what it takes
    over from; ``steps`` have its own, ``by`` and ``at`` the earliest.
    """

    key: str
    kind: Kind
    steps: tuple[Step, ...]
    inherited: tuple[Inherited, ...] = ()

    def by(self, instant: int) -> tuple[Step, ...]:
        """Return the steps that had happened by an instant, folded without the others.

        Events that were recorded late stand where they happened.
        """
        kept = tuple(step for step in self.steps if step.event.occurred <= instant)
        if kept != self.steps[: len(kept)]:
            happened = [step.event for step in kept]
            kept = _steps(happened, self.steps[0].state.policy)
        return with_inherited(kept, self.inherited, instant)

    def at(self, instant: int) -> Status | None:
        """Return the status at an instant; None: not registered then."""
        steps = self.by(instant)
        return steps[-1].row if steps else None

    def of(self, *what: str) -> Iterator[Step]:
        """Yield the steps of some kinds of events."""
        return (step for step in self.steps if step.what in what)


def courses(world: World) -> tuple[Course, ...]:
    """Return the course of every commitment of a cut, by key."""
    happened: dict[str, list[Happened]] = {}
    for event in world.events(types=TYPES):
        happened.setdefault(event.stream, []).append(event)
    rows = world.states("commitment")
    published = {
        name: None if (found := world.state(f"policy/{name}")) is None else found.state
        for name in {row.state.policy.partition("@")[0] for row in rows}
    }
    made = [
        _course(row, happened[row.stream], published)
        for row in rows
        if row.stream in happened
    ]
    passed = inherited({row.key: row.steps for row in made})
    return tuple(replace(row, inherited=passed.get(row.key, ())) for row in made)


def course_of(world: World, key: str) -> Course | None:
    """Return the course of one commitment; None: it is not in the cut.

    Without what it inherits: for that, all are needed.
    """
    row = world.state(f"commitment/{key}")
    happened = world.events(streams=(f"commitment/{key}",))
    if row is None or not happened:
        return None
    name = row.state.policy.partition("@")[0]
    policy = world.state(f"policy/{name}")
    published = {name: None if policy is None else policy.state}
    return _course(row, happened, published)


def before(courses_: Iterable[Course], instant: int) -> Iterator[tuple[Course, Status]]:
    """Yield each course that had begun by an instant with its status then."""
    for course in courses_:
        row = course.at(instant)
        if row is not None:
            yield course, row


def due_set(steps: Sequence[Step]) -> Step:
    """Return the step that gave the last of some steps its current due."""
    found = steps[-1]
    for step in reversed(steps):
        if step.state.current_due != steps[-1].state.current_due:
            break
        found = step
    return found


def _course(
    row: StateRow, happened: Sequence[Happened], published: dict[str, Any]
) -> Course:
    policy = row.state.policy
    kind = _kind(policy, published)
    return Course(row.key, kind, _trusted(_steps(happened, policy), row))


def _kind(policy: str, published: dict[str, Any]) -> Kind:
    """Return the kind ``name@version``; where nobody knows it, the strictest usual."""
    name = policy.partition("@")[0]
    shipped = kinds.built_in()
    return (
        kinds.registered_under(policy, published.get(name))
        or shipped.get(name)
        or shipped["supervision"]
    )


def _steps(happened: Sequence[Happened], policy: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    row: Status | None = None
    for event in sorted(happened, key=lambda one: one.version):
        row = advance(row, _fact(event, policy))
        if row is not None:
            steps.append(Step(event, row))
    return tuple(steps)


def _trusted(steps: tuple[Step, ...], row: StateRow) -> tuple[Step, ...]:
    """Let the last status hold the state that the log's own fold gives."""
    if not steps or steps[-1].state == row.state:
        return steps
    last = msgspec.structs.replace(steps[-1].row, state=row.state)
    return (*steps[:-1], Step(steps[-1].event, last))


def _fact(event: Happened, policy: str) -> Fact:
    return Fact(
        position=event.position,
        stream=event.stream,
        version=event.version,
        type=event.type,
        id=event.id,
        source=event.source,
        occurred=event.occurred,
        recorded=event.recorded,
        ingested=event.ingested,
        key="",
        unit=event.unit,
        post=event.post,
        person=None,
        due_at=event.due_at,
        policy=policy,
        data=msgspec.Raw(msgspec.json.encode(event.data)),
    )
