"""What was covered: cells by patrols, sources by a census, closed items by look-backs.

Rules of this file: shares with their denominators. What has to be covered comes from
the log (cells, lists, closed commitments), never from a number that someone typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from events import calendar
from events.domain.fields import us
from events.domain.periods import Span
from projections.rules.courses import Course
from projections.rules.derived import Derived, Rate, positions
from projections.rules.in_force import Rules
from projections.rules.rates import Interval, wilson
from projections.rules.steps import Step
from projections.world import Happened, World


class Frequency(NamedTuple):
    """At least so many patrols in each span of so many days."""

    times: int
    days: int


#: Level of the cell -> how often it must be walked.
FREQUENCIES: Final[Mapping[int, Frequency]] = MappingProxyType(
    {1: Frequency(1, 7), 2: Frequency(2, 7), 3: Frequency(1, 2)}
)


@dataclass(frozen=True, slots=True)
class Walked:
    """A cell in a period: spans that ended in it, and those with enough patrols."""

    cell: str
    unit: str
    level: int
    required: int
    met: int
    patrols: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A cell of a census; ``new`` are sources that no list had."""

    census: str
    cell: str
    unit: str
    listed: int
    visited: int
    missing: int
    new: int
    finished: bool

    @property
    def settled(self) -> int:
        """Return how many of those listed were visited or are not there."""
        return self.visited + self.missing


@dataclass(frozen=True, slots=True)
class LookedBack:
    """Closed commitments, those looked back at, and those that had relapsed."""

    group: str
    covered: Rate
    relapsed: Rate
    interval: Interval | None


def patrols(
    world: World,
    period: Span,
    *,
    rules: Rules,
    frequencies: Mapping[int, Frequency] = FREQUENCIES,
) -> tuple[Derived[Walked], ...]:
    """Return the patrol coverage of each cell in use that has a frequency, by cell.

    A patrol counts where it checked a point. A span that is not over is not judged.
    """
    checked: dict[str, list[tuple[int, Happened]]] = {}
    for event in world.events(types=("henji.inspection.point_checked.v1",)):
        at = _checked_at(event)
        if period.start <= at < period.end and at <= world.cut.now:
            checked.setdefault(event.data.cell, []).append((at, event))
    until = min(period.end, world.cut.now)
    found = []
    for row in world.states("grid"):
        frequency = frequencies.get(row.state.level)
        if row.state.active and frequency is not None:
            own = checked.get(row.key, [])
            spans = _spans(Span(period.start, until), frequency.days)
            value = Walked(
                cell=row.key,
                unit=row.state.unit,
                level=row.state.level,
                required=len(spans),
                met=sum(_walks(own, one) >= frequency.times for one in spans),
                patrols=len({event.stream for _, event in own}),
            )
            events = positions(event.position for _, event in own)
            reason = frequency._asdict()
            found.append(Derived(value, rules.cite("patrol_coverage"), events, reason))
    return tuple(found)


def census(world: World, rules: Rules) -> tuple[Derived[Counted], ...]:
    """Return the coverage of each cell of each census, by census and cell."""
    found = []
    for row in world.states("census"):
        happened = world.events(streams=(row.stream,))
        for name, cell in sorted(row.state.cells.items()):
            value = Counted(
                census=row.key,
                cell=name,
                unit=cell.unit,
                listed=len(cell.listed),
                visited=len(cell.visited),
                missing=len(cell.missing),
                new=len(cell.new),
                finished=cell.finished,
            )
            events = positions(
                event.position for event in happened if event.data.cell == name
            )
            found.append(Derived(value, rules.cite("census_coverage"), events))
    return tuple(found)


def lookbacks(
    rows: Iterable[Course], now: int, *, by: Callable[[Step], str], rules: Rules
) -> tuple[Derived[LookedBack], ...]:
    """Return look-back coverage and relapse, by group of the last close before.

    ``by`` names the group of a close: its theme, its lead unit, or the unit whose
    approval is being tested. A relapse is told with its 95 % interval.
    """
    groups: dict[str, list[tuple[Step, Step | None]]] = {}
    for course in rows:
        for close, look in _closes(course.by(now)):
            groups.setdefault(by(close), []).append((close, look))
    found = []
    for group, pairs in sorted(groups.items()):
        looks = [(close, look) for close, look in pairs if look is not None]
        done = Rate(
            positions(close.event.position for close, _ in looks),
            positions(close.event.position for close, _ in pairs),
        )
        relapsed = Rate(
            positions(look.event.position for _, look in looks if _relapsed(look)),
            positions(look.event.position for _, look in looks),
        )
        interval = wilson(relapsed.numerator, relapsed.denominator)
        value = LookedBack(group, done, relapsed, interval)
        events = positions(done.base, relapsed.base)
        found.append(Derived(value, rules.cite("relapse_rate"), events))
    return tuple(found)


def by_theme(close: Step) -> str:
    """Return the theme of what was closed."""
    return close.state.theme or ""


def by_verifier(close: Step) -> str:
    """Return the unit whose approval let it be closed."""
    return close.state.verifier_unit or ""


def _closes(steps: Iterable[Step]) -> list[tuple[Step, Step | None]]:
    """Pair each close with the last look-back before the next one."""
    pairs: list[tuple[Step, Step | None]] = []
    for step in steps:
        if step.what == "closed":
            pairs.append((step, None))
        elif step.what == "lookback_recorded" and pairs:
            pairs[-1] = (pairs[-1][0], step)
    return pairs


def _relapsed(step: Step) -> bool:
    return bool(step.event.data.result == "relapsed")


def _spans(period: Span, days: int) -> list[Span]:
    length = days * calendar.DAY_US
    count = max(0, period.end - period.start) // length
    starts = [period.start + n * length for n in range(count)]
    return [Span(start, start + length) for start in starts]


def _walks(checked: Iterable[tuple[int, Happened]], one: Span) -> int:
    return len({event.stream for at, event in checked if one.start <= at < one.end})


def _checked_at(event: Happened) -> int:
    said = event.data.checked_at
    return event.occurred if said is None else us(said)
