"""Errors as RFC 9457 problem documents: one table from code to HTTP status.

Rules of this file: presentation only. Texts come from the message catalogue, in the
language the client asks for; nothing of an unexpected error reaches the client but an
id under which the operator finds it in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from events import errors, messages

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/v1/problems/"
RETRY_AFTER_SECONDS = 1

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
    "not_acceptable": 406,
    "body_too_large": 413,
    "too_many_events": 413,
    "entry_too_large": 413,
    "method_not_allowed": 405,
    "version_mismatch": 412,
    "overloaded": 429,
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
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="henji"'}
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if error.code == "unsupported_media_type" and "accept" in error.parameters:
        return {"Accept-Post": str(error.parameters["accept"])}
    return {}


def encode(problem: Mapping[str, Any]) -> bytes:
    """Return the document as JSON bytes."""
    return msgspec.json.encode(problem)


def language_of(accept_language: str | None) -> messages.Language:
    """Return the better of our two languages for an Accept-Language header."""
    wanted = (accept_language or "").lower()
    zh, en = wanted.find("zh"), wanted.find("en")
    return "zh" if zh >= 0 and (en < 0 or zh < en) else "en"
