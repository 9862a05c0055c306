"""A relay on the ledger and the brokers of the settings.

Rules of this file: putting together, and what is checked before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from events.errors import Conflict
from services.kafka.connection import Connection, connection_of
from services.kafka.topics import Topic, ensure, is_new, require_room
from services.relay import delivery
from services.relay.delivery import Bookmark, Delivery
from services.relay.metrics import publish
from services.relay.worker import (
    LEASE_SECONDS,
    Parts,
    Worker,
    check_partitions,
    noted_in,
)
from services.settings import Settings
from services.telemetry import Metrics, metrics_served
from services.wiring import clock, new_id, open_leases, open_store

#: The topic is a copy of the log: it is kept until an operator says otherwise.
_FOR_EVER: Final[Mapping[str, str]] = {"retention.ms": "-1"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The topic as it is created where it is missing; replication -1: the brokers'."""

    partitions: int
    replication: int


@contextmanager
def opened(
    settings: Settings, wanted: Wanted, *, lease_seconds: float = LEASE_SECONDS
) -> Iterator[Worker]:
    """Open a relay on a store of its own; its lease is let go on exit.

    ``Unavailable``: kafka_not_configured, kafka_unavailable, lease_unavailable.
    ``Conflict``: kafka_topic_policy, kafka_topic_too_small, kafka_topic_recreated,
    kafka_partitions_changed.
    """
    connection = connection_of(settings)
    with ExitStack() as stack:
        store = open_store(settings)
        stack.callback(store.close)
        leases = open_leases(settings)
        stack.callback(leases.close)
        partitions = _ensure_topics(connection, settings, wanted)
        worker = Worker(
            Parts(
                reader=store,
                leases=leases,
                deliver=_delivery(connection, settings),
                topic=settings.kafka_topic,
                mode=settings.kafka_mode,
                clock=clock,
                holder=new_id(),
                lease_seconds=lease_seconds,
            )
        )
        noted = noted_in(leases, worker.lease_name)
        if noted is not None:
            check_partitions(noted, partitions, topic=settings.kafka_topic)
            _check_begun(connection, settings.kafka_topic, noted)
        metrics = Metrics()
        publish(metrics, worker.health, store, clock=clock)
        stack.enter_context(
            metrics_served(metrics, host=settings.host, port=settings.metrics_port)
        )
        stack.callback(worker.leave)
        yield worker


def _ensure_topics(connection: Connection, settings: Settings, wanted: Wanted) -> int:
    """Create what is missing; return the partitions of the topic."""
    if settings.kafka_delivery == "exactly_once":
        beside = delivery.position_topic(settings.kafka_topic)
        replication = wanted.replication
        ensure(connection, Topic(beside, 1, replication, policy="compact"))
    topic = Topic(
        settings.kafka_topic,
        wanted.partitions,
        wanted.replication,
        options=_FOR_EVER,
    )
    partitions = ensure(connection, topic)
    require_room(connection, topic.name)
    return partitions


def _check_begun(connection: Connection, topic: str, noted: Bookmark) -> None:
    """Refuse a topic that was created anew: what went before is nowhere on it."""
    if noted.position and is_new(connection, topic):
        raise Conflict("kafka_topic_recreated", topic=topic, position=noted.position)


def _delivery(connection: Connection, settings: Settings) -> Callable[[str], Delivery]:
    topic, client = settings.kafka_topic, settings.kafka_client
    if settings.kafka_delivery == "exactly_once":
        return lambda ledger: delivery.exactly_once(
            connection, topic, client=client, ledger=ledger
        )
    return lambda _ledger: delivery.at_least_once(connection, topic, client=client)
