"""Cells that were walked, sources that were counted, closes that were looked back at."""

from __future__ import annotations

import pytest

from events.domain.periods import Span
from projections.rules import coverage
from projections.rules.courses import courses
from tests.rules.diary import us

PERIOD = Span(us("2017-11-20"), us("2017-11-27"))


@pytest.fixture
def cells(diary):
    """Return a diary with one cell of each level."""
    for level, name in ((1, "z"), (2, "o"), (3, "c")):
        parent = {1: None, 2: "z", 3: "o"}[level]
        data = {"name": "示例", "level": level, "unit": "gouzhao", "parent": parent}
        diary.note("grid.drawn", f"grid/{name}", "2017-11-01", data)
    return diary


def walk(diary, cell, at, *points):
    """Note a patrol that checks points of a cell."""
    stream = f"inspection/P-{len(diary.log)}"
    start = {"kind": "patrol", "unit": "gouzhao", "cell": cell}
    diary.note("inspection.started", stream, at, start)
    return [
        diary.note(
            "inspection.point_checked",
            stream,
            at,
            {"cell": cell, "point": point, "result": "in_order"},
        )
        for point in points
    ]


def walked(diary, rules, now="2017-12-01", period=PERIOD):
    """Return {cell: (met, required, patrols)}."""
    found = coverage.patrols(diary.world(now), period, rules=rules)
    return {
        row.value.cell: (row.value.met, row.value.required, row.value.patrols)
        for row in found
    }


def test_each_level_has_its_frequency(cells, rules):
    """Every second day on level 3, twice a week on level 2, once on level 1."""
    for day in ("20", "23", "23"):
        walk(cells, "c", f"2017-11-{day} 09:00", "1", "2")
    walk(cells, "o", "2017-11-21 09:00", "1")
    walk(cells, "z", "2017-11-26 23:59", "1")
    # Level 3: 20-21 and 22-23 were walked, 24-25 not; 26 has no second day.
    assert walked(cells, rules) == {"c": (2, 3, 3), "o": (0, 1, 1), "z": (1, 1, 1)}
    walk(cells, "o", "2017-11-24 09:00", "1")
    assert walked(cells, rules)["o"] == (1, 1, 2)


def test_a_patrol_that_checks_nothing_covers_nothing(cells, rules):
    """Starting is not walking; many points of one patrol are one patrol."""
    walk(cells, "c", "2017-11-20 09:00")
    assert walked(cells, rules)["c"] == (0, 3, 0)
    points = walk(cells, "c", "2017-11-20 10:00", "1", "2", "3")
    (found,) = [
        row
        for row in coverage.patrols(cells.world("2017-12-01"), PERIOD, rules=rules)
        if row.value.cell == "c"
    ]
    assert (found.value.met, found.events) == (1, tuple(points))
    assert found.rule == "patrol_coverage@demo-2017/1"


def test_a_span_that_is_not_over_is_not_judged(cells, rules):
    """On the third day only the first two are."""
    assert walked(cells, rules, now="2017-11-22 12:00")["c"] == (0, 1, 0)
    assert walked(cells, rules, now="2017-11-19")["c"] == (0, 0, 0)


def test_a_cell_that_has_ended_needs_no_patrol(cells, rules):
    """It is no longer in the list."""
    cells.note("grid.ended", "grid/c", "2017-11-25", {"reason": "示例"})
    assert "c" not in walked(cells, rules)


def test_the_census_has_its_denominator_from_its_list(diary, rules):
    """Three listed, one there, one gone, and one that no list had."""
    stream = "census/sources-2017"
    entries = [
        {"entry": f"E-{n}", "name": "示例", "kind": "restaurant"} for n in range(3)
    ]
    for cell in ("c1", "c2"):
        listed = {"cell": cell, "unit": "gouzhao", "entries": entries}
        diary.note("census.listed", stream, "2017-11-13", listed)
    notes = [
        ("visited", {"cell": "c1", "entry": "E-0"}),
        ("not_found", {"cell": "c1", "entry": "E-1", "reason": "示例"}),
        ("visited", {"cell": "c1", "entry": "N-1", "newly_found": True}),
    ]
    events = [diary.note(f"census.{w}", stream, "2017-11-16", d) for w, d in notes]
    one, two = coverage.census(diary.world("2017-12-01"), rules)
    value = one.value
    assert (value.settled, value.listed, value.new, value.finished) == (2, 3, 1, False)
    assert (one.rule, one.events) == ("census_coverage@demo-2017/1", (1, *events))
    assert (two.value.cell, two.value.settled) == ("c2", 0)


LOOK = {"team": ["t"], "text": "示例"}
AGAIN = {"new_due": "2017-12-20", "reason": "示例"}


def test_relapses_are_counted_among_what_was_looked_back_at(diary, rules):
    """Three closes of one theme, two looked at, one relapsed; with its interval."""
    closed = ("closed", "2017-11-20 09:00")
    passed = ("lookback_recorded", "2017-11-24 09:00", LOOK | {"result": "passed"})
    relapsed = ("lookback_recorded", "2017-11-24 09:00", LOOK | {"result": "relapsed"})
    one = diary.commitment("C-1", closed, passed, theme="dust")
    two = diary.commitment(
        "C-2", closed, relapsed, ("reopened", "2017-11-25", AGAIN), theme="dust"
    )
    three = diary.commitment("C-3", closed, theme="dust")
    diary.commitment("C-4", theme="dust")
    diary.commitment("C-5", closed, theme="soot")
    rows = courses(diary.world("2017-12-01"))
    now = us("2017-12-01")
    dust, soot = coverage.lookbacks(rows, now, by=coverage.by_theme, rules=rules)
    assert dust.value.covered.base == (one[2], two[2], three[2])
    assert dust.value.covered.hits == (one[2], two[2])
    assert (dust.value.relapsed.hits, dust.value.relapsed.base) == (
        (two[3],),
        (one[3], two[3]),
    )
    low, high = dust.value.interval
    assert (round(low, 4), round(high, 4)) == (0.0945, 0.9055)
    assert (soot.value.covered.numerator, soot.value.interval) == (0, None)
    assert dust.rule == "relapse_rate@demo-2017/1"


def test_a_look_back_tests_the_close_before_it(diary, rules):
    """Closed again after a relapse: the second close waits for its own look."""
    diary.commitment(
        "C-1",
        ("closed", "2017-11-20 09:00"),
        ("lookback_recorded", "2017-11-24 09:00", LOOK | {"result": "relapsed"}),
        ("reopened", "2017-11-25 09:00", AGAIN),
        ("closed", "2017-11-28 09:00"),
    )
    rows = courses(diary.world("2017-12-01"))
    by = coverage.by_theme
    (found,) = coverage.lookbacks(rows, us("2017-12-01"), by=by, rules=rules)
    assert (found.value.covered.numerator, found.value.covered.denominator) == (1, 2)
    passed = LOOK | {"result": "passed"}
    diary.note("commitment.lookback_recorded", "commitment/C-1", "2017-12-04", passed)
    later = courses(diary.world("2017-12-05"))
    (both,) = coverage.lookbacks(later, us("2017-12-05"), by=by, rules=rules)
    assert (both.value.covered.numerator, both.value.relapsed.numerator) == (2, 1)
    (then,) = coverage.lookbacks(rows, us("2017-11-22"), by=by, rules=rules)
    assert (then.value.covered.numerator, then.value.covered.denominator) == (0, 1)


def test_whose_approval_relapses_is_told_by_the_verifier(diary, rules):
    """The unit that passed it, before the relapse clears that from the state."""
    claim = ("completion_claimed", "2017-11-16 09:00", {"text": "示例"})
    diary.commitment("C-1", claim)
    stream = "commitment/C-1"
    verdict = {"result": "pass", "method": "document"}
    diary.note(
        "commitment.verification_recorded", stream, "2017-11-17", verdict, unit="bureau"
    )
    diary.note("commitment.closed", stream, "2017-11-20")
    diary.note(
        "commitment.lookback_recorded",
        stream,
        "2017-11-24",
        LOOK | {"result": "relapsed"},
    )
    diary.note("commitment.reopened", stream, "2017-11-25", AGAIN)
    rows = courses(diary.world("2017-12-01"))
    by = coverage.by_verifier
    (found,) = coverage.lookbacks(rows, us("2017-12-01"), by=by, rules=rules)
    assert (found.value.group, found.value.relapsed.value) == ("bureau", 1.0)
