"""The hot path's way in: a submission is served without the framework's detour.

Rules of this file: ASGI only. The same endpoint stands among the routes, which document
it; here a request that matches exactly is handed to it at once. Routing, dependency
solving and two exit stacks cost more than deciding and sealing an event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]
OnError = Callable[[Request, Exception], Response]


class Application(FastAPI):
    """FastAPI, with a table of endpoints that are reached directly.

    ``direct`` maps (method, path) to an endpoint; ``on_error`` words its errors.
    """

    direct: Mapping[tuple[str, str], Endpoint]
    on_error: OnError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        endpoint = None
        if scope["type"] == "http":
            endpoint = self.direct.get((scope["method"], scope["path"]))
        if endpoint is None:
            await super().__call__(scope, receive, send)
        else:
            await self._serve(endpoint, scope, receive, send)

    async def _serve(
        self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send
    ) -> None:
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            response = self.on_error(request, error)
        await response(scope, receive, send)
