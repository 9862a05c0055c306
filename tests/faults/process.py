"""A process of the deployment: ``python -m tests.faults.process CLOCK ARGUMENT…``.

It is ``henji ARGUMENT…`` with two differences: it is killed when its standard input
ends, so that none survives the tests; and its clock is off by what the file CLOCK says.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys
import threading
import time
from pathlib import Path

CLOCK_BYTES = 8


def set_clock(path: Path, microseconds: int) -> None:
    """Let the processes that look at this file be off by so much, at once."""
    flags = os.O_RDWR | os.O_CREAT
    held = os.open(path, flags, 0o600)
    os.pwrite(
        held, (microseconds * 1_000).to_bytes(CLOCK_BYTES, "little", signed=True), 0
    )
    os.close(held)


def shift_clock(path: Path) -> None:
    """Add what the file says to ``time.time_ns``, from now on."""
    with path.open("rb") as file:
        held = mmap.mmap(file.fileno(), CLOCK_BYTES, prot=mmap.PROT_READ)
    real = time.time_ns
    time.time_ns = lambda: real() + int.from_bytes(held[:], "little", signed=True)


def end_with_parent() -> None:
    """Kill this process when whoever started it is gone."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def main(clock: str, *arguments: str) -> None:
    """Run the command line of the product."""
    from services import cli

    threading.Thread(target=end_with_parent, daemon=True).start()
    shift_clock(Path(clock))
    sys.argv = ["henji", *arguments]
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
