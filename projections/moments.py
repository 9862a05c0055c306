"""Which version of a stream stood at a moment of both clocks: sealed by, happened by.

Rules of this file: questions to the read models of states and commitments, and the fold
of one stream from the log where no stored version answers. By the first clock every
version is stored with its range of positions. By the second, what had happened by an
instant is nearly always the first few events of a stream, so that the version after
them answers; only where events were recorded out of the order in which they happened
(补录), the stream is folded again without those that were still to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from typing import Any, Final, NamedTuple

from events import catalogue
from events.domain.model import Event
from events.store import Reader, Row
from projections import state_codec, states, status
from projections.facts import facts
from projections.tables import FOREVER
from projections.views import Snapshot

_BATCH: Final = 1000
#: What a fold raises on an event that presupposes one which had not happened by then.
_NOT_YET = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Moment(NamedTuple):
    """Sealed up to ``position``; happened up to ``as_at`` (µs; None: whenever)."""

    position: int
    as_at: int | None = None


class Standing(NamedTuple):
    """A stream at a moment: its last event there, and its row's body.

    ``body`` is None where the state has to be folded again: ``state``, ``row``.
    """

    stream: str
    valid_from: int
    body: bytes | None


class _Rows(NamedTuple):
    """Where the versions of a kind are: its tables, and the stream's id in them.

    ``key`` is the column, ``cut`` how many characters of the stream it leaves out.
    """

    current: str
    past: str
    key: str
    cut: int


_COMMITMENTS: Final = _Rows(
    status.CURRENT.name, status.PAST.name, "key", len("commitment/")
)
_OTHERS: Final = _Rows(states.CURRENT.name, states.PAST.name, "stream", 0)


def kind_of(stream: str) -> str:
    """Return the kind of a stream: ``unit`` of ``unit/gouzhao``."""
    return stream.partition("/")[0]


def one(snapshot: Snapshot, stream: str, moment: Moment) -> Standing | None:
    """Return one stream at a moment; None: it had no event there, or is not ours."""
    kind = kind_of(stream)
    if kind not in state_codec.STATES:
        return None
    found = _select(snapshot, kind, moment, within=_EXACTLY, low=stream, limit=1)
    return found[0] if found else None


def standing(
    snapshot: Snapshot,
    kind: str,
    moment: Moment,
    *,
    after: str = "",
    limit: int = FOREVER,
) -> list[Standing]:
    """Return the streams of a kind that had begun, by key, beyond key ``after``."""
    if kind not in state_codec.STATES:
        return []
    low = f"{kind}/{after}"
    return _select(snapshot, kind, moment, within=_BEYOND, low=low, limit=limit)


def positions(
    snapshot: Snapshot, kind: str, moment: Moment, *, only: str | None = None
) -> dict[str, tuple[int, ...]]:
    """Return the positions of the events that each stream of a kind had, ascending."""
    happened = "" if moment.as_at is None else " AND occurred <= :as_at"
    within = (_BEYOND if only is None else _EXACTLY).format(id="stream", of="")
    rows = snapshot.select(
        f"SELECT stream, position FROM {{line}} WHERE {within} "  # noqa: S608 - ours
        f"AND position <= :position{happened} ORDER BY stream, position",
        {
            "low": only or f"{kind}/",
            "high": f"{kind}/{_LAST}",
            "position": moment.position,
            "as_at": moment.as_at,
        },
    )
    found: dict[str, list[int]] = {}
    for stream, position in rows:
        found.setdefault(stream, []).append(position)
    return {stream: tuple(events) for stream, events in found.items()}


def state(reader: Reader, found: Standing, moment: Moment) -> Any:
    """Return the domain's state of a stream; None: it had not begun by then."""
    kind = kind_of(found.stream)
    if kind == "commitment":
        row = commitment(reader, found, moment)
        return None if row is None else row.state
    if found.body is not None:
        return state_codec.decode(kind, found.body)
    events = happened(reader, found.stream, moment)
    return folded(events, whole=moment.as_at is None)


def commitment(reader: Reader, found: Standing, moment: Moment) -> status.Status | None:
    """Return the status of a commitment; None: it had not begun by then."""
    if found.body is not None:
        return status.read(found.body)
    return status.replay(facts(_rows(reader, found.stream, moment)))


def folded(events: Iterable[Event], *, whole: bool) -> Any:
    """Fold events of one stream; where not ``whole``, some are still to happen.

    An event that presupposes one of those changes nothing.
    """
    state = None
    for event in events:
        row = catalogue.lookup(event.type)
        if row is not None:
            with nullcontext() if whole else suppress(*_NOT_YET):
                state = row.evolve(state, event)
    return state


def happened(reader: Reader, stream: str, moment: Moment) -> Iterator[Event]:
    """Yield the events of one stream at a moment, in the order of the log."""
    for row in _rows(reader, stream, moment):
        yield catalogue.read(row.entry, (row.occurred, row.ingested))


def _rows(reader: Reader, stream: str, moment: Moment) -> Iterator[Row]:
    version = 0
    while rows := reader.stream(stream, after=version, limit=_BATCH):
        for row in rows:
            if row.position > moment.position:
                return
            if moment.as_at is None or row.occurred <= moment.as_at:
                yield row
        version = rows[-1].version


def _select(
    snapshot: Snapshot,
    kind: str,
    moment: Moment,
    *,
    within: str,
    low: str,
    limit: int,
) -> list[Standing]:
    rows = _COMMITMENTS if kind == "commitment" else _OTHERS
    text = _SEALED if moment.as_at is None else _HAPPENED
    found = snapshot.select(
        text.format(
            **rows._asdict(),
            start=rows.cut + 1,
            keys=within.format(id=rows.key, of="_key"),
            streams=within.format(id="stream", of=""),
        ),
        {
            "low": low,
            "high": f"{kind}/{_LAST}",
            "low_key": low[rows.cut :],
            "high_key": f"{kind}/{_LAST}"[rows.cut :],
            "position": moment.position,
            "as_at": moment.as_at,
            "limit": limit,
        },
    )
    prefix = low[: rows.cut]
    return [
        # An empty body is that of a past state too large to be kept.
        Standing(prefix + key, valid_from, body or None)
        for key, valid_from, body in found
    ]


#: Sorts after every key: the last code point.
_LAST: Final = "\U0010ffff"
_EXACTLY: Final = "{id} = :low{of}"
_BEYOND: Final = "{id} > :low{of} AND {id} <= :high{of}"
_SEALED: Final = """
SELECT c.{key},
       CASE WHEN c.valid_from <= :position THEN c.valid_from ELSE h.valid_from END,
       CASE WHEN c.valid_from <= :position THEN c.body ELSE h.body END
FROM (
    SELECT * FROM {{{current}}} WHERE registered <= :position AND {keys}
    ORDER BY {key} LIMIT :limit
) c
LEFT JOIN {{{past}}} h
    ON h.{key} = CASE WHEN c.valid_from > :position THEN c.{key} END
    AND h.valid_from <= :position AND h.valid_to > :position
ORDER BY c.{key}
"""
_HAPPENED: Final = """
WITH told AS (
    SELECT stream, max(position) AS last, max(version) AS top, count(*) AS seen
    FROM {{line}} WHERE {streams} AND position <= :position AND occurred <= :as_at
    GROUP BY stream ORDER BY stream LIMIT :limit
)
SELECT substr(told.stream, {start}), told.last,
       CASE WHEN told.top = told.seen THEN coalesce(c.body, h.body) END
FROM told
LEFT JOIN {{{current}}} c
    ON c.{key} = substr(told.stream, {start}) AND c.valid_from = told.last
LEFT JOIN {{{past}}} h
    ON h.{key} = substr(told.stream, {start}) AND h.valid_from = told.last
ORDER BY told.stream
"""
