"""Reports of a week are frozen over what was sealed on its Monday, each once."""

from __future__ import annotations

from events.entries import instant
from services.scheduling.freezing import Frozen, cut_at
from tests.scheduling.conftest import START, routine
from tests.support import scenario

DAY = scenario.DAY
BRIEF = "obligation/daily_brief/gouzhao"
FILE = {"format": "json", "sha256": "0b" * 32}


def test_nothing_is_cut_before_the_first_entry(desk):
    """A cut is of what was sealed by an instant; before the opening that is nothing."""
    store = desk.ledger.store
    assert cut_at(store, START - 1) is None
    assert cut_at(store, START).position == 1
    head = store.head()
    assert cut_at(store, START + DAY)[:2] == (head.size, head.root)


def test_a_weekly_report_is_frozen_on_monday_at_nine(desk):
    """It is made once for each week over what was sealed by then, however late."""
    calls = []

    def freeze(report, period, cut):
        calls.append((report, period, cut))
        return Frozen("weekly_bulletin/1", [FILE], title="通报（模拟数据）")

    desk.submit(routine())
    desk.clock.set("2017-11-19T12:00:00+08:00")
    desk.worker(freeze=freeze).catch_up()
    sealed = desk.ledger.store.head()
    desk.clock.set("2017-11-21T12:00:00+08:00")
    desk.worker(freeze=freeze).catch_up()
    desk.worker(freeze=freeze).catch_up()
    monday = instant("2017-11-20T09:00:00+08:00")
    ((report, period, cut),) = calls
    assert (report, period) == ("weekly_bulletin", "2017-W46")
    assert (cut.position, cut.root) == (sealed.size, sealed.root)
    assert (cut.now, cut.as_at) == (monday, monday)
    (event,) = [e for e in desk.appended() if e.type.endswith("frozen.v1")]
    assert (event.occurred, event.stream) == (
        monday,
        "report/weekly_bulletin/2017-W46",
    )
    assert event.data.cut.position == sealed.size
    assert event.data.cut.ruleset == "demo-2017/1"


def test_a_report_that_fails_stops_nothing_else(desk, capsys):
    """Its error is reported, it is set aside for a while, and the rest goes on."""
    failing = [True]

    def freeze(_report, _period, _cut):
        if failing.pop() if failing else False:
            raise RuntimeError("no font")
        return Frozen("weekly_bulletin/1", [FILE])

    desk.submit(routine())
    desk.clock.set("2017-11-20T19:00:00+08:00")
    worker = desk.worker(freeze=freeze)
    worker.catch_up()
    worker.catch_up()
    assert desk.lines()[-1] == f"11-20T18:00 missed {BRIEF}/2017-11-20"
    assert worker.refused == {
        "report.frozen/weekly_bulletin/2017-W46": "schedule_report_failed"
    }
    assert "no font" in capsys.readouterr().err
    desk.clock.now += scenario.HOUR + 1
    worker.catch_up()
    assert desk.lines()[-1].startswith("11-20T09:00 frozen report/weekly_bulletin")
