"""Whole deployments to be broken, and the table of what came of it.

One deployment serves the faults of one ground, one after the other: each audit is of
everything since its start. After a finding it is taken down, and the next fault has a
new one. All these tests are one group: with ``--dist loadgroup`` in one process.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults import table
from tests.faults.deployment import Deployment, prepared
from tests.faults.small_disk import NoSmallDisk, small_disk
from tests.support import brokers, embedded_postgres

_OPTION = "--faults-in-full"
#: Two API processes, workers and relays have their own pools, and the tests' own.
_POSTGRES = {"max_connections": "150", "min_wal_size": "32MB", "max_wal_size": "64MB"}


def pytest_addoption(parser):
    """Let ``make faults`` ask for the whole table."""
    parser.addoption(_OPTION, action="store_true", help="every fault, at full length")


def pytest_generate_tests(metafunc):
    """Run the short selection of the faults unless all are asked for."""
    if "fault" in metafunc.fixturenames:
        whole = metafunc.config.getoption(_OPTION, default=False)
        metafunc.parametrize("fault", table.chosen(whole=whole))


@pytest.fixture(scope="session")
def in_full(request) -> bool:
    """Say whether faults last as long as they should."""
    return request.config.getoption(_OPTION, default=False)


@dataclass
class Grounds:
    """The deployment that runs now, with what it stands on."""

    folder: Path
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    ground: str = ""
    made: Deployment | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def on(self, ground: str) -> Deployment:
        """Return the deployment of a ground, taking down another one."""
        if self.made is None or ground != self.ground:
            self.close()
            self.made = _START[ground](self, self.stack)
            self.ground = ground
        return self.made

    def close(self) -> None:
        """Take down what runs."""
        self.made = None
        self.stack.close()

    def start(self, stack: contextlib.ExitStack, cluster, place=None, **more: str):
        """Start a deployment on a cluster, its database in a place."""
        server = stack.enter_context(embedded_postgres.running(_POSTGRES, place=place))
        folder = self.folder / str(next(self.numbers))
        folder.mkdir()
        made = prepared(folder, server, cluster, **more)
        return stack.enter_context(made.running())


def _one_broker(stack: contextlib.ExitStack):
    """Start Apache Kafka, or Tansu where that cannot be."""
    try:
        return stack.enter_context(brokers.kafka())
    except brokers.NoBroker:
        return stack.enter_context(brokers.tansu())


def _plain(grounds: Grounds, stack: contextlib.ExitStack) -> Deployment:
    return grounds.start(stack, _one_broker(stack))


def _small_disk(grounds: Grounds, stack: contextlib.ExitStack) -> Deployment:
    place = stack.enter_context(small_disk())
    made = grounds.start(stack, _one_broker(stack), place)
    made.ballast = place / "ballast"
    return made


def _three_brokers(grounds: Grounds, stack: contextlib.ExitStack) -> Deployment:
    cluster = stack.enter_context(brokers.kafka(3, heap=320))
    return grounds.start(stack, cluster, kafka_delivery="exactly_once")


_START = {
    "plain": _plain,
    "small_disk": _small_disk,
    "three_brokers": _three_brokers,
}


@pytest.fixture(scope="module")
def grounds(tmp_path_factory) -> Iterator[Grounds]:
    """Return what starts deployments; all ends with the module, for its idle costs."""
    made = Grounds(tmp_path_factory.mktemp("faults"))
    yield made
    made.close()


@pytest.fixture
def deployment_on(grounds):
    """Return a factory of the deployment of a ground; skips what cannot be here."""

    def on(ground: str) -> Deployment:
        try:
            return grounds.on(ground)
        except (brokers.NoBroker, embedded_postgres.NoPostgres, NoSmallDisk) as reason:
            grounds.close()
            pytest.skip(str(reason))

    return on


@pytest.fixture
def record(request):
    """Return what notes figures of a run for the table at the end."""

    def note(**figures: object) -> None:
        request.node.user_properties.extend(figures.items())

    return note


_COLUMNS = (
    "seconds",
    "events",
    "repeated",
    "unknown",
    "refused",
    "turned away",
    "topic again",
    "ends",
    "findings",
)


def pytest_terminal_summary(terminalreporter):
    """Print the table of the runs."""
    reports = [
        report
        for kind in ("passed", "failed")
        for report in terminalreporter.getreports(kind)
        if dict(report.user_properties).get("fault")
    ]
    if not reports:
        return
    write = terminalreporter.write_line
    terminalreporter.section("faults")
    write("| fault | " + " | ".join(_COLUMNS) + " |")
    write("|---" * (len(_COLUMNS) + 1) + "|")
    for report in reports:
        told = dict(report.user_properties)
        cells = [str(told.get(name, "")) for name in ("fault", *_COLUMNS)]
        write("| " + " | ".join(cells) + " |")
