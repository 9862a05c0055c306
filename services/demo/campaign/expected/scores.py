"""Points and places of units in a week, as the ruleset demo-2017/1 states them.

Rules of this file: what costs or earns points, and who is before whom. Never the number
of records.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from services.demo.campaign.expected.known import ENDED, Known, Promise, Span
from services.demo.campaign.expected.lights import GREY
from services.demo.campaign.expected.records import late_in
from services.demo.campaign.expected.working_days import after, between
from services.demo.campaign.moments import day_of, end_of
from services.demo.campaign.places import UNITS

#: What is counted → its word, and the points for each.
ITEMS: Final = {
    "overdue_week": ("本周逾期", -2),
    "late_sign": ("超期签收", -1),
    "failed_verification": ("核查不通过", -3),
    "relapse": ("回头看反弹", -5),
    "alert_breach": ("违反预警管控措施", -5),
    "late_record": ("补录", -1),
    "early_close": ("提前核查销号", 1),
}
_BASE, _MOST_EARLY, _FEWEST_CASES = 100, 5, 5
#: Category of a unit → the group it is ranked in; headquarters is in the last one.
GROUPS: Final = {
    "office": "办事处组",
    "bureau": "职能部门组",
    "company": "企业组",
    "headquarters": "其他单位组",
}
Mark = tuple[str, str]
"""(unit, what is counted)."""


class Standing(NamedTuple):
    """A unit in a week; ``rank`` None: too few cases."""

    unit: str
    points: int
    cases: int
    rank: int | None
    marks: Mapping[str, int]


def earned(name: str, count: int) -> int:
    """Return the points for so many marks of a name."""
    points = ITEMS[name][1] * count
    return min(points, _MOST_EARLY) if name == "early_close" else points


def standings(known: Known, week: Span) -> Mapping[str, Standing]:
    """Return how each unit stands in a week."""
    marks: dict[str, Counter[str]] = defaultdict(Counter)
    for owner, name in _marks(known, week):
        marks[owner][name] += 1
    cases = _cases(known, week)
    points = {
        name: max(0, _BASE + sum(earned(k, n) for k, n in marks[name].items()))
        for name in UNITS
    }
    return {
        name: Standing(
            name,
            points[name],
            cases[name],
            _rank(name, points, cases),
            marks[name],
        )
        for name in _leading(known)
    }


def _leading(known: Known) -> list[str]:
    """Return the units of the groups, and headquarters where it leads anything."""
    leads = {promise.note["unit"] for promise in known.promises}
    return [name for name in UNITS if name != "hq" or name in leads]


def _rank(name: str, points: Mapping[str, int], cases: Mapping[str, int]) -> int | None:
    """Return 1 and how many of its group are better; ties share a place."""
    if cases[name] < _FEWEST_CASES:
        return None
    rivals = [
        other
        for other in UNITS
        if UNITS[other][2] == UNITS[name][2] and cases[other] >= _FEWEST_CASES
    ]
    return 1 + sum(points[other] > points[name] for other in rivals)


def _cases(known: Known, week: Span) -> Counter[str]:
    then = known.by(min(known.now, week.end))
    return Counter(one.note["unit"] for one in then if is_owed_in(one, week))


def is_owed_in(promise: Promise, week: Span) -> bool:
    """Tell whether it was handed out and had not ended before a week."""
    note = promise.note
    gone = note["status"] in ENDED and note["ended"] < week.start
    return note["status"] != "draft" and not gone


def _marks(known: Known, week: Span) -> Iterator[Mark]:
    span = known.until_now(week)
    for promise in known.promises:
        for find in _OF_PROMISES:
            yield from find(promise, span)
    for event in known.of("measure.breached"):
        if span.has(event.occurred):
            yield known.streams[event.stream][0].data["unit"], "alert_breach"
    for event in late_in(known, span):
        yield event.unit, "late_record"


def _overdue(promise: Promise, span: Span) -> Iterator[Mark]:
    """Mark each unit once that let it be past its due within the period."""
    starts = [step.event.occurred for step in promise.steps]
    ends = [*starts[1:], span.end]
    units = {
        step.note["unit"]
        for step, start, end in zip(promise.steps, starts, ends, strict=True)
        if step.note["status"] not in GREY | {"draft"}
        and max(start, step.note["current_due"] + 1, span.start) < min(end, span.end)
    }
    yield from ((name, "overdue_week") for name in units)


def _late_sign(promise: Promise, span: Span) -> Iterator[Mark]:
    """Mark who had not signed by the end of the next working day."""
    for number, step in enumerate(promise.steps):
        if step.what not in {"issued", "reassigned"}:
            continue
        limit = end_of(after(day_of(step.event.occurred), 1))
        rest = promise.steps[number + 1 :]
        waits = not rest or rest[0].event.occurred > limit
        if waits and span.start < limit <= span.end:
            yield step.note["unit"], "late_sign"


def _setbacks(promise: Promise, span: Span) -> Iterator[Mark]:
    wanted = {
        ("verification_recorded", "fail"): "failed_verification",
        ("lookback_recorded", "relapsed"): "relapse",
    }
    for step in promise.steps:
        name = wanted.get((step.what, step.event.data.get("result", "")))
        if name is not None and span.has(step.event.occurred):
            yield step.note["unit"], name


def _early(promise: Promise, span: Span) -> Iterator[Mark]:
    """Mark closes a working day or more before the original due."""
    for step in promise.of("closed"):
        when = step.event.occurred
        if span.has(when) and between(when, step.note["original_due"]) >= 1:
            yield step.note["unit"], "early_close"


_OF_PROMISES: Final[Sequence[Callable[[Promise, Span], Iterator[Mark]]]] = (
    _overdue,
    _late_sign,
    _setbacks,
    _early,
)
