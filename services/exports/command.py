"""``henji export-log``: one format, one cut, one file.

Rules of this file: parse → call → print. What exports need is loaded by the command,
so that the others start without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from events.store import Selection
from services.options import DataDir, Output, settings_in

_Texts = list[str] | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export-log")(export_log)


def export_log(  # noqa: PLR0913, PLR0917 - one an option
    format_: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="ndjson, csv, parquet, xes, ocel-json, ocel-sqlite or oscal-poam.",
        ),
    ],
    output: Output,
    as_of: Annotated[
        str | None, typer.Option(help="Position or RFC 3339 instant.")
    ] = None,
    type_: Annotated[
        _Texts, typer.Option("--type", help="Event type, or `prefix*`.")
    ] = None,
    source: Annotated[_Texts, typer.Option(help="CloudEvents source.")] = None,
    stream: Annotated[_Texts, typer.Option(help="Stream.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="CSV for programs.")] = False,  # noqa: FBT002
    data_dir: DataDir = None,
) -> None:
    """Write the log in a format of others; print what was written as JSON.

    Static tiles, which anybody can verify, are written by `henji export`.
    """
    from services.exports import writing  # noqa: PLC0415 - see the rules
    from services.wiring import open_ledger  # noqa: PLC0415

    chosen = Selection(
        types=tuple(type_ or ()),
        sources=tuple(source or ()),
        streams=tuple(stream or ()),
    )
    with open_ledger(settings_in(data_dir)) as ledger, _progress() as hear:
        job = writing.prepared(ledger, format_, chosen, as_of=as_of, raw=raw, hear=hear)
        done = writing.write(job, format_, output)
    typer.echo(msgspec.json.encode(done).decode())


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True)) as bar:

        def hear(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step)
            bar.update(tasks[step], completed=done, total=total)

        yield hear
