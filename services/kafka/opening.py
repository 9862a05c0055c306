"""Which client publishes: as the settings say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from services.kafka.confluent import ConfluentPublisher
from services.kafka.connection import Connection
from services.kafka.publisher import KafkaPythonPublisher, Publisher

Client = Literal["kafka-python", "confluent"]

_PUBLISHERS: Final[Mapping[Client, Callable[..., Publisher]]] = {
    "kafka-python": KafkaPythonPublisher,
    "confluent": ConfluentPublisher,
}


def open_publisher(
    connection: Connection,
    *,
    client: Client,
    name: str,
    transactional_id: str | None = None,
) -> Publisher:
    """Connect a publisher. With a transactional id, fence whoever had it before."""
    return _PUBLISHERS[client](connection, name=name, transactional_id=transactional_id)
