"""A progress bar in the terminal for an import; nothing else knows how it looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from services.importing.run import Progress as Told


@contextmanager
def progress_bar(console: Console) -> Iterator[Told]:
    """Show one line for each step of an import while it runs."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        tasks = {
            name: bar.add_task(name, total=None, visible=False)
            for name in ("reading", "planning", "sending")
        }

        def told(step: str, done: int, total: int | None) -> None:
            bar.update(tasks[step], completed=done, total=total, visible=True)

        yield told
