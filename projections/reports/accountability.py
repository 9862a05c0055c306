"""Report 9, cases of accountability and their appeals 追责台账与申诉.

Rules of this file: posts and units, never a person. What is in force is shown beside
what was decided first; findings and statements stay in the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from events import calendar
from events.domain.accountability import FORMS, AccountabilityCase
from events.domain.fields import us
from projections.reports.accountability_words import (
    ALL,
    ANSWERS,
    APPEALED,
    APPEALS,
    LEDGER,
    OUTCOMES,
    STATUSES,
    THRESHOLDS,
)
from projections.reports.frame import Head, finished, listed
from projections.reports.model import (
    Cell,
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Table,
    Text,
)
from projections.reports.pieces import Scene, both, column, counted, scene
from projections.rules.derived import Derived
from projections.rules.thresholds import Level, newly_found, units_held, unrectified
from projections.world import Happened, StateRow, World

HEAD: Final = Head("accountability", both("Accountability cases", "追责台账及申诉"), 1)


class Filed(NamedTuple):
    """One case, its events, and where the facts it rests on are in the log."""

    row: StateRow
    happened: tuple[Happened, ...]
    facts: tuple[int, ...]
    post: str | None

    @property
    def state(self) -> AccountabilityCase:
        """Return the domain's state of it."""
        case: AccountabilityCase = self.row.state
        return case

    def last(self, what: str) -> Happened | None:
        """Return its last event of one kind; None: there was none."""
        found = [e for e in self.happened if e.type.split(".")[2] == what]
        return found[-1] if found else None

    def cell(self, value: Any, *what: str) -> Cell:
        """Return a value of it with the last event of each kind that gave it."""
        found = [event for name in what if (event := self.last(name)) is not None]
        return Cell(value, tuple(sorted(event.position for event in found)))


def make(world: World, question: Question) -> Report:
    """Return the report on every case of a cut, or those against one unit."""
    one = scene(world, question)
    cases = _filed(one)
    sections = (
        Section(both("Overall", "总体情况"), (_overall(cases), _forms(cases))),
        Section(both("Cases", "追责台账"), (_ledger(one, cases),)),
        Section(both("Appeals", "申诉情况"), (_appeals(one, cases),)),
        Section(both("Counted by month", "按月量化问责"), (_thresholds(one),)),
    )
    return finished(one, head=HEAD, sections=sections, make=make)


def _filed(one: Scene) -> list[Filed]:
    world, unit = one.world, one.question.unit
    rows = [
        row for row in world.states("accountability") if unit in {None, row.state.unit}
    ]
    happened: dict[str, list[Happened]] = {row.stream: [] for row in rows}
    for event in world.events(types=("henji.accountability.*",)):
        if event.stream in happened:
            happened[event.stream].append(event)
    places = _places(world, rows)
    return [_case(world, row, tuple(happened[row.stream]), places) for row in rows]


def _places(world: World, rows: Sequence[StateRow]) -> Mapping[tuple[str, int], int]:
    """Return where the cited events are in the log."""
    streams = sorted({stream for row in rows for stream, _ in row.state.facts})
    cited = world.events(streams=streams) if streams else ()
    return {(event.stream, event.version): event.position for event in cited}


def _case(
    world: World,
    row: StateRow,
    happened: tuple[Happened, ...],
    places: Mapping[tuple[str, int], int],
) -> Filed:
    facts = (places[fact] for fact in row.state.facts if fact in places)
    opened = [event for event in happened if event.type.split(".")[2] == "opened"]
    post = _title(world, opened[-1]) if opened else None
    return Filed(row, happened, tuple(sorted(facts)), post)


def _title(world: World, opened: Happened) -> str | None:
    """Return the title of the post as it was held at the time of the fact."""
    key = opened.data.post
    row = None if key is None else world.state(f"post/{key}")
    held = None if row is None else row.state.holding_at(us(opened.data.fact_at))
    return key if held is None else str(held.title)


def _overall(cases: Sequence[Filed]) -> Figures:
    def those(when: Callable[[AccountabilityCase], object]) -> Cell:
        return counted(_first(case) for case in cases if when(case.state))

    tests: tuple[tuple[str, str, str, Callable[[AccountabilityCase], object]], ...] = (
        ("clues", "Clues registered", "登记线索", lambda c: c.clue_at),
        ("opened", "Opened", "立案", lambda c: c.opened_at),
        ("decided", "Decided", "作出决定", lambda c: c.decided_at),
        ("served", "Served", "已送达", lambda c: c.served_at),
        ("executed", "Carried out", "已执行", lambda c: c.executed_at),
        ("published", "Made known", "已通报", lambda c: c.published_at),
        ("appealed", "Appealed", "提出申诉", lambda c: c.appealed_at),
        ("upheld", "Upheld", "申诉维持", lambda c: c.appeal_outcome == "upheld"),
        ("changed", "Changed", "申诉变更", lambda c: c.appeal_outcome == "changed"),
        ("revoked", "Revoked", "申诉撤销", lambda c: c.appeal_outcome == "revoked"),
        ("closed", "Ended", "办结", lambda c: c.outcome),
    )
    items = tuple((key, both(en, zh), those(when)) for key, en, zh, when in tests)
    return Figures("totals", both("Cases", "案件"), items)


def _forms(cases: Sequence[Filed]) -> Table:
    """Count the forms in force: a revoked decision has none."""
    rows = []
    for form, (en, zh) in FORMS.items():
        held = [case for case in cases if case.state.form == form]
        if held:
            posts = counted(_first(case) for case in held if case.state.post)
            units = counted(_first(case) for case in held if not case.state.post)
            every = counted(map(_first, held))
            rows.append((Cell(both(en, zh), every.events), every, posts, units))
    return listed(
        "forms",
        both("Decisions in force, by form", "追责形式（现行决定）"),
        (
            column("form", "Form", "追责形式"),
            column("cases", "Cases", "件数", "int"),
            column("posts", "Of a post", "个人（人次）", "int"),
            column("units", "Of a unit", "单位（个次）", "int"),
        ),
        rows,
        empty=both("No decision is in force.", "无现行追责决定。"),
    )


def _ledger(one: Scene, cases: Sequence[Filed]) -> Table:
    return listed(
        "cases",
        both("Cases", "追责台账"),
        LEDGER,
        (_line(one, case) for case in cases),
        empty=both("There is no case.", "无追责案件。"),
        note=both(
            "Persons are shown by their post at the time of the fact. Days are"
            " calendar days.",
            "人员以事实发生时所任职务表示；天数为自然日。",
        ),
    )


def _line(one: Scene, case: Filed) -> Iterator[Cell]:
    state = case.state
    opened = case.last("opened") or case.last("clue_registered")
    yield Cell(case.row.key, case.row.events)
    yield case.cell(None if opened is None else opened.data.title, "opened")
    yield Cell(one.unit(state.unit), case.row.events[:1])
    yield case.cell(case.post, "opened")
    yield Cell(len(case.facts), case.facts)
    yield case.cell(state.clue_at, "clue_registered")
    yield case.cell(state.opened_at, "opened")
    yield _days(case, ("clue_registered", state.clue_at), ("opened", state.opened_at))
    heard = [
        e.position for e in case.happened if e.type.endswith(".statement_heard.v1")
    ]
    yield counted(heard)
    yield case.cell(state.decided_at, "decided")
    yield _days(case, ("opened", state.opened_at), ("decided", state.decided_at))
    yield case.cell(_form(state.decided_form), "decided")
    yield case.cell(_form(state.form), "decided", "appeal_decided")
    yield case.cell(state.served_at, "served")
    yield case.cell(_last_moment(state.appeal_until), "served")
    yield case.cell(state.executed_at, "executed")
    yield case.cell(state.published_at, "published")
    yield case.cell(_last_moment(state.influence_until), "decided")
    yield Cell(STATUSES[state.status], case.row.events[-1:])
    yield case.cell(OUTCOMES.get(state.outcome or ""), "closed")


def _appeals(one: Scene, cases: Sequence[Filed]) -> Table:
    return listed(
        "appeals",
        both("Appeals", "申诉"),
        APPEALS,
        (_appeal(one, case) for case in cases if case.state.appealed_at is not None),
        empty=both("Nobody appealed.", "无申诉。"),
    )


def _appeal(one: Scene, case: Filed) -> Iterator[Cell]:
    state, judged = case.state, case.last("appeal_decided")
    yield case.cell(case.row.key, "appealed")
    yield case.cell(one.unit(state.unit), "opened")
    yield case.cell(state.appealed_at, "appealed")
    yield case.cell(_last_moment(state.appeal_until), "served")
    yield case.cell(None if judged is None else judged.occurred, "appeal_decided")
    at = None if judged is None else judged.occurred
    yield _days(case, ("appealed", state.appealed_at), ("appeal_decided", at))
    outcome = APPEALED[state.appeal_outcome or "pending"]
    yield case.cell(outcome, "appealed", "appeal_decided")
    yield case.cell(_form(state.decided_form), "decided")
    yield case.cell(_form(state.form), "decided", "appeal_decided")


def _thresholds(one: Scene) -> Table:
    """Count the month of the cut's instant, as the ruleset says who answers."""
    month = calendar.local_date(one.now).strftime("%Y-%m")
    held = units_held(one.world, month, rules=one.rules)
    counts: tuple[tuple[Text, Sequence[Derived[Level]]], ...] = (
        (
            both("Not settled in time", "交办问题未按要求整改"),
            unrectified(one.world, one.courses, month, rules=one.rules),
        ),
        (
            both("Newly found by others", "新发现问题"),
            newly_found(one.world, month, rules=one.rules),
        ),
        (both("Units held to account", "被问责单位数"), (held,)),
    )
    unit = one.question.unit
    return listed(
        "thresholds",
        both(f"Counted in {month}", f"{month} 量化问责"),
        THRESHOLDS,
        (
            (
                Cell(title, found.events),
                Cell(ALL if of is None else one.unit(of), found.events),
                Cell(found.value.count, found.events, found.rule),
                Cell(found.value.step, found.events, found.rule),
                Cell(ANSWERS[found.value.answers], found.events, found.rule),
            )
            for title, rows in counts
            for found in rows
            if (of := found.value.unit) is None or unit in {None, of}
        ),
        empty=both("Nothing was counted.", "无。"),
    )


def _days(
    case: Filed, start: tuple[str, int | None], end: tuple[str, int | None]
) -> Cell:
    if start[1] is None or end[1] is None:
        return Cell(None)
    days = (end[1] - start[1]) // calendar.DAY_US
    return case.cell(days, start[0], end[0])


def _form(form: str | None) -> Text | None:
    return None if form is None else both(*FORMS[form])


def _last_moment(end: int | None) -> int | None:
    """Return the last instant before 24:00, which is of the day that it ends."""
    return None if end is None else end - 1


def _first(case: Filed) -> int:
    return case.row.events[0]


DEFINITIONS: Final = (Definition(HEAD.name, HEAD.title, HEAD.template, make, "moment"),)
