"""Two ledgers in one database, served by one role: neither sees the other's rows."""

from __future__ import annotations

import psycopg
import pytest

from events import errors
from events.postgres import PostgresStore
from tests.postgres.conftest import drafts
from tests.store.batches import many, put

TABLES = ("log_entry", "log_node", "log_root", "log_key")
PARTITIONS = ("log_entry_1", "log_entry_301")


@pytest.fixture(scope="module")
def two(new_ledger):
    """Return a database with the ledgers ``one`` (400 entries) and ``two`` (300)."""
    ledger = new_ledger()
    for schema, count in (("one", 400), ("two", 300)):
        ledger.install(schema=schema)
        store = PostgresStore.open(ledger.dsns["writer"], schema=schema)
        put(store, drafts(0, count))
        store.close()
    return ledger


def seen(connection: psycopg.Connection, schema: str) -> dict[str, int]:
    """Return how many rows of each table a session sees."""
    return {
        table: connection.execute(f"SELECT count(*) FROM {schema}.{table}").fetchone()[
            0
        ]
        for table in TABLES
    }


NOTHING = dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize("who", ["writer", "projector", "reader", "owner"])
def test_a_session_of_one_ledger_sees_nothing_of_the_other(two, who):
    """Whatever the search path or the statement says, and the owner too (FORCE)."""
    with two.connect(who, ledger="one") as connection:
        connection.execute("SET search_path TO two")
        assert seen(connection, "two") == NOTHING
        assert seen(connection, "one")["log_entry"] == 400
        assert connection.execute("SELECT count(*) FROM log_entry").fetchone() == (0,)


@pytest.mark.parametrize("ledger", [None, "", "three", "ONE"])
def test_a_session_of_no_ledger_sees_nothing(two, ledger):
    """Deny is what happens when nobody said which ledger."""
    with two.connect("writer", ledger=ledger) as connection:
        assert seen(connection, "one") == seen(connection, "two") == NOTHING


@pytest.mark.parametrize("partition", PARTITIONS)
def test_a_partition_is_bound_like_its_parent(two, partition):
    """Even the owner sees a partition only in a session of its ledger."""
    statement = f"SELECT count(*) > 0 FROM one.{partition}"
    for ledger, visible in (("one", True), ("two", False)):
        with two.connect("owner", ledger=ledger) as connection:
            assert connection.execute(statement).fetchone() == (visible,)


def test_a_session_of_one_ledger_writes_nothing_into_the_other(two):
    """A row for another ledger is refused, whoever names its table."""
    with two.connect("writer", ledger="one") as connection:
        for table in ("log_entry", "log_node", "log_root"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level"):
                connection.execute(_row(table))


def _row(table: str) -> str:
    values = {
        "log_entry": "301, 's', 1, 't', 'u', 'i', 0, 0, sha256(''), 'x'",
        "log_node": "7, 99, sha256('')",
        "log_root": "301, sha256(''), 0",
    }
    return f"INSERT INTO two.{table} VALUES ({values[table]})"


def test_the_store_of_one_ledger_cannot_be_pointed_at_the_other(two):
    """A store whose connections are bound to A finds nothing in B's tables."""
    store = PostgresStore.open(two.dsns["writer"], schema="one")
    reads = store._writer.execute
    reads("SET search_path TO two, pg_temp")
    with pytest.raises(errors.Denied) as refused:
        put(store, many(1))
    assert refused.value.code == "store_privilege_missing"
    store.close()


def test_ids_and_versions_are_each_ledgers_own(two):
    """The same submission counts once in each ledger, under its own position."""
    for schema, count in (("one", 400), ("two", 300)):
        store = PostgresStore.open(two.dsns["reader"], schema=schema, duty="reader")
        assert store.find("urn:test:0", "e-42").position == 43
        assert store.find("urn:test:1", f"e-{count + 1}") is None
        assert store.head().size == count
        store.close()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE henji.log_entry NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE henji.log_root DISABLE ROW LEVEL SECURITY",
        "DROP POLICY ledger ON henji.log_key",
        "CREATE POLICY all_see ON henji.log_node USING (true)",
        "ALTER TABLE henji.log_entry_1 DISABLE ROW LEVEL SECURITY",
    ],
)
def test_rows_set_free_are_found_at_start(ledger, change):
    """A policy that is gone, off, or has another beside it stops the start."""
    with ledger.connect("owner") as owner:
        owner.execute(change)
    with pytest.raises(errors.Corrupt) as refused:
        ledger.open()
    assert refused.value.code == "store_unprotected"
