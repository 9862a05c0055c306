"""GET /v1/events/stream: replay from any past moment, then live, as SSE or NDJSON.

Rules of this file: order is position; a client that comes back with its last id misses
nothing and sees nothing twice. Where a filter passes nothing on, progress is still
told, so that a client's position does not stay behind. What the caller may not read is
a stub in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import StreamingResponse

from events import errors
from events.store import Row, Selection
from services.api import documents
from services.api.desk import Desk, in_thread
from services.api.filters import FILTERS, selection_of, us
from services.api.restricted import STUBS, Sight, admit_named, sight_of, stub

_PAGE = 500
#: How many positions one look may pass over before progress is told.
_STRIDE = 50_000
#: Other processes' commits are seen by asking the store this often.
_POLL_SECONDS = 1.0
_SSE = "text/event-stream"
_NDJSON = "application/x-ndjson"
_RESUMED = "Last-Event-ID"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def router(desk: Desk) -> APIRouter:
    """Return the route that replays and follows the log."""
    routes = APIRouter(redirect_slashes=False, tags=["events"])

    @routes.get(
        "/v1/events/stream",
        operation_id="streamEvents",
        summary="Replay from a position or instant, then follow",
        description=f"{STUBS} In SSE a stub is an event `restricted`.",
        response_class=StreamingResponse,
        responses={
            200: documents.answer(
                "Entries in order. SSE, or NDJSON where Accept or `format` asks.",
                {"type": "string"},
                "id: 42\nevent: entry\ndata: {…}\n\n",
                media=_SSE,
            ),
            403: documents.problem("Not for this key's roles", 403, "restricted_kind"),
        },
        openapi_extra={"parameters": FILTERS},
    )
    async def stream_events(
        request: HttpRequest,
        from_: Annotated[
            str | None,
            Query(alias="from", description="Position (exclusive) or instant."),
        ] = None,
        follow: Annotated[bool | None, Query(description="Default: SSE yes.")] = None,
        format_: Annotated[
            str | None, Query(alias="format", pattern="^(sse|ndjson)$")
        ] = None,
    ) -> StreamingResponse:
        def admit() -> None:
            desk.caller(request, "events:read")

        sight = sight_of(desk.caller(request, "events:read"))
        ndjson = format_ == "ndjson" or (
            format_ is None and _wants_ndjson(request.headers.get("accept", ""))
        )
        resumed = request.headers.get("last-event-id")
        start = await _start(
            desk, "from" if resumed is None else _RESUMED, resumed or from_
        )
        wanted = selection_of(request.query_params)
        admit_named(desk, request, wanted)
        chosen = await in_thread(_bounded, desk, sight.searched(wanted))
        selection = replace(chosen, after=max(chosen.after, start))
        live = not ndjson if follow is None else follow
        return StreamingResponse(
            _replay(
                _Follower(desk, selection, live=live, admit=admit),
                writer=_ndjson if ndjson else _sse,
                sight=sight,
                heartbeat=desk.ledger.settings.heartbeat_seconds,
            ),
            media_type=_NDJSON if ndjson else _SSE,
            headers=_HEADERS,
        )

    return routes


def _wants_ndjson(accept: str) -> bool:
    return any(kind in accept for kind in (_NDJSON, "application/jsonl"))


async def _start(desk: Desk, name: str, place: str | None) -> int:
    """Return the position after which to begin."""
    if place is None:
        return 0
    if place.isascii() and place.isdecimal() and len(place) <= 18:
        return int(place)
    moment = us(name, place)
    return await in_thread(desk.ledger.store.position_at, moment - 1)


def _bounded(desk: Desk, chosen: Selection) -> Selection:
    """Return the selection with past instants as positions, where the replay ends.

    A bound that the log has not reached yet is no end: entries may still come.
    """
    store = desk.ledger.store
    head, before = store.head(), chosen.ingested_before
    if before is not None and (head is None or before > head.ingested):
        narrowed = replace(chosen, ingested_before=None).narrowed(store.position_at)
        return replace(narrowed, ingested_before=before)
    return chosen.narrowed(store.position_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """How one format puts entries, stubs, progress and a sign of life on the wire."""

    opening: bytes
    heartbeat: bytes
    entry: Callable[[Row], bytes]
    stub: Callable[[Row, str], bytes]
    progress: Callable[[int], bytes]

    def rows(self, rows: list[Row], sight: Sight) -> bytes:
        """Return rows as the caller may see them, in order."""
        return b"".join(
            [
                self.entry(row) if hidden is None else self.stub(row, hidden)
                for row in rows
                for hidden in (sight.hides(row.stream),)
            ]
        )


_sse = _Writer(
    opening=b"retry: 2000\n\n",
    heartbeat=b": alive\n\n",
    entry=lambda row: b"id: %d\nevent: entry\ndata: %s\n\n" % (row.position, row.entry),
    stub=lambda row, kind: (
        b"id: %d\nevent: restricted\ndata: %s\n\n" % (row.position, stub(row, kind))
    ),
    progress=lambda position: (
        b'id: %d\nevent: progress\ndata: {"position":%d}\n\n' % (position, position)
    ),
)
_ndjson = _Writer(
    opening=b"",
    heartbeat=b"\n",
    entry=lambda row: b'{"position":%d,"entry":%s}\n' % (row.position, row.entry),
    stub=lambda row, kind: stub(row, kind) + b"\n",
    progress=lambda position: b'{"position":%d}\n' % position,
)


class _Follower:
    """One client's way through the log: where it is, and when to look again.

    ``admit`` raises once the client's key has ended: a stream does not outlive it.
    """

    def __init__(
        self,
        desk: Desk,
        selection: Selection,
        *,
        live: bool,
        admit: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._selection = selection
        self._live = live
        self._admit = admit
        self._grown = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.position = selection.after

    def listen(self) -> Callable[[], None]:
        """Hear of commits from now on; returns how to stop that."""
        return self._desk.ledger.commits.listen(self._notice)

    def _notice(self, _size: int) -> None:
        # Called from the sequencer's thread, which no ended loop may trouble.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._grown.set)

    async def look(self) -> list[Row]:
        """Return the next matching rows, having moved on past what does not match."""
        self._grown.clear()
        rows, self.position = await in_thread(
            _look, self._desk, self._selection, self.position
        )
        return rows

    def now(self) -> float:
        """Return seconds on the loop's clock."""
        return self._loop.time()

    @property
    def is_cut_off(self) -> bool:
        """Say whether the service is stopping, or the key has ended."""
        try:
            self._admit()
        except errors.Denied:
            return True
        return self._desk.stopping.is_set()

    @property
    def is_over(self) -> bool:
        """Say whether nothing more is wanted, once the end is reached."""
        until = self._selection.until
        return not self._live or (until is not None and self.position >= until)

    async def pause(self, seconds: float) -> None:
        """Wait for growth, or so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._grown.wait(), seconds)


async def _replay(
    follower: _Follower, *, writer: _Writer, sight: Sight, heartbeat: float
) -> AsyncIterator[bytes]:
    """Yield pages until the head, then wait for more as long as it is wanted.

    Progress is told at the end, and at most every ``_POLL_SECONDS`` before it.
    """
    unlisten = follower.listen()
    beat = min(_POLL_SECONDS, heartbeat)
    told, spoke, over = follower.position, follower.now(), False
    try:
        if writer.opening:
            yield writer.opening
        while not over and not follower.is_cut_off:
            before = follower.position
            if rows := await follower.look():
                told, spoke = rows[-1].position, follower.now()
                yield writer.rows(rows, sight)
            elif follower.position == before:
                over = follower.is_over
                if not over:
                    await follower.pause(beat)
            silent = follower.now() - spoke
            if follower.position > told and (over or silent >= beat):
                told, spoke = follower.position, follower.now()
                yield writer.progress(told)
            elif silent >= heartbeat and not over:
                spoke = follower.now()
                yield writer.heartbeat
    finally:
        unlisten()


def _look(desk: Desk, selection: Selection, position: int) -> tuple[list[Row], int]:
    """Return the next matching rows and the position up to which nothing is missing."""
    store = desk.ledger.store
    head = store.head()
    end = min(head.size if head else 0, position + _STRIDE)
    if selection.until is not None:
        end = min(end, selection.until)
    if end <= position:
        return [], position
    window = replace(selection, after=position, until=end)
    rows = store.select(window, limit=_PAGE)
    return rows, rows[-1].position if len(rows) == _PAGE else end
