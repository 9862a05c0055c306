"""GET /v1/exports/{format}: the log, or a selection of it, in a format of others.

Rules of this file: the door only. An export is of one cut, which its headers name with
the root; the same cut gives the same bytes to whoever may read the same kinds of
stream: others are left out, and a header names them. What fails before the first byte
is told as a problem; after it the connection breaks off, so that no half passes for the
whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.datastructures import QueryParams
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse

from events import errors
from events.store import Selection
from services.api import documents
from services.api.desk import Desk, in_thread
from services.api.filters import FILTERS, selection_of
from services.api.restricted import WITHHELD, Sight, admit_named, sight_of
from services.exports import formats
from services.exports.job import Cut, Hear, Job, Pieces, bounded, moment, pin

#: Parameters of this route that are no filters.
_OWN = frozenset({"as_of", "raw"})
_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: documents.answer(
        "The export. Henji-Position and Henji-Root name its cut, Henji-Withheld the "
        "kinds of stream that this key may not read, which are left out.",
        _BINARY,
        "position,stream,version,…",
        media="text/csv",
    ),
    403: documents.problem("Not for this key's roles", 403, "restricted_kind"),
    501: documents.problem("An extra is missing", 501, "export_extra_missing"),
}
_FILTERS = [one for one in FILTERS if one["name"] != "as_of"]


def router(desk: Desk) -> APIRouter:
    """Return the route of exports."""
    routes = APIRouter(redirect_slashes=False, tags=["exports"])

    @routes.get(
        "/v1/exports/{format}",
        operation_id="exportLog",
        summary="The log of one cut as NDJSON, CSV, Parquet, XES, OCEL 2.0 or OSCAL",
        response_class=StreamingResponse,
        responses=_RESPONSES,
        openapi_extra={"parameters": _FILTERS},
    )
    async def export_log(
        request: HttpRequest,
        name: Annotated[
            str, Path(alias="format", description=", ".join(formats.FORMATS))
        ],
        as_of: Annotated[
            str | None, Query(description="The cut: a position pins it, or an instant.")
        ] = None,
        raw: Annotated[  # noqa: FBT002 - FastAPI gives it by name
            bool, Query(description="CSV for programs: no BOM, nothing escaped.")
        ] = False,
    ) -> Response:
        principal = desk.caller(request, "events:read")
        format_ = formats.find(name)
        chosen = selection_of(_filters(request.query_params))
        formats.fit(format_, chosen)
        admit_named(desk, request, chosen)
        sight = sight_of(principal)
        meant = sight.readable(chosen)
        job = replace(await in_thread(_job, desk, meant, as_of), raw=raw)
        content = format_.write(job)
        try:
            # Before the answer begins: what fails now is still told properly.
            first = await in_thread(next, content, b"")
        except errors.Unavailable as refusal:
            if refusal.code != "export_extra_missing":
                raise
            answer = desk.problem(request, refusal, status=501)
            answer.status_code = 501
            return answer
        _record(desk, principal.key, name, job)
        return StreamingResponse(
            _sent(desk, first, content),
            media_type=format_.media,
            headers=_headers(job.cut, format_) | _withheld(sight),
        )

    return routes


def _filters(query: QueryParams) -> QueryParams:
    return QueryParams([pair for pair in query.multi_items() if pair[0] not in _OWN])


def _job(desk: Desk, chosen: Selection, as_of: str | None) -> Job:
    store = desk.ledger.store
    cut = pin(store, moment(store, as_of))
    return Job(
        reader=store,
        origin=desk.ledger.settings.origin,
        cut=cut,
        selection=bounded(store, chosen, cut),
        hear=_unless_stopping(desk),
    )


def _unless_stopping(desk: Desk) -> Hear:
    """Return what is told of progress and ends an export when the service stops.

    Some formats work long before their first byte.
    """

    def hear(_step: str, _done: int, _total: int) -> None:
        if desk.stopping.is_set():
            raise errors.Unavailable("export_broken_off")

    return hear


def _record(desk: Desk, key: str, name: str, job: Job) -> None:
    """Write who took what out of the log to the security log."""
    facts = {"key": key, "format": name, "position": job.cut.position}
    desk.service.security.record("log_exported", facts)


def _headers(cut: Cut, format_: formats.Format) -> dict[str, str]:
    name = f"henji-{cut.position}{format_.suffix}"
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Henji-Position": str(cut.position),
        "Henji-Root": cut.root.hex(),
        "Link": f'</log/checkpoint?size={cut.position}>; rel="describedby"',
        "X-Accel-Buffering": "no",
    }


def _withheld(sight: Sight) -> dict[str, str]:
    return {WITHHELD: ", ".join(sight.withheld)} if sight.withheld else {}


async def _sent(desk: Desk, first: bytes, content: Pieces) -> AsyncIterator[bytes]:
    """Yield the pieces; a service that stops breaks off."""
    piece = first
    try:
        while piece:
            yield piece
            if desk.stopping.is_set():
                raise errors.Unavailable("export_broken_off")
            piece = await in_thread(next, content, b"")
    finally:
        # Temporary files go with it, also where the client has left.
        content.close()
