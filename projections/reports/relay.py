"""Report 13, passing on 传达: which directive reached which unit, and was studied.

Rules of this file: a matrix of directives and member units. A unit that gave out a
directive has it; what was revoked is listed and owed by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from events.calendar import DAY_US
from events.domain.directives import Directive
from projections.reports.frame import Head, finished, listed
from projections.reports.model import (
    Block,
    Cell,
    Chart,
    Column,
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Series,
    Table,
)
from projections.reports.pieces import Scene, both, column, counted, scene, share
from projections.rules.derived import Rate, positions
from projections.world import Happened, StateRow, World

HEAD: Final = Head("relay", both("Passing on of directives", "文件会议精神传达情况"), 1)
#: Categories of units that directives are not passed on to here.
_NO_MEMBERS: Final = frozenset({"headquarters", "department", "village"})


class Passed(NamedTuple):
    """One directive, and the events that passed it on, by unit."""

    row: StateRow
    relayed: Mapping[str, Happened]
    read: Mapping[str, Happened]
    commitments: tuple[int, ...]
    begun: int

    @property
    def state(self) -> Directive:
        """Return the domain's state of it."""
        directive: Directive = self.row.state
        return directive

    def reached(self, unit: str) -> bool:
        """Say whether a unit has it: passed on, studied, or its own."""
        own = self.state.unit == unit
        return own or unit in self.relayed or unit in self.read

    def event(self, unit: str) -> int:
        """Return the event by which a unit has it."""
        found = self.relayed.get(unit) or self.read.get(unit)
        return self.row.events[0] if found is None else found.position


def make(world: World, question: Question) -> Report:
    """Return the report on every directive; ``unit`` narrows it to one member."""
    one = scene(world, question)
    members = [
        row
        for row in world.states("unit")
        if row.state.active
        and row.state.category not in _NO_MEMBERS
        and question.unit in {None, row.key}
    ]
    passed = list(_passed(one))
    sections = (
        Section(both("Overall", "总体情况"), (_overall(passed, members),)),
        Section(both("Matrix", "传达情况表"), (_matrix(one, passed, members),)),
        Section(both("By directive", "分文件情况"), _by_directive(passed, members)),
        Section(both("By unit", "分单位情况"), (_by_unit(one, passed, members),)),
    )
    return finished(one, head=HEAD, sections=sections, make=make)


def _passed(one: Scene) -> Iterator[Passed]:
    happened: dict[str, list[Happened]] = {}
    for event in one.world.events(types=("henji.directive.*",)):
        happened.setdefault(event.stream, []).append(event)
    cited: dict[str, list[int]] = {}
    for case in one.cases:
        if case.state.directive is not None:
            cited.setdefault(case.state.directive, []).append(case.events[0])
    for row in one.world.states("directive"):
        own = happened.get(row.stream, [])
        yield Passed(
            row,
            relayed=_by(own, "relayed"),
            read=_by(own, "read"),
            commitments=positions(cited.get(row.key, ())),
            begun=own[0].occurred if own else one.now,
        )


def _by(happened: Iterable[Happened], what: str) -> Mapping[str, Happened]:
    found = (event for event in happened if event.type.split(".")[2] == what)
    return {event.data.unit: event for event in found}


def _overall(passed: Sequence[Passed], members: Sequence[StateRow]) -> Figures:
    owed = [row for row in passed if row.state.active]
    full = [row for row in owed if all(row.reached(unit.key) for unit in members)]
    relays = positions(e.position for row in passed for e in row.relayed.values())
    reads = positions(e.position for row in passed for e in row.read.values())
    items = (
        ("directives", both("Directives", "文件会议"), counted(map(_first, passed))),
        ("in_force", both("In force", "现行有效"), counted(map(_first, owed))),
        ("members", both("Member units", "成员单位"), counted(map(_unit, members))),
        ("relays", both("Passed on", "传达（次）"), counted(relays)),
        ("reads", both("Studied", "学习（次）"), counted(reads)),
        ("full", both("Reached every unit", "已全部传达"), counted(map(_first, full))),
    )
    return Figures("totals", both("Passing on", "传达"), items)


def _matrix(one: Scene, passed: Sequence[Passed], members: Sequence[StateRow]) -> Table:
    units = tuple(Column(row.key, one.unit(row.key)) for row in members)
    return listed(
        "matrix",
        both("Directives and units", "文件会议×单位"),
        (*_DIRECTIVE, *units),
        ((*_facts(row), *(_mark(row, unit.key) for unit in members)) for row in passed),
        empty=_NONE,
        note=both(
            "● studied · ○ passed on · ◇ its own · – not yet · × revoked",
            "●已学习 ○已传达 ◇本单位印发 –未传达 ×已废止",
        ),
    )


def _mark(row: Passed, unit: str) -> Cell:
    for found, mark in ((row.read, "●"), (row.relayed, "○")):
        if unit in found:
            return Cell(mark, (found[unit].position,))
    if row.state.unit == unit:
        return Cell("◇", row.row.events[:1])
    if not row.state.active:
        return Cell("×", row.row.events[-1:])
    return Cell("–")


def _by_directive(
    passed: Sequence[Passed], members: Sequence[StateRow]
) -> tuple[Block, ...]:
    made = listed(
        "directives",
        both("How far each directive came", "各文件会议传达情况"),
        (*_DIRECTIVE, *_REACH),
        ((*_facts(row), *_reach(row, members)) for row in passed),
        empty=_NONE,
    )
    points = tuple((row.row.key, _share(row, members)) for row in passed)
    series = Series(both("Units reached", "传达覆盖率"), points)
    title = both("Coverage by directive", "各文件会议传达覆盖率")
    return made, Chart("coverage", title, "coverage", (series,))


def _reach(row: Passed, members: Sequence[StateRow]) -> Iterator[Cell]:
    own = row.row.events[0]
    keys = [unit.key for unit in members]
    relays = [event for key, event in row.relayed.items() if key in keys]
    last = max(relays, key=lambda e: (e.occurred, e.position), default=None)
    revoked = row.row.events[-1:] if not row.state.active else ()
    yield Cell(_STATUSES[row.state.active], (own, *revoked))
    yield counted(_unit(unit) for unit in members if row.reached(unit.key))
    yield counted(_unit(unit) for unit in members if not row.reached(unit.key))
    yield _share(row, members)
    yield counted(e.position for key, e in row.read.items() if key in keys)
    yield Cell(
        None if last is None else last.occurred,
        () if last is None else (last.position,),
    )
    yield counted(row.commitments)


def _by_unit(
    one: Scene, passed: Sequence[Passed], members: Sequence[StateRow]
) -> Table:
    owed = [row for row in passed if row.state.active]
    return listed(
        "units",
        both("Directives in force, by unit", "各单位传达学习情况（现行文件）"),
        _UNITS,
        (_member(one, owed, unit) for unit in members),
        empty=both("There is no member unit.", "无成员单位。"),
    )


def _member(one: Scene, owed: Sequence[Passed], unit: StateRow) -> Iterator[Cell]:
    reached = [row for row in owed if row.reached(unit.key)]
    missing = [row for row in owed if not row.reached(unit.key)]
    read = [row.read[unit.key] for row in owed if unit.key in row.read]
    oldest = [(one.now - row.begun) // DAY_US for row in missing]
    yield Cell(one.unit(unit.key), unit.events)
    yield counted(map(_first, owed))
    yield counted(map(_first, reached))
    yield counted(map(_first, missing))
    yield counted(event.position for event in read)
    whole = Rate(positions(map(_first, reached)), positions(map(_first, owed)))
    yield share(whole, "")
    yield Cell(max(oldest, default=None), positions(map(_first, missing)))


def _facts(row: Passed) -> Iterator[Cell]:
    own = row.row.events[:1]
    yield Cell(row.row.key, own)
    yield Cell(row.state.title, own)
    yield Cell(row.state.number, own)


def _share(row: Passed, members: Sequence[StateRow]) -> Cell:
    reached = positions(_unit(unit) for unit in members if row.reached(unit.key))
    return share(Rate(reached, positions(map(_unit, members))), "")


def _first(row: Passed) -> int:
    return row.row.events[0]


def _unit(row: StateRow) -> int:
    """Return the event that founded a unit: it stands for it in counts."""
    return row.events[0]


_NONE: Final = both("There is no directive.", "无文件会议。")
_STATUSES: Final = {True: both("In force", "有效"), False: both("Revoked", "已废止")}
_DIRECTIVE: Final = (
    column("directive", "Directive", "编号"),
    column("title", "Title", "文件或会议"),
    column("number", "Number", "文号"),
)
_REACH: Final = (
    column("status", "Status", "状态"),
    column("reached", "Units reached", "已传达单位", "int"),
    column("missing", "Not reached", "未传达单位", "int"),
    column("coverage", "Coverage", "覆盖率", "percent"),
    column("studied", "Studied", "已学习单位", "int"),
    column("last", "Last passed on", "最近传达", "instant"),
    column("commitments", "Commitments under it", "据此立项事项", "int"),
)
_UNITS: Final = (
    column("unit", "Unit", "单位"),
    column("owed", "In force", "应传达", "int"),
    column("reached", "Has", "已传达", "int"),
    column("missing", "Has not", "未传达", "int"),
    column("studied", "Studied", "已学习", "int"),
    column("coverage", "Coverage", "覆盖率", "percent"),
    column("waiting", "Oldest, days", "最久未传达（天）", "int"),
)
DEFINITIONS: Final = (Definition(HEAD.name, HEAD.title, HEAD.template, make, "moment"),)
