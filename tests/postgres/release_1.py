"""The release before, as far as the database knows it: its SQL and what it granted.

Rules of this file: frozen. It must not follow the code; what it runs is read from
``tests/store/releases/postgres_1.sql``, which is a copy that nobody edits.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

SQL = Path(__file__).parents[1] / "store/releases/postgres_1.sql"
_SECTION = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)

#: What each named read was given.
READS: dict[str, list[Any]] = {
    "head": [],
    "rows": [40, 20],
    "replay": [40, 20],
    "row": [42],
    "find": ["e-7", "urn:test:1"],
    "find_id": ["e-7", 2],
    "find_many": [["urn:test:1", "urn:test:0"], ["e-7", "e-8"]],
    "stream": ["commitment/3", 5, 10],
    "streams": [["commitment/3", "commitment/4"]],
    "versions": [["commitment/3", "commitment/4"]],
    "hashes": [[1, 2, 300], [1], [0]],
    "leaves": [10, 20],
    "entries": [10, 20],
    "root_at": [450],
    "root_covering": [449],
    "position_at": [9_000_000],
    "nodes": [0, -1, 10],
    "roots": [0, 10],
}


def statements() -> dict[str, str]:
    """Return the statements of release 1, by name."""
    parts = _SECTION.split(SQL.read_text("utf-8"))[1:]
    return {
        name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


def install(owner: psycopg.Connection[Any], writer: str) -> None:
    """Make a ledger as release 1 did."""
    owner.execute("CREATE SCHEMA henji")
    owner.execute("SET search_path TO henji, pg_temp")
    owner.execute(
        "CREATE TABLE migration (number int PRIMARY KEY,"
        " applied timestamptz NOT NULL DEFAULT now())"
    )
    owner.execute(statements()["migration_1"].encode())
    owner.execute("INSERT INTO migration VALUES (1)")
    owner.execute("REVOKE ALL ON SCHEMA henji FROM PUBLIC")
    owner.execute(f"GRANT USAGE ON SCHEMA henji TO {writer}")
    owner.execute(f"GRANT SELECT ON henji.migration TO {writer}")
    owner.execute(
        "GRANT SELECT, INSERT ON henji.log_entry, henji.log_node, henji.log_root"
        f" TO {writer}"
    )


def append(writer: psycopg.Connection[Any], first: int, count: int) -> None:
    """Append a batch as release 1 did; the tree is not what is tested with it."""
    rows = [
        (
            n + 1, f"commitment/{n % 7}", n // 7 + 1, "henji.commitment.registered.v1",
            f"urn:test:{n % 2}", f"e-{n}", 1_000_000, 5_000_000,
            sha256(b"\0%d" % n).digest(), b"%d" % n,
        )
        for n in range(first, first + count)
    ]  # fmt: skip
    full = range(first // 256, (first + count) // 256)
    nodes = [[1] * len(full), list(full), [sha256(b"node").digest()] * len(full)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    root = (first + count, sha256(b"%d" % first).digest(), 5_000_000)
    cursor = writer.cursor(binary=True)
    text = statements()["insert"].encode()
    cursor.execute(text, [*columns, *nodes, *root], prepare=True)


def answers(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """Return what each read of release 1 answers."""
    sql = statements()
    return {
        name: connection.cursor(binary=True)
        .execute(sql[name].encode(), parameters)
        .fetchall()
        for name, parameters in READS.items()
    }
