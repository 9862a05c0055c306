"""The board as of any position, over random logs; I1 to I14 are in tests/invariants."""

from __future__ import annotations

import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from projections import queries, status
from projections.board import Board
from projections.facts import facts
from projections.runner import Runner
from projections.sqlite import SqliteViews
from tests.projections.logs import random_log

seeds = st.integers(0, 2**32)


@contextmanager
def built(log, *, batch=1000):
    """Yield a store whose board has folded a log."""
    with tempfile.TemporaryDirectory() as folder:
        views = SqliteViews(Path(folder) / "ledger.db")
        wake = threading.Event()
        runner = Runner(
            reader=log, views=views, projector=Board(), wake=wake, batch=batch
        )
        runner.catch_up()
        yield views, runner
        views.close()


def whole_board(snapshot, as_of=None):
    """Return every commitment as of a position, by key."""
    page = queries.commitments(snapshot, queries.Filter(), limit=1000, as_of=as_of)
    return {row.key: row for row in page.rows}


@given(seed=seeds)
@settings(deadline=None, max_examples=10)
def test_the_board_as_of_a_position_is_a_fold_of_the_prefix(seed):
    """G7: later events do not change what stood then."""
    log = random_log(seed, keys=5, length=60)
    with built(log) as (views, _), views.snapshot("board") as snapshot:
        for position in range(0, len(log.all) + 1, 7):
            expected: dict[str, status.Status] = {}
            for fact in facts(log.all[:position]):
                key = fact.stream.partition("/")[2]
                after = status.advance(expected.get(key), fact)
                if after is not None:
                    expected[key] = after
            assert whole_board(snapshot, position) == expected
            for key, row in expected.items():
                assert queries.commitment(snapshot, key, as_of=position) == row
