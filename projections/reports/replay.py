"""Report 15, an auditor's replay: what stood, and what changed since another cut.

Rules of this file: the state of commitments at two cuts, each by the clock of its own
instant. What stood then is told as it was known then; what is known of it only now is
listed apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from events.domain.commitment_state import STATUSES
from projections.reports.frame import Head, finished, listed
from projections.reports.model import (
    Cell,
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Table,
)
from projections.reports.naming import kind_text
from projections.reports.pieces import (
    Case,
    Scene,
    both,
    cases_of,
    column,
    counted,
    due_cell,
    scene,
    status_text,
)
from projections.reports.replay_diff import Moment, count, positions, since
from projections.rules.courses import Course
from projections.rules.lights import Colour, light
from projections.world import Happened, World

HEAD: Final = Head("replay", both("Replay of the log", "审计回放"), 2)


def make(world: World, question: Question) -> Report:
    """Return what stood at the cut and, with ``previous_position``, what changed."""
    one = scene(world, question)
    rows = [row for row in one.courses if question.unit in {None, _lead(row)}]
    there = Moment(
        {case.key: case for case in cases_of(rows, one.now)}, one.now, one.rules
    )
    sections = [
        Section(both("What stood", "截止时点状态"), _stood(one, there)),
        Section(both("All that is on record", "全部记录"), (_streams(one),)),
    ]
    if question.previous_position is not None:
        sections += since(one, rows, there, question.previous_position)
    return finished(one, head=HEAD, sections=sections, make=make)


def _stood(one: Scene, there: Moment) -> tuple[Figures, Figures, Table]:
    cases = there.cases.values()
    statuses = tuple(
        (
            name,
            both(en, zh),
            count(case for case in cases if case.state.status == name),
        )
        for name, (en, zh) in STATUSES.items()
    )
    every = ("all", both("All", "合计"), count(cases))
    shown = {case.key: light(case.row, there.now, there.rules) for case in cases}
    lights = tuple(
        (
            colour.value,
            _LIGHTS[colour],
            count(case for case in cases if shown[case.key].colour is colour),
        )
        for colour in Colour
    )
    return (
        Figures(
            "statuses", both("Commitments by status", "事项状态"), (*statuses, every)
        ),
        Figures("lights", both("Commitments by light", "亮灯"), lights),
        listed(
            "commitments",
            both("Commitments", "事项"),
            _COMMITMENTS,
            (_line(one, case, there) for case in cases),
            empty=_NONE,
        ),
    )


def _line(one: Scene, case: Case, there: Moment) -> Iterator[Cell]:
    events = case.events
    last = case.steps[-1].event
    yield Cell(case.key, events)
    yield Cell(case.state.title, events)
    yield Cell(one.unit(case.state.lead_unit), events)
    yield Cell(status_text(case.state.status), events)
    yield there.cell(case.key)
    yield due_cell(case.row.original_due, events)
    yield due_cell(case.row.current_due, events)
    yield Cell(last.occurred, (last.position,))
    yield Cell(last.position, (last.position,))


def _streams(one: Scene) -> Table:
    """Count all events and streams by kind: nothing of the cut is left out."""
    kinds: dict[str, list[Happened]] = {}
    for event in one.world.events():
        kinds.setdefault(event.stream.partition("/")[0], []).append(event)
    return listed(
        "streams",
        both("Streams and events by kind", "各类记录"),
        (
            column("kind", "Kind", "类别代码"),
            column("name", "Name", "类别"),
            column("streams", "Streams", "对象数", "int"),
            column("events", "Events", "事件数", "int"),
            column("last", "Last event", "末次时间", "instant"),
        ),
        (
            (
                Cell(kind, positions(rows[:1])),
                Cell(kind_text(kind), positions(rows[:1])),
                counted({row.stream: row.position for row in rows}.values()),
                counted(positions(rows)),
                _latest(rows),
            )
            for kind, rows in sorted(kinds.items())
        ),
        empty=both("The log is empty here.", "无记录。"),
    )


def _latest(rows: Sequence[Happened]) -> Cell:
    last = max(rows, key=lambda row: (row.occurred, row.position))
    return Cell(last.occurred, (last.position,))


def _lead(course: Course) -> str:
    return course.steps[-1].state.lead_unit


_NONE: Final = both("There is no commitment.", "无事项。")
_LIGHTS: Final = {
    Colour.GREY: both("Grey", "灰灯"),
    Colour.RED: both("Red", "红灯"),
    Colour.YELLOW: both("Yellow", "黄灯"),
    Colour.GREEN: both("Green", "绿灯"),
}
_COMMITMENTS: Final = (
    column("key", "Number", "编号"),
    column("title", "Title", "事项名称"),
    column("unit", "Lead unit", "牵头单位"),
    column("status", "Status", "状态"),
    column("light", "Light", "亮灯", "light"),
    column("original_due", "Original due", "原定时限", "date"),
    column("current_due", "Current due", "现行时限", "date"),
    column("last", "Last event", "末次时间", "instant"),
    column("position", "Event no.", "末次事件编号", "int"),
)
DEFINITIONS: Final = (Definition(HEAD.name, HEAD.title, HEAD.template, make, "moment"),)
