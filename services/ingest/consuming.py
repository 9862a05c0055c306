"""One worker's part of the topics: taking records, keeping in the group, committing.

Rules of this file: offsets and partitions; it knows nothing of events. One thread uses
it. The client calls the listener from its own thread, but only while this one polls.

A partition is held for a **tenure**: from being assigned until it is revoked or lost.
What was taken in a tenure is committed in that tenure or never; whoever has the
partition next reads it again, and the log knows it again. The broker fences as well: it
refuses offsets of a member whose generation is over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import NamedTuple

from kafka import (
    ConsumerRebalanceListener,
    KafkaConsumer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka.errors import CorruptRecordError, KafkaError

from events import errors
from services.ingest.records import Incoming, Unreadable
from services.kafka.clients import as_ours

_COMMIT_MS = 5_000
_ASK_MS = 1_000
_PROBE_MS = 2_000
_ANY_EPOCH = -1


class Portion(NamedTuple):
    """Records of one partition, in order, and the tenure that they were taken in."""

    partition: TopicPartition
    tenure: int
    records: list[Incoming]

    @property
    def through(self) -> int:
        """Return the offset that is committed once all of it is done."""
        return self.records[-1].offset + 1


class Tenures(ConsumerRebalanceListener):  # type: ignore[misc]
    """Which partitions are held, each in its how-manieth tenure.

    It only notes: a listener that waited would keep the client from its heartbeats.
    """

    def __init__(self) -> None:
        self._count = 0
        self.held: dict[TopicPartition, int] = {}

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin a tenure of each."""
        for partition in assigned:
            self._count += 1
            self.held[partition] = self._count

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """End their tenures."""
        for partition in revoked:
            self.held.pop(partition, None)

    on_partitions_lost = on_partitions_revoked


class Inflow:
    """The partitions that this worker holds. Errors of the broker are ``Unavailable``.

    At most ``max_records`` are taken at once; the client fetches no further than one
    answer of each broker ahead, so that a slow log costs no memory. ``probe`` gives a
    consumer without a group.
    """

    def __init__(
        self,
        consumer: KafkaConsumer,
        topics: Collection[str],
        *,
        max_records: int,
        probe: Callable[[], KafkaConsumer],
    ) -> None:
        self._consumer = consumer
        self._max_records = max_records
        self._probe = probe
        self._tenures = Tenures()
        self._owed: dict[TopicPartition, tuple[int, int]] = {}
        self._open: dict[TopicPartition, tuple[int, int]] = {}
        consumer.subscribe(topics, listener=self._tenures)

    def take(self, *, seconds: float) -> list[Portion]:
        """Return what there is, waiting up to ``seconds`` for the first record.

        ``Corrupt('kafka_record_corrupt')``: the broker's copy of a record is damaged.
        """
        self._consumer.resume(*self._consumer.paused())
        try:
            found = self._poll(seconds)
        except CorruptRecordError as error:
            found = self._stumbled(error)
        held = self._tenures.held
        portions = [
            Portion(key, held[key], rows) for key, rows in found.items() if key in held
        ]
        for portion in portions:
            self._open[portion.partition] = (portion.tenure, portion.records[0].offset)
        return portions

    def linger(self, *, seconds: float) -> None:
        """Stay in the group without taking anything."""
        self._consumer.pause(*self._consumer.assignment())
        for partition, records in self._poll(seconds).items():
            # Assigned just now, so not paused yet: it is read again.
            self._consumer.seek(partition, records[0].offset)

    def holds(self, portion: Portion) -> bool:
        """Tell whether a portion is still this worker's to answer for."""
        return self._tenures.held.get(portion.partition) == portion.tenure

    def done(self, portions: Iterable[Portion]) -> None:
        """Owe the offsets of what is in the log and answered."""
        for portion in portions:
            through = (portion.tenure, portion.through)
            self._owed[portion.partition] = self._open[portion.partition] = through

    def settle(self) -> bool:
        """Commit what is owed and still held; say whether anything was committed.

        ``Unavailable``: it stays owed. A crash before leaves records to be read again,
        and found in the log.
        """
        held = self._tenures.held
        owed = {
            partition: OffsetAndMetadata(offset, "", _ANY_EPOCH)
            for partition, (tenure, offset) in self._owed.items()
            if held.get(partition) == tenure
        }
        if not owed:
            self._owed = {}
            return False
        with _translated():
            self._consumer.commit(owed, timeout_ms=_COMMIT_MS)
        self._owed = {}
        return True

    def lag(self) -> Mapping[TopicPartition, int]:
        """Return how many offsets each partition held has that are not done.

        Asks the broker: also while nothing is fetched, it is what waits there.
        """
        held = self._tenures.held
        with _translated():
            ends = self._consumer.end_offsets(list(held), timeout_ms=_ASK_MS)
            return {
                partition: max(0, end - self._first_open(partition))
                for partition, end in ends.items()
            }

    def _first_open(self, partition: TopicPartition) -> int:
        tenure, offset = self._open.get(partition, (0, 0))
        if tenure == self._tenures.held[partition]:
            return offset
        return self._consumer.position(partition, timeout_ms=_ASK_MS) or 0

    def _stumbled(
        self, error: CorruptRecordError
    ) -> Mapping[TopicPartition, list[Incoming]]:
        """Return, as ``Unreadable``, the record that the client cannot take apart.

        It does not say which one, and polled once more it would not return: so every
        partition is tried from where it stands, and the one at fault is moved on. What
        its producer put behind it into the same batch cannot be reached either, and is
        told of in the same way, one by one.
        """
        with suppress(errors.Unavailable):
            for partition in tuple(self._tenures.held):
                offset, fault = self._fault(partition)
                if fault is not None and "crc" not in str(fault):
                    self._consumer.seek(partition, offset + 1)
                    return {partition: [_unreadable(partition, offset, fault)]}
        # Skipping what a disk has damaged would lose it. A new process asks again.
        raise errors.Corrupt("kafka_record_corrupt", str(error)) from error

    def _fault(
        self, partition: TopicPartition
    ) -> tuple[int, CorruptRecordError | None]:
        """Return where a partition stands, and what is wrong with the record there."""
        with _translated(), closing(self._probe()) as probe:
            offset: int = self._consumer.position(partition, timeout_ms=_ASK_MS)
            probe.assign([partition])
            probe.seek(partition, offset)
            try:
                probe.poll(timeout_ms=_PROBE_MS, max_records=1)
            except CorruptRecordError as error:
                return offset, error
        return offset, None

    def _poll(self, seconds: float) -> Mapping[TopicPartition, list[Incoming]]:
        with _translated():
            found: Mapping[TopicPartition, list[Incoming]] = self._consumer.poll(
                timeout_ms=int(seconds * 1_000), max_records=self._max_records
            )
        return found


def _unreadable(
    partition: TopicPartition, offset: int, fault: CorruptRecordError
) -> Incoming:
    return Unreadable(partition.topic, partition.partition, offset, str(fault))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except CorruptRecordError:
        raise
    except KafkaError as error:
        # Also what an operator has to mend: meanwhile the records wait in the topic.
        ours = as_ours(error)
        raise errors.Unavailable(ours.code, ours.detail) from error
