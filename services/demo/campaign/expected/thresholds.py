"""Accountability by number in a month: 2/4/6, 5/10/15 and 2/3/4, as the rules state.

Rules of this file: what is counted, by unit, and which step a count reaches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from services.demo.campaign.expected.answer import Row
from services.demo.campaign.expected.known import Known, Promise, Span, month
from services.demo.campaign.expected.words import unit

_UNSETTLED, _NEW, _HELD = "交办问题未按要求整改", "新发现问题", "被问责单位数"
_STEPS: Final = {_UNSETTLED: (2, 4, 6), _NEW: (5, 10, 15), _HELD: (2, 3, 4)}
_ALL: Final = "全部单位"
_BY_OTHERS: Final = frozenset({"inspection", "upper_level"})


def counted_in_month(known: Known) -> list[Row]:
    """Return the counts of the month that the instant lies in."""
    span = month(known.today)
    return [
        *_lines(_UNSETTLED, _unsettled(known, span)),
        *_lines(_NEW, _new(known, span)),
        _line(_HELD, _ALL, len(_held(known, span))),
    ]


def _lines(what: str, counts: Mapping[str, int]) -> list[Row]:
    return [_line(what, unit(name), count) for name, count in sorted(counts.items())]


def _line(what: str, of: str, count: int) -> Row:
    step = sum(count >= limit for limit in _STEPS[what])
    return {"what": what, "unit": of, "count": count, "step": step}


def _unsettled(known: Known, span: Span) -> Counter[str]:
    """Count what was handed over as a promise that fell due in the month unsettled."""
    promises = {one.key: one for one in known.promises}
    closed = {event.key: event.occurred for event in known.of("issue.closed")}
    found: Counter[str] = Counter()
    for event in known.of("issue.handed_over"):
        promise = promises.get(event.data.get("commitment", ""))
        if promise is None or known.table["issue"][event.key]["status"] == "revoked":
            continue
        due = promise.note["original_due"]
        in_month = span.start < due <= span.end and due < known.now
        if in_month and not _settled(promise, due, closed.get(event.key)):
            found[event.data["to_unit"]] += 1
    return found


def _settled(promise: Promise, due: int, closed: int | None) -> bool:
    if closed is not None and closed <= due:
        return True
    then = promise.by(due)
    return then is not None and then.note["status"] == "closed"


def _new(known: Known, span: Span) -> Counter[str]:
    return Counter(
        event.data["unit"]
        for event in known.of("issue.found")
        if event.data["found_by"] in _BY_OTHERS
        and "repeat_of" not in event.data
        and known.table["issue"][event.key]["status"] != "revoked"
        and span.has(event.occurred)
    )


def _held(known: Known, span: Span) -> Sequence[str]:
    """Return the units against which a case was opened that was not revoked."""
    return sorted(
        {
            event.data["unit"]
            for event in known.of("accountability.opened")
            if span.has(event.occurred)
            and known.table["case"][event.key].get("appeal") != "revoked"
        }
    )
