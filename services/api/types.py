"""The catalogue over HTTP: every event type, its schema, and a check without a trace.

Rules of this file: it serves ``events.catalogue`` and the registered external types; it
holds no type of its own.
"""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import catalogue, errors, messages
from events.cloudevents import Submission, parse_request
from events.store import Selection
from events.submissions import prepare
from services import problems
from services.api import documents
from services.api.desk import Desk, in_thread, read_body

_PREFIX = "catalogue/"
_REGISTERED = "henji.catalogue.type_registered.v1"
_PAGE = 10_000
_ACCEPTED = "application/cloudevents+json"


def router(desk: Desk) -> APIRouter:  # noqa: C901 - a list of routes, each short
    """Return the routes of the catalogue."""
    routes = APIRouter(redirect_slashes=False, tags=["catalogue"])

    @routes.get(
        "/v1/event-types",
        operation_id="listEventTypes",
        summary="Every event type: names, version, roles",
        responses={
            200: documents.answer("All types.", {"type": "object"}, {"data": []})
        },
    )
    async def list_types(request: HttpRequest) -> Response:
        desk.caller(request, "events:read")
        language = problems.language_of(request.headers.get("accept-language"))
        own = [_summary(catalogue.describe(kind.name, language)) for kind in _own()]
        external = await in_thread(_external_types, desk, language)
        return _json({"data": own + [_summary(one) for one in external]})

    @routes.get(
        "/v1/event-types/{name}",
        operation_id="getEventType",
        summary="One event type with its JSON Schema and examples",
        responses={200: documents.answer("The type.", {"type": "object"}, {})},
    )
    async def get_type(request: HttpRequest, name: str) -> Response:
        desk.caller(request, "events:read")
        language = problems.language_of(request.headers.get("accept-language"))
        return _json(await in_thread(_described, desk, name, language))

    @routes.get(
        "/v1/event-types/{name}/schema",
        operation_id="getEventTypeSchema",
        summary="The JSON Schema (2020-12) of a type's data",
        responses={
            200: documents.answer(
                "The schema.", {"type": "object"}, {}, media="application/schema+json"
            )
        },
    )
    async def get_schema(request: HttpRequest, name: str) -> Response:
        desk.caller(request, "events:read")
        described = await in_thread(_described, desk, name, "en")
        return Response(
            msgspec.json.encode(described["schema"]),
            media_type="application/schema+json",
        )

    @routes.post(
        "/v1/event-types/{name}/validate",
        operation_id="validateEvent",
        summary="Check an event against its type; nothing is appended or judged",
        status_code=200,
        responses={
            200: documents.answer("It is valid.", {"type": "object"}, {"valid": True}),
            413: documents.problem("The body is too large", 413, "body_too_large"),
            415: documents.problem("No event", 415, "unsupported_media_type"),
            422: documents.problem("It is not", 422, "schema_violation"),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/cloudevents+json": {"schema": documents.EVENT}
                },
            }
        },
    )
    async def validate(request: HttpRequest, name: str) -> Response:
        desk.caller(request, "events:read")
        body = await read_body(request, limit=desk.ledger.settings.max_body)
        submission = _one_event(request, body)
        if submission.type != name:
            raise errors.Refused("event_type_differs", type=submission.type)
        prepared = prepare(submission)
        if isinstance(prepared, errors.HenjiError):
            raise prepared
        if prepared.kind is None:
            state = await in_thread(desk.ledger.state_of, _PREFIX + name)
            if state is None:
                raise errors.NotFound("event_type_not_found", type=name)
            catalogue.validate_external(state, prepared.data)
        return _json({"valid": True, "stream": prepared.stream})

    return routes


def _one_event(request: HttpRequest, body: bytes) -> Submission:
    parsed = parse_request(request.headers.raw, body, limit=1)
    if parsed.mode not in {"binary", "structured"}:
        raise errors.Malformed("unsupported_media_type", accept=_ACCEPTED)
    (item,) = parsed.items
    if isinstance(item, errors.Malformed):
        raise item
    return item


def _own() -> tuple[Any, ...]:
    return catalogue.all_types()


def _summary(described: dict[str, Any]) -> dict[str, Any]:
    left_out = ("schema", "examples")
    return {name: value for name, value in described.items() if name not in left_out}


def _described(desk: Desk, name: str, language: messages.Language) -> dict[str, Any]:
    if catalogue.lookup(name) is not None:
        return catalogue.describe(name, language)
    state = desk.ledger.state_of(_PREFIX + name)
    if state is None:
        raise errors.NotFound("event_type_not_found", type=name)
    return _external(state, language)


def _external(state: Any, language: messages.Language) -> dict[str, Any]:
    return {
        "name": state.name,
        "version": state.version,
        "kind": "external",
        "title": state.titles[language],
        "titles": dict(state.titles),
        "description": state.description,
        "roles": sorted(state.roles),
        "retired": state.retired,
        "schema": msgspec.json.decode(state.schema_text),
        "examples": list(state.examples),
    }


def _external_types(desk: Desk, language: messages.Language) -> list[dict[str, Any]]:
    rows = desk.ledger.store.select(Selection(types=(_REGISTERED,)), limit=_PAGE)
    streams = dict.fromkeys(row.stream for row in rows)
    return [_external(desk.ledger.state_of(stream), language) for stream in streams]


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
