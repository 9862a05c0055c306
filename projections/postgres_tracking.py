"""Which generations there are, and how far each has come, in PostgreSQL.

Rules of this file: the bookkeeping tables, inside a transaction that is given, and the
schema that they are in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Identifier

from events.errors import Conflict
from projections.cuts import CUT
from projections.views import Generation, Part, Poison, State, generation_of

Connection = psycopg.Connection[tuple[Any, ...]]

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS view_tracking (
    application_name text PRIMARY KEY,
    notification_id bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS view_generation (
    name text NOT NULL,
    number bigint NOT NULL,
    version bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('building', 'live', 'retired', 'dropped')),
    tables text[] NOT NULL,
    poison_position bigint,
    poison_type text,
    poison_reason text,
    PRIMARY KEY (name, number)
);
CREATE UNIQUE INDEX IF NOT EXISTS view_one_live
    ON view_generation (name) WHERE state = 'live';
CREATE TABLE IF NOT EXISTS view_part (
    application_name text NOT NULL,
    topic text NOT NULL,
    number bigint NOT NULL,
    next_offset bigint NOT NULL,
    position bigint NOT NULL,
    reached bigint NOT NULL CHECK (reached >= position),
    poison_position bigint,
    poison_type text,
    poison_reason text,
    PRIMARY KEY (application_name, topic, number)
);
CREATE TABLE IF NOT EXISTS view_cut (
    application_name text NOT NULL,
    name text NOT NULL,
    query text NOT NULL,
    PRIMARY KEY (application_name, name)
);
"""

_GENERATIONS: Final = """
SELECT g.name, g.number, g.version, g.state, t.notification_id,
       g.poison_position, g.poison_type, g.poison_reason,
       (SELECT coalesce(json_agg(json_build_array(topic, p.number, next_offset,
            position, reached, p.poison_position, p.poison_type, p.poison_reason)
            ORDER BY topic, p.number), '[]')
        FROM view_part p WHERE p.application_name = t.application_name)
FROM view_generation g
JOIN view_tracking t ON t.application_name = g.name || '@' || g.number
WHERE g.name = %s AND g.state <> 'dropped' ORDER BY g.number
"""
_POSITION: Final = """
SELECT coalesce((SELECT min(reached) FROM view_part p
                 WHERE p.application_name = t.application_name), notification_id)
FROM view_tracking t WHERE application_name = %s
"""
_GROWS: Final = """
EXISTS (SELECT 1 FROM view_generation
        WHERE name = %s AND number = %s AND state IN ('building', 'live')
        FOR SHARE)
"""
_MOVE: Final = f"""
UPDATE view_tracking SET notification_id = %s
WHERE application_name = %s AND notification_id = %s AND {_GROWS}
"""  # noqa: S608 - our fragment
_MOVE_PART: Final = f"""
UPDATE view_part SET next_offset = %s, position = %s, reached = %s,
    poison_position = NULL, poison_type = NULL, poison_reason = NULL
WHERE application_name = %s AND topic = %s AND number = %s
  AND next_offset = %s AND position = %s AND reached = %s AND {_GROWS}
"""  # noqa: S608 - our fragment
_TRACK: Final = """
INSERT INTO view_tracking AS t VALUES (%s, %s)
ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id
WHERE t.notification_id < excluded.notification_id
"""
_NOTE: Final = """
UPDATE view_generation SET poison_position = %s, poison_type = %s, poison_reason = %s
WHERE name = %s AND number = %s
"""
_NOTE_PART: Final = """
UPDATE view_part SET poison_position = %s, poison_type = %s, poison_reason = %s
WHERE application_name = %s AND topic = %s AND number = %s
"""


def ensure_schema(conninfo: str, schema: str) -> None:
    """Create the schema of read models that have a database of their own.

    Beside a log its owner has made it; here, who projects does.
    """
    with psycopg.connect(conninfo) as connection:
        found = connection.execute("SELECT to_regnamespace(%s)", (schema,)).fetchone()
        if found == (None,):
            name = Identifier(schema)
            connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))


def generations(connection: Connection, name: str) -> list[Generation]:
    """Return the generations of a projection, oldest first."""
    return [
        generation_of(row, parts)
        for *row, parts in connection.execute(_GENERATIONS, (name,))
    ]


def begin(connection: Connection, made: Generation, tables: Sequence[str]) -> None:
    """Keep a new generation with the names of its tables."""
    connection.execute(
        "INSERT INTO view_generation VALUES (%s, %s, %s, 'building', %s)",
        (made.name, made.number, made.version, list(tables)),
    )
    connection.execute("INSERT INTO view_tracking VALUES (%s, 0)", (made.label,))
    connection.cursor().executemany(
        "INSERT INTO view_part VALUES (%s, %s, %s, %s, %s, %s)",
        [
            (made.label, p.topic, p.number, p.offset, p.position, p.reached)
            for p in made.parts
        ],
    )


def keep_cuts(
    connection: Connection, generation: Generation, queries: Mapping[str, str]
) -> None:
    """Keep how the tables of a generation are read as of a position."""
    connection.cursor().executemany(
        "INSERT INTO view_cut VALUES (%s, %s, %s)",
        [(generation.label, name, query) for name, query in queries.items()],
    )


def cuts_at(connection: Connection, generation: Generation) -> dict[str, str]:
    """Return, by table, what it was at the generation's position; empty: as it is."""
    if not generation.ahead:
        return {}
    kept = connection.execute(
        "SELECT name, query FROM view_cut WHERE application_name = %s",
        (generation.label,),
    ).fetchall()
    at = str(generation.position)
    return {name: f"({query.replace(CUT, at)})" for name, query in kept}


def position(connection: Connection, label: str) -> int | None:
    """Return how far a generation, or anything tracked, has come; None: it is not."""
    row = connection.execute(_POSITION, (label,)).fetchone()
    return None if row is None else int(row[0])


def track(connection: Connection, label: str, to: int) -> bool:
    """Record a position beyond the recorded one; False: it is not beyond."""
    return connection.execute(_TRACK, (label, to)).rowcount == 1


def move(connection: Connection, generation: Generation, to: int) -> None:
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
    connection: Connection, generation: Generation, before: Part, after: Part
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
    connection: Connection,
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
    connection: Connection, name: str, state: State, number: int | None = None
) -> None:
    """Drop generations in a state, all or one, and forget how far they had come."""
    dropped = connection.execute(
        "UPDATE view_generation SET state = 'dropped' WHERE name = %s AND state = %s "
        "AND number = coalesce(%s::bigint, number) "
        "RETURNING name || '@' || number, tables",
        (name, state, number),
    ).fetchall()
    for label, tables in dropped:
        for table in tables:
            connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(table)))
        for kept in ("view_part", "view_cut"):
            forget = SQL("DELETE FROM {} WHERE application_name = %s")
            connection.execute(forget.format(Identifier(kept)), (label,))
