"""Rows ``peer``: UmaDB, an event store server in Rust, beside the service.

Rules of this file: for information, no goal. UmaDB stores bytes and answers a position:
it parses, decides, hashes and proves nothing. Its Python client is in threads of this
process; the service gets its load from the generator.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from time import perf_counter
from typing import Any

from benchmarks import processes, submissions
from benchmarks.effort import Effort
from benchmarks.load import Job
from benchmarks.measure import Row, alternate, compared
from benchmarks.places import Place

#: (name, clients, events a request)
_CASES = (
    ("peer: 1 event, 16 clients", 16, 1),
    ("peer: 1 event, 64 clients", 64, 1),
    ("peer: 100 events, 4 clients", 4, 100),
    ("peer: 1,000 events, 4 clients", 4, 1_000),
)
_BASELINE = "UmaDB"
_START_SECONDS = 15.0


def run(place: Place, effort: Effort) -> list[Row]:
    """Return a row for each case; none where UmaDB is not installed."""
    try:
        import umadb  # noqa: PLC0415 - an optional peer
    except ImportError:
        print("umadb is not installed: no peer")
        return []
    seconds = effort.seconds / 2
    with ExitStack() as stack:
        url = stack.enter_context(_server(umadb, place))
        generator = stack.enter_context(processes.generator())
        service = stack.enter_context(processes.henji(place.settings()))

        def henji(clients: int, lines: int) -> float:
            outcome = generator.run(_job(service, clients, lines, seconds))
            service.settle()
            return outcome.rate

        rows = []
        for name, clients, lines in _CASES:
            rates = alternate(
                {
                    "henji": partial(henji, clients, lines),
                    _BASELINE: partial(_append, umadb, url, clients, lines, seconds),
                },
                rounds=max(1, effort.rounds // 2),
            )
            found = compared(rates, name=name, store=place.kind, baseline=_BASELINE)
            rows.append(found)
    return rows


def _job(service: processes.Service, clients: int, lines: int, seconds: float) -> Job:
    kind = "application/x-ndjson" if lines > 1 else "application/cloudevents+json"
    return Job(
        ports=[service.port],
        head={
            "authorization": f"Bearer {service.bearer}",
            "content-type": kind,
        },
        template=submissions.template().decode(),
        clients=clients,
        lines=lines,
        seconds=seconds,
    )


def _append(umadb: Any, url: str, clients: int, lines: int, seconds: float) -> float:
    """Append from so many threads for some seconds; return events/s."""
    entry = submissions.fill(submissions.template(), 1)
    batch = [umadb.Event(submissions.TYPE, entry, ["site-1"]) for _ in range(lines)]
    ready = threading.Barrier(clients + 1)

    def client(_: int) -> int:
        connection, count = umadb.Client(url), 0
        ready.wait()
        until = perf_counter() + seconds
        while perf_counter() < until:
            connection.append(batch)
            count += lines
        return count

    with ThreadPoolExecutor(clients) as pool:
        done = pool.map(client, range(clients))
        ready.wait()
        started = perf_counter()
        total = sum(done)
        return total / (perf_counter() - started)


@contextmanager
def _server(umadb: Any, place: Place) -> Iterator[str]:
    address = f"127.0.0.1:{processes.free_port()}"
    file = place.folder() / "uma.db"
    code = "from umadb.umadb_server_cli import main; main()"
    command = [sys.executable, "-c", code, "--listen", address, "--db-path", str(file)]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
    with processes.ended(process):
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                umadb.Client(f"http://{address}").head()
                break
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield f"http://{address}"
