"""A worker appends what time makes due, each once and in order, however it was away."""

from __future__ import annotations

import pytest

from events import errors
from services.scheduling import appending
from services.scheduling.worker import Chore, publish
from services.telemetry import Metrics
from services.wiring import open_ledger
from tests.scheduling.conftest import START, Desk, OneLease, promise, routine
from tests.support import scenario

DAY = scenario.DAY
BRIEF = "obligation/daily_brief/gouzhao"
FILE = {"format": "json", "sha256": "0b" * 32}


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


def test_what_others_scheduled_ahead_leaves_no_gap(desk):
    """The days before an obligation that a person scheduled are scheduled all the same."""
    desk.submit(routine())
    ahead = {
        "kind": "daily_brief",
        "unit": "gouzhao",
        "period": "2017-11-18",
        "due": "2017-11-18T12:00:00+08:00",
    }
    desk.submit(
        scenario.event(
            "henji.obligation.scheduled.v1",
            f"{BRIEF}/2017-11-18",
            ahead,
            event_id="by-hand",
            time=desk.clock.now,
        )
    )
    desk.clock.set("2017-11-19T10:00:00+08:00")
    worker = desk.worker()
    worker.catch_up()
    scheduled = [line[-10:] for line in desk.lines() if "scheduled" in line]
    missed = [line for line in desk.lines() if "missed" in line]
    assert scheduled == [f"2017-11-{day}" for day in (15, 16, 17, 19)]
    assert missed[-1] == f"11-18T12:00 missed {BRIEF}/2017-11-18"
    assert worker.refused == {}


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


class Counted(OneLease):
    """A lease that counts how often it was asked for."""

    asked = 0

    def claim(self, name, holder, *, seconds):
        """Count, and grant it or not."""
        self.asked += 1
        return super().claim(name, holder, seconds=seconds)


def test_the_lease_is_renewed_in_time(desk):
    """It is asked for again once a third of its time has passed, on any clock."""
    lease = Counted()
    worker = desk.worker(leases=lease, lease_seconds=3.0)
    asked = []
    for seconds in (0, 0.5, 1.5, 1.6, -3600, -3599.5):
        desk.clock.now = START + int(seconds * 1_000_000)
        worker.step()
        asked.append(lease.asked)
    assert asked == [1, 1, 2, 2, 3, 3]


def test_a_worker_that_lost_the_lease_stops(desk):
    """It appends nothing more, and says that nothing is its to append."""
    desk.submit(routine())
    lease = OneLease()
    worker = desk.worker(leases=lease)
    desk.clock.now += 3 * DAY
    worker.step()
    assert worker.health.behind > 0
    before = desk.lines()
    lease.granted = False
    desk.clock.now += 3 * DAY
    worker.catch_up()
    assert desk.lines() == before
    assert (worker.health.behind, worker.health.leading) == (0, False)


def test_what_was_set_aside_by_a_wrong_clock_is_offered_again(desk, monkeypatch):
    """A clock that is set back makes void what was to wait by it."""
    desk.submit(routine())
    worker, real = desk.worker(), appending.prepare
    monkeypatch.setattr(appending, "prepare", lambda _: errors.Refused("rule_failed"))
    desk.clock.set("2017-11-15T12:00:00+08:00")
    worker.catch_up()
    assert worker.refused
    monkeypatch.setattr(appending, "prepare", real)
    desk.clock.set("2017-11-15T11:00:00+08:00")
    worker.catch_up()
    assert (len(desk.lines()), worker.refused) == (1, {})


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
    desk.clock.now -= 10 * DAY
    worker.step()
    worker.step()
    assert len(runs) == 3


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

    def closed(_given):
        raise errors.Unavailable("overloaded")

    for step in ("submit", "commit"):
        with monkeypatch.context() as patch:
            patch.setattr(desk.ledger.sequencer, step, closed)
            with pytest.raises(errors.Unavailable):
                worker.step()
    worker.catch_up()
    assert (len(desk.lines()), worker.refused) == (1, {})
