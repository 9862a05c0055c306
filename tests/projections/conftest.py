"""Stores of read models for the tests: each test that asks for ``views`` runs on both."""

from __future__ import annotations

import threading

import pytest

from projections.board import Board
from projections.postgres import PostgresViews
from projections.runner import Runner
from projections.sqlite import SqliteViews


@pytest.fixture(params=["sqlite", "postgres"])
def views(request, tmp_path):
    """Yield an empty store of read models."""
    if request.param == "sqlite":
        store = SqliteViews(tmp_path / "ledger.db")
    else:
        store = PostgresViews(request.getfixturevalue("postgres_dsn"))
    yield store
    store.close()


@pytest.fixture
def sqlite_views(tmp_path):
    """Yield an empty SQLite store, for what does not depend on the database."""
    store = SqliteViews(tmp_path / "only.db")
    yield store
    store.close()


@pytest.fixture
def run():
    """Return a factory of runners of the board."""

    def make(log, store, *, batch=1000, projector=None, wake=None):
        return Runner(
            reader=log,
            views=store,
            projector=projector or Board(),
            wake=wake or threading.Event(),
            batch=batch,
            poll_seconds=0.05,
        )

    return make
