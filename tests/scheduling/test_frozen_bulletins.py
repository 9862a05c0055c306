"""What was published stays: a frozen bulletin, late records, and the bulletin after it.

Through the doors that users have: events and files over HTTP, the bulletins by the
scheduler's own worker, on a clock that the test moves.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.entries import instant, rfc3339
from projections.reports.registry import REPORTS
from tests.scheduling.conftest import BULLETIN as NAME
from tests.support import scenario

FORMATS = REPORTS[NAME].formats
#: A is promised by 24 November; its claim and all after it are recorded late.
STEPS = list(scenario.delegated(scenario.loop("A", due="2017-11-24")))
IN_TIME, LATE = STEPS[:5], STEPS[5:]


@pytest.fixture
def published(office):
    """Two weeks of work, each with its bulletin frozen on the Monday after it."""
    office.clock.set("2017-11-16T16:00:00+08:00")
    office.submit(IN_TIME)
    office.at("2017-11-20T09:00:05+08:00")
    # Its urge sheets of the week are sent in the week.
    office.at("2017-11-26T20:00:00+08:00")
    office.at("2017-11-27T09:00:05+08:00")
    return office


def tables(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table of a report's JSON, by the table's key."""
    report = json.loads(content)
    blocks = [block for section in report["sections"] for block in section["blocks"]]
    blocks += report["corrections"]
    return {block["table"]: block["rows"] for block in blocks if "table" in block}


def values(row: dict[str, Any], *columns: str) -> tuple[Any, ...]:
    """Return what stands in some columns of a row."""
    return tuple(row[column]["value"] for column in columns)


def ids(office, rows: list[dict[str, Any]]) -> list[str]:
    """Return the ids of the events that rows of late records open to."""
    store = office.service.ledger.store
    return [
        store.row(position).id
        for row in rows
        for position in row["occurred"]["positions"]
    ]


def test_a_frozen_bulletin_is_kept_in_every_format(published):
    """Each format of the report is there, over what was sealed on Monday at nine."""
    issue = published.issue("2017-W47")
    assert [file["format"] for file in issue["files"]] == list(FORMATS)
    assert issue["cut"]["instant"] == "2017-11-27T01:00:00.000000Z"
    assert issue["cut"]["position"] < issue["position"]
    assert set(published.files("2017-W47")) == set(FORMATS)
    (overdue,) = tables(published.files("2017-W47")["json"])["overdue"]
    assert values(overdue, "key") == ("A",)


def test_late_records_never_change_what_was_frozen(published):
    """I12: after Tuesday's late records Monday's bulletin is the same, kept and made anew."""
    monday = published.files("2017-W47")
    assert published.made_anew("2017-W47") == monday
    published.clock.set("2017-11-28T10:00:00+08:00")
    published.submit(LATE)
    assert published.files("2017-W47") == monday
    assert published.made_anew("2017-W47") == monday
    published.at("2017-12-04T09:00:05+08:00")
    assert published.files("2017-W47") == monday
    assert published.made_anew("2017-W47") == monday


def test_a_scheduler_that_was_away_freezes_what_monday_knew(office):
    """I12: frozen on Wednesday, Monday's bulletin has nothing of Tuesday's late records."""
    office.clock.set("2017-11-16T16:00:00+08:00")
    office.submit(IN_TIME)
    office.at("2017-11-26T20:00:00+08:00")
    office.clock.set("2017-11-28T10:00:00+08:00")
    office.submit(LATE)
    office.at("2017-11-29T08:00:00+08:00")
    files = office.files("2017-W47")
    assert office.made_anew("2017-W47") == files
    (overdue,) = tables(files["json"])["overdue"]
    assert values(overdue, "key") == ("A",)
    office.at("2017-12-04T09:00:05+08:00")
    following = tables(office.files("2017-W48")["json"])["late_records"]
    assert set(ids(office, following)) >= {event["id"] for event in LATE}


def test_the_next_bulletin_lists_the_late_records(published):
    """I12: each of Tuesday's records is in the corrections, with the figures they change."""
    published.clock.set("2017-11-28T10:00:00+08:00")
    published.submit(LATE)
    published.at("2017-12-04T09:00:05+08:00")
    found = tables(published.files("2017-W48")["json"])
    told = ids(published, found["late_records"])
    assert told == [event["id"] for event in LATE]
    happened = [values(row, "occurred") for row in found["late_records"]]
    assert happened == [(event["time"],) for event in LATE]
    recorded = {row["recorded"]["value"][:10] for row in found["late_records"]}
    assert recorded == {"2017-11-28"}
    changes = {
        row["figure"]["value"]["zh"]: values(row, "published", "corrected")
        for row in found["corrections"]
    }
    assert changes["期末逾期"] == (1, 0)
    assert changes["销号"] == (0, 1)


def test_a_week_without_late_records_corrects_nothing(published):
    """What was recorded in time is in no corrections block."""
    published.at("2017-12-04T09:00:05+08:00")
    found = tables(published.files("2017-W48")["json"])
    assert (found["late_records"], found["corrections"]) == ([], [])


def test_the_event_has_the_demands_that_the_bulletin_shows(published):
    """What units are asked to do is in the log, and the next bulletin asks for answers."""
    stream = f"report/{NAME}/2017-W47"
    row, *_ = published.service.ledger.store.stream(stream)
    (demand,) = json.loads(row.entry)["data"]["demands"]
    (shown,) = tables(published.files("2017-W47")["json"])["demands"]
    assert (demand["item"], demand["unit"]) == ("1", "gouzhao")
    assert demand["text"] == shown["demand"]["value"]["zh"]
    assert rfc3339(instant(demand["due"]) - 1)[:10] == "2017-12-01"
    published.at("2017-12-04T09:00:05+08:00")
    (reply,) = tables(published.files("2017-W48")["json"])["replies"]
    assert reply["result"]["value"]["zh"] == "未反馈"


def test_the_bulletin_that_is_owed_is_met_when_it_is_frozen(published):
    """Due on Monday at nine and frozen at nine: met in time, never missed."""
    rows = published.service.ledger.store.stream(f"obligation/{NAME}/hq/2017-W47")
    assert [row.type.split(".")[2] for row in rows] == ["scheduled", "met"]
    met = json.loads(rows[1].entry)["data"]
    assert met == {
        "met_at": "2017-11-27T01:00:00.000000Z",
        "facts": [{"stream": f"report/{NAME}/2017-W47", "version": 1}],
    }
    state = published.service.ledger.state_of(f"obligation/{NAME}/hq/2017-W47")
    assert state.status == "met"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nothing", 404, "report_unknown"),
        ("nothing.pdf?period=2017-W47", 404, "report_unknown"),
        (f"{NAME}.pdf", 400, "invalid_parameter"),
        (f"{NAME}.pdf?period=2017-W02", 404, "report_not_frozen"),
        (f"{NAME}.pdf?period=2017-W47&unit=hq", 404, "report_not_frozen"),
        (f"{NAME}.pdf?period=2017-W47&edition=2", 404, "report_not_frozen"),
        (f"{NAME}.xlsx?period=2017-W47", 404, "report_format_unavailable"),
    ],
)
def test_what_was_not_frozen_is_a_problem(published, path, status, code):
    """Each wrong question is told by its own code."""
    answer = published.client.get(f"/v1/frozen/{path}", headers=published.headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
