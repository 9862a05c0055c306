"""What operators see of a running service: metrics, and the security log.

Rules of this file: it counts and writes, it never decides. The security log is a file
of its own (JSON lines): failed authentication and refused submissions, never a secret.
"""

from __future__ import annotations

import json
import math
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
)

#: Facts whose names the line itself uses.
_FACT = {"event": "given_event", "time": "given_time"}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The metrics of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.submissions = Counter(
            "henji_submissions",
            "Submissions by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        # Children are looked up once: the hot path only adds.
        self.accepted = self.submissions.labels("accepted")
        self.duplicates = self.submissions.labels("duplicate")
        self.refused = self.submissions.labels("refused")
        self.append_seconds = Histogram(
            "henji_append_seconds",
            "From submission to durable commit.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.problems = Counter(
            "henji_problems",
            "Problem documents by code.",
            ["code"],
            registry=self.registry,
        )

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Publish a value that is read when the metrics are scraped."""
        Gauge(name, text, registry=self.registry).set_function(_readable(read))


def _readable(read: Callable[[], float]) -> Callable[[], float]:
    """Let a value that cannot be read be NaN, so that the others are still scraped."""

    def value() -> float:
        try:
            return read()
        except Exception:  # noqa: BLE001 - whatever it is, the scrape must go on
            return math.nan

    return value


@contextmanager
def metrics_served(metrics: Metrics, *, host: str, port: int) -> Iterator[None]:
    """Serve ``/metrics`` of a worker while the block runs; port 0: not at all."""
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


class SecurityLog:
    """Appends one JSON line an incident to ``security.log`` (mode 0600).

    Control characters cannot break a line: values are JSON strings.
    """

    def __init__(self, path: Path, *, now_text: Callable[[], str]) -> None:
        path.touch(mode=0o600, exist_ok=True)
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)
        self._now_text = now_text

    def record(self, incident: str, facts: Mapping[str, Any]) -> None:
        """Write one incident; its facts cannot pass for the incident or its time."""
        given = {_FACT.get(name, name): value for name, value in facts.items()}
        line = {"event": incident, "time": self._now_text(), **given}
        self._file.write(json.dumps(line, ensure_ascii=True, default=str) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def report(error: BaseException, *, trace_id: str, time: str) -> None:
    """Write an error that nobody expected to the process log, as one JSON line.

    The traceback is plain: values of variables may be secrets of clients.
    """
    line = {
        "event": "unexpected",
        "time": time,
        "trace_id": trace_id,
        "traceback": "".join(traceback.format_exception(error)),
    }
    sys.stderr.write(json.dumps(line) + "\n")
