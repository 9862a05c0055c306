"""Checks of the ledger: its first entry, its newest root, what is derived from it.

Rules of this file: looking only; nothing is appended, no key and no file is made. To
take a lease, which any worker may, leaves the name of one in the table of leases.
"""

from __future__ import annotations

import threading
from contextlib import closing

from events import errors
from events.merkle import Tree
from events.postgres_check import may_append
from events.store import Store
from projections.board import Board
from services.doctor.finding import Patient, Seen, failed, warning
from services.keyfile import read_vkeys
from services.projecting import runner_of
from services.settings import Settings
from services.wiring import (
    LEASES_FILE,
    VIEWS_FILE,
    check_opening,
    open_leases,
    open_views,
)

_LAG_WARNS_US = 60_000_000
_LEASE_SECONDS = 1.0


def opening(patient: Patient) -> Seen:
    """The log was opened with this origin, and for the key that would sign."""
    settings = patient.settings
    vkeys = read_vkeys(settings.data_dir / "signing.keys")
    store = _store(patient)
    if store.row(1) is None:
        return warning("ledger_empty")
    if not vkeys:
        return failed("key_file_missing", settings.data_dir / "signing.keys")
    origin = settings.origin or vkeys[0].split("+")[0]
    check_opening(store, origin=origin, signing_vkey=vkeys[0])
    return Seen(origin)


def root(patient: Patient) -> Seen:
    """The newest root is that of the stored tree: a checkpoint over it would hold."""
    store = _store(patient)
    head = store.head()
    if head is None:
        return Seen("0")
    try:
        found = Tree.load(head.size, store.hashes).root
    except KeyError as error:
        return failed("tree_differs", f"{head.size}: no hash at {error}")
    return Seen(str(head.size)) if found == head.root else failed("tree_differs")


def read_models(patient: Patient) -> Seen:
    """Read models are there, of this release, and not far behind."""
    settings = patient.settings
    if not settings.views_url and _unmade(settings, VIEWS_FILE):
        return warning("projection_not_ready")
    with closing(open_views(settings)) as views:
        runner = runner_of(_store(patient), views, threading.Event())
        status = runner.status(patient.clock())
    told = f"{status.position} of {status.head}"
    if status.poison is not None:
        return failed("projection_stopped", f"{told}: {status.poison.type}")
    if status.generation is None:
        return warning("projection_not_ready", told)
    if status.version != (current := Board().version):
        return warning("read_models_old", f"{status.version}, not {current}")
    if status.lag_us > _LAG_WARNS_US:
        return warning("read_models_behind", f"{told}, {status.lag_us // 1_000_000} s")
    return Seen(told)


def leases(patient: Patient) -> Seen:
    """A worker could take a lease, where this role is one that works."""
    if patient.connection is not None and not may_append(patient.connection):
        return Seen("reads only")
    if _unmade(patient.settings, LEASES_FILE):
        return Seen("not used yet")
    with closing(open_leases(patient.settings)) as held:
        lease = held.claim("doctor", "doctor", seconds=_LEASE_SECONDS)
        if lease is not None:
            held.release(lease)
    return Seen()


def _unmade(settings: Settings, name: str) -> bool:
    """Say whether an embedded ledger has not had this file yet: to open it makes it."""
    return not settings.database_url and not (settings.data_dir / name).exists()


def _store(patient: Patient) -> Store:
    if patient.store is None:
        raise errors.Unavailable("store_unavailable")
    return patient.store
