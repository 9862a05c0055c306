"""The metrics of a worker over HTTP, for it has no web application of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from services.telemetry import Metrics


@contextmanager
def metrics_served(metrics: Metrics, *, host: str, port: int) -> Iterator[None]:
    """Serve ``/metrics`` while the block runs; port 0: not at all."""
    if not port:
        yield
        return
    server, thread = start_http_server(port, addr=host, registry=metrics.registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
