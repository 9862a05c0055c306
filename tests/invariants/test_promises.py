"""Promises: none vanishes, none is closed unseen, none moves its first deadline."""

from __future__ import annotations

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st

from events.domain.commitment_state import STATUSES
from projections import queries
from projections.cut_world import LogWorld
from tests.invariants.history import History, cut_at, projected

seeds = st.integers(0, 2**32)
PROMISES = ("commitment", "hotline")
#: What a whole no longer waits for.
SETTLED = frozenset({"closed", "superseded", "cancelled"})
#: What a whole says of itself only when its parts are settled.
DONE = frozenset({"claimed", "verified", "closed"})


def told(history):
    """Yield (row, what, entry) of each event of a commitment, as the log has it."""
    for row in history.rows:
        if row.stream.startswith("commitment/"):
            yield row, row.type.split(".")[2], msgspec.json.decode(row.entry)


def board(snapshot, position):
    """Return every commitment as it stood after a position, by key."""
    page = queries.commitments(snapshot, queries.Filter(), limit=1000, as_of=position)
    assert page.next is None
    return {row.key: row for row in page.rows}


@settings(deadline=None, max_examples=12)
@given(seed=seeds)
def test_i01_no_promise_vanishes(seed):
    """Registered = the sum over all states, as of every position, in every view."""
    history = History(seed, areas=PROMISES).grow(120)
    registered = {
        row.position for row, what, _ in told(history) if what == "registered"
    }
    with projected(history.store) as views, views.snapshot("board") as snapshot:
        for position in range(history.store.head().size + 1):
            expected = sum(at <= position for at in registered)
            counts = queries.counts(snapshot, as_of=position)
            assert sum(counts.values()) == expected
            assert {status for _, status in counts} <= set(STATUSES)
            assert queries.registered(snapshot, as_of=position) == expected
            if position % 25 == 0:
                world = LogWorld(history.store, cut_at(history, position))
                assert len(world.states("commitment")) == expected


@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_i02_nothing_is_closed_without_a_pass_by_another_unit(seed):
    """Since the last claim there is one, and the one who closes is another person."""
    history = History(seed, areas=PROMISES).grow(150)
    lead, passed = {}, {}
    for row, what, entry in told(history):
        data = entry.get("data") or {}
        lead[row.stream] = data.get("lead_unit", lead.get(row.stream))
        if what in {"completion_claimed", "reopened"}:
            passed[row.stream] = None
        if what == "verification_recorded":
            independent = entry["actorunit"] != lead[row.stream]
            sound = data["result"] == "pass" and independent
            passed[row.stream] = entry["actorpost"] if sound else None
        if what == "closed":
            event("closed")
            assert passed.get(row.stream) is not None, row.position
            assert passed[row.stream] != entry["actorpost"], row.position


@settings(deadline=None, max_examples=15)
@given(seed=seeds)
def test_i05_the_original_due_never_changes(seed):
    """Once there is one it is the same in every version, whatever was extended."""
    history = History(seed, areas=PROMISES).grow(150)
    with projected(history.store) as views, views.snapshot("board") as snapshot:
        for key in board(snapshot, None):
            versions = [row.status.state for row in queries.history(snapshot, key)]
            dues = [row.original_due for row in versions]
            first = next((due for due in dues if due is not None), None)
            begun = dues.index(first)
            assert set(dues[begun:]) == {first}
            moved = {row.current_due for row in versions[begun:]} - {first}
            event(f"another due: {bool(moved)}")


@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_i06_no_whole_is_claimed_while_a_part_is_open(seed):
    """At every position: claimed, verified or closed only with all parts settled."""
    history = History(seed, areas=("commitment",)).grow(200)
    with projected(history.store) as views, views.snapshot("board") as snapshot:
        for position in (row.position for row, _, _ in told(history)):
            rows = board(snapshot, position)
            for row in rows.values():
                if row.state.status in DONE and row.state.children:
                    event(f"a whole is {row.state.status}")
                    parts = {key: rows.get(key) for key in row.state.children}
                    assert all(
                        part is not None and part.state.status in SETTLED
                        for part in parts.values()
                    ), (position, row.key)
