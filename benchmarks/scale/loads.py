"""The load of a scenario: by HTTP, by Kafka, or by both at once.

Rules of this file: generators are processes of their own; the order in which a load
begins and ends. What comes of it is read off the log elsewhere.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from benchmarks import processes, submissions
from benchmarks.load import Job, Outcome
from benchmarks.scale import producing
from benchmarks.scale.deployment import Deployment
from benchmarks.scale.scenarios import BACKLOG, Scenario

_HTTP_KINDS = {
    "single": "application/cloudevents+json",
    "ndjson": "application/x-ndjson",
}
_CLIENTS = {"single": 64, "ndjson": 4}
#: Numbers of events by Kafka begin here: those by HTTP never come so far.
_FIRST_BY_KAFKA = 5 * 10**11
_PATIENCE_SECONDS = 300.0


class Producer:
    """The generator of records in its own process; see ``processes.Generator``."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._next = _FIRST_BY_KAFKA

    def run(self, job: producing.Job) -> Outcome:
        """Run a job with event numbers that were never used before in this run."""
        job.first = self._next
        self._next += job.events
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.write(msgspec.json.encode(job) + b"\n")
        stdin.flush()
        return msgspec.json.decode(stdout.readline(), type=Outcome)


@dataclass(slots=True)
class Load:
    """What can be sent to a deployment. ``size`` tells how long its log is."""

    deployment: Deployment
    http: processes.Generator
    kafka: Producer
    size: Callable[[], int]

    def apply(self, *, seconds: float) -> dict[str, Outcome]:
        """Send for so long, and return when all of it is in the log: way -> outcome."""
        scenario, start = self.deployment.scenario, self.size()
        outcomes: dict[str, Outcome] = {}
        if _waits(scenario):
            outcomes["kafka"] = self._produce(int(BACKLOG * seconds))
        if scenario.ingests:
            self.deployment.start_ingests()
        if _waits(scenario):
            self._await(start + 1)
        with ThreadPoolExecutor() as pool:
            sent = {
                way: pool.submit(self._send, way, seconds)
                for way in scenario.ways
                if way not in outcomes
            }
            outcomes |= {way: one.result() for way, one in sent.items()}
        self._await(start + sum(one.events for one in outcomes.values()))
        return outcomes

    def _send(self, way: str, seconds: float) -> Outcome:
        if way == "kafka":
            return self._produce(int(self.deployment.scenario.rate * seconds))
        return self.http.run(self._http_job(way, seconds))

    def _http_job(self, way: str, seconds: float) -> Job:
        scenario = self.deployment.scenario
        lines = scenario.lines if way == "ndjson" else 1
        head = {
            "authorization": f"Bearer {self.deployment.bearer}",
            "content-type": _HTTP_KINDS[way],
        }
        return Job(
            ports=self.deployment.ports,
            head=head if scenario.receipts else {**head, "prefer": "return=minimal"},
            template=template(scenario.size),
            clients=_CLIENTS[way] * len(self.deployment.ports),
            lines=lines,
            seconds=seconds,
            rate=scenario.rate / lines,
        )

    def _produce(self, events: int) -> Outcome:
        deployment, scenario = self.deployment, self.deployment.scenario
        return self.kafka.run(
            producing.Job(
                bootstrap=deployment.settings.kafka,
                topic=deployment.topics.submitted,
                receipts=deployment.topics.receipts,
                template=template(scenario.size),
                first=0,
                events=events,
                rate=scenario.rate,
                ask=scenario.receipts,
            )
        )

    def _await(self, size: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.size() < size:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.size()} entries instead of {size}")
            time.sleep(0.02)


@contextmanager
def loading(deployment: Deployment, size: Callable[[], int]) -> Iterator[Load]:
    """Yield what sends to a deployment that has been started."""
    producer = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.scale.producing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with processes.ended(producer), processes.generator() as http:
        yield Load(deployment, http, Producer(producer), size)


def template(size: int) -> str:
    """Return the event of the load, filled up to about ``size`` bytes."""
    text = submissions.template().decode()
    event = json.loads(text)
    while (missing := size - len(text)) > 0:
        event["data"]["photos"].append(_noise(min(missing, 400)))
        text = json.dumps(event, separators=(",", ":"))
    return text


def _noise(length: int) -> str:
    """Return text that no database can compress; the same each time."""
    return b64encode(random.Random(length).randbytes(length)).decode()[:length]


def _waits(scenario: Scenario) -> bool:
    """Say whether records are on the topic before the workers start."""
    return "kafka" in scenario.ways and not scenario.rate
