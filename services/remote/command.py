"""``henji work project`` and ``henji rebuild``: read models from the log, or a topic.

Rules of this file: arguments, signals, exit. It imports light: `henji verify` loads
every command.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from services.settings import Settings, from_environment
from services.texts import speaker

_DataDir = Annotated[Path | None, typer.Option(help="Folder of the ledger.")]


def register(app: typer.Typer, group: typer.Typer) -> None:
    """Add ``rebuild``, and ``project`` to the group of workers."""
    app.command("rebuild")(rebuild)
    group.command("project")(project)


def project(
    from_: Annotated[
        Literal["log", "kafka"],
        typer.Option("--from", help="The log itself, or the topic it is relayed to."),
    ] = "log",
    data_dir: _DataDir = None,
    attached: Annotated[  # noqa: FBT002
        bool, typer.Option("--attached", help="End when standard input does.")
    ] = False,
) -> None:
    """Keep the read models up to date: here, or from a topic on any machines."""
    settings = _settings(data_dir)
    if from_ == "log":
        from services import projecting  # noqa: PLC0415 - see the rules

        parent = sys.stdin.buffer if attached else None
        projecting.project(settings, parent=parent)
        return
    from services.remote import opening  # noqa: PLC0415

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    opening.work(settings, stop)


def rebuild(
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            help="log; kafka; or an NDJSON export, after which kafka is followed.",
        ),
    ] = "log",
    root: Annotated[
        str, typer.Option(help="Of an export: the root that `export-log` printed.")
    ] = "",
    data_dir: _DataDir = None,
    language: Annotated[str, typer.Option(help="en or zh", envvar="HENJI_LANG")] = "en",
) -> None:
    """Build the read models anew beside the live ones, and switch to them."""
    settings = _settings(data_dir)
    if from_ == "log":
        from services import projecting  # noqa: PLC0415 - see the rules

        done = projecting.rebuild(settings)
    else:
        from services.remote import opening  # noqa: PLC0415

        file = None if from_ == "kafka" else Path(from_)
        done = opening.rebuild(settings, file=file, root=root)
    text = speaker(language)("rebuilt", number=done.number, position=done.position)
    typer.echo(text)


def _settings(data_dir: Path | None) -> Settings:
    settings = from_environment()
    if data_dir is None:
        return settings
    return msgspec.structs.replace(settings, data_dir=data_dir)
