"""Evidence over HTTP: upload by content, download for saving, and who refers to it.

Rules of this file: the routes and their documentation. What an upload does, in which
order, is in ``uploads``; how bytes go out is in ``downloads``.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import entries, errors
from projections import board, evidence
from services.api import cursors, documents, downloads, uploads
from services.api.desk import Desk, in_thread
from services.api.filters import as_of as parse_as_of
from services.api.restricted import Sight, sight_of
from services.api.waiting import reach
from services.evidence import custody
from services.evidence.opening import open_evidence

_Digest = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256, lower hex.")
]
_Said = Annotated[uploads.Said, Depends(uploads.said)]
_USES: dict[str, Any] = {
    "sha256": "e3" * 32,
    "status": "stored",
    "data": [],
    "next_cursor": None,
    "has_more": False,
    "position": 42,
}


def router(desk: Desk) -> APIRouter:
    """Return the routes of evidence; the store is the one that the settings name."""
    routes = APIRouter(redirect_slashes=False, tags=["evidence"])
    door = uploads.Door(desk, open_evidence(desk.ledger.settings))

    @routes.put(
        "/v1/evidence",
        operation_id="putEvidence",
        summary="Upload evidence; it is named by its content",
        status_code=201,
        responses=uploads.RESPONSES,
        openapi_extra=uploads.BODY,
    )
    async def put_evidence(request: HttpRequest, said: _Said) -> Response:
        return await uploads.take(door, request, said, named=None)

    @routes.put(
        "/v1/evidence/{sha256}",
        operation_id="putEvidenceByName",
        summary="Upload evidence whose digest is known",
        status_code=201,
        responses=uploads.RESPONSES,
        openapi_extra=uploads.BODY,
    )
    async def put_named(request: HttpRequest, sha256: _Digest, said: _Said) -> Response:
        return await uploads.take(door, request, said, named=sha256)

    @routes.get(
        "/v1/evidence/{sha256}",
        operation_id="getEvidence",
        summary="The bytes, for saving; with Range",
        response_class=Response,
        responses=downloads.RESPONSES,
    )
    async def get_evidence(request: HttpRequest, sha256: _Digest) -> Response:
        desk.caller(request, "events:read")
        record = await in_thread(custody.record_of, desk.ledger, sha256)
        if record.status == "erased":
            return downloads.gone(desk, request, sha256)
        if record.status != "stored":
            raise errors.NotFound("evidence_unknown", sha256=sha256)
        return await downloads.respond(desk, request, door.store, record)

    @routes.get(
        "/v1/evidence/{sha256}/uses",
        operation_id="listEvidenceUses",
        summary="Which events refer to it, oldest first",
        responses={200: documents.answer("A page.", {"type": "object"}, _USES)},
    )
    async def list_uses(
        request: HttpRequest,
        sha256: _Digest,
        limit: Annotated[
            int, Query(ge=1, le=1000, description="Most uses of a page.")
        ] = 50,
        cursor: Annotated[str | None, Query(description="Of the page before.")] = None,
        as_of: Annotated[str | None, Query(description="Position or instant")] = None,
        min_position: Annotated[
            int | None, Query(ge=0, le=2**62, description="Wait until it is in.")
        ] = None,
    ) -> Response:
        sight = sight_of(desk.caller(request, "events:read"))
        until = await in_thread(_until, desk, as_of)
        await reach(desk, max(min_position or 0, until or 0))
        question = cursors.fingerprint("evidence uses", sha256, as_of or "")
        after = cursors.read(cursor, question) if cursor else 0
        record = await in_thread(custody.record_of, desk.ledger, sha256)
        page = await in_thread(
            _page, desk, sha256, after=after, as_of=until, limit=limit + 1
        )
        shown, more = page.uses[:limit], len(page.uses) > limit
        following = cursors.write(shown[-1].position, question) if more else None
        body = {
            "sha256": sha256,
            "status": record.status or "unknown",
            "data": [_present(use, sight) for use in shown],
            "next_cursor": following,
            "has_more": more,
            "position": page.position,
        }
        return Response(
            msgspec.json.encode(body),
            media_type="application/json",
            headers=cursors.link(request, following),
        )

    return routes


def _page(desk: Desk, sha256: str, **narrow: Any) -> evidence.Page:
    with desk.views.snapshot(board.NAME) as snapshot:
        return evidence.uses(snapshot, sha256, **narrow)


def _present(use: evidence.Use, sight: Sight) -> dict[str, Any]:
    """Return one use; of what the caller may not read, only where it is."""
    hidden = sight.hides(use.stream)
    if hidden is not None:
        return {"position": use.position, "restricted": hidden}
    return {
        "position": use.position,
        "stream": use.stream,
        "streamversion": use.version,
        "type": use.type,
        "id": use.id,
        "source": use.source,
        "unit": use.unit,
        "occurred": entries.rfc3339(use.occurred),
        "recorded": entries.rfc3339(use.recorded),
        "ingested": entries.rfc3339(use.ingested),
        "is_claim": bool(use.claim),
    }


def _until(desk: Desk, as_of: str | None) -> int | None:
    """Return the position of a past moment; None: now."""
    if as_of is None:
        return None
    bound = parse_as_of(as_of)
    if "until" in bound:
        return bound["until"]
    return desk.ledger.store.position_at(bound["ingested_before"] - 1)
