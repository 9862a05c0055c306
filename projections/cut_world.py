"""The two ways to see a cut of the log: from the read models, and by folding it.

Rules of this file: both give the same answers for the same cut, which the tests hold
them to. ``ViewWorld`` asks the read models and is quick; ``LogWorld`` reads the log
from its first entry and needs nothing else, so that whoever has the log alone (an
export, an auditor) sees what a report rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from events import catalogue, merkle
from events.domain.model import Event
from events.errors import Malformed, Unavailable
from events.store import Reader, Row, Selection
from projections import moments
from projections.moments import Moment, Standing
from projections.views import Snapshot
from projections.world import Cut, Happened, StateRow

_BATCH: Final = 1000


def cut_of(
    reader: Reader,
    *,
    position: int | None = None,
    as_at: int | None = None,
    now: int | None = None,
) -> Cut:
    """Return the cut at a position (None: the newest), with its root.

    ``now`` is ``as_at`` where nothing is given, else the ingestion of the position.
    ``Malformed('position_ahead')`` beyond the head.
    """
    head = reader.head()
    size = head.size if head else 0
    chosen = size if position is None else position
    if chosen > size:
        raise Malformed("position_ahead", position=chosen)
    root = merkle.root_at(chosen, reader.hashes) if chosen else merkle.EMPTY_ROOT
    if now is None:
        now = as_at if as_at is not None else _ingested(reader, chosen)
    return Cut(position=chosen, root=root, now=now, as_at=as_at)


@dataclass(frozen=True, slots=True)
class ViewWorld:
    """A ``projections.world.World`` over read models that have reached the cut.

    ``reader`` gives payloads, and what the read models have no version of.
    ``Unavailable('projection_behind')`` where they have not come so far yet.
    """

    snapshot: Snapshot
    reader: Reader
    cut: Cut

    def __post_init__(self) -> None:
        """Refuse a cut that the read models do not have."""
        if self.snapshot.generation.position < self.cut.position:
            raise Unavailable("projection_behind", position=self.cut.position)

    def at(self, cut: Cut) -> ViewWorld:
        """Return the same log at another cut, not further along than this one."""
        return ViewWorld(self.snapshot, self.reader, cut)

    def state(self, stream: str) -> StateRow | None:
        """Return the state of one stream; None: it had not begun."""
        moment = _moment(self.cut)
        found = moments.one(self.snapshot, stream, moment)
        if found is None:
            return None
        kind = moments.kind_of(stream)
        told = moments.positions(self.snapshot, kind, moment, only=stream)
        return self._row(found, told[stream])

    def states(self, kind: str) -> Sequence[StateRow]:
        """Return the state of every stream of a kind, by key."""
        moment = _moment(self.cut)
        told = moments.positions(self.snapshot, kind, moment)
        rows = (
            self._row(found, told[found.stream])
            for found in moments.standing(self.snapshot, kind, moment)
        )
        return [row for row in rows if row is not None]

    def events(
        self,
        *,
        types: Sequence[str] = (),
        streams: Sequence[str] = (),
        occurred_from: int | None = None,
        occurred_before: int | None = None,
    ) -> Sequence[Happened]:
        """Return events by position; types may end in ``*``, every filter narrows."""
        wanted = Selection(
            until=self.cut.position,
            types=tuple(types),
            streams=tuple(streams),
            occurred_from=occurred_from,
            occurred_before=_earlier(occurred_before, self.cut.as_at),
        )
        found: list[Happened] = []
        while rows := self.reader.select(wanted, limit=_BATCH):
            found += map(_happened, rows)
            wanted = replace(wanted, after=rows[-1].position)
        return found

    def _row(self, found: Standing, events: tuple[int, ...]) -> StateRow | None:
        state = moments.state(self.reader, found, _moment(self.cut))
        return None if state is None else _state_row(found.stream, state, events)


@dataclass(frozen=True, slots=True)
class LogWorld:
    """A ``projections.world.World`` by folding the log up to the cut, in memory."""

    reader: Reader
    cut: Cut
    _events: list[Happened] = field(init=False)
    _states: dict[str, StateRow] = field(init=False)

    def __post_init__(self) -> None:
        """Read the log and fold it, once."""
        read = [(row, _read(row)) for row in self._rows()]
        streams: dict[str, list[tuple[Row, Event]]] = {}
        for row, event in read:
            streams.setdefault(row.stream, []).append((row, event))
        rows = {}
        for stream, told in streams.items():
            events = (event for _, event in told)
            state = moments.folded(events, whole=self.cut.as_at is None)
            if state is not None:
                positions = tuple(row.position for row, _ in told)
                rows[stream] = _state_row(stream, state, positions)
        # Frozen like every value; what is derived from it is set once, here.
        object.__setattr__(self, "_events", [_told(*pair) for pair in read])
        object.__setattr__(self, "_states", rows)

    def at(self, cut: Cut) -> LogWorld:
        """Return the same log at another cut: it is read again."""
        return LogWorld(self.reader, cut)

    def state(self, stream: str) -> StateRow | None:
        """Return the state of one stream; None: it had not begun."""
        return self._states.get(stream)

    def states(self, kind: str) -> Sequence[StateRow]:
        """Return the state of every stream of a kind, by key."""
        return [row for _, row in sorted(self._states.items()) if row.kind == kind]

    def events(
        self,
        *,
        types: Sequence[str] = (),
        streams: Sequence[str] = (),
        occurred_from: int | None = None,
        occurred_before: int | None = None,
    ) -> Sequence[Happened]:
        """Return events by position; types may end in ``*``, every filter narrows."""
        return [
            event
            for event in self._events
            if (not types or any(_is_of(event.type, wanted) for wanted in types))
            and (not streams or event.stream in streams)
            and (occurred_from is None or event.occurred >= occurred_from)
            and (occurred_before is None or event.occurred < occurred_before)
        ]

    def _rows(self) -> Iterator[Row]:
        after, as_at = 0, self.cut.as_at
        while rows := self.reader.rows(after=after, limit=_BATCH):
            for row in rows:
                if row.position > self.cut.position:
                    return
                if as_at is None or row.occurred <= as_at:
                    yield row
            after = rows[-1].position


def _moment(cut: Cut) -> Moment:
    return Moment(cut.position, cut.as_at)


def _ingested(reader: Reader, position: int) -> int:
    row = reader.row(position) if position else None
    return row.ingested if row else 0


def _earlier(before: int | None, as_at: int | None) -> int | None:
    """Return the end of what is asked for and had happened, exclusive."""
    ends = [before, None if as_at is None else as_at + 1]
    return min((end for end in ends if end is not None), default=None)


def _read(row: Row) -> Event:
    return catalogue.read(row.entry, (row.occurred, row.ingested))


def _happened(row: Row) -> Happened:
    return _told(row, _read(row))


def _told(row: Row, event: Event) -> Happened:
    return Happened(
        position=row.position,
        stream=row.stream,
        version=row.version,
        type=row.type,
        id=row.id,
        source=row.source,
        occurred=event.occurred,
        recorded=event.recorded,
        ingested=event.ingested,
        unit=event.actor.unit,
        post=event.actor.post,
        data=event.data,
        due_at=event.due_at,
    )


def _state_row(stream: str, state: object, events: tuple[int, ...]) -> StateRow:
    kind, _, key = stream.partition("/")
    return StateRow(stream=stream, kind=kind, key=key, state=state, events=events)


def _is_of(name: str, wanted: str) -> bool:
    """Say whether a type is the wanted one, or begins with what is before its ``*``."""
    if wanted.endswith("*"):
        return name.startswith(wanted[:-1])
    return name == wanted
