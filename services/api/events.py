"""Reading entries: lists, one by its id, and its proof.

Rules of this file: what is shown are the recorded bytes, spliced in as they are; what
the caller may not read is a stub (``restricted``). Lists are in order of position with
keyset cursors; there are no totals and no offsets.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors
from events.store import Row
from services.api import addresses, cursors, documents
from services.api.desk import Desk, in_thread
from services.api.filters import FILTERS, selection_of
from services.api.restricted import STUBS, Sight, admit_named, admit_to, sight_of, stub

_ENTRY = "application/cloudevents+json"
_ENTRY_EXAMPLE = {"specversion": "1.0", "id": "oa-2017-1114-001", "stream": "…"}
_ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["position", "leaf_hash", "entry"],
    "properties": {
        "position": {"type": "integer"},
        "leaf_hash": {"type": "string", "description": "Lower hex."},
        "entry": {
            "type": ["object", "null"],
            "description": "As it was sealed. null: not for this key's roles.",
        },
        "restricted": {
            "type": "string",
            "description": "Of a withheld entry: the kind of its stream.",
        },
    },
}
_LIST = {
    "type": "object",
    "required": ["data", "has_more"],
    "properties": {
        "data": {"type": "array", "items": _ITEM},
        "next_cursor": {"type": ["string", "null"]},
        "has_more": {"type": "boolean"},
    },
}
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items of a page.")]
_PROOF: dict[int | str, dict[str, Any]] = {
    200: documents.answer(
        "A C2SP tlog-proof.",
        {"type": "string"},
        "c2sp.org/tlog-proof@v1\nindex 41\n…",
        media="text/plain",
    )
}
_FOUND: dict[int | str, dict[str, Any]] = {
    200: documents.answer(
        "The entry.", {"type": "object"}, _ENTRY_EXAMPLE, media=_ENTRY
    ),
    403: documents.problem("Not for this key's roles", 403, "restricted_kind"),
}
Position = Annotated[int, Path(ge=1, le=2**62)]
Size = Annotated[int | None, Query(ge=1, le=2**62, description="Of which tree.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]


def router(desk: Desk) -> APIRouter:
    """Return the routes that read entries."""
    routes = APIRouter(redirect_slashes=False, tags=["events"])

    @routes.get(
        "/v1/events",
        operation_id="listEvents",
        summary="List entries, newest first",
        description=STUBS,
        responses={
            200: documents.answer(
                "A page.", _LIST, {"data": [], "next_cursor": None, "has_more": False}
            ),
            403: documents.problem("Not for this key's roles", 403, "restricted_kind"),
        },
        openapi_extra={"parameters": FILTERS},
    )
    async def list_events(
        request: HttpRequest,
        limit: Limit = 50,
        cursor: Cursor = None,
        order: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",
    ) -> Response:
        sight = sight_of(desk.caller(request, "events:read"))
        chosen = selection_of(request.query_params)
        admit_named(desk, request, chosen)
        print_of = cursors.fingerprint("events", order, repr(chosen))
        place = cursors.read(cursor, print_of) if cursor else None
        selection = cursors.after(
            sight.searched(chosen), place, newest_first=order == "desc"
        )
        rows = await in_thread(
            desk.ledger.store.select,
            selection,
            limit=limit + 1,
            newest_first=order == "desc",
        )
        more = len(rows) > limit
        page = rows[:limit]
        following = cursors.write(page[-1].position, print_of) if more else None
        return Response(
            _page(page, sight, following),
            media_type="application/json",
            headers=cursors.link(request, following),
        )

    @routes.get(
        "/v1/events/{event_id:path}/proof",
        operation_id="getEventProof",
        summary="The receipt of an entry, for a tree of your choice",
        responses=_PROOF,
    )
    async def get_proof(
        request: HttpRequest,
        event_id: str,
        source: Annotated[str | None, Query()] = None,
        size: Size = None,
    ) -> Response:
        desk.caller(request, "events:read")
        row = await _one(desk, event_id, source)
        return await _receipt(desk, row.position, size)

    @routes.get(
        "/v1/events/{event_id:path}",
        operation_id="getEvent",
        summary="One entry, byte for byte as it was sealed",
        responses=_FOUND,
    )
    async def get_event(
        request: HttpRequest,
        event_id: str,
        source: Annotated[str | None, Query()] = None,
    ) -> Response:
        desk.caller(request, "events:read")
        row = await _one(desk, event_id, source)
        admit_to(desk, request, row)
        return _entry(row)

    @routes.get(
        "/v1/entries/{position}/proof",
        operation_id="getEntryProof",
        summary="The receipt of the entry at a position",
        responses=_PROOF,
    )
    async def get_entry_proof(
        request: HttpRequest, position: Position, size: Size = None
    ) -> Response:
        desk.caller(request, "events:read")
        return await _receipt(desk, position, size)

    @routes.get(
        "/v1/entries/{position}",
        operation_id="getEntry",
        summary="The entry at a position, byte for byte as it was sealed",
        responses=_FOUND,
    )
    async def get_entry(request: HttpRequest, position: Position) -> Response:
        desk.caller(request, "events:read")
        row = await in_thread(desk.ledger.store.row, position)
        if row is None:
            raise errors.NotFound("event_unknown")
        admit_to(desk, request, row)
        return _entry(row)

    return routes


def _entry(row: Row) -> Response:
    path = addresses.proof(row.source, row.id, row.position)
    return Response(
        row.entry,
        media_type=_ENTRY,
        headers={
            "ETag": f'"{row.leaf.hex()}"',
            "Henji-Position": str(row.position),
            "Link": f'<{path}>; rel="proof"',
        },
    )


async def _receipt(desk: Desk, position: int, size: int | None) -> Response:
    prover = desk.ledger.prover
    if size is None:
        text = await in_thread(prover.receipt, position)
    else:
        head = await in_thread(desk.ledger.store.head)
        if head is not None and size < position <= head.size:
            raise errors.NotFound("event_after_size", position=position, size=size)
        text = await in_thread(prover.receipt_at, position, size)
    return Response(text, media_type="text/plain; charset=utf-8")


async def _one(desk: Desk, event_id: str, source: str | None) -> Row:
    """Return the entry of an id; it must be the only one, or the source is named."""
    store = desk.ledger.store
    if source is not None:
        row = await in_thread(store.find, source, event_id)
        found = [row] if row else []
    else:
        found = await in_thread(store.find_id, event_id, limit=2)
    if not found:
        raise errors.NotFound("event_unknown")
    if len(found) > 1:
        raise errors.Conflict("event_id_ambiguous", id=event_id)
    return found[0]


def _page(rows: list[Row], sight: Sight, following: str | None) -> bytes:
    data = b",".join(_item(row, sight.hides(row.stream)) for row in rows)
    cursor = b"null" if following is None else b'"%s"' % following.encode()
    more = b"false" if following is None else b"true"
    return b'{"data":[%s],"next_cursor":%s,"has_more":%s}' % (data, cursor, more)


def _item(row: Row, hidden: str | None) -> bytes:
    if hidden is not None:
        return stub(row, hidden)
    return b'{"position":%d,"leaf_hash":"%s","entry":%s}' % (
        row.position,
        row.leaf.hex().encode(),
        row.entry,
    )
