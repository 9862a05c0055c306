"""Pages that refuse rows: bounded questions, full pages, an end that goes on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from projections import queries
from tests.projections.logs import random_log
from tests.projections.states.kinds import boards, stored


def scanning(numbers, asked=None):
    """Return a scan over numbers, of which the odd ones are not asked for."""

    def scan(place, size):
        if asked is not None:
            asked.append(size)
        start = place[0] if place else 0
        return [((n, ""), None if n % 2 else n) for n in numbers if n > start][:size]

    return scan


@given(
    st.integers(0, 3000).map(lambda n: range(1, n + 1)),
    st.integers(1, 700),
    st.integers(1, 9),
)
def test_pages_together_are_all_that_is_kept(numbers, limit, nth):
    """No row is lost or shown twice, whatever is refused and wherever a page ends."""
    found, place, pages = [], None, 0
    while place is not None or not pages:
        rows, place = queries.gather(
            scanning(numbers), limit=limit, after=place, keep=lambda n: n % nth == 0
        )
        assert len(rows) <= limit
        found += rows
        pages += 1
    assert found == [n for n in numbers if n % 2 == 0 and n % nth == 0]


def test_a_page_that_finds_little_ends_early_and_goes_on():
    """After a bounded number of rows a page ends; its place is the last row seen."""
    asked: list[int] = []
    rows, place = queries.gather(
        scanning(range(1, 20_000), asked), limit=10, keep=lambda n: n > 19_000
    )
    assert rows == []
    assert place is not None
    assert queries.MOST_SCANNED <= place[0] < 2 * queries.MOST_SCANNED
    assert sum(asked) == place[0]
    assert asked[0] == 11
    assert max(asked) <= 500


def test_the_past_is_asked_for_a_bounded_number_of_commitments():
    """A filter on past versions is never put to all of them at once."""
    log = random_log(1, keys=30, length=200)
    with boards(stored(log)) as snapshot:
        limits: list[int] = []

        class Watched:
            generation = snapshot.generation

            @staticmethod
            def select(sql, parameters):
                limits.append(parameters["limit"])
                assert sql.index(":limit") < sql.index("LEFT JOIN")
                return snapshot.select(sql, parameters)

        narrow = queries.Filter(units=("wutong",))
        page = queries.commitments(Watched, narrow, limit=3, as_of=len(log.all) - 5)
        assert page.rows
        assert limits[0] == 4
