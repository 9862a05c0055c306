"""Ranking with ties, as in the weekly bulletin of the period: 1, 2, 3, 3, 5."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.rules.in_force import as_shipped
from projections.rules.ranking import Entrant, criticised, ranking

RULES = as_shipped()


def ranked(values, cases=9):
    """Return (unit, rank) of units a, b, c … with these values."""
    names = "abcdefghij"
    rows = [Entrant(names[n], value, cases) for n, value in enumerate(values)]
    return [(row.value.unit, row.value.rank) for row in ranking(rows, RULES)]


ROWS = [
    ([97, 95, 93, 93, 90], [1, 2, 3, 3, 5]),
    ([90, 90, 90], [1, 1, 1]),
    ([93, 97, 93, 97, 90], [1, 1, 3, 3, 5]),
    ([100], [1]),
    ([], []),
]


@pytest.mark.parametrize(("values", "ranks"), ROWS)
def test_ties_share_the_better_place(values, ranks):
    """The one after them counts all before it."""
    assert [rank for _, rank in ranked(values)] == ranks


def test_too_few_cases_are_shown_and_not_ranked():
    """Four cases are no sample; nobody's place changes because of them."""
    rows = [
        Entrant("a", 80, 5, (1,)),
        Entrant("b", 99, 4, (2,)),
        Entrant("c", 90, 50, (3,)),
    ]
    found = ranking(rows, RULES)
    assert [(row.value.unit, row.value.rank) for row in found] == [
        ("c", 1),
        ("a", 2),
        ("b", None),
    ]
    assert found[2].reason == {"cases": 4, "least": 5}
    assert found[2].events == (2,)
    assert found[0].rule == "ranking@demo-2017/1"


def test_the_last_place_needs_somebody_better():
    """The yellow card goes to all who tie at the end, and to none where all are equal."""
    last = ranking(
        [Entrant(unit, value, 9) for unit, value in (("a", 9), ("b", 7), ("c", 7))],
        RULES,
    )
    assert [row.value.last for row in last] == [False, True, True]
    equal = ranking([Entrant(unit, 7, 9) for unit in "ab"], RULES)
    assert not any(row.value.last for row in equal)


def test_two_last_places_a_month_are_criticised():
    """Once is a yellow card, twice is a circular; the events of both weeks are named."""

    def week(loser, event):
        rows = [Entrant(u, 50 if u == loser else 90, 9, (event,)) for u in "abc"]
        return ranking(rows, RULES)

    weeks = [week("a", 1), week("b", 2), week("a", 3), week("c", 4)]
    (found,) = criticised(weeks, RULES)
    assert (found.value, found.events) == ("a", (1, 3))
    assert found.rule == "ranking.last_places@demo-2017/1"
    assert found.reason == {"weeks": 2, "limit": 2}


@given(values=st.lists(st.integers(0, 20), max_size=10))
@settings(deadline=None, max_examples=200)
def test_a_rank_is_one_more_than_those_who_are_better(values):
    """For any values, whatever order they come in."""
    by_unit = dict(ranked(values))
    names = "abcdefghij"
    for n, value in enumerate(values):
        assert by_unit[names[n]] == 1 + sum(other > value for other in values)
