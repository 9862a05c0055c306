"""``henji`` on PostgreSQL: installing as the owner, reading as the reader."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.projecting import rebuild
from services.settings import Settings
from services.wiring import open_ledger
from tests.postgres import release_1
from tests.support import scenario


def henji(*arguments: str, ok: bool = True):
    """Run a command in this process."""
    done = CliRunner().invoke(app, list(arguments))
    if ok:
        assert done.exit_code == 0, (done.output, done.exception)
    return done


def installing(ledger, *more: str) -> list[str]:
    """Return the command that installs for three roles."""
    roles = [
        part
        for duty in ("writer", "projector", "reader")
        for part in (f"--{duty}", ledger.role(duty))
    ]
    return ["install", "--owner-url", ledger.dsns["owner"], *roles, *more]


@pytest.fixture
def reading(empty_ledger, tmp_path, monkeypatch):
    """Install by the command, fill a little, and name the reader in the environment."""
    henji(*installing(empty_ledger))
    settings = Settings(
        data_dir=tmp_path / "data",
        origin=scenario.ORIGIN,
        database_url=empty_ledger.dsns["writer"],
    )
    with open_ledger(settings) as opened:
        for event in scenario.groundwork():
            opened.submit_as_operator(event)
    rebuild(
        Settings(
            data_dir=settings.data_dir,
            origin=scenario.ORIGIN,
            database_url=empty_ledger.dsns["projector"],
        )
    )
    monkeypatch.setenv("HENJI_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("HENJI_DATABASE_URL", empty_ledger.dsns["reader"])
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ("verify",),
        ("export", "{out}"),
        ("export-log", "ndjson", "-o", "{out}"),
        ("report", "daily_brief", "-o", "{out}", "--format", "json"),
        ("keys", "list"),
    ],
    ids=lambda command: command[0],
)
def test_reading_commands_run_as_the_reader(reading, command):
    """What only reads needs no right to write."""
    henji(*(part.format(out=reading / "out") for part in command))


def test_what_appends_is_refused_to_the_reader(reading):
    """A command that would append says that this role only reads."""
    done = henji("keys", "create", "--name", "x", "--role", "auditor", ok=False)
    assert done.exit_code != 0
    assert getattr(done.exception, "code", "") == "store_read_only"


def test_the_doctor_knows_a_reader(reading):
    """A reader's rights are what its duty needs; it is not asked for what they lack."""
    body = json.loads(henji("doctor", "--json", ok=False).stdout)
    found = {one["check"]: one for one in body["checks"]}
    assert {one["check"] for one in body["checks"] if one["state"] == "failed"} <= {
        "disk"
    }
    assert found["role"]["detail"].endswith("reads only")


def test_installing_says_for_whom(empty_ledger):
    """The roles that were given a duty are named."""
    told = henji(*installing(empty_ledger)).output
    for duty in ("writer", "projector", "reader"):
        assert empty_ledger.role(duty) in told


def test_partitioning_by_the_command(empty_ledger):
    """A ledger of release 1 is partitioned when it is asked for, not before."""
    with empty_ledger.connect("owner") as owner:
        release_1.install(owner, empty_ledger.role("writer"))
        layout = "SELECT partition_rows FROM henji.log_layout"
        henji(*installing(empty_ledger))
        assert owner.execute(layout).fetchone() == (None,)
        henji(*installing(empty_ledger, "--partition"))
        assert owner.execute(layout).fetchone() == (1_000_000,)
