"""A lease is one worker's at a time, ends by itself, and counts its holders."""

from __future__ import annotations

import time
from contextlib import closing

import psycopg
import pytest

from events.errors import Unavailable
from services.leases import PostgresLeases, SqliteLeases
from services.wiring import open_leases
from tests.scheduling.conftest import Clock

SECOND = 1_000_000


class Bench:
    """Leases of one store, seen by two workers, and a way to let time pass."""

    def __init__(self, make, passes):
        self.make = make
        self.passes = passes


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request, settings_of):
    """Leases in each store. Time passes on the test's clock, or really, on the server's."""
    settings = settings_of(request.param)
    settings.data_dir.mkdir(exist_ok=True)
    if request.param == "postgres":
        return Bench(lambda: open_leases(settings), time.sleep)
    clock = Clock()

    def passes(seconds):
        clock.now += int(seconds * SECOND)

    path = settings.data_dir / "leases.db"
    return Bench(lambda: SqliteLeases(path, clock=clock), passes)


def test_only_one_holds_it(bench):
    """While one holds it nobody else gets it; the holder renews it as it likes."""
    with closing(bench.make()) as one, closing(bench.make()) as two:
        first = one.claim("x", "a", seconds=60)
        assert first.epoch == 1
        assert two.claim("x", "b", seconds=60) is None
        assert one.claim("x", "a", seconds=60) == first
        assert two.claim("y", "b", seconds=60).epoch == 1


def test_it_ends_by_itself(bench):
    """After its time it is anybody's, with the next epoch; the old holder has lost it."""
    with closing(bench.make()) as one, closing(bench.make()) as two:
        held = one.claim("x", "a", seconds=0.2)
        bench.passes(0.3)
        assert two.claim("x", "b", seconds=60).epoch == held.epoch + 1
        assert one.claim("x", "a", seconds=60) is None
        one.release(held)
        assert one.claim("x", "a", seconds=60) is None


def test_a_released_lease_is_free_at_once(bench):
    """Who lets go need not be waited for."""
    with closing(bench.make()) as one, closing(bench.make()) as two:
        one.release(one.claim("x", "a", seconds=60))
        assert two.claim("x", "b", seconds=60).epoch == 2


def test_a_lease_of_a_clock_set_back_is_void(bench):
    """A lease that ends later than any could is no reason to wait for its end."""
    with closing(bench.make()) as one, closing(bench.make()) as two:
        one.claim("x", "a", seconds=86_400)
        assert two.claim("x", "b", seconds=5).epoch == 2


def test_a_database_that_is_gone_is_unavailable(tmp_path, settings_of, postgres_server):
    """What cannot be reached says so, and is reached again when it is back."""
    with pytest.raises(Unavailable, match="lease_unavailable"):
        SqliteLeases(tmp_path / "no" / "leases.db", clock=Clock())
    settings = settings_of("postgres")
    with closing(PostgresLeases(settings.database_url, schema="henji_views")) as leases:
        leases.claim("x", "a", seconds=60)
        with psycopg.connect(postgres_server.dsn(), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE '%INSERT INTO%lease%' AND pid <> pg_backend_pid()"
            )
        with pytest.raises(Unavailable, match="lease_unavailable"):
            leases.claim("x", "a", seconds=60)
        assert leases.claim("x", "a", seconds=60).epoch == 1


def test_only_the_holder_leaves_a_note(bench):
    """Who takes a lease over reads the last note; who has lost it can note no more."""
    with closing(bench.make()) as one, closing(bench.make()) as two:
        held = one.claim("x", "a", seconds=0.2)
        assert one.noted("x") is None
        assert one.note(held, "first")
        assert one.note(held, "second")
        bench.passes(0.3)
        assert one.note(held, "third")  # Over, but nobody has taken it.
        taken = two.claim("x", "b", seconds=60)
        assert not one.note(held, "late")
        assert two.noted("x") == "third"
        assert two.note(taken, "mine")
        assert (one.noted("x"), one.noted("y")) == ("mine", None)
