"""The HTTP server itself: in the foreground, or in a thread for as long as a block.

Rules of this file: uvicorn's settings are here and nowhere else.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from services.app import create_app
from services.running import Service

_GRACE_SECONDS = 10


def _config(service: Service, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(service),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        # Peers behind proxies are named by headers that anybody can send.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def serve_forever(service: Service) -> None:
    """Serve until a signal ends it; requests under way are finished."""
    settings = service.ledger.settings
    uvicorn.Server(_config(service, settings.host, settings.port)).run()


@contextmanager
def served(service: Service, *, host: str, port: int = 0) -> Iterator[str]:
    """Serve in a thread; yields the URL. Port 0 takes a free one."""
    listener = socket.create_server((host, port))
    bound = listener.getsockname()[1]
    server = uvicorn.Server(_config(service, host, bound))
    thread = threading.Thread(target=server.run, args=([listener],), name="http")
    thread.start()
    try:
        # Connections queue at the listener until the server takes them.
        yield f"http://{host}:{bound}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
