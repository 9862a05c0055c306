"""The load generator: many connections in a process of its own, as cheap as can be.

Rules of this file: no client library, no JSON per request; requests are cut from a
template of bytes. One job is one line of JSON in, its outcome one line of JSON out.

Closed loop (no ``rate``): each connection sends again when it has its answer. Open loop
(``rate``): requests are due at fixed instants, and latency counts from when one was
due, not from when a connection was free: a server that stalls cannot hide it.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import cast

import msgspec

from benchmarks.submissions import fill

#: Name -> how many of a thousand are below it.
_PERCENTILES = {"p50": 500, "p90": 900, "p99": 990, "p999": 999}
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Job(msgspec.Struct, kw_only=True):
    """What to send: ``requests`` of them, or as many as fit in ``seconds``.

    ``lines`` events make a body. ``first`` is the number of the first event. The
    connections are shared out evenly among the ``ports``.
    """

    ports: list[int]
    head: dict[str, str]
    template: str
    path: str = "/v1/events"
    clients: int = 64
    lines: int = 1
    first: int = 0
    requests: int = 0
    seconds: float = 0.0
    rate: float = 0.0


class Outcome(msgspec.Struct, kw_only=True):
    """What came back. ``p50`` … ``p999`` are ms; ``statuses`` counts by status."""

    requests: int
    events: int
    seconds: float
    statuses: dict[str, int]
    p50: float
    p90: float
    p99: float
    p999: float
    received: int

    @property
    def rate(self) -> float:
        """Return events a second."""
        return self.events / self.seconds


class _Run:
    """One job under way: what is next, who is idle, what came back."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.number = job.first
        self.pattern = job.template.encode()
        self.head = "".join(f"{name}: {value}\r\n" for name, value in job.head.items())
        self.ready: deque[bytes] = deque()
        self.backlog: deque[float] = deque()
        # In turn, or some would idle until the server closes them.
        self.idle: deque[_Connection] = deque()
        self.open = 0
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.received = 0
        self.left = job.requests or -1
        #: Whether an open loop has sent the last that is due: it may be late with it.
        self.paced = False
        self.until = float("inf")
        self.done = asyncio.Event()
        for _ in range(job.requests):
            self.ready.append(self.build())

    def build(self) -> bytes:
        """Return the next request."""
        lines = self.job.lines
        first, self.number = self.number, self.number + lines
        body = b"\n".join([fill(self.pattern, first + at) for at in range(lines)])
        start = f"POST {self.job.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{self.head}"
        return f"{start}content-length: {len(body)}\r\n\r\n".encode() + body

    def answered(self, connection: _Connection, status: str, now: float) -> None:
        """Count an answer and let the connection go on."""
        self.open -= 1
        self.statuses[status] += 1
        self.latencies.append(now - connection.since)
        self.proceed(connection, now)

    def proceed(self, connection: _Connection, now: float) -> None:
        """Send the next request of a closed loop, or what an open one is late with."""
        if self.job.rate:
            if self.backlog:
                self.send(connection, self.backlog.popleft())
                return
            self.idle.append(connection)
            over = self.paced
        elif self.left and now < self.until:
            self.left -= 1
            self.send(connection, now)
            return
        else:
            over = True
        if over and not self.open:
            self.done.set()

    def send(self, connection: _Connection, since: float) -> None:
        """Send one request that was due at ``since``."""
        self.open += 1
        connection.since = since
        connection.write(self.ready.popleft() if self.ready else self.build())


class _Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at most."""

    since = 0.0
    write: Callable[[bytes], None]

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.buffer = b""
        self.missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        # Those of uvloop are no subclasses of asyncio's.
        self.transport = cast("asyncio.WriteTransport", transport)
        self.write = self.transport.write

    def data_received(self, data: bytes) -> None:
        """Take bytes until the answer is whole; only its head is looked at."""
        self.run.received += len(data)
        if self.missing:
            self.missing -= len(data)
        else:
            self.buffer += data
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            found = _LENGTH.search(self.buffer, 0, end + 2)
            length = int(found[1]) if found else 0
            self.missing = end + 4 + length - len(self.buffer)
        if not self.missing:
            status, self.buffer = self.buffer[9:12].decode(), b""
            self.run.answered(self, status, perf_counter())

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop with an error if an answer was due; else do without this one."""
        del exc
        if self in self.run.idle:
            self.run.idle.remove(self)
        elif not self.run.done.is_set():
            self.run.statuses["lost"] += 1
            self.run.done.set()


async def _drive(job: Job) -> Outcome:
    run = _Run(job)
    loop = asyncio.get_running_loop()
    connections = []
    for number in range(job.clients):
        port = job.ports[number % len(job.ports)]
        _, connection = await loop.create_connection(
            lambda: _Connection(run), "127.0.0.1", port
        )
        connections.append(connection)
    started = perf_counter()
    run.until = started + job.seconds if job.seconds else float("inf")
    if job.rate:
        run.idle.extend(connections)
        await _pace(run, started)
    else:
        for connection in connections:
            run.proceed(connection, started)
    await run.done.wait()
    elapsed = perf_counter() - started
    for connection in connections:
        connection.transport.close()
    return _outcome(run, elapsed)


async def _pace(run: _Run, started: float) -> None:
    """Send at a fixed rate until the time is over."""
    due, step = started, 1 / run.job.rate
    while due < run.until:
        now = perf_counter()
        while due <= now:
            if run.idle:
                run.send(run.idle.popleft(), due)
            else:
                run.backlog.append(due)
            due += step
        await asyncio.sleep(max(0.0, due - perf_counter()))
    run.paced = True
    if not run.open:
        run.done.set()


def _outcome(run: _Run, elapsed: float) -> Outcome:
    return Outcome(
        requests=len(run.latencies),
        events=len(run.latencies) * run.job.lines,
        seconds=elapsed,
        statuses=dict(run.statuses),
        **percentiles(run.latencies),
        received=run.received,
    )


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50, p90, p99 and p999 of latencies, in ms; 0 where there are none."""
    ordered = sorted(seconds) or [0.0]
    return {
        name: ordered[len(ordered) * share // 1_000] * 1e3
        for name, share in _PERCENTILES.items()
    }


def main() -> None:
    """Serve jobs from standard input until it ends."""
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ImportError):
        import uvloop  # noqa: PLC0415 - not on every platform

        factory = uvloop.new_event_loop
    for line in sys.stdin:
        job = msgspec.json.decode(line, type=Job)
        with asyncio.Runner(loop_factory=factory) as runner:
            outcome = runner.run(_drive(job))
        print(msgspec.json.encode(outcome).decode(), flush=True)


if __name__ == "__main__":
    main()
