"""A scheduler for a ledger: its leases, its chores, and its thread where it has one.

Rules of this file: putting together only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from events.calendar import HOUR_US
from projections.views import Views
from services.evidence.opening import open_evidence, open_reports
from services.evidence.reuse import detect_reuse
from services.evidence.upkeep import sweep
from services.scheduling.reports import freezer
from services.scheduling.worker import Chore, Parts, Worker
from services.settings import Settings
from services.wiring import (
    Ledger,
    clock,
    new_id,
    open_leases,
    open_ledger,
    open_views,
)

_SECOND_US = 1_000_000
_REUSE_EVERY_US = 5 * _SECOND_US
#: Pages of claims that one turn of the search for re-use looks at.
_REUSE_PAGES = 20


def chores(ledger: Ledger, views: Views) -> tuple[Chore, ...]:
    """Return what is looked after beside the schedule: evidence."""
    store = open_evidence(ledger.settings)

    def find_reuse(_now: int) -> None:
        for _ in range(_REUSE_PAGES):
            if not detect_reuse(ledger, views).looked:
                return

    def sweep_evidence(now: int) -> None:
        sweep(ledger, store, now=now)

    return (
        Chore("evidence_reuse", _REUSE_EVERY_US, find_reuse),
        Chore("evidence_sweep", HOUR_US, sweep_evidence),
    )


@contextmanager
def scheduler(ledger: Ledger, views: Views) -> Iterator[Worker]:
    """Open a worker on a ledger; its lease is let go on exit."""
    with ExitStack() as stack:
        leases = open_leases(ledger.settings)
        stack.callback(leases.close)
        worker = Worker(
            Parts(
                ledger=ledger,
                leases=leases,
                clock=clock,
                holder=new_id(),
                freeze=freezer(ledger.store, views, open_reports(ledger.settings)),
                chores=chores(ledger, views),
            )
        )
        stack.callback(worker.leave)
        yield worker


@contextmanager
def standalone(settings: Settings) -> Iterator[Worker]:
    """Open a worker with a ledger and read models of its own."""
    with open_ledger(settings) as ledger, ExitStack() as stack:
        views = open_views(settings)
        stack.callback(views.close)
        yield stack.enter_context(scheduler(ledger, views))


@contextmanager
def beside(ledger: Ledger, views: Views) -> Iterator[Worker]:
    """Run a worker in a thread of this process while the block runs."""
    stop = threading.Event()
    with scheduler(ledger, views) as worker:
        thread = threading.Thread(
            target=worker.run, args=(stop,), name="scheduler", daemon=True
        )
        thread.start()
        try:
            yield worker
        finally:
            stop.set()
            thread.join()
