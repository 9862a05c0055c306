"""Rows ``single``: one event a request, 64 clients; and latency at half that load.

Rules of this file: the service is the real ``henji serve`` in a process of its own, the
load comes from another; the echoes get the same bytes from the same generator.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median
from time import perf_counter
from typing import Any

from eventsourcing.application import Application

from benchmarks import processes, submissions
from benchmarks.effort import Effort
from benchmarks.library import Case, application
from benchmarks.load import Job, Outcome
from benchmarks.measure import Row, alternate, compared
from benchmarks.places import Place
from events.cloudevents import parse_structured
from events.submissions import Accepted, Request, prepare
from services.wiring import Ledger, open_ledger

CLIENTS = 64
_PYDANTIC, _MSGSPEC = "echo (pydantic)", "echo (msgspec)"
_SAVE = "library save(), one event"
_SAVES = 20


def run(place: Place, effort: Effort) -> list[Row]:
    """Return the rows: against both echoes, against ``save()``, latency."""
    with ExitStack() as stack:
        generator = stack.enter_context(processes.generator())
        service = stack.enter_context(processes.henji(place.settings()))
        ports = {
            "henji": service.port,
            _PYDANTIC: stack.enter_context(processes.echo("pydantic")),
            _MSGSPEC: stack.enter_context(processes.echo("msgspec")),
        }
        app = stack.enter_context(application(place.library()))
        behind: list[float] = []

        def load(name: str, *, rate: float = 0.0) -> Outcome:
            seconds = effort.seconds * (2 if rate else 1)
            outcome = generator.run(job(ports[name], service, seconds, rate))
            if name == "henji":
                behind.append(service.settle())
            return outcome

        def saturate(name: str) -> Callable[[], float]:
            return lambda: load(name).rate

        for name in ports:
            saturate(name)()  # warm
        rates = alternate(
            {
                **{name: saturate(name) for name in ports},
                _SAVE: lambda: _save(app, effort.seconds / 2),
            },
            rounds=effort.rounds,
        )
        alone = _in_process(place, app, effort)
        half = median(rates["henji"]) / 2
        slow = {name: load(name, rate=half) for name in ("henji", _PYDANTIC)}
    extra = {"clients": CLIENTS, "read_models_behind_seconds": round(max(behind), 2)}
    throughput = _throughput(rates, place.kind, extra)
    return [*throughput, alone, _latency(slow, place.kind, half)]


def job(
    port: int, service: processes.Service, seconds: float, rate: float = 0.0
) -> Job:
    """Return the job: structured CloudEvents, one a request."""
    return Job(
        ports=[port],
        head={
            "authorization": f"Bearer {service.bearer}",
            "content-type": "application/cloudevents+json",
        },
        template=submissions.template().decode(),
        clients=CLIENTS,
        seconds=seconds,
        rate=rate,
    )


def _save(app: Application[Any], seconds: float) -> float:
    """Save aggregates of one event, each in its own transaction; return events/s."""
    pattern, count, spent = submissions.template(), 0, 0.0
    while spent < seconds:
        entries = [json.loads(submissions.fill(pattern, n)) for n in range(_SAVES)]
        made = [Case(entry=entry) for entry in entries]
        started = perf_counter()
        for aggregate in made:
            app.save(aggregate)
        spent += perf_counter() - started
        count += _SAVES
    return count / spent


def _in_process(place: Place, app: Application[Any], effort: Effort) -> Row:
    """Return the row of the append path without HTTP, for as many waiting."""
    with open_ledger(place.settings()) as ledger:
        key = processes.groundwork(ledger)[0]
        numbers = itertools.count()
        rates = alternate(
            {
                "henji": lambda: _commit(ledger, key, numbers, effort.seconds / 2),
                _SAVE: lambda: _save(app, effort.seconds / 2),
            },
            rounds=effort.rounds,
        )
    name = "single-event, in process"
    return compared(rates, name=name, store=place.kind, baseline=_SAVE)


def _commit(ledger: Ledger, key: str, numbers: Iterator[int], seconds: float) -> float:
    """Parse, decide, seal and commit 64 waiting requests of one event; events/s."""
    pattern, spent, count = submissions.template(), 0.0, 0
    while spent < seconds:
        raws = [submissions.fill(pattern, next(numbers)) for _ in range(CLIENTS)]
        started = perf_counter()
        items = [prepare(parse_structured(raw)) for raw in raws]
        requests = [Request([item], key, _nobody) for item in items]
        for (result,) in ledger.sequencer.commit(requests):
            assert isinstance(result, Accepted), result
            assert result.batch
            result.batch.receipt(result.position)
        spent += perf_counter() - started
        count += CLIENTS
    return count / spent


def _nobody(_answers: object) -> None:
    """Take answers that are looked at where they were made."""


def _throughput(rates: Any, store: str, extra: dict[str, Any]) -> list[Row]:
    goals = {_PYDANTIC: 0.7, _SAVE: 4.0, _MSGSPEC: None}
    return [
        compared(
            rates,
            name="single-event",
            store=store,
            baseline=baseline,
            goal=goal,
            extra=extra,
        )
        for baseline, goal in goals.items()
    ]


def _latency(slow: dict[str, Outcome], store: str, rate: float) -> Row:
    ours, echo = slow["henji"], slow[_PYDANTIC]
    return Row(
        name="single-event latency, half load",
        store=store,
        henji=round(ours.p99, 2),
        baseline=round(echo.p99, 2),
        ratio=round(ours.p99 / echo.p99, 2),
        better="less",
        unit="ms p99",
        baseline_name=f"{_PYDANTIC}, same rate",
        extra={
            "rate": round(rate),
            "p50_ms": round(ours.p50, 2),
            "p99_ms": round(ours.p99, 2),
            "echo_p50_ms": round(echo.p50, 2),
        },
    )
