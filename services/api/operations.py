"""About the service itself: health, metrics, limits, and what each problem means.

Rules of this file: nothing here reads an event's content. Liveness looks at nothing
that could be slow; readiness says what is wrong, and how to mend it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors, messages
from events.cloudevents import ACCEPT_POST, MAX_ENTRY
from services import problems
from services.api import asyncapi, documents
from services.api.desk import Desk, in_thread
from services.api.waiting import is_live
from services.wiring import LEAST_FREE, free_positions

_JSON = "application/json"


def router(desk: Desk) -> APIRouter:  # noqa: C901 - a list of routes, each short
    """Return the operational routes."""
    routes = APIRouter(redirect_slashes=False, tags=["operations"])

    @routes.get(
        "/healthz",
        operation_id="getLiveness",
        summary="The process is alive",
        responses={200: documents.answer("Alive.", {"type": "object"}, {"live": True})},
    )
    async def get_liveness() -> Response:
        return Response(b'{"live":true}', media_type=_JSON)

    @routes.get(
        "/readyz",
        operation_id="getReadiness",
        summary="The service can take and show events",
        responses={
            200: documents.answer("Ready.", {"type": "object"}, {"ready": True}),
            503: documents.answer("Not ready.", {"type": "object"}, {"ready": False}),
        },
    )
    async def get_readiness() -> Response:
        findings, standing = await in_thread(_findings, desk)
        ready = not any(finding["blocking"] for finding in findings)
        body = {"ready": ready, "findings": findings, "projection": standing}
        return Response(
            msgspec.json.encode(body),
            status_code=200 if ready else 503,
            media_type=_JSON,
        )

    @routes.get(
        "/metrics",
        operation_id="getMetrics",
        summary="Metrics in the Prometheus text format",
        responses={
            200: documents.answer(
                "Metrics.", {"type": "string"}, "henji_log_size 42", media="text/plain"
            )
        },
    )
    async def get_metrics() -> Response:
        body = await in_thread(generate_latest, desk.metrics.registry)
        return Response(body, media_type=CONTENT_TYPE_LATEST)

    @routes.get(
        "/asyncapi.json",
        operation_id="getAsyncApi",
        summary="The topics, and every event type as a message of them (AsyncAPI 3)",
        responses={200: documents.answer("AsyncAPI.", {"type": "object"}, {})},
    )
    async def get_asyncapi(request: HttpRequest) -> Response:
        app, settings = request.app, desk.ledger.settings
        body = await in_thread(
            partial(asyncapi.document, settings, title=app.title, version=app.version)
        )
        return Response(msgspec.json.encode(body), media_type=_JSON)

    @routes.get(
        "/v1/limits",
        operation_id="getLimits",
        summary="Sizes and media types that submissions must keep to",
        responses={200: documents.answer("Limits.", {"type": "object"}, {})},
    )
    async def get_limits() -> Response:
        settings = desk.ledger.settings
        body = {
            "max_body_bytes": settings.max_body,
            "max_events": settings.max_events,
            "max_entry_bytes": MAX_ENTRY,
            "media_types": ACCEPT_POST.split(", "),
        }
        return Response(msgspec.json.encode(body), media_type=_JSON)

    @routes.get(
        "/v1/me",
        operation_id="getMe",
        summary="What the log says of the key that asks",
        responses={200: documents.answer("The key.", {"type": "object"}, {})},
    )
    async def get_me(request: HttpRequest) -> Response:
        principal = desk.caller(request, None)
        return Response(
            msgspec.json.encode(
                {
                    "key": principal.key,
                    "unit": principal.unit,
                    "post": principal.post,
                    "roles": sorted(principal.roles),
                    "scopes": sorted(principal.scopes),
                }
            ),
            media_type=_JSON,
        )

    @routes.get(
        "/v1/problems",
        operation_id="listProblems",
        summary="Every problem type, in both languages",
        responses={
            200: documents.answer("Problems.", {"type": "object"}, {"data": []})
        },
    )
    async def list_problems() -> Response:
        data = [_explained(code) for code in sorted(messages.catalogue())]
        return Response(msgspec.json.encode({"data": data}), media_type=_JSON)

    @routes.get(
        "/v1/problems/{code}",
        operation_id="getProblem",
        summary="What a problem type means and what to do",
        responses={200: documents.answer("The problem.", {"type": "object"}, {})},
    )
    async def get_problem(code: str) -> Response:
        if code not in messages.catalogue():
            raise errors.NotFound("route_not_found")
        return Response(msgspec.json.encode(_explained(code)), media_type=_JSON)

    return routes


def _explained(code: str) -> dict[str, Any]:
    entry = messages.catalogue()[code]
    return {
        "type": problems.TYPE_PREFIX + code,
        "code": code,
        "title": {"en": entry["en"], "zh": entry["zh"]},
        "fix": {"en": entry["fix_en"], "zh": entry["fix_zh"]},
    }


def _findings(desk: Desk) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Return what stands in the way, and where the read models stand.

    Anybody may ask: nothing of an event's content is told, the log file has it.
    """
    findings, standing = [], None
    if desk.stopping.is_set():
        findings.append(_finding("service_stopping", ""))
    if desk.ledger.sequencer.failure is not None:
        failure = desk.ledger.sequencer.failure
        name = getattr(failure, "code", type(failure).__name__)
        findings.append(_finding("sequencer_stopped", name))
    try:
        desk.ledger.store.head()
        findings += _partitions(desk)
        status, live = desk.service.projection(), is_live(desk)
    except Exception as error:  # noqa: BLE001 - any failure is the finding
        findings.append(_finding("store_unreachable", type(error).__name__))
    else:
        standing = {
            name: getattr(status, name)
            for name in ("position", "head", "lag_events", "lag_us")
        }
        if status.poison is not None:
            where = f"position {status.poison.position}: {status.poison.type}"
            found = _finding("projection_stopped", where, blocking=False)
            findings.append(found)
        elif not live:
            found = _finding("projection_not_ready", "", blocking=False)
            findings.append(found)
    return findings, standing


def _partitions(desk: Desk) -> list[dict[str, Any]]:
    free = free_positions(desk.ledger.store)
    if free is None or free >= LEAST_FREE:
        return []
    return [_finding("log_partitions_low", str(free), blocking=free == 0)]


def _finding(code: str, detail: str, *, blocking: bool = True) -> dict[str, Any]:
    message = messages.text(code, "en")
    return {
        "code": code,
        "detail": detail,
        "blocking": blocking,
        "title": message.title,
        "fix": message.fix,
    }
