"""Sending dead letters and receipts, each acknowledged by the brokers.

Rules of this file: a publisher that failed is replaced. What is sent again after a
failure may be there twice; it has the same offset in its headers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from events import errors
from events.records import Record
from services.ingest.records import Reply
from services.kafka.partitions import partition_of
from services.kafka.publisher import Publisher


class Replies:
    """Where answers go. ``connect`` gives a publisher; it is asked when needed."""

    def __init__(self, connect: Callable[[], Publisher]) -> None:
        self._connect = connect
        self._publisher: Publisher | None = None

    def send(self, replies: Sequence[Reply]) -> None:
        """Return once the brokers have every reply.

        ``Unavailable`` otherwise, also where an operator has to act first (a topic that
        this worker may not write to): an answer is never left out.
        """
        try:
            publisher = self._publisher = self._publisher or self._connect()
            topics = {reply.topic for reply in replies}
            counts = {topic: publisher.partitions(topic) for topic in topics}
            for topic, record in replies:
                partition = _partition(record, counts[topic])
                publisher.send(topic, record, partition=partition)
            publisher.flush()
        except errors.HenjiError as error:
            self.close()
            raise errors.Unavailable(error.code, error.detail) from error

    def close(self) -> None:
        """Let the publisher go. Idempotent; the next reply connects anew."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()


def _partition(record: Record, partitions: int) -> int | None:
    """Return where a record belongs: by its key, as the client itself would choose.

    Keys come again, and ours are remembered: the client hashes each one in Python.
    """
    return None if record.key is None else partition_of(record.key, partitions)
