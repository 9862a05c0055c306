"""The log as third parties read it: C2SP checkpoint, tiles and entry bundles.

Rules of this file: paths and caching of ``tlog-tiles``; every miss is a 404. The bytes
come from the prover, which never serves beyond a committed root.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors
from services.api import documents
from services.api.desk import Desk, in_thread
from services.api.strict import has_control_characters

_OPEN = {"Access-Control-Allow-Origin": "*"}
_IMMUTABLE = {"Cache-Control": "public, max-age=604800, immutable", **_OPEN}
_FRESH = {"Cache-Control": "no-store", **_OPEN}
_TEXT = "text/plain; charset=utf-8"


def router(desk: Desk) -> APIRouter:  # noqa: C901 - a list of routes, each short
    """Return the routes of the log itself."""
    routes = APIRouter(redirect_slashes=False, tags=["log"])

    def admit(request: HttpRequest) -> None:
        if not desk.ledger.settings.public_log:
            desk.caller(request, "verify")
        if has_control_characters(request):
            raise errors.NotFound("tile_not_found")

    @routes.get(
        "/log/checkpoint",
        operation_id="getCheckpoint",
        summary="The newest signed checkpoint",
        responses={
            200: documents.answer(
                "A signed note.",
                {"type": "string"},
                "localhost/log\n42\n…\n\n— localhost/log …\n",
                media="text/plain",
            )
        },
    )
    async def get_checkpoint(
        request: HttpRequest, size: Annotated[int | None, Query(ge=0, le=2**62)] = None
    ) -> Response:
        admit(request)
        prover = desk.ledger.prover
        note = await (
            in_thread(prover.checkpoint)
            if size is None
            else in_thread(prover.checkpoint_at, size)
        )
        return Response(note, media_type=_TEXT, headers=_FRESH)

    @routes.get(
        "/log/keys",
        operation_id="getLogKeys",
        summary="The public keys that sign checkpoints now",
        responses={
            200: documents.answer(
                "One vkey a line.",
                {"type": "string"},
                "localhost/log+…",
                media="text/plain",
            )
        },
    )
    async def get_keys(request: HttpRequest) -> Response:
        admit(request)
        known = await in_thread(desk.ledger.prover.periods)
        lines = "".join(f"{vkey}\n" for vkey in known[-1].vkeys)
        return Response(lines, media_type=_TEXT, headers=_FRESH)

    @routes.get(
        "/log/keys/history",
        operation_id="listLogKeys",
        summary="All keys that ever signed, and for which sizes each counts",
        responses={
            200: documents.answer(
                "`first`: the position of the entry that names the keys; `last`: of "
                "the one that names their successors, up to which they count.",
                {"type": "object"},
                {"data": [{"vkeys": ["localhost/log+…"], "first": 1, "last": None}]},
            )
        },
    )
    async def get_key_history(request: HttpRequest) -> Response:
        admit(request)
        known = await in_thread(desk.ledger.prover.periods)
        body = msgspec.json.encode({"data": known})
        return Response(body, media_type="application/json", headers=_FRESH)

    @routes.get(
        "/log/consistency",
        operation_id="getConsistencyProof",
        summary="Proof that a later tree extends an earlier one (RFC 6962 2.1.2)",
        responses={
            200: documents.answer(
                "Base64 hashes.", {"type": "object"}, {"from": 7, "to": 42, "proof": []}
            )
        },
    )
    async def get_consistency(
        request: HttpRequest,
        first: Annotated[int, Query(alias="from", ge=0, le=2**62)],
        second: Annotated[int, Query(alias="to", ge=0, le=2**62)],
    ) -> Response:
        admit(request)
        proof = await in_thread(desk.ledger.prover.consistency, first, second)
        body = {"from": first, "to": second, "proof": proof}
        return Response(
            msgspec.json.encode(body), media_type="application/json", headers=_OPEN
        )

    @routes.get(
        "/log/tile/{path:path}",
        operation_id="getTile",
        summary="A hash tile or an entry bundle",
        responses={
            200: documents.answer(
                "Bytes of the tile.",
                {"type": "string", "format": "binary"},
                "",
                media="application/octet-stream",
            )
        },
    )
    async def get_tile(request: HttpRequest, path: str) -> Response:
        admit(request)
        body = await in_thread(desk.ledger.prover.tile, f"tile/{path}")
        return Response(body, media_type="application/octet-stream", headers=_IMMUTABLE)

    @routes.get("/log/{path:path}", include_in_schema=False)
    async def get_nothing(request: HttpRequest, path: str) -> Response:
        admit(request)
        raise errors.NotFound("tile_not_found", path)

    return routes
