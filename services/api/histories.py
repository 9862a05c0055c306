"""The history of one stream: its events as lines, late ones marked and counted.

Rules of this file: what histories of all kinds share. An event recorded long after it
happened (补录) is shown as that, by the rule in force when it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from events.messages import Language
from projections import queries
from projections.moments import Moment as Then
from projections.timeline import Line, is_late_record
from projections.views import Snapshot
from services.api.desk import Desk
from services.api.moments import Moment, book
from services.api.presenting import line as present

_CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Which lines: of a stream at a moment, so many beyond the position ``after``."""

    stream: str
    moment: Moment
    after: int
    limit: int


def told(
    desk: Desk, snapshot: Snapshot, wanted: Lines, language: Language
) -> dict[str, Any]:
    """Return the lines, and how many of all lines at the moment were recorded late."""
    then = wanted.moment.within(snapshot.generation.position)
    lines = queries.lines(
        snapshot,
        wanted.stream,
        after=wanted.after,
        limit=wanted.limit + 1,
        as_of=then.position,
        as_at=then.as_at,
    )
    is_late = _late(desk)
    return {
        "data": [
            present(line, language, late=is_late(line))
            for line in lines[: wanted.limit]
        ],
        "has_more": len(lines) > wanted.limit,
        "late_records": sum(map(is_late, _all(snapshot, wanted.stream, then))),
        "position": then.position,
    }


def _late(desk: Desk) -> Callable[[Line], bool]:
    """Return the test of lateness: by the rule in force when a line was recorded."""
    rules = book(desk)

    def is_late(line: Line) -> bool:
        days = rules.at(line.recorded).ruleset.late_record_days
        return is_late_record(line, days=days)

    return is_late


def _all(snapshot: Snapshot, stream: str, then: Then) -> Iterator[Line]:
    """Yield the lines of a whole stream, whichever of them are shown."""
    ask = partial(
        queries.lines,
        snapshot,
        stream,
        limit=_CHUNK,
        as_of=then.position,
        as_at=then.as_at,
    )
    lines = ask()
    while lines:
        yield from lines
        lines = ask(after=lines[-1].position)
