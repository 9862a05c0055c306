"""States of streams over HTTP: of any kind, now or at a moment of both clocks.

Rules of this file: parse → query → present. What a state holds is the domain's own; a
kind that names accountable persons is for those who may act on it or audit it.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors
from projections import board, moments, queries, state_codec, state_queries
from projections.state_queries import Narrow, Shown
from services.api import cursors, documents
from services.api.desk import Desk, in_thread
from services.api.histories import Lines, told
from services.api.moments import Moment, asked
from services.api.restricted import admit
from services.api.waiting import reach
from services.problems import language_of

_EXAMPLE: dict[str, Any] = {
    "stream": "issue/W-2017-0007",
    "kind": "issue",
    "key": "W-2017-0007",
    "status": "reported",
    "unit": "gouzhao",
    "position": 42,
    "state": {"status": "reported", "category": "uncovered_soil"},
}
_ONE: dict[str, Any] = {
    "type": "object",
    "required": ["stream", "kind", "key", "status", "position", "state"],
    "properties": {
        "position": {"type": "integer", "description": "Of its last event."},
        "state": {"type": "object", "description": "Instants are µs since 1970."},
    },
}
_PAGE: dict[str, Any] = {
    "type": "object",
    "required": ["data", "has_more", "position"],
    "properties": {
        "data": {"type": "array", "items": _ONE},
        "next_cursor": {"type": ["string", "null"]},
        "has_more": {"type": "boolean"},
        "position": {"type": "integer", "description": "What the answer is of."},
    },
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    403: documents.problem("Not for this key's roles", 403, "restricted_kind"),
    404: documents.problem("No such kind or stream", 404, "state_not_found"),
    503: documents.problem("Read models are behind", 503, "projection_behind"),
}
_Many = Annotated[list[str], Query()]
_Optional = Annotated[str | None, Query()]


def router(desk: Desk) -> APIRouter:
    """Return the routes of states."""
    routes = APIRouter(redirect_slashes=False, tags=["states"])

    @routes.get(
        "/v1/states/{kind}",
        operation_id="listStates",
        summary="The streams of one kind with their states, now or at a moment",
        responses=_RESPONSES
        | {
            200: documents.answer(
                "A page, by key.",
                _PAGE,
                {"data": [_EXAMPLE], "has_more": False, "position": 42},
            )
        },
    )
    async def list_states(  # noqa: PLR0913, PLR0917 - one a filter
        request: HttpRequest,
        kind: str,
        status: _Many = [],  # noqa: B006 - FastAPI copies it
        unit: _Many = [],  # noqa: B006
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        cursor: _Optional = None,
        as_of: _Optional = None,
        as_at: _Optional = None,
        min_position: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    ) -> Response:
        _permit(desk, request, kind)
        await reach(desk, min_position)
        moment = await asked(desk, as_of, None, as_at)
        narrow = Narrow(tuple(status), tuple(unit))
        question = cursors.fingerprint(
            "states", kind, repr(narrow), as_of or "", as_at or ""
        )
        after = (0, cursors.read_text(cursor, question)) if cursor else None
        page, position = await in_thread(
            _page, desk, kind, narrow, moment, limit, after
        )
        following = cursors.write(page.next[1], question) if page.next else None
        return _json(
            {
                "data": [present(row) for row in page.rows],
                "next_cursor": following,
                "has_more": following is not None,
                "position": position,
            },
            cursors.link(request, following),
        )

    # History first: routes are tried in order, and a key may hold slashes.
    @routes.get(
        "/v1/states/{kind}/{key:path}/history",
        operation_id="getStateHistory",
        summary="Every event of one stream, late ones marked and counted",
        responses=_RESPONSES
        | {
            200: documents.answer(
                "Its history.", {"type": "object"}, {"data": [], "late_records": 0}
            )
        },
    )
    async def get_history(  # noqa: PLR0913, PLR0917 - one a filter
        request: HttpRequest,
        kind: str,
        key: str,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        as_of: _Optional = None,
        as_at: _Optional = None,
    ) -> Response:
        _permit(desk, request, kind)
        moment = await asked(desk, as_of, None, as_at)
        wanted = Lines(stream=f"{kind}/{key}", moment=moment, after=after, limit=limit)
        language = language_of(request.headers.get("accept-language"))
        return _json(await in_thread(_history, desk, wanted, language))

    @routes.get(
        "/v1/states/{kind}/{key:path}",
        operation_id="getState",
        summary="One stream with its state and the positions of its events",
        responses=_RESPONSES | {200: documents.answer("It.", _ONE, _EXAMPLE)},
    )
    async def get_state(
        request: HttpRequest,
        kind: str,
        key: str,
        as_of: _Optional = None,
        as_at: _Optional = None,
        min_position: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    ) -> Response:
        _permit(desk, request, kind)
        await reach(desk, min_position)
        moment = await asked(desk, as_of, None, as_at)
        shown = await in_thread(_one, desk, f"{kind}/{key}", moment)
        return _json(shown, {"Henji-Position": str(shown["position"])})

    return routes


def present(row: Shown) -> dict[str, Any]:
    """Return one stream with its state as JSON."""
    return {
        "stream": row.stream,
        "kind": moments.kind_of(row.stream),
        "key": row.key,
        "status": row.state.status,
        "unit": row.unit,
        "position": row.position,
        "state": state_codec.shown(row.state),
    }


def _permit(desk: Desk, request: HttpRequest, kind: str) -> None:
    """Return if the caller may read states of a kind.

    ``NotFound('stream_kind_unknown')``; ``Denied('restricted_kind')``, noted in the
    security log.
    """
    admit(desk, request, kind)
    if kind not in state_codec.STATES:
        raise errors.NotFound("stream_kind_unknown", kind=kind)


def _page(
    desk: Desk,
    kind: str,
    narrow: Narrow,
    moment: Moment,
    limit: int,
    after: queries.Place | None,
) -> tuple[state_queries.Page, int]:
    with desk.views.snapshot(board.NAME) as snapshot:
        then = moment.within(snapshot.generation.position)
        page = state_queries.page(
            snapshot,
            desk.ledger.store,
            kind,
            narrow,
            moment=then if moment.is_past else None,
            limit=limit,
            after=after,
        )
    return page, then.position


def _one(desk: Desk, stream: str, moment: Moment) -> dict[str, Any]:
    with desk.views.snapshot(board.NAME) as snapshot:
        then = moment.within(snapshot.generation.position)
        row = state_queries.one(snapshot, desk.ledger.store, stream, then)
        if row is None:
            raise errors.NotFound("state_not_found", stream=stream)
        kind = moments.kind_of(stream)
        events = moments.positions(snapshot, kind, then, only=stream)[stream]
    return present(row) | {"events": list(events)}


def _history(desk: Desk, wanted: Lines, language: Any) -> dict[str, Any]:
    with desk.views.snapshot(board.NAME) as snapshot:
        shown = told(desk, snapshot, wanted, language)
    if not shown["data"] and not wanted.after:
        raise errors.NotFound("state_not_found", stream=wanted.stream)
    return shown


def _json(body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(body), media_type="application/json", headers=headers
    )
