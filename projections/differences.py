"""What became different between two positions: commitments, one by one and counted.

Rules of this file: questions to the read models only. A commitment is compared with
itself as it stood at both positions; what led from one to the other are its events
between them. Nothing is judged here that depends on the instant of asking.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from events.domain.commitment_state import TERMINAL
from projections import queries, status
from projections.queries import Place, Scanned
from projections.status import Status
from projections.tables import FOREVER
from projections.views import Snapshot

Change = Literal["added", "status", "due", "finished", "ended"]


class Difference(NamedTuple):
    """One commitment before (None: not registered yet) and after, and why it differs.

    ``events`` are the positions of its events between, ascending; ``late`` those of
    them that were recorded late (补录).
    """

    before: Status | None
    after: Status
    changes: tuple[Change, ...]
    events: tuple[int, ...] = ()
    late: tuple[int, ...] = ()


class Page(NamedTuple):
    """Differences by key, and where the next page begins (None: the end)."""

    rows: list[Difference]
    next: Place | None


class Span(NamedTuple):
    """From one position (exclusive) to another (inclusive).

    ``late_us``: an event recorded longer after it happened was recorded late.
    """

    start: int
    end: int
    late_us: int


class Totals(NamedTuple):
    """How many commitments differ in which way, and their events between."""

    added: int
    status: int
    due: int
    finished: int
    ended: int
    events: int
    late_records: int


# What happened between is read by position, however long the log is before and after.
# A stream that is part of an expression is not looked up by stream, which would be the
# way through the whole log.
_TOLD: Final = """
WITH told AS (
    SELECT substr(stream, 12) AS key, max(position) AS last FROM {line}
    WHERE position > :start AND position <= :end
        AND substr(stream, 1, 11) = 'commitment/' AND substr(stream, 12) > :key
    GROUP BY 1 ORDER BY 1 LIMIT :limit
)
"""
_BOTH: Final = """
FROM told
LEFT JOIN {current} c ON c.key = told.key AND c.valid_from = told.last
LEFT JOIN {past} e ON e.key = told.key AND e.valid_from = told.last
LEFT JOIN {past} b ON b.key = told.key AND b.valid_from =
    (SELECT max(v.valid_from) FROM {past} v
     WHERE v.key = told.key AND v.valid_from <= :start)
"""
_PAIRS: Final = f"""{_TOLD}
SELECT told.key, b.body, coalesce(c.body, e.body) {_BOTH} ORDER BY told.key
"""
_TERMINAL: Final = ", ".join(f"'{name}'" for name in sorted(TERMINAL))
_TOTALS: Final = f"""{_TOLD}
SELECT count(CASE WHEN was IS NULL THEN 1 END),
    count(CASE WHEN was <> became THEN 1 END),
    count(CASE WHEN due_was <> due_became THEN 1 END),
    count(CASE WHEN became = 'closed' AND coalesce(was, '') <> 'closed' THEN 1 END),
    count(CASE WHEN became IN ({_TERMINAL})
               AND coalesce(was, '') NOT IN ({_TERMINAL}) THEN 1 END)
FROM (SELECT b.status AS was, b.due AS due_was,
        coalesce(c.status, e.status) AS became,
        coalesce(c.due, e.due) AS due_became {_BOTH}) s
"""  # noqa: S608 - our fragments
_EVENTS: Final = """
SELECT count(*), count(CASE WHEN recorded - occurred > :late THEN 1 END)
FROM {line} WHERE position > :start AND position <= :end
    AND substr(stream, 1, 11) = 'commitment/'
"""


def differences(
    snapshot: Snapshot, span: Span, *, limit: int, after: Place | None = None
) -> Page:
    """Return one page of the commitments that differ, by key."""

    def scan(place: Place | None, size: int) -> list[Scanned[Difference]]:
        key = place[1] if place else ""
        found = snapshot.select(_PAIRS, _bounds(span) | {"key": key, "limit": size})
        return [((0, key), _difference(*bodies)) for key, *bodies in found]

    rows, place = queries.gather(scan, limit=limit, after=after)
    return Page([_explained(snapshot, span, row) for row in rows], place)


def totals(snapshot: Snapshot, span: Span) -> Totals:
    """Return how many differ in which way; one pass over the commitments touched."""
    everything = {"key": "", "limit": FOREVER}
    ((*kinds,),) = snapshot.select(_TOTALS, _bounds(span) | everything)
    ((*events,),) = snapshot.select(_EVENTS, _bounds(span) | {"late": span.late_us})
    return Totals(*kinds, *events)


def _bounds(span: Span) -> dict[str, int | str]:
    return {"start": span.start, "end": span.end}


def _difference(body_before: bytes | None, body_after: bytes) -> Difference | None:
    before = None if body_before is None else status.read(body_before)
    after = status.read(body_after)
    changes = _changes(before, after)
    return Difference(before, after, changes) if changes else None


def _changes(before: Status | None, after: Status) -> tuple[Change, ...]:
    was = None if before is None else before.state.status
    found: dict[Change, bool] = {
        "added": before is None,
        "status": before is not None and was != after.state.status,
        "due": before is not None and before.current_due != after.current_due,
        "finished": after.finished and was != "closed",
        "ended": after.state.status in TERMINAL and was not in TERMINAL,
    }
    return tuple(name for name, true in found.items() if true)


def _explained(snapshot: Snapshot, span: Span, row: Difference) -> Difference:
    """Return a difference with the events that made it."""
    found = snapshot.select(
        "SELECT position, recorded - occurred FROM {line} WHERE stream = :stream "
        "AND position > :start AND position <= :end ORDER BY position",
        _bounds(span) | {"stream": f"commitment/{row.after.key}"},
    )
    return row._replace(
        events=tuple(position for position, _ in found),
        late=tuple(position for position, delay in found if delay > span.late_us),
    )
