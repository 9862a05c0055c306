"""SQLite after a power cut: the files as they were at any moment, and torn anywhere.

Copies of the database and its write-ahead log stand for what a crash leaves behind.
Each must open as a legal prefix of the log, verify as a whole, and take the rest again.
"""

from __future__ import annotations

import random
import shutil
import struct
from pathlib import Path

import pytest

from events.receipts import verify_receipt
from events.submissions import Accepted
from tests.crash.conftest import BASE, NEW_EVENTS, fill, victim_events
from tests.crash.faults import Plan, inject
from tests.support import scenario
from tests.support.desk import VERIFIERS, Desk, SqliteHome, codes, verified

_WAL_HEADER = 32
_FRAME_HEADER = 24
_CUTS = 40


@pytest.fixture
def home(tmp_path, base_tables) -> SqliteHome:
    """Return a SQLite file that holds the base log."""
    made = SqliteHome(tmp_path / "ledger.db")
    store = made.open()
    fill(store, base_tables)
    store.close()
    return made


def copied(home: SqliteHome, folder: Path) -> SqliteHome:
    """Copy the database and its write-ahead log, as a crash would leave them."""
    folder.mkdir()
    for suffix in ("", "-wal"):
        source = home.path.with_name(home.path.name + suffix)
        if source.exists():
            shutil.copy(source, folder / source.name)
    return SqliteHome(folder / home.path.name)


def test_files_at_every_statement(home, tmp_path):
    """Before each statement of an append the files hold the log without the batch."""
    desk, copies = Desk(home.open()), []
    plan = Plan(
        between=lambda: copies.append(copied(home, tmp_path / f"c{len(copies)}"))
    )
    inject(desk.store, plan)
    results = desk.submit(victim_events())
    copies.append(copied(home, tmp_path / "acknowledged"))
    assert len(copies) == len(plan.seen) + 1 > 20
    for number, copy in enumerate(copies):
        store = copy.open()
        whole = number == len(plan.seen)
        assert verified(store).size == BASE + (NEW_EVENTS if whole else 0)
        again = Desk(store).submit(victim_events())
        assert all(isinstance(result, Accepted) for result in again)
        if whole:
            assert all(result.repeat for result in again)
        # At the same clock the same batch is the same log, whenever it is written.
        assert [one.leaf for one in again] == [one.leaf for one in results]
        assert verified(store).size == BASE + NEW_EVENTS
        store.close()
    desk.store.close()


@pytest.fixture
def torn(home):
    """Return a log with several commits in its write-ahead log, and what was acked."""
    desk = Desk(home.open())
    acked = []
    for number in range(6):
        desk.clock.now += 1_000
        events = [scenario.external(5_000 + 10 * number + n) for n in range(number + 1)]
        acked += desk.submit(events)
    assert codes(acked) == ["ok"] * 21
    wal = home.path.with_name(home.path.name + "-wal").read_bytes()
    page = struct.unpack(">I", wal[8:12])[0]
    yield home, desk, acked, wal, page + _FRAME_HEADER
    desk.store.close()


def opened_with(home: SqliteHome, folder: Path, wal: bytes) -> SqliteHome:
    """Return a copy of the database beside this write-ahead log."""
    folder.mkdir()
    shutil.copy(home.path, folder / "ledger.db")
    (folder / "ledger.db-wal").write_bytes(wal)
    return SqliteHome(folder / "ledger.db")


def prefix_size(copy: SqliteHome, sizes: set[int], acked) -> int:
    """Verify a torn copy as a legal prefix that takes the rest again; its size."""
    store = copy.open()
    size = verified(store).size
    assert size in sizes
    for result in acked:
        if result.position <= size:
            # Only the newest acknowledgements may be cut off, and none is changed.
            entry = store.row(result.position).entry
            receipt = result.batch.receipt(result.position)
            verify_receipt(receipt, entry, VERIFIERS, scenario.ORIGIN)
    desk = Desk(store)
    assert codes([desk.one(scenario.external(9_999))]) == ["ok"]
    assert verified(store).size == size + 1
    store.close()
    return size


def test_cut_at_every_frame(torn, tmp_path):
    """Cut at any frame, the log is the longest prefix of commits before the cut."""
    home, desk, acked, wal, frame = torn
    sizes = {root.size for root in desk.store.iter_roots()}
    frames = (len(wal) - _WAL_HEADER) // frame
    assert frames > 12
    seen = []
    for count in range(frames + 1):
        cut = wal[: _WAL_HEADER + count * frame]
        copy = opened_with(home, tmp_path / f"f{count}", cut)
        seen.append(prefix_size(copy, sizes, acked))
    assert seen == sorted(seen)
    assert seen[0] == min(sizes)
    assert set(seen) == sizes


def test_torn_anywhere(torn, tmp_path):
    """Cut or damaged at any byte, what is left is a legal prefix."""
    home, desk, acked, wal, _ = torn
    sizes = {root.size for root in desk.store.iter_roots()}
    chance = random.Random(2017)
    seen = set()
    for number in range(_CUTS):
        at = chance.randrange(len(wal))
        damaged = bytearray(wal[:at] if number % 2 else wal)
        if number % 2 == 0:
            damaged[at] ^= 1 << chance.randrange(8)
        copy = opened_with(home, tmp_path / f"t{number}", bytes(damaged))
        seen.add(prefix_size(copy, sizes, acked))
    assert len(seen) > 3
