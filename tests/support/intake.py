"""A ledger that takes submissions from topics: what tests of ingest send and look at.

No fixture and no assertion about a behaviour belongs here but ``sound``: whatever a
test did, the log verifies and holds each submission once.
"""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from events.notes import Verifier
from events.receipts import verify_receipt
from events.store import Row, Selection
from events.verify import Trust
from services.auditing import verify_store
from services.ingest.opening import opened
from services.kafka.clients import open_consumer
from services.kafka.connection import connection_of
from services.keyfile import Keys
from services.settings import Settings
from services.wiring import open_ledger, open_store
from tests.support import scenario
from tests.support.brokers import Cluster

_SECONDS = 40.0
STRUCTURED = ("content-type", b"application/cloudevents+json")
ASKED = ("henji_receipt", b"true")
Headers = Sequence[tuple[str, bytes | None]]


@dataclass
class Place:
    """A ledger, and for each key of ``scenario`` that was asked for, a topic."""

    settings: Settings
    keys: Keys
    group: str
    topics: Mapping[str, str]
    receipts: str

    def operate(self, *events: scenario.Event) -> None:
        """Append events as the operator, from beside the worker."""
        with open_ledger(self.settings) as ledger:
            for event in events:
                ledger.submit_as_operator(event)

    @contextmanager
    def working(self) -> Iterator[Place]:
        """Run a worker in a thread; what it raised is raised at the end.

        Yields this place with the metrics of just that worker.
        """
        stop, raised = threading.Event(), []
        own = msgspec.structs.replace(self.settings, metrics_port=_free_port())

        def run() -> None:
            try:
                worker.run(stop)
            except BaseException as error:  # noqa: BLE001 - raised again below
                raised.append(error)

        with opened(own) as worker:
            thread = threading.Thread(target=run)
            thread.start()
            try:
                yield replace(self, settings=own)
            finally:
                stop.set()
                thread.join()
        if raised:
            raise raised[0]

    def send(
        self,
        events: Iterable[scenario.Event],
        *,
        key: str = scenario.ADAPTER,
        headers: Headers = (),
        partition: int | None = 0,
    ) -> None:
        """Send events, structured, to the topic of a key; keyed by their subject."""
        self.send_raw(
            [
                (
                    (event.get("subject") or event["source"]).encode(),
                    json.dumps(event).encode(),
                    [STRUCTURED, *headers],
                )
                for event in events
            ],
            key=key,
            partition=partition,
        )

    def send_raw(
        self,
        records: Iterable[tuple[bytes | None, bytes | None, Headers]],
        *,
        key: str = scenario.ADAPTER,
        partition: int | None = 0,
    ) -> None:
        """Send records (key, value, headers) as they are; each is acknowledged."""
        servers = self.settings.kafka.split(",")
        with closing(
            KafkaProducer(bootstrap_servers=servers, linger_ms=5, acks="all")
        ) as producer:
            sent = [
                producer.send(
                    self.topics[key],
                    key=name,
                    value=value,
                    headers=list(headers),
                    partition=partition,
                )
                for name, value, headers in records
            ]
            producer.flush()
            for future in sent:
                future.get(timeout=0)

    def dead(self, count: int, *, key: str = scenario.ADAPTER) -> list[Any]:
        """Return the first dead letters of a key, once there are ``count``."""
        return self._read(f"{self.topics[key]}.dead", count)

    def receipted(self, count: int) -> list[Any]:
        """Return the first receipts, once there are ``count``."""
        return self._read(self.receipts, count)

    def proves(self, receipt: str, entry: bytes) -> int:
        """Verify a receipt with nothing but the public key; return the tree's size."""
        verifier = Verifier.from_vkey(self.keys.vkeys[0])
        return verify_receipt(receipt, entry, [verifier], self.keys.origin).size

    def rows(self, source: str | None = None) -> list[Row]:
        """Return the entries of a source, or all but the groundwork's, in order."""
        with closing(open_store(self.settings)) as store:
            rows: list[Row] = []
            while page := store.select(
                Selection(after=rows[-1].position if rows else 0), limit=1_000
            ):
                rows += page
        return [row for row in rows if source in {None, row.source}]

    def ids(self, source: str) -> list[str]:
        """Return the ids of a source's entries, in order of the log."""
        return [row.id for row in self.rows(source)]

    def await_done(self, *, key: str = scenario.ADAPTER) -> None:
        """Return when the offsets of all that was sent to a topic are committed."""
        topic = self.topics[key]
        with closing(
            open_consumer(connection_of(self.settings), name="test", group=self.group)
        ) as consumer:
            numbers = consumer.partitions_for_topic(topic)
            places = [TopicPartition(topic, number) for number in numbers]
            ends = consumer.end_offsets(places)
            until(lambda: _open(consumer, ends) == {}, "offsets are committed")

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of the samples with these labels, as they are scraped."""
        url = f"http://127.0.0.1:{self.settings.metrics_port}/metrics"
        with urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def sound(self) -> None:
        """Verify the log, and that it holds no submission twice."""
        with closing(open_store(self.settings)) as store:
            report = verify_store(store, Trust(self.keys.origin, (self.keys.vkeys[0],)))
        assert report.ok, report
        names = [(row.source, row.id) for row in self.rows()]
        assert len(names) == len(set(names))

    def _read(self, topic: str, count: int) -> list[Any]:
        found: list[Any] = []
        with closing(
            open_consumer(connection_of(self.settings), name="test")
        ) as consumer:
            consumer.assign([TopicPartition(topic, 0)])
            until(
                lambda: len(found.extend(_polled(consumer)) or found) >= count,
                f"{count} records on {topic}",
            )
        return found


def prepared(
    cluster: Cluster,
    folder: Path,
    *,
    keys: Iterable[str] = (scenario.ADAPTER,),
    partitions: int = 1,
    more: Iterable[scenario.Event] = (),
    **changed: Any,
) -> Place:
    """Open a ledger with the scenario's groundwork and more, a topic for each key."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex[:8]
    topics = {key: cluster.new_topic(partitions) for key in keys}
    settings = Settings(
        data_dir=folder,
        origin=scenario.ORIGIN,
        kafka=cluster.bootstrap,
        ingest_topics=str(folder / "topics.toml"),
        **changed,
    )
    tables = "".join(
        f'[[topic]]\nname = "{name}"\nkey = "{key}"\nreceipts = "receipts-{mark}"\n'
        for key, name in topics.items()
    )
    Path(settings.ingest_topics).write_text(f'group = "group-{mark}"\n{tables}')
    with open_ledger(settings) as ledger:
        for event in (*scenario.groundwork(), *more):
            ledger.submit_as_operator(event)
    return Place(settings, ledger.keys, f"group-{mark}", topics, f"receipts-{mark}")


def until(holds: Callable[[], bool], what: str) -> None:
    """Return when a condition holds; fail if it does not within the time allowed."""
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def header(record: Any, name: str) -> bytes | None:
    """Return the one header of a record with this name."""
    (value,) = [text for given, text in record.headers if given == name]
    return value


def problem(letter: Any) -> dict[str, Any]:
    """Return the problem document of a dead letter."""
    return json.loads(header(letter, "henji_problem"))


def _open(consumer: KafkaConsumer, ends: Mapping[TopicPartition, int]) -> Any:
    return {
        place: end
        for place, end in ends.items()
        if end and (consumer.committed(place) or 0) < end
    }


def _polled(consumer: KafkaConsumer) -> list[Any]:
    pages = consumer.poll(timeout_ms=100).values()
    return [record for page in pages for record in page]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
