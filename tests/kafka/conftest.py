"""Brokers for tests, started by the test run itself: Tansu, and Apache Kafka if it can.

All tests on a real Kafka are one group: with ``--dist loadgroup`` they run in one
process and share one JVM. What a test kills it starts again before it ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from services.kafka.connection import Connection
from tests.support import brokers
from tests.support.brokers import Cluster

_ON_KAFKA = {"kafka", "three_kafkas", "broker"}


def pytest_collection_modifyitems(items):
    """Keep the tests that need a JVM together."""
    for item in items:
        if _ON_KAFKA & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("kafka"))


@contextlib.contextmanager
def _or_skip(starting) -> Iterator[Cluster]:
    with contextlib.ExitStack() as stack:
        try:
            cluster = stack.enter_context(starting)
        except brokers.NoBroker as error:
            pytest.skip(str(error))
        yield cluster


@pytest.fixture(scope="session")
def _kafka() -> Iterator[Cluster]:
    with _or_skip(brokers.kafka()) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def _tansu() -> Iterator[Cluster]:
    with _or_skip(brokers.tansu()) as cluster:
        yield cluster


@pytest.fixture
def kafka(_kafka) -> Iterator[Cluster]:
    """Apache Kafka, one node; it runs again after the test, whatever the test did."""
    yield _kafka
    _kafka.start()


@pytest.fixture
def tansu(_tansu) -> Iterator[Cluster]:
    """Tansu: a start costs nothing, what it held is gone after a kill."""
    yield _tansu
    _tansu.start()


@pytest.fixture(params=["tansu", "kafka"])
def broker(request) -> Cluster:
    """Each of the two brokers in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def three_kafkas() -> Iterator[Cluster]:
    """Three nodes of Kafka: each keeps everything, two must have it (min.insync)."""
    with _or_skip(brokers.kafka(3, heap=320)) as cluster:
        yield cluster


@pytest.fixture
def connection(broker) -> Connection:
    """How the workers reach the broker."""
    return Connection(tuple(broker.bootstrap.split(",")))
