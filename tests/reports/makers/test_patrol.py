"""Patrols: spans that are over, against how often each level must be walked."""

from __future__ import annotations

import pytest

from projections.reports import patrol
from tests.reports.makers.books import Book, asked, by, found, zh
from tests.reports.makers.hand import exact, figure


@pytest.fixture
def book():
    """Return week 2017-W47: a village cell walked in two of three spans, one never."""
    book = Book()
    book.unit("gouzhao")
    for key in ("v-1", "v-2"):
        data = {"name": f"{key}（模拟数据）", "level": 3, "unit": "gouzhao"}
        book.note("grid.drawn", f"grid/{key}", "2017-11-01", data)
    walk(book, "P-1", "2017-11-20 08:00", "v-1", "a", "b")
    walk(book, "P-2", "2017-11-24 08:00", "v-1", "a")
    problem(book, "I-1", "patrol", "2017-11-20 08:10")
    problem(book, "I-2", "inspection", "2017-11-21 08:10")
    problem(book, "I-3", "hotline", "2017-11-21 08:10")
    return book


def walk(book, key, at, cell, *points):
    """Note a patrol that checked some points of a cell."""
    stream = f"inspection/{key}"
    data = {"kind": "patrol", "unit": "gouzhao"}
    book.note("inspection.started", stream, at, data)
    for point in points:
        data = {"cell": cell, "point": point, "result": "in_order"}
        book.note("inspection.point_checked", stream, at, data)


def problem(book, key, found_by, at):
    """Note a problem found in the first cell."""
    data = {
        "title": "裸土（模拟数据）",
        "category": "dust",
        "severity": "minor",
        "found_by": found_by,
        "place": {"address": "示例村"},
        "cell": "v-1",
        "unit": "gouzhao",
    }
    book.note("issue.found", f"issue/{key}", at, data)


def made(book, now="2017-11-27 09:00", **more):
    """Return the report of the week."""
    return patrol.make(book.log_world(now), asked("2017-W47", **more))


def test_spans_with_a_patrol_are_met(book):
    """Seven days are three spans of two: 20-21 and 24-25 were walked, 22-23 was not."""
    report = made(book)
    first, second = found(report, "cells")
    assert (first["required"], first["met"], first["patrols"], first["points"]) == (
        3,
        2,
        2,
        3,
    )
    assert first["coverage"] == pytest.approx(2 / 3)
    assert (second["required"], second["met"], second["coverage"]) == (3, 0, 0)
    assert zh(first["frequency"]) == "每2日1次"
    assert second["last"] is None
    exact(
        report,
        book,
        "totals",
        "cells",
        "units",
        "quality",
        but=("required", "met", "level", "workers"),
    )


def test_a_span_that_is_not_over_is_not_judged(book):
    """On the second day of the week no span is over, so no cell is judged."""
    report = made(book, now="2017-11-21 09:00")
    assert {row["required"] for row in found(report, "cells")} == {0}
    assert figure(report, "totals", "judged") == 0
    assert figure(report, "totals", "share") is None


def test_what_others_found_stands_beside_what_patrols_found(book):
    """One by the patrol, one by inspectors; a hotline's call is neither."""
    (row,) = found(made(book), "quality")
    assert (row["own"], row["others"], row["missed"]) == (1, 1, 0.5)


def test_cells_walked_as_required_are_counted_by_unit(book):
    """A cell with a gap does not count; with the third span walked it does."""
    assert figure(made(book), "totals", "full") == 0
    walk(book, "P-3", "2017-11-22 08:00", "v-1", "a")
    report = made(book)
    assert figure(report, "totals", "full") == 1
    row = by(found(report, "units"), "full", 1)
    assert (row["cells"], row["share"], row["patrols"]) == (2, 0.5, 3)


def test_a_unit_without_cells_has_an_empty_table(book):
    """It says that there is nothing to walk."""
    report = made(book, unit="shifo")
    assert zh(report.sections[1].blocks[0].note) == "无应巡网格。"


def test_what_was_revoked_or_found_in_another_week_is_not_told(book):
    """A finding withdrawn, and one of the week before, do not count against a cell."""
    problem(book, "I-4", "inspection", "2017-11-19 08:10")
    problem(book, "I-5", "inspection", "2017-11-22 08:10")
    withdrawn = {"reason": "不属实（模拟数据）"}
    book.note("issue.revoked", "issue/I-5", "2017-11-23 08:10", withdrawn)
    (row,) = found(made(book), "quality")
    assert (row["own"], row["others"]) == (1, 1)
