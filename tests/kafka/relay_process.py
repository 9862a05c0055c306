"""A relay process of the tests: ``python -m tests.kafka.relay_process MODE``.

It relays by its ``HENJI_…`` environment until its standard input is closed, with a
lease of a second. ``stuck``: it hangs where its first transaction is to be committed.
"""

from __future__ import annotations

import sys
import threading

from services.kafka.publisher import KafkaPythonPublisher
from services.relay.opening import Wanted, opened
from services.settings import from_environment

LEASE_SECONDS = 1.0


def hang(publisher: KafkaPythonPublisher) -> None:
    """Say that all is sent, and never commit."""
    publisher.flush()
    print("sent", flush=True)
    threading.Event().wait()


def main(mode: str) -> None:
    """Say ``ready``, work, and say ``leading`` once."""
    if mode == "stuck":
        KafkaPythonPublisher.commit = hang
    stop = threading.Event()
    wanted = Wanted(partitions=3, replication=-1)
    with opened(from_environment(), wanted, lease_seconds=LEASE_SECONDS) as worker:
        print("ready", flush=True)
        thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
        thread.start()
        while not worker.health.leading and thread.is_alive():
            stop.wait(0.01)
        print("leading", flush=True)
        sys.stdin.read()
        stop.set()
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
