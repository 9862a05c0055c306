"""A scheduler process of the tests: ``python -m tests.scheduling.process MODE``.

It works on the ledger of its ``HENJI_…`` environment until it is told to end by a
closed standard input. ``greedy`` ignores the lease; ``polite`` holds it for a second.
"""

from __future__ import annotations

import sys
import threading

from services.scheduling.worker import Parts, Worker
from services.settings import from_environment
from services.wiring import clock, new_id, open_leases, open_ledger
from tests.scheduling.conftest import OneLease

LEASE_SECONDS = 1.0


def main(mode: str) -> None:
    """Say ``ready``, wait for a line to begin together, and work."""
    settings, stop = from_environment(), threading.Event()
    with open_ledger(settings) as ledger:
        worker = Worker(
            Parts(
                ledger=ledger,
                leases=OneLease() if mode == "greedy" else open_leases(settings),
                clock=clock,
                holder=new_id(),
                lease_seconds=LEASE_SECONDS,
            )
        )
        print("ready", flush=True)
        sys.stdin.readline()
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        sys.stdin.read()
        stop.set()
        thread.join()
        print(worker.health.appended, worker.health.epoch, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
