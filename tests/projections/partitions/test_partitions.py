"""Read models of the partitions of a topic: the rows of the log, whoever folds what."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.errors import Conflict, Unavailable
from projections import partitions, state_queries
from projections.board import Board
from projections.moments import Moment
from projections.partitions import Batch
from projections.runner import Runner
from projections.sqlite import SqliteViews
from projections.state_queries import Narrow
from projections.views import Part
from tests.projections.logs import Log, random_log
from tests.projections.partitions.topics import TOPIC, Topic, begin, folded, whole
from tests.projections.states.kinds import random_kinds, stored
from tests.projections.states.test_states import census
from tests.projections.tables_dump import dump
from tests.projections.test_runner import Broken

SHARES = st.lists(st.integers(0, 3), min_size=1, max_size=8)


def opened(folder, name):
    return SqliteViews(Path(folder) / f"{name}.db")


def from_the_log(log, until, store, run):
    """Return all rows of read models of the log up to a position."""
    run(Log(log.all[:until]), store).catch_up()
    return dump(store)


@given(seed=st.integers(0, 10**6), share=SHARES, data=st.data())
@settings(max_examples=25)
def test_any_interleaving_of_partitions_gives_the_rows_of_the_log(seed, share, data):
    """Only the order within a stream counts; batches, partitions and turns do not."""
    log = random_kinds(seed, length=60, streams=3)
    topic = Topic(log, share)
    numbers = st.integers(0, len(topic.rows) - 1)
    turn = st.tuples(numbers, st.integers(1, 9), st.just(len(log.all)))
    turns = data.draw(st.lists(turn, max_size=40))
    everything = [whole(topic, number) for number in range(len(topic.rows))]
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = opened(folder, "ours"), opened(folder, "theirs")
        folded(ours, topic, [*turns, *everything])
        (made,) = ours.generations("board")
        assert made.position == len(log.all)
        assert ours.switch(made)
        assert dump(ours) == from_the_log(log, len(log.all), theirs, runner)
        ours.close()
        theirs.close()


def runner(log, store):
    return Runner(reader=log, views=store, projector=Board(), wake=None)


@given(seed=st.integers(0, 10**6), share=SHARES, data=st.data())
@settings(max_examples=25)
def test_what_is_read_is_the_log_up_to_the_partition_that_is_least_far(
    seed, share, data
):
    """Whatever lies beyond in the tables, a snapshot is that of the log at its cut."""
    log = random_kinds(seed, length=60, streams=3)
    topic = Topic(log, share)
    known = st.integers(0, len(log.all))
    turn = st.tuples(st.integers(0, len(topic.rows) - 1), st.integers(1, 60), known)
    turns = sorted(data.draw(st.lists(turn, max_size=20)), key=lambda each: each[2])
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = opened(folder, "ours"), opened(folder, "theirs")
        made = begin(ours, topic)
        assert ours.switch(made)
        parts = folded(ours, topic, turns)
        cut = min(part.reached for part in parts)
        with ours.snapshot("board") as snapshot:
            assert snapshot.generation.position == cut
        if cut:
            assert dump(ours) == from_the_log(log, cut, theirs, runner)
        else:
            assert not any(dump(ours).values())
        ours.close()
        theirs.close()


def ahead(views, log=None):
    """Return a topic of two partitions of which one is far ahead, and its parts."""
    topic = Topic(log or random_log(3, keys=6, length=80), [0, 1])
    size = len(topic.log.all)
    assert views.switch(begin(views, topic))
    parts = folded(views, topic, [(0, size, 50), (1, size, 50), (0, size, size)])
    assert (parts[0].reached, parts[1].reached) == (size, 50)
    return topic, parts


def test_both_databases_show_the_cut_and_not_what_is_beyond(views, sqlite_views, run):
    """The tables of the past cut are the same rows in SQLite and PostgreSQL."""
    topic, _ = ahead(views)
    assert dump(views) == from_the_log(topic.log, 50, sqlite_views, run)


def test_a_position_is_reached_when_all_partitions_have_reached_it(views):
    """Whoever waits for a position waits for the slowest partition."""
    topic, _ = ahead(views)
    assert views.max_tracking_id("board@1") == 50
    folded(views, topic, [whole(topic, 1)])
    views.wait("board@1", len(topic.log.all), timeout=5)


def test_a_partition_that_has_moved_refuses_who_had_it_before(views):
    """After a re-balance the slower worker writes nothing; the others go on."""
    topic, (_, mine) = ahead(views)
    (live,) = views.generations("board")
    batch = topic.batch(mine, 3, known=80)
    partitions.fold(views, Board(), live, batch)
    before = dump(views)
    for late in (
        batch,
        topic.batch(mine, 2, known=80),
        Batch(mine, replace(mine, offset=9)),
    ):
        with pytest.raises(Conflict) as refused:
            partitions.fold(views, Board(), live, late)
        assert refused.value.code == "projection_moved"
    assert dump(views) == before


def test_a_retired_generation_takes_nothing_more(views):
    """Who has not heard of a rebuild is refused."""
    topic, (_, mine) = ahead(views)
    (old,) = views.generations("board")
    new = views.create(Board(), [replace(part, reached=80) for part in topic.parts()])
    assert views.switch(new)
    with pytest.raises(Conflict) as refused:
        partitions.fold(views, Board(), old, topic.batch(mine, 3, known=80))
    assert refused.value.code == "projection_moved"


def test_a_generation_is_dropped_with_all_that_reads_it(views):
    """Tables, their cuts and the partitions of generations before the last are gone."""
    topic, _ = ahead(views)
    parts = [replace(part, reached=80) for part in topic.parts()]
    for _ in range(2):
        assert views.switch(views.create(Board(), parts))
    assert [each.number for each in views.generations("board")] == [2, 3]
    assert views.max_tracking_id("board@1") == 0


def test_an_entry_that_cannot_be_folded_stops_its_partition_alone(
    views, sqlite_views, run
):
    """What precedes it is folded, it is not skipped, and the other goes on."""
    topic, (other, mine) = ahead(views)
    bad = topic.rows[1][mine.offset + 3]
    for _ in range(2):
        (live,) = views.generations("board")
        with pytest.raises(Unavailable) as stopped:
            partitions.fold(
                views,
                Broken(bad.position),
                live,
                topic.batch(live.parts[1], 60, known=80),
            )
        assert stopped.value.parameters["position"] == bad.position
        (live,) = views.generations("board")
        assert live.parts[1].offset == mine.offset + 3
        assert live.poison.position == live.parts[1].poison.position == bad.position
        assert live.parts[0] == other
    folded(views, topic, [whole(topic, 1)])
    (live,) = views.generations("board")
    assert live.poison is None
    assert dump(views) == from_the_log(topic.log, 80, sqlite_views, run)


def test_all_workers_fold_into_the_generation_that_was_begun_first(views, monkeypatch):
    """Of two that start together one takes its own back."""
    topic = Topic(random_log(4, keys=3, length=20), [0, 1])
    create = views.create

    def create_late(*args):
        create(*args)  # By the other one, which had looked at the same moment.
        return create(*args)

    monkeypatch.setattr(views, "create", create_late)
    assert begin(views, topic).number == 1
    assert [each.number for each in views.generations("board")] == [1]


def test_what_is_live_is_not_discarded(views):
    """Only what is being built can be given up."""
    ahead(views)
    views.discard(*views.generations("board"))
    assert [each.state for each in views.generations("board")] == ["live"]


def test_a_topic_that_was_given_more_partitions_is_refused(views):
    """Streams would have moved: the rows of one would be folded twice or in disorder."""
    ahead(views)
    more = [Part(TOPIC, number) for number in range(3)]
    with pytest.raises(Conflict) as refused:
        partitions.target(views, Board(), more)
    assert refused.value.code == "kafka_partitions_changed"


def test_read_models_follow_the_log_or_a_topic_and_not_both(views, run):
    """Each source refuses what the other one keeps up to date."""
    topic, _ = ahead(views)
    for follow in (run(topic.log, views).step, run(topic.log, views).rebuild):
        with pytest.raises(Conflict) as refused:
            follow()
        assert refused.value.code == "projection_source_differs"


def test_a_topic_does_not_take_over_what_follows_the_log(views, run):
    """As the other way round."""
    log = random_log(4, keys=3, length=20)
    run(log, views).catch_up()
    with pytest.raises(Conflict) as refused:
        begin(views, Topic(log, [0]))
    assert refused.value.code == "projection_source_differs"


def test_a_large_state_at_the_cut_is_folded_from_the_log(views):
    """Its row has no body once it is past; the answer is whole nevertheless."""
    log = census(500)
    log.add("unit/elsewhere", "henji.unit.created.v1", {"name": "沟赵 (模拟数据)"})
    topic = Topic(log, [0, 1])
    assert views.switch(begin(views, topic))
    size = len(log.all)
    folded(views, topic, [(0, size, size), (1, size, 3)])
    with views.snapshot("board") as snapshot:
        assert snapshot.select("SELECT length(body) FROM {state}", {}) == [(0,)]
        asked = {"moment": None, "limit": 10}
        now = state_queries.page(snapshot, stored(log), "census", Narrow(), **asked)
        then = state_queries.one(snapshot, stored(log), "census/C-1", Moment(3))
    assert now.rows == [then]
    assert len(then.state.cells["g-1"].listed) == 1_500
