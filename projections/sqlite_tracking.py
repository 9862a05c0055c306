"""Which generations there are, and how far each has come, in SQLite.

Rules of this file: the bookkeeping tables, inside a transaction that is given.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Final

from events.errors import Conflict
from projections.cuts import CUT
from projections.views import Generation, Part, Poison, State, generation_of

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS view_tracking (
    application_name TEXT PRIMARY KEY,
    notification_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS view_generation (
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('building', 'live', 'retired', 'dropped')),
    tables TEXT NOT NULL,
    poison_position INTEGER,
    poison_type TEXT,
    poison_reason TEXT,
    PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS view_one_live
    ON view_generation (name) WHERE state = 'live';
CREATE TABLE IF NOT EXISTS view_part (
    application_name TEXT NOT NULL,
    topic TEXT NOT NULL,
    number INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    position INTEGER NOT NULL,
    reached INTEGER NOT NULL CHECK (reached >= position),
    poison_position INTEGER,
    poison_type TEXT,
    poison_reason TEXT,
    PRIMARY KEY (application_name, topic, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS view_cut (
    application_name TEXT NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    PRIMARY KEY (application_name, name)
) STRICT, WITHOUT ROWID;
"""

_GENERATIONS: Final = """
SELECT g.name, g.number, g.version, g.state, t.notification_id,
       g.poison_position, g.poison_type, g.poison_reason,
       (SELECT json_group_array(json_array(topic, number, next_offset, position,
            reached, poison_position, poison_type, poison_reason))
        FROM view_part WHERE application_name = t.application_name)
FROM view_generation g
JOIN view_tracking t ON t.application_name = g.name || '@' || g.number
WHERE g.name = ? AND g.state <> 'dropped' ORDER BY g.number
"""
_POSITION: Final = """
SELECT coalesce((SELECT min(reached) FROM view_part p
                 WHERE p.application_name = t.application_name), notification_id)
FROM view_tracking t WHERE application_name = ?
"""
_GROWS: Final = """
EXISTS (SELECT 1 FROM view_generation
        WHERE name = ? AND number = ? AND state IN ('building', 'live'))
"""
_MOVE: Final = f"""
UPDATE view_tracking SET notification_id = ?
WHERE application_name = ? AND notification_id = ? AND {_GROWS}
"""  # noqa: S608 - our fragment
_MOVE_PART: Final = f"""
UPDATE view_part SET next_offset = ?, position = ?, reached = ?,
    poison_position = NULL, poison_type = NULL, poison_reason = NULL
WHERE application_name = ? AND topic = ? AND number = ?
  AND next_offset = ? AND position = ? AND reached = ? AND {_GROWS}
"""  # noqa: S608 - our fragment
_TRACK: Final = """
INSERT INTO view_tracking VALUES (?, ?)
ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id
WHERE notification_id < excluded.notification_id
"""
_NOTE: Final = """
UPDATE view_generation SET poison_position = ?, poison_type = ?, poison_reason = ?
WHERE name = ? AND number = ?
"""
_NOTE_PART: Final = """
UPDATE view_part SET poison_position = ?, poison_type = ?, poison_reason = ?
WHERE application_name = ? AND topic = ? AND number = ?
"""


def generations(connection: sqlite3.Connection, name: str) -> list[Generation]:
    """Return the generations of a projection, oldest first."""
    return [
        generation_of(row, json.loads(parts))
        for *row, parts in connection.execute(_GENERATIONS, (name,))
    ]


def begin(connection: sqlite3.Connection, made: Generation, tables: list[str]) -> None:
    """Keep a new generation with the names of its tables."""
    connection.execute(
        "INSERT INTO view_generation VALUES (?, ?, ?, 'building', ?, NULL, NULL, NULL)",
        (made.name, made.number, made.version, json.dumps(tables)),
    )
    connection.execute("INSERT INTO view_tracking VALUES (?, 0)", (made.label,))
    connection.executemany(
        "INSERT INTO view_part VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
        [
            (made.label, p.topic, p.number, p.offset, p.position, p.reached)
            for p in made.parts
        ],
    )


def keep_cuts(
    connection: sqlite3.Connection, generation: Generation, queries: Mapping[str, str]
) -> None:
    """Keep how the tables of a generation are read as of a position."""
    connection.executemany(
        "INSERT INTO view_cut VALUES (?, ?, ?)",
        [(generation.label, name, query) for name, query in queries.items()],
    )


def cuts_at(connection: sqlite3.Connection, generation: Generation) -> dict[str, str]:
    """Return, by table, what it was at the generation's position; empty: as it is."""
    if not generation.ahead:
        return {}
    kept = connection.execute(
        "SELECT name, query FROM view_cut WHERE application_name = ?",
        (generation.label,),
    ).fetchall()
    at = str(generation.position)
    return {name: f"({query.replace(CUT, at)})" for name, query in kept}


def position(connection: sqlite3.Connection, label: str) -> int | None:
    """Return how far a generation, or anything tracked, has come; None: it is not."""
    row = connection.execute(_POSITION, (label,)).fetchone()
    return None if row is None else int(row[0])


def track(connection: sqlite3.Connection, label: str, to: int) -> bool:
    """Record a position beyond the recorded one; False: it is not beyond."""
    return connection.execute(_TRACK, (label, to)).rowcount == 1


def move(connection: sqlite3.Connection, generation: Generation, to: int) -> None:
    """Move a generation from the position that it is given with, or refuse."""
    moved = connection.execute(
        _MOVE,
        (
            to,
            generation.label,
            generation.position,
            generation.name,
            generation.number,
        ),
    )
    if moved.rowcount != 1 or to <= generation.position:
        raise Conflict("projection_moved", generation.label, position=to)
    if generation.poison is not None:
        note(connection, generation, None)


def move_part(
    connection: sqlite3.Connection, generation: Generation, before: Part, after: Part
) -> None:
    """Move one partition from where it is given, or refuse; a stop there is over."""
    moved = connection.execute(
        _MOVE_PART,
        (
            *(after.offset, after.position, after.reached),
            *(generation.label, before.topic, before.number),
            *(before.offset, before.position, before.reached),
            *(generation.name, generation.number),
        ),
    )
    if moved.rowcount != 1 or after.reached < before.reached:
        raise Conflict("projection_moved", generation.label, position=after.position)


def note(
    connection: sqlite3.Connection,
    generation: Generation,
    poison: Poison | None,
    part: Part | None = None,
) -> None:
    """Keep where a generation or a part of it stopped; None: it goes on."""
    stop = (
        (None, None, None)
        if poison is None
        else (poison.position, poison.type, poison.reason)
    )
    if part is None:
        connection.execute(_NOTE, (*stop, generation.name, generation.number))
    else:
        whose = (generation.label, part.topic, part.number)
        connection.execute(_NOTE_PART, (*stop, *whose))


def drop(
    connection: sqlite3.Connection, name: str, state: State, number: int | None = None
) -> None:
    """Drop generations in a state, all or one, and forget how far they had come."""
    dropped = connection.execute(
        "UPDATE view_generation SET state = 'dropped' WHERE name = ? AND state = ? "
        "AND number = coalesce(?, number) "
        "RETURNING name || '@' || number, tables",
        (name, state, number),
    ).fetchall()
    for label, tables in dropped:
        for table in json.loads(tables):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        for kept in ("view_part", "view_cut"):
            connection.execute(
                f"DELETE FROM {kept} WHERE application_name = ?",  # noqa: S608 - ours
                (label,),
            )
