"""The web application: routes over one desk, errors as problems, an orderly end.

Rules of this file: assembly only. Nothing is built at import; ``create_app`` is given
an open ledger, and closes only what it started.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from events import errors
from events.entries import rfc3339
from services import telemetry
from services.api import (
    commitments,
    diff,
    events,
    evidence,
    exports,
    frozen,
    log,
    open311,
    openapi,
    operations,
    reports,
    rules,
    states,
    stream,
    submit,
    types,
    units,
)
from services.api.desk import Desk
from services.api.direct import Application
from services.api.edge import Edge
from services.api.strict import only_documented
from services.running import Service
from services.wiring import clock, new_id

_DESCRIPTION = (
    "说到一定做到，做到一定记录。 Submit events, replay any past moment, verify it all "
    "without trusting the service."
)
#: HTTP statuses that the framework raises itself.
_FRAMEWORK: dict[int, Callable[[], errors.HenjiError]] = {
    404: lambda: errors.NotFound("route_not_found"),
    405: lambda: errors.Malformed("method_not_allowed"),
}


def create_app(service: Service, *, base: str = "") -> Application:
    """Return the application over a started service, reached below ``base``.

    ``app.state.stop_streams()`` ends every event stream; whoever runs the server calls
    it before waiting for connections to close.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        desk.open()
        try:
            yield
        finally:
            desk.stopping.set()

    desk = Desk(service, base=base)
    app = Application(
        title="Henji 痕迹",
        version=service.version,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.stop_streams = desk.stopping.set
    public_log = service.ledger.settings.public_log
    app.openapi = lambda: openapi.document(app, public_log=public_log)  # type: ignore[method-assign]
    strict = [Depends(only_documented(app.openapi))]
    # Submissions first: routes are tried in order. The log takes any query: it may be
    # behind caches that add to it.
    app.include_router(submit.router(desk))
    # stream before events: /v1/events/stream is no event's id.
    board = (commitments, units, states, diff, rules, reports, frozen)
    read = (stream, events, types, evidence, exports, open311, *board)
    for module in read:
        app.include_router(module.router(desk), dependencies=strict)
    for module in (log, operations):
        app.include_router(module.router(desk))
    _install_handlers(app, desk)
    return app


def _install_handlers(app: Application, desk: Desk) -> None:
    async def on_henji(request: Request, error: errors.HenjiError) -> Response:
        return desk.problem(request, error)

    async def on_framework(request: Request, error: HTTPException) -> Response:
        known = _FRAMEWORK.get(error.status_code)
        refusal = known() if known else errors.Malformed("invalid_request")
        headers = _allowed(app, request) if error.status_code == 405 else {}
        return desk.problem(request, refusal, headers=headers)

    async def on_parameters(
        request: Request, error: RequestValidationError
    ) -> Response:
        names = sorted({str(found["loc"][-1]) for found in error.errors()})
        refusal = errors.Malformed("invalid_parameter", parameter=", ".join(names))
        return desk.problem(request, refusal)

    def on_anything(request: Request, error: Exception) -> Response:
        trace_id = new_id()
        telemetry.report(error, trace_id=trace_id, time=rfc3339(clock()))
        refusal = errors.Corrupt("internal_error")
        return desk.problem(request, refusal, trace_id=trace_id)

    handlers: dict[type[Exception], Callable[..., Awaitable[Response]]] = {
        errors.HenjiError: on_henji,
        HTTPException: on_framework,
        RequestValidationError: on_parameters,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(Edge, on_error=on_anything)

    def on_direct(request: Request, error: Exception) -> Response:
        if isinstance(error, errors.HenjiError):
            return desk.problem(request, error)
        return on_anything(request, error)

    app.on_error = on_direct
    app.direct = {("POST", submit.PATH): submit.endpoint(desk)}


def _allowed(app: FastAPI, request: Request) -> dict[str, str]:
    """Return the Allow header of a path (RFC 9110 section 15.5.6)."""
    path = getattr(request.scope.get("route"), "path_format", "")
    known = {method.upper() for method in app.openapi()["paths"].get(path, ())}
    if "GET" in known:
        known.add("HEAD")
    return {"Allow": ", ".join(sorted(known))} if known else {}
