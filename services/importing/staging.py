"""A whole file put in order on disk, so that memory does not grow with it.

A temporary SQLite database that nobody else sees and that may be lost at any moment:
rows go in as they come, come out case by case, and their events come out by time. No
meaning of a column is known here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from services.importing.plan import REGISTERED, UNIT_CREATED, CaseRow, Planned

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -8192;
CREATE TABLE row (
    number INTEGER PRIMARY KEY, part TEXT, place INTEGER, occurred INTEGER, cells BLOB
);
CREATE TABLE event (
    number INTEGER PRIMARY KEY,
    at INTEGER, rank INTEGER, place INTEGER, part TEXT, body BLOB
);
BEGIN;
"""
_BY_CASE = """
SELECT part, place, occurred, cells FROM row
ORDER BY part, occurred IS NULL, occurred, number
"""
_EVENTS = """
SELECT place, rank, body FROM event WHERE rank BETWEEN ? AND ?
ORDER BY at, rank, number
"""

_encode = msgspec.json.Encoder().encode
_cells = msgspec.json.Decoder(dict[str, str])

#: What kind of event it is; of those at the same instant the lower rank goes first.
UNIT, REGISTRATION, OTHER = 0, 1, 2
_RANKS = {UNIT_CREATED: UNIT, REGISTERED: REGISTRATION}


@contextmanager
def staging() -> Iterator[sqlite3.Connection]:
    """Give an empty stage; it is gone afterwards."""
    with (
        TemporaryDirectory(prefix="henji-import-") as folder,
        closing(sqlite3.connect(Path(folder) / "stage", isolation_level=None)) as stage,
    ):
        stage.executescript(_SCHEMA)
        yield stage


def put_rows(stage: sqlite3.Connection, rows: Iterable[tuple[str, CaseRow]]) -> None:
    """Take rows with the case they belong to, in any order."""
    stage.executemany(
        "INSERT INTO row (part, place, occurred, cells) VALUES (?, ?, ?, ?)",
        ((case, row.place, row.occurred, _encode(row.cells)) for case, row in rows),
    )


def cases(stage: sqlite3.Connection) -> Iterator[tuple[str, list[CaseRow]]]:
    """Yield each case, its rows by time, unreadable times last, ties as they came."""
    found = stage.execute(_BY_CASE)
    for case, group in groupby(found, key=lambda row: str(row[0])):
        yield (
            case,
            [CaseRow(row[1], row[2], _cells.decode(row[3])) for row in group],
        )


def put_events(stage: sqlite3.Connection, planned: Iterable[Planned]) -> None:
    """Take events; of those at the same instant the first in is the first out."""
    stage.executemany(
        "INSERT INTO event (at, rank, place, part, body) VALUES (?, ?, ?, ?, ?)",
        (
            (
                one.order,
                _RANKS.get(one.event["type"], OTHER),
                one.place,
                one.part,
                _encode(one.event),
            )
            for one in planned
        ),
    )


def count_events(stage: sqlite3.Connection) -> int:
    """Tell how many events are there."""
    (count,) = stage.execute("SELECT count(*) FROM event").fetchone()
    return int(count)


def drop_cases(stage: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Forget all events of the cases with these keys."""
    stage.execute("CREATE TEMP TABLE dropped (part TEXT PRIMARY KEY)")
    stage.executemany(
        "INSERT OR IGNORE INTO dropped VALUES (?)", ((key,) for key in keys)
    )
    stage.execute("DELETE FROM event WHERE part IN (SELECT part FROM dropped)")


def events(
    stage: sqlite3.Connection, first: int = UNIT, last: int = OTHER
) -> Iterator[tuple[int, int, bytes]]:
    """Yield (place, rank, JSON) of the events of these ranks by time."""
    yield from stage.execute(_EVENTS, (first, last))
