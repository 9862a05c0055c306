"""The two ways to see a cut agree, for every kind of stream, at every cut."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.cut_world import LogWorld, ViewWorld, cut_of
from projections.state_codec import STATES
from tests.projections.logs import DAY, START
from tests.projections.states.kinds import boards, random_kinds, stored

seeds = st.integers(0, 2**32)
instants = st.none() | st.integers(-45, 45).map(lambda day: START + day * DAY)


def agree(one, other):
    """Compare all answers of two worlds."""
    for kind in STATES:
        assert one.states(kind) == other.states(kind)
        for row in one.states(kind):
            assert one.state(row.stream) == other.state(row.stream) == row
    assert one.events() == other.events()
    middle = START + DAY
    for question in (
        {"types": ("henji.issue.*", "henji.unit.created.v1")},
        {"streams": ("metric/K-1", "unit/K-0")},
        {"occurred_from": middle},
        {"occurred_before": middle},
    ):
        assert one.events(**question) == other.events(**question)
    assert one.state("unit/nobody") is other.state("unit/nobody") is None
    assert one.state("external/x") is other.state("external/x") is None
    assert list(one.states("external")) == list(other.states("external")) == []


@given(seed=seeds, at=st.floats(0, 1), as_at=instants)
@settings(max_examples=25)
def test_both_worlds_agree_on_every_kind(seed, at, as_at):
    """Read models and a fold of the log give the same states and events of any cut."""
    log = random_kinds(seed, length=150)
    store = stored(log)
    with boards(store) as snapshot:
        cut = cut_of(store, position=int(at * len(log.all)), as_at=as_at)
        agree(ViewWorld(snapshot, store, cut), LogWorld(store, cut))
