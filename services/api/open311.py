"""Open311 GeoReport v2 at /open311/v2: services and requests, to be read only.

Rules of this file: the door only. Without dates the newest thousand are given; with one
date, the ninety days from it or up to it, as GeoReport v2 says. Errors are problems as
everywhere else.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors
from services import problems
from services.api import documents
from services.api.desk import Desk, in_thread
from services.api.filters import us
from services.exports import open311
from services.exports.job import moment, pin

_SPAN = 90 * 24 * 3_600_000_000
_WRITERS = {
    "json": (open311.as_json, "application/json"),
    "xml": (open311.as_xml, "application/xml; charset=utf-8"),
}
_STATUSES = frozenset({"open", "closed"})
_EXAMPLE: list[dict[str, Any]] = [
    {
        "service_request_id": "W-2017-0007",
        "status": "open",
        "service_code": "earth_uncovered",
        "requested_datetime": "2017-11-24T01:10:00.000000Z",
    }
]
_LIST: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
_SERVICES: list[dict[str, Any]] = [
    {"service_code": "road_dust", "service_name": "Dust or mud on the road"}
]
_Notation = Annotated[str, Path(pattern="^(json|xml)$")]
#: There is one jurisdiction; who names it is not refused.
_TAKEN = {
    "parameters": [
        {
            "name": "jurisdiction_id",
            "in": "query",
            "description": "Taken and ignored: there is one.",
            "schema": {"type": "string"},
        }
    ]
}
_AsOf = Annotated[
    str | None, Query(description="An extension: position or instant of the past.")
]


def router(desk: Desk) -> APIRouter:
    """Return the routes of GeoReport."""
    routes = APIRouter(redirect_slashes=False, tags=["open311"])

    @routes.get(
        "/open311/v2/services.{notation}",
        operation_id="listOpen311Services",
        summary="Categories of issues as services",
        responses={200: documents.answer("They.", _LIST, _SERVICES)},
        openapi_extra=_TAKEN,
    )
    async def list_services(request: HttpRequest, notation: _Notation) -> Response:
        desk.caller(request, "events:read")
        return _answer("services", notation, open311.services(_language(request)))

    @routes.get(
        "/open311/v2/requests.{notation}",
        operation_id="listOpen311Requests",
        summary="Issues as service requests, newest first",
        responses={200: documents.answer("At most 1000.", _LIST, _EXAMPLE)},
        openapi_extra=_TAKEN,
    )
    async def list_requests(  # noqa: PLR0913, PLR0917 - one a parameter of GeoReport
        request: HttpRequest,
        notation: _Notation,
        service_request_id: Annotated[
            str | None, Query(description="Ids, comma separated; goes before the rest.")
        ] = None,
        service_code: Annotated[
            str | None, Query(description="Categories, comma separated.")
        ] = None,
        status: Annotated[
            str | None, Query(description="open, closed, or both with a comma.")
        ] = None,
        start_date: Annotated[
            str | None, Query(description="RFC 3339; requested at or after.")
        ] = None,
        end_date: Annotated[
            str | None, Query(description="RFC 3339; requested before or at.")
        ] = None,
        as_of: _AsOf = None,
    ) -> Response:
        desk.caller(request, "events:read")
        asked = _asked(service_request_id, service_code, status, start_date, end_date)
        return await _requests(desk, request, notation, asked, as_of)

    @routes.get(
        "/open311/v2/requests/{service_request_id}.{notation}",
        operation_id="getOpen311Request",
        summary="One issue as a service request, in a list of one",
        responses={200: documents.answer("It.", _LIST, _EXAMPLE)},
        openapi_extra=_TAKEN,
    )
    async def get_request(
        request: HttpRequest,
        service_request_id: str,
        notation: _Notation,
        as_of: _AsOf = None,
    ) -> Response:
        desk.caller(request, "events:read")
        asked = open311.Asked(ids=(service_request_id,))
        return await _requests(desk, request, notation, asked, as_of, must=True)

    return routes


def _asked(
    ids: str | None,
    codes: str | None,
    statuses: str | None,
    start: str | None,
    end: str | None,
) -> open311.Asked:
    wanted = _split(statuses)
    if not _STATUSES.issuperset(wanted):
        raise errors.Malformed("invalid_parameter", parameter="status")
    if ids is not None:
        return open311.Asked(ids=_split(ids))
    since = None if start is None else us("start_date", start)
    before = None if end is None else us("end_date", end) + 1
    if since is not None and before is None:
        before = since + _SPAN
    if before is not None and since is None:
        since = before - _SPAN
    return open311.Asked(
        codes=_split(codes), statuses=wanted, since=since, before=before
    )


def _split(text: str | None) -> tuple[str, ...]:
    parts = (part.strip() for part in (text or "").split(","))
    return tuple(part for part in parts if part)


async def _requests(
    desk: Desk,
    request: HttpRequest,
    notation: str,
    asked: open311.Asked,
    as_of: str | None,
    *,
    must: bool = False,
) -> Response:
    store = desk.ledger.store
    cut = await in_thread(lambda: pin(store, moment(store, as_of)))
    found = await in_thread(
        open311.requests,
        store,
        cut,
        asked,
        language=_language(request),
        base=str(request.base_url),
    )
    if must and not found:
        raise errors.NotFound("open311_request_unknown")
    answer = _answer("service_requests", notation, found)
    answer.headers["Henji-Position"] = str(cut.position)
    return answer


def _language(request: HttpRequest) -> str:
    return problems.language_of(request.headers.get("accept-language"))


def _answer(root: str, notation: str, records: list[dict[str, Any]]) -> Response:
    write, media = _WRITERS[notation]
    return Response(write(root, records), media_type=media)
