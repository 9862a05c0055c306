"""The processes of a deployment: none outlives the tests, and their clocks obey."""

from __future__ import annotations

import signal
import time

import pytest

from services.settings import Settings
from services.wiring import clock, open_ledger
from tests.faults.deployment import Member
from tests.faults.process import set_clock, shift_clock
from tests.support import scenario


@pytest.fixture
def member(tmp_path):
    """Return a projector of a ledger in a folder, running."""
    settings = Settings(data_dir=tmp_path / "data", origin=scenario.ORIGIN)
    with open_ledger(settings):
        pass
    made = Member("projector", ("work", "project"), settings, tmp_path)
    set_clock(made.clock, 0)
    made.start()
    yield made
    made.kill()


def test_a_process_ends_with_whoever_started_it(member):
    """When the pipe is closed, as it is when the tests are killed, it is killed too."""
    member.process.stdin.close()
    assert member.process.wait(30) == -signal.SIGKILL


def test_a_clock_is_off_by_what_its_file_says(tmp_path, monkeypatch):
    """At once, forwards and back again."""
    monkeypatch.setattr(time, "time_ns", time.time_ns)
    file = tmp_path / "clock"
    set_clock(file, 0)
    right = time.time_ns
    shift_clock(file)
    for hours in (2, -2, 0):
        set_clock(file, hours * scenario.HOUR)
        off = clock() - right() // 1_000
        assert abs(off - hours * scenario.HOUR) < scenario.HOUR
