"""OCEL 2.0 as facts: events with the things they concern, things with their changes.

Rules of this file: what is an event, an object and a relation of ours, independent of
JSON or SQLite. Every entry is an event; every stream that it belongs to or names, and
the unit and post that acted, is an object. Which objects there were is kept in a file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from events.entries import rfc3339
from services.exports.job import Job, history, rows
from services.exports.members import Told, declared, named, recorded, scalars, told
from services.exports.states import Attribute, attributes

_PAGE = 500
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE object (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE relation (source TEXT, target TEXT, qualifier TEXT,
    PRIMARY KEY (source, target, qualifier)) WITHOUT ROWID;
BEGIN;
"""


class Relation(NamedTuple):
    """To which object, and as what."""

    target: str
    qualifier: str


class EventFact(NamedTuple):
    """One entry. ``time`` is when it happened, RFC 3339."""

    id: str
    type: str
    time: str
    attributes: list[Attribute]
    relations: list[Relation]


class Change(NamedTuple):
    """From ``time`` on (RFC 3339) an object has these attributes."""

    time: str
    attributes: list[Attribute]


class ObjectFact(NamedTuple):
    """One thing; ``changes`` are read as they are asked for, oldest first."""

    id: str
    type: str
    relations: list[Relation]
    changes: Iterator[Change]


@contextmanager
def folder() -> Iterator[Path]:
    """Give an empty folder for what does not fit into memory; gone afterwards."""
    with TemporaryDirectory(prefix="henji-export-") as name:
        yield Path(name)


@contextmanager
def spool(place: Path) -> Iterator[sqlite3.Connection]:
    """Give an empty record of objects and relations, for one export."""
    path = place / "spool"
    # Pieces of one export may be made in different threads, one after the other.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with closing(connection):
        connection.executescript(_SCHEMA)
        yield connection


def of_every_event() -> list[tuple[str, str]]:
    """Return (name, kind) of the attributes that each event has."""
    return [
        ("log_position", "integer"),
        ("log_version", "integer"),
        ("log_id", "string"),
        ("log_source", "string"),
        ("log_key", "string"),
        ("log_recorded", "time"),
        ("log_ingested", "time"),
    ]


def of_type(event_type: str) -> list[tuple[str, str]]:
    """Return (name, kind) of the attributes that events of a type may have."""
    return [*of_every_event(), *declared(event_type).items()]


def events(job: Job, seen: sqlite3.Connection) -> Iterator[EventFact]:
    """Yield the selected entries, noting the objects that they concern."""
    for row in rows(job):
        entry = told(row)
        relations = list(dict.fromkeys(_relations(entry)))
        seen.executemany(
            "INSERT OR IGNORE INTO object VALUES (?)", [(r.target,) for r in relations]
        )
        seen.executemany(
            "INSERT OR IGNORE INTO relation VALUES (?, ?, ?)",
            [
                (row.stream, stream, member)
                for stream, member in named(entry)
                if stream != row.stream
            ],
        )
        yield EventFact(
            id=f"entry-{row.position}",
            type=row.type,
            time=rfc3339(row.occurred),
            attributes=list(_attributes(entry)),
            relations=relations,
        )


def objects(job: Job, seen: sqlite3.Connection) -> Iterator[ObjectFact]:
    """Yield the objects that ``events`` noted, by id, as the cut knows them."""
    ((total,),) = seen.execute("SELECT count(*) FROM object")
    last, number, page = "", 0, [("",)]
    while page:
        page = seen.execute(
            "SELECT id FROM object WHERE id > ? ORDER BY id LIMIT ?", (last, _PAGE)
        ).fetchall()
        for (last,) in page:
            yield ObjectFact(
                last, kind_of(last), _related(seen, last), _changes(job, last)
            )
        number += len(page)
        job.hear("objects", number, total)


def kind_of(stream: str) -> str:
    """Return the object type: the kind of the stream."""
    return stream.partition("/")[0]


def _attributes(entry: Told) -> Iterator[Attribute]:
    row = entry.row
    yield Attribute("log_position", "integer", row.position)
    yield Attribute("log_version", "integer", row.version)
    yield Attribute("log_id", "string", row.id)
    yield Attribute("log_source", "string", row.source)
    yield Attribute("log_key", "string", entry.envelope.authid)
    yield Attribute("log_recorded", "time", rfc3339(recorded(entry)))
    yield Attribute("log_ingested", "time", rfc3339(row.ingested))
    for name, kind, value in scalars(entry):
        yield Attribute(name, kind, value)


def _relations(entry: Told) -> Iterator[Relation]:
    """The thing itself, who acted, and what the payload names under which member."""
    yield Relation(entry.row.stream, "of")
    if entry.unit:
        yield Relation(f"unit/{entry.unit}", "by unit")
    if entry.post:
        yield Relation(f"post/{entry.post}", "by post")
    for stream, member in named(entry):
        yield Relation(stream, member)


def _related(seen: sqlite3.Connection, source: str) -> list[Relation]:
    found = seen.execute(
        "SELECT target, qualifier FROM relation WHERE source = ? ORDER BY 1, 2",
        (source,),
    )
    return [Relation(*row) for row in found]


def _changes(job: Job, stream: str) -> Iterator[Change]:
    """Yield what each event of the stream changed; the first one gives all there is.

    A stream that is left out may be named by others, and is then no more than a name.
    """
    if kind_of(stream) in job.selection.without:
        return
    known: dict[str, Attribute] = {}
    for event, state in history(job.reader, stream, job.cut):
        now = {attribute.name: attribute for attribute in attributes(state)}
        changed = [one for name, one in now.items() if known.get(name) != one]
        if changed:
            yield Change(rfc3339(event.occurred), changed)
        known = now
