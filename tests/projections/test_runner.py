"""The runner: batches, crashes, poison, zombies, lag, rebuilds and a clean stop."""

from __future__ import annotations

import threading

import pytest

from events.errors import Unavailable
from projections import queries
from projections.board import Board
from tests.projections.logs import DAY, Log, random_log
from tests.projections.tables_dump import dump


class Broken(Board):
    """A board that cannot fold the entries at some positions."""

    __slots__ = ("bad",)

    def __init__(self, *bad):
        super().__init__()
        object.__setattr__(self, "bad", set(bad))

    def fold(self, rows, fetch):
        """Raise where a bad position is among the rows."""
        for row in rows:
            if row.position in self.bad:
                raise ValueError(f"cannot fold {row.position}")
        return super().fold(rows, fetch)


def test_batches_of_any_size_give_the_same_rows(tmp_path, run, sqlite_views):
    """Rows depend on the log, not on where a batch ends."""
    log = random_log(7, keys=6, length=120)
    run(log, sqlite_views).catch_up()
    expected = dump(sqlite_views)
    for batch in (1, 7, 64):
        store = type(sqlite_views)(tmp_path / f"{batch}.db")
        run(log, store, batch=batch).catch_up()
        assert dump(store) == expected
        store.close()


def test_a_crash_between_fold_and_commit_loses_and_doubles_nothing(
    run, sqlite_views, monkeypatch
):
    """Whether the commit is lost or only unacknowledged, the next runner goes on."""
    log = random_log(8, keys=6, length=100)
    apply = sqlite_views.apply
    crash = iter(["before", "after", "before", "after"])

    def crashing(*args, **kwargs):
        when = next(crash, None)
        if when == "before":
            raise KeyboardInterrupt
        done = apply(*args, **kwargs)
        if when == "after":
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(sqlite_views, "apply", crashing)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            run(log, sqlite_views, batch=20).catch_up()
    run(log, sqlite_views, batch=20).catch_up()
    grown = dump(sqlite_views)
    run(log, sqlite_views).rebuild()
    assert dump(sqlite_views) == grown
    assert len(grown["line"]) == len(log.all)


def test_a_poison_event_stops_with_its_position_type_and_reason(run, sqlite_views):
    """All before it is folded, it is not skipped, and the status shows it."""
    log = random_log(9, keys=4, length=50)
    run(Log(log.all[:10]), sqlite_views).catch_up()
    runner = run(log, sqlite_views, projector=Broken(33, 40))
    for _ in range(2):
        with pytest.raises(Unavailable) as stopped:
            runner.catch_up()
        assert stopped.value.code == "projection_stopped"
        assert stopped.value.parameters["position"] == 33
    status = runner.status(now=0)
    assert (status.position, status.poison.position) == (32, 33)
    assert status.poison.type == log.all[32].type
    assert "cannot fold 33" in status.poison.reason


def test_the_loop_ends_at_a_poison_event(run, sqlite_views):
    """``run`` returns instead of trying for ever."""
    log = random_log(9, keys=4, length=50)
    runner = run(log, sqlite_views, projector=Broken(5), batch=3)
    runner.run(threading.Event())
    assert runner.status(now=0).poison.position == 5


@pytest.mark.parametrize(("bad", "away"), [((), 0), ((33,), 0), ((33,), 2)])
def test_a_store_that_is_away_makes_no_entry_a_poison(
    run, sqlite_views, monkeypatch, bad, away
):
    """Neither in a fold nor in the search for a poison: it is asked again."""
    log = random_log(9, keys=4, length=50)
    fetch, left = sqlite_views.fetch, iter([False] * away + [True])

    def fetching(*args):
        if next(left, False):
            raise Unavailable("projection_store_unavailable")
        return fetch(*args)

    monkeypatch.setattr(sqlite_views, "fetch", fetching)
    with pytest.raises(Unavailable) as gone:
        run(log, sqlite_views, projector=Broken(*bad)).catch_up()
    assert gone.value.code == "projection_store_unavailable"
    runner = run(log, sqlite_views)
    assert runner.status(now=0).poison is None
    runner.catch_up()
    assert runner.status(now=0).position == len(log.all)


def test_a_repaired_projection_goes_on_where_it_stopped(run, sqlite_views):
    """After the repair the rows are as if nothing had been."""
    log = random_log(9, keys=4, length=50)
    with pytest.raises(Unavailable):
        run(log, sqlite_views, projector=Broken(33)).catch_up()
    runner = run(log, sqlite_views)
    runner.catch_up()
    assert runner.status(now=0).poison is None
    grown = dump(sqlite_views)
    runner.rebuild()
    assert dump(sqlite_views) == grown


def test_two_runners_of_one_projection_do_not_disturb_each_other(run, sqlite_views):
    """The slower one is refused, takes up the new position, and no row is doubled."""
    log = random_log(10, keys=4, length=90)
    one, two = (run(log, sqlite_views, batch=10) for _ in range(2))
    while one.step() + two.step():
        pass
    assert len(dump(sqlite_views)["line"]) == len(log.all)
    assert one.status(now=0).position == len(log.all)


def test_lag_counts_events_and_the_age_of_the_oldest(run, sqlite_views):
    """Lag is measured from the first entry that is not folded."""
    log = random_log(11, keys=4, length=30)
    runner = run(log, sqlite_views, batch=20)
    runner.step()
    now = log.all[20].ingested + DAY
    status = runner.status(now)
    assert (status.head, status.lag_events) == (len(log.all), len(log.all) - 20)
    assert status.lag_us == DAY
    runner.catch_up()
    assert (runner.status(now).lag_events, runner.status(now).lag_us) == (0, 0)


def test_a_rebuild_goes_on_beside_the_live_tables(run, sqlite_views):
    """Readers see the live tables whole until the new ones take over, then those."""
    log = random_log(12, keys=4, length=60)
    live = run(log, sqlite_views, batch=10)
    live.catch_up()
    seen = []

    class Watching(Board):
        def fold(self, rows, fetch):
            if len(seen) < 5:
                log.commitment(f"NEW-{len(seen)}", "registered")
                live.catch_up()
                with sqlite_views.snapshot("board") as snapshot:
                    seen.append(snapshot.generation)
                    assert queries.commitment(snapshot, f"NEW-{len(seen) - 1}")
            return super().fold(rows, fetch)

    made = run(log, sqlite_views, batch=10, projector=Watching()).rebuild()
    assert {generation.number for generation in seen} == {1}
    with sqlite_views.snapshot("board") as snapshot:
        assert snapshot.generation.number == made.number == 2
    log.commitment("AFTER", "registered")
    live.catch_up()
    live.catch_up()
    with sqlite_views.snapshot("board") as snapshot:
        assert queries.commitment(snapshot, "AFTER") is not None


def test_a_new_version_is_built_beside_the_old_one(run, sqlite_views):
    """Until it has caught up, the old version is what is read."""
    log = random_log(13, keys=4, length=60)
    run(log, sqlite_views).catch_up()
    newer = run(
        log, sqlite_views, projector=Board(version=Board().version + 1), batch=25
    )
    newer.step()
    with sqlite_views.snapshot("board") as snapshot:
        assert snapshot.generation.version == Board().version
    assert newer.status(now=0).building == 25
    newer.catch_up()
    with sqlite_views.snapshot("board") as snapshot:
        assert snapshot.generation.version == Board().version + 1


def test_the_loop_wakes_on_a_commit_and_stops_when_told(run, sqlite_views):
    """A running loop folds what arrives and ends cleanly."""
    log = random_log(14, keys=4, length=20)
    wake, stop = threading.Event(), threading.Event()
    runner = run(log, sqlite_views, wake=wake)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    sqlite_views.wait("board@1", len(log.all), timeout=30)
    log.commitment("LATER", "registered")
    wake.set()
    sqlite_views.wait("board@1", len(log.all), timeout=30)
    stop.set()
    wake.set()
    thread.join(30)
    assert not thread.is_alive()
