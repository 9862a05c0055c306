"""A topic in memory: a log whose streams are shared out over partitions."""

from __future__ import annotations

from projections import partitions
from projections.board import Board
from projections.partitions import Batch
from projections.views import Part

TOPIC = "log"


class Topic:
    """Which entries each partition has; the offset of an entry is its place there."""

    def __init__(self, log, share_of):
        streams = list(dict.fromkeys(row.stream for row in log.all))
        numbers = {
            stream: share_of[n % len(share_of)] for n, stream in enumerate(streams)
        }
        self.log = log
        self.rows = [[] for _ in range(max(share_of) + 1)]
        for row in log.all:
            self.rows[numbers[row.stream]].append(row)

    def parts(self):
        """Return the partitions from their beginning."""
        return [Part(TOPIC, number) for number in range(len(self.rows))]

    def batch(self, before, size, *, known):
        """Return the next entries of a partition; the log is ``known`` to a position."""
        mine = [row for row in self.rows[before.number] if row.position <= known]
        rows = mine[before.offset : before.offset + size]
        offset = before.offset + len(rows)
        position = rows[-1].position if rows else before.position
        # All of it read: a mark says that what else there is lies elsewhere.
        reached = known if offset == len(mine) else position
        after = Part(
            TOPIC, before.number, offset, position, max(before.reached, reached)
        )
        return Batch(before, after, rows, range(before.offset, offset))


def begin(views, topic, projector=None):
    """Return the generation that the partitions are folded into."""
    return partitions.target(views, projector or Board(), topic.parts())


def folded(views, topic, steps, projector=None):
    """Fold (partition, size, known) step by step; return the parts."""
    projector = projector or Board()
    generation = begin(views, topic, projector)
    parts = list(generation.parts)
    for number, size, known in steps:
        batch = topic.batch(parts[number], size, known=known)
        parts[number] = partitions.fold(views, projector, generation, batch)
    return parts


def whole(topic, number):
    """Return the step that folds all of one partition."""
    return number, len(topic.log.all), len(topic.log.all)
