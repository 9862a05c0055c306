"""Whatever dies or goes away while records come in: nothing is lost, nothing doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from kafka import OffsetAndMetadata, TopicPartition

from services.kafka.clients import open_consumer
from services.kafka.connection import connection_of
from services.settings import as_environment
from tests.support import intake, scenario

ROOT = Path(__file__).parents[2]
SOURCE = "urn:test:load"

#: A worker that kills itself where its log has a batch and its broker does not know it.
DIES = """
import os, signal, threading
from services.ingest import consuming, opening
from services.settings import from_environment
opening.SESSION_MS = 6_000
def die(self, portions):
    list(portions)
    os.kill(os.getpid(), signal.SIGKILL)
consuming.Inflow.done = die
with opening.opened(from_environment()) as worker:
    worker.run(threading.Event())
"""


def calls(count, first=1):
    """Return external events of the one source, numbered."""
    return [scenario.external(first + n, source=SOURCE) for n in range(count)]


def names(count):
    """Return the ids of ``calls``."""
    return [f"call-{n + 1}" for n in range(count)]


def spawn(code, place):
    """Start a process on the ledger of a place."""
    environment = {**as_environment(place.settings), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)


def test_read_again_from_the_start_adds_nothing(broker, tmp_path):
    """An operator sets the offsets back: every record is a duplicate, none a double."""
    place = intake.prepared(broker, tmp_path / "ledger")
    place.send(calls(300))
    with place.working():
        place.await_done()
    head = place.rows()[-1].position
    topic = TopicPartition(place.topics[scenario.ADAPTER], 0)
    with closing(
        open_consumer(connection_of(place.settings), name="test", group=place.group)
    ) as consumer:
        consumer.assign([topic])
        consumer.commit({topic: OffsetAndMetadata(0, "", -1)})
    with place.working():
        place.await_done()
    assert place.ids(SOURCE) == names(300)
    assert place.rows()[-1].position == head
    place.sound()


def test_killed_between_the_log_and_the_offsets(broker, tmp_path):
    """kill -9 after the log's commit, before the broker hears of it."""
    place = intake.prepared(broker, tmp_path / "ledger")
    place.send(calls(50))
    with spawn(DIES, place) as victim:
        assert victim.wait(timeout=40) == -signal.SIGKILL
    assert place.ids(SOURCE) == names(50)
    place.send(calls(50, first=51))
    with place.working():
        place.await_done()
    assert place.ids(SOURCE) == names(100)
    place.sound()
