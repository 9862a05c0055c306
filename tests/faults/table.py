"""The faults: what is done to a deployment under load, by name.

A fault gets the deployment, its load, and for how many seconds it lasts; when it
returns, everything is as it was, or the keeper is about to make it so.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tests.faults.deployment import Deployment, await_true
from tests.faults.load import Load

Ground = Literal["plain", "small_disk", "three_brokers"]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault happens."""

    made: Deployment
    load: Load
    seconds: float

    def wait(self, share: float = 1.0) -> None:
        """Let the load go on for a share of the time: that is what the fault lasts."""
        self.load.stop.wait(self.seconds * share)


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table. ``seconds``: in the short run (0: not in it), in full.

    ``lasting``: only for brokers that keep what they hold over a restart.
    """

    do: Callable[[Scene], None]
    seconds: tuple[float, float]
    ground: Ground = "plain"
    lasting: bool = False


def _nothing(scene: Scene) -> None:
    scene.wait()


def _signals(number: signal.Signals, *names: str) -> Callable[[Scene], None]:
    """Signal one after the other, each twice: a second time when it is back."""

    def do(scene: Scene) -> None:
        for name in (*names, *names):
            scene.made.signal(name, number)
            scene.wait(1 / (2 * len(names)))

    return do


def _stands(*names: str) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        for name in names:
            scene.made.signal(name, signal.SIGSTOP)
        scene.wait()
        for name in names:
            scene.made.signal(name, signal.SIGCONT)

    return do


def _storm(scene: Scene) -> None:
    """Let members leave both groups, politely or not, faster than these can settle."""
    chance = random.Random(scene.load.run)
    names = [f"{kind}-{number}" for kind in ("ingest", "remote") for number in (0, 1)]
    for _ in range(int(scene.seconds)):
        number = chance.choice([signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP])
        name = chance.choice(names)
        scene.made.signal(name, number)
        scene.load.stop.wait(1.0)
        scene.made.signal(name, signal.SIGCONT)


def _broker_away(scene: Scene) -> None:
    scene.made.cluster.kill()
    scene.wait()
    scene.made.cluster.start()


def _broker_restart(scene: Scene) -> None:
    scene.made.cluster.restart()
    scene.wait()


def _broker_deaf(scene: Scene) -> None:
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for node in scene.made.cluster.nodes:
            node.signal(number)
        scene.wait(0.5)


def _leader_killed(scene: Scene) -> None:
    """Kill the node that leads the first partition of the log; later start it again."""
    cluster, topic = scene.made.cluster, scene.made.settings.kafka_topic
    with cluster.admin() as admin:
        (told,) = admin.describe_topics([topic])
    first = min(told["partitions"], key=lambda one: one["partition_index"])
    cluster.nodes[first["leader_id"] - 1].kill()
    scene.wait(0.6)
    cluster.start()
    scene.wait(0.4)


def _postgres(way: str) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        getattr(scene.made.server, way)()
        scene.wait(0.3)
        scene.made.server.start()
        scene.wait(0.7)

    return do


def _disk_full(scene: Scene) -> None:
    """Take all the room that the database has, until it shows; give it back."""
    before = scene.load.journal.counts["away"]
    ballast = scene.made.ballast
    assert ballast is not None
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            pass
    scene.wait()
    await_true(
        lambda: scene.load.journal.counts["away"] > before, "submissions are refused"
    )
    ballast.unlink()
    # It may have given up: then its operator starts it, as it was told to.
    if not scene.made.server.answers():
        scene.made.server.stop()
        scene.made.server.start()


def _clock_jumps(scene: Scene) -> None:
    """One API process is two hours ahead, an ingest worker and a relay behind."""
    jumps = {"api-0": 2.0, "ingest-0": -2.0, "relay-0": -2.0, "relay-1": 2.0}
    for name, hours in jumps.items():
        scene.made.jump(name, hours)
    scene.wait(0.5)
    for name in jumps:
        scene.made.jump(name, 0)
    scene.wait(0.5)


def _twisted(*twists: str) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        scene.load.twists.update(twists)
        scene.wait()
        scene.load.twists.clear()

    return do


_KILL = signal.SIGKILL

FAULTS: dict[str, Fault] = {
    "steady": Fault(_nothing, (2, 15)),
    "kill_api": Fault(_signals(_KILL, "api-0", "api-1"), (6, 24)),
    "kill_relay": Fault(_signals(_KILL, "relay-0", "relay-1"), (6, 32)),
    "postgres_immediate": Fault(_postgres("crash"), (4, 12)),
    "kill_ingest": Fault(_signals(_KILL, "ingest-0", "ingest-1"), (6, 24)),
    "twisted": Fault(_twisted("duplicates", "poison", "order"), (3, 0)),
    "kill_projector": Fault(_signals(_KILL, "projector"), (0, 12)),
    "kill_remote": Fault(_signals(_KILL, "remote-0", "remote-1"), (0, 24)),
    "kill_everything": Fault(
        _signals(_KILL, "ingest-1", "api-1", "relay-0", "projector", "remote-0"),
        (0, 25),
    ),
    "postgres_fast": Fault(_postgres("stop"), (0, 12)),
    "postgres_killed": Fault(_postgres("kill"), (0, 12)),
    "broker_restart": Fault(_broker_restart, (0, 15), lasting=True),
    "broker_away": Fault(_broker_away, (0, 60), lasting=True),
    "broker_deaf": Fault(_broker_deaf, (0, 24)),
    "slow_consumer": Fault(_stands("remote-0", "remote-1", "projector"), (0, 20)),
    "rebalance_storm": Fault(_storm, (0, 30)),
    "clock_jump": Fault(_clock_jumps, (0, 16)),
    "duplicate_delivery": Fault(_twisted("duplicates"), (0, 10)),
    "poison_record": Fault(_twisted("poison"), (0, 10)),
    "out_of_order": Fault(_twisted("order"), (0, 10)),
    "disk_full": Fault(_disk_full, (0, 15), "small_disk"),
    "leader_killed": Fault(_leader_killed, (0, 30), "three_brokers"),
}


def chosen(*, whole: bool) -> Iterable[str]:
    """Return the names of the faults of a run, those of one ground together."""
    names = [name for name, one in FAULTS.items() if one.seconds[whole]]
    return sorted(names, key=lambda name: FAULTS[name].ground != "plain")
