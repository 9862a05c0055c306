"""The ingest worker: a loop from topics into the log, and from the log to the answers.

Rules of this file: the order of steps and what a crash after each leaves.

    1  take a batch               crash: nothing has happened
    2  parse and submit it,       crash: what is in the log is found there again
       wait for the commit
    3  send dead letters and      crash: some are sent again, with the same offset in
       receipts, wait until the   their headers
       broker has all of them
    4  commit the offsets         crash before: as after 3; after: done

Nothing is skipped: what cannot be done now holds its partitions until it can. Nothing
doubles: the log holds an event of one (``source``, ``id``) once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from events import errors
from events.submissions import Accepted, Prepared
from services.ingest import records
from services.ingest.appending import ENDED, Appender, InHand
from services.ingest.consuming import Inflow, Portion
from services.ingest.metrics import IngestMetrics
from services.ingest.records import Reply
from services.ingest.topics import Topic

_TAKE_SECONDS = 0.5
_FIRST_REST, _LONGEST_REST = 0.1, 2.0


class Outflow(Protocol):
    """Where answers go."""

    def send(self, replies: Sequence[Reply]) -> None:
        """Return once the broker has every reply; ``Unavailable`` otherwise."""


class Parts(NamedTuple):
    """What a worker works with. ``receipt_of`` gives the receipt of an acceptance."""

    topics: dict[str, Topic]
    inflow: Inflow
    appender: Appender
    outflow: Outflow
    receipt_of: Callable[[Accepted], str]
    refused: Callable[[InHand, errors.HenjiError], None]
    now_text: Callable[[], str]
    metrics: IngestMetrics


@dataclass(frozen=True, slots=True)
class Batch:
    """The records in hand, by the portions that they were taken in."""

    portions: Sequence[tuple[Portion, list[InHand]]]

    @property
    def records(self) -> list[InHand]:
        """Return all of them: in order within each partition."""
        return [one for _, rows in self.portions for one in rows]


class Worker:
    """One of any number of ingest workers of a ledger."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Step until ``stop`` is set.

        ``Unavailable('sequencer_stopped')``, ``Corrupt``: only a new process can go on.
        """
        self._stop = stop
        rest = _FIRST_REST
        while not stop.is_set():
            try:
                self.step()
                self._parts.metrics.paused(yes=False)
                rest = _FIRST_REST
            except errors.Unavailable as error:
                self._failed(error)
                self._rest(rest)
                rest = min(2 * rest, _LONGEST_REST)

    def step(self) -> int:
        """Bring one batch into the log and answer it; return its number of records.

        ``Unavailable``: the brokers cannot be reached, and nothing is in hand.
        """
        inflow, metrics = self._parts.inflow, self._parts.metrics
        metrics.look(inflow)
        portions = inflow.take(seconds=_TAKE_SECONDS)
        if not portions:
            self._settle()
            return 0
        with metrics.batch_seconds.time():
            batch = Batch([(part, self._read(part)) for part in portions])
            count = len(batch.records)
            batch = self._until_done(self._parts.appender.append, batch)
            batch = self._until_done(self._answer, batch)
            self._finish(batch)
        return count

    def _read(self, portion: Portion) -> list[InHand]:
        topic = self._parts.topics[portion.partition.topic]
        limit = topic.max_record_bytes
        return [
            InHand(record, topic, records.read(record, limit=limit))
            for record in portion.records
        ]

    def _until_done(
        self, do: Callable[[Sequence[InHand]], None], batch: Batch
    ) -> Batch:
        """Do until it succeeds; return what of the batch it was done with.

        What was revoked before is dropped: whoever has it now reads it again. So is
        all, when the worker is told to stop.
        """
        rest = _FIRST_REST
        while (batch := self._held(batch)).portions:
            try:
                do(batch.records)
                break
            except errors.Unavailable as error:
                self._failed(error)
                self._rest(rest)
                rest = min(2 * rest, _LONGEST_REST)
                if self._stop.is_set():
                    return Batch([])
        return batch

    def _held(self, batch: Batch) -> Batch:
        holds = self._parts.inflow.holds
        return Batch([row for row in batch.portions if holds(row[0])])

    def _failed(self, error: errors.Unavailable) -> None:
        if error.code == ENDED:
            raise error
        self._parts.metrics.failed(error.code)

    def _rest(self, seconds: float) -> None:
        """Wait in the group: a member that went silent would lose its partitions."""
        metrics = self._parts.metrics
        metrics.paused(yes=True)
        try:
            self._parts.inflow.linger(seconds=seconds)
            metrics.look(self._parts.inflow)
        except errors.Unavailable:
            self._stop.wait(seconds)

    def _answer(self, batch: Sequence[InHand]) -> None:
        replies = [reply for one in batch if (reply := self._reply(one)) is not None]
        if replies:
            self._parts.outflow.send(replies)

    def _reply(self, one: InHand) -> Reply | None:
        """Return what is answered to a record that has its result."""
        if isinstance(one.result, errors.HenjiError):
            return records.dead_letter(
                one.record,
                one.result,
                topic=one.topic.refusals,
                failed_at=self._parts.now_text(),
            )
        asked = one.topic.receipts and records.asks_receipt(one.record)
        if not asked or one.result is None or not isinstance(one.item, Prepared):
            return None
        proof = self._parts.receipt_of(one.result)
        topic = one.topic.receipts
        return records.receipt(one.record, one.item, one.result, proof, topic=topic)

    def _finish(self, batch: Batch) -> None:
        """Commit, and count: what is read again would be counted again."""
        self._parts.inflow.done(part for part, _ in batch.portions)
        self._settle()
        for one in batch.records:
            if isinstance(one.result, errors.HenjiError):
                self._parts.refused(one, one.result)
        self._parts.metrics.count(batch.records)

    def _settle(self) -> None:
        """Commit offsets; those that the broker does not take now are taken later."""
        try:
            if self._parts.inflow.settle():
                self._parts.metrics.committed()
        except errors.Unavailable as error:
            self._parts.metrics.failed(error.code)
