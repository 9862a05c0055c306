"""Properties of the board over random logs: conservation, rebuild, order, as-of."""

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
from tests.projections.logs import Log, random_log
from tests.projections.tables_dump import dump

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
@settings(deadline=None, max_examples=15)
def test_no_promise_vanishes_at_any_position(seed):
    """I1: registered = the sum over all states, as of every position."""
    log = random_log(seed, keys=6, length=80)
    with built(log) as (views, _), views.snapshot("board") as snapshot:
        seen = set()
        for row in log.all:
            seen.add(row.stream)
            tally = queries.counts(snapshot, as_of=row.position)
            assert sum(tally.values()) == len(seen)
            assert queries.registered(snapshot, as_of=row.position) == len(seen)
        assert queries.counts(snapshot) == tally


@given(seed=seeds, batch=st.integers(1, 40))
@settings(deadline=None, max_examples=15)
def test_a_rebuild_gives_the_rows_that_grew(seed, batch):
    """I3: byte-equal, whatever the batches were."""
    log = random_log(seed, keys=6, length=100)
    with built(log, batch=batch) as (views, runner):
        grown = dump(views)
        runner.rebuild()
        assert dump(views) == grown


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


@given(seed=seeds, data=st.data())
@settings(deadline=None, max_examples=15)
def test_the_order_of_independent_streams_changes_no_projection(seed, data):
    """I8: any interleaving of the streams gives the same states."""
    log = random_log(seed, keys=4, length=50)
    streams: dict[str, list] = {}
    for row in log.all:
        streams.setdefault(row.stream, []).append(row)
    mixed = Log()
    while streams:
        stream = data.draw(st.sampled_from(sorted(streams)))
        row = streams[stream].pop(0)
        mixed.all.append(row._replace(position=len(mixed.all) + 1))
        if not streams[stream]:
            del streams[stream]
    with (
        built(log) as (one, _),
        built(mixed) as (two, _),
        one.snapshot("board") as a,
        two.snapshot("board") as b,
    ):
        assert without_positions(a) == without_positions(b)
        assert queries.counts(a) == queries.counts(b)


def without_positions(snapshot):
    """Return the board and its timelines, less what only numbers the entries."""
    replace = status.msgspec.structs.replace
    board = {
        key: replace(row, position=0, registered_position=0)
        for key, row in whole_board(snapshot).items()
    }
    lines = {
        key: [
            line._replace(position=0)
            for line in queries.lines(snapshot, f"commitment/{key}", limit=1000)
        ]
        for key in board
    }
    return board, lines


@given(seed=seeds)
@settings(deadline=None, max_examples=15)
def test_the_original_due_never_changes_once_set(seed):
    """I5: no version of a status row moves the deadline first promised."""
    log = random_log(seed, keys=4, length=60)
    with built(log) as (views, _), views.snapshot("board") as snapshot:
        for key in whole_board(snapshot):
            dues = {v.status.original_due for v in queries.history(snapshot, key)}
            assert len(dues) == 1
