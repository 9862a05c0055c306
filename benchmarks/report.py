"""What a run leaves: a table in the terminal and a JSON file.

Rules of this file: presentation only.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Row

LATEST = Path(__file__).parent / "results" / "latest.json"


def machine() -> dict[str, Any]:
    """Return what the numbers depend on, as far as it says nothing of its owner."""
    return {
        "cpus": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_before": os.getloadavg()[0],
    }


def commit() -> str:
    """Return the commit that was measured; "+" where files differ from it."""
    return _git("rev-parse", "HEAD") + ("+" if _git("status", "--porcelain") else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        check=False,
    )
    return done.stdout.strip()


def write(path: Path, rows: Sequence[Row], about: dict[str, Any]) -> None:
    """Write the result; the file is replaced."""
    body = msgspec.json.encode({"rows": list(rows), **about})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(body, indent=1) + b"\n")


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the rows."""
    table = Table("row", "store", "henji", "baseline", "", "ratio", "goal", "met")
    for row in rows:
        bound = {"more": "≥", "less": "≤"}[row.better]
        met = {None: "", True: "[green]yes", False: "[red]no"}[row.met]
        table.add_row(
            row.name,
            row.store,
            f"{row.henji:,.4g} {row.unit}",
            "" if row.baseline is None else f"{row.baseline:,.4g}",
            row.baseline_name,
            "" if row.ratio is None else _ratio(row),
            "" if row.goal is None else f"{bound} {row.goal:g}",
            met,
        )
    console.print(table)


def _ratio(row: Row) -> str:
    spread = f" ({row.spread[0]:.2g}–{row.spread[1]:.2g})" if row.spread else ""
    return f"{row.ratio:.3g}{spread}"
