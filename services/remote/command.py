"""``henji work project`` and ``henji rebuild``: read models from the log, or a topic.

Rules of this file: arguments, signals, exit. It imports light: `henji verify` loads
every command.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from services.options import DataDir, Language, settings_in, stop_signal
from services.texts import speaker


def register(app: typer.Typer, group: typer.Typer) -> None:
    """Add ``rebuild``, and ``project`` to the group of workers."""
    app.command("rebuild")(rebuild)
    group.command("project")(project)


def project(
    from_: Annotated[
        Literal["log", "kafka"],
        typer.Option("--from", help="The log itself, or the topic it is relayed to."),
    ] = "log",
    data_dir: DataDir = None,
    attached: Annotated[  # noqa: FBT002
        bool, typer.Option("--attached", help="End when standard input does.")
    ] = False,
) -> None:
    """Keep the read models up to date: here, or from a topic on any machines."""
    settings = settings_in(data_dir)
    if from_ == "log":
        from services import projecting  # noqa: PLC0415 - see the rules

        parent = sys.stdin.buffer if attached else None
        projecting.project(settings, parent=parent)
        return
    from services.remote import opening  # noqa: PLC0415

    opening.work(settings, stop_signal())


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
    data_dir: DataDir = None,
    language: Language = "en",
) -> None:
    """Build the read models anew beside the live ones, and switch to them."""
    settings = settings_in(data_dir)
    if from_ == "log":
        from services import projecting  # noqa: PLC0415 - see the rules

        done = projecting.rebuild(settings)
    else:
        from services.remote import opening  # noqa: PLC0415

        file = None if from_ == "kafka" else Path(from_)
        done = opening.rebuild(settings, file=file, root=root)
    text = speaker(language)("rebuilt", number=done.number, position=done.position)
    typer.echo(text)
