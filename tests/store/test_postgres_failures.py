"""What is left when PostgreSQL, the connection or another process fails."""

from __future__ import annotations

import threading

import psycopg
import pytest

from events import errors
from events.postgres import PostgresStore, Waits, install
from tests.store.batches import many, put, sealed
from tests.support.embedded_postgres import running


def lose(store: PostgresStore, server) -> None:
    """End the append connection from the server's side, as an administrator would."""
    pid = store._writer.info.backend_pid
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.mark.parametrize("applied", [False, True], ids=["lost", "applied"])
def test_commit_without_an_answer(postgres, applied):
    """A lost COMMIT is reported as unknown; the head says which; writing goes on."""
    put(postgres, many(2))
    connection = postgres._writer
    real = connection.execute

    def cut(query, *args, **kwargs):
        if query != b"COMMIT":
            return real(query, *args, **kwargs)
        if applied:
            real(query, *args, **kwargs)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    connection.execute = cut
    with pytest.raises(errors.Unavailable) as unknown:
        put(postgres, many(3, prefix="x"))
    assert unknown.value.code == "commit_unknown"
    assert (
        postgres.head().size
        == len(list(postgres.iter_entries()))
        == (5 if applied else 2)
    )
    assert put(postgres, many(1, prefix="y")).size == (6 if applied else 3)
    assert postgres._writer is not connection


def test_connection_lost_before_commit(postgres, postgres_server):
    """A connection that dies under COMMIT is unknown to us, and nothing was written."""
    with pytest.raises(errors.Unavailable) as unknown, postgres.append() as append:  # noqa: PT012
        rows, nodes, root = sealed(append, many(2), 5_000_000)
        append.insert(rows=rows, nodes=nodes, root=root)
        lose(postgres, postgres_server)
    assert unknown.value.code == "commit_unknown"
    assert postgres.head() is None
    assert put(postgres, many(2)).size == 2


def test_connection_lost_while_deciding(postgres, postgres_server):
    """A connection that dies inside an append fails that append only."""
    with pytest.raises(errors.Unavailable) as lost, postgres.append() as append:  # noqa: PT012
        lose(postgres, postgres_server)
        append.versions(["s/A"])
    assert lost.value.code == "store_unavailable"
    assert put(postgres, many(2)).size == 2


def test_connections_lost_while_idle(postgres, postgres_server):
    """After a broken pause, the first append and the first read already work again."""
    put(postgres, many(2))
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = %s",
            [postgres._writer.info.dbname],
        )
    assert postgres.head().size == 2
    assert put(postgres, many(2, prefix="x")).size == 4


def test_a_swallowed_error_cannot_commit(postgres):
    """If a caller catches a failed statement and goes on, the append still fails."""
    put(postgres, many(1))
    with pytest.raises(errors.Unavailable) as refused, postgres.append() as append:  # noqa: PT012
        rows, nodes, root = sealed(append, many(1, prefix="x"), 6_000_000)
        with pytest.raises(errors.Conflict):
            append.insert(rows=[rows[0]._replace(version=1)], nodes=nodes, root=root)
    assert refused.value.code == "store_unavailable"
    assert postgres.head().size == 1
    assert put(postgres, many(1, prefix="y")).size == 2


def test_waiting_for_the_lock_ends(postgres):
    """A second process that waits too long for the lock is told so, and may try again."""
    second = PostgresStore.open(postgres._dsn, waits=Waits(lock=0.2))
    with postgres.append():
        with pytest.raises(errors.Unavailable) as busy:
            put(second, many(1))
        assert busy.value.code == "store_busy"
        assert second.head() is None
    assert put(second, many(1)).size == 1
    second.close()


def test_a_stalled_process_loses_the_lock(postgres):
    """A process that stalls inside an append does not stop the others for ever."""
    stalled = PostgresStore.open(postgres._dsn, waits=Waits(idle=0.3))
    with pytest.raises(errors.Unavailable), stalled.append() as append:  # noqa: PT012
        rows, nodes, root = sealed(append, many(2), 5_000_000)
        append.insert(rows=rows, nodes=nodes, root=root)
        assert put(postgres, many(1, prefix="other")).size == 1  # waits for the lock
    assert [row.id for row in postgres.iter_entries()] == ["other-0"]
    assert put(stalled, many(1, prefix="again")).size == 2
    stalled.close()


def test_threads_take_turns(postgres):
    """Appends from many threads of one process queue for its one connection."""
    threads = [
        threading.Thread(target=put, args=(postgres, many(3, prefix=str(number))))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.version for row in postgres.stream("commitment/A")] == list(
        range(1, 37)
    )


def test_text_that_postgresql_cannot_hold(postgres):
    """NUL and lone surrogates are refused as text, not as a failure of the server."""
    for text in ("a\x00b", "a\ud800b"):
        with pytest.raises(errors.Malformed) as refused:
            postgres.find(text, "x")
        assert refused.value.code == "text_not_storable"
    assert put(postgres, many(1)).size == 1


def test_no_privilege_to_insert(postgres, postgres_server):
    """A role that may only read is told so by the first append."""
    with psycopg.connect(postgres_server.dsn(postgres._writer.info.dbname)) as admin:
        role = postgres._writer.info.user
        admin.execute(f"REVOKE INSERT ON henji.log_root FROM {role}")
    with pytest.raises(errors.Denied) as denied:
        put(postgres, many(1))
    assert denied.value.code == "store_privilege_missing"


def test_synchronous_commit_is_forced_on(postgres, postgres_server):
    """A server or role that is set to answer before the disk does is overruled."""
    role = postgres._writer.info.user
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {role} SET synchronous_commit = off")
    store = PostgresStore.open(postgres._dsn)
    setting = store._writer.execute("SHOW synchronous_commit").fetchone()
    assert setting == ("on",)
    store.close()


def test_server_without_fsync_is_refused():
    """A server that may lose acknowledged commits is refused at start, always."""
    with running({"fsync": "off"}) as server:
        install(server.dsn(), schema="henji", writer_role=None)
        with pytest.raises(errors.Corrupt) as refused:
            PostgresStore.open(server.dsn(), overprivileged="allow")
        assert refused.value.code == "store_not_durable"


def test_server_crash_keeps_what_was_acknowledged():
    """After a crash of the server every committed batch is there, whole; no other is."""
    with running() as server:
        install(server.dsn(), schema="henji", writer_role="writer")
        store = PostgresStore.open(server.dsn(user="writer"))
        roots = [put(store, many(3, prefix=str(number))) for number in range(20)]
        with pytest.raises(errors.Unavailable), store.append() as append:  # noqa: PT012
            rows, nodes, root = sealed(append, many(3, prefix="x"), 6_000_000)
            append.insert(rows=rows, nodes=nodes, root=root)
            server.crash()
        with pytest.raises(errors.Unavailable):
            put(store, many(1, prefix="down"))
        server.start()
        assert list(store.iter_roots()) == roots
        assert len(list(store.iter_entries())) == 60
        assert put(store, many(1, prefix="z")).size == 61
        store.close()
