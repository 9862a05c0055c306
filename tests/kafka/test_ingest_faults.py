"""Whatever dies or goes away while records come in: nothing is lost, nothing doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import uuid
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from kafka import OffsetAndMetadata, TopicPartition

from services.kafka.clients import open_consumer
from services.kafka.connection import connection_of
from services.settings import Settings, as_environment
from services.wiring import install_postgres
from tests.support import intake, scenario
from tests.support.embedded_postgres import NoPostgres
from tests.support.embedded_postgres import running as postgres_running

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


def numbered(source, *, first, count):
    """Return external events of one source, with increasing numbers."""
    return [scenario.external(first + n, source=source) for n in range(count)]


def calls(count, first=1):
    """Return events of the one source of most tests."""
    return numbered(SOURCE, first=first, count=count)


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


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of these tests' own: they stop it."""
    try:
        with postgres_running() as server:
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                connection.execute("CREATE ROLE henji_writer LOGIN")
            yield server
    except NoPostgres as reason:
        pytest.skip(f"no PostgreSQL here: {reason}")


@pytest.fixture
def on_postgres(broker, server, tmp_path):
    """Return what makes a place whose log is in a new schema of that server."""

    def make(**changed):
        schema = f"henji_{uuid.uuid4().hex[:8]}"
        install_postgres(server.dsn(), schema=schema, writer_role="henji_writer")
        return intake.prepared(
            broker,
            tmp_path / "ledger",
            database_url=server.dsn(user="henji_writer"),
            database_schema=schema,
            **changed,
        )

    return make


def test_workers_that_come_and_go_under_load(on_postgres, broker):
    """Each event once, each partition in its order, however often partitions move."""
    # A group of Tansu takes its time to settle.
    rounds = 1 if broker.name == "tansu" else 4
    place = on_postgres(partitions=4)
    with place.working() as first:
        with loading(place, partitions=4) as sent:
            intake.until(lambda: taken(first) > 0, "the first worker takes part")
            for _ in range(rounds):
                with place.working() as second:
                    intake.until(lambda of=second: taken(of) > 100, "a second does")
        place.await_done()
    for number, count in enumerate(sent):
        assert place.ids(f"{SOURCE}/{number}") == names(count)
    place.sound()


@contextmanager
def loading(place, *, partitions):
    """Send all the while, each partition a source; yield how many each was sent."""
    sent, enough = [0] * partitions, threading.Event()

    def load():
        while not enough.is_set():
            for number, before in enumerate(sent):
                events = numbered(f"{SOURCE}/{number}", first=before + 1, count=20)
                place.send(events, partition=number)
                sent[number] += len(events)

    sender = threading.Thread(target=load)
    sender.start()
    try:
        yield sent
    finally:
        enough.set()
        sender.join()


def taken(place):
    """Return how many records a worker is done with."""
    return place.metric("henji_ingest_records_total")


def test_a_database_that_is_away_is_waited_for(on_postgres, server):
    """What came meanwhile is in the log once it is back; nothing is dead-lettered."""
    place = on_postgres()
    with place.working() as seen:
        place.send(calls(20))
        place.await_done()
        server.stop()
        try:
            place.send(calls(20, first=21))
            intake.until(lambda: seen.metric("henji_ingest_paused") == 1, "it waits")
        finally:
            server.start()
        place.await_done()
        assert seen.metric("henji_ingest_paused") == 0
        assert seen.metric("henji_ingest_records_total", outcome="accepted") == 40
    assert place.ids(SOURCE) == names(40)
    place.sound()


def test_a_broker_that_is_away_is_waited_for(kafka, tmp_path):
    """A restart of the broker under a running worker: it goes on where it was."""
    place = intake.prepared(kafka, tmp_path / "ledger")
    with place.working():
        place.send(calls(20))
        place.await_done()
        kafka.restart()
        place.send(calls(20, first=21))
        place.await_done()
    assert place.ids(SOURCE) == names(40)
    place.sound()


def test_the_command_works_until_it_is_told_to_end(kafka, tmp_path):
    """SIGTERM ends `henji work ingest` after what it has in hand, with its offsets."""
    place = intake.prepared(kafka, tmp_path / "ledger")
    place.send(calls(30))
    with subprocess.Popen(
        [sys.executable, "-m", "services", "work", "ingest"],
        cwd=ROOT,
        env=as_environment(place.settings),
    ) as worker:
        place.await_done()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    assert place.ids(SOURCE) == names(30)


def test_the_command_says_what_is_missing(tmp_path):
    """Without its file of topics it ends at once, with the code and what to do."""
    done = subprocess.run(
        [sys.executable, "-m", "services", "work", "ingest"],
        cwd=ROOT,
        env=as_environment(Settings(data_dir=tmp_path / "ledger")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "ingest_topics_missing" in done.stderr
    assert not (tmp_path / "ledger").exists()
