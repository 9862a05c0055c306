"""What can be deployed and done to it: one scenario, and the named ones.

Rules of this file: data only. What a field does is in ``deployment`` and ``loads``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

Store = Literal["sqlite", "postgres"]
Broker = Literal["none", "kafka", "tansu"]
Way = Literal["single", "ndjson", "kafka"]
Projection = Literal["local", "kafka"]


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """How many of what, and the load on it.

    ``ways`` are the ways in, all at once; without any, what is measured is how relay
    and projection catch up with ``preload`` entries. ``rate`` is events a second of
    each way; 0 saturates. ``seconds`` is the length of the load. A saturated topic has
    its records before the ingest workers start: ``BACKLOG`` for each second.
    ``half_of`` names a scenario that runs right before: the rate is half of what that
    one has brought into its read models in a second.
    """

    name: str
    store: Store = "postgres"
    broker: Broker = "none"
    apis: int = 1
    ingests: int = 0
    relays: int = 0
    projectors: int = 1
    projection: Projection = "local"
    ways: tuple[Way, ...] = ("ndjson",)
    rate: float = 0.0
    half_of: str = ""
    seconds: float = 5.0
    #: Bytes of an event, at least 400.
    size: int = 400
    #: Events in a body of NDJSON.
    lines: int = 1_000
    #: Whether each event gets its receipt (HTTP: else ``return=minimal``).
    receipts: bool = True
    #: Entries of commitments (模拟数据) in the log before the load.
    preload: int = 0
    partitions: int = 6


#: Records on a saturated topic, for each second of the load.
BACKLOG: Final = 2_000

_POSTGRES = Scenario(name="")
_KAFKA = Scenario(name="", broker="kafka", ways=("kafka",), ingests=1)
_REMOTE = Scenario(name="", broker="kafka", relays=1, projection="kafka")


def _of(base: Scenario, name: str, **changes: object) -> Scenario:
    return msgspec.structs.replace(base, name=name, **changes)


def _named(found: Iterable[Scenario]) -> dict[str, Scenario]:
    return {one.name: one for one in found}


#: Each name says what it differs by from its neighbours.
NAMED: Final = _named(
    (
        _of(_POSTGRES, "smallest", store="sqlite", ways=("single",), seconds=1.0),
        _of(_POSTGRES, "single-sqlite", store="sqlite", ways=("single",)),
        _of(_POSTGRES, "single-1", ways=("single",)),
        _of(_POSTGRES, "single-2", ways=("single",), apis=2),
        _of(_POSTGRES, "single-paced", ways=("single",), rate=100, seconds=10.0),
        _of(_POSTGRES, "bulk-sqlite", store="sqlite"),
        _of(_POSTGRES, "bulk-1"),
        _of(_POSTGRES, "bulk-2", apis=2),
        _of(_POSTGRES, "bulk-minimal", receipts=False),
        _of(_POSTGRES, "bulk-2kB", size=2_000),
        _of(_POSTGRES, "bulk-at-20k", preload=20_000),
        _of(_POSTGRES, "bulk-at-100k", preload=100_000),
        _of(_POSTGRES, "bulk-projectors-2", projectors=2),
        _of(_KAFKA, "kafka-1"),
        _of(_KAFKA, "kafka-2", ingests=2),
        _of(_KAFKA, "kafka-minimal", receipts=False),
        _of(_KAFKA, "kafka-sqlite", store="sqlite"),
        _of(_KAFKA, "kafka-tansu", broker="tansu"),
        _of(_KAFKA, "kafka-paced", rate=100, seconds=10.0),
        _of(_KAFKA, "both-1", ways=("ndjson", "kafka")),
        _of(_KAFKA, "both-2", ways=("ndjson", "kafka"), apis=2, ingests=2),
        _of(_REMOTE, "remote-full", lines=100, seconds=8.0),
        _of(_REMOTE, "remote-2", lines=100, seconds=8.0, projectors=2),
        _of(_REMOTE, "remote-half", lines=100, half_of="remote-full", seconds=15.0),
        _of(_REMOTE, "remote-paced", lines=10, rate=200, seconds=15.0),
        _of(_POSTGRES, "local-full", lines=100, seconds=8.0),
        _of(_POSTGRES, "local-half", lines=100, half_of="local-full", seconds=15.0),
        _of(_POSTGRES, "local-paced", lines=10, rate=200, seconds=15.0),
        _of(_REMOTE, "catch-up", ways=(), preload=30_000),
        _of(_REMOTE, "catch-up-2", ways=(), preload=30_000, projectors=2),
        _of(_REMOTE, "catch-up-tansu", ways=(), preload=30_000, broker="tansu"),
        _of(_POSTGRES, "catch-up-local", ways=(), preload=30_000),
        _of(_POSTGRES, "catch-up-sqlite", ways=(), preload=30_000, store="sqlite"),
        _of(_REMOTE, "relay", ways=(), preload=30_000, projectors=0),
    )
)

#: Names that stand for several scenarios.
GROUPS: Final = {
    "lines": (
        "both-1",
        "both-2",
        "bulk-1",
        "bulk-2",
        "kafka-1",
        "kafka-2",
        "bulk-minimal",
        "kafka-minimal",
        "relay",
        "remote-full",
        "remote-half",
        "local-full",
        "local-half",
    ),
    "growth": (
        "single-1",
        "single-2",
        "bulk-1",
        "bulk-2",
        "bulk-at-20k",
        "bulk-at-100k",
        "bulk-2kB",
        "bulk-projectors-2",
        "kafka-1",
        "kafka-2",
        "remote-full",
        "remote-2",
        "catch-up",
        "catch-up-2",
    ),
    "all": tuple(NAMED),
}


def chosen(names: Iterable[str]) -> list[Scenario]:
    """Return the scenarios of names and groups, each once. KeyError: unknown.

    Those whose rate is half of another's bring that one along.
    """
    single = [one for name in names for one in GROUPS.get(name, (name,))]
    fulls = [NAMED[name].half_of for name in single if NAMED[name].half_of]
    return [NAMED[name] for name in dict.fromkeys([*fulls, *single])]
