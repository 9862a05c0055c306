"""What every store promises (``events.store``), on each of the three."""

from __future__ import annotations

import threading
from itertools import islice

import pytest

from events import errors
from events.merkle import Tree, root_of
from events.store import Root, Selection, Store
from tests.store.batches import Draft, many, put, sealed


def test_empty_log(store: Store):
    """An empty log has no head, no row and no root, and position 0 for any instant."""
    assert store.head() is None
    assert store.row(1) is None
    assert store.rows(after=0, limit=10) == []
    assert store.find("urn:test:a", "x") is None
    assert store.root_at(1) is None
    assert store.position_at(9_999_999_999) == 0
    assert store.select(Selection(types=("*",)), limit=5) == []
    assert not list(store.iter_entries())
    assert not list(store.iter_nodes())
    assert not list(store.iter_roots())


def test_rows_come_back_as_written(store: Store):
    """Every column of a committed row is read back byte for byte, whatever the text."""
    drafts = [
        Draft("commitment/甲-1", "id 'quoted\" ü", source="urn:x:%s;--", occurred=-5),
        Draft("commitment/甲-1", "𝄞", entry=bytes(range(256)), occurred=2**53),
    ]
    with store.append() as append:
        rows, nodes, root = sealed(append, drafts, 7_000_000)
        append.insert(rows=rows, nodes=nodes, root=root)
    assert store.rows(after=0, limit=10) == rows
    assert [store.row(1), store.row(2), store.row(3), store.row(0)] == [
        *rows,
        None,
        None,
    ]
    assert store.find("urn:x:%s;--", "id 'quoted\" ü") == rows[0]
    assert store.entries(start=0, end=2) == [row.entry for row in rows]
    assert store.leaves(start=1, end=2) == [rows[1].leaf]
    assert store.head() == store.root_at(2) == root
    assert store.root_at(1) is None


def test_pages_are_gapless_and_bounded(store: Store):
    """Reading by position returns each row once, in order, never more than asked."""
    put(store, many(7))
    put(store, many(5, prefix="f"))
    seen, after = [], 0
    while page := store.rows(after=after, limit=5):
        assert len(page) <= 5
        seen += [row.position for row in page]
        after = page[-1].position
    assert seen == list(range(1, 13))


def test_raise_rolls_back_everything(store: Store):
    """A raise after the insert leaves no row, no node and no root, and the lock free."""
    put(store, many(3))
    before = store.head()
    with pytest.raises(RuntimeError), store.append() as append:  # noqa: PT012 - a transaction
        rows, nodes, root = sealed(append, many(300, prefix="x"), 6_000_000)
        append.insert(rows=rows, nodes=nodes, root=root)
        raise RuntimeError
    assert store.head() == before
    assert store.rows(after=3, limit=10) == []
    assert not list(store.iter_nodes())
    assert store.find("urn:test:a", "x-0") is None
    assert put(store, many(1, prefix="y")).size == 4


@pytest.mark.parametrize(
    "second",
    [
        Draft("commitment/B", "e-0"),
        Draft("commitment/A", "other"),
    ],
    ids=["submission key", "stream version"],
)
def test_unique_indexes_refuse_a_whole_batch(store: Store, second: Draft):
    """A repeated (source, id) or (stream, version) is a conflict; its neighbours go too."""
    put(store, many(1))
    with (  # noqa: PT012
        pytest.raises(errors.Conflict) as refused,
        store.append() as append,
    ):
        rows, nodes, root = sealed(
            append, [*many(1, prefix="n", stream="s/C"), second], 6_000_000
        )
        rows[1] = rows[1]._replace(version=1)
        append.insert(rows=rows, nodes=nodes, root=root)
    assert refused.value.code == "version_conflict"
    assert store.head() == store.root_at(1)
    assert store.find("urn:test:a", "n-0") is None
    assert put(store, many(1, prefix="y")).size == 2


def test_position_is_unique(store: Store):
    """Two batches that claim the same positions cannot both be in the log."""
    with store.append() as append:
        batch = sealed(append, many(2), 5_000_000)
        append.insert(rows=batch[0], nodes=batch[1], root=batch[2])
    with pytest.raises(errors.Conflict), store.append() as append:  # noqa: PT012
        rows = [row._replace(stream="s/B", id=f"b{row.position}") for row in batch[0]]
        append.insert(rows=rows, nodes=[], root=batch[2])
    assert [row.stream for row in store.iter_entries()] == ["commitment/A"] * 2


@pytest.mark.parametrize(
    "change",
    [{"leaf": b"short"}, {"entry": b"x" * 65_536}, {"version": 0}],
    ids=lambda change: next(iter(change)),
)
def test_unsound_rows_are_refused(store: Store, change: dict[str, object]):
    """A leaf that is no SHA-256, an oversized entry or version 0 never gets in."""
    with pytest.raises(errors.HenjiError), store.append() as append:  # noqa: PT012
        rows, nodes, root = sealed(append, many(1), 5_000_000)
        append.insert(rows=[rows[0]._replace(**change)], nodes=nodes, root=root)
    assert store.head() is None


def test_readers_never_see_uncommitted_rows(store: Store):
    """While an append is open after its insert, no read shows any of it; then all of it."""
    put(store, many(2))
    with store.append() as append:
        rows, nodes, root = sealed(append, many(300, prefix="x"), 6_000_000)
        append.insert(rows=rows, nodes=nodes, root=root)
        seen: list[object] = []

        def read() -> None:
            seen.append(store.head())
            seen.append([row.position for row in store.rows(after=0, limit=999)])
            seen.append(store.find("urn:test:a", "x-0"))
            seen.append(store.position_at(99_000_000))
            seen.append(list(store.iter_nodes()))

        reader = threading.Thread(target=read)
        reader.start()
        reader.join()
    head = store.root_at(2)
    assert seen == [head, [1, 2], None, 2, []]
    assert store.head() == root
    assert len(store.rows(after=0, limit=999)) == 302
    assert len(list(store.iter_nodes())) == 1


def test_find_by_id_alone(store: Store):
    """An id used by several sources is found for each of them, by position, bounded."""
    sources = ("urn:c", "urn:a", "urn:b")
    put(store, [Draft(f"s/{one}", "same", source=one) for one in sources])
    assert [row.source for row in store.find_id("same", limit=9)] == list(sources)
    assert len(store.find_id("same")) == 2
    assert store.find_id("none") == []


def test_streams_are_read_by_version(store: Store):
    """A stream comes back in order of version, from a version on, bounded."""
    put(store, [*many(2), *many(2, prefix="b", stream="s/B"), *many(2, prefix="c")])
    assert [row.version for row in store.stream("commitment/A")] == [1, 2, 3, 4]
    assert [row.position for row in store.stream("commitment/A", after=1, limit=2)] == [
        2,
        5,
    ]
    assert store.stream("s/none") == []


def test_append_reads_what_is_committed(store: Store):
    """Inside an append: head, keys, streams and versions of everything committed before."""
    put(store, [*many(3), Draft("s/B", "b-0", source="urn:b")])
    with store.append() as append:
        assert append.head() == store.head()
        assert [row.position for row in append.rows(after=1, limit=2)] == [2, 3]
        keys = [("urn:b", "b-0"), ("urn:b", "e-0"), ("urn:test:a", "e-1")]
        found = append.find_many(keys)
        assert {key: row.position for key, row in found.items()} == {
            keys[0]: 4,
            keys[2]: 2,
        }
        names = ["s/B", "commitment/A", "s/none"]
        assert [row.position for row in append.streams(names)] == [1, 2, 3, 4]
        assert append.versions(names) == {"s/B": 1, "commitment/A": 3}
        assert append.find_many([]) == {}
        assert append.streams([]) == []
        assert append.versions([]) == {}


def test_hashes_in_the_order_asked(store: Store):
    """Leaf and subtree hashes come in the order asked, repeats too; a missing one raises."""
    for number in range(3):
        put(store, many(200, prefix=str(number)))
    leaves = store.leaves(start=0, end=600)
    nodes = [root_of(leaves[:256]), root_of(leaves[256:512])]
    wanted = [(0, 599), (1, 1), (0, 0), (1, 0), (0, 599)]
    expected = [leaves[599], nodes[1], leaves[0], nodes[0], leaves[599]]
    assert store.hashes(wanted) == expected
    assert store.hashes([]) == []
    for missing in ((0, 600), (1, 2), (2, 0)):
        with pytest.raises(KeyError):
            store.hashes([(0, 0), missing])
    with store.append() as append:
        assert append.hashes(wanted) == expected
    head = store.head()
    assert head is not None
    assert Tree.load(600, store.hashes).root == head.root == root_of(leaves)


def test_position_at_an_instant(store: Store):
    """The position of an instant is the last one sealed at or before it."""
    for instant, count in ((1_000, 2), (1_000, 1), (5_000, 3)):
        put(store, many(count, prefix=f"{instant}-{store.head()}"), ingested=instant)
    at = [store.position_at(i) for i in (0, 999, 1_000, 4_999, 5_000, 9_999)]
    assert at == [0, 0, 3, 3, 6, 6]


def test_iterators_yield_everything_page_by_page(store: Store):
    """All rows, nodes and roots come in order; a stopped iteration blocks nobody."""
    for number in range(6):
        put(store, many(400, prefix=str(number)), ingested=1_000 + number)
    assert [row.position for row in store.iter_entries()] == list(range(1, 2401))
    assert [row.position for row in store.iter_entries(after=2398)] == [2399, 2400]
    assert [(n.level, n.idx) for n in store.iter_nodes()] == [(1, i) for i in range(9)]
    roots = list(store.iter_roots())
    assert [root.size for root in roots] == [400 * n for n in range(1, 7)]
    assert all(isinstance(root, Root) for root in roots)
    started = [store.iter_entries() for _ in range(12)]
    assert [next(one).position for one in started] == [1] * 12
    assert put(store, many(1, prefix="z")).size == 2401
    assert [row.position for row in islice(started[0], 2)] == [2, 3]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("count", "size"), [(400, 2_000), (1_000, 60_000)])
def test_large_batches(store: Store, count: int, size: int):
    """A group commit of megabytes neither hangs nor is cut."""
    entries = [number.to_bytes(4, "big") * (size // 4) for number in range(count)]
    drafts = [Draft(f"s/{n}", str(n), entry=e) for n, e in enumerate(entries)]
    root = put(store, drafts)
    assert root.size == count
    assert store.entries(start=count - 2, end=count) == entries[-2:]
    assert root_of(store.leaves(start=0, end=count)) == root.root


def test_close_twice(store: Store):
    """Closing is idempotent."""
    store.close()
    store.close()


def test_root_that_covered_a_position_first(store: Store):
    """An entry's first root is that of its own batch; beyond the head there is none."""
    roots = [put(store, many(count, prefix=str(count))) for count in (2, 1, 3)]
    covering = [store.root_covering(position) for position in range(1, 8)]
    assert covering == [roots[0]] * 2 + [roots[1]] + [roots[2]] * 3 + [None]
