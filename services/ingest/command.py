"""``henji work ingest``: an ingest worker as a process of its own.

Rules of this file: arguments, signals, exit. It imports light: `henji verify` loads
every command.
"""

from __future__ import annotations

import threading

import typer

from services.options import DataDir, settings_in, stop_signal
from services.settings import Settings


def register(group: typer.Typer) -> None:
    """Add the command ``ingest`` to the group of workers."""
    group.command("ingest")(ingest)


def ingest(data_dir: DataDir = None) -> None:
    """Submit what comes on the topics of HENJI_INGEST_TOPICS, beside any number."""
    work(settings_in(data_dir), stop_signal())


def work(settings: Settings, stop: threading.Event) -> None:
    """Work until ``stop`` is set; errors as ``opening.opened`` and ``Worker.run``."""
    from services.ingest.opening import opened  # noqa: PLC0415

    with opened(settings) as worker:
        worker.run(stop)
