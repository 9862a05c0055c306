"""A census counts what its events say: listed, visited, missing and new sources."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.errors import Refused
from tests.support.supervision import LEAD, WORKER, World, actor

CENSUS = "census/2017"
COUNTS = {"listed": 2, "visited": 1, "not_found": 1, "newly_found": 1}


def entries(*names):
    """Return a list of the sources named."""
    return [{"entry": name, "name": "示例", "kind": "scrap_yard"} for name in names]


def listing(*names, cell="c1"):
    """Return the list of a cell."""
    return {"cell": cell, "unit": "gouzhao", "entries": entries(*names)}


@pytest.fixture
def census(world):
    """Return a world in which the cell c1 lists a and b."""
    world.send("census.listed", CENSUS, listing("a", "b"), by=LEAD)
    return world


def test_a_list_is_of_a_known_cell_without_repeats(world):
    """Cells, units and files exist; an entry is listed once."""

    def refused(data):
        return world.refusal("census.listed", CENSUS, data, by=LEAD)

    assert refused(listing("a", cell="c9")) == ("stream_unknown", "/data/cell")
    assert refused(listing("a") | {"unit": "no"}) == ("unit_unknown", "/data/unit")
    assert refused(listing("a", "a")) == (
        "census_entry_listed",
        "/data/entries/1/entry",
    )
    filed = [entries("a")[0] | {"subject": "S-9"}]
    assert refused(listing() | {"entries": filed}) == (
        "subject_unknown",
        "/data/entries/0/subject",
    )
    world.send("census.listed", CENSUS, listing("a"), by=LEAD)
    assert refused(listing("a")) == ("census_entry_listed", "/data/entries/0/entry")
    world.send("census.listed", CENSUS, listing("b"), by=LEAD)
    assert world.states[CENSUS].cells["c1"].listed == {"a", "b"}


def test_what_is_visited_is_listed_or_new(census):
    """A source is one or the other, visited once, by who has the cell."""

    def refused(entry, by=WORKER, cell="c1", **more):
        data = {"cell": cell, "entry": entry} | more
        return census.refusal("census.visited", CENSUS, data, by=by)

    assert refused("x") == ("census_entry_not_listed", "/data/entry")
    assert refused("a", newly_found=True) == (
        "census_entry_listed",
        "/data/newly_found",
    )
    assert refused("a", cell="c2") == ("cell_not_own", "/data/cell")
    assert refused("a", cell="c2", by=LEAD) == ("census_cell_not_listed", "/data/cell")
    assert refused("a", subject="S-9") == ("subject_unknown", "/data/subject")
    assert refused("a", inspection="X-9") == ("stream_unknown", "/data/inspection")
    assert refused("a", visited_at="2018-01-01T00:00:00Z") == (
        "instant_in_future",
        "/data/visited_at",
    )
    visited = {"cell": "c1", "entry": "a", "subject": "E-1"}
    census.send("census.visited", CENSUS, visited, by=WORKER)
    assert refused("a") == ("census_entry_visited", "/data/entry")
    new = {"cell": "c1", "entry": "n", "newly_found": True}
    census.send("census.visited", CENSUS, new, by=WORKER)
    assert refused("n", newly_found=True) == ("census_entry_visited", "/data/entry")


def test_what_is_missing_may_turn_up(census):
    """Not found is said once of a listed one; a later visit undoes it."""
    gone = {"cell": "c1", "entry": "a", "reason": "moved"}
    unlisted = gone | {"entry": "x"}
    refused = census.refusal("census.not_found", CENSUS, unlisted, by=WORKER)
    assert refused == ("census_entry_not_listed", "/data/entry")
    census.send("census.not_found", CENSUS, gone, by=WORKER)
    refused = census.refusal("census.not_found", CENSUS, gone, by=WORKER)
    assert refused == ("census_entry_missing_already", "/data/entry")
    census.send("census.visited", CENSUS, {"cell": "c1", "entry": "a"}, by=WORKER)
    cell = census.states[CENSUS].cells["c1"]
    assert (cell.visited, cell.missing) == ({"a"}, frozenset())
    refused = census.refusal("census.not_found", CENSUS, gone, by=WORKER)
    assert refused == ("census_entry_visited", "/data/entry")


def test_counts_are_never_typed(census):
    """A cell is finished when nothing is open and each count is that of the events."""
    finished = {"cell": "c1"} | COUNTS
    refused = census.refusal("census.finished", CENSUS, finished, by=WORKER)
    assert refused == ("census_entries_open", "/data/cell")
    census.send("census.visited", CENSUS, {"cell": "c1", "entry": "a"}, by=WORKER)
    gone = {"cell": "c1", "entry": "b", "reason": "moved"}
    census.send("census.not_found", CENSUS, gone, by=WORKER)
    new = {"cell": "c1", "entry": "n", "newly_found": True}
    census.send("census.visited", CENSUS, new, by=WORKER)
    for name, count in COUNTS.items():
        wrong = finished | {name: count + 1}
        refused = census.refusal("census.finished", CENSUS, wrong, by=WORKER)
        assert refused == ("census_count_differs", f"/data/{name}")
    census.send("census.finished", CENSUS, finished, by=WORKER)
    late = {"cell": "c1", "entry": "m", "newly_found": True}
    refused = census.refusal("census.visited", CENSUS, late, by=WORKER)
    assert refused == ("census_cell_finished", "/data/cell")
    refused = census.refusal("census.listed", CENSUS, listing("z"), by=LEAD)
    assert refused == ("census_cell_finished", "/data/cell")


@settings(deadline=None, max_examples=80)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["listed", "visited", "new", "not_found"]),
            st.sampled_from("abcd"),
        ),
        max_size=25,
    )
)
def test_every_entry_is_in_one_place(steps):
    """Whatever is sent: listed = open + visited + missing, and new is none of them."""
    world = World()
    admin = actor("u", "a", "admin", "office")
    world.send("unit.created", "unit/gouzhao", {"name": "x"}, by=admin)
    cell = {"name": "x", "level": 1, "unit": "gouzhao"}
    world.send("grid.drawn", "grid/c1", cell, by=admin)
    world.send("census.listed", CENSUS, listing(), by=LEAD)
    for what, entry in steps:
        one = {"cell": "c1", "entry": entry}
        name, data = {
            "listed": ("listed", listing(entry)),
            "visited": ("visited", one),
            "new": ("visited", one | {"newly_found": True}),
            "not_found": ("not_found", one | {"reason": "x"}),
        }[what]
        try:
            world.send(f"census.{name}", CENSUS, data, by=LEAD)
        except Refused:
            continue
        found = world.states[CENSUS].cells["c1"]
        parts = (found.open, found.visited, found.missing)
        assert frozenset().union(*parts) == found.listed
        assert sum(map(len, parts)) == len(found.listed)
        assert not found.new & found.listed
