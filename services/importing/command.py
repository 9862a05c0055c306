"""What ``henji import`` calls: shipped mappings by name, and an import with a terminal.

It joins the transport and the progress bar to ``run``; arguments are parsed, and the
report is printed and turned into an exit code, by the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from rich.console import Console

from services.importing.client import Wait, http_post
from services.importing.mapping import LogMapping, read_mapping
from services.importing.progress import progress_bar
from services.importing.report import Report
from services.importing.run import Edge, run_import


def named_mapping(name: str) -> LogMapping:
    """Read the mapping that is meant: a path, or the name of a shipped one ("receipt").

    Raises ``Malformed`` ``mapping_invalid``.
    """
    path = Path(name)
    shipped = Path(str(files("services.importing") / "mappings" / f"{name}.toml"))
    return read_mapping(shipped if not path.exists() and shipped.exists() else path)


def shipped_log() -> Path:
    """Give the real log that ships with the project, for the mapping "receipt"."""
    return Path(str(files("services") / "demo_data" / "receipt.csv.gz"))


def import_log(  # noqa: PLR0913 - what reaches an import from the edge
    file: Path,
    mapping: LogMapping,
    *,
    url: str,
    key: str,
    console: Console,
    wait: Wait,
    clock: Callable[[], float],
) -> Report:
    """Import a log into the service at ``url`` with a progress bar; see ``run_import``.

    ``clock`` gives seconds from any origin, ``wait`` sleeps for some.
    """
    with http_post(url, key) as post, progress_bar(console) as progress:
        edge = Edge(post=post, wait=wait, clock=clock, progress=progress)
        return run_import(file, mapping, edge)
