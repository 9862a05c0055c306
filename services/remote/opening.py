"""A worker of remote read models on the brokers and the database of the settings.

Rules of this file: putting together, and what is checked before anything is read.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from kafka import KafkaConsumer

from events.errors import Unavailable
from projections import partitions
from projections.board import Board
from projections.views import Generation, Part, Views
from services.kafka.clients import open_member, translated
from services.kafka.connection import connection_of
from services.remote import exported
from services.remote.chain import Source
from services.remote.lines import Lines
from services.remote.metrics import RemoteMetrics
from services.remote.worker import Worker
from services.settings import Settings
from services.telemetry import Metrics, metrics_served
from services.wiring import clock, open_views, prepare_views, views_place

_NAME: Final = "project"
_TUNING: Final[dict[str, Any]] = {
    # How long a worker that died keeps its partitions from the others: readers wait for
    # them. It is the least that brokers allow unless told otherwise.
    "session_timeout_ms": 6_000,
    # An answer with anything in it comes at once; an empty one may take this long.
    "fetch_max_wait_ms": 250,
    "max_poll_records": 2_000,
}


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is open: enough to follow any generation."""

    views: Views
    consumer: KafkaConsumer
    source: Source
    metrics: Metrics

    def worker(self, find: Callable[[], Generation]) -> Worker:
        """Return a worker that folds into what ``find`` finds."""
        metrics = RemoteMetrics(self.metrics.registry, clock=clock)
        lines = Lines(
            consumer=self.consumer,
            views=self.views,
            projector=Board(),
            source=self.source,
            find=find,
            metrics=metrics,
        )
        return Worker(lines, self.views, seconds=time.monotonic, failed=metrics.failed)

    def build(self, made: Generation, file: Path | None) -> Generation:
        """Fill a new generation, from a file and from the topic, until it is live."""
        if file is not None:
            exported.fold(
                file,
                self.source,
                views=self.views,
                projector=Board(),
                generation=made,
            )
        return self.worker(partial(self.numbered, made.number)).build()

    def parts(self) -> list[Part]:
        """Return the partitions, from their beginning."""
        numbers = range(self.source.partitions)
        return [Part(self.source.topic, number) for number in numbers]

    def numbered(self, number: int) -> Generation:
        """Return a generation by its number."""
        found = self.views.generations(Board().name)
        return next(each for each in found if each.number == number)


def work(settings: Settings, stop: threading.Event) -> None:
    """Fold a share of the partitions until ``stop`` is set.

    ``Unavailable``: origin_not_set, topic_missing, kafka_not_configured,
    kafka_unavailable. Further as ``Worker.run``.
    """
    with _opened(settings, group=group_of(settings)) as opened:
        find = partial(partitions.target, opened.views, Board(), opened.parts())
        opened.worker(find).run(stop)


def rebuild(settings: Settings, *, file: Path | None, root: str) -> Generation:
    """Build new tables from the topic beside the live ones, and switch to them.

    With a ``file``, an export of the log up to ``root`` (hex), from that first. Errors
    as ``work`` and ``exported.checked``; what would stop a partition is raised.
    """
    with _opened(settings, group=None) as opened:
        if file is not None:
            exported.checked(file, opened.source, root)
        made = opened.views.create(Board(), opened.parts())
        try:
            return opened.build(made, file)
        except BaseException:
            opened.views.discard(made)
            raise


def group_of(settings: Settings) -> str:
    """Return the consumer group: it shares a topic among those who share read models.

    Versions of them, and databases, share nothing: each needs the whole topic.
    """
    place = hashlib.sha256(views_place(settings).encode()).hexdigest()[:12]
    return f"henji-{settings.kafka_topic}-board-{Board().version}-{place}"


@contextmanager
def _opened(settings: Settings, *, group: str | None) -> Iterator[_Opened]:
    if not settings.origin:
        raise Unavailable("origin_not_set")
    connection = connection_of(settings)
    with ExitStack() as stack:
        metrics = Metrics()
        stack.enter_context(
            metrics_served(metrics, host=settings.host, port=settings.metrics_port)
        )
        consumer = stack.enter_context(
            open_member(connection, name=_NAME, group=group, **_TUNING)
        )
        source = Source(
            settings.origin, settings.kafka_topic, _count(consumer, settings)
        )
        prepare_views(settings)
        views = open_views(settings)
        stack.callback(views.close)
        yield _Opened(views, consumer, source, metrics)


def _count(consumer: KafkaConsumer, settings: Settings) -> int:
    with translated():
        found = consumer.partitions_for_topic(settings.kafka_topic)
    if not found:
        raise Unavailable("topic_missing", topic=settings.kafka_topic)
    return len(found)
