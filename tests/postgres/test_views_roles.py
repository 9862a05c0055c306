"""Read models of a ledger whose roles are apart: one projects, the others read."""

from __future__ import annotations

import psycopg
import pytest
from msgspec.structs import replace

from events import errors
from projections.board import Board
from services import wiring
from services.leases import PostgresLeases
from services.projecting import rebuild
from services.settings import Settings
from tests.support import scenario

VIEWS = "henji_views"
NONE = "projection_not_ready"


@pytest.fixture
def apart(empty_ledger, tmp_path):
    """Return a ledger with three roles, and settings by role on one data folder."""
    others = {
        "projector": empty_ledger.role("projector"),
        "reader": empty_ledger.role("reader"),
    }
    installed(empty_ledger, others)
    settings = Settings(data_dir=tmp_path / "data", origin=scenario.ORIGIN)
    by_role = {
        role: replace(settings, database_url=empty_ledger.dsns[role])
        for role in ("writer", "projector", "reader")
    }
    with wiring.open_ledger(by_role["writer"]):
        pass
    return empty_ledger, by_role


def installed(ledger, others) -> None:
    """Install as ``henji install`` does."""
    wiring.install_postgres(
        ledger.dsns["owner"],
        schema="henji",
        writer_role=ledger.role("writer"),
        others=others,
    )


def live(settings: Settings) -> int | str:
    """Return up to which position a role sees the live read models, or why not."""
    views = wiring.open_views(settings)
    try:
        with views.snapshot(Board().name) as snapshot:
            return int(snapshot.generation.position)
    except errors.Unavailable as error:
        return error.code
    finally:
        views.close()


def test_the_projector_builds_and_the_others_read(apart):
    """Tables that the projector makes at any time are readable, and only that."""
    ledger, settings = apart
    assert [live(settings[role]) for role in ("writer", "reader")] == [NONE, NONE]
    rebuild(settings["projector"])
    assert [live(one) for one in settings.values()] == [1, 1, 1]
    rebuild(settings["projector"])
    assert [live(one) for one in settings.values()] == [1, 1, 1]
    with psycopg.connect(ledger.dsns["owner"]) as owner:
        tables = [
            name
            for (name,) in owner.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'henji_views'::regnamespace"
                " AND relname NOT LIKE 'lease%'"
            )
        ]
    assert len(tables) > 5
    for role in ("writer", "reader"):
        with psycopg.connect(ledger.dsns[role], autocommit=True) as connection:
            for table in tables:
                connection.execute(f"SELECT 1 FROM {VIEWS}.{table} LIMIT 1")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"DELETE FROM {VIEWS}.{table}")


@pytest.mark.parametrize("role", ["writer", "reader"])
def test_who_does_not_project_cannot(apart, role):
    """Building read models is denied to a role that only reads them."""
    ledger, settings = apart
    rebuild(settings["projector"])
    with psycopg.connect(ledger.dsns[role], autocommit=True) as connection:
        for text in (
            f"CREATE TABLE {VIEWS}.mine ()",
            f"DROP TABLE {VIEWS}.view_generation CASCADE",
            f"ALTER TABLE {VIEWS}.view_generation ADD COLUMN x int",
            f"CREATE SCHEMA {role}_own",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(text)


def test_workers_share_the_leases(apart):
    """The tables of leases are the owner's: writer and projector take turns in them."""
    ledger, _ = apart
    first, second = (
        PostgresLeases(ledger.dsns[role], schema=VIEWS)
        for role in ("writer", "projector")
    )
    mine = first.claim("work", "a", seconds=60)
    assert second.claim("work", "b", seconds=60) is None
    assert first.note(mine, "as far as here")
    first.release(mine)
    assert second.claim("work", "b", seconds=60).epoch == 2
    assert second.noted("work") == "as far as here"
    third = PostgresLeases(ledger.dsns["reader"], schema=VIEWS)
    with pytest.raises(errors.Unavailable):
        third.claim("work", "c", seconds=1)
    third.close()
    first.close()
    second.close()


def test_roles_set_apart_later(empty_ledger, tmp_path):
    """A ledger with one role gets more: read models are built anew, leases stay."""
    installed(empty_ledger, {})
    alone = Settings(
        data_dir=tmp_path / "data",
        origin=scenario.ORIGIN,
        database_url=empty_ledger.dsns["writer"],
    )
    with wiring.open_ledger(alone):
        rebuild(alone)
    leases = PostgresLeases(alone.database_url, schema=VIEWS)
    assert leases.claim("work", "a", seconds=60).epoch == 1
    installed(
        empty_ledger,
        {
            "projector": empty_ledger.role("projector"),
            "reader": empty_ledger.role("reader"),
        },
    )
    assert live(alone) == NONE
    rebuild(replace(alone, database_url=empty_ledger.dsns["projector"]))
    assert live(alone) == 1
    assert leases.claim("work", "b", seconds=60) is None
    leases.close()
