"""One bit flipped in any column of any log table of a real store is found and named.

Triggers and privileges are bypassed as somebody with the file or the owner's password
would: what is left is what ``henji verify`` recomputes.
"""

from __future__ import annotations

import shutil
import sqlite3

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from events.store import Node, Root, Row
from events.verify import Report
from services.auditing import verify_store
from tests.support import scenario
from tests.support.desk import (
    OPERATOR,
    SIGNER,
    TRUST,
    Desk,
    PostgresHome,
    SqliteHome,
    request,
    verified,
)

TABLES = {
    "log_entry": (Row, "position"),
    "log_node": (Node, "idx"),
    "log_root": (Root, "size"),
}
COLUMNS = [
    (table, column) for table, (kind, _) in TABLES.items() for column in kind._fields
]


def grow(store) -> list[int]:
    """Write 600 entries in four commits; return the sizes of the commits."""
    desk = Desk(store)
    start = [scenario.opened([SIGNER.vkey]), *scenario.groundwork()]
    loop = list(scenario.delegated(scenario.loop("C1")))
    left = 600 - len(start) - len(loop)
    calls = [scenario.external(n, subject=f"S{n % 9}") for n in range(left)]
    desk.sequencer.commit([request(start, key=OPERATOR), request(loop)])
    for batch in (calls[:100], calls[100:300], calls[300:]):
        desk.clock.now += 1_000_000
        desk.submit(batch)
    assert verified(store).size == 600
    return [root.size for root in store.iter_roots()]


@pytest.fixture(scope="module")
def sqlite_log(tmp_path_factory):
    """Return a file without triggers, to be copied, and the sizes of its commits."""
    home = SqliteHome(tmp_path_factory.mktemp("flips") / "ledger.db")
    store = home.open()
    sizes = grow(store)
    store.close()
    return home, sizes


@pytest.fixture(scope="module")
def postgres_log(new_postgres_database):
    """Return a ledger in PostgreSQL and the sizes of its commits."""
    home = PostgresHome(new_postgres_database())
    store = home.open()
    sizes = grow(store)
    yield home, store, sizes
    store.close()


def keys_of(table: str, sizes: list[int]) -> list[int]:
    """Return which rows are damaged: the first, one in the middle, the last."""
    return {
        "log_entry": [1, 256, 300, 600],
        "log_node": [0, 1],
        "log_root": [sizes[0], sizes[2], sizes[-1]],
    }[table]


def flipped(value: object, bit: int) -> object:
    """Return a value with one bit flipped, of the same type, near its middle."""
    if isinstance(value, int):
        return value ^ (1 << bit)
    if isinstance(value, str):
        raw = bytearray(value.encode())
        raw[len(raw) // 2] ^= 1 << bit % 3
        return raw.decode()
    raw = bytearray(value)
    raw[(len(raw) * bit // 8) % len(raw)] ^= 1 << bit
    return bytes(raw)


def covered(table: str, key: int) -> int:
    """Return the position that a damage of this row should be named at."""
    return (key + 1) * 256 if table == "log_node" else key


def check(report: Report, table: str, column: str, key: int) -> None:
    """The damage is found; what is named is the row, or what its absence shows."""
    where = (table, column, key, report.code, report.first_bad)
    assert not report.ok, where
    assert report.code, where
    at = covered(table, key)
    if column in {"position", "idx", "level", "size"}:
        # The row is gone from its place and may stand in another one.
        assert report.first_bad is not None, where
        assert 1 <= report.first_bad <= 601, where
        assert report.first_bad <= at or table != "log_entry", where
    else:
        assert report.first_bad == at, where


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_sqlite(sqlite_log, tmp_path, table, column):
    """In a SQLite file: every column of every table, at both ends and in the middle."""
    home, sizes = sqlite_log
    path = tmp_path / "ledger.db"
    key_column, found = TABLES[table][1], 0
    for key in keys_of(table, sizes):
        for bit in (0, 2):
            shutil.copy(home.path, path)
            with sqlite3.connect(path, isolation_level=None) as file:
                for (name,) in file.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'trigger'"
                ).fetchall():
                    file.execute(f"DROP TRIGGER {name}")
                file.execute("PRAGMA ignore_check_constraints = ON")
                (value,) = file.execute(
                    f"SELECT {column} FROM {table} WHERE {key_column} = ?", [key]
                ).fetchone()
                changed = file.execute(
                    f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {key_column} = ?",
                    [flipped(value, bit), key],
                ).rowcount
            file.close()
            if not changed:
                continue  # another row has that key: the database itself refuses
            found += 1
            store = SqliteHome(path).open()
            check(verify_store(store, TRUST), table, column, key)
            store.close()
            for old in tmp_path.glob("ledger.db*"):
                old.unlink()
    assert found > 1


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_postgres(postgres_log, table, column):
    """In PostgreSQL, by the owner with the triggers off."""
    home, store, sizes = postgres_log
    key_column, found = TABLES[table][1], 0
    names = {
        "table": SQL("henji.{}").format(Identifier(table)),
        "column": Identifier(column),
        "key": Identifier(key_column),
        "guard": Identifier(f"{table}_change"),
    }
    read, write, off, on = (
        SQL(text).format(**names)
        for text in (
            "SELECT {column} FROM {table} WHERE {key} = %s",
            "UPDATE {table} SET {column} = %s WHERE {key} = %s",
            "ALTER TABLE {table} DISABLE TRIGGER {guard}",
            "ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}",
        )
    )
    with psycopg.connect(home.owner, autocommit=True) as owner:
        owner.execute(off)
        for key in keys_of(table, sizes):
            (value,) = owner.execute(read, [key]).fetchone()
            for bit in (0, 2):
                damaged = flipped(value, bit)
                moved = damaged if column == key_column else key
                try:
                    owner.execute(write, [damaged, key])
                except psycopg.errors.IntegrityError:
                    continue  # a constraint of the table refuses it even to the owner
                found += 1
                check(verify_store(store, TRUST), table, column, key)
                owner.execute(write, [value, moved])
        owner.execute(on)
    assert found > 1
    verified(store)
