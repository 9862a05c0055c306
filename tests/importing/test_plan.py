"""From the rows of a case to its events: the sample, and what real logs do wrong."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter, defaultdict
from datetime import datetime

import pytest

from services.importing.mapping import parse_mapping

REGISTERED = "henji.commitment.registered.v1"
PROGRESS = "henji.commitment.progress_reported.v1"
CLOSED = "henji.commitment.closed.v1"
UNIT = "henji.unit.created.v1"

ROUGH = """
henji_mapping = 1
source = "urn:example:rough"
kind = "permit"
title = "Case {@case}"
missing = ["-"]
[time]
zone = "Asia/Shanghai"
formats = ["iso", "%d-%m-%Y %H:%M:%S"]
[columns]
case = "case"
activity = "what"
time = "when"
recorded = "entered"
deadline = "due"
end = "end"
lead_unit = "unit"
actor_post = "post"
verifier_unit = "checker"
[activities."Did"]
type = "henji.commitment.progress_reported.v1"
data = { text = "{@activity}: {note}", percent = "{percent|int}" }
[activities."Checked"]
type = "henji.commitment.verification_recorded.v1"
acted_by = "verifier"
data = { result = "pass", method = "document" }
[activities."Called"]
type = "org.example.call.v1"
subject = "call/{note}"
data = { about = "{note}" }
[activities]
"Noise" = "ignore"
"""
HEADER = "case,what,when,entered,due,end,unit,post,checker,note,percent\n"


@pytest.fixture
def rough(tmp_path, plan):
    """Plan rows below HEADER under the ROUGH mapping."""

    def planned(rows, text=ROUGH):
        file = tmp_path / "rough.csv"
        file.write_text(HEADER + rows, encoding="utf-8")
        return plan(file, parse_mapping(text))

    return planned


def by_case(events):
    """Group events by subject, in the order of submission."""
    found = defaultdict(list)
    for event in events:
        found[event["subject"]].append(event)
    return found


def test_each_case_of_the_sample_is_one_commitment(plan, sample, mapping):
    """Fifteen cases, thirteen of them ended, 92 rows: nothing more and nothing less."""
    events, report = plan(sample, mapping)
    counts = Counter(event["type"] for event in events)
    assert counts == {REGISTERED: 15, CLOSED: 13, PROGRESS: 92, UNIT: counts[UNIT]}
    assert (report.rows, report.cases, report.events) == (92, 15, len(events))
    assert not report.findings
    assert not report.unknown_activities


def test_a_case_is_told_in_order(plan, sample, mapping):
    """Registered first, rows by time, closed last, though its end lies before some."""
    events, _ = plan(sample, mapping)
    early = 0
    for subject, told in by_case(events).items():
        if not subject.startswith("commitment/"):
            continue
        types = [event["type"] for event in told]
        rows = [event["time"] for event in told if event["type"] == PROGRESS]
        assert types[0] == REGISTERED
        assert CLOSED not in types[:-1]
        assert [as_instant(row) for row in rows] == sorted(map(as_instant, rows))
        if types[-1] == CLOSED:
            early += as_instant(told[-1]["time"]) < as_instant(rows[-1])
    assert early >= 3


def test_times_of_the_log_are_kept(plan, sample, mapping):
    """Start, deadline, end and row times are the very instants of the log."""
    events, _ = plan(sample, mapping)
    told = by_case(events)
    with sample.open(newline="") as text:
        for row in csv.DictReader(text):
            case = told[f"commitment/{row['case:concept:name']}"]
            registered, last = case[0], case[-1]
            assert as_instant(registered["time"]) == as_instant(row["case:startdate"])
            assert as_instant(registered["data"]["due"]) == as_instant(
                row["case:deadline"]
            )
            assert (last["type"] == CLOSED) == bool(row["case:enddate"])
            if row["case:enddate"]:
                assert as_instant(last["time"]) == as_instant(row["case:enddate"])
            (event,) = [e for e in case if e["id"].endswith(row["concept:instance"])]
            assert as_instant(event["time"]) == as_instant(row["time:timestamp"])
            assert event["data"] == {"text": row["concept:name"]}
            assert event["actorperson"] == row["org:resource"]


def test_a_unit_is_created_before_what_names_it(plan, sample, mapping):
    """No event names a unit that was not created further up."""
    events, _ = plan(sample, mapping)
    created = set()
    for event in events:
        if event["type"] == UNIT:
            created.add(event["subject"].removeprefix("unit/"))
        named = {event.get("actorunit"), event["data"].get("lead_unit")} - {None}
        assert named <= created
    assert "group-1" in created
    assert not any("EMPTY" in unit for unit in created)


def test_the_order_of_the_file_does_not_matter(plan, sample, mapping, tmp_path):
    """Shuffled rows give the same events with the same ids; so do two runs."""
    first, _ = plan(sample, mapping)
    again, _ = plan(sample, mapping)
    assert again == first
    lines = sample.read_text().splitlines(keepends=True)
    rows = lines[1:]
    random.Random(7).shuffle(rows)
    shuffled = tmp_path / "shuffled.csv"
    shuffled.write_text(lines[0] + "".join(rows))
    mixed, _ = plan(shuffled, mapping)
    assert sorted(map(key, mixed)) == sorted(map(key, first))


def test_ids_are_unique(plan, sample, mapping):
    """No two events share an id."""
    events, _ = plan(sample, mapping)
    assert len({event["id"] for event in events}) == len(events)


def test_rows_out_of_order_and_mixed_forms(rough):
    """Late rows, naive and offset times, dates as deadlines: each is read as meant."""
    events, report = rough(
        "A 1,Did,03-01-2020 10:00:00,2020-02-01,2020-01-31,,U,P 1,,second,40\n"
        "A 1,Did,2020-01-01T10:00:00+08:00,,,,U,,,first,\n"
    )
    unit, registered, first, second = events
    assert unit["data"] == {"name": "U"}
    assert registered["time"] == first["time"] == "2020-01-01T02:00:00Z"
    assert registered["data"]["due"] == "2020-01-31T15:59:59.999999Z"
    assert registered["data"]["title"] == "Case A 1"
    assert first["data"] == {"text": "Did: first"}
    assert second["data"] == {"text": "Did: second", "percent": 40}
    assert second["recordedtime"] == "2020-01-31T16:00:00Z"
    assert second["actorpost"].startswith("P-1.x")
    assert not report.findings


def test_what_is_said_of_a_case_first_counts(rough):
    """Where rows differ on the case itself, the earliest readable one is believed."""
    events, _ = rough(
        "A,Did,never,,2020-05-05,,Z,,,x,\n"
        "A,Did,2020-01-03 10:00,,2020-03-03,,W,,,x,\n"
        "A,Did,2020-01-01 10:00,,2020-01-31,,U,,,x,\n"
    )
    (registered,) = (event for event in events if event["type"] == REGISTERED)
    assert registered["data"]["lead_unit"] == "U"
    assert registered["data"]["due"] == "2020-01-31T15:59:59.999999Z"


def test_what_cannot_be_mapped_is_counted_with_its_place(rough):
    """Unknown activities, unreadable times, missing cells: reported, not dropped."""
    events, report = rough(
        "A,Did,2020-01-01 10:00,,soon,,U,,,x,\n"
        ",Did,2020-01-01 10:00,,,,U,,,x,\n"
        "A,-,2020-01-02 10:00,,,,U,,,x,\n"
        "A,Did,half past nine,,,,U,,,x,\n"
        "A,Did,,,,,U,,,x,\n"
        "A,Danced,2020-01-03 10:00,,,,U,,,x,\n"
        "A,Noise,2020-01-03 10:00,,,,U,,,x,\n"
        "A,Did,2020-01-04 10:00,,,,U,,,x,many\n"
        "B,Did,nonsense,,,,U,,,x,\n"
        "C,Did,2020-01-05 10:00,,,,,,,x,\n"
    )
    found = {
        code: [example.place for example in tally.examples]
        for code, tally in report.findings.items()
    }
    assert found == {
        "case_missing": [3],
        "activity_missing": [4],
        "time_not_readable": [2, 5],
        "time_missing": [6],
        "value_not_converted": [9],
        "case_without_time": [10],
        "case_without_unit": [11],
    }
    assert report.unknown_activities == {"Danced": 1}
    assert report.ignored_activities == {"Noise": 1}
    assert [event["type"] for event in events] == [
        UNIT,
        REGISTERED,
        PROGRESS,
        REGISTERED,
        PROGRESS,
    ]


def test_who_verified_is_not_who_did(rough):
    """A rule says whose column names the actor; an external type goes its own way."""
    events, _ = rough(
        "A,Did,2020-01-01 10:00,,,,U,boss,V,x,\n"
        "A,Checked,2020-01-02 10:00,,,,U,boss,V,x,\n"
        "A,Called,2020-01-03 10:00,,,,U,boss,V,17,\n"
    )
    did, checked, called = (e for e in events if "/row/" in e["id"])
    assert (did.get("actorpost"), did.get("actorunit")) == ("boss", None)
    assert (checked.get("actorpost"), checked.get("actorunit")) == (None, "V")
    assert called["type"] == "org.example.call.v1"
    assert called["subject"] == "call/17"
    assert {"unit/U", "unit/V"} <= {event["subject"] for event in events}


def test_the_same_row_twice_is_two_events(rough):
    """Without an id column equal rows are told apart by their turn, every time alike."""
    row = "A,Did,2020-01-01 10:00,,,,U,,,x,\n"
    once, _ = rough(row)
    twice, _ = rough(row + row)
    assert len(twice) == len(once) + 1
    assert {key(event) for event in once} < {key(event) for event in twice}


def test_a_term_stands_in_for_a_missing_deadline(rough):
    """A mapping may give a term for the cases that name no deadline."""
    text = ROUGH.replace('kind = "permit"', 'kind = "permit"\ndue = "D56"')
    events, _ = rough(
        "A,Did,2020-01-01 10:00,,,,U,,,x,\nB,Did,2020-01-01 10:00,,2020-03-01,,U,,,x,\n",
        text,
    )
    dues = [e["data"]["due"] for e in events if e["type"] == REGISTERED]
    assert dues == ["D56", "2020-03-01T15:59:59.999999Z"]


def as_instant(text):
    """Read a time of the log or of an event."""
    return datetime.fromisoformat(text)


def key(event):
    """Give an event as text that can be compared and sorted."""
    return json.dumps(event, sort_keys=True)
