"""Servers and the load generator as processes: started, awaited, stopped.

Rules of this file: processes and ports; what is sent and measured is in the rows.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks import submissions
from benchmarks.load import Job, Outcome
from services.keyring import KeySpec, create_key
from services.settings import Settings
from services.wiring import Ledger, open_ledger

_START_SECONDS = 30.0
_SETTLE_SECONDS = 30.0
_LAG = re.compile(rb"^henji_projection_lag_events ([0-9.e+]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Service:
    """A running ``henji serve`` and a key that may write to it."""

    port: int
    bearer: str
    pid: int

    def settle(self) -> float:
        """Wait until the read models have caught up; return the seconds it took.

        Otherwise they would take processor time from whoever is measured next.
        """
        started = time.perf_counter()
        while time.perf_counter() - started < _SETTLE_SECONDS:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/metrics"
            ) as answer:
                found = _LAG.search(answer.read())
            if found and float(found[1]) == 0:
                break
            time.sleep(0.02)
        return time.perf_counter() - started


class Generator:
    """The load generator in its own process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._next = 0

    def run(self, job: Job) -> Outcome:
        """Run a job with event numbers that were never used before in this run."""
        job.first = self._next
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.write(msgspec.json.encode(job) + b"\n")
        stdin.flush()
        outcome = msgspec.json.decode(stdout.readline(), type=Outcome)
        self._next += outcome.events + job.clients * job.lines + 1
        assert set(outcome.statuses) <= {"200", "201"}, outcome.statuses
        return outcome


@contextmanager
def generator() -> Iterator[Generator]:
    """Yield a load generator."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with ended(process):
        yield Generator(process)


@contextmanager
def echo(kind: str) -> Iterator[int]:
    """Yield the port of a running echo."""
    port = free_port()
    with serving(["benchmarks.echo", kind, str(port)], port, {}, None):
        yield port


@contextmanager
def henji(settings: Settings) -> Iterator[Service]:
    """Yield a running service on a new ledger, with the type and a key in it."""
    with open_ledger(settings) as ledger:
        _, bearer = groundwork(ledger)
    port = free_port()
    environment = {
        "HENJI_DATA_DIR": str(settings.data_dir),
        "HENJI_DATABASE_URL": settings.database_url,
        "HENJI_DATABASE_SCHEMA": settings.database_schema,
        "HENJI_ORIGIN": settings.origin,
        "HENJI_PORT": str(port),
    }
    log = settings.data_dir / "server.log"
    with serving(["services", "serve"], port, environment, log) as pid:
        yield Service(port, bearer, pid)


def groundwork(ledger: Ledger) -> tuple[str, str]:
    """Register the type and create a key; return (its id, the key itself)."""
    ledger.submit_as_operator(submissions.registration())
    scopes = ["events:write", "events:read"]
    spec = KeySpec(name="bench", roles=["adapter"], scopes=scopes)
    return create_key(ledger, spec, random_bytes=secrets.token_bytes)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(
    module: Sequence[str], port: int, environment: Mapping[str, str], log: Path | None
) -> Iterator[int]:
    """Yield the process id of a module that runs, once it listens on its port."""
    with (log or Path(os.devnull)).open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            env={**os.environ, **environment},
            stdout=output,
            stderr=output if log else None,
        )
    with ended(process):
        _await_port(process, port, log)
        yield process.pid


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process when the block is left."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path | None) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text()[-2000:] if log else ""
                raise RuntimeError(f"the server did not start: {text}") from error
            time.sleep(0.02)
