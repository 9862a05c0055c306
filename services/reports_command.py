"""``henji report``: a report of a cut as a file that appears whole or not at all.

Rules of this file: parse → call → print. It reads the ledger itself: through the read
models where they have reached the cut, else by folding the log, which gives the same.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from events import entries
from events.store import Reader
from projections.cut_world import cut_of
from projections.reports.formats.rendering import View
from projections.reports.model import Language
from projections.reports.registry import named
from projections.views import Views
from projections.world import Cut
from services import options, reporting
from services.options import DataDir, Output, settings_in
from services.reporting import Asked
from services.settings import Settings
from services.wiring import open_ledger, open_views


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, of which cut it is, and its digest (hex)."""

    file: str
    size: int
    sha256: str
    position: int
    root: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(  # noqa: PLR0913, PLR0917 - one an option
    name: Annotated[str, typer.Argument(help="What GET /v1/reports lists.")],
    output: Output,
    format_: Annotated[
        str, typer.Option("--format", help="Default: by the name of the file.")
    ] = "",
    period: Annotated[
        str | None, typer.Option(help="2017-11-24, 2017-W47; default: the cut's.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Position or RFC 3339 instant.")
    ] = None,
    as_at: Annotated[
        str | None, typer.Option(help="RFC 3339; what had happened by then.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Of this unit alone.")] = None,
    subject: Annotated[str | None, typer.Option(help="Enterprise or site.")] = None,
    table: Annotated[str, typer.Option(help="CSV: this table alone.")] = "",
    url: Annotated[
        str, typer.Option(help="Of the service; figures of a page lead there.")
    ] = "",
    language: options.Language = "zh",
    data_dir: DataDir = None,
) -> None:
    """Write a report of the log as of any moment; print what was written as JSON."""
    spoken: Language = "zh" if language == "zh" else "en"
    kind = format_ or output.suffix.removeprefix(".")
    chosen = reporting.format_of(named(name), kind)
    asked = Asked(name, period, unit, subject)
    with _opened(settings_in(data_dir)) as (reader, views):
        cut = cut_at(reader, as_of=as_of, as_at=as_at)
        view = View(spoken, _link(url, asked, cut), table)
        with reporting.world_of(reader, views, cut) as world:
            content = reporting.written(reporting.made(world, asked), chosen, view)
    _write(output, content)
    digest = hashlib.sha256(content).hexdigest()
    done = Written(str(output), len(content), digest, cut.position, cut.root.hex())
    typer.echo(msgspec.json.encode(done).decode())


def cut_at(reader: Reader, *, as_of: str | None, as_at: str | None) -> Cut:
    """Return the cut that is asked for: a position, or all that was sealed by then.

    ``Malformed``: position_ahead, or an instant that is none.
    """
    happened = entries.instant(as_at) if as_at else None
    if as_of is None or as_of.isdecimal():
        position = None if as_of is None else int(as_of)
        return cut_of(reader, position=position, as_at=happened)
    sealed = entries.instant(as_of)
    now = sealed if happened is None else happened
    position = reader.position_at(sealed)
    return cut_of(reader, position=position, as_at=happened, now=now)


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Reader, Views]]:
    with open_ledger(settings) as ledger, closing(open_views(settings)) as views:
        yield ledger.store, views


def _link(url: str, asked: Asked, cut: Cut) -> str:
    above = f"{url.rstrip('/')}/v1/"
    return reporting.link(asked, cut, above=above) if url else ""


def _write(output: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=output.parent, delete=False) as file:
        beside = Path(file.name)
        try:
            file.write(content)
            file.flush()
            beside.replace(output)
        finally:
            beside.unlink(missing_ok=True)
