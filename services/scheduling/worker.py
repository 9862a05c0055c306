"""The scheduler: a loop that appends what has become due, while it holds the lease.

Rules of this file: the order of steps and what a crash after each leaves. What is due
is planned in ``plan``; what was done is in the log.

    1  claim or renew the lease   crash: it ends by itself within seconds
    2  fold what the log has      memory only; a worker without the lease does it too,
                                  so that it can take over at once
    3  plan                       memory only
    4  make a report, if it is    its files, made again over the same cut
       the turn of one
    5  append                     crash before: planned again by the next; after: the
                                  log holds it, and the next one sees that it does
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import NamedTuple

from events import entries, errors
from events.calendar import HOUR_US
from services import telemetry
from services.leases import Lease, Leases
from services.scheduling.appending import append
from services.scheduling.freezing import Freeze, cut_at, frozen_data
from services.scheduling.plan import FROZEN, Due, due_until
from services.scheduling.states import WEEKLY, States, follow
from services.telemetry import Metrics
from services.wiring import Ledger

LEASE = "scheduler"
#: After so long without a sign of life its work is another's.
LEASE_SECONDS = 5.0
_POLL_SECONDS = 1.0
#: Most events between two looks at the lease and at the flag that stops it.
_MOST = 500
_AHEAD_US = HOUR_US
#: What the log refused is offered again after this.
_AGAIN_US = HOUR_US


class Chore(NamedTuple):
    """Work that is safe to repeat, to be done every so often (µs) at an instant."""

    name: str
    every: int
    run: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker works with. ``clock`` gives µs; ``holder`` is its own name."""

    ledger: Ledger
    leases: Leases
    clock: Callable[[], int]
    holder: str
    freeze: Freeze | None = None
    chores: Sequence[Chore] = ()
    lease_seconds: float = LEASE_SECONDS


@dataclass(slots=True)
class Health:
    """What is seen of a worker. ``behind``: µs since the oldest event not yet there.

    ``last_run`` (µs) is when it last looked with the lease in hand, 0: never.
    """

    leading: bool = False
    epoch: int = 0
    last_run: int = 0
    behind: int = 0
    appended: int = 0
    failures: int = 0


class Aside(NamedTuple):
    """Why an event is not offered again until an instant (µs); "": it is there."""

    until: int
    code: str


class Worker:
    """One of any number of schedulers of a ledger."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._states = States()
        self._lease: Lease | None = None
        self._renewed = 0
        self._coming: list[Due] = []
        self._planned: tuple[int, int] = (-1, 0)
        self._aside: dict[str, Aside] = {}
        self._chores_done: dict[str, int] = {}
        self.health = Health()

    @property
    def refused(self) -> dict[str, str]:
        """Return the ids of events that are due and were refused, and the codes."""
        return {name: row.code for name, row in self._aside.items() if row.code}

    def run(self, stop: threading.Event) -> None:
        """Step until ``stop`` is set, then let the lease go."""
        while not stop.is_set():
            if not self._try():
                stop.wait(_POLL_SECONDS)
        self.leave()

    def catch_up(self) -> Health:
        """Step until nothing is due, or another worker has the lease."""
        while self.step():
            pass
        return self.health

    def leave(self) -> None:
        """Let the lease go, so that another need not wait for its end."""
        lease, self._lease = self._lease, None
        if lease is not None:
            try:
                self._parts.leases.release(lease)
            except errors.Unavailable:
                return  # It ends by itself.

    def step(self) -> bool:
        """Do one unit of work; say whether there is more to do at once.

        ``Unavailable`` from the log or the lease: the same step may be tried again.
        """
        now = self._parts.clock()
        leading = self._claim(now)
        follow(self._states, self._parts.ledger.store)
        if not leading:
            self.health.behind = 0  # Whoever leads knows.
            return False
        ready = self._ready(now)
        self.health.behind = now - ready[0].instant if ready else 0
        progress = self._work_off(ready, now) if ready else 0
        if not ready:
            self._do_chores(now)
        self.health.last_run = now
        self.health.appended += progress
        return progress > 0

    def _try(self) -> bool:
        """Step, whatever happens: a worker that ended would be missed by nobody."""
        try:
            return self.step()
        except errors.Unavailable:
            self.health.failures += 1
        except Exception as error:  # noqa: BLE001 - reported, and tried again
            self._report(error)
        return False

    def _claim(self, now: int) -> bool:
        """Take or renew the lease where a third of its time has passed."""
        seconds = self._parts.lease_seconds
        fresh = abs(now - self._renewed) < seconds * 1_000_000 / 3
        if self._lease is None or not fresh:
            self._lease = None
            self.health.leading = False
            self._lease = self._parts.leases.claim(
                LEASE, self._parts.holder, seconds=seconds
            )
            self._renewed = now
        self.health.leading = self._lease is not None
        self.health.epoch = self._lease.epoch if self._lease else 0
        return self.health.leading

    def _ready(self, now: int) -> list[Due]:
        """Return what is due and not set aside, planning only where it can differ."""
        position, planned_at = self._planned
        if now < planned_at:
            self._aside = {}  # The clock was set back: what was noted by it is void.
        if position != self._states.position or not 0 <= now - planned_at < _AHEAD_US:
            weekly = WEEKLY if self._parts.freeze else ()
            self._coming = due_until(self._states, now + _AHEAD_US, weekly=weekly)
            self._planned = (self._states.position, now)
        kept = self._aside.items()
        self._aside = {name: row for name, row in kept if row.until > now}
        return list(self._free(now))

    def _free(self, now: int) -> Iterator[Due]:
        """Yield what is due and neither set aside nor in need of what is."""
        held = set(self._aside)
        for due in takewhile(lambda due: due.instant <= now, self._coming):
            if due.needs in held:
                held.add(due.event["id"])
            if due.event["id"] not in held:
                yield due

    def _work_off(self, ready: Sequence[Due], now: int) -> int:
        """Append the first of what is ready, in order; return how many were new."""
        if _is_report(ready[0]):
            made = self._made(ready[0], now)
            dues = [] if made is None else [made]
        else:
            dues = list(takewhile(lambda due: not _is_report(due), ready[:_MOST]))
        outcome = append(self._parts.ledger, dues, now=now)
        for due, code in outcome.aside:
            self._set_aside(due, code, now)
        return outcome.appended

    def _made(self, due: Due, now: int) -> Due | None:
        """Return the whole event of a report, once it is made; None: not now."""
        cut = cut_at(self._parts.ledger.store, due.instant)
        given = due.event["data"]
        if cut is None or self._parts.freeze is None:
            self._set_aside(due, "schedule_nothing_sealed", now)
            return None
        try:
            made = self._parts.freeze(given["name"], given["period"], cut)
        except errors.Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one report must not stop the rest
            self._report(error)
            self._set_aside(due, "schedule_report_failed", now)
            return None
        rules = self._states.rulebook.at(due.instant)
        data = frozen_data(given, cut, made, rules)
        return due._replace(event={**due.event, "data": data})

    def _set_aside(self, due: Due, code: str, now: int) -> None:
        self._aside[due.event["id"]] = Aside(now + _AGAIN_US, code)

    def _do_chores(self, now: int) -> None:
        for chore in self._parts.chores:
            done = self._chores_done.get(chore.name)
            if done is not None and 0 <= now - done < chore.every:
                continue
            self._chores_done[chore.name] = now
            try:
                chore.run(now)
            except errors.Unavailable:
                self.health.failures += 1  # Read models may not be there yet.

    def _report(self, error: Exception) -> None:
        self.health.failures += 1
        time = entries.rfc3339(self._parts.clock())
        telemetry.report(error, trace_id=self._parts.holder, time=time)


def _is_report(due: Due) -> bool:
    return bool(due.event["type"] == FROZEN)


def publish(metrics: Metrics, worker: Worker) -> None:
    """Publish what operators watch a scheduler by."""
    gauges: dict[str, tuple[str, Callable[[Health], float]]] = {
        "henji_schedule_lag_seconds": (
            "Age of the oldest event that is due and not in the log.",
            lambda health: health.behind / 1e6,
        ),
        "henji_schedule_last_run_timestamp_seconds": (
            "When this worker last worked with the lease in hand.",
            lambda health: health.last_run / 1e6,
        ),
        "henji_schedule_leading": (
            "1 where this worker holds the lease.",
            lambda health: float(health.leading),
        ),
        "henji_schedule_failures": (
            "Steps that failed and were tried again.",
            lambda health: float(health.failures),
        ),
    }
    for name, (text, read) in gauges.items():
        metrics.gauge(name, text, partial(read, worker.health))
    metrics.gauge(
        "henji_schedule_refused",
        "Events that are due and were refused by a rule of the log.",
        lambda: float(len(worker.refused)),
    )
