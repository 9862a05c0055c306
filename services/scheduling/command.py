"""``henji work schedule``: a scheduler as a process of its own.

Rules of this file: arguments, signals, exit. It imports light: `henji verify` loads
every command.
"""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from services.settings import Settings, from_environment


def register(group: typer.Typer) -> None:
    """Add the command ``schedule`` to the group of workers."""
    group.command("schedule")(schedule)


def schedule(
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the ledger.")] = None,
    once: Annotated[  # noqa: FBT002
        bool, typer.Option("--once", help="Catch up, say what was done, and end.")
    ] = False,
) -> None:
    """Append what time makes due, each once, beside any number of its like."""
    settings = from_environment()
    if data_dir is not None:
        settings = msgspec.structs.replace(settings, data_dir=data_dir)
    if once:
        typer.echo(json.dumps(catch_up(settings), ensure_ascii=False))
        return
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    work(settings, stop)


def catch_up(settings: Settings) -> dict[str, Any]:
    """Append what is due by now; return what was done, as plain data.

    ``leading`` is false where another worker has the lease: then nothing was done.
    """
    from services.scheduling.opening import standalone  # noqa: PLC0415

    with standalone(settings) as worker:
        health = worker.catch_up()
        return {
            "leading": health.leading,
            "appended": health.appended,
            "refused": worker.refused,
        }


def work(settings: Settings, stop: threading.Event) -> None:
    """Work until ``stop`` is set."""
    from services.scheduling.opening import standalone  # noqa: PLC0415

    with standalone(settings) as worker:
        worker.run(stop)
