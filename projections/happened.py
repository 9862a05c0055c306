"""The board by the second clock: what had happened by an instant.

Rules of this file: questions to the read models, as in ``projections.queries``. Rows of
an instant are known only after they were looked up, and some only after their stream
was folded again (``projections.moments``); so pages walk by key, a bounded number of
commitments at a time, and filters are applied to what was found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from events.store import Reader
from projections import moments, queries
from projections.moments import Moment
from projections.queries import Filter, Page, Place, Scanned
from projections.status import Status
from projections.tables import FOREVER
from projections.views import Snapshot

_PREFIX: Final = "commitment/"
_LISTS: Final[tuple[tuple[str, Callable[[Status], str | None]], ...]] = (
    ("units", lambda row: row.state.lead_unit),
    ("statuses", lambda row: row.state.status),
    ("evidence", lambda row: row.evidence),
    ("kinds", lambda row: row.state.policy.partition("@")[0]),
    ("themes", lambda row: row.state.theme),
    ("campaigns", lambda row: row.state.campaign),
)
_TALLY: Final = """
WITH told AS (
    SELECT stream, max(position) AS last, max(version) AS top, count(*) AS seen
    FROM {line} WHERE stream > :low AND stream < :high
        AND position <= :position AND occurred <= :as_at
    GROUP BY stream
)
SELECT told.stream, '', 1 FROM told WHERE told.top <> told.seen
UNION ALL
SELECT coalesce(c.lead_unit, h.lead_unit), coalesce(c.status, h.status), count(*)
FROM told
LEFT JOIN {current} c
    ON c.key = substr(told.stream, 12) AND c.valid_from = told.last
LEFT JOIN {past} h
    ON h.key = substr(told.stream, 12) AND h.valid_from = told.last
WHERE told.top = told.seen GROUP BY 1, 2
"""


def commitments(  # noqa: PLR0913 - each is one part of the question
    snapshot: Snapshot,
    reader: Reader,
    narrow: Filter,
    *,
    moment: Moment,
    limit: int,
    after: Place | None = None,
    keep: Callable[[Status], bool] | None = None,
) -> Page:
    """Return one page of the board at a moment, by key."""

    def scan(place: Place | None, size: int) -> list[Scanned[Status]]:
        found = moments.standing(
            snapshot, "commitment", moment, after=place[1] if place else "", limit=size
        )
        return [
            ((0, each.stream.removeprefix(_PREFIX)), _row(reader, each, moment))
            for each in found
        ]

    def wanted(row: Status) -> bool:
        return matches(narrow, row) and (keep is None or keep(row))

    rows, place = queries.gather(scan, limit=limit, after=after, keep=wanted)
    return Page(rows, place, moment.position)


def commitment(
    snapshot: Snapshot, reader: Reader, key: str, *, moment: Moment
) -> Status | None:
    """Return one commitment at a moment; None: it had not been registered by then."""
    found = moments.one(snapshot, _PREFIX + key, moment)
    return None if found is None else _row(reader, found, moment)


def counts(
    snapshot: Snapshot, reader: Reader, moment: Moment
) -> dict[tuple[str, str], int]:
    """Return how many commitments each (lead unit, status) had; absent: none."""
    rows = snapshot.select(
        _TALLY,
        {
            "low": _PREFIX,
            "high": "commitment0",  # "0" follows "/".
            "position": moment.position,
            "as_at": moment.as_at,
        },
    )
    found: Counter[tuple[str, str]] = Counter()
    for unit, status, count in rows:
        if status:
            found[unit, status] += count
            continue
        row = commitment(snapshot, reader, unit.removeprefix(_PREFIX), moment=moment)
        if row is not None:
            found[row.state.lead_unit, row.state.status] += 1
    return dict(sorted(found.items()))


def matches(narrow: Filter, row: Status) -> bool:
    """Say whether a row is what a filter asks for, as the board's own query does."""
    for field, value in _LISTS:
        wanted = getattr(narrow, field)
        if wanted and value(row) not in wanted:
            return False
    if narrow.parent is not None and row.state.parent != narrow.parent:
        return False
    due = FOREVER if row.current_due is None else row.current_due
    if narrow.due_from is not None and due < narrow.due_from:
        return False
    if narrow.due_before is not None and due >= narrow.due_before:
        return False
    text = f"{row.key} {row.state.title}".casefold()
    return not narrow.text or narrow.text.casefold() in text


def _row(reader: Reader, found: moments.Standing, moment: Moment) -> Status | None:
    return moments.commitment(reader, found, moment)
