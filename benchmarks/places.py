"""Where ledgers and baselines live during a run: temporary files, or a PostgreSQL.

Rules of this file: fresh, empty databases and what is needed to reach them. Everything
is on this machine and removed afterwards; durability is never switched off.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from services.settings import Settings
from services.wiring import install_postgres
from tests.support.embedded_postgres import NoPostgres, Server, running

SCHEMA = "henji"
_WRITER = "bench_writer"


@dataclass(slots=True)
class Place:
    """A kind of store and a supply of fresh ones. ``server`` is None for SQLite."""

    kind: str
    directory: Path
    server: Server | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def folder(self) -> Path:
        """Return a new, empty folder."""
        made = self.directory / f"{self.kind}-{next(self._numbers)}"
        made.mkdir()
        return made

    def settings(self, *, port: int = 0) -> Settings:
        """Return settings of a new, empty ledger."""
        folder = self.folder()
        url = ""
        if self.server is not None:
            owner = self.database()
            install_postgres(owner, schema=SCHEMA, writer_role=_WRITER)
            url = make_conninfo(owner, user=_WRITER)
        return Settings(
            data_dir=folder,
            database_url=url,
            database_schema=SCHEMA,
            origin="bench.example/log",
            port=port,
        )

    def database(self) -> str:
        """Return the conninfo of a new, empty PostgreSQL database."""
        assert self.server is not None
        name = f"bench{next(self._numbers)}"
        with psycopg.connect(self.server.dsn(), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return self.server.dsn(name)

    def library(self) -> Mapping[str, str]:
        """Return the ``eventsourcing`` environment of a new, empty database."""
        if self.server is None:
            return {
                "PERSISTENCE_MODULE": "eventsourcing.sqlite",
                "SQLITE_DBNAME": str(self.folder() / "library.db"),
            }
        parts = conninfo_to_dict(self.database())
        return {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(parts["dbname"]),
            "POSTGRES_HOST": str(parts["host"]),
            "POSTGRES_PORT": str(parts["port"]),
            "POSTGRES_USER": str(parts["user"]),
            "POSTGRES_PASSWORD": "",
        }


@contextmanager
def places(wanted: list[str]) -> Iterator[list[Place]]:
    """Yield the places of these kinds; says so and goes on where none can be had."""
    with TemporaryDirectory(prefix="henji-bench-") as name:
        directory = Path(name)
        found = [Place("sqlite", directory)] if "sqlite" in wanted else []
        if "postgres" not in wanted:
            yield found
            return
        try:
            server = running()
            with server as started:
                yield [*found, Place("postgres", directory, started)]
        except NoPostgres as reason:
            print(f"no PostgreSQL here: {reason}")
            yield found
