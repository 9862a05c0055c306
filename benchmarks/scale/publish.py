"""``python -m benchmarks.scale.publish``: the kept series as the tables of CAPACITY.md.

Rules of this file: it writes between marks and measures nothing. What is extrapolated
here is a product of a measured figure, and the table's heading says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from pathlib import Path
from statistics import median

from benchmarks.measure import Row
from benchmarks.scale import goals, results
from benchmarks.scale.results import COLUMNS, Kept, Series, figure, newest, together
from benchmarks.scale.running import Measured

CAPACITY = Path(__file__).parents[1] / "CAPACITY.md"
_MARKS = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MET = {True: "yes", False: "**no**", None: ""}
#: Kind of storage -> its heading, in the order of the columns.
_KINDS = {
    "entries": "entries",
    "indexes": "indexes",
    "tiles": "tiles",
    "roots": "roots",
    "read_models": "read models",
    "topic_relayed": "topic of the log",
    "topic_submitted": "topic of submissions",
    "wal": "WAL written",
}
#: What stays for ever; WAL is recycled and topics have a retention.
_LASTING = ("entries", "indexes", "tiles", "roots", "read_models")
_PARTS = ("api", "ingest", "relay", "projection", "postgres", "broker")
#: What is compared in "growth": heading -> (scenario, the one it grows from).
_GROWTH = {
    "2 API processes, single": ("single-2", "single-1"),
    "2 API processes, bulk": ("bulk-2", "bulk-1"),
    "2 ingest workers": ("kafka-2", "kafka-1"),
    "2 of each, both ways in": ("both-2", "both-1"),
    "2 remote projection workers, catching up": ("catch-up-2", "catch-up"),
    "a log of 20,000 entries before": ("bulk-at-20k", "bulk-1"),
    "a log of 100,000 entries before": ("bulk-at-100k", "bulk-1"),
    "events of 2,000 bytes": ("bulk-2kB", "bulk-1"),
}
#: Events a year -> whose log that is.
_YEARS = {
    50_000: "a district",
    2_000_000: "a city",
    200_000_000: "a province",
    14_000_000_000: "one with peaks of 10,000/s",
}
#: Content -> the scenarios whose ledger and whose topic have the bytes of its events.
_CONTENTS = {
    "calls, 400 bytes": ("bulk-1", "remote-full"),
    "commitments": ("catch-up-local", "catch-up"),
}
#: Ways through a deployment -> the scenario that measures all of its parts.
_PATHS = {
    "one event a request, read models from the log": "single-1",
    "bulk over HTTP, read models from the log": "bulk-1",
    "Kafka with receipts, read models from the log": "kafka-1",
    "bodies of 100, relay, read models over Kafka": "remote-full",
}
#: Events a second that the plan is for, and how much more it has room for.
_PEAK, _RESERVE = 10_000, 2
_YEAR_SECONDS = 365 * 24 * 3_600
_Figure = Callable[[Measured], float | None]


def main() -> None:
    """Rewrite every table of which there are marks."""
    kept = results.load(results.SCALE)
    CAPACITY.write_text(filled(CAPACITY.read_text("utf-8"), kept), "utf-8")


def filled(text: str, kept: Sequence[Kept]) -> str:
    """Return a text with the tables between its marks. KeyError: no such table."""

    def table(found: re.Match[str]) -> str:
        lines = "\n".join(_TABLES[found[2]](kept))
        return f"{found[1]}{lines}\n{found[3]}"

    return _MARKS.sub(table, text)


def _lines(kept: Sequence[Kept]) -> list[str]:
    head = ("line", "measured", "against", "ratio", "goal", "met")
    return _table(head, (_line(row) for row in goals.rows(kept)))


def _line(row: Row) -> list[str]:
    spread = "–".join(figure(one) for one in row.spread or row.extra.get("runs", ()))
    sign = "≥" if row.better == "more" else "≤"
    ratio = "" if row.ratio is None else figure(row.ratio)
    baseline = "" if row.baseline is None else f"{figure(row.baseline)} {row.unit}"
    return [
        row.name,
        f"{figure(row.henji)} {row.unit}",
        baseline,
        f"{ratio} ({spread})",
        "" if row.goal is None else f"{sign} {row.goal:,g}",
        _MET[row.met],
    ]


def _rates(kept: Sequence[Kept]) -> list[str]:
    return _figures("scenario", COLUMNS, kept)


def _bytes(kept: Sequence[Kept]) -> list[str]:
    columns = {heading: _of_bytes(kind) for kind, heading in _KINDS.items()}
    return _figures("bytes an event", columns, kept)


def _usage(kept: Sequence[Kept]) -> list[str]:
    columns: dict[str, _Figure] = {}
    for part in _PARTS:
        columns[f"{part}, µs"] = _of_usage(part, "cpu_us_per_event")
        columns[f"{part}, MiB"] = _of_usage(part, "memory_mib")
    return _figures("scenario", columns, kept)


def _growth(kept: Sequence[Kept]) -> list[str]:
    rows = []
    for name, pair in _GROWTH.items():
        series = together(kept, pair)
        if not series:
            continue
        turns = list(zip(*(_rates_of(series[one]) for one in pair), strict=True))
        ratio = median(ours / base for ours, base in turns)
        ours, base = (median(rates) for rates in zip(*turns, strict=True))
        told = (ours, base, ratio, len(turns))
        rows.append([name, *map(figure, told)])
    return _table(("with", "events/s", "without", "ratio", "turns"), rows)


def _disk(kept: Sequence[Kept]) -> list[str]:
    rows, series = [], newest(kept)
    for content, (ledger, relayed) in _CONTENTS.items():
        if not {ledger, relayed} <= set(series):
            continue
        of_ledger, of_topic = series[ledger], series[relayed]
        lasting = sum(of_ledger.median(_of_bytes(kind)) or 0.0 for kind in _LASTING)
        topic = of_topic.median(_of_bytes("topic_relayed")) or 0.0
        for events, whose in _YEARS.items():
            rate = events / _YEAR_SECONDS
            cells = [_amount(events * lasting), _amount(events * topic)]
            rows.append([content, whose, f"{events:,}", figure(rate), *cells])
    head = ("content", "whose", "events a year", "mean events/s")
    return _table((*head, "log and read models", "topic of the log"), rows)


def _plan(kept: Sequence[Kept]) -> list[str]:
    rows, series = [], newest(kept)
    for path, name in _PATHS.items():
        one = series.get(name)
        spent = one and one.median(_all_cpu)
        rate = one and one.median(lambda run: run.through)
        if not (spent and rate):
            continue
        ledgers = ceil(_PEAK * _RESERVE / rate)
        cores = ceil(_PEAK * _RESERVE * spent / 1e6)
        told = (figure(spent), figure(rate), str(ledgers), str(cores))
        rows.append([f"{path} (`{name}`)", *told])
    head = ("path", "µs CPU an event", "events/s, one ledger, here")
    for_peak = (f"ledgers for {_PEAK:,}/s, X", f"cores for {_PEAK:,}/s, X")
    return _table((*head, *for_peak), rows)


def _all_cpu(run: Measured) -> float:
    return sum(used.cpu_us_per_event for used in run.usage.values())


def _conditions(kept: Sequence[Kept]) -> list[str]:
    rows = []
    for run in kept:
        machine = run.machine
        about = (
            f"{machine['cpus']} cores, {machine['system']} {machine['architecture']}"
        )
        loads = [
            load for one in run.series.values() for r in one.runs for load in r.load
        ]
        busy = f"{min(loads):.1f}–{max(loads):.1f}"
        names = " ".join(run.series)
        rows.append([run.begun[:16], run.commit[:7], about, busy, run.arguments, names])
    head = ("begun", "commit", "machine", "load average", "arguments", "scenarios")
    return _table(head, rows)


_TABLES: Mapping[str, Callable[[Sequence[Kept]], list[str]]] = {
    "lines": _lines,
    "rates": _rates,
    "bytes": _bytes,
    "usage": _usage,
    "growth": _growth,
    "disk": _disk,
    "plan": _plan,
    "conditions": _conditions,
}


def _figures(
    head: str, columns: Mapping[str, _Figure], kept: Sequence[Kept]
) -> list[str]:
    rows = (
        [name, *(figure(one.median(read)) for read in columns.values())]
        for name, one in sorted(newest(kept).items())
    )
    return _table((head, *columns), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    rule = "|".join(["---", *("--:" for _ in head[1:])])
    lines = (f"| {' | '.join(cells)} |" for cells in rows)
    return [f"| {' | '.join(head)} |", f"|{rule}|", *lines]


def _rates_of(one: Series) -> list[float]:
    """Return what each run is about: entries in, or entries caught up with."""
    return [_rate(run) for run in one.runs]


def _rate(run: Measured) -> float:
    if run.scenario.ways or run.projection is None:
        return run.throughput
    return run.projection.rate


def _amount(size: float) -> str:
    unit = "GB" if size < 1e12 else "TB"
    return f"{figure(size / (1e9 if unit == 'GB' else 1e12))} {unit}"


def _of_bytes(kind: str) -> _Figure:
    return lambda run: run.bytes_per_event.get(kind)


def _of_usage(part: str, name: str) -> _Figure:
    def read(run: Measured) -> float | None:
        value: float | None = getattr(run.usage.get(part), name, None)
        return value

    return read


if __name__ == "__main__":
    main()
