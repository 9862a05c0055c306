"""A ledger in a database of its own, with a role for each duty and small partitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from events.postgres import PostgresStore, install
from tests.store.batches import Draft, put

PARTITION = 300


@dataclass(frozen=True)
class Ledger:
    """Conninfo strings by who connects: superuser, owner, writer, projector, reader."""

    dsns: dict[str, str]
    schema: str = "henji"

    def role(self, who: str) -> str:
        """Return the name of a role."""
        return str(conninfo_to_dict(self.dsns[who])["user"])

    def connect(self, who: str, *, ledger: str | None = "henji") -> psycopg.Connection:
        """Connect as a role, the session bound to a ledger as the service does."""
        connection = psycopg.connect(self.dsns[who], autocommit=True)
        connection.execute(f"SET search_path TO {self.schema}, pg_temp")
        if ledger is not None:
            connection.execute("SELECT set_config('henji.ledger', %s, false)", [ledger])
        return connection

    def open(self, who: str = "writer", **given) -> PostgresStore:
        """Open the store as a role."""
        return PostgresStore.open(self.dsns[who], schema=self.schema, **given)

    def install(self, schema: str = "henji", **given) -> None:
        """Install a ledger for the three roles."""
        others = {"projector": self.role("projector"), "reader": self.role("reader")}
        given = {"partition_rows": PARTITION, "others": others, **given}
        install(
            self.dsns["owner"],
            schema=schema,
            writer_role=self.role("writer"),
            **given,
        )


@pytest.fixture(scope="session")
def new_ledger(new_postgres_database, postgres_server) -> Callable[[], Ledger]:
    """Return a factory of fresh databases with roles, in which nothing is installed."""

    def create() -> Ledger:
        owner, writer = new_postgres_database()
        database = owner.split("dbname=")[1]
        dsns = {
            "superuser": postgres_server.dsn(database),
            "owner": owner,
            "writer": writer,
        }
        with psycopg.connect(dsns["superuser"], autocommit=True) as admin:
            for duty in ("projector", "reader"):
                admin.execute(f"CREATE ROLE {database}_{duty} LOGIN")
                dsns[duty] = postgres_server.dsn(database, f"{database}_{duty}")
            # Where anybody may make tables: what is denied is denied by the log's own.
            admin.execute("CREATE SCHEMA yard; GRANT ALL ON SCHEMA yard TO PUBLIC")
        return Ledger(dsns)

    return create


@pytest.fixture
def empty_ledger(new_ledger) -> Ledger:
    """Return the roles of a fresh database in which nothing is installed."""
    return new_ledger()


@pytest.fixture
def ledger(new_ledger) -> Ledger:
    """Return an installed ledger of 450 entries: one partition full, one half full."""
    return _filled(new_ledger())


@pytest.fixture(scope="session")
def shared_ledger(new_ledger) -> Ledger:
    """Return the same for tests that leave it as it is."""
    return _filled(new_ledger())


def _filled(ledger: Ledger) -> Ledger:
    ledger.install()
    store = ledger.open()
    for first in range(0, 450, 150):
        put(store, drafts(first, 150))
    store.close()
    return ledger


def drafts(first: int, count: int) -> list[Draft]:
    """Return drafts of seven streams and two sources, numbered from ``first``."""
    return [
        Draft(f"commitment/{n % 7}", f"e-{n}", source=f"urn:test:{n % 2}")
        for n in range(first, first + count)
    ]
