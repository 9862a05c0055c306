"""What the weekly bulletin and the ranking of units show.

Rules of this file: counts of a week beside those of the week before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.demo.campaign.expected.answer import (
    Answer,
    Block,
    Lines,
    Row,
    rows,
    share,
)
from services.demo.campaign.expected.conduct import problems
from services.demo.campaign.expected.known import (
    Event,
    Known,
    Promise,
    Span,
    Step,
    week,
)
from services.demo.campaign.expected.ledgers import is_overdue
from services.demo.campaign.expected.lights import last_day, late
from services.demo.campaign.expected.scores import (
    GROUPS,
    ITEMS,
    Standing,
    earned,
    is_owed_in,
    standings,
)
from services.demo.campaign.expected.words import FORMS, STATUSES, TOTAL, unit
from services.demo.campaign.expected.working_days import after
from services.demo.campaign.moments import DAY, day_of, end_of
from services.demo.campaign.places import UNITS

_REGISTERED: Final = "累计立项"
_ANSWER_DAYS: Final = 5
_NO_CASE: Final = frozenset({"draft", "cancelled", "superseded", "suspended"})


def weekly_bulletin(known: Known) -> Answer:
    """The bulletin on the week of the instant."""
    span = week(known.today)
    at = min(known.now, span.end - 1)
    found: dict[str, Block] = {
        "overall": rows("item", _overall(known, span)),
        "by_status": rows("status", _states(known)),
        "closed_in_time": rows("key", _in_time(known, span)),
        "forms": rows("form", _forms(known, span)),
        "overdue": rows("key", [_late(one, at) for one in _overdue(known, at)]),
        "cases": rows("case", _cases(known, span)),
    }
    ranking = unit_ranking(known, chart=False)
    return {**found, **_named(known, span, at), **ranking}


def _named(known: Known, span: Span, at: int) -> Answer:
    """Return the named items, and a demand for each unit that has one."""
    named = problems(known, span, _overdue(known, at), at)
    due = last_day(end_of(after(day_of(span.end - 1), _ANSWER_DAYS)))
    units = sorted({one.note["unit"] for one, _ in named})
    items = [
        {"key": one.key, "problem": what, "due": last_day(one.note["current_due"])}
        for one, what in named
    ]
    demands = [{"unit": unit(name), "due": due} for name in units]
    return {
        "problems": rows("key problem", items),
        "demands": rows("unit", demands),
    }


def _overall(known: Known, span: Span) -> list[Row]:
    this, last = _flows(known, span), _flows(known, _before(span))
    return [
        {"item": item, "this": n, "last": last[item], "change": n - last[item]}
        for item, n in this.items()
    ]


def _before(span: Span) -> Span:
    return Span(span.start - 7 * DAY, span.start)


def _flows(known: Known, span: Span) -> Mapping[str, int]:
    until = known.until_now(span)

    def promises(what: str, result: str = "") -> int:
        return len({one.key for one, _ in _in(known, until, what, result)})

    closed = _in(known, until, "closed")
    in_time = {one.key for one, step in closed if _is_kept(step)}
    original = fallen_due(known.promises, span, known.now, "original_due")
    current = fallen_due(known.promises, span, known.now, "current_due")
    return {
        "交办": promises("issued"),
        "签收": promises("signed_for"),
        "销号": promises("closed"),
        "按期销号": len(in_time),
        "退回": promises("verification_recorded", "fail"),
        "反弹": promises("lookback_recorded", "relapsed"),
        "延期": promises("extension_granted"),
        "期末逾期": len(_overdue(known, min(known.now, span.end - 1))),
        "到期（原定时限）": original[1],
        "按期办结（原定时限）": original[0],
        "到期（现行时限）": current[1],
        "按期办结（现行时限）": current[0],
        "追责立案": len(_cases_with(known, until, "opened")),
        "追责决定": len(_cases_with(known, until, "decided")),
    }


def _in(
    known: Known, span: Span, what: str, result: str = ""
) -> list[tuple[Promise, Step]]:
    """Return the steps of a kind in a period, with the promise that each is of."""
    return [
        (one, step)
        for one in known.promises
        for step in one.of(what)
        if span.has(step.event.occurred)
        and result in {"", step.event.data.get("result")}
    ]


def _is_kept(step: Step) -> bool:
    return bool(step.event.occurred <= step.note["original_due"])


def fallen_due(
    own: Sequence[Promise], span: Span, now: int, due: str
) -> tuple[int, int]:
    """Return (closed by the due, fell due) of what fell due in a period by ``now``."""
    notes = [
        one.note
        for one in own
        if span.start < one.note[due] <= span.end
        and one.note[due] < now
        and one.note["status"] not in _NO_CASE
    ]
    closed = [note for note in notes if note["status"] == "closed"]
    return sum(note["ended"] <= note[due] for note in closed), len(notes)


def _overdue(known: Known, instant: int) -> list[Promise]:
    return [one for one in known.by(instant) if is_overdue(one, instant)]


def _late(promise: Promise, at: int) -> Row:
    note = promise.note
    return {
        "key": promise.key,
        "original_due": last_day(note["original_due"]),
        "due": last_day(note["current_due"]),
        "days": late(note, at),
    }


def _states(known: Known) -> list[Row]:
    found = Counter(one.note["status"] for one in known.promises)
    lines = [{"status": STATUSES[name], "count": n} for name, n in found.items()]
    return [*lines, {"status": _REGISTERED, "count": len(known.promises)}]


def _in_time(known: Known, span: Span) -> list[Row]:
    last = {
        one.key: (one, step)
        for one, step in _in(known, known.until_now(span), "closed")
    }
    return [
        {
            "key": one.key,
            "closed": step.event.occurred,
            "due": last_day(step.note["original_due"]),
        }
        for one, step in last.values()
        if _is_kept(step)
    ]


def _cases_with(known: Known, span: Span, what: str) -> list[Event]:
    """Return the events of a kind in a period, one a case."""
    found = known.of(f"accountability.{what}")
    return [event for event in found if span.has(event.occurred)]


def _forms(known: Known, span: Span) -> list[Row]:
    decided = _cases_with(known, known.until_now(span), "decided")
    found = Counter(event.data["form"] for event in decided)
    lines = [{"form": FORMS[form], "count": n} for form, n in found.items()]
    return [*lines, {"form": TOTAL, "count": len(decided)}] if lines else []


def _cases(known: Known, span: Span) -> list[Row]:
    until = known.until_now(span)
    decided = {
        event.key: event.occurred for event in known.of("accountability.decided")
    }
    return [
        {"case": key, "decided": decided.get(key)}
        for key, events in known.streams_of("accountability").items()
        if any(until.has(event.occurred) for event in events)
    ]


def unit_ranking(known: Known, *, chart: bool = True) -> Answer:
    """Every unit with its points, place and rates in the week of the instant."""
    span = week(known.today)
    this, last = standings(known, span), standings(known, _before(span))
    order = sorted(this.values(), key=_by_place)
    lines = [_ranked(known, one, last.get(one.unit), span) for one in order]
    items = [
        {
            "unit": unit(one.unit),
            "item": ITEMS[name][0],
            "count": count,
            "points": earned(name, count),
        }
        for one in order
        for name, count in one.marks.items()
    ]
    points = [(unit(one.unit), one.points) for one in order if one.rank is not None]
    found: dict[str, Block] = {
        "ranking": rows("unit", lines),
        "items": rows("unit item", items),
    }
    return {**found, "points": Lines((points,))} if chart else found


def _by_place(one: Standing) -> tuple[Any, ...]:
    group = list(GROUPS).index(UNITS[one.unit][2])
    return group, one.rank is None, one.rank or 0, one.unit


def _ranked(known: Known, one: Standing, last: Standing | None, span: Span) -> Row:
    own = [promise for promise in known.promises if promise.note["unit"] == one.unit]
    kept, due = fallen_due(own, span, known.now, "original_due")
    kept_now, due_now = fallen_due(own, span, known.now, "current_due")
    then = (promise.by(min(known.now, span.end)) for promise in own)
    rank = None if last is None else last.rank
    ranks = rank is not None and one.rank is not None
    return {
        "unit": unit(one.unit),
        "rank": one.rank,
        "points": one.points,
        "cases": sum(p is not None and is_owed_in(p, span) for p in then),
        "last_rank": rank,
        "change": rank - one.rank if ranks and rank and one.rank else None,
        "last_points": None if last is None else last.points,
        "due": due,
        "kept": kept,
        "rate": share(kept, due),
        "due_current": due_now,
        "rate_current": share(kept_now, due_now),
    }
