"""The log in partitions: guarded like one table, found by index, never without room."""

from __future__ import annotations

import threading
from itertools import pairwise

import psycopg
import pytest

from events import errors
from events.postgres_statements import PostgresReads, Room, choosing, selecting
from events.selection import happened
from events.store import Selection
from tests.postgres.conftest import PARTITION, drafts
from tests.store.batches import Draft, put, sealed

PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'henji.log_entry'::regclass ORDER BY c.oid
"""


def partitions(ledger) -> list[str]:
    """Return the partitions there are, in the order they were made."""
    with ledger.connect("owner") as owner:
        return [name for (name,) in owner.execute(PARTITIONS)]


def test_a_partition_is_always_ahead(empty_ledger):
    """Appending adds partitions before they are needed: the log never waits for one."""
    empty_ledger.install()
    store = empty_ledger.open()
    assert partitions(empty_ledger) == ["log_entry_1", "log_entry_301"]
    for first, last in pairwise(range(0, 1_300, 100)):
        put(store, drafts(first, last - first))
        assert store.room() >= PARTITION
    firsts = [int(name.removeprefix("log_entry_")) for name in partitions(empty_ledger)]
    assert firsts == [1, 301, 601, 901, 1201]
    assert [row.position for row in store.iter_entries()] == list(range(1, 1_201))
    store.close()


def test_a_batch_may_span_partitions(empty_ledger):
    """One batch over several partitions, some of which it adds itself, is one batch."""
    empty_ledger.install()
    store = empty_ledger.open()
    put(store, drafts(0, 1_000))
    assert len(store.rows(after=250, limit=500)) == 500
    assert len(list(store.iter_entries())) == 1_000
    assert store.room() >= PARTITION
    store.close()


def test_partitions_are_added_by_whoever_comes_first(ledger):
    """Two writers at one bound add one partition; the other finds it there."""
    stores = [ledger.open() for _ in range(2)]
    for first in range(450, 1_050, 100):
        put(stores[first // 100 % 2], drafts(first, 100))
    assert len(partitions(ledger)) == len(set(partitions(ledger))) == 5
    for store in stores:
        assert store.room() >= PARTITION
        store.close()


@pytest.fixture
def cramped(ledger):
    """Return a ledger whose writer may not add partitions: 150 positions are left."""
    with ledger.connect("owner") as owner:
        owner.execute("ALTER TABLE log_entry DETACH PARTITION log_entry_601")
        owner.execute("DROP TABLE log_entry_601")
        owner.execute(
            "REVOKE EXECUTE ON FUNCTION extend_log(bigint) FROM "
            + ledger.role("writer")
        )
    return ledger


def test_what_cannot_be_added_is_asked_for_by_the_last_room(cramped):
    """Appends go on while there is room, then are refused as unavailable, not lost."""
    store = cramped.open()
    assert store.room() == 150
    put(store, drafts(450, 150))
    assert store.room() == 0
    with pytest.raises(errors.Unavailable) as full:
        put(store, drafts(600, 1))
    assert full.value.code == "log_partition_missing"
    assert store.head().size == 600
    cramped.install()  # the way out that the text names
    assert put(store, drafts(600, 1)).size == 601
    store.close()


def test_reading_goes_on_while_a_partition_is_added(ledger):
    """A reader in a transaction of its own neither waits nor makes the append wait."""
    store = ledger.open()
    with ledger.connect("reader") as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM log_entry").fetchone()
        put(store, drafts(450, 200))
        found = reader.execute("SELECT count(*) FROM log_entry").fetchone()
    assert found == (650,)
    assert len(partitions(ledger)) == 4
    store.close()


# What the schema keeps, whoever writes.


def test_a_root_covers_every_position(ledger):
    """A gap, a missing entry or a root that goes back is refused by the schema."""
    store = ledger.open()
    for wrong in ("gap", "missing", "back"):
        with pytest.raises(errors.Corrupt) as refused, store.append() as append:  # noqa: PT012
            rows, nodes, root = sealed(append, drafts(450, 3), 5_000_000)
            rows, root = {
                "gap": ([rows[0], *rows[2:]], root),
                "missing": (rows[:2], root),
                "back": ([], root._replace(size=449)),
            }[wrong]
            append.insert(rows=rows, nodes=nodes, root=root)
        assert refused.value.code == "row_refused"
    assert store.head().size == len(list(store.iter_entries())) == 450
    store.close()


@pytest.mark.parametrize(
    "change",
    [
        # In another partition than the one that has it.
        {"id": "e-7", "source": "urn:test:1"},
        {"stream": "commitment/3", "version": 1},
    ],
    ids=["source and id", "stream and version"],
)
def test_uniqueness_spans_partitions(ledger, change):
    """What exists once in the whole log cannot be inserted into a later partition."""
    store = ledger.open()
    with pytest.raises(errors.Conflict) as refused, store.append() as append:  # noqa: PT012
        rows, nodes, root = sealed(append, [Draft("s/new", "new")], 5_000_000)
        append.insert(rows=[rows[0]._replace(**change)], nodes=nodes, root=root)
    assert refused.value.code == "version_conflict"
    assert store.head().size == 450
    store.close()


@pytest.mark.parametrize("replica", [False, True], ids=["session", "replica session"])
@pytest.mark.parametrize("table", ["log_entry_1", "log_entry_601", "log_key"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET version = version",
        "DELETE FROM {}",
        "TRUNCATE {}",
    ],
)
def test_a_partition_named_itself_is_as_guarded(ledger, table, statement, replica):
    """The triggers of each partition fire for a superuser, in a replica session too."""
    store = ledger.open()
    put(store, drafts(450, 200))
    store.close()
    with ledger.connect("superuser") as admin:
        if replica:
            admin.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.errors.RestrictViolation):
            admin.execute(statement.format(table))


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE log_entry_1 DISABLE TRIGGER log_entry_change",
        "ALTER TABLE log_entry_301 ENABLE TRIGGER log_entry_truncate",
        "DROP TRIGGER log_entry_truncate ON log_entry_601",
        "ALTER TABLE log_root DISABLE TRIGGER log_root_cover",
        "DROP TRIGGER log_key_change ON log_key",
        "CREATE OR REPLACE TRIGGER log_entry_truncate BEFORE TRUNCATE ON log_entry_1 EXECUTE FUNCTION tsvector_update_trigger()",
    ],
)
def test_a_weakened_partition_is_found_at_start(ledger, change):
    """Each partition's guards are looked at, and what its triggers run."""
    with ledger.connect("owner") as owner:
        owner.execute(change)
    with pytest.raises(errors.Corrupt) as refused:
        ledger.open()
    assert refused.value.code == "store_unprotected"


def test_the_writer_cannot_fill_a_server_with_partitions(ledger):
    """The owner's function adds what the next batch needs, and no more than that."""
    with ledger.connect("writer") as writer:
        assert writer.execute("SELECT extend_log(451)").fetchone() == (901,)
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            writer.execute("SELECT extend_log(1000000)")


def test_a_function_of_the_owner_finds_only_the_owners_tables(ledger):
    """A look-alike earlier in the caller's search path is not what the function uses."""
    with ledger.connect("writer") as writer:
        writer.execute(
            "CREATE TEMP TABLE log_layout AS SELECT 1::bigint partition_rows"
        )
        writer.execute("CREATE TEMP TABLE log_root AS SELECT 10^6::bigint AS size")
        writer.execute("SET search_path TO pg_temp, henji")
        assert writer.execute("SELECT henji.extend_log(451)").fetchone() == (901,)
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            writer.execute("SELECT henji.extend_log(1000000)")


# What a query touches.


def plan(connection, statement: bytes, parameters) -> str:
    """Return the plan of a statement as the store's sessions would run it, executed."""
    cursor = connection.cursor(binary=False)
    cursor.execute(b"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + statement, parameters)
    return "\n".join(line for (line,) in cursor.fetchall())


def executed(text: str) -> list[str]:
    """Return the scans that were run, without those that were pruned or skipped."""
    return [
        line.strip(" ->")
        for line in text.splitlines()
        if "Scan" in line and "never executed" not in line
    ]


QUERIES = {
    # name: (parameters, indexes used, partitions touched of 4)
    "row": ([42], ["pkey"], 1),
    "rows": ([610, 20], ["pkey"], 1),
    "replay": ([0, 20], ["pkey"], 1),
    "leaves": ([10, 20], ["pkey"], 1),
    "entries": ([290, 310], ["pkey"], 2),
    "find": (["e-7", "urn:test:1"], ["log_key_id_source", "pkey"], 1),
    "find_id": (["e-7", 2], ["log_key_id_source", "pkey"], 1),
    "find_many": (
        [["urn:test:1", "urn:test:0"], ["e-7", "e-8"]],
        ["log_key_id_source", "pkey"],
        1,
    ),
    "stream": (["commitment/3", 5, 10], ["log_key_stream_version", "pkey"], 1),
    "versions": ([["commitment/3"]], ["log_key_stream_version"], 0),
}


@pytest.fixture(scope="module")
def grown(new_ledger):
    """Return a store of 900 entries in four partitions, and its ledger."""
    ledger = new_ledger()
    ledger.install()
    store = ledger.open()
    for first in range(0, 900, 150):
        put(store, drafts(first, 150))
    with ledger.connect("owner") as owner:
        owner.execute("ANALYZE")
    yield store
    store.close()


@pytest.mark.parametrize("name", QUERIES)
def test_queries_use_an_index_and_few_partitions(grown, name):
    """Each named read goes by index, to the partitions that hold the rows."""
    parameters, indexes, touched = QUERIES[name]
    with grown._pool.connection() as connection:
        text = plan(connection, grown._sql[name], parameters)
    scans = executed(text)
    assert not [scan for scan in scans if "Seq Scan" in scan], text
    for index in indexes:
        assert any(index in scan for scan in scans), text
    found = {
        scan.split(" on ")[1].split()[0] for scan in scans if " on log_entry_" in scan
    }
    assert len(found) == touched, text


@pytest.mark.parametrize(
    ("selection", "touched"),
    [
        (Selection(after=610, until=700), 1),
        (Selection(after=290, until=310, types=("henji.commitment.registered.v1",)), 2),
        (Selection(after=610, until=620, sources=("urn:test:1",)), 1),
        (Selection(after=610, until=700, streams=("commitment/3",)), 1),
    ],
    ids=["range", "type", "source", "stream"],
)
def test_selections_prune_partitions(grown, selection, touched):
    """A range of positions reads only the partitions that it lies in."""
    statement, parameters = selecting(selection, order="ASC", limit=10)
    with grown._pool.connection() as connection:
        text = plan(connection, statement, parameters)
    scans = executed(text)
    assert not [scan for scan in scans if "Seq Scan" in scan], text
    found = {
        scan.split(" on ")[1].split()[0] for scan in scans if " on log_entry_" in scan
    }
    assert len(found) <= touched, text


def test_few_are_found_by_when_they_happened(grown):
    """And by nothing else: no plan can prefer to walk the log by position."""
    selection = Selection(
        until=800, types=("test.event",), occurred_from=5, occurred_before=9
    )
    window = happened(selection, mark="%b")
    statement, parameters = choosing(selection, window, order="DESC", limit=10)
    with grown._pool.connection() as connection:
        text = plan(connection, statement, parameters)
    found = [line for line in text.splitlines() if "Index Cond" in line]
    by_time = [line for line in found if "occurred" in line]
    assert by_time
    assert not [line for line in by_time if "position" in line], text
    assert all("= happened." in line for line in found if line not in by_time), text


def test_a_rare_value_is_found_by_its_index(grown):
    """A plan that was made for values of which there are many is not kept for it."""
    with grown._pool.connection() as connection:
        reads = PostgresReads(connection, grown._sql)
        common = Selection(sources=("urn:test:0",))
        for _ in range(12):
            assert reads.select(common, order="DESC", limit=5)
        kept = "SELECT statement FROM pg_prepared_statements WHERE statement LIKE %s"
        found = connection.execute(kept, ["%source IN (%"]).fetchall()
    assert all("$" not in statement for (statement,) in found), found


def test_reads_are_the_same_across_partitions(grown):
    """Pages, streams and hashes run on over the bounds of partitions."""
    rows = list(grown.iter_entries())
    assert grown.rows(after=298, limit=5) == rows[298:303]
    assert grown.entries(start=295, end=305) == [row.entry for row in rows[295:305]]
    assert grown.hashes([(0, 299), (0, 300), (1, 0)])[:2] == [
        rows[299].leaf,
        rows[300].leaf,
    ]
    mine = [row for row in rows if row.stream == "commitment/3"]
    assert grown.stream("commitment/3") == mine
    assert grown.select(
        Selection(streams=("commitment/3",)), limit=200, newest_first=True
    ) == mine[::-1]  # fmt: skip


def test_a_room_that_was_measured_elsewhere_is_asked_for_again(ledger):
    """A process whose knowledge is old learns the bound from the owner's function."""
    store = ledger.open()
    old = Room(store._sql)
    old.measure(store._writer)
    put(store, drafts(450, 400))
    with store._writer.transaction():
        old.make(store._writer, 851)
    assert old._bound == store._room._bound
    assert PostgresReads(store._writer, store._sql).tuples("bound")[0][0] == old._bound
    store.close()


def test_many_threads_across_a_bound(ledger):
    """Threads that append at once over several bounds leave no gap."""
    store = ledger.open()
    threads = [
        threading.Thread(target=put, args=(store, drafts(450 + 50 * n, 50)))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.position for row in store.iter_entries()] == list(range(1, 1_051))
    store.close()
