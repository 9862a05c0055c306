"""Publishing through librdkafka (``henji[confluent]``): less time of ours a record.

Rules of this file: the same promises as the publisher on kafka-python, the same
errors, the same settings of the operator under other names. Nothing else in the
product uses this client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, Final

from events.errors import Conflict, HenjiError, Malformed, Refused, Unavailable
from events.records import Record
from services.kafka.connection import Connection

_CALL_SECONDS: Final = 10.0
_FLUSH_SECONDS: Final = 40.0
_PRODUCER: Final[Mapping[str, Any]] = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 5,
    "delivery.timeout.ms": 30_000,
    "request.timeout.ms": 10_000,
    "reconnect.backoff.max.ms": 1_000,
    # As Kafka's own client: librdkafka's default is another.
    "partitioner": "murmur2_random",
    "queue.buffering.max.kbytes": 16 * 1024,
    "allow.auto.create.topics": False,
    "log_level": 3,
}
#: Our names of settings, which are those of kafka-python -> librdkafka's.
_NAMES: Final[Mapping[str, str]] = {
    "client_dns_lookup": "client.dns.lookup",
    "sasl_kerberos_service_name": "sasl.kerberos.service.name",
    "sasl_mechanism": "sasl.mechanism",
    "sasl_plain_password": "sasl.password",
    "sasl_plain_username": "sasl.username",
    "security_protocol": "security.protocol",
    "ssl_cafile": "ssl.ca.location",
    "ssl_certfile": "ssl.certificate.location",
    "ssl_ciphers": "ssl.cipher.suites",
    "ssl_crlfile": "ssl.crl.location",
    "ssl_keyfile": "ssl.key.location",
    "ssl_password": "ssl.key.password",
}
_FENCED: Final = ("_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH")
#: To send the same once more would end in the same way, until an operator acts.
_PERMANENT: Final = (
    "CLUSTER_AUTHORIZATION_FAILED",
    "INVALID_MSG",
    "INVALID_RECORD",
    "MSG_SIZE_TOO_LARGE",
    "POLICY_VIOLATION",
    "RECORD_LIST_TOO_LARGE",
    "SASL_AUTHENTICATION_FAILED",
    "TOPIC_AUTHORIZATION_FAILED",
    "TOPIC_EXCEPTION",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    "UNSUPPORTED_COMPRESSION_TYPE",
    "UNSUPPORTED_VERSION",
    "_AUTHENTICATION",
    "_INVALID_ARG",
    "_UNSUPPORTED_FEATURE",
)


class ConfluentPublisher:
    """A publisher on confluent-kafka: idempotent, acks=all, in order per partition."""

    def __init__(
        self,
        connection: Connection,
        *,
        name: str,
        transactional_id: str | None = None,
    ) -> None:
        """Make a client. With a transactional id, fence whoever had it before.

        ``Unavailable('kafka_confluent_not_installed')``.
        """
        try:
            self._module = import_module("confluent_kafka")
        except ModuleNotFoundError as cause:
            raise Unavailable("kafka_confluent_not_installed") from cause
        self._failed: Any = None
        options = {**options_of(connection), "client.id": f"henji-{name}"}
        if transactional_id is not None:
            options["transactional.id"] = transactional_id
        with self._translated():
            self._producer: Any = self._module.Producer(options)
            if transactional_id is not None:
                self._producer.init_transactions(_CALL_SECONDS)

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has, as the brokers say now."""
        with self._translated():
            told = self._producer.list_topics(topic, timeout=_CALL_SECONDS)
            found = told.topics[topic]
            if found.error is not None:
                raise self._module.KafkaException(found.error)
        return len(found.partitions)

    def send(self, topic: str, record: Record, *, partition: int | None) -> None:
        """Send one record; wait while the queue of the client is full."""
        with self._translated():
            while not self._queued(topic, record, partition):
                self._producer.poll(0.1)
            self._producer.poll(0)
        self._raise_failed()

    def flush(self) -> None:
        """Wait for all acknowledgements; raises the first that failed."""
        with self._translated():
            left = self._producer.flush(_FLUSH_SECONDS)
        self._raise_failed()
        if left:
            raise Unavailable("kafka_unavailable", f"{left} records unacknowledged")

    def begin(self) -> None:
        """Begin a transaction."""
        with self._translated():
            self._producer.begin_transaction()

    def commit(self) -> None:
        """Commit the transaction; what it holds is acknowledged first."""
        self.flush()
        with self._translated():
            self._producer.commit_transaction(_FLUSH_SECONDS)

    def abort(self) -> None:
        """Abort the transaction."""
        with self._translated():
            self._producer.abort_transaction(_FLUSH_SECONDS)
        self._failed = None  # What was purged by it counts no more.

    def close(self) -> None:
        """Close the client; what was not acknowledged is given up."""
        self._producer.purge()
        # One that was fenced says so once more; one whose transaction cannot be
        # aborted, for nobody answers, raises the other (confluent-kafka 2.16).
        with suppress(self._module.KafkaException, SystemError):
            self._producer.close()

    def _queued(self, topic: str, record: Record, partition: int | None) -> bool:
        chosen = {} if partition is None else {"partition": partition}
        try:
            self._producer.produce(
                topic,
                value=record.value,
                key=record.key,
                headers=record.headers,
                on_delivery=self._delivered,
                **chosen,
            )
        except BufferError:
            return False
        return True

    def _delivered(self, error: Any, _message: Any) -> None:
        if error is not None and self._failed is None:
            self._failed = error

    def _raise_failed(self) -> None:
        failed, self._failed = self._failed, None
        if failed is not None:
            raise self._as_ours(failed)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._module.KafkaException as error:
            raise self._as_ours(error.args[0]) from error

    def _as_ours(self, error: Any) -> HenjiError:
        """Return what an error means to a worker: as ``clients.as_ours``."""
        code, detail = error.name(), str(error)[:300]
        made: Callable[[str, str], HenjiError] = Unavailable
        word = "kafka_unavailable"
        if code in _FENCED:
            made, word = Conflict, "kafka_fenced"
        elif code in _PERMANENT:
            made, word = Refused, "kafka_refused"
        return made(word, detail)


def options_of(connection: Connection) -> dict[str, Any]:
    """Return the options of librdkafka for a connection.

    ``Malformed('kafka_config_invalid')``: a setting that it has no name for.
    """
    given = dict(connection.options)
    checks = given.pop("ssl_check_hostname", True)
    unknown = sorted(given.keys() - _NAMES.keys())
    if unknown:
        raise Malformed("kafka_config_invalid", f"confluent: {', '.join(unknown)}")
    return {
        "bootstrap.servers": ",".join(connection.servers),
        "ssl.endpoint.identification.algorithm": "https" if checks else "none",
        **_PRODUCER,
        **{_NAMES[name]: value for name, value in given.items()},
    }
