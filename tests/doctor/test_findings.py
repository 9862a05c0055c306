"""What the doctor finds: nothing on a sound ledger, and each harm by its own code."""

from __future__ import annotations

import psycopg
import pytest
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from services.doctor import examining, surroundings
from services.settings import Settings
from services.wiring import clock, install_postgres, open_ledger
from tests.doctor.conftest import started
from tests.postgres import release_1
from tests.support import scenario
from tests.support.embedded_postgres import running

EMBEDDED = [
    "key_file", "disk", "evidence", "kafka", "database", "store", "opening", "root",
    "read_models", "leases",
]  # fmt: skip
POSTGRES = [
    "server_version", "durability", "migrations", "role", "guards", "row_security",
    "partitions", "keys", "clock",
]  # fmt: skip
HOUR_US = 3_600_000_000


@pytest.fixture(autouse=True)
def roomy(monkeypatch):
    """Let the disk of the test machine be what it is."""
    monkeypatch.setattr(surroundings, "_DISK_WARNS", 0)
    monkeypatch.setattr(surroundings, "_DISK_FAILS", 0)


def states(found) -> dict[str, tuple[str, str]]:
    """Return what was found that is not well."""
    return {
        name: (one.state, one.code) for name, one in found.items() if one.state != "ok"
    }


def test_a_sound_embedded_ledger(embedded, looked):
    """Every check that applies runs, and all is well."""
    found = looked(embedded)
    assert list(found) == EMBEDDED
    assert states(found) == {}


def test_a_sound_ledger_in_postgres(clustered, looked):
    """The same, and what is PostgreSQL's own."""
    found = looked(clustered[0])
    assert list(found) == [*EMBEDDED[:5], *POSTGRES, *EMBEDDED[5:]]
    assert states(found) == {}


#: statement as the owner -> what is found then.
HARMS = {
    "DELETE FROM migration WHERE number = 2": {
        "migrations": ("failed", "store_schema_behind"),
        "store": ("failed", "store_schema_behind"),
    },
    "GRANT DELETE ON log_entry TO {writer}": {
        "role": ("failed", "store_overprivileged"),
        "store": ("failed", "store_overprivileged"),
    },
    "ALTER TABLE log_entry DISABLE TRIGGER log_entry_change": {
        "guards": ("failed", "store_unprotected"),
        "store": ("failed", "store_unprotected"),
    },
    "ALTER TABLE log_node NO FORCE ROW LEVEL SECURITY": {
        "guards": ("failed", "store_unprotected"),
        "store": ("failed", "store_unprotected"),
    },
    "ALTER TABLE log_key DISABLE TRIGGER USER; DELETE FROM log_key;"
    " ALTER TABLE log_key ENABLE ALWAYS TRIGGER log_key_change;"
    " ALTER TABLE log_key ENABLE ALWAYS TRIGGER log_key_truncate": {
        "keys": ("failed", "keys_differ"),
    },
    "ALTER TABLE log_root DISABLE TRIGGER USER;"
    " UPDATE log_root SET root = sha256('other');"
    " ALTER TABLE log_root ENABLE ALWAYS TRIGGER log_root_change;"
    " ALTER TABLE log_root ENABLE ALWAYS TRIGGER log_root_truncate;"
    " ALTER TABLE log_root ENABLE ALWAYS TRIGGER log_root_cover": {
        "root": ("failed", "tree_differs"),
    },
}


@pytest.mark.parametrize("statement", HARMS)
def test_each_harm_to_the_schema_is_found(clustered, looked, harm, statement):
    """What is wrong is told by its own check, whatever else cannot start for it."""
    settings, _ = clustered
    writer = conninfo_to_dict(settings.database_url)["user"]
    harm(statement.format(writer=writer))
    assert states(looked(settings)) == HARMS[statement]


def test_few_positions_left(clustered, looked, monkeypatch):
    """Few are a warning, none is a failure."""
    settings, _ = clustered
    for free, state in ((99_999, "warning"), (0, "failed")):
        monkeypatch.setattr("services.doctor.database._FREE", f"SELECT {free}")
        found = looked(settings)["partitions"]
        assert (found.state, found.code, found.detail) == (
            state, "log_partitions_low", str(free),
        )  # fmt: skip


def test_a_role_that_may_do_too_much_on_a_laptop(clustered, looked):
    """Where it is allowed it is a warning, with what the role could do."""
    settings, owner = clustered
    settings = replace(settings, database_url=owner, allow_overprivileged=True)
    found = looked(settings)
    assert (found["role"].state, found["role"].code) == (
        "warning",
        "store_overprivileged",
    )
    assert "OWNER log_entry" in found["role"].detail
    assert found["store"].state == "ok"


def test_weak_synchronous_commit(clustered, looked, postgres_server):
    """A server that answers early is a warning: the service overrules it."""
    settings, _ = clustered
    parts = conninfo_to_dict(settings.database_url)
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {parts['user']} SET synchronous_commit = off")
    assert states(looked(settings)) == {
        "durability": ("warning", "synchronous_commit_weak")
    }


@pytest.mark.parametrize(
    ("ahead", "state"), [(2_000_000, "warning"), (HOUR_US, "failed")]
)
def test_clocks_that_differ(clustered, looked, ahead, state):
    """A second is worth a warning; a minute makes instants meaningless."""
    found = looked(clustered[0], now=lambda: clock() + ahead)["clock"]
    assert (found.state, found.code) == (state, "clocks_differ")


def test_a_ledger_of_release_1(postgres_dsns, embedded, looked, tmp_path):
    """A log that is one table is told to be partitioned, and is well otherwise."""
    owner, writer = postgres_dsns
    role = str(conninfo_to_dict(writer)["user"])
    with psycopg.connect(owner) as connection:
        release_1.install(connection, role)
    install_postgres(owner, schema="henji", writer_role=role)
    settings = replace(embedded, database_url=writer, data_dir=tmp_path / "old")
    found = looked(started(settings))
    assert states(found) == {"row_security": ("warning", "rows_not_bound")}
    assert found["partitions"].detail == "one table"


def test_a_database_that_is_away(clustered, looked):
    """What cannot be reached is one failure, not one for each check."""
    settings, _ = clustered
    away = make_conninfo(settings.database_url, host="/nowhere")
    found = looked(replace(settings, database_url=away))
    assert states(found) == {"database": ("failed", "store_unavailable")}
    assert list(found) == EMBEDDED[:5]


def test_a_database_without_the_ledger(clustered, looked):
    """A schema that is not there is named by those that look at it."""
    found = looked(replace(clustered[0], database_schema="elsewhere"))
    assert states(found)["guards"] == ("failed", "store_not_installed")
    assert states(found)["store"] == ("failed", "store_not_installed")


def test_another_ledgers_keys(embedded, looked, tmp_path):
    """Keys of another ledger would sign a fork: the log says for whom it was opened."""
    other = replace(embedded, data_dir=tmp_path / "other")
    started(other)
    (embedded.data_dir / "signing.keys").unlink()
    (other.data_dir / "signing.keys").rename(embedded.data_dir / "signing.keys")
    assert states(looked(embedded)) == {"opening": ("failed", "signing_key_mismatch")}


def test_another_origin(embedded, looked):
    """A log that was opened under another name is not this one."""
    found = looked(replace(embedded, origin="example.org/other"))
    assert states(found) == {"opening": ("failed", "origin_mismatch")}


def test_files_that_others_may_read(embedded, looked):
    """Keys that others may read have failed; an open folder is a warning."""
    keys = embedded.data_dir / "signing.keys"
    embedded.data_dir.chmod(0o755)
    assert states(looked(embedded)) == {"key_file": ("warning", "data_folder_open")}
    keys.chmod(0o644)
    assert states(looked(embedded)) == {"key_file": ("failed", "key_file_open")}
    keys.unlink()
    assert states(looked(embedded)) == {
        "key_file": ("failed", "key_file_missing"),
        "opening": ("failed", "key_file_missing"),
    }


def test_nothing_at_all(embedded, looked, tmp_path):
    """A folder without a ledger is told, and stays without one."""
    nothing = replace(embedded, data_dir=tmp_path / "nothing")
    found = looked(nothing)
    assert states(found) == {
        "key_file": ("failed", "key_file_missing"),
        "store": ("failed", "ledger_missing"),
    }
    assert not nothing.data_dir.exists()


def test_little_space(embedded, looked, monkeypatch):
    """Little is a warning, hardly any a failure."""
    for limits, state in (((2**60, 0), "warning"), ((2**60, 2**60), "failed")):
        for name, limit in zip(("_DISK_WARNS", "_DISK_FAILS"), limits, strict=True):
            monkeypatch.setattr(surroundings, name, limit)
        found = looked(embedded)["disk"]
        assert (found.state, found.code) == (state, "disk_low")


def test_evidence_that_cannot_be_written(embedded, looked):
    """A folder of evidence that is a file takes no evidence."""
    (embedded.data_dir / "evidence").write_text("no folder")
    assert states(looked(embedded)) == {
        "evidence": ("failed", "evidence_store_unavailable")
    }


def test_brokers_that_are_away(embedded, looked):
    """Brokers that are named and do not answer have failed."""
    found = looked(replace(embedded, kafka="127.0.0.1:9"))["kafka"]
    assert found.state == "failed"
    assert found.code.startswith("kafka_")


def test_read_models_that_are_missing_or_late(clustered, looked):
    """Read models that nobody has built are a warning; late ones too."""
    settings, owner = clustered
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("DROP SCHEMA henji_views CASCADE")
    writer = conninfo_to_dict(settings.database_url)["user"]
    install_postgres(owner, schema="henji", writer_role=str(writer))
    assert states(looked(settings)) == {
        "read_models": ("warning", "projection_not_ready")
    }


def test_a_server_that_is_not_durable(looked, embedded):
    """A server that may lose what it acknowledged is told, beside the refusal to start."""
    with running({"fsync": "off"}) as server:
        install_postgres(server.dsn(), schema="henji", writer_role="writer")
        found = looked(replace(embedded, database_url=server.dsn(user="writer")))
    assert states(found) == {
        "durability": ("failed", "store_not_durable"),
        "store": ("failed", "store_not_durable"),
    }


def test_a_check_that_raises_does_not_stop_the_others(embedded, looked, monkeypatch):
    """What a check cannot look at is its own failure."""

    def broken(_patient):
        raise PermissionError(13, "Permission denied", "/x")

    monkeypatch.setattr(examining, "_HERE", (("disk", broken), *examining._HERE[2:]))
    found = looked(embedded)
    assert (found["disk"].state, found["disk"].code) == ("failed", "check_impossible")
    assert found["leases"].state == "ok"


def test_a_look_at_an_embedded_ledger_leaves_no_file_behind(looked, tmp_path):
    """Who looks may be another user than the service, which then could not write it."""
    settings = Settings(data_dir=tmp_path / "data", origin=scenario.ORIGIN)
    with open_ledger(settings):
        before = sorted(path.name for path in settings.data_dir.rglob("*"))
    kept = [name for name in before if not name.endswith(("-wal", "-shm"))]
    assert states(looked(settings)) == {
        "read_models": ("warning", "projection_not_ready")
    }
    assert sorted(path.name for path in settings.data_dir.rglob("*")) == kept
