"""Submitting a batch of records to the sequencer, and what came of each.

Rules of this file: no Kafka. One request for each key of the batch, not atomic: a
refused record does not touch its neighbours, and the records of a partition, which all
have one key, keep their order.

A record has no result yet, or one for good: what could not be done now (the database is
away, the outcome of a commit unknown) leaves it without, to be submitted again. That is
safe, since ``source`` and ``id`` name an event once for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from queue import Empty, SimpleQueue

from events import errors
from events.submissions import Prepared, Request, Result
from services.ingest.records import Incoming
from services.ingest.topics import Topic
from services.wiring import Ledger

#: The append path of this process has ended: only a new process can go on.
ENDED = "sequencer_stopped"
_Answers = SimpleQueue[list[tuple[Request, list[Result]]]]


@dataclass(slots=True)
class InHand:
    """One record between topic and log."""

    record: Incoming
    topic: Topic
    item: Prepared | errors.HenjiError
    result: Result | None = None


class Appender:
    """Brings records into a ledger.

    While an answer takes longer than ``patience`` (s), ``meanwhile`` is called, over
    and over: it must return soon.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        meanwhile: Callable[[], None],
        patience: float = 0.5,
    ) -> None:
        self._ledger = ledger
        self._meanwhile = meanwhile
        self._patience = patience

    def append(self, batch: Iterable[InHand]) -> None:
        """Give every record of a batch without a result its result.

        ``Unavailable``: some still have none. With the code ``sequencer_stopped`` this
        process cannot give them one any more.
        """
        open_ones = [one for one in batch if one.result is None]
        by_key = sorted(open_ones, key=_key)  # Stable: order in partitions stays.
        answers: _Answers = SimpleQueue()
        asked = 0
        try:
            for key, group in groupby(by_key, key=_key):
                self._ask(key, list(group), answers)
                asked += 1
        finally:
            # Also where a later request was not taken: the earlier ones are answered.
            failures = self._collect(answers, asked)
        if failures:
            raise failures[0]

    def _ask(self, key: str, group: list[InHand], answers: _Answers) -> None:
        """Queue the request of one key, whose grant is read under the append lock."""
        self._ledger.sequencer.submit(
            Request(
                [one.item for one in group],
                key,
                answers.put,
                atomic=False,
                token=group,
            )
        )

    def _collect(self, answers: _Answers, asked: int) -> list[errors.Unavailable]:
        """Wait for every answer; note the results, return what could not be done."""
        failures: list[errors.Unavailable] = []
        while asked:
            try:
                found = answers.get(timeout=self._patience)
            except Empty:
                self._meanwhile()
                continue
            asked -= len(found)
            for request, results in found:
                failures += _note(request.token, results)
        return failures


def _key(one: InHand) -> str:
    return one.topic.key


def _note(
    group: Sequence[InHand], results: Sequence[Result]
) -> list[errors.Unavailable]:
    failures = []
    for one, result in zip(group, results, strict=True):
        if isinstance(result, errors.Unavailable):
            failures.append(result)
        else:
            one.result = result
    return failures
