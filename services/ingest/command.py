"""``henji work ingest``: an ingest worker as a process of its own.

Rules of this file: arguments, signals, exit. It imports light: `henji verify` loads
every command.
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from services.settings import Settings, from_environment


def register(group: typer.Typer) -> None:
    """Add the command ``ingest`` to the group of workers."""
    group.command("ingest")(ingest)


def ingest(
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the ledger.")] = None,
) -> None:
    """Submit what comes on the topics of HENJI_INGEST_TOPICS, beside any number."""
    settings = from_environment()
    if data_dir is not None:
        settings = msgspec.structs.replace(settings, data_dir=data_dir)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    work(settings, stop)


def work(settings: Settings, stop: threading.Event) -> None:
    """Work until ``stop`` is set; errors as ``opening.opened`` and ``Worker.run``."""
    from services.ingest.opening import opened  # noqa: PLC0415

    with opened(settings) as worker:
        worker.run(stop)
