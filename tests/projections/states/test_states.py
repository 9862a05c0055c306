"""States of every kind: exact bytes, ranges of positions, rebuilds, large ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import catalogue, errors
from events.domain import campaigns, censuses, orders, policy_versions
from projections import moments, state_codec, states
from projections.board import Board
from projections.cut_world import LogWorld, ViewWorld, cut_of
from projections.moments import Moment
from projections.runner import Runner
from projections.sqlite import SqliteViews
from tests.projections.logs import Log
from tests.projections.states.kinds import boards, random_kinds, stored
from tests.projections.tables_dump import dump

seeds = st.integers(0, 2**32)


def test_every_kind_of_the_catalogue_has_its_struct():
    """A new kind of stream is one row more; none is forgotten."""
    assert set(state_codec.STATES) == {row.kind for row in catalogue.all_types()}


@given(seed=seeds)
@settings(max_examples=25)
def test_a_state_is_restored_exactly_from_its_bytes(seed):
    """Of every kind, after every event: equal, of equal types, and the same bytes."""
    log, found = random_kinds(seed, length=120), {}
    for row in log.all:
        known = catalogue.lookup(row.type)
        state = known.evolve(found.get(row.stream), catalogue.read(row.entry))
        found[row.stream] = state
        body = state_codec.encode(state)
        again = state_codec.decode(known.kind, body)
        assert again == state
        assert type(again) is type(state) is state_codec.STATES[known.kind]
        assert state_codec.encode(again) == body
        json.dumps(state_codec.shown(state))


def test_mappings_keep_their_order_and_the_types_of_their_values():
    """Violations stay in the order in which they were found, contents are structs."""
    log, found = random_kinds(2, length=900, kinds=("order", "ruleset", "campaign")), {}
    for row in log.all:
        known = catalogue.lookup(row.type)
        state = known.evolve(found.get(row.stream), catalogue.read(row.entry))
        found[row.stream] = state
        again = state_codec.decode(known.kind, state_codec.encode(state))
        if isinstance(state, orders.Order):
            assert list(again.violations.items()) == list(state.violations.items())
        if isinstance(state, policy_versions.Versions):
            for number, edition in state.versions.items():
                assert type(again.versions[number].content) is type(edition.content)
        if isinstance(state, campaigns.Campaign):
            for name, target in state.targets.items():
                assert type(again.targets[name]) is type(target)
    one = orders.Violation(
        site="b", found_at=1, recorder=frozenset({"x"}), event_id="1"
    )
    order = next(state for state in found.values() if isinstance(state, orders.Order))
    several = MappingProxyType({"z": one, "a": replace(one, site="a")})
    kept = state_codec.decode(
        "order", state_codec.encode(replace(order, violations=several))
    )
    assert list(kept.violations) == ["z", "a"]


def test_the_same_state_is_the_same_bytes_in_every_process():
    """Sets have another order in each process; their bytes have not."""
    text = (
        "from events.domain.evidence import Content\n"
        "from projections.state_codec import encode\n"
        "uses = frozenset((f'commitment/C-{n}', n) for n in range(50))\n"
        "print(encode(Content('stored', reuses=uses)).decode())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", text],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1


def test_what_cannot_be_encoded_is_refused():
    """A value that nobody thought of stops the projection; it is not made up."""
    for encode in (state_codec.encode, state_codec.shown):
        with pytest.raises((NotImplementedError, TypeError)):
            encode(object())


@given(seed=seeds, batch=st.integers(1, 40))
@settings(max_examples=15)
def test_a_rebuild_gives_the_rows_that_grew(seed, batch):
    """I3 for every kind: byte-equal, whatever the batches were."""
    log = random_kinds(seed, length=150)
    with tempfile.TemporaryDirectory() as folder:
        views = SqliteViews(Path(folder) / "ledger.db")
        runner = Runner(
            reader=log, views=views, projector=Board(), wake=None, batch=batch
        )
        runner.catch_up()
        grown = dump(views)
        Runner(reader=log, views=views, projector=Board(), wake=None).rebuild()
        assert dump(views) == grown
        views.close()


def test_each_version_stands_from_its_event_to_the_next():
    """Ranges are half-open, without gap or overlap, and end with the current one."""
    log = random_kinds(3, length=200)
    with boards(stored(log)) as snapshot:
        rows = snapshot.select(
            "SELECT stream, valid_from, valid_to FROM {state_past} "
            "UNION ALL SELECT stream, valid_from, -1 FROM {state} ORDER BY 1, 2",
            {},
        )
        told: dict[str, list[tuple[int, int]]] = {}
        for stream, start, end in rows:
            told.setdefault(stream, []).append((start, end))
        for stream, ranges in told.items():
            positions = [row.position for row in log.all if row.stream == stream]
            assert ranges == list(zip(positions, [*positions[1:], -1], strict=True))
        firsts = dict(snapshot.select("SELECT stream, registered FROM {state}", {}))
        assert firsts == {stream: ranges[0][0] for stream, ranges in told.items()}


def census(size):
    """Return a log of one census that is listed in parts."""
    log = Log()
    for part in range(4):
        log.add(
            "census/C-1",
            "henji.census.listed.v1",
            {
                "cell": "g-1",
                "unit": "gouzhao",
                "entries": [
                    {"entry": f"E-{part}-{n}", "name": "示例", "kind": "restaurant"}
                    for n in range(size)
                ],
            },
        )
    return log


@pytest.mark.parametrize("size", [1, 500])
def test_a_large_past_state_is_folded_again_and_not_stored(size):
    """A thousand versions of a large state are not a thousand copies of it."""
    log = census(size)
    store = stored(log)
    with boards(store) as snapshot:
        bodies = snapshot.select("SELECT length(body) FROM {state_past}", {})
        assert len(bodies) == 3
        assert all(length <= states.LARGEST_KEPT for (length,) in bodies)
        large = any(length == 0 for (length,) in bodies)
        assert large == (size > 1)
        for at in range(1, 5):
            cut = cut_of(store, position=at)
            view, told = ViewWorld(snapshot, store, cut), LogWorld(store, cut)
            row = view.state("census/C-1")
            assert isinstance(row.state, censuses.Census)
            assert len(row.state.cells["g-1"].listed) == at * size
            assert row == told.state("census/C-1")
            found = moments.one(snapshot, "census/C-1", Moment(at))
            assert (found.body is None) == (at < 4 and bodies[at - 1][0] == 0)


def test_a_cut_that_the_read_models_do_not_have_is_refused():
    """A report never quietly rests on less than its cut says."""
    log = random_kinds(1, length=20)
    store = stored(log)
    with boards(stored(Log(log.all[:10]))) as snapshot:
        ViewWorld(snapshot, store, cut_of(store, position=10))
        with pytest.raises(errors.Unavailable) as caught:
            ViewWorld(snapshot, store, cut_of(store, position=11))
        assert caught.value.code == "projection_behind"


def test_a_cut_names_its_root_and_its_instant():
    """Nothing is read beyond the log; now is as_at, else when it was sealed."""
    log = random_kinds(1, length=9)
    store = stored(log)
    newest = cut_of(store)
    assert (newest.position, newest.root) == (9, store.head().root)
    assert newest.now == log.all[-1].ingested
    earlier = cut_of(store, position=4)
    assert earlier.root != newest.root
    assert earlier.now == log.all[3].ingested
    assert cut_of(store, as_at=5).now == 5
    assert cut_of(store, as_at=5, now=6).now == 6
    assert cut_of(stored(Log())).position == 0
    with pytest.raises(errors.Malformed) as caught:
        cut_of(store, position=10)
    assert caught.value.code == "position_ahead"
