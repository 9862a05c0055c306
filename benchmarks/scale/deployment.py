"""A scenario's processes: put on a fresh ledger, started, and ended with the block.

Rules of this file: which processes there are and with what settings. Every one is the
``henji`` command as an operator starts it.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from benchmarks import filled, processes
from benchmarks.places import Place
from benchmarks.scale.scenarios import Scenario
from services.kafka.connection import connection_of
from services.kafka.topics import Topic, ensure
from services.settings import Settings, as_environment
from services.wiring import open_ledger, prepare_views
from tests.support.brokers import Cluster


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of a scenario; ``group`` is that of its ingest workers."""

    submitted: str
    receipts: str
    relayed: str
    group: str


@dataclass(slots=True)
class Deployment:
    """A ledger and what works on it. ``pids`` are by the part that they play."""

    scenario: Scenario
    place: Place
    cluster: Cluster | None
    settings: Settings
    topics: Topics
    bearer: str
    stack: ExitStack
    ports: list[int] = field(default_factory=list)
    pids: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def views(self) -> Settings:
        """Return the settings under which the read models are found."""
        if self.scenario.projection == "local":
            return self.settings
        return replace(self.settings, data_dir=self.settings.data_dir / "remote")

    def start(self) -> None:
        """Start everything but the ingest workers; return when all listen."""
        for _ in range(self.scenario.apis):
            port = processes.free_port()
            self._listening("api", ["serve"], replace(self.settings, port=port), port)
            self.ports.append(port)
        relaying = ["work", "relay", "--partitions", str(self.scenario.partitions)]
        for _ in range(self.scenario.relays):
            self._worker("relay", relaying, self.settings)
        for _ in range(self.scenario.projectors):
            self._start_projector()

    def start_ingests(self) -> None:
        """Start the ingest workers, once; return when all listen."""
        for _ in range(self.scenario.ingests - len(self.pids["ingest"])):
            self._worker("ingest", ["work", "ingest"], self.settings)

    def _start_projector(self) -> None:
        if self.scenario.projection == "kafka":
            command = ["work", "project", "--from", "kafka"]
            self._worker("projection", command, self.views)
            return
        process = subprocess.Popen(
            [sys.executable, "-m", "services", "work", "project"],
            env=as_environment(self.settings),
            stdout=subprocess.DEVNULL,
        )
        self.stack.enter_context(processes.ended(process))
        self.pids["projection"].append(process.pid)

    def _worker(self, part: str, command: Sequence[str], settings: Settings) -> None:
        port = processes.free_port()
        self._listening(part, command, replace(settings, metrics_port=port), port)

    def _listening(
        self, part: str, command: Sequence[str], settings: Settings, port: int
    ) -> None:
        running = processes.serving(
            ["services", *command],
            port,
            as_environment(settings),
            self.settings.data_dir / f"{part}.log",
        )
        self.pids[part].append(self.stack.enter_context(running))

    def all_pids(self) -> dict[str, list[int]]:
        """Return them with those of the database and the broker."""
        found = dict(self.pids)
        server = self.place.server
        if self.scenario.store == "postgres" and server and server.process:
            found["postgres"] = [server.process.pid]
        if self.cluster is not None:
            nodes = self.cluster.nodes
            found["broker"] = [int(node.pid_file.read_text()) for node in nodes]
        return {part: pids for part, pids in found.items() if pids}


@contextmanager
def deployed(
    scenario: Scenario, place: Place, cluster: Cluster | None
) -> Iterator[Deployment]:
    """Yield a fresh ledger with the preload in it and nothing running yet."""
    mark = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{use}-{mark}" for use in ("in", "receipts", "log", "group")))
    settings = replace(
        place.settings(),
        projection="off",
        kafka=cluster.bootstrap if cluster else "",
        kafka_topic=topics.relayed,
    )
    if scenario.preload:
        filled.fill(settings, scenario.preload)
    with open_ledger(settings) as ledger:
        key, bearer = processes.groundwork(ledger)
    if cluster is not None:
        path = settings.data_dir / "topics.toml"
        path.write_text(_intake(topics, key, scenario.partitions))
        _create(settings, topics, scenario.partitions)
        settings = replace(settings, ingest_topics=str(path))
    if scenario.projection == "kafka":
        settings = _with_views(settings, place)
    with ExitStack() as stack:
        yield Deployment(scenario, place, cluster, settings, topics, bearer, stack)


def _create(settings: Settings, topics: Topics, partitions: int) -> None:
    """Create the topics that are written to before a worker would create them."""
    connection = connection_of(settings)
    ensure(connection, Topic(topics.submitted, partitions))
    ensure(connection, Topic(topics.receipts, 1))


def _intake(topics: Topics, key: str, partitions: int) -> str:
    return (
        f'group = "{topics.group}"\n'
        f'[[topic]]\nname = "{topics.submitted}"\nkey = "{key}"\n'
        f'receipts = "{topics.receipts}"\npartitions = {partitions}\n'
    )


def _with_views(settings: Settings, place: Place) -> Settings:
    """Give remote read models a database of their own, or a folder."""
    url = "" if place.server is None else place.database()
    settings = replace(settings, views_url=url)
    remote = Path(settings.data_dir) / "remote"
    prepare_views(replace(settings, data_dir=remote))
    return settings
