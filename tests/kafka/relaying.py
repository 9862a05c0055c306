"""What the tests of the relay share: a ledger that grows, and an audit of its topic.

``audit`` knows nothing of the relay: it reads the topic as any consumer may, and
compares it with the log, byte for byte.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from kafka import TopicPartition

from events import gate
from events.cloudevents import accept
from events.records import Mark, Relayed, read
from events.store import Store
from events.submissions import Request, prepare
from services.kafka.clients import open_consumer
from services.kafka.connection import Connection
from services.settings import Settings, as_environment
from services.wiring import Ledger
from tests.support import scenario

ROOT = Path(__file__).parents[2]
STREAMS = 23


@dataclass
class Book:
    """An open ledger, the settings of a relay of it, and a way to let it grow."""

    ledger: Ledger
    settings: Settings
    events: int = 0

    @property
    def store(self) -> Store:
        """Return the log."""
        return self.ledger.store

    @property
    def size(self) -> int:
        """Return the size of the log."""
        return self.store.head().size

    def grow(self, count: int, **attributes: Any) -> None:
        """Append events to several streams, sealed as one batch."""
        numbers = range(self.events, self.events + count)
        self.events += count
        items = [
            prepare(
                accept(
                    scenario.external(number, subject=f"case-{number % STREAMS}")
                    | attributes
                )
            )
            for number in numbers
        ]
        answers: SimpleQueue[Any] = SimpleQueue()
        grant = gate.system_grant()
        self.ledger.sequencer.submit(
            Request(items, scenario.ADAPTER, answers.put, grant=grant)
        )
        ((_, results),) = answers.get()
        for one in results:
            if isinstance(one, Exception):
                raise one


@dataclass
class Found:
    """What is on a topic: by partition, in order."""

    pages: list[list[Relayed | Mark]]
    keys: list[list[bytes | None]]
    seen: Counter[int] = field(init=False)

    def __post_init__(self) -> None:
        """Count how often each position is there."""
        self.seen = Counter(one.link.position for one in self.relayed())

    def relayed(self) -> list[Relayed]:
        """Return all entries, partition by partition."""
        return [one for page in self.pages for one in page if isinstance(one, Relayed)]

    def marks(self, partition: int) -> list[Mark]:
        """Return the marks of one partition."""
        return [one for one in self.pages[partition] if isinstance(one, Mark)]

    @property
    def doubled(self) -> int:
        """Return how many records are there again."""
        return self.seen.total() - len(self.seen)


def on_topic(
    connection: Connection, topic: str, *, isolation: str = "read_committed"
) -> Found:
    """Read a whole topic, as it is to those who see committed records only."""
    consumer = open_consumer(connection, name="audit", isolation_level=isolation)
    raw = open_consumer(connection, name="end", isolation_level="read_uncommitted")
    try:
        numbers = sorted(consumer.partitions_for_topic(topic))
        places = [TopicPartition(topic, number) for number in numbers]
        ends = raw.end_offsets(places)
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        found = {place: [] for place in places}
        while any(consumer.position(place) < ends[place] for place in places):
            for place, page in consumer.poll(timeout_ms=200).items():
                found[place] += page
    finally:
        consumer.close()
        raw.close()
    return Found(
        [[read(one.headers, one.value) for one in found[place]] for place in places],
        [[one.key for one in found[place]] for place in places],
    )


def audit(store: Store, found: Found) -> None:
    """Assert that a topic holds the log: nothing missing, nothing changed, in order."""
    log = {row.position: row for row in store.iter_entries()}
    assert set(found.seen) == set(log)
    assert {one.link.position: one.entry for one in found.relayed()} == {
        position: row.entry for position, row in log.items()
    }
    for page, keys in zip(found.pages, found.keys, strict=True):
        _audit_partition(page, keys, log)
    homes: dict[bytes | None, set[int]] = {}
    for number, keys in enumerate(found.keys):
        for key in set(keys) - {None}:
            homes.setdefault(key, set()).add(number)
    assert all(len(one) == 1 for one in homes.values())


def _audit_partition(page, keys, log) -> None:
    """Follow one partition as its consumer: drop what was seen, miss nothing."""
    last = 0
    for one, key in zip(page, keys, strict=True):
        if isinstance(one, Mark):
            # All that belongs here up to the mark was there before it.
            ours = {row.position for row in log.values() if row.stream.encode() in keys}
            assert max((n for n in ours if n <= one.through), default=0) <= last
            continue
        row = log[one.link.position]
        assert (key, one.link.leaf) == (row.stream.encode(), row.leaf)
        if one.link.position > last:
            assert one.link.previous == last
            last = one.link.position


def wait_for(condition, *, seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextlib.contextmanager
def processes(settings: Settings, count: int, mode: str = "plain"):
    """Run relays in processes of their own; kill whichever is left at the end."""
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.kafka.relay_process", mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # What has not been asked for stays in the pipe.
            cwd=ROOT,
            env=as_environment(settings),
        )
        for _ in range(count)
    ]
    try:
        for process in started:
            assert process.stdout.readline() == b"ready\n"
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


def leading(started):
    """Return the relays that live and have said that they lead."""
    alive = [one for one in started if one.poll() is None]
    told, _, _ = select.select([one.stdout for one in alive], [], [], 0)
    return [one for one in alive if one.stdout in told]
