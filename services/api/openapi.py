"""The OpenAPI document as it is served: problems instead of FastAPI's own 422.

Rules of this file: it rewrites what FastAPI generates, from tables; nothing per route.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.api.documents import (
    ACKNOWLEDGEMENT_SCHEMA,
    BATCH_SCHEMA,
    EVENT_SCHEMA,
    PROBLEM_SCHEMA,
    SECURITY,
    problem,
)
from services.api.examples import ANSWERS, PARAMETERS

_SCHEMAS = {
    "Problem": PROBLEM_SCHEMA,
    "CloudEvent": EVENT_SCHEMA,
    "Acknowledgement": ACKNOWLEDGEMENT_SCHEMA,
    "BatchAnswer": BATCH_SCHEMA,
}
_FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")
#: Routes that answer without a key.
_OPEN_PATHS = (
    "/asyncapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/limits",
    "/v1/problems",
)
_COMMON = {
    "400": problem("Malformed request", 400, "invalid_parameter"),
    "401": problem("No usable key", 401, "credentials_invalid"),
    "403": problem("The key may not", 403, "scope_missing"),
    "404": problem("No such thing", 404, "event_unknown"),
    "500": problem("An error of ours", 500, "internal_error"),
}


def document(app: FastAPI, *, public_log: bool) -> dict[str, Any]:
    """Return the document; generated once an app."""
    if app.openapi_schema is None:
        raw = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        is_open = _OPEN_PATHS + (("/log/",) if public_log else ())
        app.openapi_schema = _rewritten(raw, is_open)
    return app.openapi_schema


def _rewritten(raw: dict[str, Any], open_paths: tuple[str, ...]) -> dict[str, Any]:
    components = raw.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _FASTAPIS_OWN:
        schemas.pop(name, None)
    schemas.update(_SCHEMAS)
    components["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: `henji_<id>_<secret>`.",
        }
    }
    for path, operations in raw["paths"].items():
        for operation in operations.values():
            _complete(operation, is_open=path.startswith(open_paths))
    return raw


def _complete(operation: dict[str, Any], *, is_open: bool) -> None:
    responses = operation["responses"]
    _describe(operation)
    for response in responses.values():
        _drop_default(response.get("content", {}))
    if "HTTPValidationError" in str(responses.get("422", "")):
        del responses["422"]
    for status, response in _COMMON.items():
        if not (is_open and status in {"401", "403"}):
            responses.setdefault(status, response)
    if not is_open:
        operation["security"] = SECURITY


def _describe(operation: dict[str, Any]) -> None:
    """Add the words that many routes share."""
    for parameter in operation.get("parameters", ()):
        text = PARAMETERS.get(parameter["name"])
        if text is not None:
            parameter.setdefault("description", text)
    example = ANSWERS.get(operation["operationId"])
    if example is not None:
        for described in operation["responses"]["200"]["content"].values():
            described["example"] = example


def _drop_default(content: dict[str, Any]) -> None:
    """Remove the empty JSON answer that FastAPI adds beside the one that is meant."""
    for media, described in list(content.items()):
        if described == {"schema": {}} and len(content) > 1:
            del content[media]
