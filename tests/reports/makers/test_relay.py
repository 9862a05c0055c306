"""Directives and units: passed on, studied, its own, or not yet."""

from __future__ import annotations

import pytest

from projections.reports import relay
from tests.reports.makers.books import Book, asked, by, found, zh
from tests.reports.makers.hand import exact, figure


@pytest.fixture
def book():
    """Return three units, a directive that reached two, and one that is revoked."""
    book = Book()
    for unit in ("gouzhao", "shifo", "wutong"):
        book.unit(unit)
    book.unit("hq", "headquarters")
    book.unit("village", "village")
    given(book, "D-1", "2017-11-14 15:00", unit="gouzhao")
    given(book, "D-2", "2017-11-15 15:00", unit="hq")
    book.note(
        "directive.relayed", "directive/D-1", "2017-11-15 09:00", {"unit": "shifo"}
    )
    book.note("directive.read", "directive/D-1", "2017-11-16 09:00", {"unit": "shifo"})
    book.note(
        "directive.relayed", "directive/D-2", "2017-11-16 09:00", {"unit": "wutong"}
    )
    book.note(
        "directive.revoked",
        "directive/D-2",
        "2017-11-17 09:00",
        {"reason": "过期（模拟数据）"},
    )
    book.commitment("A", ("signed_for", "2017-11-14 10:00"), directive="D-1")
    return book


def given(book, key, at, *, unit):
    """Note a directive that a unit gave out."""
    data = {
        "title": f"{key} 推进会（模拟数据）",
        "dated": "2017-11-14",
        "level": "zone",
    }
    book.note("directive.issued", f"directive/{key}", at, data, unit=unit)


def made(book, **more):
    """Return the report on 11-20 at 15:00."""
    return relay.make(book.log_world("2017-11-20 15:00"), asked("2017-11-20", **more))


def test_the_matrix_has_a_mark_for_each_unit(book):
    """Its own, studied, not yet; passed on and revoked of the other directive."""
    first, second = found(made(book), "matrix")
    assert [first[unit] for unit in ("gouzhao", "shifo", "wutong")] == ["◇", "●", "–"]
    assert [second[unit] for unit in ("gouzhao", "shifo", "wutong")] == ["×", "×", "○"]
    assert "hq" not in first
    assert "village" not in first


def test_each_directive_tells_how_far_it_came(book):
    """Two of three units have the first; one commitment rests on it."""
    report = made(book)
    row = by(found(report, "directives"), "directive", "D-1")
    assert (row["reached"], row["missing"], row["studied"], row["commitments"]) == (
        2,
        1,
        1,
        1,
    )
    assert row["coverage"] == pytest.approx(2 / 3)
    assert zh(by(found(report, "directives"), "directive", "D-2")["status"]) == "已废止"
    exact(report, book, "totals", "directives", "units", but=("waiting",))


def test_a_unit_owes_only_what_is_in_force(book):
    """The third unit waits for one directive of six whole days less a moment."""
    report = made(book)
    row = found(report, "units")[2]
    assert (row["owed"], row["reached"], row["missing"], row["waiting"]) == (1, 0, 1, 6)
    assert figure(report, "totals", "full") == 0
    assert figure(report, "totals", "in_force") == 1


def test_a_directive_that_reached_all_is_counted(book):
    """When the last unit has it, it is full."""
    book.note(
        "directive.relayed", "directive/D-1", "2017-11-18 09:00", {"unit": "wutong"}
    )
    assert figure(made(book), "totals", "full") == 1


def test_no_directive_is_said():
    """An empty matrix says so."""
    book = Book()
    book.unit("gouzhao")
    assert zh(made(book).sections[1].blocks[0].note) == "无文件会议。"
