"""No statement changes or removes a committed row, in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from events import errors
from events.postgres import PostgresStore, install
from events.postgres_check import check
from events.postgres_roles import LOG_TABLES
from tests.store.batches import many, put

COLUMN = {"log_entry": "entry", "log_node": "hash", "log_root": "root"}


@pytest.mark.parametrize("table", LOG_TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_sqlite_refuses_changes(open_store, table, statement):
    """UPDATE and DELETE are refused by trigger in a ledger file."""
    store = open_store("sqlite")
    put(store, many(300))
    column = COLUMN[table]
    connection = sqlite3.connect(store.path)
    try:
        with pytest.raises(sqlite3.IntegrityError, match="insert-only"):
            connection.execute(statement.format(table, column, column))
    finally:
        connection.close()


@pytest.fixture
def ledger(postgres_dsns):
    """Return (owner, writer) conninfo of a database with a ledger of 300 entries."""
    owner, writer = postgres_dsns
    role = writer.split("user=")[1].split()[0]
    install(owner, schema="henji", writer_role=role)
    store = PostgresStore.open(writer)
    put(store, many(300))
    store.close()
    return owner, writer


STATEMENTS = (
    "UPDATE henji.{table} SET {column} = {column}",
    "DELETE FROM henji.{table}",
    "TRUNCATE henji.{table}",
)


@pytest.mark.parametrize("table", LOG_TABLES)
@pytest.mark.parametrize("statement", STATEMENTS, ids=["update", "delete", "truncate"])
def test_postgres_refuses_the_writer_by_privilege(ledger, table, statement):
    """The writer has no privilege to update, delete or truncate."""
    text = statement.format(table=table, column=COLUMN[table])
    with (
        psycopg.connect(ledger[1]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(text)


@pytest.mark.parametrize("replica", [False, True], ids=["session", "replica session"])
@pytest.mark.parametrize("table", LOG_TABLES)
@pytest.mark.parametrize("statement", STATEMENTS, ids=["update", "delete", "truncate"])
def test_postgres_refuses_even_a_superuser_by_trigger(
    ledger, postgres_server, table, statement, replica
):
    """The triggers fire for a superuser too, and in a session that skips plain triggers."""
    text = statement.format(table=table, column=COLUMN[table])
    database = ledger[0].split("dbname=")[1]
    with psycopg.connect(postgres_server.dsn(database)) as connection:
        if replica:
            connection.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(text)


def test_the_writer_cannot_touch_the_schema(ledger):
    """The writer cannot create, alter or drop anything, nor disable a trigger."""
    for text in (
        "CREATE TABLE henji.other ()",
        "DROP TABLE henji.log_root",
        "ALTER TABLE henji.log_entry DISABLE TRIGGER ALL",
        "CREATE TRIGGER t BEFORE INSERT ON henji.log_root EXECUTE FUNCTION henji.refuse_change()",
        "INSERT INTO henji.migration VALUES (99)",
    ):
        with (
            psycopg.connect(ledger[1]) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(text)


def test_owner_and_superuser_are_refused_at_start(ledger, postgres_server):
    """A store does not open for a role that could change the log, unless told to."""
    database = ledger[0].split("dbname=")[1]
    for dsn in (ledger[0], postgres_server.dsn(database)):
        with pytest.raises(errors.Denied) as refused:
            PostgresStore.open(dsn)
        assert refused.value.code == "store_overprivileged"
        store = PostgresStore.open(dsn, overprivileged="allow")
        assert store.head().size == 300
        store.close()


@pytest.mark.parametrize("power", ["UPDATE", "DELETE", "TRUNCATE", "UPDATE (entry)"])
def test_each_extra_privilege_is_refused_at_start(ledger, power):
    """One grant too many, on one table or one column, is found at start."""
    owner, writer = ledger
    role = writer.split("user=")[1].split()[0]
    with psycopg.connect(owner) as connection:
        connection.execute(f"GRANT {power} ON henji.log_entry TO {role}")
    with pytest.raises(errors.Denied) as refused:
        PostgresStore.open(writer)
    assert refused.value.code == "store_overprivileged"
    assert power.split()[0] in refused.value.detail


def test_a_role_that_may_become_the_owner_is_refused(ledger, postgres_server):
    """Membership in the owner's role counts, even where it is not inherited."""
    owner, writer = (dsn.split("user=")[1].split()[0] for dsn in ledger)
    with psycopg.connect(postgres_server.dsn()) as connection:
        connection.execute(f"GRANT {owner} TO {writer} WITH INHERIT FALSE")
    with pytest.raises(errors.Denied):
        PostgresStore.open(ledger[1])


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE henji.log_entry DISABLE TRIGGER log_entry_change",
        "ALTER TABLE henji.log_root ENABLE REPLICA TRIGGER log_root_truncate",
        "ALTER TABLE henji.log_node ENABLE TRIGGER log_node_change",
        "DROP TRIGGER log_root_change ON henji.log_root",
    ],
)
def test_a_weakened_trigger_is_found_at_start(ledger, change):
    """A trigger that is disabled, weakened or dropped stops the start, always."""
    with psycopg.connect(ledger[0]) as connection:
        connection.execute(change)
    with pytest.raises(errors.Corrupt) as refused:
        PostgresStore.open(ledger[1])
    assert refused.value.code == "store_unprotected"


def test_missing_tables_are_named(postgres_dsns):
    """A database without the ledger says what is missing."""
    with pytest.raises(errors.Unavailable) as refused:
        PostgresStore.open(postgres_dsns[1])
    assert refused.value.code == "store_not_installed"


def test_install_is_idempotent_and_keeps_the_log(ledger):
    """Installing again changes nothing, and takes back what the writer had been given."""
    owner, writer = ledger
    role = writer.split("user=")[1].split()[0]
    with psycopg.connect(owner) as connection:
        connection.execute(f"GRANT DELETE ON henji.log_entry TO {role}")
    install(owner, schema="henji", writer_role=role)
    with psycopg.connect(writer) as connection:
        connection.execute("SET search_path TO henji")
        check(connection, "henji", "writer")
    with psycopg.connect(owner) as connection:
        rows = connection.execute("SELECT number FROM henji.migration").fetchall()
    assert rows == [(1,), (2,), (3,)]


def test_ledgers_are_separate_schemas(postgres_dsns):
    """Two ledgers in one database have their own logs, locks and privileges."""
    owner, writer = postgres_dsns
    role = writer.split("user=")[1].split()[0]
    stores = []
    for schema in ("one", "two"):
        install(owner, schema=schema, writer_role=role)
        stores.append(PostgresStore.open(writer, schema=schema))
    with stores[0].append():
        assert put(stores[1], many(2)).size == 2
    assert stores[0].head() is None
    for store in stores:
        store.close()


def test_install_creates_the_role_or_says_that_it_cannot(
    postgres_dsns, postgres_server
):
    """A missing writer role is created by one who may, and named otherwise."""
    with pytest.raises(errors.Denied) as refused:
        install(postgres_dsns[0], schema="henji", writer_role="nobody_yet")
    assert refused.value.code == "store_role_missing"
    database = postgres_dsns[0].split("dbname=")[1]
    install(postgres_server.dsn(database), schema="henji", writer_role="nobody_yet")
    store = PostgresStore.open(postgres_server.dsn(database, "nobody_yet"))
    assert put(store, many(1)).size == 1
    store.close()


def test_schema_names_are_plain():
    """A schema name that would need quoting is refused before anything is connected."""
    for name in ("", "Henji", "a-b", 'a"; DROP', "1a", "a" * 41):
        with pytest.raises(ValueError, match="plain"):
            install("host=/nowhere", schema=name, writer_role=None)
