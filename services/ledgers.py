"""Several ledgers behind one address: each an application of its own, told by the path.

    /v1/ledgers/<name>/events        the ledger's /v1/events
    /v1/ledgers/<name>/log/tile/…    its /log/tile/…

Rules of this file: ASGI and paths only. A ledger's application knows nothing of the
others: its keys, streams and ids are found in its own log or not at all, so that those
of another ledger are 404 here, and a key of another ledger is no key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from events import errors
from services import problems
from services.api.addresses import LEDGERS, outward
from services.api.direct import Application
from services.app import create_app
from services.running import Service

#: What a ledger's application has beside ``/v1``.
_ROOTS: Final = frozenset({"asyncapi.json", "log", "metrics", "openapi.json", "readyz"})
#: Headers whose values are addresses of the application.
_ADDRESSES: Final = ("location", "link", "content-location")


def addressed(services: Sequence[Service]) -> list[tuple[str, Service]]:
    """Return the services with the paths below which their applications are reached.

    The first is that of the default ledger ("").
    """
    first, *others = services
    return [
        ("", first),
        *((LEDGERS + one.ledger.settings.ledger, one) for one in others),
    ]


class Ledgers:
    """The default ledger's application at the short paths, the others by their name."""

    def __init__(self, services: Sequence[Service]) -> None:
        (_, default), *others = addressed(services)
        self._default = create_app(default)
        self._others = {base: create_app(one, base=base) for base, one in others}

    def stop_streams(self) -> None:
        """End every event stream of every ledger."""
        for app in self._all():
            app.state.stop_streams()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith(LEDGERS) and scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await self._default(scope, receive, send)

    def _all(self) -> Iterator[Application]:
        yield self._default
        yield from self._others.values()

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            for app in self._all():
                await stack.enter_async_context(app.router.lifespan_context(app))
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, _, rest = scope["path"].removeprefix(LEDGERS).partition("/")
        base = LEDGERS + name
        app = self._others.get(base)
        if app is None:
            unknown = errors.NotFound("ledger_unknown", ledger=name)
            await problems.respond(Request(scope), unknown)(scope, receive, send)
            return
        path = inward(rest)
        within = {
            **scope,
            "path": path,
            "raw_path": path.encode(),
            problems.ADDRESS: scope["path"],
        }
        await app(within, receive, _readdressed(send, base))


def inward(rest: str) -> str:
    """Return the path within a ledger's application of what follows its name."""
    root = rest.partition("/")[0]
    return f"/{rest}" if root in _ROOTS else f"/v1/{rest}"


def _readdressed(send: Send, base: str) -> Send:
    """Return a ``send`` that turns the addresses of an answer outward."""

    async def forward(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            for name in _ADDRESSES:
                if name in headers:
                    headers[name] = _addresses(headers[name], base)
            message = {**message, "headers": headers.raw}
        await send(message)

    return forward


def _addresses(value: str, base: str) -> str:
    """Return the value of a header: a path itself, or links in angle brackets."""
    if value.startswith("/"):
        return outward(value, base)
    first, *links = value.split("</")
    return first + "".join("<" + outward(f"/{link}", base) for link in links)
