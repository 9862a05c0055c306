"""Query parameters are what the OpenAPI document says, or the request is refused.

Rules of this file: one check for every read route. An auditor who mistypes a filter
must not be shown everything, and nobody must guess which of two values counted.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request

from events import errors

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
Document = Callable[[], Mapping[str, Any]]


def only_documented(document: Document) -> Callable[[Request], Awaitable[None]]:
    """Return the dependency that checks a request against the document.

    ``Malformed``: invalid_parameter, repeated_parameter.
    """
    known: dict[tuple[str, str], dict[str, bool]] = {}

    async def check(request: Request) -> None:
        if has_control_characters(request):
            raise errors.NotFound("route_not_found")
        if not request.scope["query_string"]:
            return
        if not known:
            known.update(_documented(document()))
        route = request.scope["route"].path_format
        _check(request, known.get((route, request.method), {}))

    return check


def has_control_characters(request: Request) -> bool:
    """Say whether a path holds what none of ours does; routing drops a last LF."""
    return _CONTROL.search(request.scope["path"]) is not None


def _check(request: Request, repeatable: Mapping[str, bool]) -> None:
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in repeatable or "\x00" in value:
            raise errors.Malformed("invalid_parameter", parameter=name)
        if name in seen and not repeatable[name]:
            raise errors.Malformed("repeated_parameter", parameter=name)
        seen.add(name)


def _documented(document: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, bool]]:
    """Return, by path and method, each query parameter and whether it may repeat."""
    return {
        (path, method.upper()): {
            parameter["name"]: parameter["schema"].get("type") == "array"
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query"
        }
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
