"""A base log just short of a full tile, on SQLite and PostgreSQL, made anew at will."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from events.store import Store
from events.submissions import Request
from tests.support import scenario
from tests.support.desk import (
    OPERATOR,
    SIGNER,
    Desk,
    Home,
    MemoryHome,
    PostgresHome,
    SqliteHome,
    codes,
    request,
    tables,
)

BASE = 250


def base_requests() -> list[Request]:
    """Return the submissions of the base log: what there is before the crash."""
    start = [scenario.opened([SIGNER.vkey]), *scenario.groundwork()]
    loop = list(scenario.delegated(scenario.loop("OLD")))[:3]
    calls = [scenario.external(n) for n in range(BASE - len(start) - len(loop))]
    return [request(start, key=OPERATOR), request([*loop, *calls])]


def victim_events() -> list[scenario.Event]:
    """Return the batch that a crash hits.

    It spans the end of a tile, repeats an old event, and needs the states of streams
    of several kinds.
    """
    loop = list(scenario.delegated(scenario.loop("NEW")))
    return [
        *loop[:4],
        scenario.external(5),
        *(scenario.external(1_000 + n, subject="T") for n in range(6)),
        list(scenario.delegated(scenario.loop("OLD")))[3],
    ]


NEW_EVENTS = len(victim_events()) - 1


@pytest.fixture(scope="session")
def base_tables():
    """Return the rows of the base log."""
    desk = Desk(MemoryHome().open())
    results = desk.sequencer.commit(base_requests())
    assert {code for one in results for code in codes(one)} == {"ok"}
    return tables(desk.store)


def fill(store: Store, rows) -> None:
    """Insert a whole log as it is."""
    entries, nodes, (root,) = rows
    with store.append() as log:
        log.insert(rows=entries, nodes=nodes, root=root)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path, base_tables) -> tuple[Home, Callable[[], None]]:
    """Return a place that holds the base log, and how to make it so again."""
    if request.param == "postgres":
        here = PostgresHome(request.getfixturevalue("new_postgres_database")())

        def again() -> None:
            here.empty()
            store = here.open()
            fill(store, base_tables)
            store.close()

        again()
        return here, again
    saved, path = tmp_path / "saved.db", tmp_path / "ledger.db"
    store = SqliteHome(saved).open()
    fill(store, base_tables)
    store.close()

    def copied() -> None:
        for old in tmp_path.glob("ledger.db*"):
            old.unlink()
        shutil.copy(saved, path)

    copied()
    return SqliteHome(path), copied
