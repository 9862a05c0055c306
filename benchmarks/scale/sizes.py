"""How many bytes a deployment has on disk: log, indexes, tiles, read models, topic.

Rules of this file: it asks the stores for the sizes of what they hold; each kind of
store has its own way to tell.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.scale.deployment import Deployment
from services.settings import Settings
from services.wiring import views_schema

#: First part of a table's or index's name -> what it is counted as. Order matters.
_KINDS = {
    "log_node": "tiles",
    "log_root": "roots",
    "log_entry": "entries",
    "log_key": "indexes",
    "log_layout": "roots",
    "sqlite_autoindex": "indexes",
}
_POSTGRES = """
SELECT t.relname, c.relkind, pg_relation_size(c.oid)
    + CASE WHEN c.relkind = 'r' THEN coalesce(pg_total_relation_size(
        nullif(c.reltoastrelid, 0)), 0) ELSE 0 END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
WHERE n.nspname = %s AND c.relkind IN ('r', 'i')
"""
_POSTGRES_TOTAL = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r'
"""
_SQLITE = """
SELECT s.tbl_name, s.type, sum(d.pgsize)
FROM dbstat d JOIN sqlite_schema s ON s.name = d.name GROUP BY d.name
"""
_SQLITE_TOTAL = "SELECT coalesce(sum(pgsize), 0) FROM dbstat"


def sizes(deployment: Deployment) -> dict[str, int]:
    """Return bytes by kind. ``wal`` grows with what was written, also where reused."""
    settings = deployment.settings
    found = _postgres(settings) if settings.database_url else _sqlite(settings)
    found["read_models"] = _read_models(deployment.views)
    if deployment.cluster is not None and deployment.cluster.lasting:
        topics = deployment.topics
        folders = [node.folder / "data" for node in deployment.cluster.nodes]
        for kind, topic in (
            ("topic_relayed", topics.relayed),
            ("topic_submitted", topics.submitted),
        ):
            found[kind] = sum(_topic(folder, topic) for folder in folders)
    return found


def _postgres(settings: Settings) -> dict[str, int]:
    with psycopg.connect(_owner(settings.database_url), autocommit=True) as connection:
        rows = connection.execute(_POSTGRES, [settings.database_schema]).fetchall()
        found = _by_kind(rows, index="i")
        wal = connection.execute("SELECT pg_current_wal_lsn() - '0/0'").fetchone()
    assert wal
    found["wal"] = int(wal[0])
    return found


def _owner(url: str) -> str:
    """Return the conninfo of the server's owner, who may read what a writer may not."""
    parts = conninfo_to_dict(url)
    return psycopg.conninfo.make_conninfo(url, user="postgres") if parts else url


def _sqlite(settings: Settings) -> dict[str, int]:
    path = settings.data_dir / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        return _by_kind(connection.execute(_SQLITE).fetchall(), index="index")


def _by_kind(rows: list[tuple[str, str, int]], *, index: str) -> dict[str, int]:
    found = dict.fromkeys(("entries", "indexes", "tiles", "roots"), 0)
    for table, kind, size in rows:
        counted = next(
            (what for start, what in _KINDS.items() if table.startswith(start)), None
        )
        if counted == "entries" and kind == index:
            counted = "indexes"
        if counted is not None:
            found[counted] += size
    return found


def _read_models(settings: Settings) -> int:
    url = settings.views_url or settings.database_url
    if not url:
        path = settings.data_dir / "views.db"
        with closing(sqlite3.connect(path)) as file:
            # Of the pages, wherever they are: the file, or its write-ahead log.
            return int(file.execute(_SQLITE_TOTAL).fetchone()[0])
    with psycopg.connect(_owner(url), autocommit=True) as connection:
        schema = views_schema(settings.database_schema)
        row = connection.execute(_POSTGRES_TOTAL, [schema]).fetchone()
    assert row
    return int(row[0])


def _topic(folder: Path, topic: str) -> int:
    """Return the bytes of a topic's records in a broker's folder."""
    return sum(path.stat().st_size for path in folder.glob(f"{topic}-*/*.log"))
