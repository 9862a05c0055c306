"""A fortnight of supervision in three offices (模拟数据), told event by event."""

from __future__ import annotations

import pytest

from tests.reports.makers.books import Book
from tests.rules.diary import PHOTO

PROOF = {"text": "办结（模拟数据）", "evidence": [PHOTO]}
PASS = {"result": "pass", "method": "document"}
FAIL = {"result": "fail", "method": "document", "findings": ["未覆盖"]}


def fortnight():
    """Return weeks 2017-W46 and W47; what happened on 11-17 and was told on 11-28.

    A is closed in time, B is silent and late, C is returned twice, D was closed in
    time too, which nobody recorded before Tuesday.
    """
    book = Book()
    for unit in ("gouzhao", "shifo", "wutong"):
        book.unit(unit)
    book.unit("bureau", "bureau")
    book.commitment(
        "A",
        ("signed_for", "2017-11-14 10:00"),
        ("completion_claimed", "2017-11-21 09:00", PROOF),
        due="2017-11-22",
    )
    checked = ("commitment.verification_recorded", "commitment/A", "2017-11-21 15:00")
    book.note(*checked, PASS, unit="bureau", post="checker")
    book.note("commitment.closed", "commitment/A", "2017-11-22 10:00")
    book.commitment("B", ("signed_for", "2017-11-15 10:00"), due="2017-11-22")
    book.commitment(
        "C",
        ("signed_for", "2017-11-15 10:00"),
        ("completion_claimed", "2017-11-22 09:00", PROOF),
        ("verification_recorded", "2017-11-22 15:00", FAIL),
        ("completion_claimed", "2017-11-23 09:00", PROOF),
        ("verification_recorded", "2017-11-23 15:00", FAIL),
        unit="shifo",
    )
    book.commitment(
        "D", ("signed_for", "2017-11-15 10:00"), due="2017-11-17", unit="wutong"
    )
    return book


def told_late(book):
    """Note on Tuesday 11-28 that D was closed on 11-17; return the position."""
    return book.note(
        "commitment.closed",
        "commitment/D",
        "2017-11-17 15:00",
        recorded="2017-11-28 09:00",
    )


@pytest.fixture
def book():
    """Return the fortnight."""
    return fortnight()
