"""Read models and reports: of the log alone, of its past, and of nothing but events."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.memory import MemoryStore
from events.submissions import Accepted
from projections import queries, status
from projections.cut_world import LogWorld, ViewWorld
from projections.reports.addresses import cells
from projections.reports.registry import REPORTS
from projections.views import Snapshot
from services import reporting
from services.exports.members import named, told
from services.reporting import Asked, View
from tests.invariants.history import (
    EVERYBODY,
    SITES,
    History,
    cut_at,
    on_disk,
    projected,
    runner_of,
)
from tests.projections.tables_dump import dump
from tests.support import scenario
from tests.support.desk import OPERATOR, Desk

seeds = st.integers(0, 2**32)
#: What every history can be asked for, whatever happened in it.
REPORTED = sorted(set(REPORTS) - {"countdown"})
#: Report -> blocks whose counts are each of as many streams as of events.
COUNTED = {
    "daily_brief": ("inspected", "found", "at_risk"),
    "weekly_bulletin": ("overall", "by_status", "forms"),
    "ledger": ("totals",),
}
#: Columns that count other things: differences, lines.
_OTHER = frozenset({"change", "no"})


def asked(name):
    """Return the question for a report, with corrections since early in the log."""
    subject = SITES[0] if name == "subject_file" else None
    return Asked(name, subject=subject, previous=20)


def written(world, name):
    """Return a report's bytes, as JSON."""
    report = reporting.made(world, asked(name))
    form = reporting.format_of(REPORTS[name], "json")
    return reporting.written(report, form, View("zh"))


@settings(deadline=None, max_examples=4)
@given(seed=seeds, batch=st.integers(1, 40))
def test_i03_a_rebuild_from_nothing_is_what_grew(seed, batch):
    """Every row of every read model, and every report, byte for byte; and what the
    log alone gives is the same.
    """
    with on_disk(seed) as (history, views):
        for _ in range(4):
            history.grow(30)
            runner_of(history.store, views, batch=batch).catch_up()
        cut = cut_at(history)
        grown = dump(views)
        with views.snapshot("board") as snapshot:
            live = ViewWorld(snapshot, history.store, cut)
            before = {name: written(live, name) for name in REPORTED}
        runner_of(history.store, views).rebuild()
        assert dump(views) == grown
        with views.snapshot("board") as snapshot:
            rebuilt = ViewWorld(snapshot, history.store, cut)
            assert {name: written(rebuilt, name) for name in REPORTED} == before
        alone = LogWorld(history.store, cut)
        assert {name: written(alone, name) for name in REPORTED} == before


@settings(deadline=None, max_examples=12)
@given(seed=seeds, later=st.integers(30, 120))
def test_i04_later_events_change_no_earlier_answer(seed, later):
    """The board, its counts, timelines and reports as of a position stay the same."""
    history = History(seed).grow(90)
    cut = cut_at(history)
    before = _answers(history, cut)
    history.grow(later)
    assert _answers(history, cut) == before


def _answers(history, cut):
    with projected(history.store) as views, views.snapshot("board") as snapshot:
        page = queries.commitments(
            snapshot, queries.Filter(), limit=1000, as_of=cut.position
        )
        world = ViewWorld(snapshot, history.store, cut)
        kinds = {row.stream.partition("/")[0] for row in history.rows}
        return (
            page.rows,
            queries.counts(snapshot, as_of=cut.position),
            [
                queries.lines(
                    snapshot, f"commitment/{row.key}", limit=1000, as_of=cut.position
                )
                for row in page.rows
            ],
            [state for kind in sorted(kinds) for state in world.states(kind)],
            {name: written(world, name) for name in REPORTED},
        )


@settings(deadline=None, max_examples=10)
@given(seed=seeds, shuffled=st.integers(0, 2**32).map(Random))
def test_i08_the_order_of_independent_streams_changes_no_view(seed, shuffled):
    """Streams that name each other keep their order; all others may come anyhow."""
    history = History(seed).grow(120)
    events = [event for event, _ in history.accepted]
    parts = _independent(history)
    mixed = []
    while parts:
        mixed.append(shuffled.choice(parts).pop(0))
        parts = [part for part in parts if part]
    assert len(mixed) == len(events)
    one, two = _sealed_at_once(history, events), _sealed_at_once(history, mixed)
    with (
        projected(one) as a,
        projected(two) as b,
        a.snapshot("board") as left,
        b.snapshot("board") as right,
    ):
        assert _without_positions(left) == _without_positions(right)
        assert queries.counts(left) == queries.counts(right)


def _independent(history):
    """Return the accepted events in parts: no event names a stream of another part."""
    group: dict[str, str] = {}

    def find(stream):
        while group.setdefault(stream, stream) != stream:
            stream = group[stream]
        return stream

    by_position = {row.position: row for row in history.rows}
    for _, answer in history.accepted:
        entry = told(by_position[answer.position])
        for stream, _ in named(entry):
            if not stream.startswith(("unit/", "post/")):
                group[find(stream)] = find(entry.row.stream)
    parts = defaultdict(list)
    for event, answer in history.accepted:
        parts[find(answer.stream)].append(event)
    return list(parts.values())


def _sealed_at_once(history, events):
    """Return a log with these events in this order, all sealed at the same instant."""
    desk = Desk(MemoryStore()).begin()
    for row in history.rows:
        if row.stream == f"access/{EVERYBODY}":
            key = msgspec.json.decode(row.entry)
            event = {"type": row.type, "subject": row.stream, "data": key["data"]}
            made = {"specversion": "1.0", "id": row.id, "source": row.source, **event}
            assert isinstance(desk.one(made, key=OPERATOR), Accepted)
    desk.clock.now = history.now
    answers = desk.submit(events, key=EVERYBODY)
    assert all(isinstance(answer, Accepted) for answer in answers), answers
    return desk.store


def _without_positions(snapshot: Snapshot):
    """Return every state and timeline, less what only numbers the entries."""
    replace = msgspec.structs.replace
    page = queries.commitments(snapshot, queries.Filter(), limit=1000)
    board = [replace(row, position=0, registered_position=0) for row in page.rows]
    states = snapshot.select(
        "SELECT stream, kind, status, unit, parent, body FROM {state} ORDER BY stream",
        {},
    )
    lines = [
        line._replace(position=0)
        for (stream,) in snapshot.select(
            "SELECT DISTINCT stream FROM {line} ORDER BY stream", {}
        )
        for line in queries.lines(snapshot, stream, limit=1000)
    ]
    assert all(type(row) is status.Status for row in board)
    return board, states, lines


@pytest.mark.parametrize("name", REPORTED)
@settings(deadline=None, max_examples=5)
@given(seed=seeds, days=st.integers(0, 60))
def test_i09_every_number_is_the_count_of_its_events(name, seed, days):
    """A count lists as many events, of as many streams, as it says; explanations are
    events of the cut, in order, and the same by the address of the cell.
    """
    history = History(seed).grow(120)
    cut = cut_at(history, now=scenario.START + days * scenario.DAY)
    streams = {row.position: row.stream for row in history.rows}
    world = LogWorld(history.store, cut)
    report = reporting.made(world, asked(name))
    assert report == reporting.made(world, asked(name))
    for found in cells(report):
        events = found.cell.events
        assert list(events) == sorted(set(events)), found.address
        assert all(0 < at <= cut.position for at in events), found.address
        block, *_, column = found.address.split("/")
        if found.kind == "int" and found.cell.value and column not in _OTHER:
            assert events, found.address
            if block in COUNTED.get(name, ()):
                assert found.cell.value == len(events), found.address
                assert found.cell.value == len({streams[at] for at in events})


def test_the_periods_and_kinds_that_are_asked_for_are_there():
    """What the histories leave out would be left out of every invariant here."""
    assert {REPORTS[name].period for name in REPORTED} == {"day", "week", "moment"}
    kinds = {row.stream.partition("/")[0] for row in History(1).grow(150).rows}
    assert {"commitment", "issue", "order", "accountability", "external"} <= kinds
