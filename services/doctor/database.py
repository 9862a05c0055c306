"""Checks of PostgreSQL: the server, this connection's powers, the ledger's guards.

Rules of this file: looking only, on one connection, as the role of the settings.
"""

from __future__ import annotations

from typing import Any

import psycopg

from events.postgres_check import (
    may_append,
    missing_migrations,
    powers_beyond,
    unguarded,
)
from events.postgres_schema import is_partitioned
from services.doctor.finding import Patient, Seen, failed, warning
from services.wiring import LEAST_FREE

#: The oldest that the tables work on: views that check their reader's rights.
_OLDEST = 150_000
_SKEW_WARNS_US, _SKEW_FAILS_US = 1_000_000, 60_000_000
#: How many of the newest entries are looked up by their keys.
_KEYS = 10_000

_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_FREE = """
SELECT log_bound() - 1 - coalesce((SELECT max(size) FROM log_root), 0)
"""
_KEYLESS = """
SELECT count(*) FROM (
    SELECT position, id, source FROM log_entry ORDER BY position DESC LIMIT %s
) e LEFT JOIN log_key k ON k.id = e.id AND k.source = e.source
WHERE k.position IS DISTINCT FROM e.position
"""


def server_version(patient: Patient) -> Seen:
    """The server is one that the tables work on."""
    version = _connection(patient).info.server_version
    told = f"{version // 10_000}.{version % 10_000}"
    return Seen(told) if version >= _OLDEST else failed("server_too_old", told)


def durability(patient: Patient) -> Seen:
    """What the server acknowledges is on disk."""
    names = ("fsync", "full_page_writes", "synchronous_commit")
    found = {name: _value(patient, f"SHOW {name}") for name in names}
    told = ", ".join(f"{name}={value}" for name, value in found.items())
    if found["fsync"] != "on" or found["full_page_writes"] != "on":
        return failed("store_not_durable", told)
    if found["synchronous_commit"] in {"off", "local"}:
        return warning("synchronous_commit_weak", told)
    return Seen(told)


def role(patient: Patient) -> Seen:
    """The role of the settings may do what its duty needs, and no more."""
    connection = _connection(patient)
    name = connection.info.user
    powers = powers_beyond(connection, patient.settings.database_schema, "writer")
    if not powers:
        return Seen(name if may_append(connection) else f"{name}, reads only")
    judged = warning if patient.settings.allow_overprivileged else failed
    return judged("store_overprivileged", ", ".join(powers))


def guards(patient: Patient) -> Seen:
    """Every table and partition of the log refuses changes, by trigger and policy."""
    bare = unguarded(_connection(patient), patient.settings.database_schema)
    return failed("store_unprotected", ", ".join(bare)) if bare else Seen()


def row_security(patient: Patient) -> Seen:
    """A session of another ledger would see no row of this one."""
    if is_partitioned(_connection(patient)):
        return Seen("FORCE ROW LEVEL SECURITY")
    return warning("rows_not_bound")


def migrations(patient: Patient) -> Seen:
    """The schema is the one of this release."""
    missing = missing_migrations(_connection(patient))
    told = ", ".join(map(str, missing))
    return failed("store_schema_behind", told) if missing else Seen()


def partitions(patient: Patient) -> Seen:
    """There are partitions for positions to come."""
    free = _value(patient, _FREE)
    if free is None:
        return Seen("one table")
    if free >= LEAST_FREE:
        return Seen(str(free))
    return (warning if free else failed)("log_partitions_low", free)


def keys(patient: Patient) -> Seen:
    """The newest entries are found by their keys: a repeat of them would be known."""
    keyless = _value(patient, _KEYLESS, _KEYS)
    return failed("keys_differ", keyless) if keyless else Seen()


def clock_skew(patient: Patient) -> Seen:
    """Host and database agree on the time."""
    before = patient.clock()
    told = _value(patient, _NOW)
    middle = (before + patient.clock()) // 2
    skew = abs(told - middle)
    detail = f"{skew / 1e6:.3f} s"
    if skew >= _SKEW_FAILS_US:
        return failed("clocks_differ", detail)
    return warning("clocks_differ", detail) if skew >= _SKEW_WARNS_US else Seen(detail)


def _connection(patient: Patient) -> psycopg.Connection[Any]:
    if patient.connection is None:
        raise ValueError("an embedded ledger has no PostgreSQL")
    return patient.connection


def _value(patient: Patient, statement: str, *parameters: object) -> Any:
    row = _connection(patient).execute(statement.encode(), parameters).fetchone()
    return row[0] if row else None
