"""A ledger on any store without a service: what the tests submit to and verify with.

No assertion about a behaviour belongs here but the one that must always hold:
``verified`` recomputes the whole log with the key that was trusted beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from events import canonical, gate
from events.checkpoint import Checkpoint
from events.cloudevents import accept
from events.entries import strip
from events.memory import MemoryStore
from events.notes import Signer, Verifier
from events.postgres import PostgresStore, install
from events.prover import Prover
from events.receipts import verify_receipt
from events.sequencer import Sequencer
from events.sqlite import SqliteStore
from events.store import Node, Root, Row, Store
from events.submissions import Accepted, Request, Result, prepare
from events.verify import Report, Trust
from services.auditing import verify_store
from tests.support import scenario

STORES = ("memory", "sqlite", "postgres")
OPERATOR = "system"
SIGNER = Signer.generate(scenario.ORIGIN, seed=bytes(range(32)))
VERIFIERS = (Verifier.from_vkey(SIGNER.vkey),)
TRUST = Trust(scenario.ORIGIN, (SIGNER.vkey,))

Tables = tuple[list[Row], list[Node], list[Root]]


class Home(Protocol):
    """The place where a log is kept, which survives the store objects on it."""

    def open(self) -> Store:
        """Open one more store on it."""


class MemoryHome:
    """A store in memory; "opening" it again gives the same."""

    def __init__(self) -> None:
        self._store = MemoryStore()

    def open(self) -> Store:
        """Return the store."""
        return self._store


@dataclass(frozen=True)
class SqliteHome:
    """One SQLite file."""

    path: Path

    def open(self) -> SqliteStore:
        """Open the file with connections of its own."""
        return SqliteStore.open(self.path)


class PostgresHome:
    """One schema in a fresh PostgreSQL database; the writer is a plain role."""

    def __init__(self, dsns: tuple[str, str]) -> None:
        owner, self.writer = dsns
        # Row level security binds the owner, too.
        self.owner = make_conninfo(owner, options="-c henji.ledger=henji")
        role = self.writer.split("user=")[1].split()[0]
        install(self.owner, schema="henji", writer_role=role)

    def open(self) -> PostgresStore:
        """Open the schema with connections of its own."""
        return PostgresStore.open(self.writer)

    def empty(self) -> None:
        """Make the log as new, past its guards: quicker than another database."""
        with psycopg.connect(self.owner) as owner:
            owner.execute("SET LOCAL search_path TO henji")
            tables = [name for (name,) in owner.execute(_EMPTIED)]
            for text in (
                "ALTER TABLE {} DISABLE TRIGGER USER",
                "TRUNCATE {}",
                "ALTER TABLE {} ENABLE TRIGGER USER",
            ):
                for table in tables:
                    owner.execute(SQL(text).format(Identifier(table)))
            for table, guard in owner.execute(_GUARDS).fetchall():
                text = "ALTER TABLE {} ENABLE ALWAYS TRIGGER {}"
                owner.execute(SQL(text).format(Identifier(table), Identifier(guard)))


# The parent last: emptying it empties its partitions, past their own guards.
_EMPTIED = """
SELECT relname FROM pg_class WHERE relnamespace = 'henji'::regnamespace
AND relkind IN ('r', 'p') AND relname ~ '^log_(entry|node|root|key)'
ORDER BY relkind DESC, relname
"""
_GUARDS = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'henji'::regnamespace AND NOT t.tgisinternal
"""


def home(name: str, folder: Path, request: pytest.FixtureRequest) -> Home:
    """Return an empty place for a log in the store of this name."""
    if name == "postgres":
        return PostgresHome(request.getfixturevalue("new_postgres_database")())
    if name == "sqlite":
        return SqliteHome(folder / "ledger.db")
    return MemoryHome()


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: int = scenario.START

    def __call__(self) -> int:
        """Return µs since the Unix epoch."""
        return self.now


@dataclass
class Desk:
    """One sequencer on a store, its clock, and what it answered."""

    store: Store
    clock: Clock = field(default_factory=Clock)
    options: dict[str, Any] = field(default_factory=dict)
    signer: Signer = SIGNER
    sequencer: Sequencer = field(init=False)
    prover: Prover = field(init=False)

    def __post_init__(self) -> None:
        """Put the sequencer (its thread not running) and the prover on the store."""
        self.sequencer = Sequencer(
            self.store,
            origin=scenario.ORIGIN,
            signers=[self.signer],
            clock=self.clock,
            **self.options,
        )
        self.prover = Prover(
            self.store,
            origin=scenario.ORIGIN,
            signers=[self.signer],
            receipt_signers=[self.signer],
            clock=self.clock,
        )

    def begin(self) -> Desk:
        """Open the ledger with the scenario's units, keys and external type."""
        results = self.submit(
            [scenario.opened([SIGNER.vkey]), *scenario.groundwork()], key=OPERATOR
        )
        assert all(isinstance(result, Accepted) for result in results), results
        return self

    def submit(self, events: Iterable[scenario.Event], **options: Any) -> list[Result]:
        """Decide one request now, in this thread; its results."""
        return self.sequencer.commit([request(events, **options)])[0]

    def one(self, event: scenario.Event, **options: Any) -> Result:
        """Decide one event now."""
        return self.submit([event], **options)[0]

    def receipt(self, accepted: Accepted) -> str:
        """Return the receipt as the answer carries it: fresh, or made again."""
        if accepted.batch is not None:
            return accepted.batch.receipt(accepted.position)
        return self.prover.receipt(accepted.position)

    def proven(self, accepted: Accepted) -> Checkpoint:
        """Check an answer against the stored entry; its receipt proves that entry."""
        row = self.store.row(accepted.position)
        assert row is not None
        assert (row.stream, row.version, row.leaf, row.ingested) == (
            accepted.stream,
            accepted.version,
            accepted.leaf,
            accepted.ingested,
        )
        return verify_receipt(
            self.receipt(accepted), row.entry, VERIFIERS, scenario.ORIGIN
        )


def request(
    events: Iterable[scenario.Event],
    *,
    key: str = scenario.ADAPTER,
    deliver: Callable[..., None] = lambda _answers: None,
    **options: Any,
) -> Request:
    """Return a request as the edge would make it; the operator needs no key."""
    grant = gate.system_grant() if key == OPERATOR else None
    items = [prepare(accept(event)) for event in events]
    return Request(items, key, deliver, grant=grant, **options)


def tables(store: Store) -> Tables:
    """Return every row of the three log tables."""
    return (
        list(store.iter_entries()),
        list(store.iter_nodes()),
        list(store.iter_roots()),
    )


def verified(store: Store, *checkpoints: Checkpoint) -> Report:
    """Recompute the whole log with the trusted key; it must be sound."""
    trust = Trust(TRUST.origin, TRUST.vkeys, checkpoints)
    report = verify_store(store, trust)
    assert report.ok, report
    head = store.head()
    assert head is not None
    assert (report.size, report.root) == (head.size, head.root)
    return report


def replayed(store: Store, *, signer: Signer = SIGNER) -> Desk:
    """Decide the whole log again in memory; the same three tables must come out.

    ``signer`` is one of those that the log names: nobody else may append to it.

    This is what "serial" means: whoever wrote, and how many at once, every event was
    decided on exactly the entries before it.
    """
    desk = Desk(MemoryStore(), signer=signer)
    for ingested, rows in groupby(store.iter_entries(), lambda row: row.ingested):
        desk.clock.now = ingested
        entries = [canonical.parse(row.entry) for row in rows]
        results = desk.sequencer.commit(
            [request([strip(entry)], key=entry["authid"]) for entry in entries]
        )
        assert {code for one in results for code in codes(one)} == {"ok"}, results
    assert tables(desk.store) == tables(store)
    return desk


def codes(results: Sequence[Result]) -> list[str]:
    """Return for each result its code, or "ok"."""
    return [getattr(result, "code", "ok") for result in results]
