"""What a bulletin names: overdue, returned, relapsed, inaction, slow action.

Rules of this file: the definitions of the demo's rules, from their text. Inaction: the
unit that is to act has shown nothing for five whole working days. Slow: past the due,
returned twice, or given more time after the due.
"""

from __future__ import annotations

from typing import Final

from services.demo.campaign.expected.known import Known, Promise, Span
from services.demo.campaign.expected.lights import GREY, is_past
from services.demo.campaign.expected.working_days import after
from services.demo.campaign.moments import day_of, end_of

_SILENT_DAYS: Final = 5
_RETURNS: Final = 2
_OWED: Final = frozenset({"issued", "signed", "in_progress", "returned", "reopened"})
#: By these it is seen to act, or is put to work anew.
_HEARD: Final = frozenset(
    {
        "signed_for",
        "receipt_rejected",
        "plan_filed",
        "decomposed",
        "progress_reported",
        "extension_requested",
        "completion_claimed",
        "issued",
        "reassigned",
        "reopened",
        "resumed",
    }
)


def problems(
    known: Known, span: Span, overdue: list[Promise], at: int
) -> list[tuple[Promise, str]]:
    """Return (promise, what is wrong with it) of a week that is judged at ``at``."""
    late = {one.key for one in overdue}
    week = known.until_now(span)
    found: list[tuple[Promise, str]] = []
    for one in known.promises:
        told = {
            "逾期": one.key in late,
            "本周退回": _had(one, week, "verification_recorded", "fail"),
            "本周反弹": _had(one, week, "lookback_recorded", "relapsed"),
            "不作为": _is_idle(one, at),
            "慢作为": _is_slow(one, at),
        }
        found += [(one, what) for what, is_so in told.items() if is_so]
    return found


def _had(promise: Promise, span: Span, what: str, result: str) -> bool:
    return any(
        span.has(step.event.occurred) and step.event.data["result"] == result
        for step in promise.of(what)
    )


def _is_idle(promise: Promise, at: int) -> bool:
    if promise.note["status"] not in _OWED:
        return False
    heard = [
        step.event.occurred
        for step in promise.steps
        if step.what in _HEARD or step.event.data.get("result") == "fail"
    ]
    last = max(heard, default=promise.steps[0].event.occurred)
    return at >= end_of(after(day_of(last), _SILENT_DAYS))


def _is_slow(promise: Promise, at: int) -> bool:
    if promise.note["status"] in GREY | {"draft"}:
        return False
    late = is_past(promise.note, at)
    return late or promise.note["returns"] >= _RETURNS
