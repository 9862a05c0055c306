"""The board by the second clock, states of any kind in pages, and differences."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.entries import instant, rfc3339
from projections import differences, happened, queries, state_queries, status
from projections.cut_world import LogWorld, cut_of
from projections.facts import facts
from projections.moments import Moment
from projections.state_codec import STATES
from tests.projections.logs import DAY, START, Log, random_log
from tests.projections.states.kinds import boards, projected, random_kinds, stored

seeds = st.integers(0, 2**32)


def shuffled(seed, *, length=90, keys=5):
    """Return a log of commitments of which some events were recorded late."""
    choose = random.Random(seed)
    plain = random_log(seed, keys=keys, length=length)
    log = Log()
    for number, row in enumerate(plain.all):
        data = facts([row])[0].data
        day = choose.randrange(80) if choose.random() < 0.2 else 80 * number // length
        log.add(
            row.stream,
            row.type,
            queries.status.msgspec.json.decode(data),
            time=rfc3339(START + day * DAY),
        )
    return log


def expected(log, moment):
    """Fold each commitment of a log by itself: what the board must show."""
    rows = {}
    for stream in sorted({row.stream for row in log.all}):
        told = [r for r in log.all[: moment.position] if r.stream == stream]
        row = status.replay(facts(told), moment.as_at)
        if row is not None:
            rows[row.key] = row
    return rows


moments_ = st.tuples(st.floats(0, 1), st.integers(-1, 82))


@given(seed=seeds, chosen=moments_)
@settings(max_examples=20)
def test_the_board_of_an_instant_is_a_fold_of_what_had_happened(seed, chosen):
    """Only events sealed by the position and happened by the instant count."""
    log = shuffled(seed)
    moment = Moment(int(chosen[0] * len(log.all)), START + chosen[1] * DAY)
    store = stored(log)
    rows = expected(log, moment)
    tally: dict = {}
    for row in rows.values():
        place = (row.state.lead_unit, row.state.status)
        tally[place] = tally.get(place, 0) + 1
    with boards(store) as snapshot:
        assert whole(snapshot, store, moment) == list(rows.values())
        for key, row in rows.items():
            assert happened.commitment(snapshot, store, key, moment=moment) == row
        assert happened.commitment(snapshot, store, "no", moment=moment) is None
        assert happened.counts(snapshot, store, moment) == tally


def whole(snapshot, store, moment, narrow=None, limit=2):
    """Return all pages of the board at a moment."""
    found, after = [], None
    while True:
        page = happened.commitments(
            snapshot,
            store,
            narrow or queries.Filter(),
            moment=moment,
            limit=limit,
            after=after,
        )
        found += page.rows
        after = page.next
        if after is None:
            return found


FILTERS = (
    {"units": ("wutong",)},
    {"statuses": ("draft", "closed")},
    {"evidence": ("none",)},
    {"kinds": ("supervision",)},
    {"kinds": ("permit",)},
    {"themes": ("dust",)},
    {"campaigns": ("x",)},
    {"parent": "C-1"},
    {"due_from": instant("2017-12-20T00:00:00Z")},
    {"due_before": instant("2017-12-20T00:00:00Z")},
    {"text": "c-1"},
    {"text": "SITES"},
    {"text": "%"},
)


@pytest.mark.parametrize("narrow", FILTERS, ids=str)
def test_filters_of_both_clocks_are_the_same(narrow):
    """Of an instant after everything, a filter finds what it finds of the position."""
    log = random_log(7, keys=9, length=120)
    store, asked = stored(log), queries.Filter(**narrow)
    moment = Moment(len(log.all), START + 999 * DAY)
    with boards(store) as snapshot:
        now = queries.commitments(snapshot, asked, limit=100)
        past = queries.commitments(snapshot, asked, limit=100, as_of=len(log.all))
        assert whole(snapshot, store, moment, asked) == now.rows == past.rows


def test_a_range_of_dues_is_half_open():
    """From the first instant on, before the last, as on the board of now."""
    log = Log()
    log.commitment("C-1", "registered")
    store, moment = stored(log), Moment(1, START + 999 * DAY)
    with boards(store) as snapshot:
        due = queries.commitment(snapshot, "C-1").current_due
        for first, last, there in (
            (due, due + 1, True),
            (due + 1, None, False),
            (None, due, False),
        ):
            asked = queries.Filter(due_from=first, due_before=last)
            rows = whole(snapshot, store, moment, asked)
            assert bool(rows) == there
            assert rows == queries.commitments(snapshot, asked, limit=9).rows


def pages(snapshot, store, kind, narrow, moment):
    """Return all pages of the states of a kind."""
    found, after = [], None
    while True:
        page = state_queries.page(
            snapshot, store, kind, narrow, moment=moment, limit=2, after=after
        )
        found += page.rows
        after = page.next
        if after is None:
            return found


def test_states_come_in_pages_now_and_of_any_moment(views):
    """Pages of states are those of a fold of the log, on both databases."""
    log = random_kinds(5, length=300, streams=5)
    store, end = stored(log), len(log.all)
    projected(store, views)
    with views.snapshot("board") as snapshot:
        for moment in (None, Moment(end), Moment(end // 2), Moment(end, START)):
            cut = moment or Moment(end)
            world = LogWorld(store, cut_of(store, position=cut[0], as_at=cut[1]))
            for kind in STATES:
                rows = pages(snapshot, store, kind, state_queries.Narrow(), moment)
                told = world.states(kind)
                assert [(r.stream, r.key, r.state) for r in rows] == [
                    (r.stream, r.key, r.state) for r in told
                ]
                assert [r.position for r in rows] == [r.events[-1] for r in told]
                for row in rows:
                    assert state_queries.one(snapshot, store, row.stream, cut) == row


def test_states_are_narrowed_by_status_and_unit(views):
    """Both filters, and both together, now and of a moment, on both databases."""
    log = random_kinds(9, length=200, streams=9, kinds=("issue", "commitment"))
    store, end = stored(log), len(log.all)
    projected(store, views)
    with views.snapshot("board") as snapshot:
        for kind in ("issue", "commitment"):
            rows = pages(snapshot, store, kind, state_queries.Narrow(), None)
            statuses = sorted({row.state.status for row in rows})[:2]
            units = tuple(sorted({row.unit for row in rows if row.unit}))[:1]
            assert units
            for narrow in (
                state_queries.Narrow(statuses=tuple(statuses)),
                state_queries.Narrow(units=units),
                state_queries.Narrow(statuses=(statuses[0],), units=units),
                state_queries.Narrow(units=("nobody",)),
            ):
                wanted = [
                    row
                    for row in rows
                    if (not narrow.statuses or row.state.status in narrow.statuses)
                    and (not narrow.units or row.unit in narrow.units)
                ]
                assert pages(snapshot, store, kind, narrow, None) == wanted
                assert pages(snapshot, store, kind, narrow, Moment(end)) == wanted


@given(seed=seeds, places=st.tuples(st.floats(0, 1), st.floats(0, 1)))
@settings(max_examples=20)
def test_a_difference_is_between_the_boards_of_two_positions(seed, places):
    """Every commitment that differs is found, with the events that made it differ."""
    log = shuffled(seed, length=70)
    start, end = (int(place * len(log.all)) for place in sorted(places))
    store = stored(log)
    with boards(store) as snapshot:
        checked(log, snapshot, start, end)


def test_differences_are_the_same_on_both_databases(views):
    """The queries are one text for SQLite and PostgreSQL."""
    log = shuffled(11, length=120, keys=12)
    projected(stored(log), views)
    with views.snapshot("board") as snapshot:
        for start, end in ((0, 120), (0, 0), (30, 90), (100, len(log.all))):
            checked(log, snapshot, min(start, len(log.all)), min(end, len(log.all)))


def checked(log, snapshot, start, end):
    """Compare pages and totals with two folds."""
    span = differences.Span(start, end, 3 * DAY)
    before = expected(log, Moment(start))
    after = expected(log, Moment(end))
    found, place = [], None
    while True:
        page = differences.differences(snapshot, span, limit=2, after=place)
        found += page.rows
        place = page.next
        if place is None:
            break
    told = {row.after.key: row for row in found}
    assert list(told) == sorted(told)
    between = {}
    for fact in facts(log.all[start:end]):
        between.setdefault(fact.stream.partition("/")[2], []).append(fact)
    for key, row in after.items():
        was = before.get(key)
        same = (
            was is not None
            and was.state.status == row.state.status
            and was.current_due == row.current_due
        )
        assert (key not in told) == same
        if not same:
            shown = told[key]
            assert (shown.before, shown.after) == (was, row)
            assert shown.events == tuple(f.position for f in between[key])
            assert shown.late == tuple(
                f.position for f in between[key] if f.recorded - f.occurred > 3 * DAY
            )
    totals = differences.totals(snapshot, span)
    for name in ("added", "status", "due", "finished", "ended"):
        assert getattr(totals, name) == sum(name in row.changes for row in found)
    assert totals.events == sum(map(len, between.values()))
    assert totals.late_records == sum(
        fact.recorded - fact.occurred > 3 * DAY
        for told_ in between.values()
        for fact in told_
    )
    assert totals.added == len(after) - len(before)
