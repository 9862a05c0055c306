"""What each kind of connection waits for, how it shows itself, how many there are."""

from __future__ import annotations

import threading

import psycopg
import pytest

from events import errors
from events.postgres_sessions import Waits, conninfo
from projections.postgres import PostgresViews
from services import wiring
from services.settings import from_environment

WAITS = Waits(lock=1.0, statement=2.0, read=3.0, idle=4.0, connect=0.3)
NAMES = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


def settings_of(connection: psycopg.Connection) -> list[str]:
    """Return what the server ends for this session, and its name."""
    return [
        connection.execute(f"SHOW {name}").fetchone()[0]
        for name in (*NAMES, "application_name")
    ]


def test_reads_and_appends_wait_differently(ledger):
    """A read, an append and a read model each have their own bounds and name."""
    store = ledger.open(waits=WAITS)
    assert settings_of(store._writer) == ["2s", "1s", "4s", "henji append"]
    with store._pool.connection() as reader:
        assert settings_of(reader) == ["3s", "1s", "4s", "henji read"]
        assert reader.execute("SHOW default_transaction_read_only").fetchone() == (
            "on",
        )
    store.close()
    views = PostgresViews(ledger.dsns["owner"], schema="yard", waits=WAITS)
    with views._writing() as connection:
        assert settings_of(connection) == ["0", "1s", "10min", "henji views"]
    with views._reading() as connection:
        assert settings_of(connection)[0] == "3s"
    views.close()


def test_a_read_that_takes_too_long_is_ended(ledger):
    """The server ends it; the client is told to try again, the pool stays whole."""
    store = ledger.open(waits=Waits(read=0.2))
    store._sql["head"] = b"SELECT pg_sleep(30), 'x'::bytea, 0"
    with pytest.raises(errors.Unavailable) as slow:
        store.head()
    assert slow.value.code == "store_busy"
    assert store.row(1).position == 1
    store.close()


def test_no_connection_is_left(ledger):
    """A reader more than the pool has waits a little, and is told that it is busy."""
    store = ledger.open(readers=2, waits=WAITS)
    held, done = threading.Barrier(3), threading.Event()

    def hold() -> None:
        with store._pool.connection():
            held.wait()
            done.wait()

    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    held.wait()
    with pytest.raises(errors.Unavailable) as busy:
        store.head()
    assert busy.value.code == "store_busy"
    done.set()
    for thread in threads:
        thread.join()
    assert store.head().size == 450
    store.close()


def test_a_connection_shows_and_keeps_itself_alive():
    """Keepalives unless told otherwise; what the operator says goes first."""
    parts = psycopg.conninfo.conninfo_to_dict(conninfo("host=db", "read"))
    assert parts["application_name"] == "henji read"
    assert (parts["keepalives"], parts["keepalives_idle"]) == ("1", "10")
    given = conninfo("host=db application_name=mine keepalives_idle=99", "read")
    parts = psycopg.conninfo.conninfo_to_dict(given)
    assert (parts["application_name"], parts["keepalives_idle"]) == ("mine", "99")


def test_the_settings_reach_the_sessions(empty_ledger, tmp_path):
    """``HENJI_DATABASE_…`` is what stores and read models are opened with."""
    settings = from_environment(
        {
            "HENJI_DATABASE_URL": empty_ledger.dsns["writer"],
            "HENJI_DATABASE_POOL": "7",
            "HENJI_DATABASE_READ_SECONDS": "1.5",
            "HENJI_DATABASE_APPEND_SECONDS": "2.5",
            "HENJI_DATABASE_LOCK_SECONDS": "0.5",
        }
    )
    wiring.install_postgres(
        empty_ledger.dsns["owner"],
        schema="henji",
        writer_role=empty_ledger.role("writer"),
    )
    store, views = wiring.open_store(settings), wiring.open_views(settings)
    assert store._pool.max_size == views._pool.max_size == 7
    assert settings_of(store._writer)[:2] == ["2500ms", "500ms"]
    with store._pool.connection() as reader:
        assert settings_of(reader)[0] == "1500ms"
    store.close()
    views.close()
