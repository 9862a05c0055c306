"""A desk on each of the three stores, opened and with its units and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.desk import STORES, Desk, Home, MemoryHome, home


@pytest.fixture(params=STORES)
def place(request, tmp_path) -> Home:
    """Return an empty place for a log; the test runs once for each store."""
    return home(request.param, tmp_path, request)


@pytest.fixture
def new_desk(place) -> Iterator[Callable[..., Desk]]:
    """Return a factory of desks on the same place, each with a store of its own."""
    desks: list[Desk] = []

    def make(**options) -> Desk:
        desks.append(Desk(place.open(), options=options))
        return desks[-1]

    yield make
    for desk in desks:
        desk.sequencer.stop()
        desk.store.close()


@pytest.fixture
def desk(new_desk) -> Desk:
    """Return an opened desk on each of the three stores."""
    return new_desk().begin()


@pytest.fixture
def quick() -> Desk:
    """Return an opened desk in memory, for what does not depend on the store."""
    return Desk(MemoryHome().open()).begin()
