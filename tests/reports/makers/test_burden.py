"""What recording costs: events of one that was closed, late records, reused evidence."""

from __future__ import annotations

import pytest

from projections.reports import burden
from tests.reports.makers.books import Book, asked, by, found, zh
from tests.reports.makers.hand import exact, figure

FIRST = {"sha256": "aa" * 32}
SECOND = {"sha256": "bb" * 32}


@pytest.fixture
def book():
    """Return week 2017-W47: A closed with three pictures, B open, one late record."""
    book = Book()
    for unit in ("gouzhao", "shifo"):
        book.unit(unit)
    book.commitment("A", ("signed_for", "2017-11-14 10:00"))
    note(
        book,
        "progress_reported",
        "A",
        "2017-11-20 10:00",
        text="过半",
        percent=50,
        evidence=[FIRST, SECOND],
    )
    note(
        book,
        "completion_claimed",
        "A",
        "2017-11-21 10:00",
        text="办结",
        evidence=[FIRST],
    )
    note(book, "closed", "A", "2017-11-22 10:00")
    book.commitment("B", unit="shifo")
    book.note(
        "commitment.signed_for",
        "commitment/B",
        "2017-11-15 10:00",
        unit="shifo",
        recorded="2017-11-22 10:00",
    )
    reuse = {
        "sha256": "aa" * 32,
        "first": {"stream": "commitment/A", "version": 4},
        "second": {"stream": "commitment/A", "version": 5},
    }
    book.note(
        "evidence.reuse_detected", f"evidence/{'aa' * 32}", "2017-11-21 10:01", reuse
    )
    return book


def note(book, what, key, at, **data):
    """Note an event of a commitment by its lead unit."""
    return book.note(
        f"commitment.{what}", f"commitment/{key}", at, data, unit="gouzhao"
    )


def made(book, period="2017-W47", **more):
    """Return the report of a period."""
    return burden.make(book.log_world("2017-11-27"), asked(period, **more))


def test_what_one_close_cost_is_counted(book):
    """A took six events and three pieces of evidence; shifo closed nothing."""
    report = made(book)
    row = by(found(report, "units"), "closed", 1)
    assert zh(row["unit"]) == "gouzhao（模拟数据）"
    assert (row["submitted"], row["events"], row["per_closed"]) == (3, 6, 6.0)
    assert (row["evidence"], row["evidence_per_closed"]) == (3, 3.0)
    exact(report, book, "totals", "units", but=("evidence",))


def test_a_late_record_is_shown_with_its_days(book):
    """Signed on the 15th, recorded on the 22nd: seven days, in the week of the record."""
    (row,) = found(made(book), "late")
    assert (row["days"], zh(row["unit"]), zh(row["stream"])) == (
        7,
        "shifo（模拟数据）",
        "事项 B",
    )
    assert found(made(book, period="2017-W46"), "late") == []


def test_evidence_that_serves_two_claims_is_shown(book):
    """The picture of the progress is that of the claim."""
    (row,) = found(made(book), "reused")
    assert (row["sha256"], row["first"], row["second"]) == (
        "aa" * 32,
        "commitment/A",
        "commitment/A",
    )
    assert figure(made(book), "totals", "reused") == 1
    assert figure(made(book, period="2017-W46"), "totals", "reused") == 0


def test_a_unit_narrows_all_of_it(book):
    """Of the other unit neither the burden nor the reuse is told."""
    report = made(book, unit="shifo")
    assert {zh(row["unit"]) for row in found(report, "late")} == {"shifo（模拟数据）"}
    assert found(report, "reused") == []
    assert figure(report, "totals", "closed") == 0


def test_a_period_without_records_is_said(book):
    """A month before anything happened has sentences instead of rows."""
    report = made(book, period="2016-01")
    told = [
        zh(table.note)
        for section in report.sections
        for table in section.blocks
        if hasattr(table, "rows")
    ]
    assert told == ["本期无记录。", "本期无补录。", "本期未发现佐证复用。"]


def test_what_others_did_about_it_is_not_the_units_own(book):
    """A note of the bureau on A is one of A's events, and submitted by the bureau."""
    checked = {"result": "pass", "method": "document"}
    stream = "commitment/A"
    book.note(
        "commitment.verification_recorded",
        stream,
        "2017-11-21 15:00",
        checked,
        unit="bureau",
    )
    told = {zh(row["unit"]): row for row in found(made(book), "units")}
    assert told["gouzhao（模拟数据）"]["submitted"] == 3
    assert told["bureau"]["submitted"] == 1
