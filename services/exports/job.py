"""What is exported: one cut of the log, and which entries of it; read page by page.

Rules of this file: the cut and bounded reads, nothing of any format. Only pages are
held, never the log: what an export needs to remember beyond them goes to a file.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from events import catalogue, entries, errors
from events.domain.model import Event
from events.merkle import root_at
from events.store import Reader, Row, Selection

Pieces = Generator[bytes, None, None]
#: Hears of (step, done, of how many) while an export runs.
Hear = Callable[[str, int, int], None]
#: Entries have up to 65,535 bytes: a page is 16 MiB at the very most.
_PAGE = 256
_PIECE = 1 << 16


class Cut(NamedTuple):
    """The log up to ``position``: its 32-byte root, and when it was sealed (µs)."""

    position: int
    root: bytes
    sealed: int


@dataclass(frozen=True, slots=True)
class Job:
    """One export. ``selection`` has its instants as positions, none beyond the cut.
    Of kinds of stream that it is ``without``, nothing is told at all.

    ``raw``: cells as they are, for programs. ``hear`` is told how far it is.
    """

    reader: Reader
    origin: str
    cut: Cut
    selection: Selection
    raw: bool = False
    hear: Hear = lambda _step, _done, _total: None


class Write(Protocol):
    """A format: the bytes of an export, in pieces. Closing it early leaves nothing."""

    def __call__(self, job: Job) -> Pieces:
        """Yield the bytes. Errors of ours come before the first of them."""


def moment(reader: Reader, as_of: str | None) -> int | None:
    """Return the position of a past moment (a position or RFC 3339); None: now.

    ``Malformed('invalid_parameter')`` where it is neither.
    """
    if as_of is None:
        return None
    if as_of.isascii() and as_of.isdecimal() and len(as_of) <= 18:
        return int(as_of)
    try:
        return reader.position_at(entries.instant(as_of))
    except errors.Malformed as cause:
        raise errors.Malformed("invalid_parameter", parameter="as_of") from cause


def pin(reader: Reader, position: int | None) -> Cut:
    """Return the cut at a position (None: at the newest committed entry).

    ``Malformed('position_ahead')``: the log is not so long, so nothing is pinned yet.
    """
    head = reader.head()
    size = head.size if head else 0
    at = size if position is None else position
    if at > size:
        raise errors.Malformed("position_ahead", position=at)
    last = reader.row(at)
    return Cut(at, root_at(at, reader.hashes), last.ingested if last else 0)


def bounded(reader: Reader, selection: Selection, cut: Cut) -> Selection:
    """Return the selection in positions, ending at the cut."""
    narrowed = selection.narrowed(reader.position_at)
    until = narrowed.until
    last = cut.position if until is None else min(until, cut.position)
    return replace(narrowed, until=last)


def rows(job: Job) -> Iterator[Row]:
    """Yield what is selected, by position, telling how far it is."""
    yield from _heard(job, "entries", pages(job.reader, job.selection))


def pages(reader: Reader, selection: Selection) -> Iterator[Row]:
    """Yield matching rows by position, in bounded memory."""
    after, full = selection.after, True
    while full:
        page = reader.select(replace(selection, after=after), limit=_PAGE)
        yield from page
        full = len(page) == _PAGE
        after = page[-1].position if page else after


def beginnings(job: Job, event_type: str) -> Iterator[Row]:
    """Yield the events of a type that begins streams, of the streams that are meant.

    Other filters of the selection are about events, not about streams: a stream counts
    whenever it began.
    """
    begun = Selection(
        until=job.cut.position,
        types=(event_type,),
        streams=job.selection.streams,
        without=job.selection.without,
    )
    yield from _heard(job, "streams", pages(job.reader, begun))


def _heard(job: Job, step: str, found: Iterator[Row]) -> Iterator[Row]:
    for number, row in enumerate(found):
        if number % _PAGE == 0:
            job.hear(step, row.position, job.cut.position)
        yield row
    job.hear(step, job.cut.position, job.cut.position)


def history(reader: Reader, stream: str, cut: Cut) -> Iterator[tuple[Event, Any]]:
    """Yield each event of a stream in the cut with the state after it.

    The state of an external stream is None.
    """
    state: Any = None
    version, full = 0, True
    while full:
        page = reader.stream(stream, after=version, limit=_PAGE)
        for row in page:
            if row.position > cut.position:
                return
            event = catalogue.read(row.entry, (row.occurred, row.ingested))
            kind = catalogue.lookup(row.type)
            state = kind.evolve(state, event) if kind else None
            yield event, state
        full = len(page) == _PAGE
        version = page[-1].version if page else version


def final(reader: Reader, stream: str, cut: Cut) -> tuple[Event, Any] | None:
    """Return the last event of a stream in the cut, and the state after it."""
    last = None
    for last in history(reader, stream, cut):  # noqa: B007 - only the last one counts
        pass
    return last


def pieces(parts: Iterator[bytes]) -> Pieces:
    """Yield the same bytes in pieces of about 64 KiB; none of them is empty."""
    held = bytearray()
    for part in parts:
        held += part
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
