"""Publishing records so that each is acknowledged: the contract, and kafka-python's.

Rules of this file: what is sent, and where, is the caller's. Everything may block:
never on an event loop. After any error a publisher is of no more use: close it, and go
on with a new one from what is known to be published.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from kafka.errors import KafkaError

from events.errors import Unavailable
from events.records import Record
from services.kafka.clients import open_producer, translated
from services.kafka.connection import Connection

#: kafka-python has no bound of its own on what waits to be sent.
_MOST_BYTES: Final = 8 * 1024 * 1024
_FLUSH_SECONDS: Final = 40.0
_CLOSE_SECONDS: Final = 5.0


class Publisher(Protocol):
    """Methods raise ``Unavailable('kafka_unavailable')``, ``Refused('kafka_refused')``
    where it is permanent, and ``Conflict('kafka_fenced')`` once another publisher with
    the same transactional id has started.
    """

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has, as was last heard."""

    def send(self, topic: str, record: Record, *, partition: int | None) -> None:
        """Send a record after all that were sent to the same partition before.

        Without ``partition`` the key chooses it. Waits while too much is under way.
        """

    def flush(self) -> None:
        """Wait until all that was sent is acknowledged by all replicas in sync."""

    def begin(self) -> None:
        """Begin a transaction: readers see all of it at once, or never."""

    def commit(self) -> None:
        """Commit it. After an error it is not known whether it was."""

    def abort(self) -> None:
        """Abort it."""

    def close(self) -> None:
        """Let go of the brokers, without waiting for those that do not answer."""


class KafkaPythonPublisher:
    """A publisher on kafka-python: idempotent, acks=all, in order per partition."""

    def __init__(
        self,
        connection: Connection,
        *,
        name: str,
        transactional_id: str | None = None,
    ) -> None:
        """Connect. With a transactional id, fence whoever had it before."""
        self._under_way: list[Any] = []
        self._bytes = 0
        with translated():
            self._producer = open_producer(
                connection, name=name, transactional_id=transactional_id
            )
            if transactional_id is not None:
                self._initialise()

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has."""
        with translated():
            return len(self._producer.partitions_for(topic))

    def send(self, topic: str, record: Record, *, partition: int | None) -> None:
        """Send one record."""
        with translated():
            future = self._producer.send(
                topic,
                key=record.key,
                value=record.value,
                headers=record.headers,
                partition=partition,
            )
        self._under_way.append(future)
        self._bytes += len(record.value) + sum(len(text) for _, text in record.headers)
        if self._bytes > _MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Wait for all acknowledgements; raises the first that failed."""
        sent, self._under_way, self._bytes = self._under_way, [], 0
        with translated():
            self._producer.flush(timeout=_FLUSH_SECONDS)
            for future in sent:
                future.get(timeout=0)

    def begin(self) -> None:
        """Begin a transaction."""
        with translated():
            self._producer.begin_transaction()

    def commit(self) -> None:
        """Commit the transaction; what it holds is acknowledged first."""
        self.flush()
        _in_time(self._producer.commit_transaction)

    def abort(self) -> None:
        """Abort the transaction."""
        self._under_way, self._bytes = [], 0
        _in_time(self._producer.abort_transaction)

    def close(self) -> None:
        """Close the producer; what was not acknowledged is given up.

        Closed politely, it would go on sending for as long as the brokers are away, and
        what it sends then would come behind what another publisher has sent since.
        """
        # kafka-python has no public way to say so.
        self._producer._sender.force_close()  # noqa: SLF001
        with suppress(KafkaError):
            self._producer.close(timeout=_CLOSE_SECONDS)

    def _initialise(self) -> None:
        try:
            self._producer.init_transactions()
        except BaseException:
            self.close()
            raise


def _in_time(finish: Callable[[], None]) -> None:
    """End a transaction; kafka-python would wait for ever for brokers that are away."""
    outcome: SimpleQueue[Exception | None] = SimpleQueue()

    def run() -> None:
        try:
            finish()
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits
            outcome.put(error)
        else:
            outcome.put(None)

    threading.Thread(target=run, name="transaction", daemon=True).start()
    try:
        error = outcome.get(timeout=_FLUSH_SECONDS)
    except Empty as cause:
        raise Unavailable("kafka_unavailable", "a transaction did not end") from cause
    if error is not None:
        with translated():
            raise error
