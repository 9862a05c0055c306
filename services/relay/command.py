"""``henji work relay``: a relay as a process of its own.

Rules of this file: arguments, signals, exit. It imports light: `henji verify` loads
every command.
"""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from services.options import DataDir, settings_in, stop_signal
from services.settings import Settings


def register(group: typer.Typer) -> None:
    """Add the command ``relay`` to the group of workers."""
    group.command("relay")(relay)


def relay(
    data_dir: DataDir = None,
    partitions: Annotated[
        int, typer.Option(min=1, help="Of the topic, if it is not there yet.")
    ] = 6,
    replication: Annotated[
        int, typer.Option(help="Of the topic, likewise; -1: the brokers' default.")
    ] = -1,
) -> None:
    """Publish the log on a topic of Kafka, in order; of several relays one works."""
    settings, stop = settings_in(data_dir), stop_signal()
    work(settings, stop, partitions=partitions, replication=replication)


def work(
    settings: Settings, stop: threading.Event, *, partitions: int, replication: int
) -> None:
    """Work until ``stop`` is set; errors as ``opening.opened``."""
    from services.relay.opening import Wanted, opened  # noqa: PLC0415

    with opened(settings, Wanted(partitions, replication)) as worker:
        worker.run(stop)
