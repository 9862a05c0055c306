"""PostgreSQL for tests: one server a run (and worker), a fresh database for each user.

A pytest plugin, loaded by tests/conftest.py; no schema of ours is created here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.support.embedded_postgres import NoPostgres, Server, running

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Yield a running server. Starting one takes about a second, so each worker has its own."""
    try:
        with running() as server:
            yield server
    except NoPostgres as reason:
        pytest.skip(f"no PostgreSQL here: {reason}")


@pytest.fixture(scope="session")
def new_postgres_database(postgres_server: Server) -> Callable[[], tuple[str, str]]:
    """Return a factory of (owner's conninfo, writer's conninfo) for a new, empty database.

    The owner may create schemas in it and is no superuser. The writer is a plain login
    role without any grant: ``events.postgres.install`` gives it what it may do.
    """

    def create() -> tuple[str, str]:
        name = f"t{next(_NUMBERS)}"
        owner, writer = f"{name}_owner", f"{name}_writer"
        with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
            for role in (owner, writer):
                connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
            connection.execute(
                SQL("CREATE DATABASE {} OWNER {}").format(
                    Identifier(name), Identifier(owner)
                )
            )
        return postgres_server.dsn(name, owner), postgres_server.dsn(name, writer)

    return create


@pytest.fixture
def postgres_dsns(
    new_postgres_database: Callable[[], tuple[str, str]],
) -> tuple[str, str]:
    """Return (owner, writer) conninfo strings of a fresh, empty database."""
    return new_postgres_database()


@pytest.fixture
def postgres_dsn(postgres_dsns: tuple[str, str]) -> str:
    """Return the owner's conninfo string of a fresh, empty database."""
    return postgres_dsns[0]
