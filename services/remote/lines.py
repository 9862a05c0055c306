"""The partitions that this process folds: each from where the read models have it.

Rules of this file: polling, folding, and what an error stops. One thread uses it; the
client tells of partitions that come and go from its own thread, while this one polls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition

from events.errors import Conflict, HenjiError, Unavailable
from projections import partitions
from projections.tables import Projector
from projections.views import Generation, Part, Views
from services.kafka.clients import translated
from services.remote.chain import Received, Source, Stop, chained
from services.remote.metrics import RemoteMetrics

_ASK_MS: Final = 5_000


class Assigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Which partitions came or went since this was last asked. It only notes.

    What is folded of one that went is refused by the store, if it must be.
    """

    def __init__(self) -> None:
        self._moved: list[int] = []

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note what came."""
        self._moved += [each.partition for each in assigned]

    on_partitions_revoked = on_partitions_assigned

    def taken(self) -> set[int]:
        """Return what moved since the last time."""
        moved, self._moved = self._moved, []
        return set(moved)


class Lines:
    """Folds the partitions that a consumer has. ``find`` returns the generation."""

    def __init__(
        self,
        *,
        consumer: KafkaConsumer,
        views: Views,
        projector: Projector,
        source: Source,
        find: Callable[[], Generation],
        metrics: RemoteMetrics,
    ) -> None:
        self._consumer = consumer
        self._views = views
        self._projector = projector
        self._source = source
        self._find = find
        self._metrics = metrics
        self._assigned = Assigned()
        self._generation: Generation | None = None
        self._parts: dict[int, Part] = {}
        self.stopped: dict[int, HenjiError] = {}

    def join(self) -> None:
        """Share the partitions with all others of the consumer's group."""
        with translated():
            self._consumer.subscribe([self._source.topic], listener=self._assigned)

    def take_all(self) -> None:
        """Take every partition, alone."""
        numbers = range(self._source.partitions)
        with translated():
            self._consumer.assign([self._at(number) for number in numbers])
        self._assigned.on_partitions_assigned(self._at(number) for number in numbers)

    @property
    def generation(self) -> Generation:
        """Return what is folded into, as it was when it was last looked up."""
        if self._generation is None:
            self._generation = self._find()
        return self._generation

    def step(self, *, seconds: float) -> int:
        """Fold what there is, waiting up to ``seconds`` for it; return the records.

        ``Unavailable``: the store or the brokers are away; ``look`` before the next.
        A partition that stops is told of in the read models and in the metrics.
        """
        with translated():
            polled = self._consumer.poll(timeout_ms=int(seconds * 1_000))
        moved = self._assigned.taken()
        if moved:
            self._place(moved)
        received = {key.partition: records for key, records in polled.items()}
        try:
            for number, records in received.items():
                if number not in moved and number in self._parts:
                    self._fold(number, records)
        except Conflict as conflict:
            if conflict.code != "projection_moved":
                raise
            self.look()
        return sum(map(len, received.values()))

    def current(self) -> Generation:
        """Return what should be folded into, as it is now."""
        return self._find()

    def look(self) -> None:
        """Go on with everything held from where the read models have it."""
        self._place(self._held())

    def at_end(self) -> bool:
        """Say whether all that is held is read to its end, and all else has begun."""
        held = self._held()
        parts = {part.number: part for part in self.current().parts}
        with translated():
            ends: Mapping[TopicPartition, int] = self._consumer.end_offsets(
                [self._at(number) for number in parts], timeout_ms=_ASK_MS
            )
            return bool(held) and all(
                self._read_to(number) >= ends[self._at(number)]
                if number in held
                else part.offset > 0 or ends[self._at(number)] == 0
                for number, part in parts.items()
            )

    def _place(self, numbers: Iterable[int]) -> None:
        """Go on with partitions where the read models have them; forget the others."""
        held = self._held()
        self._generation = self._find()
        parts = {part.number: part for part in self._generation.parts}
        kept = {n: part for n, part in self._parts.items() if n in held}
        fresh = {n: replace(parts[n], poison=None) for n in held.intersection(numbers)}
        self._parts = kept | fresh
        with translated():
            for number, part in fresh.items():
                self.stopped.pop(number, None)
                self._consumer.seek(self._at(number), part.offset)
                self._consumer.resume(self._at(number))
        self._metrics.held(self._parts.values())

    def _fold(self, number: int, received: Sequence[Received]) -> None:
        before = self._parts[number]
        batch, stop = chained(self._source, before, received)
        try:
            if batch.after != before:
                self._parts[number] = partitions.fold(
                    self._views, self._projector, self.generation, batch
                )
        except Unavailable as error:
            if error.code != "projection_stopped":
                raise
            # What precedes it is folded, and it is noted with the read models.
            self._pause(number, error)
            return
        self._metrics.folded(self._parts[number], batch.rows, self._waiting(number))
        if stop is not None:
            self._stop(number, stop)

    def _stop(self, number: int, stop: Stop) -> None:
        self._views.stop_at(self.generation, stop.poison, self._parts[number])
        self._pause(number, stop.error)

    def _pause(self, number: int, error: HenjiError) -> None:
        with translated():
            self._consumer.pause(self._at(number))
        self.stopped[number] = error
        self._metrics.stopped(self._parts[number], error)

    def _waiting(self, number: int) -> int:
        """Return how many offsets the broker has that are not folded."""
        end = self._consumer.highwater(self._at(number)) or 0
        return max(0, end - self._parts[number].offset)

    def _read_to(self, number: int) -> int:
        return self._consumer.position(self._at(number), timeout_ms=_ASK_MS) or 0

    def _held(self) -> set[int]:
        with translated():
            return {each.partition for each in self._consumer.assignment()}

    def _at(self, number: int) -> TopicPartition:
        return TopicPartition(self._source.topic, number)
