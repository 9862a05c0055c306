"""Who is answerable, and where the read models stand: units, posts, grid; projections.

Rules of this file: parse → query → present, as of now.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from projections import board, queries
from services.api import documents
from services.api.desk import Desk, in_thread
from services.api.presenting import unit as present_unit


def router(desk: Desk) -> APIRouter:
    """Return the routes of units and projections."""
    routes = APIRouter(redirect_slashes=False, tags=["board"])

    @routes.get(
        "/v1/units",
        operation_id="listUnits",
        summary="Units, posts or grid cells, with what each is answerable for",
        responses={200: documents.answer("They.", {"type": "object"}, {"data": []})},
    )
    async def list_units(
        request: HttpRequest,
        kind: Annotated[str, Query(pattern="^(unit|post|grid)$")] = "unit",
    ) -> Response:
        desk.caller(request, "events:read")
        return _json(await in_thread(_units, desk, kind))

    @routes.get(
        "/v1/projections",
        operation_id="listProjections",
        summary="Where the read models stand: position, lag, poison",
        responses={200: documents.answer("They.", {"type": "object"}, {"data": []})},
    )
    async def list_projections(request: HttpRequest) -> Response:
        desk.caller(request, "events:read")
        return _json({"data": [await in_thread(desk.service.projection)]})

    return routes


def _units(desk: Desk, kind: str) -> dict[str, Any]:
    with desk.views.snapshot(board.NAME) as snapshot:
        rows = queries.organisation(snapshot, kind)
        counts = queries.counts(snapshot)
        position = snapshot.generation.position
    return {"data": [present_unit(row, counts) for row in rows], "position": position}


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
