"""Sealed sites: 15 days a violation, given back when it is revoked; the answer of then stays."""

from __future__ import annotations

import pytest

from projections.reports import seals
from tests.reports.makers.books import Book, asked, by, found, zh
from tests.reports.makers.hand import exact, figure

ORDER = "order/SEAL"


def sealing():
    """Return an order with two sites, S-1 with two confirmed violations, S-2 exempted."""
    book = Book()
    book.unit("gouzhao")
    for key, name in (("S-1", "一号工地（模拟数据）"), ("S-2", "二号工地（模拟数据）")):
        data = {"kind": "site", "name": name}
        book.note("subject.registered", f"subject/{key}", "2017-11-01", data)
    issued = {
        "kind": "seal",
        "title": "封土令（模拟数据）",
        "start": "2017-11-15",
        "base_end": "2018-03-15",
        "scope": "建成区",
    }
    book.note("order.issued", ORDER, "2017-11-15 08:00", issued)
    for key in ("S-1", "S-2"):
        data = {"site": key, "unit": "gouzhao"}
        book.note("order.site_bound", ORDER, "2017-11-15 09:00", data)
    for number, day in ((1, "2017-11-20"), (2, "2017-11-25"), (3, "2017-11-26")):
        data = {"violation": f"V{number}", "site": "S-1", "text": "动土（模拟数据）"}
        book.note("order.violation_recorded", ORDER, f"{day} 10:00", data)
    for number in (1, 2):
        data = {"violation": f"V{number}"}
        book.note("order.violation_confirmed", ORDER, "2017-11-27 10:00", data)
    data = {"site": "S-2", "basis": "学校", "allows": "土方", "up_to": "orange"}
    book.note("order.exempted", ORDER, "2017-11-28 10:00", data)
    return book


@pytest.fixture
def book():
    """Return the order."""
    return sealing()


def made(book, **more):
    """Return the report on 12-01."""
    cut = {name: more.pop(name) for name in ("position", "as_at") if name in more}
    return seals.make(book.log_world("2017-12-01", **cut), asked("2017-12-01", **more))


def test_each_confirmed_violation_adds_fifteen_days(book):
    """Two confirmed and one only recorded: 2018-03-15 and 30 days."""
    report = made(book)
    first, second = found(report, "sites")
    assert (first["site"], first["seal_until"]) == ("S-1", "2018-04-14")
    assert (first["violations"], first["added"]) == (2, 30)
    assert (second["site"], second["seal_until"]) == ("S-2", "2018-03-15")
    assert (second["basis"], second["up_to"]) == ("学校", "orange")
    exact(report, book, "totals", "sites", but=("added",))


def test_a_revoked_violation_gives_its_days_back_and_not_to_the_past(book):
    """After the appeal the site is sealed until 03-30; as of before, until 04-14."""
    before = len(book.log)
    book.note(
        "order.violation_revoked",
        ORDER,
        "2017-11-30 10:00",
        {"violation": "V1", "reason": "证据不足（模拟数据）"},
    )
    now, then = made(book), made(book, position=before)
    assert found(now, "sites")[0]["seal_until"] == "2018-03-30"
    assert found(then, "sites")[0]["seal_until"] == "2018-04-14"
    row = by(found(now, "violations"), "violation", "V1")
    assert (zh(row["status"]), row["days"]) == ("已撤销", 0)
    assert figure(now, "totals", "counting") == 1
    assert figure(now, "totals", "revoked") == 1
    assert figure(now, "totals", "recorded") == 3


def test_decisions_for_all_sites_are_listed_once(book):
    """An extension of the whole order is one row, and moves every site."""
    data = {"until": "2018-05-01", "reason": "天气（模拟数据）"}
    book.note("order.period_extended", ORDER, "2017-11-29 10:00", data)
    report = made(book)
    rows = found(report, "decisions")
    assert [zh(row["site"]) for row in rows] == ["二号工地（模拟数据）", "全部工地"]
    assert {row["seal_until"] for row in found(report, "sites")} == {"2018-05-01"}


def test_a_subject_or_a_unit_narrows_the_list(book):
    """Only what is asked for is listed and counted."""
    assert [row["site"] for row in found(made(book, subject="S-2"), "sites")] == ["S-2"]
    assert found(made(book, unit="shifo"), "sites") == []


def test_nothing_sealed_is_said():
    """Without an order every table says that there is nothing."""
    book = Book()
    book.unit("gouzhao")
    report = made(book)
    notes = [
        table.note
        for section in report.sections
        for table in section.blocks
        if hasattr(table, "rows")
    ]
    assert [zh(note) for note in notes] == [
        "无封土工地。",
        "无违规记录。",
        "无延期、豁免决定。",
    ]
    assert figure(report, "totals", "sites") == 0


def test_a_violation_recorded_late_is_a_correction(book):
    """What happened before the previous cut and came after it is told with its figures."""
    previous = len(book.log)
    late = book.note(
        "order.violation_recorded",
        ORDER,
        "2017-11-18 10:00",
        {"violation": "V9", "site": "S-1", "text": "动土（模拟数据）"},
        recorded="2017-11-30 10:00",
    )
    assert made(book).corrections == ()
    report = made(book, previous_position=previous)
    (changed,) = found(report, "corrections")
    assert zh(changed["figure"]) == "封土：记录违规"
    assert changed["corrected"] - changed["published"] == changed["change"] == 1
    (row,) = found(report, "late_records")
    assert row["position"] == late
    assert row["figures"] > 0
    assert zh(row["what"])
    new = {"violation": "V3"}
    book.note("order.violation_confirmed", ORDER, "2017-11-30 12:00", new)
    unchanged = made(book, previous_position=late)
    assert found(unchanged, "late_records") == []
