"""After a scenario: is the log sound, and do log, read models and topic agree?

Rules of this file: it counts and compares with its own means; soundness is judged by
``henji verify`` as an operator runs it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import msgspec
from kafka import TopicPartition

from benchmarks.scale.deployment import Deployment
from events.records import Relayed, read
from services.kafka.clients import open_consumer
from services.kafka.connection import connection_of
from services.settings import Settings, as_environment


class Audit(msgspec.Struct, kw_only=True):
    """What was found. ``topic`` is the number of entries that are on it, each once.

    None where nobody relays. ``doubled`` are records that came twice.
    """

    verified: bool
    expected: int
    log: int
    read_models: int | None
    topic: int | None
    doubled: int = 0

    @property
    def ok(self) -> bool:
        """Say whether the log is sound and everything has all of it."""
        counts = {self.expected, self.log, self.read_models, self.topic} - {None}
        return self.verified and len(counts) == 1


def audit(
    deployment: Deployment, *, expected: int, log: int, read_models: int | None
) -> Audit:
    """Audit a deployment at rest; sizes are as the stores have told them."""
    positions = list(_relayed(deployment)) if deployment.scenario.relays else None
    return Audit(
        verified=_verified(deployment.settings),
        expected=expected,
        log=log,
        read_models=read_models,
        topic=None if positions is None else _gapless(positions),
        doubled=0 if positions is None else len(positions) - len(set(positions)),
    )


def _verified(settings: Settings) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "services", "verify"],
        env=as_environment(settings),
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def _gapless(positions: Iterable[int]) -> int:
    """Return up to which position there is every one; -1 where one is missing."""
    found = set(positions)
    return len(found) if found == set(range(1, len(found) + 1)) else -1


def _relayed(deployment: Deployment) -> Iterator[int]:
    """Yield the positions on the topic, whose records have the hashes that they say."""
    topic = deployment.topics.relayed
    connection = connection_of(deployment.settings)
    with closing(open_consumer(connection, name="audit")) as consumer:
        numbers = consumer.partitions_for_topic(topic)
        places = [TopicPartition(topic, number) for number in numbers]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends: dict[Any, int] = consumer.end_offsets(places)
        while any(consumer.position(place) < end for place, end in ends.items()):
            for page in consumer.poll(timeout_ms=1_000).values():
                for record in page:
                    told = read(record.headers, record.value)
                    if isinstance(told, Relayed):
                        yield told.link.position
