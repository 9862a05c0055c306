"""What was published stays; what was told later is told in the next issue."""

from __future__ import annotations

import hashlib

from hypothesis import event, given, settings
from hypothesis import strategies as st

from events.submissions import Accepted
from projections.cut_world import LogWorld
from projections.reports import weekly
from projections.reports.formats import json
from projections.reports.formats.rendering import View
from projections.reports.model import Question, Table
from tests.invariants.history import MONDAY, History, cut_at
from tests.support import scenario

seeds = st.integers(0, 2**32)


def bulletin(history, cut, week="2017-W46"):
    """Return the bulletin of a week at a cut, read from the log alone."""
    return weekly.make(LogWorld(history.store, cut), Question(week))


def figures(report):
    """Return {figure: (value, events)} of the week itself."""
    (table,) = [
        block
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Table) and block.key == "overall"
    ]
    return {row[0].value["en"]: (row[1].value, row[1].events) for row in table.rows}


def until(history, instant):
    """Let a history grow until an instant, and set the clock to it."""
    while history.now < instant:
        history.grow(1)
    history.desk.clock.now = max(history.now, instant)


@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_i12_late_records_change_no_frozen_bulletin_and_are_told_in_the_next(seed):
    """The bytes of Monday's cut stay; the next issue lists each figure that is known
    otherwise by now, as published and as it is known, with the late events.
    """
    history = History(seed, areas=("commitment", "case"))
    until(history, MONDAY)
    cut = cut_at(history, now=MONDAY, as_at=MONDAY)
    frozen = bulletin(history, cut)
    published = json.render(frozen, View("zh"))
    digest = hashlib.sha256(published).hexdigest()
    assert isinstance(history.freeze(cut, digest), Accepted)
    until(history, MONDAY + 7 * scenario.DAY)
    assert json.render(bulletin(history, cut), View("zh")) == published
    after = cut_at(history, now=MONDAY + 7 * scenario.DAY)
    revised = figures(bulletin(history, cut_at(history, now=MONDAY, as_at=MONDAY)))
    was = figures(frozen)
    changed = {name: (was[name], revised[name]) for name in was}
    told = {
        table.key: table for table in bulletin(history, after, "2017-W47").corrections
    }
    assert {
        figure.value["en"]: ((old.value, old.events), (new.value, new.events))
        for figure, old, new, _ in told["corrections"].rows
    } == {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    late = {row[0].events[0] for row in told["late_records"].rows}
    assert all(position > cut.position for position in late)
    assert all(history.store.row(position).occurred <= MONDAY for position in late)
    assert bool(late) >= bool(told["corrections"].rows)
    event(f"figures corrected: {len(told['corrections'].rows) > 0}")
