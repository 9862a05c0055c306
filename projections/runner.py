"""Folding the log into a projection: batches, positions, rebuilds, and stopping.

Rules of this file: what every projection needs and none decides: no event type is named
here. Each step reads a batch, folds it purely and commits rows and position together.
A crash before that commit leaves nothing; a crash after it loses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from events.errors import Conflict, Unavailable
from events.store import Reader, Row
from projections.tables import Changes, Fetch, Projector, Values
from projections.views import Generation, Poison, Views

BATCH = 1000
Applied = TypeVar("Applied")


@dataclass(frozen=True, slots=True)
class Status:
    """Where a projection stands. ``lag_us`` is the age of the oldest unfolded entry."""

    name: str
    version: int
    generation: int | None
    position: int
    head: int
    lag_events: int
    lag_us: int
    building: int | None
    poison: Poison | None


class Runner:
    """Keeps one projection up to date; safe beside other runners of the same one.

    ``wake`` is set by whoever commits to the log; without it a poll finds new entries.
    ``rest_seconds`` pass after a batch that was not full: under load many small commits
    become one batch here, and their writers keep the processor.
    """

    def __init__(  # noqa: PLR0913 - a composition of exactly these parts
        self,
        *,
        reader: Reader,
        views: Views,
        projector: Projector,
        wake: threading.Event,
        batch: int = BATCH,
        poll_seconds: float = 0.5,
        rest_seconds: float = 0.0,
    ) -> None:
        self._reader = reader
        self._views = views
        self._projector = projector
        self._wake = wake
        self._batch = batch
        self._poll_seconds = poll_seconds
        self._rest_seconds = rest_seconds
        self._target: Generation | None = None

    def step(self) -> int:
        """Fold one batch; return how many entries were folded, 0 when caught up.

        ``errors.Unavailable('projection_stopped')`` at a poison event: what precedes it
        is folded and committed, the event itself never skipped. When another runner
        was faster, nothing is written and the next step goes on from its position.
        """
        target = self._target or self._find_target()
        rows = self._reader.rows(after=target.position, limit=self._batch)
        if not rows:
            self._target = self._caught_up(target)
            return 0
        try:
            self._target = self._advance(target, rows)
        except Conflict as conflict:
            if conflict.code != "projection_moved":
                raise
            self._target = None
        return len(rows)

    def catch_up(self) -> int:
        """Step until nothing is left; return how many entries were folded."""
        total = 0
        while count := self.step():
            total += count
        return total

    def rebuild(self) -> Generation:
        """Build a new generation beside the live one and switch to it; return it.

        May run while another thread or process keeps the live one up to date.
        """
        self._of_the_log(self._views.generations(self._projector.name))
        target = self._views.create(self._projector)
        while True:
            rows = self._reader.rows(after=target.position, limit=self._batch)
            if rows:
                target = self._advance(target, rows)
            elif self._views.switch(target):
                return replace(target, state="live")

    def run(self, stop: threading.Event) -> None:
        """Step until ``stop`` is set (then set ``wake`` too) or a poison event.

        A store that cannot be reached is asked again after the poll interval.
        """
        while not stop.is_set():
            self._wake.clear()
            try:
                folded = self.step()
            except Unavailable as error:
                if error.code == "projection_stopped":
                    return
                self._target = None
                folded = 0
            if folded == 0 and not stop.is_set():
                self._wake.wait(self._poll_seconds)
            elif folded < self._batch:
                stop.wait(self._rest_seconds)

    def status(self, now: int) -> Status:
        """Return position, lag and poison of the live (or first building) tables."""
        generations = self._views.generations(self._projector.name)
        live = next((g for g in generations if g.state == "live"), None)
        building = next((g for g in generations if g.state == "building"), None)
        shown = live or building
        position = shown.position if shown else 0
        root = self._reader.head()
        head = root.size if root else 0
        oldest = self._reader.row(position + 1) if head > position else None
        return Status(
            name=self._projector.name,
            version=shown.version if shown else self._projector.version,
            generation=shown.number if shown else None,
            position=position,
            head=head,
            lag_events=max(0, head - position),
            lag_us=max(0, now - oldest.ingested) if oldest else 0,
            building=building.position if building else None,
            poison=shown.poison if shown else None,
        )

    def _find_target(self) -> Generation:
        """Return the live generation of this version, else one to build, maybe new."""
        found = self._of_the_log(self._views.generations(self._projector.name))
        mine = [
            generation
            for generation in found
            if generation.version == self._projector.version
            and generation.state != "retired"
        ]
        for generation in mine:
            if generation.state == "live":
                return generation
        return mine[0] if mine else self._views.create(self._projector)

    @staticmethod
    def _of_the_log(found: list[Generation]) -> list[Generation]:
        """Refuse read models that follow a topic: two sources would fight over them."""
        if any(each.parts and each.state != "retired" for each in found):
            raise Conflict("projection_source_differs", source="kafka")
        return found

    def _caught_up(self, target: Generation) -> Generation | None:
        if target.state == "live":
            return self._still_live(target)
        self._views.switch(target)
        return None

    def _still_live(self, target: Generation) -> Generation | None:
        """Forget a generation that a rebuild has replaced while nothing was written."""
        current = self._views.max_tracking_id(target.label)
        found = self._views.generations(target.name)
        same = any(g.number == target.number and g.state == "live" for g in found)
        return target if same and current == target.position else None

    def _advance(self, target: Generation, rows: Sequence[Row]) -> Generation:
        def apply(good: Sequence[Row], changes: Changes) -> Generation:
            return self._views.apply(
                target,
                self._projector.tables,
                position=good[-1].position,
                changes=changes,
            )

        def stop(poison: Poison) -> None:
            self._views.stop_at(target, poison)

        fetch = fetching(self._views, target, self._projector)
        return advance(self._projector, rows, fetch, apply=apply, stop=stop)


def fetching(views: Views, target: Generation, projector: Projector) -> Fetch:
    """Return what a fold asks for the rows that its events touch."""
    tables = {table.name: table for table in projector.tables}

    def fetch(table: str, keys: Sequence[str]) -> dict[str, Values]:
        return views.fetch(target, tables[table], keys) if keys else {}

    return fetch


def advance(
    projector: Projector,
    rows: Sequence[Row],
    fetch: Fetch,
    *,
    apply: Callable[[Sequence[Row], Changes], Applied],
    stop: Callable[[Poison], None],
) -> Applied:
    """Fold rows and apply the changes; return what ``apply`` returns.

    ``Unavailable('projection_stopped')`` at the first entry that cannot be folded: what
    precedes it is applied, and ``stop`` is told. A store that is away while an entry
    is folded says nothing of the entry: its own ``Unavailable`` is raised.
    """
    try:
        changes = projector.fold(rows, fetch)
    except Unavailable:
        raise
    except Exception as cause:
        good = _good_prefix(projector, rows, fetch)
        if good:
            apply(rows[:good], projector.fold(rows[:good], fetch))
        bad = rows[good]
        reason = f"{type(cause).__name__}: {cause}"[:500]
        stop(Poison(bad.position, bad.type, reason))
        raise Unavailable(
            "projection_stopped",
            reason,
            projection=projector.name,
            position=bad.position,
            type=bad.type,
        ) from cause
    return apply(rows, changes)


def _good_prefix(projector: Projector, rows: Sequence[Row], fetch: Fetch) -> int:
    """Return how many entries fold before the first that does not, by bisection."""
    low, high = 0, len(rows) - 1
    while low < high:
        middle = (low + high) // 2
        if _folds(projector, rows[: middle + 1], fetch):
            low = middle + 1
        else:
            high = middle
    return low


def _folds(
    projector: Projector, rows: Sequence[Row], fetch: Callable[..., object]
) -> bool:
    try:
        projector.fold(rows, fetch)  # type: ignore[arg-type]
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001 - any failure of a fold is what is looked for
        return False
    return True
