"""Figures of a week of supervision: handed out, signed for, closed, late, returned.

Rules of this file: one event stands for each commitment or case that a figure counts,
the last of its kind in the period, so that a commitment returned twice counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from events.domain.periods import Span
from projections.reports.corrections import Figure, Known
from projections.reports.model import Text
from projections.reports.pieces import (
    Case,
    both,
    cases_of,
    counted,
    is_within,
    last_of_each,
    until,
)
from projections.rules.courses import GREY, due_set
from projections.rules.rates import on_time_by_current, on_time_by_original
from projections.rules.steps import Step

ACCOUNTABILITY = ("henji.accountability.*",)
Wanted = Callable[[Step], bool]


def _any(_step: Step) -> bool:
    return True


def _on_time(step: Step) -> bool:
    due = step.state.original_due
    return due is not None and step.event.occurred <= due


def _failed(step: Step) -> bool:
    return bool(step.event.data.result == "fail")


def _relapsed(step: Step) -> bool:
    return bool(step.event.data.result == "relapsed")


#: Figure -> its names, the event, and which of them count.
FLOWS: Sequence[tuple[str, Text, str, Wanted]] = (
    ("issued", both("Handed out", "交办"), "issued", _any),
    ("signed", both("Signed for", "签收"), "signed_for", _any),
    ("closed", both("Closed", "销号"), "closed", _any),
    ("on_time", both("Closed by the original due", "按期销号"), "closed", _on_time),
    ("returned", both("Returned", "退回"), "verification_recorded", _failed),
    ("relapsed", both("Relapsed", "反弹"), "lookback_recorded", _relapsed),
    ("extended", both("Extended", "延期"), "extension_granted", _any),
)
_CASES: Sequence[tuple[str, Text, str]] = (
    ("opened", both("Cases opened", "追责立案"), "henji.accountability.opened.v1"),
    ("decided", both("Cases decided", "追责决定"), "henji.accountability.decided.v1"),
)


def week_figures(known: Known, period: Span) -> Sequence[Figure]:
    """Return the figures of a week, from what is known and judged at its end."""
    span = until(period, known.now)
    cases = tuple(cases_of(known.courses, known.now))
    made = [
        Figure(key, title, counted(of_kind(cases, span, what, wanted=wanted)))
        for key, title, what, wanted in FLOWS
    ]
    late = overdue(known, min(known.now, period.end - 1))
    rule = known.rules.cite("schedule")
    title = both("Overdue at the end", "期末逾期")
    made.append(Figure("overdue", title, counted((p for _, p in late), rule)))
    made += rates_of(known, period)
    for key, name, wanted_type in _CASES:
        events = [
            event
            for event in known.events
            if event.type == wanted_type and is_within(span, event.occurred)
        ]
        made.append(Figure(key, name, counted(last_of_each(events))))
    return made


def of_kind(
    cases: Iterable[Case], span: Span, what: str, *, wanted: Wanted = _any
) -> tuple[int, ...]:
    """Return one position for each commitment with such an event in a span."""
    return last_of_each(
        step.event
        for case in cases
        for step in case.steps
        if step.what == what and is_within(span, step.event.occurred) and wanted(step)
    )


def overdue(known: Known, instant: int) -> list[tuple[Case, int]]:
    """Return what was past its current due, and the event that set that due."""
    found = []
    for case in cases_of(known.courses, instant):
        due = case.state.current_due
        running = case.state.status not in GREY | {"draft"}
        if running and due is not None and instant > due:
            found.append((case, due_set(case.steps).event.position))
    return found


def rates_of(known: Known, period: Span) -> Iterable[Figure]:
    """Yield how many fell due in a period and how many were kept, by each due."""
    rules = known.rules
    for key, rate, name in (
        ("original", on_time_by_original, both("original due", "原定时限")),
        ("current", on_time_by_current, both("current due", "现行时限")),
    ):
        found = rate(known.courses, period, known.now, rules=rules)
        due = both(f"Fallen due ({name['en']})", f"到期（{name['zh']}）")
        kept = both(f"Kept ({name['en']})", f"按期办结（{name['zh']}）")
        yield Figure(f"due_{key}", due, counted(found.value.base, found.rule))
        yield Figure(f"kept_{key}", kept, counted(found.value.hits, found.rule))
