"""The HTTP server itself: in the foreground, or in a thread for as long as a block.

Rules of this file: uvicorn's settings are here and nowhere else.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn

from services.ledgers import Ledgers
from services.running import Service

_GRACE_SECONDS = 10
_KEEP_ALIVE_SECONDS = 75


class _Server(uvicorn.Server):
    """Uvicorn, told to end event streams before it waits for connections to close."""

    def __init__(self, services: Sequence[Service], host: str, port: int) -> None:
        self._app = Ledgers(services)
        super().__init__(
            uvicorn.Config(
                self._app,
                host=host,
                port=port,
                log_level="warning",
                access_log=False,
                # Peers behind proxies are named by headers that anybody can send.
                proxy_headers=False,
                server_header=False,
                lifespan="on",
                timeout_graceful_shutdown=_GRACE_SECONDS,
                # Longer than clients and proxies keep one: theirs is to close it.
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish requests under way."""
        self._app.stop_streams()
        await super().shutdown(sockets)


def serve_forever(service: Service, *others: Service) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are finished, then it returns.

    The first service is that of the default ledger; the others are known by the names
    in their settings.

    Uvicorn raises the signal again once it has shut down: as an exception it unwinds
    the service in order, where the default would end the process on the spot.
    """
    settings = service.ledger.settings
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _Server((service, *others), settings.host, settings.port).run()


@contextmanager
def served(
    service: Service, *others: Service, host: str, port: int = 0
) -> Iterator[str]:
    """Serve in a thread; yields the URL. Port 0 takes a free one."""
    listener = socket.create_server((host, port))
    bound = listener.getsockname()[1]
    server = _Server((service, *others), host, bound)
    thread = threading.Thread(target=server.run, args=([listener],), name="http")
    thread.start()
    try:
        # Connections queue at the listener until the server takes them.
        yield f"http://{host}:{bound}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
