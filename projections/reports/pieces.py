"""What several reports are built of: a scene of one cut, its names, counts and tables.

Rules of this file: no figure of any one report. A count is the number of the positions
that it lists, one event for each thing that is counted (G11): ``counted`` makes it so.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from events import calendar, catalogue
from events.domain.commitment_state import STATUSES, Commitment
from events.domain.periods import Span
from projections.reports.model import (
    Cell,
    Column,
    CutLine,
    Kind,
    Question,
    Table,
    Text,
)
from projections.reports.remembered import remembered
from projections.rules.courses import Course, courses
from projections.rules.derived import Rate
from projections.rules.in_force import Rules, rulebook
from projections.rules.lights import Light, light
from projections.rules.steps import Step
from projections.status import Status
from projections.world import Happened, World

_SIMULATED = "模拟"
ZONE: Text = MappingProxyType({"en": "Zone", "zh": "全区"})
NOTHING: Text = MappingProxyType({"en": "None in this period.", "zh": "本期无。"})
UNNAMED: Text = MappingProxyType({"en": "Not stated", "zh": "未注明"})


class Case(NamedTuple):
    """A commitment as it stood at the cut's instant, with the steps until then."""

    course: Course
    steps: tuple[Step, ...]

    @property
    def key(self) -> str:
        """Return its number."""
        return self.course.key

    @property
    def row(self) -> Status:
        """Return its status."""
        return self.steps[-1].row

    @property
    def state(self) -> Commitment:
        """Return the domain's state of it."""
        return self.steps[-1].state

    @property
    def events(self) -> tuple[int, ...]:
        """Return the positions of all its events by then."""
        return tuple(sorted(step.event.position for step in self.steps))


@dataclass(frozen=True, slots=True)
class Scene:
    """One cut, as reports look at it: its rules, names, and commitments by key.

    ``cases`` are those that had begun, as they stood at its instant.
    """

    world: World
    question: Question
    rules: Rules
    courses: tuple[Course, ...]
    units: Mapping[str, Text]
    cases: tuple[Case, ...]

    @property
    def now(self) -> int:
        """Return the instant that everything is judged at (µs)."""
        return self.world.cut.now

    def unit(self, key: str | None) -> Text:
        """Return what a unit is called; its id where nobody named it."""
        return UNNAMED if key is None else self.units.get(key) or both(key, key)


def scene(world: World, question: Question) -> Scene:
    """Look at a cut, by the rules in force at its instant."""
    units = {
        row.key: both(row.state.name_en or row.state.name, row.state.name)
        for row in world.states("unit")
    }
    rules = rulebook(world).at(world.cut.now)
    seen = remembered(world)
    rows = seen.derived(courses)
    cases = tuple(cases_of(rows, world.cut.now))
    return Scene(seen, question, rules, rows, MappingProxyType(units), cases)


def cases_of(rows: Iterable[Course], instant: int) -> Iterator[Case]:
    """Yield each commitment that had begun by an instant, as it stood then."""
    for course in rows:
        steps = course.by(instant)
        if steps:
            yield Case(course, steps)


def cut_line(one: Scene, name: str, version: int) -> CutLine:
    """Return what a report was made from.

    It is simulated where a unit or campaign of the log says so in its name.
    """
    cut = one.world.cut
    names = [row.state.title for row in one.world.states("campaign")]
    names += [text["zh"] for text in one.units.values()]
    return CutLine(
        position=cut.position,
        root=base64.b64encode(cut.root).decode(),
        instant=cut.now,
        ruleset=one.rules.ruleset.label,
        calendar=one.rules.calendar,
        template=f"{name}@{version}",
        simulated=any(_SIMULATED in text for text in names),
    )


def both(en: str, zh: str) -> Text:
    """Return a text in both languages."""
    return {"en": en, "zh": zh}


def join(texts: Iterable[Text]) -> Text | None:
    """Return texts as one list; None: there are none."""
    found = list(texts)
    if not found:
        return None
    return both(
        "; ".join(text["en"] for text in found), "；".join(text["zh"] for text in found)
    )


def names(one: Scene, units: Iterable[str]) -> Text | None:
    """Return the names of units as one list; None: there are none."""
    found = [one.unit(unit) for unit in units]
    if not found:
        return None
    return both(
        ", ".join(text["en"] for text in found), "、".join(text["zh"] for text in found)
    )


def counted(positions: Iterable[int], rule: str = "") -> Cell:
    """Return how many things there are; each is shown by one event."""
    events = tuple(sorted(set(positions)))
    return Cell(len(events), events, rule, "int")


def share(rate: Rate, rule: str) -> Cell:
    """Return a share with the events of its whole; None: there is no case."""
    return Cell(rate.value, rate.base, rule, "percent")


def last_of_each(happened: Iterable[Happened]) -> tuple[int, ...]:
    """Return one position a stream: that of its last event among these."""
    found: dict[str, int] = {}
    for event in happened:
        found[event.stream] = max(found.get(event.stream, 0), event.position)
    return tuple(sorted(found.values()))


def column(key: str, en: str, zh: str, kind: Kind = "text") -> Column:
    """Return a column."""
    return Column(key, both(en, zh), kind)


def table(
    key: str,
    title: Text,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    note: Text | None = None,
    empty: Text = NOTHING,
) -> Table:
    """Return a table; one without rows says that there is nothing, or why."""
    made = tuple(tuple(row) for row in rows)
    return Table(key, title, tuple(columns), made, note if made else empty)


def status_text(status: str) -> Text:
    """Return the name of a commitment's official status."""
    return both(*STATUSES[status])


@cache
def event_text(event_type: str) -> Text:
    """Return what an event type is called; its name where the catalogue has none."""
    row = catalogue.lookup(event_type)
    return both(event_type, event_type) if row is None else both(row.en, row.zh)


def due_cell(due: int | None, events: tuple[int, ...]) -> Cell:
    """Return a deadline as its last day: 24:00 belongs to the day before."""
    return Cell(None if due is None else due - 1, events, kind="date")


def lit(case: Case, one: Scene) -> Light:
    """Return the light of a commitment at the cut's instant."""
    return light(case.row, one.now, one.rules)


def lit_cell(case: Case, shown: Light) -> Cell:
    """Return a light with its rule and the events behind it."""
    return Cell(shown.colour.value, case.events, shown.rule, "light")


def until(period: Span, now: int) -> Span:
    """Return a period as far as it has come: nothing after ``now`` has happened."""
    return Span(period.start, min(period.end, now + 1))


def is_within(period: Span, instant: int | None) -> bool:
    """Say whether an instant is known and lies in a period."""
    return instant is not None and period.start <= instant < period.end


def day_text(day: str) -> Text:
    """Return a local day as it is written: ``2017-11-24`` is 2017年11月24日."""
    year, month, date = (int(part) for part in day.split("-"))
    return both(day, f"{year}年{month}月{date}日")


def local_day(instant: int) -> str:
    """Return the local day of an instant, ``2017-11-24``."""
    return calendar.local_date(instant).isoformat()
