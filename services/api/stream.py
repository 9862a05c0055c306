"""GET /v1/events/stream: replay from any past moment, then live, as SSE or NDJSON.

Rules of this file: order is position; a client that comes back with its last id misses
nothing and sees nothing twice. Where a filter passes nothing on, progress is still
told, so that a client's position does not stay behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import StreamingResponse

from events import entries, errors
from events.store import Row, Selection
from services.api import documents
from services.api.desk import Desk, in_thread
from services.api.filters import FILTERS, selection_of

_PAGE = 500
#: How many positions one look may pass over before progress is told.
_STRIDE = 50_000
#: Other processes' commits are seen by asking the store this often.
_POLL_SECONDS = 1.0
_SSE = "text/event-stream"
_NDJSON = "application/x-ndjson"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def router(desk: Desk) -> APIRouter:
    """Return the route that replays and follows the log."""
    routes = APIRouter(redirect_slashes=False, tags=["events"])

    @routes.get(
        "/v1/events/stream",
        operation_id="streamEvents",
        summary="Replay from a position or instant, then follow",
        response_class=StreamingResponse,
        responses={
            200: documents.answer(
                "Entries in order. SSE, or NDJSON where Accept or `format` asks.",
                {"type": "string"},
                "id: 42\nevent: entry\ndata: {…}\n\n",
                media=_SSE,
            )
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
        desk.caller(request, "events:read")
        ndjson = format_ == "ndjson" or (
            format_ is None and _wants_ndjson(request.headers.get("accept", ""))
        )
        query = request.query_params
        chosen = selection_of(
            query.__class__([p for p in query.multi_items() if p[0] != "follow"])
        ).narrowed(desk.ledger.store.position_at)
        start = await _start(desk, request.headers.get("last-event-id") or from_)
        selection = replace(chosen, after=max(chosen.after, start))
        writer = _ndjson if ndjson else _sse
        live = not ndjson if follow is None else follow
        return StreamingResponse(
            _replay(desk, selection, writer=writer, live=live),
            media_type=_NDJSON if ndjson else _SSE,
            headers=_HEADERS,
        )

    return routes


def _wants_ndjson(accept: str) -> bool:
    return any(kind in accept for kind in (_NDJSON, "application/jsonl"))


async def _start(desk: Desk, place: str | None) -> int:
    """Return the position after which to begin."""
    if place is None:
        return 0
    if place.isascii() and place.isdecimal() and len(place) <= 18:
        return int(place)
    try:
        moment = entries.instant(place)
    except errors.Malformed as cause:
        raise errors.Malformed("invalid_parameter", parameter="from") from cause
    return await in_thread(desk.ledger.store.position_at, moment - 1)


class _Writer:
    """How one format puts entries, progress and a sign of life on the wire."""

    def __init__(self, *, opening: bytes, heartbeat: bytes) -> None:
        self.opening = opening
        self.heartbeat = heartbeat

    def entries(self, rows: list[Row]) -> bytes:
        raise NotImplementedError

    def progress(self, position: int) -> bytes:
        raise NotImplementedError


class _Sse(_Writer):
    def entries(self, rows: list[Row]) -> bytes:
        return b"".join(
            [
                b"id: %d\nevent: entry\ndata: %s\n\n" % (row.position, row.entry)
                for row in rows
            ]
        )

    def progress(self, position: int) -> bytes:
        return b'id: %d\nevent: progress\ndata: {"position":%d}\n\n' % (
            position,
            position,
        )


class _Ndjson(_Writer):
    def entries(self, rows: list[Row]) -> bytes:
        return b"".join([row.entry + b"\n" for row in rows])

    def progress(self, position: int) -> bytes:
        del position  # every line is an entry; a reader counts for itself
        return b""


_sse = _Sse(opening=b"retry: 2000\n\n", heartbeat=b": alive\n\n")
_ndjson = _Ndjson(opening=b"", heartbeat=b"\n")


class _Follower:
    """One client's way through the log: where it is, and when to look again."""

    def __init__(self, desk: Desk, selection: Selection, *, live: bool) -> None:
        self._desk = desk
        self._selection = selection
        self._live = live
        self._grown = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.position = selection.after

    def notice(self, _size: int) -> None:
        """Hear of a commit; called from the sequencer's thread."""
        self._loop.call_soon_threadsafe(self._grown.set)

    async def look(self) -> list[Row]:
        """Return the next matching rows, having moved on past what does not match."""
        self._grown.clear()
        rows, self.position = await in_thread(
            _look, self._desk, self._selection, self.position
        )
        return rows

    @property
    def is_over(self) -> bool:
        """Say whether nothing more is wanted, once the end is reached."""
        until = self._selection.until
        past = until is not None and self.position >= until
        return past or not self._live or self._desk.stopping.is_set()

    async def pause(self) -> float:
        """Wait for growth; return the seconds that passed without any."""
        try:
            await asyncio.wait_for(self._grown.wait(), _POLL_SECONDS)
        except TimeoutError:
            return _POLL_SECONDS
        return 0.0


async def _replay(
    desk: Desk, selection: Selection, *, writer: _Writer, live: bool
) -> AsyncIterator[bytes]:
    """Yield pages until the head, then wait for more as long as it is wanted."""
    follower = _Follower(desk, selection, live=live)
    unlisten = desk.ledger.commits.listen(follower.notice)
    try:
        yield writer.opening
        idle = 0.0
        while True:
            before = follower.position
            rows = await follower.look()
            if follower.position > before:
                idle = 0.0
                yield (
                    writer.entries(rows) if rows else writer.progress(follower.position)
                )
                continue
            if follower.is_over:
                return
            idle += await follower.pause()
            if idle >= desk.ledger.settings.heartbeat_seconds:
                idle = 0.0
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
