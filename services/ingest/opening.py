"""An ingest worker on the ledger and the brokers of the settings.

Rules of this file: putting together, and what is checked before anything is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

from events import errors, gate
from events.entries import rfc3339
from events.submissions import Accepted, Prepared
from services.ingest import topics
from services.ingest.appending import Appender, InHand
from services.ingest.consuming import Inflow
from services.ingest.metrics import IngestMetrics
from services.ingest.replying import Replies
from services.ingest.topics import Intake
from services.ingest.worker import Parts, Worker
from services.kafka.clients import open_consumer, open_member
from services.kafka.connection import Connection, connection_of
from services.kafka.opening import open_publisher
from services.kafka.topics import Topic as Wanted
from services.kafka.topics import ensure
from services.settings import Settings
from services.telemetry import Metrics, SecurityLog, metrics_served
from services.wiring import Ledger, clock, open_ledger

_NAME: Final = "ingest"
_LINGER_SECONDS: Final = 0.1
#: How long a worker that died keeps its partitions from the others.
SESSION_MS: Final = 10_000
#: What is fetched ahead of each partition, at most; a larger batch comes alone.
_PARTITION_BYTES: Final = 1024 * 1024


@contextmanager
def opened(settings: Settings) -> Iterator[Worker]:
    """Open a worker with a ledger of its own; let go of its partitions on exit.

    ``Malformed``: ingest_topics_missing, ingest_topics_invalid.
    ``Refused('ingest_key_unknown')``: a key that the ledger never had: nothing is taken
    in anybody's name by mistake. ``Denied('scope_missing')``: one that may not submit.
    Further the errors of ledger and brokers.
    """
    intake = topics.load(settings.ingest_topics)
    connection = connection_of(settings)
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings))
        _require_keys(ledger, intake)
        _ensure_topics(connection, intake)
        metrics = Metrics()
        stack.enter_context(
            metrics_served(metrics, host=settings.host, port=settings.metrics_port)
        )
        group = intake.group_of(settings.ledger)
        inflow = _inflow(stack, connection, intake, group=group)
        client = settings.kafka_client
        replies = Replies(lambda: open_publisher(connection, client=client, name=_NAME))
        stack.callback(replies.close)
        security = SecurityLog(settings.data_dir / "security.log", now_text=_now_text)
        stack.callback(security.close)
        yield Worker(
            Parts(
                topics=intake.by_name(),
                inflow=inflow,
                appender=Appender(ledger, meanwhile=_lingering(inflow)),
                outflow=replies,
                receipt_of=lambda accepted: _receipt(ledger, accepted),
                refused=lambda one, refusal: _note(security, one, refusal),
                now_text=_now_text,
                metrics=IngestMetrics(metrics.registry, clock=clock),
            )
        )


def _require_keys(ledger: Ledger, intake: Intake) -> None:
    """Refuse keys that could never submit: what HTTP asks at its door.

    A key's scopes are for ever. Whether it still counts is asked by the sequencer, of
    the log, for every batch.
    """
    for topic in intake.topic:
        key = ledger.state_of(f"access/{topic.key}")
        if key is None:
            raise errors.Refused("ingest_key_unknown", key=topic.key, topic=topic.name)
        if gate.WRITE not in key.scopes:
            raise errors.Denied("scope_missing", topic.name, scope=gate.WRITE)


def _ensure_topics(connection: Connection, intake: Intake) -> None:
    """Create what is missing. ``Conflict('kafka_topic_policy')``: one that compacts."""
    for topic in intake.topic:
        ensure(connection, Wanted(topic.name, partitions=topic.partitions))
    answers = {topic.refusals for topic in intake.topic} | {
        topic.receipts for topic in intake.topic if topic.receipts
    }
    for name in sorted(answers):
        ensure(connection, Wanted(name, partitions=1))


def _inflow(
    stack: ExitStack, connection: Connection, intake: Intake, *, group: str
) -> Inflow:
    consumer = stack.enter_context(
        open_member(connection, name=_NAME, group=group, **_tuning(intake))
    )
    return Inflow(
        consumer,
        list(intake.by_name()),
        max_records=intake.max_records,
        probe=lambda: open_consumer(connection, name=_NAME),
    )


def _tuning(intake: Intake) -> dict[str, Any]:
    return {
        "fetch_max_bytes": intake.max_bytes,
        "max_partition_fetch_bytes": min(intake.max_bytes, _PARTITION_BYTES),
        "session_timeout_ms": SESSION_MS,
    }


def _lingering(inflow: Inflow) -> Callable[[], None]:
    def linger() -> None:
        with suppress(errors.Unavailable):
            inflow.linger(seconds=_LINGER_SECONDS)

    return linger


def _receipt(ledger: Ledger, accepted: Accepted) -> str:
    """Return the receipt of an acceptance: the original one for a repeat."""
    if accepted.batch is not None:
        return accepted.batch.receipt(accepted.position)
    return ledger.prover.receipt(accepted.position)


def _note(security: SecurityLog, one: InHand, refusal: errors.HenjiError) -> None:
    """Write a refusal to the security log, as the door of HTTP does."""
    record, item = one.record, one.item
    about = (
        {
            "id": item.submission.id,
            "source": item.submission.source,
            "type": item.submission.type,
        }
        if isinstance(item, Prepared)
        else {}
    )
    where = {
        "code": refusal.code,
        "key": one.topic.key,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
    }
    security.record("submission_refused", {**refusal.parameters, **about, **where})


def _now_text() -> str:
    return rfc3339(clock())
