"""What changed between two cuts of the log: the second half of the auditor's replay.

Rules of this file: commitments as they were known at the earlier cut against the later
one, and what is known of the earlier moment only since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from projections.reports.frame import listed, recorded_since, sealed_at
from projections.reports.model import (
    Cell,
    Figures,
    Paragraph,
    Section,
    Table,
)
from projections.reports.naming import stream_text
from projections.reports.pieces import (
    Case,
    Scene,
    both,
    cases_of,
    column,
    counted,
    due_cell,
    event_text,
    lit_cell,
    status_text,
)
from projections.rules.courses import Course
from projections.rules.in_force import Rules, rulebook
from projections.rules.lights import light
from projections.world import Happened


class Moment(NamedTuple):
    """What was known of commitments at one cut, and how it is judged."""

    cases: Mapping[str, Case]
    now: int
    rules: Rules

    def cell(self, key: str) -> Cell:
        """Return the light of a commitment; no value where it had not begun."""
        case = self.cases.get(key)
        if case is None:
            return Cell(None)
        return lit_cell(case, light(case.row, self.now, self.rules))


def since(
    one: Scene, rows: Sequence[Course], there: Moment, position: int
) -> Iterator[Section]:
    """Yield what changed since an earlier position, and what is known of it since."""
    happened = one.world.events()
    before = _moment(one, rows, position, sealed_at(happened, position))
    fresh = [event for event in happened if event.position > position]
    yield Section(
        both("What changed", "两时点差异"),
        (
            _spans(one, position),
            _moved(before, there),
            _changes(one, before, there),
        ),
    )
    yield Section(both("Events between", "其间事件"), (_between(fresh),))
    yield Section(
        both("Known only since", "事后方知"),
        (_hindsight(rows, before), _late(one, position)),
    )


def count(cases: Iterable[Case]) -> Cell:
    """Count commitments, each by its registration."""
    return counted(case.steps[0].event.position for case in cases)


def positions(rows: Iterable[Happened]) -> tuple[int, ...]:
    """Return where some events are in the log."""
    return tuple(row.position for row in rows)


def _moment(one: Scene, rows: Iterable[Course], position: int, now: int) -> Moment:
    """Return a moment as it was known: nothing sealed later is in it."""
    kept = []
    for row in rows:
        steps = tuple(step for step in row.steps if step.event.position <= position)
        if steps:
            kept.append(Course(row.key, row.kind, steps))
    rules = rulebook(one.world).known_at(now).at(now)
    return Moment({case.key: case for case in cases_of(kept, now)}, now, rules)


def _spans(one: Scene, position: int) -> Paragraph:
    here = one.world.cut.position
    return Paragraph(
        both(
            f"From position {position} to position {here}: statuses and lights are"
            " judged at the instant of each, by what was known at each.",
            f"自日志位置 #{position} 至 #{here}：状态与亮灯分别按各自时点、"
            "以各自时点已知的记录判定。",
        )
    )


def _moved(before: Moment, there: Moment) -> Figures:
    keys = there.cases.keys() & before.cases.keys()
    new = there.cases.keys() - before.cases.keys()
    status = [k for k in keys if _status(before, k) != _status(there, k)]
    lights = [k for k in keys if before.cell(k).value != there.cell(k).value]
    dues = [k for k in keys if _due(before, k) != _due(there, k)]
    items = (
        ("new", both("New", "新增"), _keys(there, new)),
        ("status", both("Other status", "状态变化"), _keys(there, status)),
        ("light", both("Other light", "亮灯变化"), _keys(there, lights)),
        ("due", both("Other due", "时限变化"), _keys(there, dues)),
    )
    return Figures("moved", both("Changed", "变化"), items)


def _changes(one: Scene, before: Moment, there: Moment) -> Table:
    keys = [
        key
        for key in there.cases
        if _status(before, key) != _status(there, key)
        or before.cell(key).value != there.cell(key).value
        or _due(before, key) != _due(there, key)
    ]
    return listed(
        "changes",
        both("What became of each", "逐项变化"),
        _CHANGES,
        (_change(one, key, before, there) for key in keys),
        empty=both("Nothing changed.", "无变化。"),
        note=both(
            "Days are not shown where it had not begun.", "空白表示当时尚未立项。"
        ),
    )


def _change(one: Scene, key: str, before: Moment, there: Moment) -> Iterator[Cell]:
    was, now = before.cases.get(key), there.cases[key]
    known = set(was.events) if was else set()
    yield Cell(key, now.events)
    yield Cell(one.unit(now.state.lead_unit), now.events)
    yield Cell(status_text(was.state.status), was.events) if was else Cell(None)
    yield Cell(status_text(now.state.status), now.events)
    yield before.cell(key)
    yield there.cell(key)
    yield due_cell(was.row.current_due, was.events) if was else Cell(None)
    yield due_cell(now.row.current_due, now.events)
    yield counted(set(now.events) - known)


def _between(fresh: Sequence[Happened]) -> Table:
    types: dict[str, list[Happened]] = {}
    for event in fresh:
        types.setdefault(event.type, []).append(event)
    return listed(
        "between",
        both("Events between, by type", "其间事件（按类型）"),
        (
            column("type", "Type", "类型"),
            column("what", "Event", "事件"),
            column("events", "Events", "事件数", "int"),
        ),
        (
            (
                Cell(name, positions(rows[:1])),
                Cell(event_text(name), positions(rows[:1])),
                counted(positions(rows)),
            )
            for name, rows in sorted(types.items())
        ),
        empty=both("Nothing was recorded between.", "其间无记录。"),
    )


def _hindsight(rows: Iterable[Course], before: Moment) -> Table:
    """Compare what was known at the earlier instant with what is known of it now."""
    known = {case.key: case for case in cases_of(rows, before.now)}
    found = [
        (
            Cell(key, case.events),
            Cell(status_text(was.state.status), was.events) if was else Cell(None),
            Cell(status_text(case.state.status), case.events),
            counted(set(case.events) - (set(was.events) if was else set())),
        )
        for key, case in known.items()
        if (was := before.cases.get(key)) is None or was.events != case.events
    ]
    return listed(
        "hindsight",
        both("The earlier moment, as it is known now", "以现有记录重看前一时点"),
        _HINDSIGHT,
        found,
        empty=both("Nothing is known of it that was not known then.", "无事后补记。"),
    )


def _late(one: Scene, position: int) -> Table:
    rows = (
        (
            Cell(event.position, (event.position,)),
            Cell(stream_text(event.stream), (event.position,)),
            Cell(event_text(event.type), (event.position,)),
            Cell(event.occurred, (event.position,)),
            Cell(event.recorded, (event.position,)),
        )
        for event in recorded_since(one.world, position)
    )
    return listed(
        "recorded_since",
        both("Had happened by then, recorded since", "当时已发生、事后入账"),
        _RECORDED,
        rows,
        empty=both("Nothing.", "无。"),
    )


def _keys(there: Moment, keys: Iterable[str]) -> Cell:
    return count(there.cases[key] for key in keys)


def _status(moment: Moment, key: str) -> str | None:
    case = moment.cases.get(key)
    return None if case is None else case.state.status


def _due(moment: Moment, key: str) -> int | None:
    case = moment.cases.get(key)
    return None if case is None else case.row.current_due


_CHANGES: Final = (
    column("key", "Number", "编号"),
    column("unit", "Lead unit", "牵头单位"),
    column("status_then", "Status then", "前状态"),
    column("status_now", "Status now", "现状态"),
    column("light_then", "Light then", "前亮灯", "light"),
    column("light_now", "Light now", "现亮灯", "light"),
    column("due_then", "Due then", "前时限", "date"),
    column("due_now", "Due now", "现时限", "date"),
    column("events", "Events between", "其间事件", "int"),
)
_HINDSIGHT: Final = (
    column("key", "Number", "编号"),
    column("then", "As known then", "当时所知"),
    column("now", "As known now", "现在所知"),
    column("events", "Recorded since", "事后入账", "int"),
)
_RECORDED: Final = (
    column("position", "Event no.", "事件编号", "int"),
    column("stream", "About", "对象"),
    column("what", "Event", "事件"),
    column("occurred", "Happened", "发生时间", "instant"),
    column("recorded", "Recorded", "记录时间", "instant"),
)
