"""A worker of remote read models: one of any number, on any machine.

Rules of this file: the loop, what it tries again, and when new tables take over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from events.errors import Unavailable
from projections.views import Generation, Views
from services.remote.lines import Lines

#: How long a poll waits for the first record; then there is time to look around.
POLL_SECONDS: Final = 0.2
_LOOK_SECONDS: Final = 1.0
_REST_SECONDS: Final = 0.5


class Worker:
    """Folds its share of the partitions.

    ``seconds`` is a monotonic clock; ``failed`` hears the code of what is tried again.
    """

    def __init__(
        self,
        lines: Lines,
        views: Views,
        *,
        seconds: Callable[[], float],
        failed: Callable[[str], None],
    ) -> None:
        self._lines = lines
        self._views = views
        self._seconds = seconds
        self._failed = failed
        self._looked = seconds()
        self._goal: tuple[int, int] | None = None

    def run(self, stop: threading.Event) -> None:
        """Fold until ``stop`` is set. What is away is asked again.

        ``Conflict``: kafka_partitions_changed, projection_source_differs: to go on
        would make other rows than those of the log.
        """
        self._lines.join()
        lost = False
        while not stop.is_set():
            try:
                if lost:
                    self._lines.look()
                self.step()
                lost = False
            except Unavailable as error:
                self._failed(error.code)
                lost = True
                stop.wait(_REST_SECONDS)

    def build(self) -> Generation:
        """Fold all partitions alone until what is built has become live; return it.

        Raises what stops a partition.
        """
        self._lines.take_all()
        while self._lines.current().state == "building":
            self.step()
            for error in self._lines.stopped.values():
                raise error
        return self._lines.current()

    def step(self) -> int:
        """Fold what there is; return how many records there were."""
        count = self._lines.step(seconds=POLL_SECONDS)
        if self._seconds() - self._looked >= _LOOK_SECONDS:
            self._look()
        return count

    def _look(self) -> None:
        """See whether other tables have become live, or these can."""
        now, found = self._lines.generation, self._lines.current()
        switched = (
            found.state == "building"
            and self._caught_up(found)
            and self._views.switch(found)
        )
        if switched or (found.number, found.state) != (now.number, now.state):
            self._lines.look()
        self._looked = self._seconds()

    def _caught_up(self, found: Generation) -> bool:
        """Say whether a generation holds what the topic held when it was first read.

        The goal is the furthest that any partition was when those of this worker were
        at their ends: what others have left is then counted in the log's positions.
        """
        if self._goal is None or self._goal[0] != found.number:
            if not self._lines.at_end():
                return False
            self._goal = found.number, max(part.reached for part in found.parts)
        return found.position >= self._goal[1]
