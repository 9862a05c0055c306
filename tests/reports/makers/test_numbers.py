"""G11 over the demonstration's campaign: every number of every report expands."""

from __future__ import annotations

import pytest

from projections.cut_world import LogWorld
from projections.reports.addresses import cells, explain
from projections.reports.model import Question
from projections.reports.registry import REPORTS
from projections.world import Cut
from services.demo.campaign.key import INSTANTS
from tests.reports.makers.books import ROOT, _Rows
from tests.reports.makers.test_campaign import campaign

#: What a report is asked about, by the kind of its period, on the day of the slogan.
PERIODS = {
    "day": "2017-11-24",
    "week": "2017-W47",
    "moment": "2017-11-24",
    "campaign": "",
}


@pytest.fixture(scope="module")
def world():
    """Return the campaign as it was known at one instant."""
    instant = INSTANTS["slogan"]
    _, rows = campaign()
    position = sum(row.ingested <= instant for row in rows)
    return LogWorld(_Rows(rows), Cut(position, ROOT, instant))


def subject(world):
    """Return the subject with most problems: its file has most to expand."""
    found = [row.state.subject for row in world.states("issue") if row.state.subject]
    return max(sorted(set(found)), key=found.count)


@pytest.mark.parametrize("name", REPORTS)
def test_every_number_of_a_report_expands(world, name):
    """Each numeric cell names events of the cut; only a 0 may have none."""
    definition = REPORTS[name]
    asked = Question(PERIODS[definition.period], subject=None)
    if name == "subject_file":
        asked = Question("2017-11-24", subject=subject(world))
    report = definition.make(world, asked)
    everything = list(cells(report))
    assert len({one.address for one in everything}) == len(everything)
    numbers = [one for one in everything if isinstance(one.cell.value, int | float)]
    assert numbers
    beyond = [
        one.address
        for one in numbers
        if not all(0 < at <= report.cut.position for at in one.cell.events)
    ]
    dark = [one.address for one in numbers if one.cell.value and not one.cell.events]
    assert (beyond, dark) == ([], [])
    # Looking an address up reads the report: one of each column stands for the rest.
    for one in {_column(one.address): one for one in numbers}.values():
        assert explain(report, one.address) == one.cell.events


def _column(address):
    """Return the address without its row."""
    first, *_, last = address.split("/")
    return first, last
