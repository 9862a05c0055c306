"""A worker appends what time makes due, each once and in order, however it was away."""

from __future__ import annotations

import pytest

from events import errors
from events.entries import instant
from services.scheduling import appending
from services.scheduling import worker as module
from services.scheduling.freezing import Frozen
from services.scheduling.worker import Chore, publish
from services.telemetry import Metrics
from services.wiring import open_ledger
from tests.scheduling.conftest import START, Desk, OneLease, routine
from tests.support import scenario

DAY = scenario.DAY
BRIEF = "obligation/daily_brief/gouzhao"
FILE = {"format": "json", "sha256": "0b" * 32}


def promise(desk, key="A", due="2017-11-24", **more):
    """Put a commitment on record that was issued and signed for on 14 November."""
    steps = scenario.loop(key, due=due, **more)[:3]
    desk.submit(*scenario.delegated(steps))


def extended(key, new_due, at):
    """Return the events that extend a commitment's due."""
    asked = {"new_due": new_due, "reason": "Parts are late.", "progress": "Half."}
    when = instant(at)
    return [
        scenario.acting(who, scenario.commitment(what, key, data, time=when))
        for who, what, data in (
            ("lead", "plan_filed", {"summary": "Three teams."}),
            ("lead", "extension_requested", asked),
            ("boss", "extension_granted", {}),
        )
    ]


def test_an_obligation_is_scheduled_and_then_missed(desk):
    """It is owed from the beginning of its day, and missed once the hour has passed."""
    desk.submit(routine())
    desk.clock.set("2017-11-15T17:59:59+08:00")
    worker = desk.worker()
    worker.catch_up()
    assert desk.lines() == [f"11-15T00:00 scheduled {BRIEF}/2017-11-15"]
    desk.clock.set("2017-11-15T18:00:00+08:00")
    worker.catch_up()
    assert desk.lines()[1:] == [f"11-15T18:00 missed {BRIEF}/2017-11-15"]


def test_what_was_met_is_not_missed(desk):
    """Whoever shows in time that it was done has missed nothing."""
    desk.submit(routine())
    desk.clock.set("2017-11-15T17:00:00+08:00")
    worker = desk.worker()
    worker.catch_up()
    met = {"met_at": "2017-11-15T09:00:00Z", "evidence": ["ab" * 32]}
    desk.submit(
        scenario.event(
            "henji.obligation.met.v1",
            f"{BRIEF}/2017-11-15",
            met,
            event_id="met",
            time=desk.clock.now,
        )
    )
    desk.clock.set("2017-11-15T23:00:00+08:00")
    worker.catch_up()
    assert [line.split()[1] for line in desk.lines()] == ["scheduled"]


def test_ten_days_away_are_caught_up_in_order(desk):
    """All of ten days is appended by its own instants, recorded now, in order of time."""
    desk.submit(routine(), routine("hq", due_time="12:00", due_days_later=1))
    promise(desk, due="2017-11-16")
    desk.clock.now = START
    desk.worker().catch_up()
    assert desk.lines() == []
    desk.clock.set("2017-11-25T15:00:00+08:00")
    desk.worker().catch_up()
    done = desk.appended()
    instants = [event.occurred for event in done]
    assert instants == sorted(instants)
    assert {event.recorded for event in done} == {desk.clock.now}
    for unit, missed in (("gouzhao", 10), ("hq", 10)):
        mine = [event for event in done if f"/{unit}/" in event.stream]
        what = [event.type.split(".")[2] for event in mine]
        assert (what.count("scheduled"), what.count("missed")) == (11, missed)
    urged = [line for line in desk.lines() if "urged" in line or "clue" in line]
    assert urged == [
        "11-17T00:00 urged commitment/A",
        "11-20T00:00 urged commitment/A",
        "11-23T00:00 urged commitment/A",
        "11-23T00:00 clue_registered accountability/urging-A-0",
    ]
    levels = [event.data.level for event in done if event.type.endswith("urged.v1")]
    assert levels == ["blue", "orange", "red"]


def test_a_restarted_worker_appends_nothing_again(desk):
    """What was done is in the log: a new worker finds nothing left to do."""
    desk.submit(routine())
    promise(desk)
    desk.clock.set("2017-12-05T10:00:00+08:00")
    desk.worker().catch_up()
    before = desk.lines()
    health = desk.worker().catch_up()
    assert (health.appended, desk.lines()) == (0, before)
    assert len(before) > 40


def test_a_stopped_and_restarted_worker_does_what_one_does(desk, tmp_path, clock):
    """A worker that is restarted every few hours leaves the same events as one that came late."""
    desk.submit(routine(), routine("hq", rhythm="weekly", due_weekday=5))
    promise(desk)
    for hours in range(0, 24 * 14, 7):
        clock.now = START + hours * scenario.HOUR
        desk.worker().catch_up()
    clock.now = START + 14 * DAY
    desk.worker().catch_up()
    settings = desk.ledger.settings
    other = settings.__class__(data_dir=tmp_path / "other", origin=settings.origin)
    with open_ledger(other) as ledger:
        late = Desk(ledger, clock)
        late.submit(*scenario.groundwork())
        late.submit(routine(), routine("hq", rhythm="weekly", due_weekday=5))
        promise(late)
        late.worker().catch_up()
        assert sorted(late.lines()) == sorted(desk.lines())
        assert [e.id for e in late.appended()] == [e.id for e in desk.appended()]


def test_a_clock_set_back_does_no_harm(desk):
    """Nothing is appended twice, and what becomes due later is not forgotten."""
    desk.submit(routine())
    worker = desk.worker()
    for moment in ("2017-11-20T19:00", "2017-11-16T19:00", "2017-11-21T19:00"):
        desk.clock.set(f"{moment}:00+08:00")
        worker.catch_up()
    ids = [event.id for event in desk.appended()]
    assert len(ids) == len(set(ids)) == 14


def test_a_clock_set_far_ahead_is_caught_up(desk):
    """A jump of a year is worked off as a year's downtime would be."""
    desk.submit(routine())
    worker = desk.worker()
    worker.catch_up()
    desk.clock.now += 365 * DAY
    worker.catch_up()
    assert len(desk.appended()) == 2 * 365 - 1
    assert worker.health.behind == 0


def test_an_ended_commitment_is_urged_no_more(desk):
    """A close before the due ends the urging; a reopening begins it anew."""
    steps = list(scenario.delegated(scenario.loop("A", due="2017-11-30")))
    desk.submit(*steps)
    desk.clock.set("2017-12-20T10:00:00+08:00")
    worker = desk.worker()
    worker.catch_up()
    assert desk.lines() == []
    assert worker._states.promises == {}


def test_an_extension_begins_a_new_cycle(desk):
    """The new due has its own sheets; a level below the one that was reached stays out."""
    promise(desk, due="2017-11-24")
    worker = desk.worker()
    desk.clock.set("2017-11-23T10:00:00+08:00")
    worker.catch_up()
    desk.submit(*extended("A", "2017-11-30", "2017-11-23T11:00:00+08:00"))
    desk.clock.set("2017-12-01T10:00:00+08:00")
    worker.catch_up()
    assert desk.lines() == [
        "11-21T00:00 urged commitment/A",
        "11-27T00:00 urged commitment/A",
        "12-01T00:00 urged commitment/A",
    ]
    assert [event.id.split("/")[-2:] for event in desk.appended()] == [
        ["0", "reminder"],
        ["1", "reminder"],
        ["1", "blue"],
    ]


def test_what_somebody_urged_is_not_urged_again(desk):
    """A sheet that a person sent counts as sent in its cycle."""
    promise(desk, due="2017-11-20")
    at = instant("2017-11-21T08:00:00+08:00")
    sheet = scenario.commitment("urged", "A", {"level": "orange"}, time=at)
    desk.submit(scenario.acting("office", sheet))
    desk.clock.set("2017-11-30T10:00:00+08:00")
    desk.worker().catch_up()
    levels = [e.data.level for e in desk.appended() if e.type.endswith("urged.v1")]
    assert levels == ["red"]


def test_a_stale_plan_is_not_appended(desk, monkeypatch):
    """What happens between planning and appending is seen: it is planned anew.

    Nor is a clue, whose red sheet was not appended.
    """
    promise(desk, due="2017-11-20")
    worker = desk.worker()
    desk.clock.set("2017-11-28T10:00:00+08:00")
    real, late = module.append, extended("A", "2017-12-29", "2017-11-20T09:00:00+08:00")

    def slow(ledger, dues, *, now):
        while late:
            desk.submit(late.pop(0))
        return real(ledger, dues, now=now)

    monkeypatch.setattr(module, "append", slow)
    worker.catch_up()
    assert desk.lines() == []
    worker.catch_up()
    assert (desk.lines(), worker.refused) == ([], {})


def test_what_follows_something_set_aside_waits_with_it(desk, monkeypatch):
    """A sheet that was refused holds back the later ones and the clue, for an hour."""
    promise(desk, due="2017-11-20")
    desk.submit(routine())
    desk.clock.set("2017-11-28T10:00:00+08:00")
    worker, real = desk.worker(), appending.prepare

    def prepared(submission):
        if submission.id == "commitment.urged/A/0/blue":
            return errors.Refused("rule_failed")
        return real(submission)

    monkeypatch.setattr(appending, "prepare", prepared)
    worker.catch_up()
    assert [line for line in desk.lines() if "obligation" not in line] == [
        "11-15T00:00 urged commitment/A"
    ]
    assert worker.refused == {"commitment.urged/A/0/blue": "rule_failed"}
    assert worker.health.behind == 0
    monkeypatch.setattr(appending, "prepare", real)
    desk.clock.now += scenario.HOUR + 1
    worker.catch_up()
    assert "11-27T00:00 clue_registered accountability/urging-A-0" in desk.lines()


def test_a_refusal_stops_nothing_and_is_shown(desk):
    """What the log refuses is set aside and named; the rest is appended."""
    desk.submit(routine("audit"), routine())
    desk.submit(
        scenario.event(
            "henji.unit.merged.v1",
            "unit/audit",
            {"into": "hq", "reason": "Reform (fictional)."},
            event_id="merge",
        )
    )
    desk.clock.set("2017-11-15T12:00:00+08:00")
    worker = desk.worker()
    worker.catch_up()
    assert desk.lines() == [f"11-15T00:00 scheduled {BRIEF}/2017-11-15"]
    assert set(worker.refused.values()) == {"unit_not_active"}


def test_without_the_lease_nothing_is_appended(desk):
    """A standby follows the log and appends nothing."""
    desk.submit(routine())
    desk.clock.now += 3 * DAY
    lease = OneLease(granted=False)
    worker = desk.worker(leases=lease)
    assert worker.catch_up().leading is False
    assert desk.lines() == []
    assert worker._states.position == desk.ledger.store.head().size
    lease.granted = True
    worker.catch_up()
    assert desk.lines()


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


def test_chores_are_done_every_so_often(desk):
    """A chore runs at once, then by its interval, and its failure stops nothing."""
    runs = []

    def chore(now):
        runs.append(now)
        raise errors.Unavailable("projection_not_ready")

    worker = desk.worker(chores=[Chore("x", DAY, chore)])
    for _ in range(3):
        worker.step()
    assert len(runs) == 1
    desk.clock.now += DAY
    worker.step()
    assert len(runs) == 2


def test_the_lag_is_measured(desk):
    """How long the oldest event that is due has waited is published, with the last run."""
    desk.submit(routine())
    metrics, worker = Metrics(), desk.worker()
    publish(metrics, worker)
    desk.clock.set("2017-11-15T00:01:00+08:00")
    worker.step()
    value = metrics.registry.get_sample_value
    assert value("henji_schedule_lag_seconds") == 60
    worker.step()
    assert value("henji_schedule_lag_seconds") == 0
    assert value("henji_schedule_leading") == 1
    assert value("henji_schedule_last_run_timestamp_seconds") == desk.clock.now / 1e6


def test_an_unavailable_log_is_tried_again(desk, monkeypatch):
    """A step that fails leaves nothing behind; the next does the same work."""
    desk.submit(routine())
    desk.clock.now += DAY
    worker = desk.worker()
    real = desk.ledger.sequencer.submit

    def closed(_request):
        raise errors.Unavailable("overloaded")

    monkeypatch.setattr(desk.ledger.sequencer, "submit", closed)
    with pytest.raises(errors.Unavailable):
        worker.step()
    monkeypatch.setattr(desk.ledger.sequencer, "submit", real)
    worker.catch_up()
    assert len(desk.lines()) == 1
