"""One scenario from an empty folder to its figures.

Rules of this file: the order of things, and what is put together from which part. After
the load it waits until everything has caught up; then bytes, processor time and the
audit are those of all the work that the load made.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack, closing

import msgspec

from benchmarks.load import Outcome
from benchmarks.places import Place
from benchmarks.scale import lags, usage
from benchmarks.scale.auditing import Audit, audit
from benchmarks.scale.deployment import Deployment, deployed
from benchmarks.scale.lags import Lag
from benchmarks.scale.loads import loading
from benchmarks.scale.scenarios import Scenario
from benchmarks.scale.sizes import sizes
from benchmarks.scale.usage import Usage
from benchmarks.scale.watching import Watch, watched
from events.store import Store
from services.wiring import open_store
from tests.support.brokers import Cluster

_WARM_SECONDS = 2.0
#: What a client is told when its event is in the log.
_GOOD = {"200", "201", "sent"}


class Latency(msgspec.Struct, kw_only=True):
    """From when an event was due until its receipt was there, ms."""

    p50: float
    p90: float
    p99: float
    p999: float


class Measured(msgspec.Struct, kw_only=True):
    """What one run of a scenario gave.

    ``throughput`` is entries a second by the log's own clock. ``receipts`` are by way
    in. ``bytes_per_event`` by kind of storage, of what the load added. ``load`` is that
    of the machine (all its users) before and after. ``audit_ok`` and ``failures`` have
    to be true and 0.
    """

    scenario: Scenario
    events: int
    throughput: float
    failures: int
    receipts: dict[str, Latency]
    projection: Lag | None
    relay: Lag | None
    bytes_per_event: dict[str, float]
    usage: dict[str, Usage]
    audit: Audit
    audit_ok: bool
    load: tuple[float, float]

    @property
    def through(self) -> float:
        """Return events a second that came all the way into the read models."""
        return min(self.throughput, self.projection.rate if self.projection else 0.0)


def run(scenario: Scenario, place: Place, cluster: Cluster | None) -> Measured:
    """Deploy a scenario on a fresh ledger, load it, measure and audit it."""
    machine = os.getloadavg()[0]
    with ExitStack() as stack:
        deployment = stack.enter_context(deployed(scenario, place, cluster))
        store = stack.enter_context(closing(open_store(deployment.settings)))
        watch = stack.enter_context(watched(deployment))
        return _measured(deployment, store, watch, machine)


def _measured(
    deployment: Deployment, store: Store, watch: Watch, machine: float
) -> Measured:
    scenario = deployment.scenario

    def size() -> int:
        head = store.head()
        return head.size if head else 0

    # What catches up is measured by all there is: the preload is its load.
    before, start = dict[str, int](), 0
    deployment.start()
    with loading(deployment, size) as load:
        if scenario.ways:
            if scenario.rate:
                load.apply(seconds=_WARM_SECONDS)
            watch.await_all(size())
            before, start = sizes(deployment), size()
        cpu = usage.cpu_seconds(deployment.all_pids())
        outcomes = load.apply(seconds=scenario.seconds)
        watch.await_all(size())
    end = size()
    events = end - start
    used = usage.of(deployment.all_pids(), before=cpu, events=events)
    found = lags.batches(
        ((root.size, root.ingested) for root in store.iter_roots()), after=start
    )
    submitted = sum(one.events for one in outcomes.values())
    expected = start + submitted if scenario.ways else end
    judged = audit(
        deployment,
        expected=expected,
        log=end,
        read_models=_last(watch, "projection"),
    )
    return Measured(
        scenario=scenario,
        events=events,
        throughput=_throughput(found, outcomes),
        failures=_failures(outcomes) + expected - end,
        receipts=_receipts(outcomes, scenario),
        projection=lags.lag(found, watch.samples.get("projection", [])),
        relay=lags.lag(found, watch.samples.get("relay", [])),
        bytes_per_event=_growth(before, sizes(deployment), events),
        usage=used,
        audit=judged,
        audit_ok=judged.ok,
        load=(machine, os.getloadavg()[0]),
    )


def _throughput(found: list[lags.Batch], outcomes: Mapping[str, Outcome]) -> float:
    """Return entries a second by the log's clock; by the client's for one batch."""
    by_log = lags.throughput(found)
    if by_log or not outcomes:
        return by_log
    return max(one.rate for one in outcomes.values())


def _failures(outcomes: Mapping[str, Outcome]) -> int:
    return sum(
        count
        for one in outcomes.values()
        for status, count in one.statuses.items()
        if status not in _GOOD
    )


def _receipts(outcomes: Mapping[str, Outcome], of: Scenario) -> dict[str, Latency]:
    """Return latencies by way; a saturated topic has none: its records have waited."""
    return {
        way: Latency(p50=one.p50, p90=one.p90, p99=one.p99, p999=one.p999)
        for way, one in outcomes.items()
        if way != "kafka" or (of.rate and of.receipts)
    }


def _growth(
    before: Mapping[str, int], after: Mapping[str, int], events: int
) -> dict[str, float]:
    """Return bytes by kind; how much was written before the load nobody has noted."""
    return {
        kind: (size - before.get(kind, 0)) / events
        for kind, size in after.items()
        if kind in before or kind != "wal"
    }


def _last(watch: Watch, name: str) -> int | None:
    samples = watch.samples.get(name)
    return samples[-1].position if samples else None
