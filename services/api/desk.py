"""What every route stands on: the ledger, the caller, the way to the sequencer.

Rules of this file: no route and no presentation; it hands out what routes share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from events import errors
from events.submissions import Request, Result
from services import problems
from services.api.addresses import outward
from services.api.quota import Quota
from services.auth import Principal
from services.running import Service
from services.wiring import clock

_MOST_WAITING = 100
P = ParamSpec("P")
T = TypeVar("T")


class Channel:
    """Brings answers from the sequencer's thread to one event loop, batch by batch."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def deliver(self, answers: list[tuple[Request, list[Result]]]) -> None:
        """Wake the loop once for all these answers. Called from any thread."""
        # A loop that has ended has nobody left to answer; the events are in the log.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: list[tuple[Request, list[Result]]]) -> None:
    for request, results in answers:
        # A client that left has cancelled its future; its events are in the log.
        if not request.token.done():
            request.token.set_result(results)


class Desk:
    """The parts of a running service that routes use.

    ``open`` is called on the event loop that serves; no request comes before it.
    """

    channel: Channel
    #: Threads that only wait; apart from those that read, which must not wait for them.
    patience: CapacityLimiter

    def __init__(self, service: Service, *, base: str = "") -> None:
        self.service = service
        self._base = base
        self.ledger = service.ledger
        self.views = service.views
        self.metrics = service.metrics
        self.quota = Quota(service.ledger.settings, clock=clock)
        self.stopping = asyncio.Event()

    def address(self, path: str) -> str:
        """Return the address that a client uses for a path of ours."""
        return outward(path, self._base)

    def open(self) -> None:
        """Bind the way back from the sequencer to the running loop."""
        self.channel = Channel(asyncio.get_running_loop())
        self.patience = CapacityLimiter(_MOST_WAITING)

    def caller(self, request: HttpRequest, scope: str | None) -> Principal:
        """Return who asks; ``Denied`` (and a line in the security log) otherwise.

        Without a scope every key that counts will do.
        """
        given = [
            value
            for name, value in request.scope["headers"]
            if name == b"authorization"
        ]
        try:
            # Two headers make no key: who is meant would be a guess.
            principal = self.service.authenticator.recognise(
                b", ".join(given) if given else None
            )
            if scope is not None:
                principal.require(scope)
        except errors.Denied as refusal:
            self.note(request, "access_refused", refusal)
            raise
        return principal

    def note(
        self,
        request: HttpRequest,
        incident: str,
        refusal: errors.HenjiError,
        **facts: Any,
    ) -> None:
        """Write a refusal to the security log, with where it came from."""
        peer = request.client.host if request.client else ""
        where = {
            "code": refusal.code,
            "peer": peer,
            "method": request.method,
            "path": request.url.path,
        }
        self.service.security.record(incident, {**refusal.parameters, **facts, **where})

    def problem(
        self, request: HttpRequest, error: errors.HenjiError, **more: Any
    ) -> Response:
        """Return the answer to a request that failed, counted."""
        self.metrics.problems.labels(error.code).inc()
        return problems.respond(request, error, **more)

    def append(self, request: Request) -> Awaitable[list[Result]]:
        """Queue a request and return its results as an awaitable."""
        future = asyncio.get_running_loop().create_future()
        request.token = future
        self.ledger.sequencer.submit(request)
        return future


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking read off the event loop."""
    return await to_thread.run_sync(partial(call, *args, **kwargs))


async def read_body(request: HttpRequest, *, limit: int) -> bytes:
    """Return the body; ``Malformed('body_too_large')`` as soon as it is known to be.

    Messages are taken as the server gives them: on the hot path a request's own stream
    costs more than its content. ``ClientDisconnect``: the client left before its end.
    """
    for name, value in request.scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise errors.Malformed("body_too_large", limit=limit)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size > limit:
            raise errors.Malformed("body_too_large", limit=limit)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
