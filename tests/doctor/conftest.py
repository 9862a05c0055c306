"""Ledgers to be looked at: embedded and in PostgreSQL, sound until a test harms them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from services.doctor.examining import examine
from services.doctor.finding import Finding
from services.projecting import rebuild
from services.settings import Settings
from services.wiring import clock, install_postgres, open_ledger
from tests.support import scenario

Examine = Callable[..., dict[str, Finding]]


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    """Return settings of an embedded ledger with one entry and its read models."""
    settings = Settings(data_dir=tmp_path / "data", origin=scenario.ORIGIN)
    return started(settings)


@pytest.fixture
def clustered(tmp_path: Path, postgres_dsns) -> tuple[Settings, str]:
    """Return (settings, owner's conninfo) of the same in PostgreSQL."""
    owner, writer = postgres_dsns
    role = str(conninfo_to_dict(writer)["user"])
    install_postgres(owner, schema="henji", writer_role=role)
    settings = Settings(
        data_dir=tmp_path / "data", origin=scenario.ORIGIN, database_url=writer
    )
    return started(settings), owner


def started(settings: Settings) -> Settings:
    """Start a service once, so that there are keys, an entry and read models."""
    with open_ledger(settings):
        rebuild(settings)
    return settings


@pytest.fixture
def looked() -> Examine:
    """Return a function that examines settings: name of check -> finding."""

    def look(settings: Settings, *, now: Callable[[], int] = clock):
        return {one.check: one for one in examine(settings, clock=now)}

    return look


@pytest.fixture
def harm(clustered) -> Callable[..., None]:
    """Return a function that runs a statement as owner or superuser."""
    _, owner = clustered

    def run(*statements: str, dsn: str = owner) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SET search_path TO henji; SET henji.ledger TO henji")
            for statement in statements:
                connection.execute(statement)

    return run
