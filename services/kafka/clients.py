"""The clients of kafka-python as this product needs them, and their errors as ours.

Rules of this file: options of clients are set here and nowhere else. Several defaults
of kafka-python would lose or hide records; those that matter are spelt out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import errors as kafka_errors
from kafka.coordinator.assignors.cooperative_sticky import (
    CooperativeStickyAssignor,
)
from kafka.partitioner.default import DefaultPartitioner

from events.errors import Conflict, HenjiError, Refused, Unavailable
from services.kafka.connection import Connection

_PATIENCE: Final[Mapping[str, Any]] = {
    # Brokers that are away are asked again by the worker, not for minutes in here.
    "bootstrap_timeout_ms": 10_000,
    "request_timeout_ms": 10_000,
    "reconnect_backoff_max_ms": 1_000,
    "metadata_max_age_ms": 30_000,
}
#: Bytes of one batch on the wire; a topic must take them, for kafka-python splits none.
BATCH_BYTES: Final = 128 * 1024
_PRODUCER: Final[Mapping[str, Any]] = {
    # Said aloud, so that a contradicting option raises instead of switching it off.
    "enable_idempotence": True,
    "acks": "all",
    "linger_ms": 5,
    "batch_size": BATCH_BYTES,
    "delivery_timeout_ms": 30_000,
    "max_block_ms": 10_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}
_CONSUMER: Final[Mapping[str, Any]] = {
    # Committed by whoever knows what was done with the records, from the first on,
    # and without the records of transactions that were aborted.
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}

_MEMBER: Final[Mapping[str, Any]] = {
    # A worker that comes or goes moves few partitions, and the others go on.
    "partition_assignment_strategy": (CooperativeStickyAssignor,),
    "heartbeat_interval_ms": 1_000,
}
_CLOSE_MS: Final = 5_000

_FENCED: Final = (
    kafka_errors.ProducerFencedError,
    kafka_errors.InvalidProducerEpochError,
    kafka_errors.TransactionCoordinatorFencedError,
)
#: To send the same once more would end in the same way, until an operator acts.
_PERMANENT: Final = (
    kafka_errors.AuthorizationError,
    kafka_errors.IllegalArgumentError,
    kafka_errors.InvalidConfigurationError,
    kafka_errors.InvalidPartitionsError,
    kafka_errors.InvalidRecordError,
    kafka_errors.InvalidReplicationFactorError,
    kafka_errors.InvalidTopicError,
    kafka_errors.KafkaConfigurationError,
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.PolicyViolationError,
    kafka_errors.RecordListTooLargeError,
    kafka_errors.SaslAuthenticationFailedError,
    kafka_errors.SecurityDisabledError,
    kafka_errors.UnsupportedCompressionTypeError,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.UnsupportedVersionError,
)


def open_producer(
    connection: Connection, *, name: str, transactional_id: str | None = None
) -> KafkaProducer:
    """Connect an idempotent producer; ``name`` is shown in the brokers' logs."""
    return KafkaProducer(
        **_shared(connection, name),
        **_PRODUCER,
        # A partitioner holds state: each producer has its own.
        partitioner=DefaultPartitioner(),
        transactional_id=transactional_id,
    )


def open_consumer(
    connection: Connection, *, name: str, group: str | None = None, **tuning: Any
) -> KafkaConsumer:
    """Connect a consumer that commits nothing by itself; ``tuning`` as kafka-python."""
    return KafkaConsumer(
        **{**_shared(connection, name), **_CONSUMER, **tuning}, group_id=group
    )


@contextmanager
def open_member(
    connection: Connection, *, name: str, group: str | None, **tuning: Any
) -> Iterator[KafkaConsumer]:
    """Connect a worker's consumer for the block; then let go of its partitions.

    Brokers that are away then learn of it by the end of the session.
    """
    with translated():
        consumer = open_consumer(
            connection, name=name, group=group, **{**_MEMBER, **tuning}
        )
    try:
        yield consumer
    finally:
        with suppress(HenjiError), translated():
            consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)


@contextmanager
def open_admin(connection: Connection, *, name: str) -> Iterator[KafkaAdminClient]:
    """Connect a client for topics; errors in the block are translated."""
    with translated():
        client = KafkaAdminClient(**_shared(connection, name))
        try:
            yield client
        finally:
            client.close()


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the client raises into errors of ours; see ``as_ours``."""
    try:
        yield
    except kafka_errors.KafkaError as error:
        raise as_ours(error) from error


def as_ours(error: BaseException) -> HenjiError:
    """Return what an error of the client means to a worker.

    ``Conflict('kafka_fenced')``: another worker has taken over.
    ``Refused('kafka_refused')``: permanent. ``Unavailable('kafka_unavailable')``: all
    else, and the same may be tried again with a new client.
    """
    # The client may wrap what happened first in what it can do no more because of it.
    wrapped = (one for one in error.args if isinstance(one, kafka_errors.KafkaError))
    error = next(wrapped, error)
    detail = f"{type(error).__name__}: {error}"[:300]
    if isinstance(error, _FENCED):
        return Conflict("kafka_fenced", detail)
    if isinstance(error, _PERMANENT):
        return Refused("kafka_refused", detail)
    return Unavailable("kafka_unavailable", detail)


def _shared(connection: Connection, name: str) -> dict[str, Any]:
    return {
        "bootstrap_servers": list(connection.servers),
        "client_id": f"henji-{name}",
        **_PATIENCE,
        **connection.options,
    }
