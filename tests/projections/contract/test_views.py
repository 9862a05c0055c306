"""What every store of read models keeps, SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
import unittest
from datetime import date

import pytest
from eventsourcing.persistence import Tracking
from eventsourcing.tests.persistence import TrackingRecorderTestCase

from events import calendar
from events.errors import Conflict, Unavailable
from projections import queries
from projections.board import Board
from projections.views import Poison
from tests.projections.logs import LOOP, Log, random_log
from tests.projections.tables_dump import dump


def test_it_is_a_tracking_recorder_by_the_library_s_own_tests(views):
    """The library's conformance suite for tracking passes."""

    class Case(TrackingRecorderTestCase):
        def create_recorder(self):
            with views._writing() as connection:
                connection.execute("DELETE FROM view_tracking")
            return views

    suite = unittest.TestLoader().loadTestsFromTestCase(Case)
    result = unittest.TextTestRunner(verbosity=0).run(suite)
    assert result.testsRun == 2
    assert result.failures == result.errors == []


def test_waiting_ends_when_a_position_is_committed(views):
    """A waiter is woken by the commit, well before its timeout."""
    done = threading.Event()

    def wait():
        views.wait("upstream", 7, timeout=30)
        done.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    views.insert_tracking(Tracking("upstream", 7))
    assert done.wait(10)
    waiter.join()


def test_a_stale_writer_is_refused_and_writes_nothing(views, run):
    """Position compare-and-set: a zombie's batch is refused whole."""
    log = random_log(1, keys=3, length=40)
    run(log, views).catch_up()
    (live,) = views.generations("board")
    before = dump(views)
    stale = type(live)("board", live.number, live.version, "live", 10)
    changes = Board().fold(log.rows(after=10, limit=5), lambda *_: {})
    with pytest.raises(Conflict) as refused:
        views.apply(stale, Board().tables, position=15, changes=changes)
    assert refused.value.code == "projection_moved"
    assert dump(views) == before


def test_a_failed_write_leaves_rows_and_position_as_they_were(views, run):
    """Rows and position are one transaction: a refused row takes the position back."""
    log = random_log(2, keys=3, length=40)
    run(log, views).catch_up()
    (live,) = views.generations("board")
    before = dump(views)
    line = before["line"][0]
    with pytest.raises(Exception, match=r"(?i)unique"):
        views.apply(live, Board().tables, position=99, changes={"line": [line]})
    assert views.generations("board") == [live]
    assert dump(views) == before


def test_there_is_no_snapshot_before_the_first_build(views):
    """Reading an unbuilt projection says so instead of showing an empty board."""
    with pytest.raises(Unavailable) as refused, views.snapshot("board"):
        pass
    assert refused.value.code == "projection_not_ready"


def test_a_switch_waits_until_the_new_tables_have_caught_up(views, run):
    """A generation behind the live one does not become live."""
    log = random_log(3, keys=3, length=30)
    run(log, views).catch_up()
    made = views.create(Board())
    assert views.switch(made) is False
    assert [g.state for g in views.generations("board")] == ["live", "building"]


def test_a_retired_generation_takes_no_more_rows_and_is_dropped_one_switch_later(
    views, run
):
    """Old readers find their tables until the switch after next."""
    log = random_log(4, keys=3, length=30)
    runner = run(log, views)
    runner.catch_up()
    first = views.generations("board")[0]
    runner.rebuild()
    assert [g.state for g in views.generations("board")] == ["retired", "live"]
    with pytest.raises(Conflict):
        views.apply(first, Board().tables, position=first.position + 1, changes={})
    runner.rebuild()
    assert [g.number for g in views.generations("board")] == [2, 3]


def test_poison_is_shown_until_the_projection_moves_on(views):
    """Where and why it stopped is kept with the generation."""
    made = views.create(Board())
    views.stop_at(made, Poison(3, "henji.x.v1", "ValueError: no"))
    (stopped,) = views.generations("board")
    assert stopped.poison == Poison(3, "henji.x.v1", "ValueError: no")
    views.apply(stopped, Board().tables, position=3, changes={})
    assert views.generations("board")[0].poison is None


def test_two_stores_hold_the_same_rows(views, run, sqlite_views):
    """The rows do not depend on the database."""
    log = random_log(5, keys=8, length=200)
    log.add("unit/gouzhao", "henji.unit.created.v1", {"name": "沟赵 (模拟数据)"})
    for store in (views, sqlite_views):
        run(log, store, batch=37).catch_up()
    assert dump(views) == dump(sqlite_views)


def board(views, run):
    """Build a board of six commitments at six stages of the loop."""
    log = Log()
    for number in range(6):
        for what in LOOP[: number + 2]:
            due = f"2017-12-{20 - number}"
            changes = {"due": due} if what == "registered" else {}
            log.commitment(f"C-{number}", what, **changes)
    run(log, views).catch_up()
    return log


def keys(page):
    """Return the keys of a page in order."""
    return [row.key for row in page.rows]


def test_pages_follow_each_other_by_key_and_by_due(views, run):
    """Keyset pages cover everything once, in the order asked."""
    board(views, run)
    for order, expected in (("key", range(6)), ("due", range(5, -1, -1))):
        seen, place = [], None
        with views.snapshot("board") as snapshot:
            while True:
                page = queries.commitments(
                    snapshot, queries.Filter(), limit=4, order=order, after=place
                )
                seen += keys(page)
                place = page.next
                if place is None:
                    break
        assert seen == [f"C-{n}" for n in expected]


def test_filters_narrow_and_lists_mean_or(views, run):
    """Status, unit, kind, due, text and a rule given as a predicate."""
    board(views, run)
    with views.snapshot("board") as snapshot:

        def ask(keep=None, **narrow):
            page = queries.commitments(
                snapshot, queries.Filter(**narrow), limit=10, keep=keep
            )
            return keys(page)

        assert ask(statuses=("issued", "signed")) == ["C-0", "C-1"]
        assert ask(statuses=("claimed",), units=("gouzhao",)) == ["C-4"]
        assert ask(units=("nobody",)) == []
        assert ask(kinds=("supervision",), text="c-3") == ["C-3"]
        assert len(ask(text="封土")) == 6
        assert ask(text="%") == []
        due = calendar.end_of_day(date(2017, 12, 18))
        assert ask(due_before=due) == ["C-3", "C-4", "C-5"]
        assert ask(keep=lambda row: row.key > "C-3") == ["C-4", "C-5"]


def test_a_predicate_does_not_end_a_page_early(views, run):
    """Pages under a rule are filled from as many rows as it takes."""
    board(views, run)
    with views.snapshot("board") as snapshot:
        page = queries.commitments(
            snapshot,
            queries.Filter(),
            limit=2,
            keep=lambda row: row.key in {"C-0", "C-3", "C-5"},
        )
        rest = queries.commitments(
            snapshot,
            queries.Filter(),
            limit=2,
            after=page.next,
            keep=lambda row: row.key in {"C-0", "C-3", "C-5"},
        )
    assert (keys(page), keys(rest), rest.next) == (["C-0", "C-3"], ["C-5"], None)


def test_history_lists_every_version_without_a_gap(views, run):
    """Ranges of positions join, the last one is open."""
    log = board(views, run)
    with views.snapshot("board") as snapshot:
        versions = queries.history(snapshot, "C-5")
        lines = queries.lines(snapshot, "commitment/C-5", limit=10)
    positions = [r.position for r in log.all if r.stream == "commitment/C-5"]
    assert [v.valid_from for v in versions] == positions
    assert [v.valid_to for v in versions] == [*positions[1:], None]
    assert [line.position for line in lines] == positions
    assert lines[0].params["title"].startswith("封土")


def test_units_are_listed_with_their_state(views, run):
    """A unit row is the domain's own state."""
    log = Log()
    log.add("unit/gouzhao", "henji.unit.created.v1", {"name": "沟赵 (模拟数据)"})
    log.add("unit/gouzhao", "henji.unit.renamed.v1", {"name": "沟赵办 (模拟数据)"})
    run(log, views).catch_up()
    with views.snapshot("board") as snapshot:
        (row,) = queries.organisation(snapshot)
    assert (row.stream, row.position, row.state.name) == (
        "unit/gouzhao",
        2,
        "沟赵办 (模拟数据)",
    )
