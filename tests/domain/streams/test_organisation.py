"""Units, posts and the grid: who exists, and who holds what when."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.domain.organisation import Appointment, Post
from events.entries import instant

POST = "post/head"


def at(day):
    """Return 00:00 in UTC+8 of a day."""
    return f"{day}T00:00:00+08:00"


def term(person, start, end=None, unit="gouzhao"):
    """Return the data of an appointment."""
    data = {
        "unit": unit,
        "title": "所长",
        "person_ref": person,
        "valid_from": at(start),
    }
    return data | ({"valid_to": at(end)} if end else {})


def test_a_unit_lives_until_it_ends(units):
    """A created unit is active, an ended one is not and takes no more events."""
    assert units.states["unit/gouzhao"].active
    units.send("unit.renamed", "unit/gouzhao", name="新名")
    assert units.states["unit/gouzhao"].name == "新名"
    units.send("unit.ended", "unit/gouzhao", reason="x")
    assert not units.states["unit/gouzhao"].active
    refused = units.refusal("unit.renamed", "unit/gouzhao", name="y")
    assert refused == ("not_allowed_in_state", "/type")


def test_a_unit_is_created_once(units):
    """A second creation is refused; so is any event before the first."""
    twice = units.refusal("unit.created", "unit/zone", name="x")
    assert twice == ("stream_already_started", "/subject")
    early = units.refusal("unit.ended", "unit/nowhere", reason="x")
    assert early == ("stream_not_started", "/subject")


def test_a_parent_must_exist_and_be_active(units):
    """A unit under an unknown or ended unit is refused."""
    unknown = units.refusal("unit.created", "unit/a", name="a", parent="nowhere")
    assert unknown == ("unit_unknown", "/data/parent")
    units.send("unit.ended", "unit/gouzhao", reason="x")
    ended = units.refusal("unit.created", "unit/a", name="a", parent="gouzhao")
    assert ended == ("unit_not_active", "/data/parent")


def test_a_merge_needs_another_active_unit(units):
    """A unit merges into one that exists and is not itself; then it is not active."""
    itself = units.refusal("unit.merged", "unit/zone", into="zone", reason="x")
    assert itself == ("unit_merged_into_itself", "/data/into")
    unknown = units.refusal("unit.merged", "unit/zone", into="nowhere", reason="x")
    assert unknown == ("unit_unknown", "/data/into")
    units.send("unit.merged", "unit/gouzhao", into="zone", reason="x")
    assert units.states["unit/gouzhao"].merged_into == "zone"
    back = units.refusal("unit.merged", "unit/zone", into="gouzhao", reason="x")
    assert back == ("unit_not_active", "/data/into")


def test_no_post_in_a_unit_that_ended(units):
    """Nobody is appointed in a unit that is unknown or ended."""
    unknown = units.refusal(
        "post.appointed", POST, **term("p:1", "2017-01-01", unit="nowhere")
    )
    assert unknown == ("unit_unknown", "/data/unit")
    units.send("unit.ended", "unit/gouzhao", reason="x")
    ended = units.refusal("post.appointed", POST, **term("p:1", "2017-01-01"))
    assert ended == ("unit_not_active", "/data/unit")


def test_who_held_the_post_at_an_instant(units):
    """The holder at an instant is answerable over handovers and vacancies."""
    units.send("post.appointed", POST, **term("p:1", "2017-01-01"))
    units.send("post.ended", POST, person_ref="p:1", valid_to=at("2017-06-01"))
    units.send("post.appointed", POST, **term("p:2", "2017-07-01", "2017-12-01"))
    post = units.states[POST]

    def holder(day):
        held = post.holding_at(instant(at(day)))
        return held and held.person_ref

    assert holder("2016-12-31") is None
    assert holder("2017-01-01") == holder("2017-05-31") == "p:1"
    assert holder("2017-06-01") is None
    assert holder("2017-07-01") == "p:2"
    assert holder("2017-12-01") is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2017-03-01", None),
        ("2017-03-01", "2017-04-01"),
        ("2016-01-01", None),
        ("2016-01-01", "2017-01-02"),
        ("2017-05-31", "2018-01-01"),
    ],
)
def test_one_holder_at_a_time(units, start, end):
    """An appointment that overlaps another one is refused, whoever it is for."""
    units.send("post.appointed", POST, **term("p:1", "2017-01-01", "2017-06-01"))
    refused = units.refusal("post.appointed", POST, **term("p:2", start, end))
    assert refused == ("post_held_already", "/data/valid_from")


def test_neighbouring_terms_do_not_overlap(units):
    """A term may begin at the instant at which the last one ends, or end before it."""
    units.send("post.appointed", POST, **term("p:1", "2017-02-01", "2017-06-01"))
    units.send("post.appointed", POST, **term("p:2", "2017-06-01"))
    units.send("post.appointed", POST, **term("p:3", "2017-01-01", "2017-02-01"))
    assert len(units.states[POST].appointments) == 3


def test_a_term_has_a_length(units):
    """A term that ends when or before it begins is refused."""
    refused = units.refusal(
        "post.appointed", POST, **term("p:1", "2017-01-01", "2017-01-01")
    )
    assert refused == ("appointment_ends_before_start", "/data/valid_to")


def test_only_a_holder_can_leave(units):
    """Leaving needs an appointment, after its start and before its known end."""
    units.send("post.appointed", POST, **term("p:1", "2017-01-01", "2017-06-01"))

    def leaving(person, day):
        return units.refusal("post.ended", POST, person_ref=person, valid_to=at(day))

    assert leaving("p:2", "2017-02-01") == ("appointment_unknown", "/data/person_ref")
    too_early = leaving("p:1", "2017-01-01")
    assert too_early == ("appointment_ends_before_start", "/data/valid_to")
    too_late = leaving("p:1", "2017-06-01")
    assert too_late == ("appointment_ended_already", "/data/valid_to")


@given(
    cuts=st.lists(st.integers(0, 1000), unique=True, min_size=2).map(sorted),
    probe=st.integers(-10, 1010),
)
def test_at_most_one_term_covers_an_instant(cuts, probe):
    """Over terms that touch, each instant belongs to exactly one."""
    terms = tuple(
        Appointment(unit="u", title="t", person_ref=str(a), valid_from=a, valid_to=b)
        for a, b in pairwise(cuts)
    )
    covering = [row for row in terms if row.covers(probe)]
    assert len(covering) == (cuts[0] <= probe < cuts[-1])
    held = Post(status="known", appointments=terms).holding_at(probe)
    assert [held] == (covering or [None])


def drawn(level, **more):
    """Return the data of a cell."""
    return {"name": "示例网格", "level": level, "unit": "gouzhao", **more}


@pytest.fixture
def grid(units):
    """Return a world with the cells g1 and g2 below it."""
    units.send("grid.drawn", "grid/g1", **drawn(1))
    units.send("grid.drawn", "grid/g2", **drawn(2, parent="g1"))
    return units


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        (drawn(1, parent="g1"), ("grid_parent_unexpected", "/data/parent")),
        (drawn(2), ("grid_parent_unknown", "/data/parent")),
        (drawn(2, parent="g9"), ("grid_parent_unknown", "/data/parent")),
        (drawn(3, parent="g1"), ("grid_parent_wrong_level", "/data/parent")),
        (drawn(1) | {"unit": "nowhere"}, ("unit_unknown", "/data/unit")),
    ],
)
def test_a_cell_lies_in_the_level_above(grid, data, refused):
    """A cell needs an active parent of the level above, level 1 has none."""
    assert grid.refusal("grid.drawn", "grid/new", **data) == refused


def test_a_cell_can_be_drawn_anew_on_its_level(grid):
    """A new drawing keeps the level and the workers, and is counted."""
    grid.send("grid.assigned", "grid/g2", person_ref="p:1", valid_from=at("2017-11-01"))
    grid.send("grid.drawn", "grid/g2", **drawn(2, parent="g1"))
    cell = grid.states["grid/g2"]
    assert cell.drawing == 2
    assert cell.workers_at(instant(at("2017-11-02"))) == ("p:1",)
    refused = grid.refusal("grid.drawn", "grid/g2", **drawn(1))
    assert refused == ("grid_level_fixed", "/data/level")


def test_workers_come_and_go(grid):
    """Two workers may share a cell; one is not assigned twice and leaves once."""
    for person in ("p:1", "p:2"):
        grid.send(
            "grid.assigned", "grid/g2", person_ref=person, valid_from=at("2017-11-01")
        )
    twice = grid.refusal(
        "grid.assigned", "grid/g2", person_ref="p:1", valid_from=at("2017-12-01")
    )
    assert twice == ("grid_worker_assigned_already", "/data/person_ref")
    leave = {"person_ref": "p:1", "valid_to": at("2017-11-20")}
    grid.send("grid.relieved", "grid/g2", **leave)
    again = grid.refusal("grid.relieved", "grid/g2", **leave)
    assert again == ("grid_worker_not_assigned", "/data/person_ref")
    cell = grid.states["grid/g2"]
    assert cell.workers_at(instant(at("2017-11-19"))) == ("p:1", "p:2")
    assert cell.workers_at(instant(at("2017-11-20"))) == ("p:2",)


def test_an_assignment_has_a_length(grid):
    """An assignment that ends when it begins is refused."""
    refused = grid.refusal(
        "grid.assigned",
        "grid/g2",
        person_ref="p:1",
        valid_from=at("2017-11-01"),
        valid_to=at("2017-11-01"),
    )
    assert refused == ("appointment_ends_before_start", "/data/valid_to")


def test_an_ended_cell_takes_nothing(grid):
    """A cell that ended gets no worker and is no parent."""
    grid.send("grid.ended", "grid/g1", reason="x")
    refused = grid.refusal(
        "grid.assigned", "grid/g1", person_ref="p:1", valid_from=at("2017-11-01")
    )
    assert refused == ("not_allowed_in_state", "/type")
    orphan = grid.refusal("grid.drawn", "grid/new", **drawn(2, parent="g1"))
    assert orphan == ("grid_parent_unknown", "/data/parent")
