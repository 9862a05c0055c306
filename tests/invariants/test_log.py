"""The log: what it has, it has once; what it refuses leaves no trace."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from events.errors import Conflict, HenjiError
from tests.invariants.history import History, on_disk, runner_of
from tests.projections.tables_dump import dump
from tests.support.desk import tables, verified

seeds = st.integers(0, 2**32)


@settings(deadline=None, max_examples=8)
@given(seed=seeds, data=st.data())
def test_i07_a_repeat_changes_nothing_and_other_content_is_a_conflict(seed, data):
    """The same id and content gets the same answer; the same id with other content
    is refused; the three tables and the read models stay byte for byte.
    """
    with on_disk(seed) as (history, views):
        history.grow(60)
        runner_of(history.store, views).catch_up()
        accepted, before = history.accepted, tables(history.store)
        shown = dump(views)
        for event, first in data.draw(st.permutations(accepted)):
            again = history.submit(event)
            assert (again.repeat, again.position) == (True, first.position)
            assert history.desk.receipt(again) == history.desk.receipt(first)
            other = history.submit({**event, "note": "more"})
            assert isinstance(other, Conflict)
            assert other.code == "event_id_conflict"
        assert tables(history.store) == before
        runner_of(history.store, views).catch_up()
        assert dump(views) == shown
        verified(history.store)


@settings(deadline=None, max_examples=15)
@given(seed=seeds)
def test_i13_a_refused_command_leaves_the_log_as_it_was(seed):
    """Whatever was refused, and for whatever reason: the same rows, nodes and roots."""
    history, refused = History(seed), 0
    before = tables(history.store)
    for _ in range(120):
        answers = len(history.sent)
        history.grow(1)
        for _, answer in history.sent[answers:]:
            refused += isinstance(answer, HenjiError)
        after = tables(history.store)
        if all(isinstance(answer, HenjiError) for _, answer in history.sent[answers:]):
            assert after == before
        assert after[0][: len(before[0])] == before[0]
        before = after
    assert refused
    verified(history.store)
