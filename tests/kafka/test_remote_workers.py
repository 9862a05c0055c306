"""Workers that share a topic and a database, and die: the rows are those of the log."""

from __future__ import annotations

import re
import signal
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace

import httpx2
import pytest
from msgspec.structs import replace as changed

from tests.projections.tables_dump import dump
from tests.support import brokers
from tests.support.topics import Place, of_the_log, place, sealed, until

ROWS = sealed(22, length=600)
_HELD = re.compile(r'henji_remote_position\{partition="(\d)"\}')


@dataclass
class Process:
    """One worker as a process, seen by its metrics."""

    place: Place
    port: int

    def __post_init__(self):
        settings = changed(self.place.settings, metrics_port=self.port)
        self.running = replace(self.place, settings=settings).process()

    def held(self):
        """Return the partitions that it folds."""
        try:
            text = httpx2.get(f"http://127.0.0.1:{self.port}/metrics").text
        except httpx2.TransportError:
            return set()
        return set(_HELD.findall(text))

    def end(self, number):
        """Send a signal; return the exit code."""
        self.running.send_signal(number)
        return self.running.wait(30)


@pytest.fixture
def shared(broker, tmp_path, postgres_dsn):
    """Return a fresh topic, and read models in a database of their own."""
    return place(broker, tmp_path / "remote", views_url=postgres_dsn)


@pytest.fixture
def start(shared):
    """Return what starts a worker; all end with the test."""
    with ExitStack() as stack:

        def start_one():
            (port,) = brokers._free_ports(1)
            process = Process(shared, port)
            stack.callback(process.running.wait)
            stack.callback(process.running.kill)
            return process

        yield start_one


@pytest.mark.timeout(300)
def test_workers_that_die_or_lag_lose_and_double_nothing(shared, start, tmp_path):
    """Under load one is killed, one comes, and one stands still until it is replaced."""
    one, two = start(), start()
    until(lambda: one.held() and two.held())
    until(lambda: sorted([*one.held(), *two.held()]) == ["0", "1", "2"])
    loading = threading.Thread(target=load, args=(shared.outlet,))
    loading.start()
    with shared.views() as views:
        until(lambda: views.max_tracking_id("board@1") >= 60)
        assert one.end(signal.SIGKILL) == -signal.SIGKILL
        three = start()
        until(lambda: three.held() and len(two.held() | three.held()) == 3)
        two.running.send_signal(signal.SIGSTOP)
        until(lambda: len(three.held()) == 3)
        two.running.send_signal(signal.SIGCONT)
        loading.join(60)
        until(lambda: views.max_tracking_id("board@1") == len(ROWS))
        assert [each.number for each in views.generations("board")] == [1]
        assert dump(views) == of_the_log(ROWS, tmp_path)
    assert [each.end(signal.SIGTERM) for each in (two, three)] == [0, 0]


def load(outlet):
    """Publish everything, a little at a time."""
    for at in range(0, len(ROWS), 12):
        outlet.publish(ROWS[at : at + 12])
