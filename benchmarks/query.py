"""Rows ``query``: pages of the board as of the past, at two lengths of the log.

Rules of this file: the same questions to the read models of a short log and of one ten
times as long; in process, since HTTP would hide the difference. Less is better.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from benchmarks.effort import Effort
from benchmarks.filled import filled
from benchmarks.measure import Row, alternate, compared, per_second
from benchmarks.places import Place
from projections import queries
from projections.board import NAME, Board
from projections.runner import Runner
from projections.views import Snapshot, Views
from services.wiring import open_views

_GOAL = 1.3
_PAGE = 50
_AT_ONCE = 40
_SEED = 20171123
_LOOP = 10  # events of one commitment
_Ask = Callable[[Snapshot, random.Random, int], object]


def run(place: Place, effort: Effort) -> list[Row]:
    """Return a row for each question."""
    with ExitStack() as stack:
        short = stack.enter_context(_board(place, effort.small))
        long = stack.enter_context(_board(place, effort.large))
        rows = []
        for name, ask in _QUESTIONS.items():
            rates = alternate(
                {
                    "henji": _timed(long, ask, effort.large, effort),
                    _baseline(effort): _timed(short, ask, effort.small, effort),
                },
                rounds=effort.rounds,
            )
            row = compared(
                rates,
                name=f"query: {name}",
                store=place.kind,
                baseline=_baseline(effort),
                goal=_GOAL,
                better="less",
                unit="ms",
                extra={"entries": effort.large},
            )
            rows.append(row)
    return rows


def _baseline(effort: Effort) -> str:
    return f"the same at {effort.small:,} of {effort.large:,} entries"


@contextmanager
def _board(place: Place, entries: int) -> Iterator[Views]:
    settings = place.settings()
    with filled(settings, entries) as store, closing(open_views(settings)) as views:
        Runner(
            reader=store, views=views, projector=Board(), wake=threading.Event()
        ).rebuild()
        yield views


def _timed(
    views: Views, ask: _Ask, entries: int, effort: Effort
) -> Callable[[], float]:
    """Return a contender: mean ms of the question at random places of the past."""

    def measure() -> float:
        chance = random.Random(_SEED)
        with views.snapshot(NAME) as snapshot:

            def some() -> int:
                for _ in range(_AT_ONCE):
                    ask(snapshot, chance, entries)
                return _AT_ONCE

            return 1e3 / per_second(some, seconds=effort.seconds / 10)

    return measure


def _key(chance: random.Random, entries: int) -> str:
    return f"B-{chance.randint(1, entries // _LOOP):06d}"


def _page_now(snapshot: Snapshot, chance: random.Random, entries: int) -> object:
    after = (0, _key(chance, entries // 4))
    return queries.commitments(snapshot, queries.Filter(), limit=_PAGE, after=after)


def _page_past(snapshot: Snapshot, chance: random.Random, entries: int) -> object:
    # Of the first half of the log: every page of the first quarter is full by then.
    after = (0, _key(chance, entries // 4))
    narrow = queries.Filter()
    as_of = entries // 2 + chance.randint(0, entries // 2)
    return queries.commitments(snapshot, narrow, limit=_PAGE, after=after, as_of=as_of)


def _page_unit(snapshot: Snapshot, chance: random.Random, entries: int) -> object:
    narrow = queries.Filter(units=("gouzhao",))
    as_of = entries // 2 + chance.randint(0, entries // 2)
    return queries.commitments(snapshot, narrow, limit=_PAGE, as_of=as_of)


def _lines(snapshot: Snapshot, chance: random.Random, entries: int) -> object:
    stream = f"commitment/{_key(chance, entries)}"
    return queries.lines(snapshot, stream, limit=_PAGE)


_QUESTIONS: dict[str, _Ask] = {
    "board, a page now": _page_now,
    "board, a page as of the past": _page_past,
    "board of one unit as of the past": _page_unit,
    "timeline of one commitment": _lines,
}
