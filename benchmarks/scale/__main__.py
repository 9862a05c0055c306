"""``python -m benchmarks.scale``: run scenarios in turns, print, keep the results.

Rules of this file: arguments, and what is open for all scenarios together.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

import msgspec
from rich.console import Console

from benchmarks import report
from benchmarks.measure import alternate
from benchmarks.places import Place, places
from benchmarks.scale import goals, results
from benchmarks.scale.results import Kept, Series
from benchmarks.scale.running import Measured, run
from benchmarks.scale.scenarios import GROUPS, NAMED, Scenario, chosen
from events.entries import rfc3339
from services.wiring import clock
from tests.support import brokers
from tests.support.brokers import Cluster

_STARTS = {"kafka": brokers.kafka, "tansu": brokers.tansu}


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; 1 where an event was lost or an audit failed."""
    wanted = _parsed(arguments)
    console = Console(width=None if sys.stdout.isatty() else 200)
    if wanted.list:
        _list(console)
        return 0
    scenarios = [_changed(one, wanted.set) for one in chosen(wanted.names)]
    begun, machine = rfc3339(clock()), report.machine()
    with ExitStack() as stack:
        bench = stack.enter_context(_opened(scenarios, console))
        runs = bench.take_turns(wanted.rounds)
    kept = Kept(
        begun=begun,
        arguments=" ".join(arguments),
        commit=report.commit(),
        machine=machine,
        series={name: Series(runs=found) for name, found in runs.items()},
    )
    results.show(kept.series, console)
    report.show(goals.rows([kept]), console)
    results.keep(wanted.results, kept)
    console.print(f"written: {os.path.relpath(wanted.results)}")
    sound = all(one.audit_ok and not one.failures for r in runs.values() for one in r)
    return 0 if sound else 1


class _Bench:
    """What scenarios run on, and what they have given so far."""

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        found: Mapping[str, Place],
        clusters: Mapping[str, Cluster],
        console: Console,
    ) -> None:
        self._scenarios = scenarios
        self._places = found
        self._clusters = clusters
        self._console = console
        self._runs: dict[str, list[Measured]] = {one.name: [] for one in scenarios}

    def take_turns(self, rounds: int) -> dict[str, list[Measured]]:
        """Run each scenario so many times, forwards and backwards in turn.

        Half a load comes right after the full one: what the machine has to give may
        be another in the next turn.
        """
        turns = {
            one.name: lambda one=one: self._turn(one)
            for one in self._scenarios
            if not one.half_of
        }
        alternate(turns, rounds=rounds)
        return self._runs

    def _turn(self, scenario: Scenario) -> float:
        done = self._run(scenario)
        for half in self._scenarios:
            if half.half_of == scenario.name:
                self._run(msgspec.structs.replace(half, rate=done.through / 2))
        return done.throughput

    def _run(self, scenario: Scenario) -> Measured:
        started = perf_counter()
        cluster = self._clusters.get(scenario.broker)
        done = run(scenario, self._places[scenario.store], cluster)
        self._runs[scenario.name].append(done)
        sound = "sound" if done.audit_ok and not done.failures else str(done.audit)
        self._console.print(
            f"{scenario.name}: {done.events:,} events, {sound}, "
            f"{perf_counter() - started:.0f} s"
        )
        return done


@contextmanager
def _opened(scenarios: Sequence[Scenario], console: Console) -> Iterator[_Bench]:
    """Start the stores and brokers that any of the scenarios needs."""
    with ExitStack() as stack:
        kinds: list[str] = sorted({one.store for one in scenarios})
        found = {each.kind: each for each in stack.enter_context(places(kinds))}
        clusters: dict[str, Cluster] = {
            name: stack.enter_context(_STARTS[name]())
            for name in sorted({one.broker for one in scenarios} - {"none"})
        }
        yield _Bench(scenarios, found, clusters, console)


def _changed(scenario: Scenario, changes: Sequence[str]) -> Scenario:
    """Return a scenario with ``field=value`` for each change; lists by commas."""
    given = dict(change.split("=", 1) for change in changes)
    fields = msgspec.structs.asdict(scenario) | given
    if "ways" in given:
        fields["ways"] = given["ways"].split(",")
    return msgspec.convert(fields, Scenario, strict=False)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument(
        "names",
        nargs="*",
        default=["lines"],
        type=_known,
        metavar="scenario",
        help="names and groups: see --list",
    )
    parser.add_argument("--list", action="store_true", help="say which there are")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each scenario")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="change a field of each scenario: apis=3, ways=ndjson,kafka; repeat",
    )
    parser.add_argument("--results", type=Path, default=results.SCALE)
    return parser.parse_args(arguments)


def _known(name: str) -> str:
    """Return a name that there is; argparse tells of the ValueError."""
    if name not in {*GROUPS, *NAMED}:
        raise ValueError(name)
    return name


def _list(console: Console) -> None:
    default = Scenario(name="")
    for one in NAMED.values():
        fields = msgspec.structs.asdict(one)
        told = [
            f"{name}={value}"
            for name, value in fields.items()
            if name != "name" and value != getattr(default, name)
        ]
        console.print(f"{one.name}: {' '.join(told) or 'the default'}")
    for name, members in GROUPS.items():
        console.print(f"{name} = {' '.join(members)}", style="bold")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
