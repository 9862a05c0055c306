"""What holds of every report of supervision, over random logs of all kinds of streams."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.cut_world import LogWorld, ViewWorld, cut_of
from projections.reports import (
    accountability,
    alert_measures,
    burden,
    census,
    lookback,
    patrol,
    relay,
    replay,
    seals,
)
from projections.reports.addresses import cells
from projections.reports.model import Question
from tests.projections.logs import DAY, START
from tests.projections.states.kinds import boards, random_kinds, stored
from tests.reports.makers.hand import texts

MAKERS = (
    accountability,
    alert_measures,
    burden,
    census,
    lookback,
    patrol,
    relay,
    replay,
    seals,
)
#: Integers that do not count events: sums of lists, days, minutes, numbers, spans.
NO_COUNTS = frozenset(
    {
        "added", "as_of", "corrected", "count", "days", "deciding", "evidence",
        "figures", "late", "left", "level", "listed", "met", "notice", "opening",
        "population", "position", "published", "required", "size", "step", "waiting",
        "workers",
    }
)  # fmt: skip
PERSONS = ("p:0f3a", "p:1")


def made(maker, world, **more):
    """Return a report, of the month in which random logs happen."""
    (definition,) = maker.DEFINITIONS
    period = "2017-11-24" if definition.period == "moment" else "2017-11"
    return definition.make(world, Question(period, **more))


@pytest.mark.parametrize("maker", MAKERS, ids=lambda module: module.HEAD.name)
@given(
    seed=st.integers(0, 2**32),
    at=st.floats(0, 1),
    as_at=st.none() | st.integers(-45, 45).map(lambda day: START + day * DAY),
)
@settings(max_examples=15, deadline=None)
def test_every_count_is_that_of_its_events(maker, seed, at, as_at):
    """G11, G7: counts list their events, the cut has them; twice the same; by post only."""
    log = random_kinds(seed, length=150)
    cut = cut_of(stored(log), position=int(at * len(log.all)), as_at=as_at)
    previous = cut.position // 2
    report = made(maker, LogWorld(log, cut), previous_position=previous)
    assert report == made(maker, LogWorld(log, cut), previous_position=previous)
    addresses = [entry.address for entry in cells(report)]
    assert len(addresses) == len(set(addresses))
    for entry in cells(report):
        events = entry.cell.events
        assert list(events) == sorted(set(events)), entry.address
        assert all(0 < position <= cut.position for position in events), entry.address
        parts = entry.address.split("/")
        name = parts[1] if parts[-1] == "value" else parts[-1]
        if (
            entry.kind == "int"
            and entry.cell.value is not None
            and name not in NO_COUNTS
        ):
            assert entry.cell.value == len(events), entry.address
    said = list(texts(report))
    assert not [text for text in said if text in PERSONS]


@pytest.mark.parametrize("maker", MAKERS, ids=lambda module: module.HEAD.name)
def test_read_models_and_the_log_give_the_same_report(maker):
    """G6: live or from the log alone, the same cut gives the same report."""
    for seed in range(3):
        log = random_kinds(seed, length=200)
        store = stored(log)
        with boards(store) as snapshot:
            cut = cut_of(store, position=len(log.all) - 20)
            for before in (None, cut.position // 2):
                asked = {"previous_position": before}
                live = made(maker, ViewWorld(snapshot, store, cut), **asked)
                assert live == made(maker, LogWorld(store, cut), **asked)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda module: module.HEAD.name)
def test_nothing_is_corrected_where_nothing_came_late(maker):
    """Told against the very cut it is made of, a report has no figure to correct."""
    log = random_kinds(5, length=200)
    cut = cut_of(stored(log), position=len(log.all))
    report = made(maker, LogWorld(log, cut), previous_position=cut.position)
    changed, late = report.corrections
    assert (changed.key, late.key) == ("corrections", "late_records")
    assert not changed.rows
    assert not late.rows


@pytest.mark.parametrize("maker", MAKERS, ids=lambda module: module.HEAD.name)
def test_an_empty_log_gives_a_report(maker):
    """At position 0 there are zeros and sentences, and a cut line."""
    log = random_kinds(1, length=10)
    cut = cut_of(stored(log), position=0, now=START)
    report = made(maker, LogWorld(log, cut))
    assert report.cut.position == 0
    assert report.cut.ruleset == "demo-2017/1"
    for section in report.sections:
        for block in section.blocks:
            if hasattr(block, "rows") and not block.rows:
                assert block.note
