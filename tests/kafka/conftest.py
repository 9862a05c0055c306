"""Brokers for tests, started by the test run itself: Tansu, and Apache Kafka if it can.

All tests on a real Kafka are one group: with ``--dist loadgroup`` they run in one
process and share one JVM. What a test kills it starts again before it ends.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

import pytest

from services import wiring
from services.kafka.connection import Connection
from services.settings import Settings
from tests.kafka.relaying import Book
from tests.support import brokers, scenario
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
    """Three nodes of Kafka: each keeps everything, two must have it (min.insync).

    One module uses it: what it starts ends with that module.
    """
    with _or_skip(brokers.kafka(3, heap=320)) as cluster:
        yield cluster


@pytest.fixture
def connection(broker) -> Connection:
    """How the workers reach the broker."""
    return Connection(tuple(broker.bootstrap.split(",")))


@pytest.fixture
def new_book(tmp_path, request):
    """Return a factory of open ledgers: on sqlite or postgres, for a relay."""
    with contextlib.ExitStack() as stack:

        def make(cluster: Cluster, store: str = "sqlite", **given) -> Book:
            folder = tmp_path / uuid.uuid4().hex
            if store == "postgres":
                owner, writer = request.getfixturevalue("new_postgres_database")()
                role = writer.split("user=")[1].split()[0]
                wiring.install_postgres(owner, schema="henji", writer_role=role)
                given["database_url"] = writer
            given.setdefault("kafka_topic", f"log-{folder.name[:8]}")
            settings = Settings(
                data_dir=folder,
                origin=scenario.ORIGIN,
                kafka=cluster.bootstrap,
                **given,
            )
            ledger = stack.enter_context(wiring.open_ledger(settings))
            for event in scenario.groundwork():
                ledger.submit_as_operator(event)
            return Book(ledger, settings)

        yield make
