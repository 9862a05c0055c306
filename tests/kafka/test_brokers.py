"""The clients, topics and errors that all workers share, on both brokers."""

from __future__ import annotations

import sys
import uuid

import pytest

from events.errors import Conflict, Malformed, Refused, Unavailable
from events.records import Record
from services.kafka import clients, confluent, publisher
from services.kafka.clients import open_consumer
from services.kafka.connection import (
    ALLOWED,
    SECRETS,
    Connection,
    connection_of,
    options_of,
)
from services.kafka.opening import open_publisher
from services.kafka.partitions import partition_of
from services.kafka.topics import Topic, ensure
from services.settings import Settings


@pytest.fixture(params=["kafka-python", "confluent"])
def publisher_on(request):
    """Return a factory of publishers on each client; the caller closes them."""
    if request.param == "confluent":
        pytest.importorskip("confluent_kafka")

    def make(connection, **more):
        return open_publisher(connection, client=request.param, name="test", **more)

    return make


def record(text, key=b"k"):
    """Return a small record."""
    return Record(key, text, [("h", b"1")])


def values(connection, topic, wanted, **tuning):
    """Return the values on a topic once there are so many, in order of the partition."""
    consumer = open_consumer(connection, name="test", **tuning)
    try:
        consumer.subscribe([topic])
        found = []
        while len(found) < wanted:
            for page in consumer.poll(timeout_ms=500).values():
                found += [one.value for one in page]
        return found
    finally:
        consumer.close()


def test_a_missing_topic_is_created_and_an_existing_one_kept(broker, connection):
    """Who comes first creates it; who comes later takes it as it is."""
    name = f"made-{uuid.uuid4().hex}"
    assert ensure(connection, Topic(name, partitions=4)) == 4
    assert ensure(connection, Topic(name, partitions=9)) == 4


def test_a_compacted_topic_is_refused(kafka):
    """A topic that drops all but the last record of a stream is no place for a log."""
    connection = Connection(tuple(kafka.bootstrap.split(",")))
    topic = kafka.new_topic(1, cleanup_policy="compact")
    assert ensure(connection, Topic(topic, partitions=1, policy="compact")) == 1
    with pytest.raises(Conflict, match="kafka_topic_policy") as caught:
        ensure(connection, Topic(topic, partitions=1))
    assert caught.value.parameters["actual"] == "compact"


def test_what_is_flushed_is_there_in_order(broker, connection, publisher_on):
    """After a flush each record is on the topic, in the order it was sent."""
    topic = broker.new_topic(1)
    sender = publisher_on(connection)
    sent = [b"%d" % number for number in range(500)]
    for text in sent:
        sender.send(topic, record(text), partition=0)
    sender.flush()
    sender.close()
    assert values(connection, topic, len(sent)) == sent


def test_partitions_are_those_of_kafkas_own_client(broker, connection, publisher_on):
    """A key goes where any other client would send it."""
    topic = broker.new_topic(5)
    sender = publisher_on(connection)
    keys = [f"commitment/GX-2017-{number}".encode() for number in range(40)]
    for key in keys:
        sender.send(topic, record(key, key), partition=None)
    sender.flush()
    assert sender.partitions(topic) == 5
    sender.close()
    consumer = open_consumer(connection, name="test")
    consumer.subscribe([topic])
    found = {}
    while len(found) < len(keys):
        for place, page in consumer.poll(timeout_ms=500).items():
            found.update((one.key, place.partition) for one in page)
    consumer.close()
    assert found == {key: partition_of(key, 5) for key in keys}


def test_murmur2_is_that_of_java():
    """Values computed with org.apache.kafka.common.utils.Utils."""
    assert partition_of(b"21", 1 << 31) == -973932308 & 0x7FFFFFFF
    assert partition_of(b"foobar", 1 << 31) == -790332482 & 0x7FFFFFFF


def test_a_record_that_is_too_large_is_refused_for_good(
    broker, connection, publisher_on
):
    """What can never be sent is not tried again and again."""
    topic = broker.new_topic(1)
    sender = publisher_on(connection)
    with pytest.raises(Refused, match="kafka_refused"):
        sender.send(topic, record(bytes(2_000_000)), partition=0)
    sender.close()


def test_a_broker_that_is_away_is_unavailable(tansu, publisher_on, monkeypatch):
    """Nobody there: an error of ours, and nothing that hangs."""
    monkeypatch.setitem(clients._PATIENCE, "bootstrap_timeout_ms", 300)
    monkeypatch.setattr(confluent, "_CALL_SECONDS", 0.3)
    connection = Connection((tansu.bootstrap,))
    tansu.kill()
    with pytest.raises(Unavailable, match="kafka_unavailable"):
        publisher_on(connection).partitions("a")
    with pytest.raises(Unavailable, match="kafka_unavailable"):
        ensure(connection, Topic("a", partitions=1))


def test_what_a_killed_broker_did_not_acknowledge_is_unavailable(
    tansu, publisher_on, monkeypatch
):
    """A flush says so, and closing gives up at once."""
    topic = tansu.new_topic(1)
    sender = publisher_on(Connection((tansu.bootstrap,)))
    sender.send(topic, record(b"first"), partition=0)
    sender.flush()
    for module in (publisher, confluent):
        monkeypatch.setattr(module, "_FLUSH_SECONDS", 0.5)
    tansu.kill()
    sender.send(topic, record(b"second"), partition=0)
    with pytest.raises(Unavailable, match="kafka_unavailable"):
        sender.flush()
    sender.close()


def test_a_transaction_is_seen_whole_or_not_at_all(kafka, publisher_on):
    """Readers see what was committed, and nothing of what was aborted."""
    connection = Connection(tuple(kafka.bootstrap.split(",")))
    topic = kafka.new_topic(2)
    sender = publisher_on(connection, transactional_id=f"tx-{topic}")
    for text, finish in ((b"no", sender.abort), (b"yes", sender.commit)):
        sender.begin()
        sender.send(topic, record(text), partition=0)
        sender.send(topic, record(text), partition=1)
        finish()
    sender.close()
    assert values(connection, topic, 2) == [b"yes", b"yes"]


def test_a_commit_that_nobody_answers_does_not_hang(kafka, monkeypatch):
    """It is not known whether it was committed: unavailable, and the worker goes on."""
    pytest.importorskip("confluent_kafka")
    connection = Connection((kafka.bootstrap,))
    topic = kafka.new_topic(1)
    senders = [
        open_publisher(
            connection, client=one, name="t", transactional_id=f"{one} {topic}"
        )
        for one in ("kafka-python", "confluent")
    ]
    for sender in senders:
        sender.begin()
        sender.send(topic, record(b"one"), partition=0)
        sender.flush()
    for module in (publisher, confluent):
        monkeypatch.setattr(module, "_FLUSH_SECONDS", 0.5)
    kafka.kill()
    for sender in senders:
        with pytest.raises(Unavailable, match="kafka_unavailable"):
            sender.commit()
    for sender in senders:
        sender.close()


def test_a_second_publisher_fences_the_first(kafka, publisher_on):
    """Of two with one transactional id, the later one writes and the other is told."""
    connection = Connection(tuple(kafka.bootstrap.split(",")))
    topic = kafka.new_topic(1)
    first = publisher_on(connection, transactional_id=f"tx-{topic}")
    first.begin()
    first.send(topic, record(b"first"), partition=0)
    first.flush()
    second = publisher_on(connection, transactional_id=f"tx-{topic}")
    second.begin()
    second.send(topic, record(b"second"), partition=0)
    second.commit()
    with pytest.raises(Conflict, match="kafka_fenced"):
        first.commit()
    first.close()
    second.close()
    assert values(connection, topic, 1) == [b"second"]


def written(folder, text):
    """Write a file of client settings."""
    path = folder / "kafka.toml"
    path.write_text(text)
    return path


def test_secrets_come_from_files(tmp_path):
    """The settings name files; what is in them goes to the client and no further."""
    (tmp_path / "password").write_text("top\n")
    path = written(
        tmp_path,
        """
        security_protocol = "SASL_SSL"
        sasl_mechanism = "SCRAM-SHA-512"
        sasl_plain_username = "henji"
        sasl_plain_password_file = "password"
        ssl_cafile = "ca.pem"
        """,
    )
    settings = Settings(kafka="a:1, b:2", kafka_config=str(path))
    connection = connection_of(settings)
    assert connection.servers == ("a:1", "b:2")
    assert connection.options["sasl_plain_password"] == "top"
    assert connection.options["ssl_cafile"] == str(tmp_path / "ca.pem")
    assert "top" not in repr(connection)


@pytest.mark.parametrize(
    "text",
    [
        'acks = "1"',
        "enable_idempotence = false",
        'sasl_plain_password = "plain"',
        'sasl_plain_password_file = "missing"',
        'ssl_check_hostname = "no"',
        "not toml",
    ],
)
def test_settings_that_would_weaken_a_client_are_refused(tmp_path, text):
    """Only names of the list, of their type, and no secret in the file itself."""
    with pytest.raises(Malformed, match="kafka_config_invalid"):
        options_of(written(tmp_path, text))


def test_without_brokers_nothing_is_opened():
    """A worker on Kafka says at once that it was not told where Kafka is."""
    with pytest.raises(Unavailable, match="kafka_not_configured"):
        connection_of(Settings())


def test_the_other_client_is_told_the_same(tmp_path):
    """Each setting that may be given has its name in librdkafka, but for one."""
    given = dict.fromkeys((*ALLOWED, *SECRETS.values()), "x")
    given["ssl_check_hostname"] = False
    with pytest.raises(Malformed, match="sasl_kerberos_domain_name"):
        confluent.options_of(Connection(("a:1", "b:2"), given))
    del given["sasl_kerberos_domain_name"]
    options = confluent.options_of(Connection(("a:1", "b:2"), given))
    assert options["bootstrap.servers"] == "a:1,b:2"
    assert options["ssl.endpoint.identification.algorithm"] == "none"
    assert list(options.values()).count("x") == len(given) - 1


def test_a_client_that_is_not_there_is_named(monkeypatch):
    """Whoever asks for the extra without installing it is told so."""
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(Unavailable, match="kafka_confluent_not_installed"):
        open_publisher(Connection(("a:1",)), client="confluent", name="test")
