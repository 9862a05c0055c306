"""The brief, bulletin, ledger and countdown against the campaign's own answer key."""

from __future__ import annotations

from collections import Counter

import pytest

from events.domain.commitment_state import STATUSES
from events.domain.periods import week_of
from projections.reports import countdown, ledger, weekly
from projections.reports.bulletin_annexes import overdue_table
from projections.reports.daily_tables import missing
from projections.reports.model import Question
from projections.reports.pieces import scene
from tests.reports.makers.books import found, zh
from tests.reports.makers.hand import figure
from tests.reports.makers.test_campaign import CUTS, answered

#: Official status in Chinese -> its code.
CODES = {
    texts["zh"]: code for code, texts in ((c, weekly.status_text(c)) for c in STATUSES)
}
WEEK = "2017-W47"


@pytest.fixture(params=CUTS, ids="-".join, scope="module")
def cut(request):
    """Return a world and what the key says of commitments and duties in it."""
    return answered(*request.param)


def test_the_states_of_the_bulletin_are_those_of_the_key(cut):
    """Each status has as many commitments as the generator made of it."""
    world, key = cut
    told = key["commitment"]
    rows = found(weekly.make(world, Question(WEEK)), "by_status")
    *states, total = rows
    assert {CODES[zh(row["status"])]: row["count"] for row in states} == told[
        "by_status"
    ]
    assert total["count"] == told["registered"]


def test_the_sheets_of_the_ledger_are_those_of_the_key(cut):
    """Registered, overdue, claimed, withdrawn; extensions, returns and look-backs."""
    world, key = cut
    told, report = key["commitment"], ledger.make(world, Question("2017-11-24"))
    states = Counter(told["by_status"])
    assert figure(report, "totals", "all") == told["registered"]
    assert figure(report, "totals", "overdue") == told["overdue_by_current_due"]
    assert figure(report, "totals", "to_verify") == states["claimed"]
    withdrawn = states["cancelled"] + states["superseded"]
    assert figure(report, "totals", "withdrawn") == withdrawn
    rows = found(report, "all")
    assert sum(row["extensions"] for row in rows) == told["extensions"]
    assert sum(row["returns"] for row in rows) == told["returns"]
    assert sum(row["lookbacks"] for row in rows) == sum(told["lookbacks"].values())


def test_the_overdue_of_the_bulletin_are_those_of_the_key(cut):
    """A bulletin on the week of the cut tells what is overdue at the cut."""
    world, key = cut
    one = scene(world, Question(week_of(world.cut.now)))
    rows = overdue_table(one).rows
    assert len(rows) == key["commitment"]["overdue_by_current_due"]


def test_missed_duties_of_each_day_are_those_of_the_key(cut):
    """What each brief says is missed adds up to what the generator let be missed."""
    world, key = cut
    kinds = key.get("obligation", {}).get("by_kind", {}).get("daily_brief", {})
    days = sorted(
        {
            row.state.period
            for row in world.states("obligation")
            if row.state.kind == "daily_brief"
        }
    )
    one = scene(world, Question("2017-11-24"))
    told = Counter(row[3].value["zh"] for day in days for row in missing(one, day).rows)
    assert told["缺报"] == kinds.get("missed", 0)
    assert told["迟报"] == kinds.get("met_late", 0)
    assert told["免报"] == kinds.get("waived", 0)


def test_the_countdown_adds_up(cut):
    """Handed out is closed, open, and what ended otherwise."""
    world, key = cut
    report = countdown.make(world, Question("2017-11-24"))
    states = Counter(key["commitment"]["by_status"])
    assert figure(report, "promises", "closed") <= states["closed"]
    rows = found(report, "themes")
    assert sum(row["total"] for row in rows) == figure(report, "promises", "handed_out")
