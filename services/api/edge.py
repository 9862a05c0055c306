"""What holds for every route: HEAD, headers of reads, and the last catch of errors.

Rules of this file: ASGI only, no route is known here. A submission passes through with
one comparison: it is the hot path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anyio import create_task_group
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Headers that every answer to a read has, unless its route says otherwise.
_READ_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
OnError = Callable[[Request, Exception], Response]


class Edge:
    """Middleware around the routes. ``on_error`` logs an error and words the answer."""

    def __init__(self, app: ASGIApp, *, on_error: OnError) -> None:
        self._app = app
        self._on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "GET":
            await self._read(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._head(scope, receive, send)
        else:
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            answer = self._on_error(Request(scope), error)
            await answer(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def forward(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": _completed(message["headers"])}
            await send(message)

        try:
            await self._app(scope, receive, forward)
        except Exception as error:
            answer = self._on_error(Request(scope), error)
            if started:
                # What was sent cannot be unsaid: the client must see it break off.
                raise
            await answer(scope, receive, forward)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as GET would, without its content (RFC 9110 section 9.3.2)."""
        async with create_task_group() as group:

            async def first(message: Message) -> None:
                if message["type"] != "http.response.start":
                    return
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                # What follows would only be thrown away; a stream would not end.
                group.cancel_scope.cancel()

            await self._read({**scope, "method": "GET"}, receive, first)


def _completed(headers: Any) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    names = {name.lower() for name, _ in given}
    return given + [pair for pair in _READ_HEADERS if pair[0] not in names]
