"""What dies in the middle: relays within a transaction, nodes of a cluster."""

from __future__ import annotations

import threading

import msgspec
import pytest
from msgspec.structs import replace

from events.errors import Conflict, Unavailable
from events.records import Record
from services.kafka.connection import Connection
from services.kafka.publisher import KafkaPythonPublisher
from services.relay.delivery import newest, position_key, position_topic
from services.relay.opening import Wanted, opened
from tests.kafka.relaying import audit, leading, on_topic, processes, wait_for


def connection_to(cluster):
    """Return how workers reach a cluster."""
    return Connection(tuple(cluster.bootstrap.split(",")))


def found_in(book, cluster):
    """Read the topic of a ledger."""
    return on_topic(connection_to(cluster), book.settings.kafka_topic)


def relay(book):
    """Open a relay of a ledger in this process; it need not wait for a dead one."""
    wanted = Wanted(partitions=3, replication=-1)
    return opened(book.settings, wanted, lease_seconds=60)


def run_out(worker):
    """Step until there is nothing more to publish."""
    while worker.step():
        pass


def test_exactly_once_survives_a_death_within_a_transaction(kafka, new_book):
    """All was sent and nothing committed: readers see each entry once, from the next."""
    book = new_book(kafka, kafka_delivery="exactly_once")
    book.grow(300)
    with processes(book.settings, 1, "stuck") as (victim,):
        assert victim.stdout.readline() == b"leading\n"
        assert victim.stdout.readline() == b"sent\n"
        victim.kill()
        victim.wait()
    with relay(book) as worker:
        wait_for(lambda: worker.step() or worker.health.leading)
        book.grow(20)
        run_out(worker)
    found = found_in(book, kafka)
    audit(book.store, found)
    assert found.doubled == 0
    raw = on_topic(
        connection_to(kafka), book.settings.kafka_topic, isolation="read_uncommitted"
    )
    assert raw.doubled == book.size - 20  # What the victim sent is there, aborted.


def test_exactly_once_survives_deaths_at_any_moment(kafka, new_book):
    """Relays that are killed while the log grows leave each entry on the topic once."""
    book = new_book(kafka, kafka_delivery="exactly_once")
    with processes(book.settings, 3) as three:
        for _ in range(2):
            wait_for(lambda: leading(three))
            (leader,) = leading(three)
            for _ in range(5):
                book.grow(100)
            leader.kill()
            leader.wait()
        book.grow(10)
        wait_for(lambda: len(found_in(book, kafka).seen) == book.size)
    found = found_in(book, kafka)
    audit(book.store, found)
    assert found.doubled == 0


def test_a_transactional_relay_that_was_overtaken_can_send_no_more(kafka, new_book):
    """It is fenced by the broker itself, whatever it believes of its lease."""
    book = new_book(kafka, kafka_delivery="exactly_once")
    with relay(book) as stale, relay(book) as fresh:
        run_out(stale)
        stale._parts.leases.release(stale._lease)
        book.grow(10)
        run_out(fresh)
        book.grow(10)
        with pytest.raises(Conflict, match="kafka_fenced"):
            stale.step()
        run_out(fresh)
    found = found_in(book, kafka)
    audit(book.store, found)
    assert found.doubled == 0


def test_the_way_of_delivery_may_change(kafka, new_book):
    """From one to the other and back on the same topic, with each entry there once."""
    book = new_book(kafka)
    ways = ("at_least_once", "exactly_once", "at_least_once", "exactly_once")
    for way in ways:
        book.settings = replace(book.settings, kafka_delivery=way)
        book.grow(10)
        with relay(book) as worker:
            run_out(worker)
    found = found_in(book, kafka)
    audit(book.store, found)
    assert found.doubled == 0


def test_a_position_is_never_read_from_before_a_transaction(
    kafka, new_book, monkeypatch
):
    """What an open transaction of another hides is waited for, not taken for absent."""
    monkeypatch.setattr("services.relay.delivery._PATIENCE", 1)
    connection = connection_to(kafka)
    book = new_book(kafka, kafka_delivery="exactly_once")
    topic = book.settings.kafka_topic
    beside = position_topic(topic)
    key = position_key(book.ledger.settings.origin, topic)
    with relay(book) as worker:
        run_out(worker)
        other = KafkaPythonPublisher(
            connection, name="other", transactional_id=f"other-{topic}"
        )
        other.begin()
        other.send(beside, Record(b"other", b"1", []), partition=0)
        other.flush()
        book.grow(1)
        run_out(worker)
        with pytest.raises(Unavailable, match="kafka_unavailable"):
            newest(connection, beside, key=key)
        other.abort()
        other.close()
        found = newest(connection, beside, key=key)
        assert msgspec.json.decode(found)["position"] == book.size
        assert newest(connection, beside, key=b"other") is None


def leader_of(topic, cluster):
    """Return the node that leads the first partition of a topic."""
    with cluster.admin() as admin:
        (told,) = admin.describe_topics([topic])
    first = min(told["partitions"], key=lambda one: one["partition_index"])
    return cluster.nodes[first["leader_id"] - 1]


def test_a_cluster_that_loses_its_leader_loses_nothing(three_kafkas, new_book):
    """Under steady growth the node that leads a partition is killed and comes back."""
    book = new_book(three_kafkas, kafka_delivery="exactly_once")
    stop = threading.Event()
    with relay(book) as worker:
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        try:
            book.grow(20)
            wait_for(lambda: worker.health.position == book.size)
            leader_of(book.settings.kafka_topic, three_kafkas).kill()
            for _ in range(10):
                book.grow(20)
            wait_for(lambda: worker.health.position == book.size, seconds=90)
        finally:
            stop.set()
            thread.join()
    three_kafkas.start()
    found = found_in(book, three_kafkas)
    audit(book.store, found)
    assert found.doubled == 0
