"""OCEL 2.0 as one SQLite file, made in a temporary folder and then read out.

Rules of this file: the tables of OCEL 2.0 and nothing of what stands in them, which
comes from ``ocel``. A type's table is made when the type is first met.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from services.exports.job import Job, Pieces
from services.exports.members import Scalar
from services.exports.ocel import (
    Change,
    EventFact,
    ObjectFact,
    events,
    folder,
    objects,
    of_type,
    spool,
)

_PIECE = 1 << 16
#: What OCEL gives to things that have no moment of their own.
_ALWAYS = "1970-01-01T00:00:00Z"
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
CREATE TABLE event (ocel_id TEXT PRIMARY KEY,
    ocel_type TEXT REFERENCES event_map_type (ocel_type));
CREATE TABLE object (ocel_id TEXT PRIMARY KEY,
    ocel_type TEXT REFERENCES object_map_type (ocel_type));
CREATE TABLE event_object (
    ocel_event_id TEXT REFERENCES event (ocel_id),
    ocel_object_id TEXT REFERENCES object (ocel_id),
    ocel_qualifier TEXT,
    PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier));
CREATE TABLE object_object (
    ocel_source_id TEXT REFERENCES object (ocel_id),
    ocel_target_id TEXT REFERENCES object (ocel_id),
    ocel_qualifier TEXT,
    PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier));
BEGIN;
"""
_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "string": "TEXT",
        "integer": "INTEGER",
        "float": "REAL",
        "boolean": "BOOLEAN",
        "time": "TIMESTAMP",
    }
)


@dataclass(slots=True)
class _File:
    """The file that is being made, and the tables and columns it has so far."""

    connection: sqlite3.Connection
    tables: dict[tuple[str, str], str] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)

    def table(self, of: str, name: str) -> str:
        """Return the table of an event or object type; made if it is new."""
        found = self.tables.get((of, name))
        if found is not None:
            return found
        mapped = re.sub(r"[^A-Za-z0-9]+", "_", name)
        taken = {table.casefold() for table in self.tables.values()}
        if f"{of}_{mapped}".casefold() in taken:
            mapped = f"{mapped}_{len(self.tables)}"
        self.tables[of, name] = table = f"{of}_{mapped}"
        self.connection.execute(
            f"INSERT INTO {of}_map_type VALUES (?, ?)",  # noqa: S608 - ours
            (name, mapped),
        )
        changed = ", ocel_changed_field TEXT" if of == "object" else ""
        self.connection.execute(
            f'CREATE TABLE "{table}" '
            f"(ocel_id TEXT REFERENCES {of} (ocel_id), ocel_time TIMESTAMP{changed})"
        )
        self.columns[table] = set()
        return table

    def widen(self, table: str, attributes: Iterable[tuple[str, str]]) -> None:
        """Add the columns that are missing."""
        for name, kind in attributes:
            if name not in self.columns[table]:
                self.columns[table].add(name)
                self.connection.execute(
                    f'ALTER TABLE "{table}" ADD COLUMN "{name}" {_COLUMNS[kind]}'
                )

    def insert(self, table: str, values: Mapping[str, Scalar | None]) -> None:
        """Insert one row."""
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        self.connection.execute(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608 - ours
            tuple(values.values()),
        )


def ocel_sqlite(job: Job) -> Pieces:
    """Yield the bytes of the file, once it is whole."""
    with folder() as place:
        path = place / "ocel.sqlite"
        _make(job, place, path)
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def _make(job: Job, place: Path, path: Path) -> None:
    with (
        spool(place) as seen,
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        connection.executescript(_SCHEMA)
        file = _File(connection)
        for event in events(job, seen):
            _put_event(file, event)
        for thing in objects(job, seen):
            _put_object(file, thing)
        connection.execute("COMMIT")


def _put_event(file: _File, fact: EventFact) -> None:
    table = file.table("event", fact.type)
    if not file.columns[table]:
        file.widen(table, of_type(fact.type))
    file.insert("event", {"ocel_id": fact.id, "ocel_type": fact.type})
    values = {name: value for name, _, value in fact.attributes}
    file.insert(table, {"ocel_id": fact.id, "ocel_time": fact.time, **values})
    file.connection.executemany(
        "INSERT INTO event_object VALUES (?, ?, ?)",
        [(fact.id, target, qualifier) for target, qualifier in fact.relations],
    )


def _put_object(file: _File, fact: ObjectFact) -> None:
    """Put an object: a whole row for what it began with, then one row a change."""
    table = file.table("object", fact.type)
    file.insert("object", {"ocel_id": fact.id, "ocel_type": fact.type})
    file.connection.executemany(
        "INSERT INTO object_object VALUES (?, ?, ?)",
        [(fact.id, target, qualifier) for target, qualifier in fact.relations],
    )
    begun, given = next(fact.changes, Change(_ALWAYS, []))
    file.widen(table, [(name, kind) for name, kind, _ in given])
    values = {name: value for name, _, value in given}
    file.insert(table, {"ocel_id": fact.id, "ocel_time": begun, **values})
    for time, changed in fact.changes:
        file.widen(table, [(name, kind) for name, kind, _ in changed])
        for name, _, value in changed:
            row = {"ocel_id": fact.id, "ocel_time": time, "ocel_changed_field": name}
            file.insert(table, {**row, name: value})
