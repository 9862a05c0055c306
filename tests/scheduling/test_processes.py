"""Several workers on one ledger, some of them killed, append each event exactly once."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from events.store import Selection
from services.scheduling.states import SOURCE
from services.settings import as_environment
from services.wiring import open_ledger, open_store
from tests.scheduling.conftest import routine
from tests.support import scenario

ROOT = Path(__file__).parents[2]
UNITS = ("gouzhao", "hq", "city")
FIRST, LAST = date(2017, 1, 1), date(2017, 12, 31)


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request, settings_of):
    """Settings of a ledger with a year of three daily routines, long past."""
    settings = settings_of(request.param)
    with open_ledger(settings) as ledger:
        for event in (*scenario.groundwork(), *map(yearly, UNITS)):
            ledger.submit_as_operator(event)
    return settings


def yearly(unit):
    """Return the definition of a unit's brief for each day of 2017."""
    given = routine(unit, first_day=str(FIRST), last_day=str(LAST))
    return {**given, "time": "2016-12-31T00:00:00Z"}


def expected():
    """Return the streams that must exist, by a count of days and nothing of the product."""
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    return {f"obligation/daily_brief/{unit}/{day}" for unit in UNITS for day in days}


def done(store):
    """Return (stream, type) of all that schedulers appended, in order."""
    rows, after = [], 0
    while page := store.select(Selection(sources=(SOURCE,), after=after), limit=1000):
        rows += page
        after = page[-1].position
    return rows


@contextmanager
def workers(settings, mode, count):
    """Run processes that are ready to begin; kill whichever is left at the end."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.scheduling.process", mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=as_environment(settings),
        )
        for _ in range(count)
    ]
    try:
        for process in started:
            assert process.stdout.readline() == "ready\n"
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


def begin(*processes):
    """Let processes begin at once."""
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def ended(process):
    """End a process as its operator would; return (appended, epoch) as it says."""
    said, _ = process.communicate(timeout=30)
    return tuple(map(int, said.split()))


def wait_for(condition):
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def check(store):
    """Assert that all that was due is in the log, each once, scheduled and missed."""
    rows = done(store)
    what = [(row.stream, row.type.split(".")[2]) for row in rows]
    assert len(what) == len(set(what))
    assert set(what) == {(s, w) for s in expected() for w in ("scheduled", "missed")}


def test_two_workers_without_a_lease_never_double(settings):
    """Even where both do all the work at once, the log takes each event once."""
    store = open_store(settings)
    with workers(settings, "greedy", 2) as both:
        begin(*both)
        wait_for(lambda: len(done(store)) >= 2 * len(expected()))
        counts = [ended(process)[0] for process in both]
    check(store)
    assert sum(counts) == 2 * len(expected())
    store.close()


def test_another_takes_over_from_a_killed_one(settings):
    """The work goes on, in order, where a kill -9 ended it; the epoch tells of it."""
    store = open_store(settings)
    with workers(settings, "polite", 2) as (first, second):
        begin(first)
        wait_for(lambda: len(done(store)) >= 200)
        begin(second)
        first.kill()
        wait_for(lambda: len(done(store)) >= 2 * len(expected()))
        appended, epoch = ended(second)
    check(store)
    instants = [row.occurred for row in done(store)]
    assert instants == sorted(instants)
    assert epoch == 2
    assert appended < 2 * len(expected())
    store.close()
