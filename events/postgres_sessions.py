"""Sessions of PostgreSQL: where they connect, how long they wait, whose rows they see.

Rules of this file: settings of connections, for the log and for what is derived of it;
it opens nothing and knows no table.
"""

from __future__ import annotations

import select
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

#: Unless the conninfo says otherwise: a host that vanishes is noticed in about 30 s.
_NETWORK = {
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a store waits, in seconds, before it answers ``Unavailable``.

    ``lock``: for the append lock. ``statement``: for any one statement of an append.
    ``read``: for any one read. ``idle``: a process that stalls inside a transaction
    loses it, and so its locks, to the others. ``connect``: for a free connection of
    the pool.
    """

    lock: float = 15.0
    statement: float = 60.0
    read: float = 60.0
    idle: float = 60.0
    connect: float = 3.0


#: Seconds for which a pool tries to replace a lost connection before it waits to be
#: asked again. Pauses double: longer, and one that began before the server was back
#: would outlast ``Waits.connect`` of whoever asks next.
RECONNECT_SECONDS = 1.0

#: What a store waits unless its settings say otherwise.
WAITS = Waits()


def conninfo(dsn: str, purpose: str) -> str:
    """Return a conninfo with keepalives; ``pg_stat_activity`` shows the purpose."""
    given = {**_NETWORK, "application_name": f"henji {purpose}"}
    return make_conninfo("", **{**given, **conninfo_to_dict(dsn)})


def refuse_closed(connection: psycopg.Connection[Any]) -> None:
    """Refuse a connection that its server has closed while it was idle.

    A look at the socket, no round trip: nothing is expected to come on it. A pool
    then takes another or connects anew, and who asks first after a restart of the
    server is served. ``OperationalError``.
    """
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    if idle.poll(0):
        connection.close()  # else the pool would take it for usable, and offer it again
        raise psycopg.OperationalError("closed by the server while idle")


def bind(connection: psycopg.Connection[Any], schema: str) -> None:
    """Bind a session to one ledger: its tables are found, and its rows are seen.

    The rows of another ledger are invisible whatever the search path is (row level
    security compares ``henji.ledger`` with the schema).
    """
    path = SQL("SET search_path TO {}, pg_temp").format(Identifier(schema))
    connection.execute(path)
    connection.execute("SELECT set_config('henji.ledger', %s, false)", [schema])


def bound_waits(
    connection: psycopg.Connection[Any], waits: Waits, *, statement: float
) -> None:
    """Let the server end what takes longer than this session waits."""
    connection.execute(
        "SELECT set_config('statement_timeout', %s, false),"
        " set_config('lock_timeout', %s, false),"
        " set_config('idle_in_transaction_session_timeout', %s, false)",
        [milliseconds(one) for one in (statement, waits.lock, waits.idle)],
    )


def milliseconds(seconds: float) -> str:
    """Return seconds as the server's settings take them."""
    return str(int(seconds * 1000))
