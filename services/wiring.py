"""The composition root: the only module that knows concrete stores, clock and chance.

Rules of this file: it opens things in order and closes them in reverse; no behaviour.
"""

from __future__ import annotations

import platform
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict

from events import catalogue, entries, errors, gate, postgres_schema, signing
from events.cloudevents import accept
from events.draft import NOTHING, fold
from events.postgres import PostgresStore
from events.postgres_roles import Duty, Roles
from events.postgres_sessions import Waits
from events.prover import Prover
from events.sequencer import Sequencer
from events.signing import OPENED
from events.sqlite import SqliteStore
from events.store import Reader, Store
from events.submissions import Accepted, Request, Result, prepare
from projections.postgres import PostgresViews
from projections.postgres_roles import create_views_schema
from projections.postgres_tracking import ensure_schema
from projections.sqlite import SqliteViews
from projections.views import Views
from services import keyfile, leases
from services.keyfile import Keys
from services.leases import Leases, PostgresLeases, SqliteLeases
from services.settings import Settings

SYSTEM_SOURCE = "urn:henji:system"
#: Beside an embedded ledger, from when they are first used.
VIEWS_FILE, LEASES_FILE = "views.db", "leases.db"
#: Positions for which there must be partitions: days of the busiest ledger. One is
#: added a whole partition ahead, so fewer means that adding fails.
LEAST_FREE = 100_000
_HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})
_NOBODY: Roles = MappingProxyType({})


def clock() -> int:
    """Return now, in µs since the Unix epoch."""
    return time.time_ns() // 1_000


class Commits:
    """Tells whoever waits that the log has grown. Listeners must return at once."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[int], None]] = []

    def listen(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Add a listener (called from the sequencer's thread); returns its removal."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def announce(self, size: int) -> None:
        """Call every listener with the new size."""
        for listener in tuple(self._listeners):
            listener(size)


def new_id() -> str:
    """Return a fresh random id."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Ledger:
    """One open ledger: its store, its append path, its proofs, its keys."""

    settings: Settings
    store: Store
    sequencer: Sequencer
    prover: Prover
    keys: Keys
    commits: Commits = field(default_factory=Commits)

    def state_of(self, stream: str) -> Any:
        """Return the committed state of a stream (None: there is no such stream)."""
        rows = self.store.stream(stream)
        return fold(NOTHING, rows).state

    def submit_as_operator(self, event: dict[str, Any]) -> Accepted:
        """Append one event with the operator's grant and wait; raises the refusal."""
        answers: SimpleQueue[list[tuple[Request, list[Result]]]] = SimpleQueue()
        grant = gate.system_grant()
        item = prepare(accept(event))
        self.sequencer.submit(Request([item], grant.key, answers.put, grant=grant))
        ((_, (result,)),) = answers.get()
        if isinstance(result, errors.HenjiError):
            raise result
        return result


def open_store(settings: Settings, *, duty: Duty = "writer") -> Store:
    """Open the store that the settings name, as a process that has this duty."""
    if settings.database_url:
        return PostgresStore.open(
            settings.database_url,
            schema=settings.database_schema,
            readers=settings.database_pool,
            waits=waits_of(settings),
            overprivileged="allow" if settings.allow_overprivileged else "refuse",
            duty=duty,
        )
    return SqliteStore.open(settings.data_dir / "ledger.db")


def waits_of(settings: Settings) -> Waits:
    """Return how long the stores of a process wait."""
    return Waits(
        lock=settings.database_lock_seconds,
        statement=settings.database_append_seconds,
        read=settings.database_read_seconds,
    )


def free_positions(store: Store) -> int | None:
    """Return for how many more positions a store has partitions; None: no limit."""
    return store.room() if isinstance(store, PostgresStore) else None


def install_postgres(
    owner_url: str, *, schema: str, writer_role: str, others: Roles = _NOBODY
) -> None:
    """Create a ledger's tables and the schema of its read models, as the owner.

    The writer may read and insert into the log. Read models are the projector's, or
    the writer's where nobody else projects.
    """
    postgres_schema.install(
        owner_url, schema=schema, writer_role=writer_role, others=others
    )
    projector = others.get("projector", writer_role)
    views = views_schema(schema)
    create_views_schema(
        owner_url,
        schema=views,
        projector=projector,
        readers=sorted({writer_role, *others.values()} - {projector}),
        kept=tuple(leases.TABLES.values()),
    )
    if projector != writer_role:
        leases.create_tables(owner_url, schema=views, roles={writer_role, projector})


def partition_postgres(owner_url: str, *, schema: str) -> None:
    """Partition the log of a ledger that release 1 made, while nobody uses it."""
    postgres_schema.partition(owner_url, schema=schema)


def views_schema(schema: str) -> str:
    """Return the PostgreSQL schema of what a ledger derives, beside its own."""
    return f"{schema}_views"


def open_views(settings: Settings) -> Views:
    """Open the read models that the settings name: beside the log, or elsewhere."""
    url = settings.views_url or settings.database_url
    if url:
        return PostgresViews(
            url,
            schema=views_schema(settings.database_schema),
            size=settings.database_pool,
            waits=waits_of(settings),
        )
    # A file of their own: SQLite has one writer a file, and that is the sequencer's.
    return SqliteViews(settings.data_dir / VIEWS_FILE)


def views_place(settings: Settings) -> str:
    """Return where the read models are: the same for all who reach them by one address.

    A file, and a database at no other host, is this machine's: it is named as well.
    """
    url = settings.views_url or settings.database_url
    if not url:
        return f"{platform.node()} {settings.data_dir.absolute()}"
    given = conninfo_to_dict(url)
    host = str(given.get("host") or given.get("hostaddr") or "")
    where = platform.node() if host in _HERE or host.startswith("/") else ""
    named = (where, host, given.get("port", ""), given.get("dbname", ""))
    return " ".join(map(str, (*named, views_schema(settings.database_schema))))


def prepare_views(settings: Settings) -> None:
    """Create what read models need that are not beside the log: schema, or folder."""
    if settings.views_url:
        schema = views_schema(settings.database_schema)
        ensure_schema(settings.views_url, schema)
    else:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_leases(settings: Settings) -> Leases:
    """Open the leases beside the log: ``Unavailable('lease_unavailable')``."""
    if settings.database_url:
        # Where the read models are: the log's own schema is insert-only.
        schema = views_schema(settings.database_schema)
        return PostgresLeases(settings.database_url, schema=schema)
    return SqliteLeases(settings.data_dir / LEASES_FILE, clock=clock)


@contextmanager
def open_audit_copy(path: Path) -> Iterator[SqliteStore]:
    """Open a copy of an embedded ledger for reading only what is there."""
    store = SqliteStore.open(path)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Ledger]:
    """Open a ledger with its append path running; close it on exit.

    The first start makes the keys and appends the event that opens the ledger.
    ``Conflict('origin_mismatch')`` if the keys are not those the log was opened with.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.data_dir / keyfile.FILE
    load = partial(
        keyfile.load_or_create,
        path,
        origin=settings.origin,
        random_bytes=secrets.token_bytes,
    )
    keys = load()
    settings = replace(settings, origin=keys.origin)
    with ExitStack() as stack:
        store = open_store(settings)
        stack.callback(store.close)
        # A rotation of keys that was cut off after the log had named them ends here.
        if keyfile.take_up(path, keys, store, seconds=clock() // 1_000_000):
            keys = load()
        commits = Commits()
        sequencer = Sequencer(
            store,
            origin=settings.origin,
            signers=keys.receipt_signers,
            clock=clock,
            on_commit=commits.announce,
        )
        stack.callback(sequencer.stop)
        sequencer.start()
        prover = Prover(
            store,
            origin=settings.origin,
            signers=keys.signers,
            receipt_signers=keys.receipt_signers,
            clock=clock,
        )
        ledger = Ledger(settings, store, sequencer, prover, keys, commits)
        _open_or_check(ledger)
        yield ledger


def _open_or_check(ledger: Ledger) -> None:
    """Append position 1, or compare what the log says of itself with our keys."""
    if ledger.store.row(1) is None:
        # Another first process may be faster: what it wrote is looked at below.
        with suppress(errors.Conflict, errors.Refused):
            ledger.submit_as_operator(opening(ledger))
    check_opening(
        ledger.store, origin=ledger.settings.origin, signing_vkey=ledger.keys.vkeys[0]
    )


def check_opening(reader: Reader, *, origin: str, signing_vkey: str) -> None:
    """Compare a log's own words with an origin and the key that signs receipts.

    ``Corrupt('ledger_not_opened')``, ``Conflict('origin_mismatch')``;
    ``Conflict('signing_key_retired')``: the log has named others since,
    ``Conflict('signing_key_mismatch')``: it never named this one.
    """
    first = reader.row(1)
    opened = catalogue.read(first.entry) if first else None
    if opened is None or opened.type != OPENED:
        raise errors.Corrupt("ledger_not_opened")
    if opened.data.origin != origin:
        raise errors.Conflict(
            "origin_mismatch", expected=opened.data.origin, actual=origin
        )
    rows = reader.stream(f"ledger/{origin}")
    known = signing.periods_of((row.position, row.entry) for row in rows)
    current = known[-1].vkeys if known else opened.data.vkeys
    if signing_vkey in current:
        return
    former = any(signing_vkey in period.vkeys for period in known)
    code = "signing_key_retired" if former else "signing_key_mismatch"
    raise errors.Conflict(code)


def opening(ledger: Ledger) -> dict[str, Any]:
    """Return the submission that opens a ledger; the same for every first process."""
    origin = ledger.settings.origin
    return {
        "specversion": "1.0",
        "id": "opened",
        "source": SYSTEM_SOURCE,
        "type": OPENED,
        "subject": f"ledger/{origin}",
        "data": {"origin": origin, "vkeys": list(ledger.keys.vkeys)},
    }


def operator_event(name: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return a submission of the operator at this machine, now."""
    return {
        "specversion": "1.0",
        "id": new_id(),
        "source": SYSTEM_SOURCE,
        "type": name,
        "subject": subject,
        "time": entries.rfc3339(clock()),
        "data": data,
    }
