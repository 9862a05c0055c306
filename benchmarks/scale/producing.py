"""The generator of a topic's load: a process that produces and takes receipts.

Rules of this file: as ``benchmarks.load``: a job is a line of JSON in, its outcome one
out; latency counts from when a record was due until its receipt was read.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from contextlib import closing
from time import perf_counter, sleep

import msgspec
from kafka import KafkaConsumer, TopicPartition

from benchmarks.load import Outcome, percentiles
from benchmarks.submissions import STREAMS, fill
from events.records import Record
from services.kafka.clients import open_consumer
from services.kafka.connection import Connection
from services.kafka.partitions import partition_of
from services.kafka.publisher import KafkaPythonPublisher

_STRUCTURED = ("content-type", b"application/cloudevents+json")
_ASKED = ("henji_receipt", b"true")
_PATIENCE_SECONDS = 60.0


class Job(msgspec.Struct, kw_only=True):
    """What to produce: ``events`` at ``rate`` a second, or (0) as fast as can be.

    With a rate the receipts are read, where each event asks for one.
    """

    bootstrap: str
    topic: str
    receipts: str
    template: str
    first: int
    events: int
    rate: float = 0.0
    ask: bool = True


class _Receipts:
    """Reads the receipts of one job in a thread; when each came, by its event's id."""

    def __init__(self, job: Job, connection: Connection) -> None:
        self.came: dict[bytes, float] = {}
        self._first, self._wanted = job.first, job.events
        self._consumer = open_consumer(connection, name="bench")
        place = TopicPartition(job.receipts, 0)
        self._consumer.assign([place])
        self._consumer.seek_to_end(place)
        self._consumer.position(place)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def await_all(self) -> Mapping[bytes, float]:
        """Return when all came, or none came for long."""
        self._thread.join()
        self._consumer.close()
        return self.came

    def _read(self) -> None:
        until = perf_counter() + _PATIENCE_SECONDS
        while len(self.came) < self._wanted and perf_counter() < until:
            if self._poll(self._consumer):
                until = perf_counter() + _PATIENCE_SECONDS

    def _poll(self, consumer: KafkaConsumer) -> int:
        pages = consumer.poll(timeout_ms=100).values()
        now = perf_counter()
        found = (dict(record.headers)["ce_id"] for page in pages for record in page)
        # Of earlier jobs there may be some left.
        ours = [name for name in found if int(name) >= self._first]
        self.came.update(dict.fromkeys(ours, now))
        return len(ours)


def _produce(job: Job) -> Outcome:
    connection = Connection(tuple(job.bootstrap.split(",")))
    reads = bool(job.rate and job.ask)
    receipts = _Receipts(job, connection) if reads else None
    with closing(KafkaPythonPublisher(connection, name="bench")) as publisher:
        started = perf_counter()
        due = _send(job, publisher, started)
        publisher.flush()
        elapsed = perf_counter() - started
    came = receipts.await_all() if receipts else {}
    latencies = [came[name] - at for name, at in due.items() if name in came]
    missing = len(due) - len(came) if reads else 0
    statuses = {"sent": job.events, "missing": missing}
    return Outcome(
        requests=job.events,
        events=job.events,
        seconds=elapsed,
        statuses={status: count for status, count in statuses.items() if count},
        received=0,
        **percentiles(latencies),
    )


def _send(
    job: Job, publisher: KafkaPythonPublisher, started: float
) -> dict[bytes, float]:
    """Send all at their instants; return when each was due, by its id."""
    pattern, partitions = job.template.encode(), publisher.partitions(job.topic)
    headers = [_STRUCTURED, _ASKED] if job.ask else [_STRUCTURED]
    due: dict[bytes, float] = {}
    for at in range(job.events):
        number = job.first + at
        if job.rate:
            moment = due[b"%012d" % number] = started + at / job.rate
            sleep(max(0.0, moment - perf_counter()))
        key = b"site-%04d" % (number % STREAMS)
        record = Record(key, fill(pattern, number), headers)
        publisher.send(job.topic, record, partition=partition_of(key, partitions))
    return due


def main() -> None:
    """Serve jobs from standard input until it ends."""
    for line in sys.stdin:
        outcome = _produce(msgspec.json.decode(line, type=Job))
        print(msgspec.json.encode(outcome).decode(), flush=True)


if __name__ == "__main__":
    main()
