"""Questions to the states of streams of any kind: pages of them, narrowed.

Rules of this file: reading only, as of now or of a moment of both clocks; what a state
means is the domain's. Now, an index answers; of a moment, pages walk by key.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from events.store import Reader
from projections import moments, queries, states, status
from projections.moments import Moment
from projections.queries import Place, Scanned
from projections.views import Snapshot


class Shown(NamedTuple):
    """One stream: its last event's position, and the domain's state after it."""

    stream: str
    position: int
    state: Any

    @property
    def key(self) -> str:
        """Return the key part of the stream."""
        return self.stream.partition("/")[2]

    @property
    def unit(self) -> str | None:
        """Return the unit that it is of."""
        return states.unit_of(moments.kind_of(self.stream), self.state)


class Page(NamedTuple):
    """States by key, and where the next page begins (None: the end)."""

    rows: list[Shown]
    next: Place | None


class Narrow(NamedTuple):
    """Which streams: every given field narrows, several values mean OR."""

    statuses: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


class _Columns(NamedTuple):
    table: str
    key: str
    unit: str
    prefix: str


#: Which table a kind is in, where it is not the one of all others.
_OF_KIND: Final[Mapping[str, _Columns]] = MappingProxyType(
    {"commitment": _Columns(status.CURRENT.name, "key", "lead_unit", "commitment/")}
)
_OF_OTHERS: Final = _Columns(states.CURRENT.name, "stream", "unit", "")


def page(  # noqa: PLR0913 - each is one part of the question
    snapshot: Snapshot,
    reader: Reader,
    kind: str,
    narrow: Narrow,
    *,
    moment: Moment | None,
    limit: int,
    after: Place | None = None,
) -> Page:
    """Return one page of the states of a kind, now or at a moment."""

    def scan(place: Place | None, size: int) -> list[Scanned[Shown]]:
        key = place[1] if place else ""
        if moment is None:
            return _now(snapshot, reader, kind, narrow, after=key, limit=size)
        found = moments.standing(snapshot, kind, moment, after=key, limit=size)
        return [_scanned(each.stream, _at(reader, each, moment)) for each in found]

    def wanted(row: Shown) -> bool:
        return (not narrow.statuses or row.state.status in narrow.statuses) and (
            not narrow.units or row.unit in narrow.units
        )

    keep = None if moment is None else wanted
    return Page(*queries.gather(scan, limit=limit, after=after, keep=keep))


def one(
    snapshot: Snapshot, reader: Reader, stream: str, moment: Moment
) -> Shown | None:
    """Return one stream at a moment; None: it had not begun by then."""
    found = moments.one(snapshot, stream, moment)
    return None if found is None else _at(reader, found, moment)


def _at(reader: Reader, found: moments.Standing, moment: Moment) -> Shown | None:
    state = moments.state(reader, found, moment)
    return None if state is None else Shown(found.stream, found.valid_from, state)


def _now(
    snapshot: Snapshot,
    reader: Reader,
    kind: str,
    narrow: Narrow,
    *,
    after: str,
    limit: int,
) -> list[Scanned[Shown]]:
    of = _OF_KIND.get(kind, _OF_OTHERS)
    beyond = f"{kind}/{after}".removeprefix(of.prefix)
    terms = [f"{of.key} > :beyond"]
    given = {"beyond": beyond, "limit": limit, "kind": kind, "end": f"{kind}0"}
    if not of.prefix:  # "0" follows "/".
        terms += ["kind = :kind", f"{of.key} < :end"]
    lists = (("status", narrow.statuses), (of.unit, narrow.units))
    for column, values in lists:
        if values:
            names = {f"{column}_{n}": value for n, value in enumerate(values)}
            terms.append(f"{column} IN ({', '.join(f':{name}' for name in names)})")
            given |= names
    rows = snapshot.select(
        f"SELECT {of.key}, valid_from, body FROM {{{of.table}}} "  # noqa: S608 - ours
        f"WHERE {' AND '.join(terms)} ORDER BY {of.key} LIMIT :limit",
        given,
    )
    return [
        _scanned(of.prefix + key, _shown(reader, of.prefix + key, position, body))
        for key, position, body in rows
    ]


def _shown(reader: Reader, stream: str, position: int, body: bytes) -> Shown:
    found = moments.Standing(stream, position, body or None)
    return Shown(stream, position, moments.state(reader, found, Moment(position)))


def _scanned(stream: str, row: Shown | None) -> Scanned[Shown]:
    return (0, stream.partition("/")[2]), row
