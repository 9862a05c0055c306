"""Report 8, measures under alerts 预警管控落实表: required, noted, taken, checked.

Rules of this file: one section an alert, in the order of their keys. A measure is
counted by the event that required it; how it stands is the rule's answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from events.calendar import HOUR_US
from events.domain import codelists
from events.domain.alerts import GRADES, Alert
from events.domain.fields import us
from events.domain.measures import Measure
from projections.reports.alert_words import (
    ALERT,
    DETAILS,
    NONE,
    STANDINGS,
    TIMELINE,
    TOTALS,
)
from projections.reports.frame import Head, finished, listed, named, subject_names
from projections.reports.model import (
    Block,
    Cell,
    Definition,
    Figures,
    Paragraph,
    Question,
    Report,
    Section,
    Table,
    Text,
    Value,
)
from projections.reports.pieces import (
    Scene,
    both,
    column,
    counted,
    event_text,
    scene,
    share,
)
from projections.rules.alert_measures import Compliance, Standing, standing
from projections.rules.derived import Derived, Rate
from projections.world import Happened, StateRow, World

HEAD: Final = Head("alert_measures", both("Measures under alerts", "预警管控落实表"), 1)
_MINUTE = HOUR_US // 60


class Taken(NamedTuple):
    """One measure of one subject, how it stands, and its events by what they are."""

    row: StateRow
    judged: Derived[Standing]
    happened: tuple[Happened, ...]

    @property
    def state(self) -> Measure:
        """Return the domain's state of it."""
        measure: Measure = self.row.state
        return measure

    def of(self, what: str) -> tuple[Happened, ...]:
        """Return its events of one kind, in the order of the log."""
        return tuple(e for e in self.happened if e.type.split(".")[2] == what)

    def at(self, instant: int | None, what: str) -> Cell:
        """Return an instant of it with the last event that gave it."""
        return Cell(instant, tuple(e.position for e in self.of(what)[-1:]))


def make(world: World, question: Question) -> Report:
    """Return the report on every alert of a cut, or on the alert ``subject`` names.

    ``unit`` keeps the measures that this unit sees to.
    """
    one = scene(world, question)
    alerts = [
        row for row in world.states("alert") if question.subject in {None, row.key}
    ]
    taken = _taken(one, {row.key: row.state for row in alerts})
    names = subject_names(world)
    sections = [Section(both("Overall", "总体情况"), (_overview(one, alerts, taken),))]
    for number, row in enumerate(alerts, start=1):
        title = both(f"Alert {row.key}", f"预警 {row.key}")
        own = taken[row.key]
        sections.append(Section(title, _alert(one, row, own, names=names, nr=number)))
    return finished(one, head=HEAD, sections=sections, make=make)


def _taken(one: Scene, alerts: Mapping[str, Alert]) -> Mapping[str, list[Taken]]:
    happened: dict[str, list[Happened]] = {}
    for event in one.world.events(types=("henji.measure.*",)):
        happened.setdefault(event.stream, []).append(event)
    found: dict[str, list[Taken]] = {key: [] for key in alerts}
    for row in one.world.states("measure"):
        alert = alerts.get(row.state.alert)
        if alert is None or one.question.unit not in {None, row.state.unit}:
            continue
        judged = standing(row, alert, one.now, rules=one.rules)
        own = tuple(happened.get(row.stream, ()))
        found[row.state.alert].append(Taken(row, judged, own))
    return found


def _overview(
    one: Scene, alerts: Sequence[StateRow], taken: Mapping[str, Sequence[Taken]]
) -> Table:
    return listed(
        "alerts",
        both("Alerts and measures", "预警及措施落实"),
        (*ALERT, *TOTALS),
        (
            (*_facts(row), *(cell for _, cell in _totals(one, taken[row.key])))
            for row in alerts
        ),
        empty=both("No alert was issued.", "未发布预警。"),
    )


def _alert(
    one: Scene,
    row: StateRow,
    taken: Sequence[Taken],
    *,
    names: Mapping[str, Value],
    nr: int,
) -> tuple[Block, ...]:
    columns = {column.key: column.title for column in TOTALS}
    items = tuple((key, columns[key], cell) for key, cell in _totals(one, taken))
    return (
        Paragraph(_summary(row.state, one.now)),
        _timeline(one, row, nr),
        Figures(f"totals_{nr}", both("Measures", "措施落实"), items),
        _by_measure(one, taken, nr),
        _details(one, taken, names=names, nr=nr),
    )


def _summary(alert: Alert, now: int) -> Text:
    if alert.end is not None and alert.end <= now:
        return both(
            "The alert is over; the figures are its summary.",
            "预警已解除，以下为落实情况总结。",
        )
    return both("The alert is in force.", "预警仍在执行。")


def _timeline(one: Scene, row: StateRow, nr: int) -> Table:
    return listed(
        f"timeline_{nr}",
        both("Course of the alert", "预警过程"),
        TIMELINE,
        (_change(event) for event in one.world.events(streams=(row.stream,))),
        empty=both("Nothing happened.", "无。"),
    )


def _change(event: Happened) -> Iterator[Cell]:
    own, data = (event.position,), event.data
    yield Cell(event.occurred, own)
    yield Cell(event_text(event.type), own)
    yield Cell(getattr(data, "colour", None), own)
    yield Cell(getattr(data, "grade", None), own)
    yield _said(data, "since", "lifted_at", own=own)
    yield _said(data, "until", own=own)
    yield Cell(getattr(data, "reason", None), own)


def _said(data: Any, *names: str, own: tuple[int, ...]) -> Cell:
    """Return the first instant that a payload states under some names."""
    found = (getattr(data, name, None) for name in names)
    moment = next((one for one in found if one is not None), None)
    return Cell(None if moment is None else us(moment), own)


def _by_measure(one: Scene, taken: Sequence[Taken], nr: int) -> Table:
    groups: dict[str, list[Taken]] = {}
    for row in taken:
        groups.setdefault(row.state.measure, []).append(row)
    return listed(
        f"measures_{nr}",
        both("By measure", "分措施情况"),
        (column("measure", "Measure", "措施"), *TOTALS),
        (
            (_measure(rows[0]), *(cell for _, cell in _totals(one, rows)))
            for _, rows in sorted(groups.items())
        ),
        empty=NONE,
    )


def _details(
    one: Scene, taken: Sequence[Taken], *, names: Mapping[str, Value], nr: int
) -> Table:
    order = sorted(taken, key=lambda row: (row.state.subject, row.row.key))
    return listed(
        f"subjects_{nr}",
        both("By subject", "分对象情况"),
        DETAILS,
        (_detail(one, row, names) for row in order),
        empty=NONE,
    )


def _detail(one: Scene, row: Taken, names: Mapping[str, Value]) -> Iterator[Cell]:
    state, judged = row.state, row.judged
    required = tuple(event.position for event in row.of("required"))
    late = judged.value.late_us // _MINUTE
    yield Cell(named(names, state.subject), required)
    yield _measure(row)
    yield Cell(one.unit(state.unit), required)
    yield row.at(state.required_at, "required")
    notice = judged.value.notice_us // _MINUTE
    yield Cell(notice, required, judged.rule)
    yield row.at(state.acknowledged_at, "acknowledged")
    yield Cell(state.due, required)
    yield row.at(state.applied_at, "applied")
    yield Cell(late, row.row.events, judged.rule)
    yield row.at(state.checked_at, "checked")
    yield Cell(STANDINGS[judged.value.compliance], row.row.events, judged.rule)
    exempted = row.of("exempted")[-1:]
    basis = exempted[0].data.basis if exempted else None
    yield Cell(basis, tuple(event.position for event in exempted))


def _measure(row: Taken) -> Cell:
    data = row.of("required")[0].data
    known = codelists.find(data.measure_list)
    items = () if known is None else known.items
    text = next((both(i.en, i.zh) for i in items if i.id == data.measure), None)
    return Cell(text or data.measure, tuple(e.position for e in row.of("required")))


def _facts(row: StateRow) -> Iterator[Cell]:
    alert: Alert = row.state
    yield Cell(row.key, row.events)
    yield Cell(alert.colour, row.events)
    yield Cell(GRADES[alert.colour], row.events)
    yield Cell(alert.levels[0].since, row.events[:1])
    yield Cell(alert.end, row.events)


def _totals(one: Scene, taken: Sequence[Taken]) -> Iterator[tuple[str, Cell]]:
    """Yield each count; a measure stands for one by its first event."""
    rule = one.rules.cite("alert_measure")

    def those(*standings: Compliance) -> list[int]:
        return [_first(t) for t in taken if t.judged.value.compliance in standings]

    every = [_first(row) for row in taken]
    noted = [_first(row) for row in taken if not row.judged.value.notice_late]
    checked = [row for row in taken if row.state.kept is not None]
    judged = those(Compliance.IN_TIME, Compliance.LATE, *_FAILED)
    kept = Rate(tuple(sorted(those(Compliance.IN_TIME))), tuple(sorted(judged)))
    yield "required", counted(every)
    yield "noted", counted(noted, rule)
    yield "acknowledged", counted(_first(t) for t in taken if t.state.acknowledged_at)
    taken_at = [(row, at) for row in taken if (at := row.state.applied_at) is not None]
    yield "applied", counted(_first(row) for row, _ in taken_at)
    in_time = (_first(row) for row, at in taken_at if at <= row.state.due)
    yield "applied_in_time", counted(in_time, rule)
    for standing_ in Compliance:
        yield standing_.value, counted(those(standing_), rule)
    yield "checked", counted(_first(row) for row in checked)
    yield "kept", counted(_first(row) for row in checked if row.state.kept)
    yield "rate", share(kept, rule)


def _first(row: Taken) -> int:
    return row.row.events[0]


_FAILED: Final = (Compliance.MISSING, Compliance.BREACHED)
DEFINITIONS: Final = (Definition(HEAD.name, HEAD.title, HEAD.template, make, "moment"),)
