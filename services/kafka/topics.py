"""Topics: that they are there, and that they keep what is written to them.

Rules of this file: it creates what is missing and refuses what is wrong; it never
changes a topic that exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import TopicAlreadyExistsError

from events.errors import Conflict
from services.kafka.clients import BATCH_BYTES, open_admin, open_consumer, translated
from services.kafka.connection import Connection

_UNKNOWN_TOPIC: Final = 3
_BROKERS_DEFAULT: Final = -1
#: A batch and what a broker may add to it.
_ROOM: Final = BATCH_BYTES + 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is created where it is missing.

    ``replication`` -1: the brokers' default. From three replicas on, two must hold a
    record before it is acknowledged. ``policy`` is checked on a topic that exists too.
    """

    name: str
    partitions: int
    replication: int = _BROKERS_DEFAULT
    policy: Literal["delete", "compact"] = "delete"
    options: Mapping[str, str] = field(default_factory=dict)


def ensure(connection: Connection, topic: Topic) -> int:
    """Return how many partitions a topic has, creating it where it is missing.

    ``Conflict('kafka_topic_policy')``: a topic that compacts would lose records, one
    that deletes would forget positions.
    """
    with open_admin(connection, name="topics") as admin:
        if _partitions(admin, topic.name) is None:
            _create(admin, topic)
        _check_policy(admin, topic)
        return _partitions(admin, topic.name) or 0


def require_room(connection: Connection, name: str) -> None:
    """Refuse a topic that does not take the batches of our publishers.

    ``Conflict('kafka_topic_too_small')``: the largest entry would not fit either.
    """
    with open_admin(connection, name="topics") as admin:
        told = _option(admin, name, "max.message.bytes")
    if told is not None and int(told) < _ROOM:
        raise Conflict(
            "kafka_topic_too_small", topic=name, expected=_ROOM, actual=int(told)
        )


def is_new(connection: Connection, name: str) -> bool:
    """Tell whether nothing was ever written to a topic since it was created."""
    with translated():
        consumer = open_consumer(connection, name="topics")
        try:
            numbers = consumer.partitions_for_topic(name) or ()
            ends = consumer.end_offsets([TopicPartition(name, one) for one in numbers])
            return not any(ends.values())
        finally:
            consumer.close()


def _partitions(admin: KafkaAdminClient, name: str) -> int | None:
    (found,) = admin.describe_topics([name])
    return None if found["error_code"] == _UNKNOWN_TOPIC else len(found["partitions"])


def _create(admin: KafkaAdminClient, topic: Topic) -> None:
    options = {"cleanup.policy": topic.policy, **topic.options}
    if topic.replication >= 3:
        options["min.insync.replicas"] = "2"
    wanted = {
        "num_partitions": topic.partitions,
        "replication_factor": topic.replication,
        "configs": options,
    }
    with suppress(TopicAlreadyExistsError):  # By another worker, just now.
        admin.create_topics({topic.name: wanted})
    admin.wait_for_topics([topic.name])


def _check_policy(admin: KafkaAdminClient, topic: Topic) -> None:
    policy = _option(admin, topic.name, "cleanup.policy") or topic.policy
    if policy != topic.policy:
        raise Conflict(
            "kafka_topic_policy",
            topic=topic.name,
            expected=topic.policy,
            actual=policy,
        )


def _option(admin: KafkaAdminClient, topic: str, name: str) -> str | None:
    """Return what is set on a topic; None from a broker that cannot tell."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    found = admin.describe_configs([resource], config_filter="all")
    told = found.get("topic", {}).get(topic, {}).get(name)
    return None if told is None else str(told["value"])
