"""The log goes out whole, exact and in order; of several relays one works."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from msgspec.structs import replace

from events.errors import Conflict, Unavailable
from services.kafka.connection import Connection
from services.relay.opening import Wanted, opened
from services.settings import as_environment
from tests.kafka.relaying import (
    ROOT,
    Book,
    audit,
    leading,
    on_topic,
    processes,
    wait_for,
)

THREE = Wanted(partitions=3, replication=-1)


def relay(book: Book, **changed):
    """Open a relay of a ledger in this process."""
    settings = book.settings
    for name, value in changed.items():
        settings = replace(settings, **{name: value})
    return opened(settings, THREE, lease_seconds=60)


def run_out(worker):
    """Step until there is nothing more to publish."""
    while worker.step():
        pass


def found_by(book, connection):
    """Read the topic of a ledger."""
    return on_topic(connection, book.settings.kafka_topic)


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_the_topic_holds_the_log(broker, connection, new_book, mode):
    """Each entry is there once, byte for byte, in the order of its stream."""
    book = new_book(broker, kafka_mode=mode)
    book.grow(1500, flag=True, weight=7)
    with relay(book) as worker:
        run_out(worker)
        book.grow(30)
        run_out(worker)
    found = found_by(book, connection)
    audit(book.store, found)
    assert found.doubled == 0
    assert worker.health.published == book.size


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_the_other_client_publishes_the_same(kafka, new_book, delivery):
    """With ``henji[confluent]`` the topic holds the log just so."""
    pytest.importorskip("confluent_kafka")
    book = new_book(kafka, kafka_client="confluent", kafka_delivery=delivery)
    for _ in range(2):
        book.grow(300)
        with relay(book) as worker:
            run_out(worker)
    found = found_by(book, Connection((kafka.bootstrap,)))
    audit(book.store, found)
    assert found.doubled == 0


def test_marks_tell_each_partition_how_far_the_log_is(broker, connection, new_book):
    """Also a partition without records learns that there was nothing for it."""
    book = new_book(broker)
    with relay(book) as worker:
        run_out(worker)
        wait_for(lambda: worker._marked == book.size or worker.step())
        first = book.store.head()
        book.grow(1)
        run_out(worker)
        wait_for(lambda: worker._marked == book.size or worker.step())
    found = found_by(book, connection)
    last = book.store.head()
    for number in range(3):
        marks = found.marks(number)
        assert [(one.through, one.root) for one in marks] == [
            (first.size, first.root),
            (last.size, last.root),
        ]
        assert {one.partitions for one in marks} == {3}
    audit(book.store, found)


def test_a_relay_goes_on_where_the_last_one_ended(broker, connection, new_book):
    """A restart doubles nothing, and the chain of positions has no break."""
    book = new_book(broker)
    for _ in range(3):
        book.grow(40)
        with relay(book) as worker:
            run_out(worker)
    found = found_by(book, connection)
    audit(book.store, found)
    assert found.doubled == 0


def test_of_two_relays_one_works(tansu, new_book):
    """The other waits, and goes on at once where the first lets go."""
    book = new_book(tansu)
    book.grow(10)
    with relay(book) as first, relay(book) as second:
        run_out(first)
        assert not second.step()
        assert (first.health.leading, second.health.leading) == (True, False)
        first.leave()
        book.grow(10)
        run_out(second)
        assert second.health.published == 10
        assert second.health.epoch == first.health.epoch + 1 or first.health.epoch == 1
    audit(book.store, found_by(book, Connection((tansu.bootstrap,))))


def test_a_relay_that_lost_its_lease_stands_down(tansu, new_book):
    """What it publishes unawares comes twice; it notes nothing, and knows."""
    book = new_book(tansu)
    book.grow(10)
    with relay(book) as stale, relay(book) as fresh:
        run_out(stale)
        stale._parts.leases.release(stale._lease)
        book.grow(10)
        run_out(fresh)
        with pytest.raises(Conflict, match="relay_superseded"):
            stale.step()
        stale._stop_at(Conflict("relay_superseded"))
        assert not stale.step()
        assert not stale.health.leading
    found = found_by(book, Connection((tansu.bootstrap,)))
    audit(book.store, found)
    assert found.doubled == 10


def test_a_crash_before_the_note_doubles_and_loses_nothing(
    broker, connection, new_book, monkeypatch
):
    """The batch that was under way comes again; its positions tell."""
    book = new_book(broker)
    book.grow(100)
    with relay(book) as worker:
        with monkeypatch.context() as patch:

            def fail(*_):
                raise Unavailable("lease_unavailable")

            patch.setattr(type(worker._parts.leases), "note", fail)
            with pytest.raises(Unavailable):
                worker.step()
            worker._close()
        run_out(worker)
    found = found_by(book, connection)
    audit(book.store, found)
    assert found.doubled == book.size


def test_killed_relays_lose_nothing(broker, connection, new_book):
    """Two relays on a growing log: the one that leads is killed, the other goes on."""
    book = new_book(broker, {"tansu": "sqlite", "kafka": "postgres"}[broker.name])
    with processes(book.settings, 2) as both:
        wait_for(lambda: leading(both))
        (leader,) = leading(both)
        for _ in range(10):
            book.grow(50)
        leader.kill()
        leader.wait()
        book.grow(50)
        wait_for(lambda: len(found_by(book, connection).seen) == book.size)
    audit(book.store, found_by(book, connection))


def test_more_partitions_are_refused(kafka, new_book):
    """A topic that was given more partitions is not gone on with: nothing is sent."""
    connection = Connection((kafka.bootstrap,))
    book = new_book(kafka)
    with relay(book) as worker:
        run_out(worker)
    before = found_by(book, connection).seen
    with kafka.admin() as admin:
        admin.create_partitions({book.settings.kafka_topic: 5})
        admin.wait_for_topics([book.settings.kafka_topic])
    book.grow(5)
    with (
        pytest.raises(Conflict, match="kafka_partitions_changed") as caught,
        relay(book),
    ):
        pass
    assert caught.value.parameters["expected"] == 3
    assert found_by(book, connection).seen == before


def test_a_running_relay_sees_that_partitions_were_added(kafka, new_book):
    """It stops as soon as its client hears of it, and says so."""
    book = new_book(kafka)
    name = book.settings.kafka_topic
    with relay(book) as worker:
        run_out(worker)
        with kafka.admin() as admin:
            admin.create_partitions({name: 4})
            admin.wait_for_topics([name])
        worker._line.delivery._publisher._producer._metadata.request_update()
        wait_for(lambda: worker._line.delivery.partitions() == 4)
        book.grow(5)
        with pytest.raises(Conflict, match="kafka_partitions_changed"):
            worker.step()


def limit_records(cluster, topic, most):
    """Let a topic take records of so many bytes."""
    resource = ConfigResource(
        ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(most)}
    )
    with cluster.admin() as admin:
        admin.alter_configs([resource])


def test_what_the_brokers_refuse_stops_the_line(kafka, new_book, capfd):
    """It is shown and tried again; nothing behind it is sent before it, or instead."""
    book = new_book(kafka)
    topic = book.settings.kafka_topic
    with relay(book) as worker:
        run_out(worker)
        limit_records(kafka, topic, 1000)
        book.grow(1, note="n" * 1000)
        before = book.size
        assert worker._try() > 1
        assert worker.health.stopped == "kafka_refused"
        assert '"relay_stopped"' in capfd.readouterr().err
        book.grow(1)
        assert worker._try() > 0
        assert worker.health.position == before - 1
        limit_records(kafka, topic, 1_000_000)
        wait_for(lambda: worker._try() < 1 and worker.health.position == book.size)
        assert worker.health.stopped == ""
    found = found_by(book, Connection((kafka.bootstrap,)))
    audit(book.store, found)


def test_a_topic_too_small_for_an_entry_is_refused(kafka, new_book):
    """Before anything is sent, and not when the first large entry comes."""
    topic = kafka.new_topic(3, max_message_bytes="60000")
    book = new_book(kafka, kafka_topic=topic)
    with pytest.raises(Conflict, match="kafka_topic_too_small"), relay(book):
        pass


def test_a_topic_that_was_created_anew_is_refused(tansu, new_book):
    """A relay that went on there would leave out all that went before."""
    book = new_book(tansu)
    with relay(book) as worker:
        run_out(worker)
    tansu.restart()  # It forgets everything.
    with pytest.raises(Conflict, match="kafka_topic_recreated"), relay(book):
        pass


def test_a_broker_that_starts_again_is_gone_on_with(kafka, new_book):
    """While it is away the log grows; afterwards the topic has all of it."""
    connection = Connection((kafka.bootstrap,))
    book = new_book(kafka)
    stop = threading.Event()
    with relay(book) as worker:
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        try:
            for away in (False, True, False):
                if away:
                    kafka.kill()
                book.grow(200)
                if away:
                    kafka.start()
                wait_for(lambda: worker.health.position == book.size)
        finally:
            stop.set()
            thread.join()
    audit(book.store, found_by(book, connection))


def test_operators_see_how_far_it_is(tansu, new_book):
    """Position, lag, errors and the lease are scraped from the worker itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    book = new_book(tansu, metrics_port=port)
    with relay(book) as worker:
        run_out(worker)
        book.grow(4)
        url = f"http://127.0.0.1:{port}/metrics"
        with urllib.request.urlopen(url) as answer:
            text = answer.read().decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert float(values["henji_relay_position"]) == book.size - 4
    assert float(values["henji_relay_lag_events"]) == 4
    assert float(values["henji_relay_lag_seconds"]) > 0
    assert float(values["henji_relay_leading"]) == 1
    assert float(values["henji_relay_events_total"]) == book.size - 4
    assert float(values["henji_relay_errors_total"]) == 0


def test_the_command_relays_until_it_is_told_to_end(tansu, new_book):
    """``henji work relay`` ends in order on SIGTERM, its lease let go."""
    connection = Connection((tansu.bootstrap,))
    book = new_book(tansu)
    process = subprocess.Popen(
        [sys.executable, "-m", "services", "work", "relay", "--partitions", "2"],
        cwd=ROOT,
        env=as_environment(book.settings),
    )
    try:
        name = book.settings.kafka_topic
        with tansu.admin() as admin:
            wait_for(lambda: name in admin.list_topics())
        wait_for(lambda: len(found_by(book, connection).seen) == book.size)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
    with relay(book) as worker:
        assert not worker.step()
        assert worker.health.leading
