"""``python -m benchmarks``: run rows, print the table, write the result.

Rules of this file: arguments and the list of rows; what a row does is in its module.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from time import perf_counter

from rich.console import Console

from benchmarks import report
from benchmarks.effort import FULL, QUICK, Effort
from benchmarks.measure import Row
from benchmarks.places import Place, places

#: Row -> its module; each has ``run(place, effort) -> list[Row]``.
ROWS: Mapping[str, str] = {
    "single": "benchmarks.single",
    "bulk": "benchmarks.bulk",
    "replay": "benchmarks.replay",
    "rebuild": "benchmarks.rebuild",
    "verify": "benchmarks.verifying",
    "query": "benchmarks.query",
    "peer": "benchmarks.peer",
}
STORES = ("sqlite", "postgres")


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for. A goal that is missed is a finding, not a failure."""
    wanted = _parsed(arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    effort = QUICK if wanted.quick else FULL
    if wanted.entries:
        effort = replace(effort, entries=wanted.entries)
    if wanted.sizes:
        small, large = wanted.sizes
        effort = replace(effort, small=small, large=large)
    machine = report.machine()
    rows: list[Row] = []
    with places(wanted.store or list(STORES)) as found:
        for place in found:
            for name in wanted.only or list(ROWS):
                rows += _measure(name, place, effort, console)
    report.show(rows, console)
    about = {"machine": machine, "commit": report.commit(), "quick": wanted.quick}
    report.write(wanted.results, rows, about)
    console.print(f"written: {os.path.relpath(wanted.results)}")
    return 0


def _measure(
    name: str, place: Place, effort: Effort, console: Console
) -> Sequence[Row]:
    started = perf_counter()
    run: Callable[[Place, Effort], list[Row]] = import_module(ROWS[name]).run
    rows = run(place, effort)
    console.print(f"{name} on {place.kind}: {perf_counter() - started:.0f} s")
    return rows


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="short, less certain")
    parser.add_argument("--only", action="append", choices=list(ROWS), help="repeat")
    parser.add_argument("--store", action="append", choices=STORES, help="repeat")
    parser.add_argument("--entries", type=int, help="size of the logs that are read")
    parser.add_argument(
        "--sizes", type=_sizes, help="the two logs of query: 100000,1000000"
    )
    parser.add_argument("--results", type=Path, default=report.LATEST)
    return parser.parse_args(arguments)


def _sizes(text: str) -> tuple[int, int]:
    """Return the shorter and the longer one; argparse tells of the ValueError."""
    small, large = map(int, text.split(","))
    if not 0 < small < large:
        raise ValueError(text)
    return small, large


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
