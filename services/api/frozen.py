"""Frozen reports over HTTP: which issues there are, and the bytes of each.

Rules of this file: what the log promises by digest is given out byte for byte, or not
at all. Nothing is made here; a report of any cut is made in ``reports``.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import catalogue, errors
from events.domain.fields import us
from events.domain.reports import File, Frozen, report_stream
from events.entries import rfc3339
from events.store import Row
from projections.reports.formats.html import CONTENT_POLICY
from projections.reports.formats.table import FORMATS
from projections.reports.registry import named
from projections.world import Happened, StateRow, World
from services import reporting
from services.api import documents
from services.api.cuts import When, asked_cut, over
from services.api.desk import Desk, in_thread
from services.api.downloads import checked
from services.api.restricted import admit
from services.evidence import custody
from services.evidence.opening import open_evidence, open_reports
from services.evidence.store import EvidenceStore
from services.reporting import Asked

FROZEN = "henji.report.frozen.v1"
_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
_ISSUE: dict[str, Any] = {
    "name": "weekly_bulletin",
    "period": "2017-W47",
    "unit": None,
    "edition": 1,
    "title": "关于第47周督查及追责情况的通报",
    "status": "frozen",
    "replaced_by": None,
    "frozen_at": "2017-11-27T01:00:00.000000Z",
    "position": 12346,
    "cut": {
        "position": 12345,
        "root": "A" * 43 + "=",
        "ruleset": "demo-2017/1",
        "calendar": "cn/2026.1",
        "template": "weekly_bulletin@1",
        "instant": "2017-11-27T01:00:00.000000Z",
    },
    "files": [
        {
            "format": "pdf",
            "sha256": "0b" * 32,
            "size": 41000,
            "href": "/v1/frozen/weekly_bulletin.pdf?period=2017-W47&edition=1",
        }
    ],
}
_PAGE: dict[str, Any] = {"data": [_ISSUE], "has_more": False, "position": 12400}
#: What a browser may show; everything else is for saving.
_SHOWN = frozenset({"html", "json"})
_LAST_EDITION = 99
_Period = Annotated[str, Query(max_length=20, description="2017-11-24, 2017-W47.")]
_Unit = Annotated[str | None, Query(description="The issue for this unit alone.")]


@dataclass(frozen=True, slots=True)
class Issue:
    """Which issue of a report is meant; ``edition`` None: the newest."""

    name: str
    period: str
    unit: str | None
    edition: int | None


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where files of reports are: those we made, and those that were uploaded."""

    made: EvidenceStore
    uploaded: EvidenceStore


def router(desk: Desk) -> APIRouter:
    """Return the routes of frozen reports; the stores are those of the settings."""
    routes = APIRouter(redirect_slashes=False, tags=["reports"])
    settings = desk.ledger.settings
    shelf = _Shelf(open_reports(settings), open_evidence(settings))

    # Before the list: no report has a dot in its name.
    @routes.get(
        "/v1/frozen/{name}.{format}",
        operation_id="getFrozenReport",
        summary="A file of a frozen issue, byte for byte",
        response_class=Response,
        responses={
            200: documents.answer("The file.", _BINARY, "…", media="application/pdf"),
            304: {"description": "What you have is it.", "content": {}},
            404: documents.problem("It was not frozen", 404, "report_not_frozen"),
        },
    )
    async def get_frozen(
        request: HttpRequest,
        name: str,
        format: str,  # noqa: A002 - as in the path
        period: _Period,
        unit: _Unit = None,
        edition: Annotated[
            int | None,
            Query(ge=1, le=_LAST_EDITION, description="Default: the newest."),
        ] = None,
    ) -> Response:
        admit(desk, request, name)
        named(name)
        issue = Issue(name, period, unit, edition)
        row = await in_thread(_frozen, desk, issue)
        frozen: Frozen = catalogue.read(row.entry).data
        file = _file(frozen, format)
        headers = _headers(frozen, file)
        if request.headers.get("if-none-match") in {headers["ETag"], "*"}:
            return Response(status_code=304, headers=headers)
        store = await in_thread(_holder, desk, shelf, file)
        how = "inline" if store is shelf.made and format in _SHOWN else "attachment"
        called = reporting.file_name(Asked(name, period, unit), format)
        headers["Content-Disposition"] = f'{how}; filename="{called}"'
        content = await in_thread(_content, store, file.sha256)
        return Response(content, headers=headers)

    @routes.get(
        "/v1/frozen/{name}",
        operation_id="listFrozenReports",
        summary="The frozen issues of a report, newest first, with their files",
        responses={
            200: documents.answer("A page.", {"type": "object"}, _PAGE),
            404: documents.problem("No such report", 404, "report_unknown"),
        },
    )
    async def list_frozen(
        request: HttpRequest,
        name: str,
        as_of: Annotated[str | None, Query(description="Position or instant")] = None,
        before: Annotated[
            int, Query(ge=1, le=2**62, description="Only what was frozen before it.")
        ] = 2**62,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> Response:
        admit(desk, request, name)
        named(name)
        cut = await asked_cut(desk, When(as_of))
        found = await in_thread(over, desk, cut, _issues(desk, name))
        rest = [row for row in found if row["position"] < before]
        body = {
            "data": rest[:limit],
            "has_more": len(rest) > limit,
            "position": cut.position,
        }
        return Response(msgspec.json.encode(body), media_type="application/json")

    return routes


def _issues(desk: Desk, name: str) -> Callable[[World], list[dict[str, Any]]]:
    """Return what lists the issues of a report in a cut, newest first."""

    def found(world: World) -> list[dict[str, Any]]:
        rows = {row.stream: row for row in world.states("report")}
        events = world.events(types=(FROZEN,))
        return [
            _described(desk, event, rows[event.stream])
            for event in reversed(events)
            if event.data.name == name
        ]

    return found


def _described(desk: Desk, event: Happened, row: StateRow) -> dict[str, Any]:
    data: Frozen = event.data
    cut = msgspec.to_builtins(data.cut) | {"instant": rfc3339(us(data.cut.instant))}
    return {
        "name": data.name,
        "period": data.period,
        "unit": data.unit,
        "edition": data.edition,
        "title": data.title,
        "status": row.state.status,
        "replaced_by": row.state.replaced_by,
        "frozen_at": rfc3339(event.occurred),
        "position": event.position,
        "cut": cut,
        "files": [
            {
                "format": file.format,
                "sha256": file.sha256,
                "size": file.size,
                "href": desk.address(_href(data, file)),
            }
            for file in data.files
        ],
    }


def _href(data: Frozen, file: File) -> str:
    asked = {"period": data.period, "unit": data.unit, "edition": data.edition}
    query = urlencode({key: value for key, value in asked.items() if value is not None})
    return f"/v1/frozen/{data.name}.{file.format}?{query}"


def _frozen(desk: Desk, issue: Issue) -> Row:
    """Return the event that froze an issue; ``NotFound('report_not_frozen')``."""
    found = None
    editions = [issue.edition] if issue.edition else range(1, _LAST_EDITION + 1)
    for edition in editions:
        stream = report_stream(
            issue.name, issue.period, unit=issue.unit, edition=edition
        )
        rows = desk.ledger.store.stream(stream, limit=1)
        if not rows:
            break
        found = rows[0]
    if found is None:
        raise errors.NotFound(
            "report_not_frozen", report=issue.name, period=issue.period
        )
    return found


def _file(frozen: Frozen, format_: str) -> File:
    """Return a file of an issue; ``NotFound('report_format_unavailable')``."""
    for file in frozen.files:
        if file.format == format_:
            return file
    raise errors.NotFound(
        "report_format_unavailable",
        report=frozen.name,
        format=format_,
        formats=", ".join(file.format for file in frozen.files),
    )


def _holder(desk: Desk, shelf: _Shelf, file: File) -> EvidenceStore:
    """Return the store that has a file: whoever froze it may have uploaded it.

    ``NotFound('report_file_not_kept')``: neither; the log has its digest alone.
    """
    if shelf.made.size(file.sha256) is not None:
        return shelf.made
    if custody.record_of(desk.ledger, file.sha256).status == "stored":
        return shelf.uploaded
    raise errors.NotFound(
        "report_file_not_kept", format=file.format, sha256=file.sha256
    )


def _content(store: EvidenceStore, sha256: str) -> bytes:
    """Return all of a file; ``Corrupt('evidence_damaged')`` if it is another."""
    size = store.size(sha256) or 0
    return b"".join(checked(store.read(sha256, start=0, end=size), sha256))


def _headers(frozen: Frozen, file: File) -> dict[str, str]:
    digest = b64encode(bytes.fromhex(file.sha256)).decode()
    return {
        "Content-Type": FORMATS[file.format].media_type,
        "Content-Security-Policy": CONTENT_POLICY,
        # A later edition takes the same place; the tag names the bytes.
        "Cache-Control": "private, no-cache",
        "ETag": f'"{file.sha256}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Henji-Position": str(frozen.cut.position),
        "Henji-Root": b64decode(frozen.cut.root).hex(),
    }
