"""Two processes append to one ledger while a third reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from events.merkle import Tree
from events.store import Store
from tests.store.writer import opened

ROOT = Path(__file__).parents[2]
BATCHES = 60


@pytest.fixture(params=["sqlite", "postgres"])
def target(request, open_store) -> tuple[str, str]:
    """Return (kind, path or conninfo) of an empty ledger."""
    store = open_store(request.param)
    if request.param == "sqlite":
        return "sqlite", str(store.path)
    return "postgres", store._dsn


def started(target: tuple[str, str], name: str) -> subprocess.Popen[str]:
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.store.writer", *target, name, str(BATCHES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert writer.stdout.readline() == "ready\n"
    return writer


def followed(store: Store, writers: list[subprocess.Popen[str]]) -> list[int]:
    """Return the positions a reader sees, in the order it sees them, until the end."""
    seen: list[int] = []
    while True:
        over = all(writer.poll() is not None for writer in writers)
        head = store.head()
        page = store.rows(after=len(seen), limit=50)
        seen += [row.position for row in page]
        # What a head covers is there to be read.
        assert head is None or len(page) == 50 or len(seen) >= head.size
        if over and not page:
            return seen


@pytest.mark.timeout(90)
def test_two_writers_and_a_reader(target):
    """Positions, versions and roots stay gapless and right; the reader skips none."""
    store = opened(*target)
    writers = [started(target, name) for name in ("a", "b")]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    seen = followed(store, writers)
    said = [writer.communicate()[0].split("\n")[:-1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [len(lines) for lines in said] == [BATCHES, BATCHES]

    rows = list(store.iter_entries())
    assert seen == [row.position for row in rows] == list(range(1, len(rows) + 1))
    for stream in ("s/shared", "s/a", "s/b"):
        versions = [row.version for row in rows if row.stream == stream]
        assert versions == list(range(1, len(versions) + 1))
    roots = {(root.size, root.root.hex()) for root in store.iter_roots()}
    acknowledged = [line.split() for lines in said for line in lines]
    assert roots == {(int(size), root) for size, _, root in acknowledged}
    assert len(rows) == sum(int(count) for _, count, _ in acknowledged)
    tree = Tree.empty()
    for root in store.iter_roots():
        tree, _ = tree.extend([row.leaf for row in rows[tree.size : root.size]])
        assert (tree.size, tree.root) == (root.size, root.root)
    store.close()
