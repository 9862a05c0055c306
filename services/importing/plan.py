"""From the rows of one case to the events that tell its history: pure functions.

One case is one commitment. What a column means is the mapping's business, reading and
ordering a whole file is ``staging``'s. The order inside a case is fixed here:
registered first, then the rows by time, then the close, whatever its own time says; so
a kind that takes nothing after its close loses no row, and each event still carries the
log's own time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from services.importing.keys import digest, stream_key
from services.importing.mapping import IGNORE, REPORT, LogMapping, Rule, rule_of
from services.importing.templates import Convert, fill_data, fill_text
from services.importing.times import format_instant, parse_instant

REGISTERED = "henji.commitment.registered.v1"
CLOSED = "henji.commitment.closed.v1"
UNIT_CREATED = "henji.unit.created.v1"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A row whose case is known. ``occurred`` is None when its time cannot be read."""

    place: int
    occurred: int | None
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """An event to submit: all of a file go by ``order`` (µs), then as made.

    ``part`` is the key of the commitment that it belongs to ("" for a unit).
    """

    order: int
    place: int
    event: Mapping[str, Any]
    part: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of the source that could not be mapped, with where to look."""

    code: str
    place: int
    detail: str


@dataclass(slots=True)
class CasePlan:
    """What a case becomes. ``units`` has the first use (µs) of each unit it names."""

    events: list[Planned] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    units: dict[str, int] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Setup:
    """A mapping made ready: the zone loaded, unit ids and conversions at hand."""

    mapping: LogMapping
    zone: ZoneInfo
    unit_ids: Mapping[str, str]
    taken_ids: frozenset[str]
    conversions: Mapping[str, Convert]


def setup(mapping: LogMapping) -> Setup:
    """Make a mapping ready for planning."""
    zone = ZoneInfo(mapping.time.zone)

    def instant(text: str) -> str:
        found = parse_instant(text, mapping.time.formats, zone)
        if found is None:
            raise ValueError(f"no time: {text!r}")
        return format_instant(found)

    return Setup(
        mapping=mapping,
        zone=zone,
        unit_ids={value: unit.id for value, unit in mapping.units.names.items()},
        taken_ids=frozenset(unit.id for unit in mapping.units.names.values()),
        conversions={"int": int, "number": float, "time": instant},
    )


def read_time(to: Setup, cells: Mapping[str, str], column: str | None) -> int | None:
    """Give the instant of a cell, or None when it is missing or cannot be read."""
    text = cells.get(column, "") if column else ""
    if not text:
        return None
    day_end = (
        column == to.mapping.columns.deadline
        and to.mapping.time.deadline_date_means == "end_of_day"
    )
    return parse_instant(text, to.mapping.time.formats, to.zone, day_end=day_end)


def plan_case(to: Setup, case: str, rows: Sequence[CaseRow]) -> CasePlan:
    """Plan one case from all its rows, which come by time, unreadable times last.

    The same rows give the same plan. A case without any instant gives no event.
    """
    plan = CasePlan()
    about = _about(to, case, rows, plan)
    if about is None:
        return plan
    _register(to, about, plan)
    last = about.first
    turns: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        for planned in _row_events(to, about, row, plan=plan, turns=turns):
            last = max(last, planned.order)
            plan.events.append(planned)
    _close(to, about, last, plan)
    return plan


def unit_event(to: Setup, value: str, first_use: int) -> Planned:
    """Plan the creation of a unit, to be sent before any event that names it."""
    key = unit_id(to, value)
    named = to.mapping.units.names.get(value)
    template = (named and named.data) or to.mapping.units.data
    event = {
        "specversion": "1.0",
        "id": f"unit/{key}",
        "source": to.mapping.source,
        "type": UNIT_CREATED,
        "subject": f"unit/{key}",
        "time": format_instant(first_use),
        "data": fill_data(template, {"@unit": value}, to.conversions),
    }
    return Planned(first_use, 0, event)


def unit_id(to: Setup, value: str) -> str:
    """Give the id of the unit that a cell names."""
    return to.unit_ids.get(value) or stream_key(value, to.taken_ids)


@dataclass(frozen=True, slots=True)
class _Case:
    key: str
    cells: Mapping[str, str]
    start: int
    first: int
    due: str | None
    end: int | None
    lead: str | None
    place: int


def _about(
    to: Setup, case: str, rows: Sequence[CaseRow], plan: CasePlan
) -> _Case | None:
    """Gather what is said of the case as a whole: of each column the first cell."""
    cells: dict[str, str] = {"@case": case}
    for row in rows:
        for column, text in row.cells.items():
            cells.setdefault(column, text)
    columns, place = to.mapping.columns, rows[0].place
    times: dict[str | None, int | None] = {}
    for column in filter(None, (columns.start, columns.deadline, columns.end)):
        times[column] = read_time(to, cells, column)
        if times[column] is None and cells.get(column):
            _unreadable(plan, place, column, cells[column])
    known = [row.occurred for row in rows if row.occurred is not None]
    start = times.get(columns.start)
    if start is None and not known:
        plan.findings.append(Finding("case_without_time", place, case))
        return None
    first = min([*known, start] if start is not None else known)
    due = times.get(columns.deadline)
    return _Case(
        key=stream_key(fill_text(to.mapping.key, {"@case": case})),
        cells=cells,
        start=first if start is None else start,
        first=first,
        due=to.mapping.due if due is None else format_instant(due),
        end=times.get(columns.end),
        lead=cells.get(columns.lead_unit or "") or to.mapping.units.default,
        place=place,
    )


def _register(to: Setup, about: _Case, plan: CasePlan) -> None:
    data: dict[str, Any] = {
        "title": fill_text(to.mapping.title, about.cells),
        "kind": to.mapping.kind,
    }
    if about.lead is None:
        plan.findings.append(
            Finding("case_without_unit", about.place, about.cells["@case"])
        )
    else:
        data["lead_unit"] = _use_unit(to, plan, about.lead, about.first)
    if about.due is not None:
        data["due"] = about.due
    extra = _filled(to, to.mapping.registered.data, about.cells, about.place, plan)
    event = _event(to, about, "registered", about.start)
    event |= {"type": REGISTERED, "data": data | (extra or {})}
    plan.events.append(Planned(about.first, about.place, event, about.key))


def _close(to: Setup, about: _Case, last: int, plan: CasePlan) -> None:
    if about.end is None:
        return
    data = _filled(to, to.mapping.closed.data, about.cells, about.place, plan)
    event = _event(to, about, "closed", about.end)
    event |= {"type": CLOSED, "data": data or {}}
    order = max(about.end, last)
    plan.events.append(Planned(order, about.place, event, about.key))


def _row_events(
    to: Setup,
    about: _Case,
    row: CaseRow,
    *,
    plan: CasePlan,
    turns: Counter[tuple[str, ...]],
) -> Iterator[Planned]:
    """Give the event of a row, or note why there is none."""
    activity = row.cells.get(to.mapping.columns.activity, "")
    if not activity:
        plan.findings.append(Finding("activity_missing", row.place, ""))
        return
    rule = rule_of(to.mapping, activity)
    if isinstance(rule, str):
        {IGNORE: plan.ignored, REPORT: plan.unknown}[rule][activity] += 1
        return
    if row.occurred is None:
        column = to.mapping.columns.time
        _unreadable(plan, row.place, column, row.cells.get(column, ""))
        return
    cells = {**row.cells, "@case": about.cells["@case"], "@activity": activity}
    data = _filled(to, rule.data, cells, row.place, plan)
    if data is None:
        return
    event = _event(to, about, _row_id(to, row, turns), row.occurred)
    event |= {"type": rule.type, "data": data}
    if rule.subject:
        event["subject"] = fill_text(rule.subject, cells)
    event |= _recorded(to, row, plan) | _actors(to, rule, row, plan)
    yield Planned(row.occurred, row.place, event, about.key)


def _row_id(to: Setup, row: CaseRow, turns: Counter[tuple[str, ...]]) -> str:
    """Name a row inside its case: by the log's own id, or else by what it says.

    With an id column a changed cell keeps the id, so the log will call it a conflict.
    """
    columns = to.mapping.columns
    if own := row.cells.get(columns.id or ""):
        return f"event/{stream_key(own)}"
    activity = row.cells[columns.activity]
    instance = row.cells.get(columns.instance or "", "")
    said = (activity, str(row.occurred), instance)
    turns[said] += 1
    return f"row/{digest(*said, turns[said])}"


def _event(to: Setup, about: _Case, name: str, occurred: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"case/{about.key}/{name}",
        "source": to.mapping.source,
        "subject": f"commitment/{about.key}",
        "time": format_instant(occurred),
    }


def _recorded(to: Setup, row: CaseRow, plan: CasePlan) -> dict[str, str]:
    column = to.mapping.columns.recorded
    if column is None or not row.cells.get(column):
        return {}
    recorded = read_time(to, row.cells, column)
    if recorded is None:
        _unreadable(plan, row.place, column, row.cells[column])
        return {}
    return {"recordedtime": format_instant(recorded)}


def _actors(to: Setup, rule: Rule, row: CaseRow, plan: CasePlan) -> dict[str, str]:
    """Say who acted, from the columns that the rule names: actor or verifier."""
    columns, who = to.mapping.columns, rule.acted_by
    attributes: dict[str, str] = {}
    form: Mapping[str, Callable[[str], str]] = {
        "unit": lambda value: _use_unit(to, plan, value, row.occurred or 0),
        "post": stream_key,
        "person": str,
    }
    for part, name in form.items():
        column = getattr(columns, f"{who}_{part}")
        if column and (value := row.cells.get(column)):
            attributes[f"actor{part}"] = name(value)
    return attributes


def _use_unit(to: Setup, plan: CasePlan, value: str, when: int) -> str:
    plan.units[value] = min(when, plan.units.get(value, when))
    return unit_id(to, value)


def _filled(
    to: Setup, template: Any, cells: Mapping[str, str], place: int, plan: CasePlan
) -> dict[str, Any] | None:
    try:
        filled: dict[str, Any] = fill_data(template, cells, to.conversions)
    except ValueError as error:
        plan.findings.append(Finding("value_not_converted", place, str(error)))
        return None
    return filled


def _unreadable(plan: CasePlan, place: int, column: str, text: str) -> None:
    code = "time_not_readable" if text else "time_missing"
    plan.findings.append(Finding(code, place, f"{column}: {text[:80]!r}"))
