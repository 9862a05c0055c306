"""Errors as RFC 9457 problem documents: one table from code to HTTP status.

Rules of this file: presentation only. Texts come from the message catalogue, in the
language the client asks for; nothing of an unexpected error reaches the client but an
id under which the operator finds it in the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from events import errors, messages

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/v1/problems/"
#: Where a scope keeps the path that the client asked for, if it is not the one routed.
ADDRESS = "henji.address"
RETRY_AFTER_SECONDS = 1
_CHALLENGE = 'Bearer realm="henji"'
_RANGE = re.compile(
    r"\s*(zh|en|\*)(?:-[a-z0-9-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*"
)

#: The status of a class of errors, where its code has no row of its own.
_BY_CLASS: tuple[tuple[type[errors.HenjiError], int], ...] = (
    (errors.Malformed, 400),
    (errors.Refused, 422),
    (errors.Denied, 403),
    (errors.Conflict, 409),
    (errors.NotFound, 404),
    (errors.Unavailable, 503),
    (errors.Corrupt, 500),
)
_BY_CODE: Mapping[str, int] = {
    "credentials_missing": 401,
    "credentials_invalid": 401,
    "key_unusable": 401,
    "unsupported_media_type": 415,
    "unsupported_content_encoding": 415,
    "not_acceptable": 406,
    "body_too_large": 413,
    "too_many_events": 413,
    "entry_too_large": 413,
    "method_not_allowed": 405,
    "version_mismatch": 412,
    "overloaded": 429,
    "quota_exceeded": 429,
    "internal_error": 500,
}


def status_of(error: errors.HenjiError) -> int:
    """Return the HTTP status of an error."""
    found = _BY_CODE.get(error.code)
    if found is not None:
        return found
    return next(status for kind, status in _BY_CLASS if isinstance(error, kind))


def document(error: errors.HenjiError, language: messages.Language) -> dict[str, Any]:
    """Return the problem document of an error (RFC 9457 section 3.1)."""
    message = messages.text(error.code, language, error.parameters)
    problem: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": message.title,
        "status": status_of(error),
        "code": error.code,
        "fix": message.fix,
    }
    if error.detail:
        problem["detail"] = error.detail
    if error.parameters:
        problem["parameters"] = {
            name: value if isinstance(value, int | str | list) else str(value)
            for name, value in error.parameters.items()
        }
    if error.faults:
        problem["errors"] = [
            _fault(fault, language, error.parameters) for fault in error.faults
        ]
    return problem


def _fault(
    fault: errors.Fault, language: messages.Language, parameters: Mapping[str, Any]
) -> dict[str, str]:
    worded = messages.text(fault.code, language, parameters).title
    detail = fault.detail or worded
    return {"pointer": "#" + fault.pointer, "code": fault.code, "detail": detail}


def headers_of(error: errors.HenjiError) -> dict[str, str]:
    """Return the headers that an error's status calls for."""
    status = status_of(error)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _challenge(error)
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        seconds = error.parameters.get("seconds", RETRY_AFTER_SECONDS)
        return {"Retry-After": str(seconds)}
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE and "accept" in error.parameters:
        return {_ACCEPTS[error.code]: str(error.parameters["accept"])}
    return {}


#: Which header of a 415 says what would be taken (RFC 9110 section 15.5.16).
_ACCEPTS: Mapping[str, str] = {
    "unsupported_media_type": "Accept-Post",
    "unsupported_content_encoding": "Accept-Encoding",
}


def _challenge(error: errors.HenjiError) -> dict[str, str]:
    """Return the challenge of RFC 6750 section 3: bare where nothing was sent."""
    if error.code == "credentials_missing":
        return {"WWW-Authenticate": _CHALLENGE}
    if error.code == "scope_missing":
        scope = f'error="insufficient_scope", scope="{error.parameters["scope"]}"'
        return {"WWW-Authenticate": f"{_CHALLENGE}, {scope}"}
    if status_of(error) == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'}
    return {}


def respond(
    request: Request,
    error: errors.HenjiError,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return the answer to a request that failed; ``more`` are extension members."""
    language = language_of(request.headers.get("accept-language"))
    instance = request.scope.get(ADDRESS, request.url.path)
    body = document(error, language) | {"instance": instance} | more
    return Response(
        encode(body),
        status_code=status_of(error),
        media_type=MEDIA_TYPE,
        headers={
            "Content-Language": language,
            "Cache-Control": "no-store",
            **headers_of(error),
            **(headers or {}),
        },
    )


def encode(problem: Mapping[str, Any]) -> bytes:
    """Return the document as JSON bytes."""
    return msgspec.json.encode(problem)


def language_of(accept_language: str | None) -> messages.Language:
    """Return the better of our two languages for an Accept-Language header."""
    weights: dict[str, float] = {}
    for wish in (accept_language or "").lower()[:200].split(","):
        found = _RANGE.fullmatch(wish)
        if found is not None:
            weights.setdefault(found[1], float(found[2] or 1))
    anything = weights.get("*", 0.0)
    zh, en = weights.get("zh", anything), weights.get("en", anything)
    if zh == en and {"zh", "en"} <= weights.keys():
        return "zh" if list(weights).index("zh") < list(weights).index("en") else "en"
    return "zh" if zh > en else "en"
