"""Census: listed, visited, missing and new, by cell; cells that nobody has listed."""

from __future__ import annotations

import pytest

from projections.reports import census
from tests.reports.makers.books import Book, asked, found, zh
from tests.reports.makers.hand import exact, figure

STREAM = "census/C-1"


@pytest.fixture
def book():
    """Return two cells: the first of three has one visited, one missing, one left."""
    book = Book()
    book.unit("gouzhao")
    book.unit("shifo")
    for key, unit, level in (
        ("g-1", "gouzhao", 3),
        ("g-2", "gouzhao", 3),
        ("s-1", "shifo", 3),
        ("g", "gouzhao", 2),
    ):
        data = {"name": f"{key}（模拟数据）", "level": level, "unit": unit}
        book.note("grid.drawn", f"grid/{key}", "2017-11-01", data)
    _list(book, "g-1", "a", "b")
    _list(book, "g-1", "c")
    _list(book, "g-2")
    book.note("census.visited", STREAM, "2017-11-15", {"cell": "g-1", "entry": "a"})
    gone = {"cell": "g-1", "entry": "b", "reason": "搬离（模拟数据）"}
    book.note("census.not_found", STREAM, "2017-11-15", gone)
    new = {"cell": "g-2", "entry": "n", "newly_found": True}
    book.note("census.visited", STREAM, "2017-11-16", new)
    done = {"cell": "g-2", "listed": 0, "visited": 0, "not_found": 0, "newly_found": 1}
    book.note("census.finished", STREAM, "2017-11-17 09:00", done)
    return book


def _list(book, cell, *entries):
    rows = [
        {"entry": key, "name": f"{key}（模拟数据）", "kind": "restaurant"}
        for key in entries
    ]
    data = {"cell": cell, "unit": "gouzhao", "entries": rows}
    book.note("census.listed", STREAM, "2017-11-13", data)


def made(book, **more):
    """Return the report on 11-20."""
    return census.make(book.log_world("2017-11-20"), asked("2017-11-20", **more))


def test_coverage_is_of_what_was_listed(book):
    """Two of three are settled in the first cell; a cell with no list has no share."""
    report = made(book)
    first, second = found(report, "cells")
    assert [
        first[name] for name in ("listed", "visited", "missing", "new", "left")
    ] == [3, 1, 1, 0, 1]
    assert first["coverage"] == pytest.approx(2 / 3)
    assert [second[name] for name in ("listed", "visited", "new", "coverage")] == [
        0,
        0,
        1,
        None,
    ]
    assert second["finished"] is not None
    exact(report, book, "totals", "cells", but=("listed", "left"))


def test_totals_add_the_cells_up(book):
    """The headline figures are the sums of the table."""
    report = made(book)
    told = {
        key: figure(report, "totals", key)
        for key in ("cells", "finished", "listed", "visited", "missing", "new", "left")
    }
    assert told == {
        "cells": 2,
        "finished": 1,
        "listed": 3,
        "visited": 1,
        "missing": 1,
        "new": 1,
        "left": 1,
    }
    assert figure(report, "totals", "share") == pytest.approx(2 / 3)


def test_a_source_that_turns_up_is_missing_no_longer(book):
    """Visited after it was not found: it counts as visited only."""
    book.note("census.visited", STREAM, "2017-11-18", {"cell": "g-1", "entry": "b"})
    report = made(book)
    first = found(report, "cells")[0]
    assert (first["visited"], first["missing"]) == (2, 0)
    exact(report, book, "totals", "cells", but=("listed", "left"))


def test_cells_in_no_census_are_named(book):
    """The cell of the third level that no list has stands apart; level 2 is not counted."""
    assert [row["cell"] for row in found(made(book), "unlisted")] == ["s-1"]
    assert found(made(book, unit="gouzhao"), "unlisted") == []
    assert [row["entry"] for row in found(made(book), "new_sources")] == ["n"]


def test_no_census_is_said():
    """Without one, the table says so."""
    book = Book()
    book.unit("gouzhao")
    report = made(book)
    assert zh(report.sections[1].blocks[0].note) == "未开展普查。"
    assert figure(report, "totals", "share") is None
