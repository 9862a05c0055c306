"""What runs leave: a JSON file of series, and tables in the terminal.

Rules of this file: presentation and keeping. Only series of one run of the harness are
comparable, so runs are kept apart; of a scenario by itself the newest series counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.scale.running import Measured
from benchmarks.scale.usage import Usage

SCALE = Path(__file__).parents[1] / "results" / "scale.json"


class Series(msgspec.Struct, kw_only=True):
    """The runs of one scenario, which took turns with those of its neighbours."""

    runs: list[Measured]

    def median(self, of: Callable[[Measured], float | None]) -> float | None:
        """Return the median of a figure over the runs that have it."""
        found = [value for run in self.runs if (value := of(run)) is not None]
        return median(found) if found else None


#: Heading -> figure of a run; None where a scenario has none.
COLUMNS: Mapping[str, Callable[[Measured], float | None]] = {
    "into the log, events/s": lambda run: run.throughput if run.scenario.ways else None,
    "receipt p50, ms": lambda run: _receipt(run, "p50"),
    "p90": lambda run: _receipt(run, "p90"),
    "p99": lambda run: _receipt(run, "p99"),
    "p99.9": lambda run: _receipt(run, "p999"),
    "read models, events/s": lambda run: (
        run.projection.rate if run.projection else None
    ),
    "lag p50, s": lambda run: _lag(run, "p50_seconds"),
    "lag p99, s": lambda run: _lag(run, "p99_seconds"),
    "lag p99, events": lambda run: _lag(run, "p99_events"),
    "relay, events/s": lambda run: run.relay.rate if run.relay else None,
    "relay p99, s": lambda run: (
        run.relay.p99_seconds if run.relay and run.scenario.ways else None
    ),
}


class Kept(msgspec.Struct, kw_only=True):
    """One run of the harness: when, on what, and the series by scenario.

    ``arguments`` are those of its command line.
    """

    begun: str
    arguments: str
    commit: str
    machine: dict[str, Any]
    series: dict[str, Series]


def load(path: Path) -> list[Kept]:
    """Return the runs that are kept, oldest first; none where there is no file."""
    if not path.exists():
        return []
    return msgspec.json.decode(path.read_bytes(), type=list[Kept])


def keep(path: Path, run: Kept) -> None:
    """Add a run to the file. One goes when later ones have measured all it has."""
    later: set[str] = set()
    kept: list[Kept] = []
    for one in reversed([*load(path), run]):
        if not set(one.series) <= later:
            kept.insert(0, one)
        later |= set(one.series)
    body = msgspec.json.encode(kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(body, indent=1) + b"\n")


def newest(kept: Sequence[Kept]) -> dict[str, Series]:
    """Return the newest series of each scenario."""
    found: dict[str, Series] = {}
    for run in kept:
        found |= run.series
    return found


def together(kept: Sequence[Kept], names: Collection[str]) -> dict[str, Series]:
    """Return these scenarios from the run with most turns that has all; or nothing.

    Of equals it is the newest.
    """
    newest_first = (run.series for run in reversed(kept))
    having = [series for series in newest_first if set(names) <= set(series)]
    best = max(
        having,
        key=lambda series: min(len(series[name].runs) for name in names),
        default={},
    )
    return {name: best[name] for name in names if best}


def show(series: Mapping[str, Series], console: Console) -> None:
    """Print rates and lags, then bytes, then what processes used."""
    console.print(_table("scenario", COLUMNS, series))
    kinds = sorted({kind for one in series.values() for kind in _bytes(one)})
    sizes = {kind: _of_bytes(kind) for kind in kinds}
    console.print(_table("bytes an event", sizes, series))
    parts = sorted({part for one in series.values() for part in _parts(one)})
    used = {
        f"{part} {unit}": _of_usage(part, read)
        for part in parts
        for unit, read in _USAGE.items()
    }
    console.print(_table("used", used, series))


def figure(value: float | None) -> str:
    """Return a figure with three digits that count, or nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


_USAGE: Mapping[str, Callable[[Usage], float]] = {
    "µs CPU an event": lambda usage: usage.cpu_us_per_event,
    "MiB": lambda usage: usage.memory_mib,
}


def _table(
    head: str,
    columns: Mapping[str, Callable[[Measured], float | None]],
    series: Mapping[str, Series],
) -> Table:
    table = Table(head, *columns, "audit")
    for name, one in series.items():
        sound = all(run.audit_ok and not run.failures for run in one.runs)
        cells = [figure(one.median(read)) for read in columns.values()]
        table.add_row(name, *cells, "[green]ok" if sound else "[red]NO")
    return table


def _receipt(run: Measured, name: str) -> float | None:
    found: Sequence[float] = [getattr(one, name) for one in run.receipts.values()]
    return max(found, default=None)


def _lag(run: Measured, name: str) -> float | None:
    """Return a figure of the lag under load; a catch-up is nothing but lag."""
    if run.projection is None or not run.scenario.ways:
        return None
    value: float = getattr(run.projection, name)
    return value


def _bytes(one: Series) -> set[str]:
    return {kind for run in one.runs for kind in run.bytes_per_event}


def _parts(one: Series) -> set[str]:
    return {part for run in one.runs for part in run.usage}


def _of_bytes(kind: str) -> Callable[[Measured], float | None]:
    return lambda run: run.bytes_per_event.get(kind)


def _of_usage(
    part: str, read: Callable[[Usage], float]
) -> Callable[[Measured], float | None]:
    return lambda run: read(run.usage[part]) if part in run.usage else None
