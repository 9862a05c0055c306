"""Two ways to publish a batch: at least once, and exactly once.

Rules of this file: the order of steps within one batch, and what a crash after each
leaves. What is published, and who may, is the worker's part.

At least once: send all, wait for all acknowledgements; then the worker notes the
position. A crash between the two publishes the batch again.

Exactly once: one Kafka transaction holds the batch and, on a compacted topic beside,
the position that it leads to. Either readers see both or neither; the note in the
database is only for those who look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec
from kafka import KafkaConsumer, TopicPartition

from events.errors import Unavailable
from events.records import Record
from services.kafka.clients import open_consumer, translated
from services.kafka.connection import Connection
from services.kafka.opening import Client, open_publisher
from services.kafka.publisher import Publisher

_NAME: Final = "relay"
#: No answer for so many polls of a second: the brokers are away.
_PATIENCE: Final = 10


class Bookmark(msgspec.Struct, frozen=True):
    """How far a topic is: the last position on it, and the last in each partition."""

    position: int
    previous: tuple[int, ...]

    @property
    def partitions(self) -> int:
        """Return how many partitions the topic had when it was begun."""
        return len(self.previous)


class Outgoing(NamedTuple):
    """A record and the partition that it belongs to."""

    partition: int
    record: Record


class Delivery(Protocol):
    """Errors as ``Publisher``; after one, it is closed and another one is opened."""

    def partitions(self) -> int:
        """Return how many partitions the topic has now."""

    def resume(self, noted: Bookmark | None) -> Bookmark | None:
        """Return where to go on, given the last note; None: nothing was published."""

    def publish(self, records: Sequence[Outgoing], reached: Bookmark) -> None:
        """Publish records that lead to a bookmark; return when they are safe."""

    def close(self) -> None:
        """Let go of the brokers."""


class AtLeastOnce:
    """Published when acknowledged; the note comes after."""

    def __init__(self, publisher: Publisher, topic: str) -> None:
        self._publisher = publisher
        self._topic = topic

    def partitions(self) -> int:
        """Return how many partitions the topic has now."""
        return self._publisher.partitions(self._topic)

    def resume(self, noted: Bookmark | None) -> Bookmark | None:
        """Go on where the last note says."""
        return noted

    def publish(self, records: Sequence[Outgoing], reached: Bookmark) -> None:  # noqa: ARG002
        """Send all, and wait for all."""
        for partition, record in records:
            self._publisher.send(self._topic, record, partition=partition)
        self._publisher.flush()

    def close(self) -> None:
        """Let go of the brokers."""
        self._publisher.close()


class ExactlyOnce:
    """Published in transactions that carry their own position."""

    def __init__(
        self,
        publisher: Publisher,
        topic: str,
        *,
        ledger: str,
        last_position: Callable[[], bytes | None],
    ) -> None:
        """``publisher`` is transactional: opening it has fenced all before it.

        ``last_position`` reads the newest committed record of this ledger beside.
        """
        self._publisher = publisher
        self._topic = topic
        self._key = position_key(ledger, topic)
        self._last_position = last_position

    def partitions(self) -> int:
        """Return how many partitions the topic has now."""
        return self._publisher.partitions(self._topic)

    def resume(self, noted: Bookmark | None) -> Bookmark | None:
        """Go on behind the last transaction, or the note where that is further on."""
        last = self._last_position()
        if last is None:
            return noted
        committed = msgspec.json.decode(last, type=Bookmark)
        # The topic may have gone on in the other way since.
        behind = noted is None or noted.position <= committed.position
        return committed if behind else noted

    def publish(self, records: Sequence[Outgoing], reached: Bookmark) -> None:
        """Send all and the position in one transaction."""
        self._publisher.begin()
        for partition, record in records:
            self._publisher.send(self._topic, record, partition=partition)
        position = Record(self._key, msgspec.json.encode(reached), [])
        self._publisher.send(position_topic(self._topic), position, partition=0)
        self._publisher.commit()

    def close(self) -> None:
        """Let go of the brokers; a transaction under way is aborted by the next."""
        self._publisher.close()


def position_topic(topic: str) -> str:
    """Return the name of the compacted topic of positions beside a topic."""
    return f"{topic}.position"


def position_key(ledger: str, topic: str) -> bytes:
    """Return the key of a relay's positions; ledgers may share a topic of them."""
    return f"{ledger} {topic}".encode()


def at_least_once(connection: Connection, topic: str, *, client: Client) -> AtLeastOnce:
    """Connect to publish at least once."""
    return AtLeastOnce(open_publisher(connection, client=client, name=_NAME), topic)


def exactly_once(
    connection: Connection, topic: str, *, client: Client, ledger: str
) -> ExactlyOnce:
    """Connect to publish exactly once; whoever did so before is fenced from now on."""
    publisher = open_publisher(
        connection,
        client=client,
        name=_NAME,
        transactional_id=f"henji-relay {ledger} {topic}",
    )

    def last_position() -> bytes | None:
        key = position_key(ledger, topic)
        return newest(connection, position_topic(topic), key=key)

    return ExactlyOnce(publisher, topic, ledger=ledger, last_position=last_position)


def newest(connection: Connection, topic: str, *, key: bytes) -> bytes | None:
    """Return the newest committed value of a key on a topic of one partition.

    It reads to the end as it is now. What an open transaction of another hides may be
    newer: ``Unavailable('kafka_unavailable')`` until that one has ended.
    """
    # Its end, unlike that of committed records only, is behind every transaction.
    end = _end(connection, topic)
    with translated():
        consumer = open_consumer(connection, name=_NAME)
        try:
            return _last(consumer, TopicPartition(topic, 0), key=key, end=end)
        finally:
            consumer.close()


def _end(connection: Connection, topic: str) -> int:
    place = TopicPartition(topic, 0)
    with translated():
        consumer = open_consumer(
            connection, name=_NAME, isolation_level="read_uncommitted"
        )
        try:
            return int(consumer.end_offsets([place])[place])
        finally:
            consumer.close()


def _last(
    consumer: KafkaConsumer, place: TopicPartition, *, key: bytes, end: int
) -> bytes | None:
    found: bytes | None = None
    consumer.assign([place])
    consumer.seek_to_beginning(place)
    silent = 0
    while consumer.position(place) < end:
        page = consumer.poll(timeout_ms=1_000).get(place, [])
        silent = 0 if page else silent + 1
        if silent > _PATIENCE:
            raise Unavailable("kafka_unavailable", f"{place.topic} cannot be read")
        for record in page:
            if record.key == key:
                found = record.value
    return found
