"""Rows ``bulk``: bodies of 1,000 events over HTTP, against inserting finished rows.

Rules of this file: the baseline inserts the very rows that the service has just sealed,
into one table with the same columns and indexes, 1,000 a transaction, as durably. It
parses, checks, hashes and signs nothing, and knows no HTTP.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from time import perf_counter
from typing import Any

import psycopg
from eventsourcing.application import Application

from benchmarks import processes, submissions
from benchmarks.effort import Effort
from benchmarks.library import Case, application
from benchmarks.load import Job
from benchmarks.measure import Row, alternate, compared
from benchmarks.places import Place
from events.sql import load
from events.store import Row as Entry
from services.wiring import open_store

LINES = 1_000
CLIENTS = 4
#: In PostgreSQL the library hangs on larger ones (psycopg's pipeline mode).
_SAVED_AT_ONCE = {"sqlite": 1_000, "postgres": 200}
_MINIMAL = "henji, return=minimal"
#: position … entry of ``log_entry`` as binary COPY wants to know them.
_TYPES = ("int8", "text", "int8", "text", "text", "text", "int8", "int8")
_Insert = Callable[[Sequence[Entry]], None]


def run(place: Place, effort: Effort) -> list[Row]:
    """Return the rows: receipts as by default, without them, and against ``save()``."""
    bare_name = {
        "sqlite": "executemany of finished rows",
        "postgres": "binary COPY of finished rows",
    }[place.kind]
    save_name = f"library save() of {_SAVED_AT_ONCE[place.kind]:,}"
    with ExitStack() as stack:
        settings = place.settings()
        generator = stack.enter_context(processes.generator())
        service = stack.enter_context(processes.henji(settings))
        store = stack.enter_context(closing(open_store(settings)))
        insert = stack.enter_context(_bare(place))
        app = stack.enter_context(application(place.library()))
        copied = 0

        def post(*, prefer: str = "") -> float:
            outcome = generator.run(_job(service, effort.bulk_requests, prefer))
            service.settle()
            return outcome.rate

        def bare() -> float:
            nonlocal copied
            spent, batches = 0.0, effort.bulk_requests
            for _ in range(batches):
                rows = store.rows(after=copied, limit=LINES)
                started = perf_counter()
                insert(rows)
                spent += perf_counter() - started
                copied = rows[-1].position
            return batches * LINES / spent

        post()  # a stock for a round in which the baseline comes first
        rates = alternate(
            {
                "henji": post,
                _MINIMAL: lambda: post(prefer="return=minimal"),
                save_name: lambda: _save(app, _SAVED_AT_ONCE[place.kind], effort),
                bare_name: bare,
            },
            rounds=effort.rounds,
        )
    return _rows(rates, place.kind, bare_name, save_name)


def _rows(rates: Any, store: str, bare: str, save: str) -> list[Row]:
    asked = (
        ("bulk", "henji", bare, 0.25),
        ("bulk", "henji", save, 1.0),
        ("bulk, return=minimal", _MINIMAL, bare, None),
        ("bulk, return=minimal", _MINIMAL, save, None),
    )
    return [
        compared(
            rates,
            name=name,
            store=store,
            ours=ours,
            baseline=baseline,
            goal=goal,
            extra={"clients": CLIENTS, "events_a_request": LINES},
        )
        for name, ours, baseline, goal in asked
    ]


def _job(service: processes.Service, requests: int, prefer: str) -> Job:
    head = {
        "authorization": f"Bearer {service.bearer}",
        "content-type": "application/x-ndjson",
    }
    return Job(
        ports=[service.port],
        head={**head, "prefer": prefer} if prefer else head,
        template=submissions.template().decode(),
        clients=CLIENTS,
        lines=LINES,
        requests=requests,
    )


def _save(app: Application[Any], at_once: int, effort: Effort) -> float:
    """Save new aggregates of one event, so many in one call; return events/s."""
    pattern, spent = submissions.template(), 0.0
    times = max(1, effort.bulk_requests * LINES // at_once // 5)
    for _ in range(times):
        events = [json.loads(submissions.fill(pattern, n)) for n in range(at_once)]
        made = [Case(entry=event) for event in events]
        started = perf_counter()
        app.save(*made)
        spent += perf_counter() - started
    return times * at_once / spent


@contextmanager
def _bare(place: Place) -> Iterator[_Insert]:
    """Yield what inserts finished rows into an empty ``log_entry`` the fastest."""
    if place.server is None:
        with closing(sqlite3.connect(place.folder() / "bare.db")) as file:
            file.isolation_level = None
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = FULL")
            file.execute("PRAGMA cache_size = -65536")
            file.executescript(load("sqlite")["schema"])
            yield lambda rows: _executemany(file, rows)
        return
    with psycopg.connect(place.database(), autocommit=True) as connection:
        connection.execute(load("postgres_schema")["migration_1"])
        yield lambda rows: _copy(connection, rows)


def _executemany(file: sqlite3.Connection, rows: Sequence[Entry]) -> None:
    file.execute("BEGIN IMMEDIATE")
    file.executemany(load("sqlite")["insert_entry"], rows)
    file.execute("COMMIT")


def _copy(connection: psycopg.Connection[Any], rows: Sequence[Entry]) -> None:
    statement = "COPY log_entry FROM STDIN (FORMAT BINARY)"
    with connection.transaction(), connection.cursor().copy(statement) as copy:
        copy.set_types([*_TYPES, "bytea", "bytea"])
        for row in rows:
            copy.write_row(row)
