"""The web application: routes over one desk, errors as problems, an orderly end.

Rules of this file: assembly only. Nothing is built at import; ``create_app`` is given
an open ledger, and closes only what it started.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from events import errors
from services import problems
from services.api import (
    commitments,
    events,
    log,
    openapi,
    operations,
    stream,
    submit,
    types,
)
from services.api.desk import Desk
from services.running import Service

_DESCRIPTION = (
    "说到一定做到，做到一定记录。 Submit events, replay any past moment, verify it all "
    "without trusting the service."
)
#: HTTP statuses that the framework raises itself -> our codes.
_FRAMEWORK = {404: "route_not_found", 405: "method_not_allowed"}


def create_app(service: Service) -> FastAPI:
    """Return the application over a started service."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        desk.open()
        try:
            yield
        finally:
            desk.stopping.set()

    desk = Desk(service)
    app = FastAPI(
        title="Henji 痕迹",
        version=service.version,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    # stream before events: /v1/events/stream is no event's id.
    for module in (submit, stream, events, types, commitments, log, operations):
        app.include_router(module.router(desk))
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    _install_handlers(app, desk)
    return app


def _install_handlers(app: FastAPI, desk: Desk) -> None:
    async def on_henji(request: Request, error: errors.HenjiError) -> Response:
        return _problem(request, error, desk)

    async def on_framework(request: Request, error: HTTPException) -> Response:
        code = _FRAMEWORK.get(error.status_code, "invalid_request")
        found = errors.NotFound(code) if error.status_code == 404 else None
        return _problem(request, found or errors.Malformed(code), desk)

    async def on_parameters(
        request: Request, error: RequestValidationError
    ) -> Response:
        names = sorted({str(found["loc"][-1]) for found in error.errors()})
        refusal = errors.Malformed("invalid_parameter", parameter=", ".join(names))
        return _problem(request, refusal, desk)

    async def on_anything(request: Request, error: Exception) -> Response:
        trace_id = desk.service.unexpected(error)
        refusal = errors.Corrupt("internal_error")
        return _problem(request, refusal, desk, trace_id=trace_id)

    handlers: dict[type[Exception], Callable[..., Awaitable[Response]]] = {
        errors.HenjiError: on_henji,
        HTTPException: on_framework,
        RequestValidationError: on_parameters,
        Exception: on_anything,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def _problem(
    request: Request, error: errors.HenjiError, desk: Desk, *, trace_id: str = ""
) -> Response:
    language = problems.language_of(request.headers.get("accept-language"))
    body = problems.document(error, language) | {"instance": request.url.path}
    if trace_id:
        body["trace_id"] = trace_id
    desk.metrics.problems.labels(error.code).inc()
    return Response(
        problems.encode(body),
        status_code=problems.status_of(error),
        media_type=problems.MEDIA_TYPE,
        headers={"Content-Language": language, **problems.headers_of(error)},
    )
