"""Reports over HTTP: which there are, each in its formats, and what a value rests on.

Rules of this file: parse → cut → make → write. Every answer names its cut and has a tag
made of it: the same cut is the same bytes, so that a client that has them needs no
more. Links of a page lead to ``explain`` of that very cut.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors
from events.entries import rfc3339
from events.store import Row
from projections.reports.formats import csv
from projections.reports.formats.html import CONTENT_POLICY
from projections.reports.formats.rendering import Format, View
from projections.reports.registry import REPORTS, named
from projections.world import Cut
from services import reporting
from services.api import documents
from services.api.cuts import When, asked_cut, over
from services.api.desk import Desk, in_thread
from services.api.restricted import Sight, admit, sight_of, stub
from services.problems import language_of
from services.reporting import Asked

_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
_SOME = {"type": "object"}
_ROW: dict[str, Any] = {
    "name": "overview",
    "title": {"en": "Overview of commitments", "zh": "督办事项总览"},
    "period": "moment",
    "template": 1,
    "formats": ["html", "json", "csv"],
    "href": "/v1/reports/overview.{format}",
}
_EXPLAINED: dict[str, Any] = {
    "report": "overview",
    "cell": "by_unit/1/total",
    "count": 1,
    "data": [
        {
            "position": 42,
            "id": "oa-2017-1114-001",
            "source": "urn:example:oa",
            "type": "henji.commitment.registered.v1",
            "stream": "commitment/GX-2017-0012",
            "streamversion": 1,
            "occurred_at": "2017-11-14T07:00:00.000000Z",
            "ingested_at": "2026-11-23T08:00:00.123456Z",
        }
    ],
    "has_more": False,
    "position": 12345,
    "at": "2017-11-24T10:00:00.000000Z",
}
_NOT_ACCEPTABLE = 406
_Text = Annotated[str | None, Query()]
_Period = Annotated[
    str | None, Query(description="2017-11-24, 2017-W47; default: that of the cut.")
]
_Unit = Annotated[str | None, Query(description="Only what concerns this unit.")]
_Subject = Annotated[str | None, Query(description="Enterprise or site, by its key.")]
_Since = Annotated[
    int | None,
    Query(ge=0, le=2**62, description="Corrections since this position."),
]
_AsAt = Annotated[
    str | None, Query(description="RFC 3339; only what had happened by then.")
]
_Lang = Annotated[
    Literal["en", "zh"] | None, Query(description="Default: by Accept-Language.")
]


def router(desk: Desk) -> APIRouter:
    """Return the routes of reports."""
    routes = APIRouter(redirect_slashes=False, tags=["reports"])

    @routes.get(
        "/v1/reports",
        operation_id="listReports",
        summary="Every report: its titles, period and formats",
        responses={200: documents.answer("They.", _SOME, {"data": [_ROW]})},
    )
    async def list_reports(request: HttpRequest) -> Response:
        desk.caller(request, "events:read")
        return _json({"data": [_described(desk, name) for name in sorted(REPORTS)]})

    # Before the formats: no report is called explain.
    @routes.get(
        "/v1/reports/{name}/explain",
        operation_id="explainReport",
        summary="The events that one value of a report rests on",
        responses={
            200: documents.answer("They.", _SOME, _EXPLAINED),
            404: documents.problem("No such value", 404, "report_cell_unknown"),
        },
    )
    async def explain_report(  # noqa: PLR0913, PLR0917 - one a parameter
        request: HttpRequest,
        name: str,
        cell: Annotated[str, Query(max_length=500, description="table/row/column")],
        period: _Period = None,
        unit: _Unit = None,
        subject: _Subject = None,
        since: _Since = None,
        as_of: _Text = None,
        as_at: _AsAt = None,
        at: _Text = None,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> Response:
        admit(desk, request, name)
        named(name)
        asked = Asked(name, period, unit, subject, since)
        cut = await asked_cut(desk, When(as_of, as_at, at))
        found = await in_thread(
            over, desk, cut, lambda world: reporting.positions(world, asked, cell)
        )
        rest = [position for position in found if position > after]
        sight = sight_of(desk.caller(request, "events:read"))
        data = await in_thread(_events, desk, rest[:limit], sight)
        body = {
            "report": name,
            "cell": cell,
            "count": len(found),
            "data": data,
            "has_more": len(rest) > limit,
            "position": cut.position,
            "at": rfc3339(cut.now),
        }
        return _json(body)

    @routes.get(
        "/v1/reports/{name}.{format}",
        operation_id="getReport",
        summary="A report of a cut, in one of its formats",
        responses={
            200: documents.answer("The report.", _BINARY, "…", media="text/html"),
            304: {"description": "What you have is it.", "content": {}},
            404: documents.problem("No such report", 404, "report_unknown"),
            406: documents.problem(
                "It has no such format", 406, "report_format_unavailable"
            ),
        },
    )
    async def get_report(  # noqa: PLR0913, PLR0917 - one a parameter
        request: HttpRequest,
        name: str,
        format: str,  # noqa: A002 - as in the path
        period: _Period = None,
        unit: _Unit = None,
        subject: _Subject = None,
        since: _Since = None,
        as_of: _Text = None,
        as_at: _AsAt = None,
        at: _Text = None,
        lang: _Lang = None,
        table: Annotated[str, Query(description="CSV: this table alone.")] = "",
    ) -> Response:
        admit(desk, request, name)
        definition = named(name)
        try:
            format_ = reporting.format_of(definition, format)
        except errors.NotFound as refusal:
            return _not_acceptable(desk, request, refusal)
        asked = Asked(name, period, unit, subject, since)
        cut = await asked_cut(desk, When(as_of, as_at, at))
        accepted = language_of(request.headers.get("accept-language"))
        view = View(lang or accepted, reporting.link(asked, cut), table)
        headers = _headers(desk, asked, cut, format_, view)
        if request.headers.get("if-none-match") in {headers["ETag"], "*"}:
            return Response(status_code=304, headers=headers)
        body = await in_thread(
            over,
            desk,
            cut,
            lambda world: reporting.written(
                reporting.made(world, asked), format_, view
            ),
        )
        return Response(body, headers=headers)

    return routes


def _events(desk: Desk, positions: list[int], sight: Sight) -> list[object]:
    rows = (desk.ledger.store.row(position) for position in positions)
    return [_event(row, sight.hides(row.stream)) for row in rows if row is not None]


def _event(row: Row, hidden: str | None) -> object:
    if hidden is not None:
        return msgspec.Raw(stub(row, hidden))
    return {
        "position": row.position,
        "id": row.id,
        "source": row.source,
        "type": row.type,
        "stream": row.stream,
        "streamversion": row.version,
        "occurred_at": rfc3339(row.occurred),
        "ingested_at": rfc3339(row.ingested),
    }


def _headers(
    desk: Desk, asked: Asked, cut: Cut, format_: Format, view: View
) -> dict[str, str]:
    version = desk.service.version
    tag = reporting.tag(cut, asked, format_.name, view.language, view.table, version)
    single = format_.name == "csv" and view.table
    name = reporting.file_name(asked, format_.name)
    if single:
        name = name.removesuffix(".zip")
    how = "inline" if format_.name in {"html", "json"} else "attachment"
    headers = {
        "Content-Type": csv.ONE_TABLE if single else format_.media_type,
        "Content-Disposition": f'{how}; filename="{name}"',
        "Content-Language": view.language,
        "Vary": "Accept-Language, Authorization",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{tag}"',
        "Henji-Position": str(cut.position),
        "Henji-Root": cut.root.hex(),
    }
    return headers | {"Content-Security-Policy": CONTENT_POLICY}


def _described(desk: Desk, name: str) -> dict[str, Any]:
    definition = REPORTS[name]
    return {
        "name": name,
        "title": dict(definition.title),
        "period": definition.period,
        "template": definition.template,
        "formats": list(definition.formats),
        "href": desk.address(f"/v1/reports/{name}.{{format}}"),
    }


def _not_acceptable(
    desk: Desk, request: HttpRequest, refusal: errors.HenjiError
) -> Response:
    answer = desk.problem(request, refusal, status=_NOT_ACCEPTABLE)
    answer.status_code = _NOT_ACCEPTABLE
    return answer


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
