"""A log as its topic: what tests of remote read models publish, and compare with.

The relay's own code makes the records, so that a test can leave one out, repeat or spoil
it. No fixture and no assertion belongs here.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from events.records import Link, Mark, Record, of_entry, of_mark
from events.store import Row
from projections.sqlite import SqliteViews
from projections.views import Views
from services.kafka.connection import Connection
from services.kafka.partitions import partition_of
from services.kafka.publisher import KafkaPythonPublisher
from services.remote import opening
from services.settings import Settings, as_environment
from services.wiring import OPENED
from tests.projections.logs import Log
from tests.projections.states.kinds import projected, random_kinds, stored
from tests.projections.tables_dump import dump
from tests.support.brokers import Cluster

ORIGIN = "example.org/log"
PARTITIONS = 3
_SECONDS = 40.0


@dataclass
class Outlet:
    """Publishes entries of a log to a topic, each after the one before it."""

    connection: Connection
    topic: str
    ledger: str = ORIGIN
    previous: list[int] = field(default_factory=lambda: [0] * PARTITIONS)

    def records(self, rows: Sequence[Row]) -> list[tuple[int, Record]]:
        """Return the next records, by partition; what they name is remembered."""
        made = []
        for row in rows:
            number = partition_of(row.stream.encode(), PARTITIONS)
            link = Link(self.ledger, row.position, self.previous[number], row.leaf)
            record = of_entry(row.entry, stream=row.stream, link=link, mode="binary")
            made.append((number, record))
            self.previous[number] = row.position
        return made

    def marks(self, through: int) -> list[tuple[int, Record]]:
        """Return marks of progress for every partition."""
        mark = Mark(self.ledger, through, b"\0" * 32, PARTITIONS)
        return [
            (n, of_mark(mark, partition=n, mode="binary")) for n in range(PARTITIONS)
        ]

    def send(self, records: Sequence[tuple[int, Record]]) -> None:
        """Publish records."""
        with contextlib.closing(
            KafkaPythonPublisher(self.connection, name="test")
        ) as to:
            for number, record in records:
                to.send(self.topic, record, partition=number)
            to.flush()

    def publish(self, rows: Sequence[Row]) -> None:
        """Publish rows, and that they are all there is."""
        self.send(self.records(rows) + self.marks(rows[-1].position))


@dataclass
class Place:
    """A topic, and read models of it in a folder, or in a PostgreSQL database."""

    settings: Settings
    outlet: Outlet

    @contextlib.contextmanager
    def working(self) -> Iterator[Views]:
        """Run a worker in a thread; yield its read models. What it raised is raised."""
        stop, raised = threading.Event(), []
        thread = threading.Thread(target=_run, args=(self.settings, stop, raised))
        thread.start()
        try:
            with self.views() as views:
                yield views
        finally:
            stop.set()
            thread.join(_SECONDS)
        if raised:
            raise raised[0]

    @contextlib.contextmanager
    def views(self) -> Iterator[Views]:
        """Open the read models beside whoever works on them."""
        with contextlib.closing(opened_views(self.settings)) as views:
            yield views

    def process(self) -> subprocess.Popen[bytes]:
        """Start a worker as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "services", "work", "project", "--from", "kafka"],
            env={**os.environ, **as_environment(self.settings)},
        )


def place(cluster: Cluster, folder: Path, *, views_url: str = "") -> Place:
    """Return a fresh topic, and nothing folded of it."""
    topic = cluster.new_topic(PARTITIONS)
    settings = Settings(
        data_dir=folder,
        origin=ORIGIN,
        kafka=cluster.bootstrap,
        kafka_topic=topic,
        views_url=views_url,
    )
    connection = Connection(tuple(cluster.bootstrap.split(",")))
    return Place(settings, Outlet(connection, topic))


def opened_views(settings: Settings) -> Views:
    """Open the read models of settings, creating what they need."""
    opening.prepare_views(settings)
    return opening.open_views(settings)


def sealed(seed: int, *, length: int) -> list[Row]:
    """Return the entries of a random log of all kinds, with their leaf hashes."""
    log = Log()
    log.add(
        f"ledger/{ORIGIN}",
        OPENED,
        {"origin": ORIGIN, "vkeys": [f"{ORIGIN}+00000000+AAAA"]},
    )
    random_kinds(seed, length=length, streams=4, log=log)
    return stored(log).rows(after=0, limit=length)


def of_the_log(
    rows: Sequence[Row], folder: Path
) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of read models that were folded from the log itself."""
    with contextlib.closing(SqliteViews(folder / f"log-{len(rows)}.db")) as views:
        projected(Log(rows), views)
        return dump(views)


def until(condition: Callable[[], bool], seconds: float = _SECONDS) -> None:
    """Return when a condition holds; ``TimeoutError``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def _run(
    settings: Settings, stop: threading.Event, raised: list[BaseException]
) -> None:
    try:
        opening.work(settings, stop)
    except BaseException as error:  # noqa: BLE001 - handed to the test
        raised.append(error)
