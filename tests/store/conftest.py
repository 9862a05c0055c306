"""The three stores, each empty, behind one fixture; and what makes a sealed batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from events.memory import MemoryStore
from events.postgres import PostgresStore, install
from events.sqlite import SqliteStore
from events.store import Store

NAMES = ("memory", "sqlite", "postgres")
OpenStore = Callable[[str], Store]


@contextmanager
def _opened(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[OpenStore]:
    stores: list[Store] = []

    def open_store(name: str) -> Store:
        if name == "memory":
            store: Store = MemoryStore()
        elif name == "sqlite":
            path: Path = tmp_path_factory.mktemp("ledger") / "log.sqlite"
            store = SqliteStore.open(path)
        else:
            owner, writer = request.getfixturevalue("new_postgres_database")()
            role = writer.split("user=")[1].split()[0]
            install(owner, schema="henji", writer_role=role)
            store = PostgresStore.open(writer)
        stores.append(store)
        return store

    try:
        yield open_store
    finally:
        for store in stores:
            store.close()


@pytest.fixture
def open_store(tmp_path_factory, request) -> Iterator[OpenStore]:
    """Return a factory of new, empty stores by name; all are closed afterwards."""
    with _opened(tmp_path_factory, request) as factory:
        yield factory


@pytest.fixture(scope="session")
def open_shared_store(tmp_path_factory, request) -> Iterator[OpenStore]:
    """Do the same, for stores that a whole test session reads."""
    with _opened(tmp_path_factory, request) as factory:
        yield factory


@pytest.fixture(params=NAMES)
def store(request, open_store: OpenStore) -> Store:
    """Return an empty store; the test runs once for each of the three."""
    return open_store(request.param)


@pytest.fixture
def postgres(open_store: OpenStore) -> PostgresStore:
    """Return an empty PostgreSQL store, connected as the writer."""
    opened = open_store("postgres")
    assert isinstance(opened, PostgresStore)
    return opened
