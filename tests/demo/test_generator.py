"""The campaign as it is made: the same for a seed, in order, marked, in its shares."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from datetime import datetime

import msgspec
import pytest

from services.demo.campaign.key import shares
from services.demo.campaign.moments import END, end_of, written
from services.demo.campaign.places import UNITS
from services.demo.campaign.record import LANES
from services.demo.campaign.script import FIRST_EVENT, SEED, answer_key, build, sent

#: What each share is of the commitments or events, and how far it may be off.
SHARES = {
    "overdue": ("commitments", 0.20, 0.03),
    "extended": ("commitments", 0.12, 0.01),
    "returned": ("commitments", 0.08, 0.01),
    "reopened": ("commitments", 0.06, 0.01),
    "cancelled_or_superseded": ("commitments", 0.05, 0.01),
    "suspended": ("commitments", 0.02, 0.01),
    "recorded_late": ("events", 0.10, 0.015),
    "recorded_very_late": ("events", 0.02, 0.005),
}


def digest_of(rows):
    """Return the SHA-256 of the bytes that would be sent."""
    whole = hashlib.sha256()
    for row in rows:
        whole.update(row.lane.encode() + msgspec.json.encode(row.event) + b"\n")
    return whole.hexdigest()


def test_a_seed_gives_the_same_bytes_each_time(log):
    """Two makings of one seed are equal to the byte, events and answers."""
    assert digest_of(log.sent()) == digest_of(build().sent())
    assert msgspec.json.encode(answer_key()) == msgspec.json.encode(answer_key())


def test_the_shipped_seed_gives_the_campaign_that_was_published(log):
    """Whoever changes the generator changes published figures, and should know."""
    assert len(log) == 24_987


@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_any_seed_gives_a_whole_campaign(seed):
    """Every kind of fate finds a promise that can live it, whatever the seed."""
    found = shares(build(seed))
    assert found["commitments"] == 420
    assert (found["extended"], found["returned"], found["reopened"]) == (50, 34, 25)
    assert found["cancelled_or_superseded"] == 21


def test_another_seed_gives_another_campaign(log):
    """The seed is not for show."""
    assert digest_of(log.sent()) != digest_of(build(SEED + "-other").sent())


def test_the_size_is_that_of_a_real_campaign(log, key):
    """20 to 25 thousand events, 420 commitments, some 1,500 issues, 9,000 points."""
    assert 20_000 <= len(log) <= 25_000
    last = key["instants"]["end_of_log"]["as_of"]
    assert last["commitment"]["registered"] == 420
    assert last["issue"]["found"] == pytest.approx(1500, rel=0.05)
    assert last["point"]["points"] == pytest.approx(9000, rel=0.05)
    assert last["case"]["cases"] == 30
    assert sum(sum(row.values()) for row in last["subject"].values()) == 330


@pytest.mark.parametrize("name", SHARES)
def test_the_shares_are_those_of_real_logs(key, name):
    """Overdue, extended, returned … as measured in real logs, within a tolerance."""
    of, wanted, tolerance = SHARES[name]
    found = key["shares"][name] / key["shares"][of]
    assert found == pytest.approx(wanted, abs=tolerance)


def test_the_log_is_in_the_order_of_recording(events):
    """So that what was known at an instant is a beginning of the log."""
    recorded = [row["recordedtime"] for row in events]
    assert recorded == sorted(recorded)
    assert recorded[-1] < written(end_of(END))
    assert events[0]["id"] == FIRST_EVENT


def test_nothing_is_recorded_before_it_happened(events):
    """Recording never precedes the deed."""
    for row in events:
        happened = datetime.fromisoformat(row["time"])
        assert happened <= datetime.fromisoformat(row["recordedtime"])


def test_inside_a_stream_both_times_keep_the_order(events):
    """A stream that went back in time could not be folded by either clock."""
    last = defaultdict(str)
    for row in events:
        assert last[row["subject"]] <= row["time"]
        last[row["subject"]] = row["time"]


def test_ids_are_different(events):
    """An id names one event."""
    assert max(Counter(row["id"] for row in events).values()) == 1


def test_every_event_but_those_of_the_real_alert_is_marked(events):
    """Nobody can take the campaign for what happened."""
    real = [row for row in events if not row["simulated"]]
    assert {row["subject"] for row in real} == {"alert/A-2017-11-21"}
    titles = [row["data"].get("title", "模拟") for row in events if row not in real]
    assert not [title for title in titles if "模拟" not in title]


def test_persons_are_opaque_references(events):
    """No name of a person can be in it: whoever acts is a post or a digest."""
    persons = [row["actorperson"] for row in events if "actorperson" in row]
    persons += [
        row["data"]["person_ref"] for row in events if "person_ref" in row["data"]
    ]
    assert persons
    assert all(re.fullmatch(r"p:[0-9a-f]{10}", person) for person in persons)
    assert {row["actorunit"] for row in events} == set(UNITS)


def test_a_second_copy_shares_nothing_but_units(events):
    """Copies can be loaded into one ledger: their streams and ids differ."""
    second = build(copy=1)
    ids = {row.event["id"] for row in second.sent()}
    assert not ids & {row["id"] for row in events}


def test_copies_come_one_after_the_other_from_the_first_on(events):
    """The first copy of many is that of one, and is made before the second."""
    many = sent(factor=2)
    assert [next(many).event["id"] for _ in range(50)] == [
        row["id"] for row in events[:50]
    ]


def test_each_system_submits_something(log):
    """The three keys are all used: office, grid devices, discipline inspection."""
    assert {row.lane for row in log.sent()} == set(LANES)
