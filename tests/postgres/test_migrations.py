"""Old code on a new schema, new code on an old one, and the way from one to the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import psycopg
import pytest

from events import errors
from events.postgres_schema import install, migrations, partition
from events.sql import load
from tests.postgres import release_1
from tests.postgres.conftest import PARTITION, drafts
from tests.store.batches import Draft, put, sealed

#: Ledgers in the field were made with exactly these.
RELEASED = {
    1: "f3a35b6bb3112c894fd42369c7472eb6ae23acdc49cfd7437dc5c47ee2f38e90",
    2: "96116dd15ed3f78888f36aa2e84ae777ee0803bcb9672d04a81e3b78f337e482",
}


@pytest.fixture
def old(empty_ledger):
    """Return a ledger of 450 entries that release 1 made and filled."""
    with psycopg.connect(empty_ledger.dsns["owner"]) as owner:
        release_1.install(owner, empty_ledger.role("writer"))
    with empty_ledger.connect("writer", ledger=None) as writer:
        for first in range(0, 450, 150):
            release_1.append(writer, first, 150)
    return empty_ledger


def test_a_released_migration_is_never_edited():
    """The text of each migration that a ledger may have been made with stays as it is."""
    found = {n: sha256(text.encode()).hexdigest() for n, text in migrations().items()}
    assert (
        found[1] == sha256(release_1.statements()["migration_1"].encode()).hexdigest()
    )


def test_new_code_refuses_a_schema_that_is_behind(old):
    """A service that is newer than its schema says so at start, and changes nothing."""
    with pytest.raises(errors.Unavailable) as behind:
        old.open()
    assert behind.value.code == "store_schema_behind"
    assert behind.value.detail == "2, 3"


def test_new_code_serves_a_schema_that_is_ahead(ledger):
    """A service that is older than its schema goes on: migrations only expand."""
    with ledger.connect("owner") as owner:
        owner.execute("INSERT INTO migration VALUES (99)")
        owner.execute("CREATE TABLE later (x int)")
    store = ledger.open()
    assert put(store, drafts(450, 1)).size == 451
    store.close()


def test_old_code_runs_on_the_migrated_schema(old):
    """All that release 1 asks and appends is as before, beside the new release."""
    with old.connect("writer", ledger=None) as before:
        expected = release_1.answers(before)
        old.install()  # while release 1 is connected, its statements prepared
        assert release_1.answers(before) == expected
        release_1.append(before, 450, 50)
        store = old.open()
        assert store.head().size == 500
        with store.append() as log:
            last = log.rows(after=499, limit=1)[0]
            row = last._replace(
                position=501, stream="s/new", version=1, id="new", source="urn:new"
            )
            root = store.head()._replace(size=501)
            log.insert(rows=[row], nodes=[], root=root)
        release_1.append(before, 501, 9)
        assert [row.position for row in store.iter_entries()] == list(range(1, 511))
        store.close()


def test_new_code_reads_both_layouts_alike(old):
    """Every read gives the same of one table and of partitions made from it."""
    old.install()
    store = old.open()
    flat = everything(store)
    assert store.room() is None
    store.close()
    partition(old.dsns["owner"], schema="henji", partition_rows=PARTITION)
    store = old.open()
    assert everything(store) == flat
    assert store.room() >= PARTITION
    store.close()


def everything(store):
    """Return what the reads of a store answer."""
    keys = [("urn:test:1", "e-7"), ("urn:test:0", "e-8"), ("urn:test:0", "none")]
    with store.append() as log:
        inside = (
            log.find_many(keys),
            log.streams(["commitment/3", "commitment/4"]),
            log.versions(["commitment/3", "commitment/4", "none"]),
        )
    return (
        inside,
        list(store.iter_entries()),
        list(store.iter_roots()),
        store.find("urn:test:1", "e-7"),
        store.find_id("e-7"),
        store.stream("commitment/3", after=5, limit=10),
        store.row(42),
        store.replay(after=40, limit=20),
    )


def test_partitioning_writes_no_row_again(old):
    """Rows stay where they are on disk, under the transaction that wrote them."""
    where = "SELECT position, ctid, xmin, tableoid FROM henji.log_entry ORDER BY 1"
    old.install()
    with old.connect("owner") as owner:
        before = owner.execute(where).fetchall()
    partition(old.dsns["owner"], schema="henji", partition_rows=PARTITION)
    with old.connect("owner") as owner:
        assert owner.execute(where).fetchall() == before
        keys = "SELECT position, id, source, stream, version FROM {} ORDER BY 1"
        assert (
            owner.execute(keys.format("log_key")).fetchall()
            == owner.execute(keys.format("log_entry")).fetchall()
        )


def test_a_partitioned_ledger_goes_on(old):
    """After partitioning the log grows into further partitions; keys stay unique."""
    old.install()
    partition(old.dsns["owner"], schema="henji", partition_rows=PARTITION)
    store = old.open()
    with pytest.raises(errors.Conflict), store.append() as log:  # noqa: PT012
        rows, nodes, root = sealed(log, [Draft("s/new", "e-7", source="urn:test:1")], 0)
        log.insert(rows=rows, nodes=nodes, root=root)
    put(store, drafts(450, 500))
    assert [row.position for row in store.iter_entries()] == list(range(1, 951))
    store.close()


def test_partitioning_again_changes_nothing(ledger):
    """A ledger that is partitioned is left alone."""
    catalog = (
        "SELECT oid, relname FROM pg_class WHERE relnamespace = 'henji'::regnamespace"
    )
    with ledger.connect("owner") as owner:
        before = owner.execute(catalog).fetchall()
        partition(ledger.dsns["owner"], schema="henji", partition_rows=7)
        assert owner.execute(catalog).fetchall() == before


def test_old_code_is_refused_by_a_partitioned_ledger(ledger):
    """Release 1 does not say whose session it is: it sees nothing and appends nothing."""
    with ledger.connect("writer", ledger=None) as before:
        assert not any(rows for rows in release_1.answers(before).values())
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level"):
            release_1.append(before, 450, 1)
    store = ledger.open()
    assert store.head().size == 450
    store.close()


def test_what_old_code_ran_holds_in_partitions_too(old):
    """In a bound session every statement of release 1 answers as it did."""
    with old.connect("writer") as session:
        expected = release_1.answers(session)
        old.install()
        partition(old.dsns["owner"], schema="henji", partition_rows=PARTITION)
        assert release_1.answers(session) == expected
        release_1.append(session, 450, 50)
    store = old.open()
    assert store.find("urn:test:1", "e-451").position == 452  # the key, by trigger
    store.close()


@pytest.mark.parametrize("existing", [False, True], ids=["new", "release 1"])
def test_installing_from_many_processes_at_once(request, existing):
    """One makes or migrates the tables, the others find them; none fails."""
    ledger = request.getfixturevalue("old" if existing else "empty_ledger")
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(ledger.install) for _ in range(4)]:
            done.result()
    with ledger.connect("owner") as owner:
        numbers = owner.execute("SELECT number FROM migration ORDER BY 1").fetchall()
    assert numbers == [(number,) for number in migrations()]
    store = ledger.open()
    assert put(store, [Draft("s/new", "new")]).size == (451 if existing else 1)
    store.close()


@pytest.mark.parametrize("existing", [False, True], ids=["new", "release 1"])
def test_a_migration_that_fails_leaves_nothing(request, existing, monkeypatch):
    """All of it or none: a failure at the end takes back what was done before."""
    ledger = request.getfixturevalue("old" if existing else "empty_ledger")
    catalog = "SELECT oid, relname, relacl FROM pg_class WHERE relname ~ 'log|migr'"
    with psycopg.connect(ledger.dsns["owner"], autocommit=True) as owner:
        before = owner.execute(catalog).fetchall()
        broken = load("postgres_schema") | {"migration_3": "SELECT 1 / 0"}
        monkeypatch.setattr("events.postgres_schema.load", lambda _: broken)
        with pytest.raises(psycopg.errors.DivisionByZero):
            ledger.install()
        monkeypatch.undo()
        assert owner.execute(catalog).fetchall() == before
    ledger.install()
    ledger.open().close()


def test_appends_wait_for_a_partitioning_and_go_on(old):
    """An append at the same time comes before or after, never in between."""
    old.install()
    stores = [old.open() for _ in range(2)]
    with ThreadPoolExecutor(3) as pool:
        writing = [
            pool.submit(put, store, [Draft(f"s/{n}", f"n-{n}-{k}") for k in range(5)])
            for n, store in enumerate(stores * 5)
        ]
        pool.submit(
            partition, old.dsns["owner"], schema="henji", partition_rows=PARTITION
        ).result()
        for done in writing:
            done.result()
    rows = list(stores[0].iter_entries())
    assert [row.position for row in rows] == list(range(1, 501))
    assert all(stores[1].find(row.source, row.id) == row for row in rows[450:])
    for store in stores:
        store.close()


def test_installing_needs_no_superuser(empty_ledger):
    """The owner of the database is enough, where the roles exist."""
    install(
        empty_ledger.dsns["owner"],
        schema="henji",
        writer_role=empty_ledger.role("writer"),
    )
    with empty_ledger.connect("owner") as owner:
        assert owner.execute(
            "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (False,)
