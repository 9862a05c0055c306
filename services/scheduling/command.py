"""``henji work schedule``: a scheduler as a process of its own.

Rules of this file: arguments, signals, exit. It imports light: `henji verify` loads
every command.
"""

from __future__ import annotations

import json
import threading
from typing import Annotated, Any

import typer

from services.options import DataDir, settings_in, stop_signal
from services.settings import Settings


def register(group: typer.Typer) -> None:
    """Add the command ``schedule`` to the group of workers."""
    group.command("schedule")(schedule)


def schedule(
    data_dir: DataDir = None,
    once: Annotated[  # noqa: FBT002
        bool, typer.Option("--once", help="Catch up, say what was done, and end.")
    ] = False,
) -> None:
    """Append what time makes due, each once, beside any number of its like."""
    settings = settings_in(data_dir)
    if once:
        typer.echo(json.dumps(catch_up(settings), ensure_ascii=False))
        return
    work(settings, stop_signal())


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
    """Work until ``stop`` is set, and serve the worker's metrics meanwhile."""
    from services.scheduling.opening import standalone  # noqa: PLC0415
    from services.scheduling.worker import publish  # noqa: PLC0415
    from services.telemetry import Metrics, metrics_served  # noqa: PLC0415

    metrics = Metrics()
    with (
        standalone(settings) as worker,
        metrics_served(metrics, host=settings.host, port=settings.metrics_port),
    ):
        publish(metrics, worker)
        worker.run(stop)
