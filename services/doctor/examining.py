"""The table of checks, and running them one after the other.

Rules of this file: each check runs whatever the others found, unless what it looks at
could not be opened at all; what one raises is what it found.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import psycopg

from events import errors
from events.postgres_sessions import WAITS, bind, bound_waits, conninfo
from events.postgres_statements import detail_of, translated
from services.doctor import database, ledger, surroundings
from services.doctor.finding import Check, Finding, Patient, Seen
from services.settings import Settings
from services.wiring import open_store

_HERE: Final[tuple[tuple[str, Check], ...]] = (
    ("key_file", surroundings.key_file),
    ("disk", surroundings.disk),
    ("evidence", surroundings.evidence),
    ("kafka", surroundings.kafka),
)
_POSTGRES: Final[tuple[tuple[str, Check], ...]] = (
    ("server_version", database.server_version),
    ("durability", database.durability),
    ("migrations", database.migrations),
    ("role", database.role),
    ("guards", database.guards),
    ("row_security", database.row_security),
    ("partitions", database.partitions),
    ("keys", database.keys),
    ("clock", database.clock_skew),
)
_LEDGER: Final[tuple[tuple[str, Check], ...]] = (
    ("opening", ledger.opening),
    ("root", ledger.root),
    ("read_models", ledger.read_models),
    ("leases", ledger.leases),
)


def examine(settings: Settings, *, clock: Callable[[], int]) -> list[Finding]:
    """Return what every check found, in the order of the table."""
    with ExitStack() as stack:
        patient = Patient(settings, clock, stack)
        found = [_looked(name, check, patient) for name, check in _HERE]
        found.append(_looked("database", _connected, patient))
        if patient.connection is not None:
            found += [_looked(name, check, patient) for name, check in _POSTGRES]
        if found[len(_HERE)].state != "failed":
            found.append(_looked("store", _opened, patient))
        if patient.store is not None:
            found += [_looked(name, check, patient) for name, check in _LEDGER]
    return found


def _looked(name: str, check: Check, patient: Patient) -> Finding:
    try:
        with translated():
            seen = check(patient)
    except errors.HenjiError as error:
        return Finding(name, "failed", error.code, error.detail, dict(error.parameters))
    except psycopg.Error as error:
        return Finding(name, "failed", "check_impossible", detail_of(error))
    except OSError as error:
        return Finding(name, "failed", "check_impossible", str(error))
    return Finding(name, seen.state, seen.code, seen.detail)


def _connected(patient: Patient) -> Seen:
    """The database can be reached."""
    settings = patient.settings
    if not settings.database_url:
        return Seen(str(settings.data_dir / "ledger.db"))
    info = conninfo(settings.database_url, "doctor")
    connection = psycopg.connect(info, autocommit=True)
    patient.stack.callback(connection.close)
    bound_waits(connection, WAITS, statement=WAITS.read)
    bind(connection, settings.database_schema)
    patient.connection = connection
    where = connection.info
    return Seen(f"{where.host}:{where.port}/{where.dbname}")


def _opened(patient: Patient) -> Seen:
    """The service would start on this store."""
    settings = patient.settings
    if not settings.database_url and not (settings.data_dir / "ledger.db").exists():
        raise errors.Unavailable("ledger_missing")
    store = open_store(settings)
    patient.stack.callback(store.close)
    patient.store = store
    return Seen()
