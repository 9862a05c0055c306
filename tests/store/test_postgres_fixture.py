"""The embedded PostgreSQL itself: other tests stand on it."""

from __future__ import annotations

import psycopg
import pytest


def test_server_is_durable(postgres_dsn):
    """The server under test runs with fsync and synchronous commit, as in production."""
    with psycopg.connect(postgres_dsn) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            row = connection.execute(f"SHOW {setting}").fetchone()
            assert row == ("on",)


def test_roles_are_not_superusers(postgres_dsns):
    """Neither the owner nor the writer of a test database is a superuser."""
    for dsn in postgres_dsns:
        with psycopg.connect(dsn) as connection:
            row = connection.execute(
                "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            assert row == (False,)


def test_databases_are_separate(new_postgres_database):
    """A table made in one test's database does not exist in another's."""
    first, second = new_postgres_database()[0], new_postgres_database()[0]
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE public.t ()")
    with (
        psycopg.connect(second) as connection,
        pytest.raises(psycopg.errors.UndefinedTable),
    ):
        connection.execute("SELECT 1 FROM public.t")
