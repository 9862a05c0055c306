"""The shipped log in each format: the counts of an independent reading of its file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from collections import Counter
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest

from events.merkle import leaf_hash
from events.store import Selection
from services.importing.command import shipped_log

CLOSED = "henji.commitment.closed.v1"
PROGRESS = "henji.commitment.progress_reported.v1"
REGISTERED = "henji.commitment.registered.v1"
OURS = {REGISTERED: 1_434, PROGRESS: 8_577, CLOSED: 1_329}


@pytest.fixture(scope="module")
def cases():
    """The log's own rows, case by case, read without any of our code."""
    with gzip.open(shipped_log(), "rt", newline="", encoding="utf-8") as text:
        found: dict[str, list[dict[str, str]]] = {}
        for row in csv.DictReader(text):
            found.setdefault(row["case:concept:name"], []).append(row)
    assert len(found) == 1_434
    return found


def test_csv_has_each_event_once(receipt, exported):
    """One line an entry, its type and stream as recorded."""
    content, job = exported(receipt, "csv", raw=True)
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert [int(row["position"]) for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) == job.cut.position
    types = Counter(row["type"] for row in rows)
    assert {name: types[name] for name in OURS} == OURS


def test_ndjson_lines_are_the_leaves(receipt, exported):
    """Each line without its line feed hashes to the leaf at its place."""
    content, job = exported(receipt, "ndjson")
    lines = content.split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == job.cut.position
    leaves = receipt.leaves(start=0, end=len(lines))
    assert [leaf_hash(line) for line in lines] == leaves


def test_a_trace_is_a_case(receipt, exported, cases):
    """1,434 traces; the steps of each are those of the file, in the order of time."""
    content, _ = exported(receipt, "xes")
    log = ET.fromstring(content)
    traces = {value(trace, "concept:name"): trace for trace in log.findall("trace")}
    assert traces.keys() == cases.keys()
    for name, rows in cases.items():
        steps = [
            (value(event, "data:text"), instant(value(event, "time:timestamp")))
            for event in traces[name].findall("event")
            if value(event, "henji:type") == PROGRESS
        ]
        given = [
            (row["concept:name"], datetime.fromisoformat(row["time:timestamp"]))
            for row in rows
        ]
        assert Counter(steps) == Counter(given)
        assert [at for _, at in steps] == sorted(at for _, at in given)


def test_objects_of_ocel_are_the_cases(receipt, exported, cases):
    """1,434 commitments, each with the status that the file says; events by type."""
    content, job = exported(receipt, "ocel-json")
    log = json.loads(content)
    commitments = {
        one["id"].partition("/")[2]: one
        for one in log["objects"]
        if one["type"] == "commitment"
    }
    assert commitments.keys() == cases.keys()
    for name, rows in cases.items():
        status = [
            one["value"]
            for one in commitments[name]["attributes"]
            if one["name"] == "status"
        ]
        assert (status[-1] == "closed") is bool(rows[0]["case:enddate"])
    types = Counter(one["type"] for one in log["events"])
    assert {name: types[name] for name in OURS} == OURS
    assert len(log["events"]) == job.cut.position


def test_both_notations_of_ocel_say_the_same(receipt, exported, tmp_path):
    """The SQLite file has the events, objects and relations of the JSON document."""
    content, _ = exported(receipt, "ocel-json")
    log = json.loads(content)
    path = tmp_path / "log.sqlite"
    path.write_bytes(exported(receipt, "ocel-sqlite")[0])
    file = sqlite3.connect(path)
    for table, key in (("event", "events"), ("object", "objects")):
        found = set(file.execute(f"SELECT ocel_id, ocel_type FROM {table}"))
        assert found == {(one["id"], one["type"]) for one in log[key]}
    for table, key in (("event_object", "events"), ("object_object", "objects")):
        assert set(file.execute(f"SELECT * FROM {table}")) == {
            (one["id"], to["objectId"], to["qualifier"])
            for one in log[key]
            for to in one["relationships"]
        }
    file.close()


def test_the_plan_has_each_case_with_its_deadline(receipt, exported, cases):
    """1,434 items; the original due of each is the file's deadline."""
    plan = json.loads(exported(receipt, "oscal-poam")[0])
    plan = plan["plan-of-action-and-milestones"]
    assert len(plan["poam-items"]) == len(cases)
    risks = {risk["uuid"]: risk for risk in plan["risks"]}
    for item in plan["poam-items"]:
        (key,) = [one["value"] for one in item["props"] if one["name"] == "key"]
        risk = risks[item["related-risks"][0]["risk-uuid"]]
        original, current = risk["remediations"][0]["tasks"]
        due = datetime.fromisoformat(cases[key][0]["case:deadline"])
        assert instant(original["timing"]["on-date"]["date"]) == due
        assert instant(current["timing"]["on-date"]["date"]) == due


@pytest.mark.parametrize("kind", ["xes", "ocel-json"])
def test_a_cut_in_the_middle_shows_what_was_known(receipt, exported, kind):
    """Of a past position there is what was sealed by then, and nothing later."""
    middle = receipt.head().size // 2
    content, _ = exported(receipt, kind, as_of=str(middle))
    registered = receipt.select(selection(REGISTERED, middle), limit=10_000)
    assert 0 < len(registered) < 1_434
    if kind == "xes":
        log = ET.fromstring(content)
        positions = [int(value(event, "henji:position")) for event in log.iter("event")]
        assert len(log.findall("trace")) == len(registered)
        assert max(positions) <= middle
    else:
        log = json.loads(content)
        assert len(log["events"]) == middle
        begun = [one for one in log["objects"] if one["type"] == "commitment"]
        assert len(begun) == len(registered)


def value(element, key):
    """Return the value of an attribute of a trace or event."""
    return next(one.get("value") for one in element if one.get("key") == key)


def instant(text):
    """Return an instant."""
    return datetime.fromisoformat(text)


def selection(name, until):
    """Return the selection of a type up to a position."""
    return Selection(types=(name,), until=until)
