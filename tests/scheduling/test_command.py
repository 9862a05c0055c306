"""The scheduler beside a service, as a process of its own, and what it looks after."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from services.running import running
from services.scheduling import opening
from services.scheduling.command import register
from services.settings import Settings, as_environment
from services.wiring import open_leases, open_ledger, open_store
from tests.scheduling.conftest import routine
from tests.scheduling.test_processes import ROOT, done, wait_for
from tests.support import scenario


@pytest.fixture
def settings(tmp_path):
    """Settings of a ledger with one routine of two days in the past."""
    settings = Settings(data_dir=tmp_path / "ledger", origin=scenario.ORIGIN)
    with open_ledger(settings) as ledger:
        for event in (*scenario.groundwork(), routine(last_day="2017-11-16")):
            ledger.submit_as_operator(event)
    return settings


def app():
    """Return a command line with the group of workers."""
    group = typer.Typer()
    group.command("other")(lambda: None)
    register(group)
    return group


def test_once_says_what_was_done(settings, monkeypatch):
    """``--once`` catches up, tells how much it appended, and ends; again there is nothing."""
    arguments = ["schedule", "--once", "--data-dir", str(settings.data_dir)]
    said = [json.loads(CliRunner().invoke(app(), arguments).stdout) for _ in range(2)]
    assert said == [
        {"leading": True, "appended": 4, "refused": {}},
        {"leading": True, "appended": 0, "refused": {}},
    ]


def test_a_process_works_until_it_is_told_to_end(settings):
    """It appends what is due, and on SIGTERM lets its lease go and ends well."""
    store = open_store(settings)
    code = "from tests.scheduling.test_command import app; app()()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "schedule"],
        cwd=ROOT,
        env=as_environment(settings),
    )
    wait_for(lambda: len(done(store)) == 4)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    leases = open_leases(settings)
    assert leases.claim("scheduler", "next", seconds=1).epoch == 2
    leases.close()
    store.close()


def test_it_runs_in_a_thread_beside_a_service(settings):
    """A service can have its scheduler in its own process."""
    with (
        running(settings) as service,
        opening.beside(service.ledger, service.views) as worker,
    ):
        wait_for(lambda: worker.health.appended == 4)
        assert worker.health.leading


def test_it_looks_after_evidence(settings, monkeypatch):
    """Re-use is searched for and the store is swept by whoever has the lease."""
    seen = []
    monkeypatch.setattr(
        opening, "detect_reuse", lambda *_: seen.append("reuse") or _Looked(0)
    )
    monkeypatch.setattr(opening, "sweep", lambda *_, now: seen.append("sweep"))
    with opening.standalone(settings) as worker:
        worker.catch_up()
        worker.catch_up()
    assert seen == ["reuse", "sweep"]


class _Looked:
    def __init__(self, looked):
        self.looked = looked
