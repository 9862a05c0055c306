"""Commitments are urged by their due, once a level and cycle, and only who has to act."""

from __future__ import annotations

from events import errors
from events.entries import instant
from services.scheduling import appending
from services.scheduling import worker as module
from tests.scheduling.conftest import promise, routine
from tests.support import scenario

DAY = scenario.DAY
BRIEF = "obligation/daily_brief/gouzhao"
FILE = {"format": "json", "sha256": "0b" * 32}


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


def test_an_ended_commitment_is_urged_no_more(desk):
    """A close before the due ends the urging; a reopening begins it anew."""
    steps = list(scenario.delegated(scenario.loop("A", due="2017-11-30")))
    desk.submit(*steps)
    desk.clock.set("2017-12-20T10:00:00+08:00")
    worker = desk.worker()
    worker.catch_up()
    assert desk.lines() == []
    assert worker._states.promises == {}


def test_a_reopened_commitment_is_urged_anew(desk):
    """Its round of before is over; the new due has its own sheets."""
    desk.submit(scenario.post_appointed("looker", "audit"))
    desk.submit(*scenario.delegated(scenario.loop("A", due="2017-11-30")))
    worker = desk.worker()
    desk.clock.set("2017-12-01T10:00:00+08:00")
    worker.catch_up()
    found = {
        "result": "relapsed",
        "team": ["looker"],
        "text": "Uncovered again (模拟数据).",
        "evidence": scenario.PROOF,
    }
    again = {
        "new_due": "2017-12-08",
        "reason": "Relapse.",
        "lookback_event": "A-lookback_recorded-0",
    }
    for who, what, data in (
        ("lookback", "lookback_recorded", found),
        ("office", "reopened", again),
    ):
        event = scenario.commitment(what, "A", data, time=desk.clock.now)
        desk.submit(scenario.acting(who, event))
    desk.clock.set("2017-12-09T10:00:00+08:00")
    worker.catch_up()
    assert desk.lines() == [
        "12-05T00:00 urged commitment/A",
        "12-09T00:00 urged commitment/A",
    ]


def test_a_claim_withdrawn_past_its_due_is_urged_then(desk):
    """Nobody is urged while the verifier is to act; once it is the lead's turn, at once."""
    desk.submit(*scenario.delegated(scenario.loop("A", due="2017-11-20")[:6]))
    desk.clock.set("2017-11-21T10:00:00+08:00")
    worker = desk.worker()
    worker.catch_up()
    assert desk.lines() == []
    why, at = {"reason": "Counted wrongly (模拟数据)."}, desk.clock.now
    event = scenario.commitment("completion_withdrawn", "A", why, time=at)
    desk.submit(scenario.acting("lead", event))
    worker.catch_up()
    assert desk.lines() == ["11-21T10:00 urged commitment/A"]


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
