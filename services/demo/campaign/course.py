"""The course of a commitment: which steps its fate makes it take, and on which days.

Rules of this file: days and hours; what a step is stands in ``life``. Steps are laid
out first and taken in the order of their instants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final

from services.demo.campaign.dice import Dice
from services.demo.campaign.fates import Fate
from services.demo.campaign.life import Life
from services.demo.campaign.moments import (
    DAY,
    END,
    HOUR,
    LAST,
    MINUTE,
    at,
    day_of,
    end_of,
    later,
)
from services.demo.campaign.places import OFFICES
from services.demo.campaign.promises import FULL, RECTIFY, Group, Spec
from services.demo.campaign.record import Emitted, Log

Step = Callable[[int], object]
#: Sheets, and how many days after the due in force they go out.
_SHEETS: Final = (("blue", 1), ("orange", 3), ("red", 7))


@dataclass(slots=True)
class Course:
    """The steps of one life, by instant. ``claim`` is when it is first claimed."""

    life: Life
    fate: Fate
    dice: Dice
    steps: list[tuple[int, int, Step]] = field(default_factory=list)

    def add(self, when: int, step: Step) -> None:
        """Lay out a step."""
        self.steps.append((when, len(self.steps), step))

    def run(self) -> Life:
        """Take every step."""
        for when, _, step in sorted(self.steps, key=lambda row: row[:2]):
            step(when)
        self.life.was_overdue |= self.life.is_open and self.life.due < end_of(END)
        return self.life


@dataclass(frozen=True, slots=True)
class Reuse:
    """Which picture a claim shows again: of a claim recorded before an instant."""

    known: list[tuple[int, str, str]]

    def before(self, instant: int) -> tuple[str, str]:
        """Return (the other promise, the digest of its claim's picture)."""
        earlier = [row for row in self.known if row[0] < instant]
        _, key, name = earlier[len(earlier) // 2]
        return key, name


def live(
    log: Log,
    spec: Spec,
    fate: Fate,
    *,
    reuse: Reuse,
    successor: Emitted | None = None,
    after: Iterable[Emitted] = (),
) -> Life:
    """Live a promise without parts from its registration to its end."""
    dice = Dice(log.seed, "course", spec.key)
    course = Course(Life(log, spec), fate, dice)
    free = _beginning(course, after)
    if fate.end == "closed":
        _to_the_close(course, free, reuse)
    else:
        _to_another_end(course, free, successor)
    life = course.run()
    if "completion_claimed" in life.events and not fate.reuses:
        claim = life.events["completion_claimed"]
        reuse.known.append((claim.recorded, spec.key, life.claim_digest()))
    return life


def _beginning(course: Course, after: Iterable[Emitted]) -> int:
    """Lay out the way to the plan; return from when the work goes on."""
    life, fate, dice = course.life, course.fate, course.dice
    spec = life.spec
    when = at(spec.start, 9) + dice.below(110) * MINUTE
    course.add(when, partial(life.register, after=tuple(after)))
    when += (60 + dice.below(60)) * MINUTE
    course.add(when, life.issue)
    if fate.rejected:
        other = next(unit for unit in OFFICES if unit != spec.unit)
        course.add(when + 2 * HOUR, partial(life.reject, to=other))
        when += 4 * HOUR
    when += (60 + dice.below(150)) * MINUTE
    if spec.term >= 14 and dice.hits(80):
        when += 3 * DAY
    course.add(when, life.sign)
    if spec.kind != RECTIFY:
        when += (30 + dice.below(90)) * MINUTE
        course.add(when, life.plan)
    when += 30 * MINUTE
    if fate.corrected:
        course.add(when, life.correct)
    if fate.suspended:
        until = when + 2 * DAY
        course.add(when + MINUTE, partial(life.suspend, until=until))
        when = until
    return when + 30 * MINUTE


def _to_the_close(course: Course, free: int, reuse: Reuse) -> None:
    fate, spec = course.fate, course.life.spec
    limit = _extension(course) if fate.extended or fate.denied else spec.due
    if fate.returned:
        _returned(course, free, limit)
        return
    # A denied request is answered two days before the due: no close before that.
    slack = 1 if fate.denied else max(1, min(4, spec.term // 4))
    last = later(limit, fate.late_by or -course.dice.below(slack))
    early = 5 if spec.kind == FULL else 0
    claim = at(later(last, -2 - early), 16)
    _work(course, free, claim)
    step: Step = course.life.claim
    if fate.reuses:
        step = partial(_claim_again, course.life, reuse)
    course.add(claim, step)
    course.add(at(later(last, -1 - early), 10), course.life.verify)
    if spec.kind == FULL:
        publicise = partial(course.life.publicise, until=at(later(last, -1), 9))
        course.add(at(later(last, -5), 9), publicise)
    _close(course, last, limit)


def _claim_again(life: Life, reuse: Reuse, when: int) -> None:
    other, name = reuse.before(when)
    claim = life.claim(when, reused=name)
    life.log.tally.mark(claim, "reuse", life.spec.key, first=other, sha256=name)


def _close(course: Course, last: date, limit: date) -> None:
    when = at(last, 15) + course.dice.below(50) * MINUTE
    course.add(when, course.life.close)
    if course.fate.late_by:
        _urge(course, limit, when)


def _extension(course: Course) -> date:
    """Lay out a request and its answer; return the last day after it."""
    life, due = course.life, course.life.spec.due
    new_due = later(due, course.dice.between(5, 8))
    course.add(at(later(due, -3), 10), partial(life.ask, new_due))
    answered = at(later(due, -2), 15)
    if course.fate.denied:
        course.add(answered, life.deny)
        return due
    course.add(answered, partial(life.grant, new_due))
    return new_due


def _returned(course: Course, free: int, limit: date) -> None:
    """Lay out a failed verification: five days from then to rectify."""
    life, late_by = course.life, course.fate.late_by
    failed = later(limit, -4 if late_by else -5 - course.dice.below(2))
    claim = at(later(failed, -1), 16)
    _work(course, free, claim)
    course.add(claim, life.claim)
    course.add(at(failed, 10), partial(life.fail, days=5))
    due = later(failed, 5)
    last = later(due, late_by)
    again = at(later(last, -2), 16)
    course.add((at(failed, 12) + again) // 2, partial(life.progress, 90))
    course.add(again, partial(life.claim, answers=True))
    course.add(at(later(last, -1), 10), life.verify)
    _close(course, last, due)


def _work(course: Course, free: int, until: int) -> None:
    """Lay out reports of progress, the first soon, the last perhaps recorded late."""
    count = course.dice.between(1, 3)
    first = free + min(3 * HOUR, (until - free) // 3)
    for number in range(count):
        when = first + (until - first) * number // count
        late = course.fate.recorded_late if number == count - 1 else 0
        recorded = when + late * DAY if late else 0
        percent = 90 * (number + 1) // count
        report = partial(course.life.progress, percent, recorded=recorded)
        course.add(when, report)


def _urge(course: Course, limit: date, until: int) -> None:
    for level, days in _SHEETS:
        when = at(later(limit, days), 9, 30)
        if when < until:
            course.add(when, partial(course.life.urge, level))


def _to_another_end(course: Course, free: int, successor: Emitted | None) -> None:
    life, end = course.life, course.fate.end
    limit = life.spec.due
    middle = at(later(limit, -2), 11)
    _work(course, free, middle)
    if end == "cancelled":
        data = {"approver_post": "hq.director"}
        course.add(middle, partial(life.give_up, "cancelled", data))
    elif end == "superseded" and successor is not None:
        into = {"by": successor.stream.partition("/")[2]}
        step = partial(life.give_up, "superseded", into, after=(successor,))
        course.add(max(middle, successor.occurred + HOUR), step)
    else:
        given_up = at(later(LAST, 5), 10)
        _urge(course, limit, given_up)
        if end == "failed":
            data = {"cause": "campaign_ended"}
            course.add(given_up, partial(life.give_up, "failed", data))


def live_group(
    log: Log, group: Group, fates: dict[str, Fate], *, reuse: Reuse
) -> list[Life]:
    """Live a promise and its parts; the whole is claimed when all parts are done."""
    spec = group.whole
    course = Course(Life(log, spec), Fate(), Dice(log.seed, "course", spec.key))
    split = _split(course, group.parts)
    parts = [
        live(log, part, fates[part.key], reuse=reuse, after=(split,))
        for part in group.parts
    ]
    closes = [part.events["closed"] for part in parts]
    final = max(day_of(close.occurred) for close in closes)
    last = max(later(spec.due, -1), later(final, 2))
    claim = at(later(last, -2), 16, 30)
    half = (split.occurred + claim) // 2
    course.add(half, partial(course.life.progress, 50))
    course.add(claim, partial(course.life.claim, after=closes))
    course.add(at(later(last, -1), 10), course.life.verify)
    when = at(last, 15)
    course.add(when, course.life.close)
    if last > spec.due:
        _urge(course, spec.due, when)
    return [course.run(), *parts]


def _split(course: Course, parts: Sequence[Spec]) -> Emitted:
    """Take the first steps of a whole at once, up to its parts."""
    life = course.life
    when = at(life.spec.start, 9)
    life.register(when)
    life.issue(when + HOUR)
    life.sign(when + 2 * HOUR)
    life.plan(when + 3 * HOUR)
    return life.split(parts, when + 4 * HOUR)
