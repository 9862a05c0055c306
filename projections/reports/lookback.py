"""Report 7, look-back 回头看: what was closed, drawn, looked at again and had relapsed.

Rules of this file: shares with their cases and a 95 % interval; how a sample was drawn,
so that anyone can draw it again. Whose approvals relapse is told by unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from events.domain import sampling
from events.domain.inspection_payloads import Sampled
from projections.reports.frame import Head, finished, listed
from projections.reports.model import (
    Cell,
    Chart,
    Definition,
    Figures,
    Question,
    Report,
    Section,
    Series,
    Table,
    Text,
)
from projections.reports.pieces import (
    UNNAMED,
    Scene,
    both,
    column,
    counted,
    scene,
    share,
)
from projections.rules.courses import Course
from projections.rules.coverage import LookedBack, by_theme, by_verifier, lookbacks
from projections.rules.derived import Derived, Rate
from projections.rules.steps import Step
from projections.world import Happened, World

HEAD: Final = Head("lookback", both("Look-back coverage", "回头看覆盖情况"), 1)
_NOTE: Final = both(
    "A close counts anew after each reopening. The interval is Wilson's, 95 %.",
    "重新办理后再次销号另计一次；置信区间按 Wilson 法计算（95%）。",
)


class Relapse(NamedTuple):
    """A look-back that failed, the close before it and the reopening after it."""

    course: Course
    look: Step
    closed: Step | None
    reopened: Step | None


def make(world: World, question: Question) -> Report:
    """Return the report on all closes of a cut, or those of one lead unit."""
    one = scene(world, question)
    rows = [
        course
        for course in one.courses
        if question.unit in {None, course.steps[-1].state.lead_unit}
    ]
    sections = (
        Section(both("Overall", "总体情况"), (_overall(one, rows),)),
        Section(both("By theme", "分主题情况"), _themes(one, rows)),
        Section(both("By verifying unit", "分核查单位情况"), (_verifiers(one, rows),)),
        Section(both("Samples", "抽样情况"), (_samples(world, rows),)),
        Section(both("Relapsed", "反弹事项"), (_relapsed(one, rows),)),
    )
    return finished(one, head=HEAD, sections=sections, make=make)


def _grouped(
    one: Scene, rows: Sequence[Course], by: Callable[[Step], str]
) -> tuple[Derived[LookedBack], ...]:
    return lookbacks(rows, one.now, by=by, rules=one.rules)


def _overall(one: Scene, rows: Sequence[Course]) -> Figures:
    nothing = Derived(_EMPTY, one.rules.cite("relapse_rate"))
    found = next(iter(_grouped(one, rows, lambda _: "all")), nothing)
    covered = found.value.covered
    left = counted(set(covered.base) - set(covered.hits), found.rule)
    items = [
        (column.key, column.title, cell)
        for column, cell in zip(_SHARES, _shares(found), strict=True)
    ]
    items.insert(2, ("open", both("Not yet", "未回头看"), left))
    return Figures("overall", both("Look-back", "回头看"), tuple(items))


def _themes(one: Scene, rows: Sequence[Course]) -> tuple[Table, Chart]:
    found = _grouped(one, rows, by_theme)
    made = listed(
        "themes",
        both("Closed and looked back at, by theme", "分主题销号及回头看"),
        (column("theme", "Theme", "主题"), *_SHARES),
        ((Cell(_theme(row.value.group), row.events), *_shares(row)) for row in found),
        empty=_NOTHING_CLOSED,
        note=_NOTE,
    )
    points = tuple(
        (_theme(row.value.group), share(row.value.covered, row.rule)) for row in found
    )
    series = Series(both("Looked back at", "回头看覆盖率"), points)
    title = both("Coverage by theme", "分主题覆盖率")
    return made, Chart("coverage", title, "coverage", (series,))


def _verifiers(one: Scene, rows: Sequence[Course]) -> Table:
    return listed(
        "verifiers",
        both("Whose approvals relapse", "核查通过后反弹情况"),
        (column("unit", "Verifying unit", "核查单位"), *_SHARES),
        (
            (Cell(one.unit(row.value.group or None), row.events), *_shares(row))
            for row in _grouped(one, rows, by_verifier)
        ),
        empty=_NOTHING_CLOSED,
        note=_NOTE,
    )


def _samples(world: World, rows: Sequence[Course]) -> Table:
    looks = {
        f"commitment/{course.key}": list(course.of("lookback_recorded"))
        for course in rows
    }
    drawn = world.events(types=("henji.inspection.sampled.v1",))
    return listed(
        "samples",
        both("Samples drawn", "抽样"),
        _SAMPLES,
        (_sample(event, looks) for event in drawn),
        empty=both("No sample was drawn.", "未抽样。"),
        note=both(
            "Draw again: rank the population by SHA-256 with the seed; the digest"
            " holds it. “By order only”: the population is not on record.",
            "可复抽：对总体按种子计算 SHA-256 排序，总体以摘要固定；"
            "“仅核对次序”指总体名单未入账。",
        ),
    )


def _sample(event: Happened, looks: Mapping[str, Sequence[Step]]) -> Iterator[Cell]:
    data: Sampled = event.data
    own = (event.position,)
    done = [
        min(after)
        for member in data.sample
        if (after := _after(looks.get(member, ()), event.position))
    ]
    yield Cell(event.stream.partition("/")[2], own)
    yield Cell(event.occurred, own)
    yield Cell(data.population_size, own)
    yield Cell(len(data.sample), own)
    yield counted(done)
    yield Cell(data.seed, own)
    yield Cell(f"{data.method}/{data.method_version}", own)
    yield Cell(data.population_digest, own)
    yield Cell(data.as_of, own)
    yield Cell(_redrawn(data), own)


def _after(steps: Sequence[Step], position: int) -> list[int]:
    return [step.event.position for step in steps if step.event.position > position]


def _redrawn(data: Sampled) -> Text:
    """Draw the sample again where its population is on record."""
    if data.population is None:
        in_order = sampling.ranked(data.sample, data.seed)
        return _BY_ORDER if in_order else _DIFFERS
    try:
        same = sampling.draw(data.population, len(data.sample), data.seed)
    except ValueError:
        return _DIFFERS
    digest = sampling.digest(data.population)
    equal = same == tuple(data.sample) and digest == data.population_digest
    return _MATCHES if equal else _DIFFERS


def _relapsed(one: Scene, rows: Sequence[Course]) -> Table:
    found = [row for course in rows for row in _relapses(course, one.now)]
    return listed(
        "relapsed",
        both("Relapsed, and what came of it", "反弹及重新办理"),
        _RELAPSED,
        (_relapse(row, one) for row in found),
        empty=both("No look-back found a relapse.", "回头看未发现反弹。"),
    )


def _relapses(course: Course, now: int) -> Iterator[Relapse]:
    steps = course.by(now)
    for number, step in enumerate(steps):
        if step.what != "lookback_recorded" or step.event.data.result != "relapsed":
            continue
        closes = [one for one in steps[:number] if one.what == "closed"]
        later = [one for one in steps[number:] if one.what == "reopened"]
        yield Relapse(
            course, step, closes[-1] if closes else None, later[0] if later else None
        )


def _relapse(row: Relapse, one: Scene) -> Iterator[Cell]:
    state, look = row.look.state, (row.look.event.position,)
    yield Cell(row.course.key, look)
    yield Cell(state.title, look)
    yield Cell(_theme(state.theme), look)
    yield Cell(one.unit(state.lead_unit), look)
    yield Cell(one.unit(state.verifier_unit), look)
    yield _instant(row.closed)
    yield _instant(row.look)
    yield _instant(row.reopened)


def _theme(theme: str | None) -> str | Text:
    return theme or UNNAMED


def _instant(step: Step | None) -> Cell:
    if step is None:
        return Cell(None)
    return Cell(step.event.occurred, (step.event.position,))


def _shares(found: Derived[LookedBack]) -> Iterator[Cell]:
    value, rule = found.value, found.rule
    low, high = value.interval or (None, None)
    yield counted(value.covered.base, rule)
    yield counted(value.covered.hits, rule)
    yield share(value.covered, rule)
    yield counted(value.relapsed.hits, rule)
    yield share(value.relapsed, rule)
    yield Cell(low, value.relapsed.base, rule, "percent")
    yield Cell(high, value.relapsed.base, rule, "percent")


_EMPTY: Final = LookedBack("all", Rate((), ()), Rate((), ()), None)
_SHARES: Final = (
    column("closed", "Closed", "已销号", "int"),
    column("looked", "Looked back at", "已回头看", "int"),
    column("coverage", "Coverage", "覆盖率", "percent"),
    column("relapsed", "Relapsed", "反弹", "int"),
    column("rate", "Relapse rate", "反弹率", "percent"),
    column("low", "Interval from", "置信下限", "percent"),
    column("high", "Interval to", "置信上限", "percent"),
)
_NOTHING_CLOSED: Final = both("Nothing was closed.", "无已销号事项。")
_MATCHES: Final = both("Same sample", "复抽一致")
_DIFFERS: Final = both("Another sample", "复抽不一致")
_BY_ORDER: Final = both("By order only", "仅核对次序")
_SAMPLES: Final = (
    column("key", "Look-back", "回头看编号"),
    column("drawn", "Drawn", "抽样时间", "instant"),
    column("population", "Population", "总体", "int"),
    column("size", "Sample", "样本", "int"),
    column("done", "Looked at since", "已核", "int"),
    column("seed", "Seed", "种子"),
    column("method", "Method", "方法"),
    column("digest", "Digest of the population", "总体摘要"),
    column("as_of", "As of position", "总体所据日志位置", "int"),
    column("again", "Drawn again", "复抽"),
)
_RELAPSED: Final = (
    column("key", "Number", "编号"),
    column("title", "Title", "事项名称"),
    column("theme", "Theme", "主题"),
    column("unit", "Lead unit", "牵头单位"),
    column("verifier", "Verifying unit", "核查单位"),
    column("closed", "Closed", "销号时间", "instant"),
    column("looked", "Looked back at", "回头看时间", "instant"),
    column("reopened", "Reopened", "重新办理时间", "instant"),
)
DEFINITIONS: Final = (Definition(HEAD.name, HEAD.title, HEAD.template, make, "moment"),)
