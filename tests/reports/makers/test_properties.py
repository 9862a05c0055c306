"""What holds of every figure of every log: it is the number of streams it lists (I9)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.cut_world import LogWorld
from projections.reports import daily, ledger, ranking, weekly
from projections.reports.addresses import cells
from projections.reports.model import Question
from projections.world import Cut
from tests.projections.logs import START, random_log

DAY = 86_400_000_000
#: Report -> its period, and the blocks whose counts are of different commitments.
BLOCKS = {
    daily: ("2017-11-14", ("inspected", "found", "at_risk")),
    weekly: ("2017-W46", ("overall", "by_status", "forms")),
    ledger: ("2017-11-14", ("totals",)),
    ranking: ("2017-W46", ()),
}
#: Columns that count other things than commitments: differences, points, places.
_OTHER = frozenset({"change"})


@pytest.mark.parametrize("maker", BLOCKS, ids=lambda maker: maker.NAME)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), days=st.integers(0, 60))
def test_each_figure_is_the_number_of_its_events_and_streams(maker, seed, days):
    """Whatever happened, and whenever one asks; and the same cut says the same."""
    log = random_log(seed, keys=6, length=60)
    cut = Cut(len(log.all), b"\0" * 32, START + 3_600_000_000 + days * DAY)
    period, blocks = BLOCKS[maker]
    report = maker.make(LogWorld(log, cut), Question(period, previous_position=20))
    for found in cells(report):
        events = found.cell.events
        assert list(events) == sorted(set(events)), found.address
        assert all(0 < at <= cut.position for at in events), found.address
        parts = found.address.split("/")
        if parts[0] in blocks and found.kind == "int" and parts[-1] not in _OTHER:
            streams = {log.all[at - 1].stream for at in events}
            assert found.cell.value == len(events) == len(streams), found.address
    assert report == maker.make(
        LogWorld(log, cut), Question(period, previous_position=20)
    )


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), later=st.integers(1, 60))
def test_later_events_change_no_earlier_cut(seed, later):
    """I4: the ledger at a position is the same however much was sealed since."""
    log = random_log(seed, keys=6, length=60)
    cut = Cut(len(log.all), b"\0" * 32, START + DAY)
    before = ledger.make(LogWorld(log, cut), Question("2017-11-14"))
    log.commitment("C-new", "registered")
    for _ in range(later):
        log.commitment("C-new", "urged")
    assert ledger.make(LogWorld(log, cut), Question("2017-11-14")) == before
