"""``henji export-log``: one format, one cut, one file that appears whole or not at all.

Rules of this file: parse → call → print. What is written is the formats' own.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from events.store import Selection
from services.exports import formats
from services.exports.job import Hear, Job, bounded, moment, pin
from services.settings import Settings, from_environment
from services.wiring import Ledger, open_ledger

_Texts = list[str] | None


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, of which cut it is, and its digests (hex)."""

    file: str
    size: int
    sha256: str
    position: int
    root: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export-log")(export_log)


def export_log(  # noqa: PLR0913, PLR0917 - one an option
    format_: Annotated[
        str, typer.Argument(metavar="FORMAT", help=", ".join(formats.FORMATS))
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to.")],
    as_of: Annotated[
        str | None, typer.Option(help="Position or RFC 3339 instant.")
    ] = None,
    type_: Annotated[
        _Texts, typer.Option("--type", help="Event type, or `prefix*`.")
    ] = None,
    source: Annotated[_Texts, typer.Option(help="CloudEvents source.")] = None,
    stream: Annotated[_Texts, typer.Option(help="Stream.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="CSV for programs.")] = False,  # noqa: FBT002
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the ledger.")] = None,
) -> None:
    """Write the log in a format of others; print what was written as JSON.

    Static tiles, which anybody can verify, are written by `henji export`.
    """
    chosen = Selection(
        types=tuple(type_ or ()),
        sources=tuple(source or ()),
        streams=tuple(stream or ()),
    )
    with open_ledger(_settings(data_dir)) as ledger, _progress() as hear:
        job = prepared(ledger, format_, chosen, as_of=as_of, raw=raw, hear=hear)
        done = write(job, format_, output)
    typer.echo(msgspec.json.encode(done).decode())


def prepared(
    ledger: Ledger,
    format_: str,
    chosen: Selection,
    *,
    as_of: str | None,
    raw: bool,
    hear: Hear,
) -> Job:
    """Return the export of a ledger at a moment.

    ``NotFound('export_format_unknown')``; ``Malformed``: position_ahead,
    invalid_parameter, export_filter_unfit.
    """
    formats.fit(formats.find(format_), chosen)
    cut = pin(ledger.store, moment(ledger.store, as_of))
    return Job(
        reader=ledger.store,
        origin=ledger.settings.origin,
        cut=cut,
        selection=bounded(ledger.store, chosen, cut),
        raw=raw,
        hear=hear,
    )


def write(job: Job, format_: str, output: Path) -> Written:
    """Write an export to a file that takes its name only where all went well."""
    state, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=output.parent, delete=False) as file:
        beside = Path(file.name)
        try:
            for piece in formats.find(format_).write(job):
                state.update(piece)
                size += file.write(piece)
            file.flush()
            beside.replace(output)
        finally:
            beside.unlink(missing_ok=True)
    position, root = job.cut.position, job.cut.root.hex()
    return Written(str(output), size, state.hexdigest(), position, root)


@contextmanager
def _progress() -> Iterator[Hear]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True)) as bar:

        def hear(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step)
            bar.update(tasks[step], completed=done, total=total)

        yield hear


def _settings(data_dir: Path | None) -> Settings:
    settings = from_environment()
    if data_dir is None:
        return settings
    return msgspec.structs.replace(settings, data_dir=data_dir)
