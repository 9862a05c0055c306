"""Questions to the board: pages of commitments, one of them, its versions, counts.

Rules of this file: reading a snapshot only, as of any position; every page is found by
its key (keyset), never by counting rows. Rules that depend on the instant of asking are
given as ``keep``, so that this file knows neither clock nor ruleset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

from projections import state_codec, status, timeline
from projections.status import Status
from projections.tables import FOREVER
from projections.views import Snapshot

#: With a ``keep`` that refuses much, a page ends here; its cursor goes on.
MOST_SCANNED = 5_000
_CHUNK = 500
_GROWTH = 4

Order = Literal["key", "due"]
Place = tuple[int, str]
"""(due, key) of the last row seen; due is 0 where the order is by key."""
T = TypeVar("T")
Scanned = tuple[Place, T | None]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which commitments: every given field narrows, several values of one mean OR.

    Dues are µs, half-open [from, before), of the *current* due. ``text`` is looked for
    in the number and the title.
    """

    units: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    parent: str | None = None
    due_from: int | None = None
    due_before: int | None = None
    text: str | None = None


class Page(NamedTuple):
    """Rows, where the next page begins (None: the end), and the position it is of."""

    rows: list[Status]
    next: Place | None
    position: int


class Version(NamedTuple):
    """A status and the positions [valid_from, valid_to) at which it stood."""

    valid_from: int
    valid_to: int | None
    status: Status


class UnitRow(NamedTuple):
    """One organisation stream: kind (unit, post, grid), last position, domain state."""

    stream: str
    kind: str
    position: int
    state: Any


_LISTS = (
    ("units", "lead_unit"),
    ("statuses", "status"),
    ("evidence", "evidence"),
    ("kinds", "kind"),
    ("themes", "theme"),
    ("campaigns", "campaign"),
)
_SHOWN = ("key", *(column for column, _ in status.FILTERS))
_SINGLES = (
    ("parent", "parent = :parent"),
    ("due_from", "due >= :due_from"),
    ("due_before", "due < :due_before"),
)
_PLACES: dict[Order, tuple[str, str]] = {
    "key": ("key > :key", "key"),
    "due": ("(due, key) > (:due, :key)", "due, key"),
}


def commitments(  # noqa: PLR0913 - each is one part of the question
    snapshot: Snapshot,
    narrow: Filter,
    *,
    limit: int,
    order: Order = "key",
    after: Place | None = None,
    as_of: int | None = None,
    keep: Callable[[Status], bool] | None = None,
) -> Page:
    """Return one page of the board, now or as it stood after position ``as_of``."""
    walked = as_of is not None and order == "key"

    def scan(place: Place | None, size: int) -> list[Scanned[Status]]:
        found = (_walk if walked else _scan)(
            snapshot, narrow, order=order, after=place, as_of=as_of, limit=size
        )
        return [
            (
                (due if order == "due" else 0, key),
                None if body is None else status.read(body),
            )
            for due, key, body in found
        ]

    rows, place = gather(scan, limit=limit, after=after, keep=keep)
    return Page(rows, place, _position(snapshot, as_of))


def gather(
    scan: Callable[[Place | None, int], list[Scanned[T]]],
    *,
    limit: int,
    after: Place | None = None,
    keep: Callable[[T], bool] | None = None,
) -> tuple[list[T], Place | None]:
    """Scan beyond a place until a page is full; return it, and where the next begins.

    ``scan`` gives so many rows and their places, None for a row that is not asked for.
    """
    kept: list[T] = []
    scanned, place, size = 0, after, limit + 1
    while scanned < MOST_SCANNED:
        found = scan(place, size)
        for where, row in found:
            if row is not None and (keep is None or keep(row)):
                if len(kept) == limit:
                    return kept, place
                kept.append(row)
            place = where
        scanned += len(found)
        if len(found) < size:
            return kept, None
        # Most pages are full at once; where few rows are kept, fewer questions do.
        size = max(size, min(_GROWTH * size, _CHUNK))
    return kept, place


def commitment(
    snapshot: Snapshot, key: str, *, as_of: int | None = None
) -> Status | None:
    """Return one commitment, now or as of a position; None: not registered then."""
    rows = snapshot.select(
        f"SELECT body FROM ({_source(as_of, ' AND key = :key')}) s",  # noqa: S608
        {"key": key, "as_of": as_of},
    )
    return status.read(rows[0][0]) if rows else None


def history(snapshot: Snapshot, key: str) -> list[Version]:
    """Return every version of a commitment's status, oldest first."""
    rows = snapshot.select(
        "SELECT valid_from, valid_to, body FROM {past} WHERE key = :key "
        "UNION ALL SELECT valid_from, :forever, body FROM {current} "
        "WHERE key = :key ORDER BY 1",
        {"key": key, "forever": FOREVER},
    )
    return [
        Version(start, None if end == FOREVER else end, status.read(body))
        for start, end, body in rows
    ]


def counts(
    snapshot: Snapshot, *, as_of: int | None = None
) -> dict[tuple[str, str], int]:
    """Return how many commitments each (lead unit, status) has; absent: none."""
    rows = snapshot.select(
        f"SELECT lead_unit, status, count(*) FROM ({_source(as_of)}) s "  # noqa: S608
        "GROUP BY lead_unit, status ORDER BY lead_unit, status",
        {"as_of": as_of},
    )
    return {(unit, state): count for unit, state, count in rows}


def registered(snapshot: Snapshot, *, as_of: int | None = None) -> int:
    """Return how many commitments had been registered, whatever became of them."""
    ((count,),) = snapshot.select(
        "SELECT count(*) FROM {current} WHERE registered <= :as_of",
        {"as_of": FOREVER if as_of is None else as_of},
    )
    return int(count)


def lines(
    snapshot: Snapshot,
    stream: str,
    *,
    after: int = 0,
    limit: int,
    as_of: int | None = None,
    as_at: int | None = None,
) -> list[timeline.Line]:
    """Return the timeline of a stream, positions beyond ``after``, oldest first.

    Only what was sealed by ``as_of`` and had happened by ``as_at`` (µs).
    """
    columns = ", ".join(timeline.LINES.names)
    rows = snapshot.select(
        f"SELECT {columns} FROM {{line}} "  # noqa: S608 - our column names
        "WHERE stream = :stream AND position > :after "
        "AND position <= :as_of AND occurred <= :as_at ORDER BY position LIMIT :limit",
        {
            "stream": stream,
            "after": after,
            "limit": limit,
            "as_of": FOREVER if as_of is None else as_of,
            "as_at": FOREVER if as_at is None else as_at,
        },
    )
    return [timeline.read(row) for row in rows]


def organisation(snapshot: Snapshot, kind: str = "unit") -> list[UnitRow]:
    """Return all units (or posts, or grid cells), by stream."""
    rows = snapshot.select(
        "SELECT stream, kind, valid_from, body FROM {state} "
        "WHERE kind = :kind ORDER BY stream",
        {"kind": kind},
    )
    return [
        UnitRow(stream, kind, position, state_codec.decode(kind, body))
        for stream, kind, position, body in rows
    ]


def _scan(
    snapshot: Snapshot,
    narrow: Filter,
    *,
    order: Order,
    after: Place | None,
    as_of: int | None,
    limit: int,
) -> list[tuple[int, str, bytes | None]]:
    terms, parameters = _where(narrow)
    beyond, by = _PLACES[order]
    if after is not None:
        terms.append(beyond)
        parameters |= {"due": after[0], "key": after[1]}
    # The terms go inside, next to the indexes; only order and limit are outside.
    inner = _source(as_of, "".join(f" AND {term}" for term in terms))
    rows = snapshot.select(
        f"SELECT due, key, body FROM ({inner}) s "  # noqa: S608 - our fragments
        f"ORDER BY {by} LIMIT :limit",
        parameters | {"as_of": as_of, "limit": limit},
    )
    return [(due, key, body) for due, key, body in rows]


def _walk(
    snapshot: Snapshot,
    narrow: Filter,
    *,
    order: Order,  # noqa: ARG001 - always by key
    after: Place | None,
    as_of: int | None,
    limit: int,
) -> list[tuple[int, str, bytes | None]]:
    """Return the next commitments by key as they stood; no body: not asked for.

    What a past version was like is known only after it was looked up. So the filter is
    applied to a bounded number of commitments at a time: asked for the matching ones
    of all, PostgreSQL reads the whole history first.
    """
    terms, parameters = _where(narrow)
    next_ones = (
        "SELECT * FROM {current} WHERE registered <= :as_of AND key > :key "
        "ORDER BY key LIMIT :limit"
    )
    wanted = " AND ".join(terms) or "1 = 1"
    rows = snapshot.select(
        f"SELECT key, CASE WHEN {wanted} THEN body END "  # noqa: S608 - our fragments
        f"FROM ({_stood(f'({next_ones})')}) s ORDER BY key",
        parameters | {"key": after[1] if after else "", "as_of": as_of, "limit": limit},
    )
    return [(0, key, body) for key, body in rows]


def _source(as_of: int | None, terms: str = "") -> str:
    """Return the rows that stood at a position, each commitment once."""
    if as_of is None:
        return f"SELECT {', '.join(_SHOWN)} FROM {{current}} WHERE 1 = 1{terms}"  # noqa: S608
    stood = _stood("{current}")
    return f"SELECT * FROM ({stood}) t WHERE 1 = 1{terms}"  # noqa: S608


def _stood(current: str) -> str:
    """Return commitments as they stood at a position.

    Only a commitment that has changed since looks up its version, by key and range.
    """
    shown = ", ".join(
        f"CASE WHEN c.valid_from <= :as_of THEN c.{column} ELSE h.{column} END "
        f"AS {column}"
        for column in _SHOWN[1:]
    )
    return (
        f"SELECT c.key AS key, {shown} FROM {current} c "  # noqa: S608 - ours
        "LEFT JOIN {past} h "
        "ON h.key = CASE WHEN c.valid_from > :as_of THEN c.key END "
        "AND h.valid_from <= :as_of AND h.valid_to > :as_of "
        "WHERE c.registered <= :as_of"
    )


def _where(narrow: Filter) -> tuple[list[str], dict[str, Any]]:
    terms: list[str] = []
    parameters: dict[str, Any] = {}
    for field, column in _LISTS:
        values = getattr(narrow, field)
        if values:
            names = {f"{column}_{n}": value for n, value in enumerate(values)}
            terms.append(f"{column} IN ({', '.join(f':{name}' for name in names)})")
            parameters |= names
    for field, term in _SINGLES:
        value = getattr(narrow, field)
        if value is not None:
            terms.append(term)
            parameters[field] = value
    if narrow.text:
        terms.append("search LIKE :text ESCAPE '!'")
        parameters["text"] = _pattern(narrow.text)
    return terms, parameters


def _pattern(text: str) -> str:
    folded = text.casefold()
    for special in "!%_":
        folded = folded.replace(special, f"!{special}")
    return f"%{folded}%"


def _position(snapshot: Snapshot, as_of: int | None) -> int:
    reached = snapshot.generation.position
    return reached if as_of is None else min(as_of, reached)
