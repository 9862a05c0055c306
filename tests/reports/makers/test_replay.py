"""The auditor's replay: as of a position, as it was known; what changed, what came late."""

from __future__ import annotations

import pytest

from projections.reports import replay
from tests.reports.makers.books import asked, by, found, zh
from tests.reports.makers.conftest import fortnight, told_late
from tests.reports.makers.hand import exact, figure


@pytest.fixture
def audited():
    """Return the fortnight, the position of before the late record, and the report."""
    book = fortnight()
    before = len(book.log)
    told_late(book)
    world = book.log_world("2017-11-28 12:00")
    return (
        book,
        before,
        replay.make(world, asked("2017-11-28", previous_position=before)),
    )


def test_what_stood_is_every_commitment_once():
    """Before the late record: A closed, B and D signed, C returned; all of four."""
    book = fortnight()
    report = replay.make(book.log_world("2017-11-27 09:00"), asked("2017-11-27"))
    told = {
        key: figure(report, "statuses", key)
        for key in ("closed", "signed", "returned", "draft", "all")
    }
    assert told == {"closed": 1, "signed": 2, "returned": 1, "draft": 0, "all": 4}
    lights = [
        figure(report, "lights", colour)
        for colour in ("grey", "red", "yellow", "green")
    ]
    assert lights == [1, 3, 0, 0]
    assert len(report.sections) == 2
    exact(report, book, "statuses", "lights", "streams")


def test_everything_on_record_is_counted_by_kind(audited):
    """Streams and events of all kinds add up to the log."""
    book, _, report = audited
    rows = found(report, "streams")
    assert sum(row["events"] for row in rows) == len(book.log)
    assert [(row["kind"], row["streams"]) for row in rows] == [
        ("commitment", 4),
        ("unit", 4),
    ]


def test_what_changed_is_told_from_then_to_now(audited):
    """D was signed and red; with the late record it is closed and grey."""
    book, _, report = audited
    (row,) = found(report, "changes")
    assert row["key"] == "D"
    assert (zh(row["status_then"]), zh(row["status_now"])) == ("已签收", "已销号")
    assert (row["light_then"], row["light_now"], row["events"]) == ("red", "grey", 1)
    assert [
        figure(report, "moved", key) for key in ("new", "status", "light", "due")
    ] == [0, 1, 1, 0]
    exact(report, book, "moved", "changes", "between", "hindsight")


def test_what_is_known_only_since_stands_apart(audited):
    """The close happened before the earlier moment and was recorded after it."""
    _, before, report = audited
    (row,) = found(report, "hindsight")
    assert (row["key"], zh(row["then"]), zh(row["now"])) == ("D", "已签收", "已销号")
    (late,) = found(report, "recorded_since")
    assert late["position"] == before + 1
    assert late["recorded"] > late["occurred"]
    (between,) = found(report, "between")
    assert (between["type"], between["events"]) == ("henji.commitment.closed.v1", 1)


def test_the_earlier_cut_alone_answers_as_it_did_then(audited):
    """The replay at the earlier position does not know the late record."""
    book, before, _ = audited
    world = book.log_world("2017-11-28 12:00", position=before)
    report = replay.make(world, asked("2017-11-28"))
    assert zh(by(found(report, "commitments"), "key", "D")["status"]) == "已签收"


def test_by_the_other_clock_the_late_close_had_happened(audited):
    """As at 11-18, known now, D was closed; B had been signed, A not closed yet."""
    book, _, _ = audited
    world = book.log_world("2017-11-18", as_at="2017-11-18")
    told = found(replay.make(world, asked("2017-11-18")), "commitments")
    assert zh(by(told, "key", "D")["status"]) == "已销号"
    assert zh(by(told, "key", "A")["status"]) == "已签收"


def test_a_commitment_that_is_new_has_no_status_then():
    """Registered after the earlier cut: blank then, listed now."""
    book = fortnight()
    before = len(book.log)
    book.note(
        "commitment.registered",
        "commitment/E",
        "2017-11-29 09:00",
        {"title": "新增（模拟数据）", "lead_unit": "shifo", "due": "2017-12-15"},
    )
    world = book.log_world("2017-11-29 10:00")
    report = replay.make(
        world, asked("2017-11-29", previous_position=before, unit="shifo")
    )
    row = by(found(report, "changes"), "key", "E")
    assert (row["status_then"], row["light_then"], row["due_then"]) == (
        None,
        None,
        None,
    )
    assert figure(report, "moved", "new") == 1


def test_between_a_cut_and_itself_nothing_changed():
    """Every table of the difference says so."""
    book = fortnight()
    report = replay.make(
        book.log_world("2017-11-24"),
        asked("2017-11-24", previous_position=len(book.log)),
    )
    for key in ("changes", "between", "hindsight", "recorded_since"):
        assert found(report, key) == []
