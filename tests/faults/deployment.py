"""A whole deployment as real processes: who they are, and who starts them again.

On one PostgreSQL and one broker: two API processes, two ingest workers, two relays, the
projector beside the log, and two workers with read models of a database of their own.
A keeper starts again whatever ends, as an operator's supervisor would.
"""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psycopg
from msgspec.structs import replace

from services.auth import compose_key
from services.keyfile import Keys
from services.settings import Settings, as_environment
from services.wiring import install_postgres, open_ledger
from tests.faults.journal import Journal
from tests.faults.process import set_clock
from tests.support import brokers, scenario
from tests.support.brokers import Cluster
from tests.support.embedded_postgres import Server

ROOT = Path(__file__).parents[2]
PARTITIONS = 4
_REST = 0.3
_LOOK = 0.05


@dataclass
class Member:
    """One process of the deployment, over all its lives."""

    name: str
    arguments: tuple[str, ...]
    settings: Settings
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    ends: list[int] = field(default_factory=list)

    @property
    def clock(self) -> Path:
        """Return the file that says by how much its clock is off."""
        return self.folder / f"{self.name}.clock"

    def start(self) -> None:
        """Start it; its words go to a file beside its clock."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.faults.process",
                 str(self.clock), *self.arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=as_environment(self.settings),
                # Orphaned while it is stopped, a group of its own is woken and ended.
                process_group=0,
            )  # fmt: skip

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; one that has just ended hears nothing."""
        if self.process is not None:
            self.process.send_signal(number)

    def ended(self) -> bool:
        """Say whether it has ended, and keep how."""
        if self.process is None or self.process.poll() is None:
            return False
        self.ends.append(self.process.returncode)
        self._let_go(self.process)
        return True

    def kill(self) -> None:
        """End it for good. Idempotent."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._let_go(self.process)

    def _let_go(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        process.stdin.close()
        self.process = None


@dataclass
class Deployment:
    """The processes with all they stand on."""

    folder: Path
    server: Server
    cluster: Cluster
    settings: Settings
    remote: Settings
    keys: Keys
    token: str
    topic: str
    receipts: str
    group: str
    groundwork: int
    members: dict[str, Member] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)
    journal: Journal = field(init=False)
    #: The figures of the last audit.
    figures: Counter[str] = field(default_factory=Counter)
    #: Makes room for, or fills, what the database lies on; None: it has all the disk.
    ballast: Path | None = None

    @contextmanager
    def running(self) -> Iterator[Deployment]:
        """Run all processes, and start again whatever ends, while the block runs."""
        with closing(Journal(self.folder / "journal")) as self.journal, self._kept():
            yield self

    @contextmanager
    def _kept(self) -> Iterator[None]:
        stop = threading.Event()
        for member in self.members.values():
            set_clock(member.clock, 0)
            member.start()
        keeper = threading.Thread(target=self._keep, args=(stop,))
        keeper.start()
        try:
            for url in self.urls:
                await_true(lambda url=url: _ready(url), f"{url} is ready")
            yield
        finally:
            stop.set()
            keeper.join()
            for member in self.members.values():
                member.kill()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a member a signal."""
        self.members[name].signal(number)

    def jump(self, name: str, hours: float) -> None:
        """Let the clock of a member be off by so much."""
        set_clock(self.members[name].clock, int(hours * scenario.HOUR))

    def ends(self) -> int:
        """Return how often a member has ended."""
        return sum(len(member.ends) for member in self.members.values())

    def since(self, figures: Mapping[str, int]) -> dict[str, int]:
        """Return what figures of the whole time have grown by since the last audit."""
        grown = {name: count - self.figures[name] for name, count in figures.items()}
        self.figures.update(grown)
        return grown

    def words(self) -> str:
        """Return the last words of each member that said any."""
        said = {
            name: (self.folder / f"{name}.log").read_text()[-1500:]
            for name in self.members
        }
        return "\n".join(f"{name}: {text}" for name, text in said.items() if text)

    def _keep(self, stop: threading.Event) -> None:
        due: dict[str, float] = {}
        while not stop.wait(_LOOK):
            now = time.monotonic()
            for name, member in self.members.items():
                if member.ended():
                    due[name] = now + _REST
                if due.get(name, now + 1) <= now:
                    del due[name]
                    member.start()


def prepared(folder: Path, server: Server, cluster: Cluster, **more: str) -> Deployment:
    """Install a ledger on a server, with its groundwork and topics; start nothing."""
    install_postgres(
        server.dsn(),
        schema="henji",
        writer_role="writer",
        others={"projector": "projector", "reader": "reader"},
    )
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE ROLE remote LOGIN")
        connection.execute("CREATE DATABASE remote OWNER remote")
    mark = secrets.token_hex(4)
    topic = cluster.new_topic(PARTITIONS)
    settings = Settings(
        data_dir=folder / "data",
        database_url=server.dsn(user="writer"),
        origin=scenario.ORIGIN,
        projection="off",
        kafka=cluster.bootstrap,
        kafka_topic=f"log-{mark}",
        ingest_topics=str(folder / "topics.toml"),
        **more,
    )
    receipts, group = f"receipts-{mark}", f"group-{mark}"
    Path(settings.ingest_topics).write_text(
        f'group = "{group}"\n[[topic]]\nname = "{topic}"\n'
        f'key = "{scenario.ADAPTER}"\nreceipts = "{receipts}"\n'
    )
    token, hashed = compose_key(scenario.ADAPTER, secrets.token_bytes(32))
    with open_ledger(settings) as ledger:
        for event in groundwork(hashed):
            ledger.submit_as_operator(event)
        size = ledger.store.head().size
    made = Deployment(
        folder=folder,
        server=server,
        cluster=cluster,
        settings=settings,
        remote=replace(
            settings,
            data_dir=folder / "remote",
            database_url="",
            views_url=server.dsn("remote", "remote"),
        ),
        keys=ledger.keys,
        token=token,
        topic=topic,
        receipts=receipts,
        group=group,
        groundwork=size,
    )
    _appoint(made)
    return made


def groundwork(hashed: str) -> list[scenario.Event]:
    """Return what the operator appends before the first client: units, key, type."""
    key = scenario.key_created(
        scenario.ADAPTER, secret_sha256=hashed, scopes=scenario.ALL_SCOPES
    )
    return [
        *map(scenario.unit_created, scenario.UNITS),
        key,
        scenario.type_registered(),
    ]


def _appoint(made: Deployment) -> None:
    """Say which processes there are."""
    settings = made.settings
    projector = replace(settings, database_url=made.server.dsn(user="projector"))
    workers: Mapping[str, tuple[tuple[str, ...], Settings]] = {
        "ingest": (("work", "ingest"), settings),
        "relay": (("work", "relay"), settings),
        "remote": (("work", "project", "--from", "kafka"), made.remote),
    }
    members = [
        Member(f"{name}-{number}", arguments, given, made.folder)
        for name, (arguments, given) in workers.items()
        for number in range(2)
    ]
    for number, port in enumerate(brokers._free_ports(2)):
        own = replace(settings, port=port)
        members.append(Member(f"api-{number}", ("serve",), own, made.folder))
        made.urls.append(f"http://127.0.0.1:{port}")
    members.append(Member("projector", ("work", "project"), projector, made.folder))
    made.members.update({member.name: member for member in members})


def await_true(
    condition: Callable[[], bool], told: str, *, seconds: float = 90.0
) -> None:
    """Return when a condition holds; fail if it does not within the time allowed."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never: {told}"
        time.sleep(0.05)


def _ready(url: str) -> bool:
    with suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/readyz", timeout=5).status_code == 200
    return False
