"""What is shown of records and their burden, and of what was looked at again.

Rules of this file: counting what was submitted, closed, recorded late, and relapsed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.demo.campaign.expected.answer import (
    Answer,
    Figures,
    Lines,
    Row,
    rows,
    share,
)
from services.demo.campaign.expected.known import (
    Event,
    Known,
    Promise,
    Span,
    Step,
    week,
)
from services.demo.campaign.expected.words import unit
from services.demo.campaign.moments import DAY

_LATE: Final = 3 * DAY
#: The normal quantile of a two-sided interval of 95 %.
_Z: Final = 1.959963984540054


class Closed(NamedTuple):
    """A close, and the last look-back at it."""

    promise: Promise
    close: Step
    look: Step | None

    @property
    def relapsed(self) -> bool:
        """Whether the look-back found a relapse."""
        return self.look is not None and self.look.event.data["result"] == "relapsed"


def late_in(known: Known, span: Span) -> list[Event]:
    """Return what was recorded in a period more than three days after it happened."""
    return [
        event
        for event in known.events
        if span.has(event.recorded) and event.recorded - event.occurred > _LATE
    ]


def burden(known: Known) -> Answer:
    """What each unit recorded in the week, and what its closes had cost."""
    span = week(known.today)
    submitted: dict[str, int] = defaultdict(int)
    for event in known.events:
        submitted[event.unit] += span.has(event.occurred)
    late = late_in(known, span)
    closed = _closed_in(known, span)
    lines = [
        _costs(name, count, closed.get(name, ()), late)
        | {"relapse": _relapse_rate(known, name)}
        for name, count in sorted(submitted.items())
        if count or name in closed
    ]
    return {
        "totals": Figures(
            {
                "submitted": sum(row["submitted"] for row in lines),
                "closed": sum(row["closed"] for row in lines),
                "steps": sum(row["events"] for row in lines),
                "late": len(late),
                # What is used again is found by the service, at the time of its own.
                "reused": 0,
            }
        ),
        "units": rows("unit", lines),
        "burden": Lines(
            ([(row["unit"], row["per_closed"]) for row in lines if row["closed"]],)
        ),
        "late": rows(
            "occurred recorded",
            [{"position": event.id, **late_line(event)} for event in late],
        ),
    }


def late_line(event: Event) -> Row:
    """Return what is shown of a late record."""
    return {
        "occurred": event.occurred,
        "recorded": event.recorded,
        "days": (event.recorded - event.occurred) // DAY,
    }


def _closed_in(known: Known, span: Span) -> Mapping[str, list[Promise]]:
    found: dict[str, list[Promise]] = defaultdict(list)
    for promise in known.by(min(span.end - 1, known.now)):
        closed = promise.note["status"] == "closed"
        if closed and span.has(promise.note["ended"]):
            found[promise.note["unit"]].append(promise)
    return found


def _costs(
    name: str, submitted: int, closed: Sequence[Promise], late: Sequence[Event]
) -> dict[str, Any]:
    steps = [step for promise in closed for step in promise.steps]
    pieces = sum(len(step.event.data.get("evidence", ())) for step in steps)
    return {
        "unit": unit(name),
        "submitted": submitted,
        "closed": len(closed),
        "events": len(steps),
        "per_closed": share(len(steps), len(closed)),
        "evidence": pieces,
        "evidence_per_closed": share(pieces, len(closed)),
        "late": sum(event.unit == name for event in late),
    }


def _relapse_rate(known: Known, name: str) -> float | None:
    own = [one for one in closes(known) if one.close.note["unit"] == name]
    looked = [one for one in own if one.look is not None]
    return share(sum(one.relapsed for one in looked), len(looked))


def closes(known: Known) -> list[Closed]:
    """Return every close with its look-back; one after a reopening is another."""
    found = []
    for promise in known.promises:
        own: list[Closed] = []
        for step in promise.steps:
            if step.what == "closed":
                own.append(Closed(promise, step, None))
            elif step.what == "lookback_recorded":
                own[-1] = own[-1]._replace(look=step)
        found += own
    return found


def lookback(known: Known) -> Answer:
    """What was closed, looked at again and had relapsed; the samples and relapses."""
    every = closes(known)
    overall = _shares(every)
    themes = _grouped(every, lambda one: one.close.note["theme"])
    verifiers = _grouped(every, lambda one: unit(one.close.note["verifier"]))
    relapsed = [_relapse(one) for one in every if one.relapsed]
    return {
        "overall": Figures(overall | {"open": overall["closed"] - overall["looked"]}),
        "themes": rows("theme", [{"theme": n, **row} for n, row in themes.items()]),
        "coverage": Lines(([(n, row["coverage"]) for n, row in themes.items()],)),
        "verifiers": rows("unit", [{"unit": n, **row} for n, row in verifiers.items()]),
        "samples": rows("key", [_sample(known, e) for e in _samples(known)]),
        "relapsed": rows("key looked", relapsed),
    }


def _grouped(
    every: Sequence[Closed], by: Callable[[Closed], str]
) -> dict[str, dict[str, Any]]:
    names = sorted({by(one) for one in every})
    return {name: _shares([one for one in every if by(one) == name]) for name in names}


def _shares(own: Sequence[Closed]) -> dict[str, Any]:
    looked = sum(one.look is not None for one in own)
    relapsed = sum(one.relapsed for one in own)
    low, high = _interval(relapsed, looked)
    return {
        "closed": len(own),
        "looked": looked,
        "coverage": share(looked, len(own)),
        "relapsed": relapsed,
        "rate": share(relapsed, looked),
        "low": low,
        "high": high,
    }


def _interval(hits: int, cases: int) -> tuple[float | None, float | None]:
    """Return Wilson's 95 % interval: the roots of (p - h)^2 = z^2 p (1 - p) / n."""
    if not cases:
        return None, None
    a = 1 + _Z**2 / cases
    b = -(2 * hits / cases + _Z**2 / cases)
    c = (hits / cases) ** 2
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def _samples(known: Known) -> list[Event]:
    return known.of("inspection.sampled")


def _sample(known: Known, event: Event) -> Row:
    looked = {
        one.promise.steps[0].event.stream
        for one in closes(known)
        if one.look is not None and one.look.event.occurred > event.occurred
    }
    return {
        "key": event.key,
        "drawn": event.occurred,
        "population": len(event.data["population"]),
        "size": len(event.data["sample"]),
        "done": sum(member in looked for member in event.data["sample"]),
        "as_of": None,
    }


def _relapse(one: Closed) -> Row:
    looked = one.look.event.occurred if one.look else 0
    again = [
        step.event.occurred
        for step in one.promise.of("reopened")
        if step.event.occurred > looked
    ]
    return {
        "key": one.promise.key,
        "closed": one.close.event.occurred,
        "looked": looked,
        "reopened": again[0] if again else None,
    }
