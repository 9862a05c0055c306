"""Random logs over every kind of stream, and a store that holds them.

Events are examples of the catalogue, kept where the domain's own fold takes them; the
instants at which they happened wander away from the order in which they were recorded.
"""

from __future__ import annotations

import random
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from events import catalogue
from events.entries import rfc3339
from events.memory import MemoryStore
from events.merkle import Tree, leaf_hash
from events.store import Node, Root
from projections.board import Board
from projections.runner import Runner
from projections.sqlite import SqliteViews
from tests.projections.logs import DAY, START, Log

_TYPES = catalogue.all_types()
_FAILURES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def random_kinds(seed, *, length, streams=2, kinds=None, log=None):
    """Return a log of events of all kinds that their folds accept, after a beginning."""
    choose = random.Random(seed)
    wanted = [row for row in _TYPES if kinds is None or row.kind in kinds]
    log, states = log or Log(), {}
    while len(log.all) < length:
        row = choose.choice(wanted)
        stream = f"{row.kind}/K-{choose.randrange(streams)}"
        # A fifth is recorded out of the order in which it happened.
        late = choose.random() < 0.2
        day = choose.randrange(80) if late else 80 * len(log.all) // length
        occurred = START + (day - 40) * DAY
        if not _append(log, states, row, stream, choose, occurred):
            continue
    return log


def _append(log, states, row, stream, choose, occurred):
    data = dict(choose.choice(row.examples))
    made = log.add(stream, row.name, data, time=rfc3339(occurred))
    event = catalogue.read(made.entry)
    try:
        after = row.evolve(states.get(stream), event)
        assert after is not None
    except (*_FAILURES, AssertionError):
        log.all.pop()
        log._versions[stream] -= 1
        return False
    states[stream] = after
    return True


def stored(log):
    """Return a store in memory that holds the entries of a log, with their tree."""
    store = MemoryStore()
    if log.all:
        rows = [row._replace(leaf=leaf_hash(row.entry)) for row in log.all]
        tree, grown = Tree.empty().extend([row.leaf for row in rows])
        with store.append() as append:
            append.insert(
                rows=rows,
                nodes=[Node(*node) for node in grown.tile_nodes],
                root=Root(tree.size, tree.root, rows[-1].ingested),
            )
    return store


@contextmanager
def boards(reader):
    """Yield a snapshot of a board that has folded everything."""
    with tempfile.TemporaryDirectory() as folder:
        views = SqliteViews(Path(folder) / "ledger.db")
        projected(reader, views)
        with views.snapshot("board") as snapshot:
            yield snapshot
        views.close()


def projected(reader, views):
    """Fold everything into a store of read models."""
    Runner(
        reader=reader, views=views, projector=Board(), wake=threading.Event()
    ).catch_up()
