"""Faults under steady load, each followed by a full audit: nothing lost or doubled."""

from __future__ import annotations

import itertools
import time

import pytest

from tests.faults import audit
from tests.faults.load import Doors, Load
from tests.faults.table import FAULTS, Scene

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]

_RUNS = itertools.count(1)
#: How much is acknowledged, by both doors, before a fault and after it.
_BEFORE, _AFTER = 200, 200


def _load(made) -> Load:
    """Return the load of one more run on a deployment; its journal goes on."""
    doors = Doors(
        urls=made.urls,
        token=made.token,
        servers=made.cluster.bootstrap.split(","),
        topic=made.topic,
        partitions=4,
    )
    return Load(doors, made.journal, next(_RUNS))


def test_nothing_is_lost_or_doubled(fault, deployment_on, grounds, in_full, record):
    """Log, topic, read models and what clients were told agree, whatever dies."""
    row = FAULTS[fault]
    made = deployment_on(row.ground)
    if row.lasting and not made.cluster.lasting:
        pytest.skip(f"{made.cluster.name} holds nothing over a restart")
    began, load = time.monotonic(), _load(made)
    ends = made.ends()
    try:
        with load.running():
            load.await_more(_BEFORE)
            row.do(Scene(made, load, row.seconds[in_full]))
            load.await_more(_AFTER)
        audit.await_quiet(made)
        verdict = audit.judged(made, audit.gathered(made, made.journal.read()))
        assert verdict.findings == []
    except BaseException:
        print(made.words())
        grounds.close()
        raise
    finally:
        record(fault=fault, seconds=round(time.monotonic() - began))
    record(ends=made.ends() - ends, **made.since(verdict.figures))
