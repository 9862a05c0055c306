"""Folding the partitions of a topic, each by its own line, into one generation.

Rules of this file: what follows from streams being whole in their partitions; no broker
is known here. Every table's row comes of one stream or of one entry (the tests hold all
read models to that), so partitions may be folded in any interleaving, by any number of
workers, to the same rows. What looks across streams is asked at query time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from events.errors import Conflict
from events.store import Row
from projections.runner import advance, fetching
from projections.tables import Changes, Projector
from projections.views import Generation, Part, Poison, Views


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive entries of one partition, and where it is after them.

    ``offsets`` are those of the records that brought ``rows``; what was passed over
    (repetitions, marks of progress) has moved ``after`` and brought no row.
    """

    before: Part
    after: Part
    rows: Sequence[Row] = ()
    offsets: Sequence[int] = ()

    def until(self, count: int) -> Part:
        """Return where the partition is after the first ``count`` rows."""
        if count == len(self.rows):
            return self.after
        position = self.rows[count - 1].position
        return replace(
            self.before,
            offset=self.offsets[count],
            position=position,
            reached=max(self.before.reached, position),
        )


def target(views: Views, projector: Projector, parts: Sequence[Part]) -> Generation:
    """Return what to fold into: what is live in this version, else what is being built.

    Where there is neither, it is created with ``parts``. Of several workers that begin
    at once, the first is followed. ``Conflict('projection_source_differs')``: these
    read models follow the log; ``Conflict('kafka_partitions_changed')``: they follow
    another topic, or this one when it had other partitions.
    """
    found = _of_version(views, projector)
    if not found:
        made = views.create(projector, parts)
        found = _of_version(views, projector)
        if found[0].number != made.number:
            views.discard(made)
    live = [each for each in found if each.state == "live"]
    chosen = (live or found)[0]
    tracked, wanted = (
        [(p.topic, p.number) for p in of] for of in (chosen.parts, parts)
    )
    if not tracked:
        raise Conflict("projection_source_differs", source="log")
    if tracked != wanted:
        raise Conflict(
            "kafka_partitions_changed",
            topic=wanted[0][0],
            expected=len(tracked),
            actual=len(wanted),
        )
    return chosen


def fold(
    views: Views, projector: Projector, generation: Generation, batch: Batch
) -> Part:
    """Fold one batch of a partition and move it, in one transaction; return its part.

    ``Conflict('projection_moved')``: another worker has the partition now, nothing was
    written. ``Unavailable('projection_stopped')``: at an entry that cannot be folded;
    what precedes it is.
    """

    def apply(good: Sequence[Row], changes: Changes) -> Part:
        after = batch.until(len(good))
        views.apply_part(
            generation,
            projector.tables,
            before=batch.before,
            after=after,
            changes=changes,
        )
        return after

    def stop(poison: Poison) -> None:
        views.stop_at(generation, poison, batch.before)

    if not batch.rows:
        return apply((), {})
    fetch = fetching(views, generation, projector)
    return advance(projector, batch.rows, fetch, apply=apply, stop=stop)


def _of_version(views: Views, projector: Projector) -> list[Generation]:
    return [
        each
        for each in views.generations(projector.name)
        if each.version == projector.version and each.state != "retired"
    ]
