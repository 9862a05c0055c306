"""Rows ``query``: boards, timelines, searches of the past, at two lengths of the log.

Rules of this file: the same questions to a short log and to one ten times as long; in
process, since HTTP would hide the difference. Less is better.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from statistics import median
from time import perf_counter
from typing import NamedTuple

from benchmarks import filled
from benchmarks.effort import Effort
from benchmarks.measure import Row, alternate, compared, per_second
from benchmarks.places import Place
from events.store import Selection, Store
from projections import queries
from projections.board import NAME, Board
from projections.runner import Runner
from projections.views import Snapshot, Views
from services.wiring import open_views
from tests.support import scenario

_GOAL = 1.3
_PAGE = 50
_AT_ONCE = 40
#: Turns are short here, and many: what stops one of a pair should miss the other.
_TURNS = 8
_SEED = 20171123
_LOOP = len(scenario.WAY)  # events of one commitment
_SIGNED = ("henji.commitment.signed_for.v1",)
#: How long after its beginning a commitment is signed for.
_SIGNED_US = 120_000_000
#: A search by time is for those that were signed for within so long: 200 of them.
_WINDOW_US = 200 * filled.STEP_US


class _Log(NamedTuple):
    """One of the two logs, with its read models."""

    store: Store
    views: Views
    entries: int


class _Asked(NamedTuple):
    """What a question is put to, and the dice that choose its place and its past.

    The past is of the second half of the log: what the first half holds stands by then.
    """

    snapshot: Snapshot
    store: Store
    entries: int
    chance: random.Random

    def loop(self, part: int = 1) -> int:
        """Return the number of a commitment in the first 1/``part`` of the log."""
        return self.chance.randint(1, self.entries // _LOOP // part)

    def past(self) -> int:
        """Return a position of the second half."""
        return self.entries // 2 + self.chance.randint(0, self.entries // 2)


_Ask = Callable[[_Asked], object]


def run(place: Place, effort: Effort) -> list[Row]:
    """Return a row for each question."""
    baseline = f"the same at {effort.small:,} of {effort.large:,} entries"
    with ExitStack() as stack:
        short = stack.enter_context(_log(place, effort.small))
        long = stack.enter_context(_log(place, effort.large))
        return [
            compared(
                alternate(
                    {
                        "henji": _timed(long, ask, effort),
                        baseline: _timed(short, ask, effort),
                    },
                    rounds=_TURNS * effort.rounds,
                ),
                name=f"query: {name}",
                store=place.kind,
                baseline=baseline,
                goal=_GOAL,
                better="less",
                unit="ms",
                extra={"entries": effort.large},
            )
            for name, ask in _QUESTIONS.items()
        ]


@contextmanager
def _log(place: Place, entries: int) -> Iterator[_Log]:
    settings = place.settings()
    with (
        filled.filled(settings, entries) as store,
        closing(open_views(settings)) as views,
    ):
        Runner(
            reader=store, views=views, projector=Board(), wake=threading.Event()
        ).rebuild()
        yield _Log(store, views, entries)


def _timed(log: _Log, ask: _Ask, effort: Effort) -> Callable[[], float]:
    """Return a contender: ms of the question at random places of the past.

    The median of means: the machine's other work stops some of them for long.
    """

    def measure() -> float:
        chance = random.Random(_SEED)
        with log.views.snapshot(NAME) as snapshot:
            asked = _Asked(snapshot, log.store, log.entries, chance)

            def some() -> int:
                for _ in range(_AT_ONCE):
                    ask(asked)
                return _AT_ONCE

            ends = perf_counter() + effort.seconds / 20
            rates = [per_second(some)]
            while perf_counter() < ends:
                rates.append(per_second(some))
            return 1e3 / median(rates)

    return measure


def _page_now(asked: _Asked) -> object:
    after = (0, filled.key_of(asked.loop(part=4)))
    return queries.commitments(
        asked.snapshot, queries.Filter(), limit=_PAGE, after=after
    )


def _page_past(asked: _Asked) -> object:
    # Every page of the first quarter is full by then.
    after = (0, filled.key_of(asked.loop(part=4)))
    return queries.commitments(
        asked.snapshot,
        queries.Filter(),
        limit=_PAGE,
        after=after,
        as_of=asked.past(),
    )


def _page_unit(asked: _Asked) -> object:
    narrow = queries.Filter(units=("gouzhao",))
    return queries.commitments(asked.snapshot, narrow, limit=_PAGE, as_of=asked.past())


def _one(asked: _Asked) -> object:
    key = filled.key_of(asked.loop())
    return queries.commitment(asked.snapshot, key, as_of=asked.past())


def _lines(asked: _Asked) -> object:
    return queries.lines(asked.snapshot, _stream(asked), limit=_PAGE)


def _lines_past(asked: _Asked) -> object:
    return queries.lines(
        asked.snapshot, _stream(asked), limit=_PAGE, as_of=asked.past()
    )


def _stream(asked: _Asked) -> str:
    return f"commitment/{filled.key_of(asked.loop())}"


def _search_type(asked: _Asked) -> object:
    return _search(asked, Selection(until=asked.past(), types=_SIGNED))


def _search_window(asked: _Asked) -> object:
    begin = scenario.START + _SIGNED_US + asked.loop(part=4) * filled.STEP_US
    return _search(
        asked,
        Selection(
            until=asked.past(),
            types=_SIGNED,
            occurred_from=begin,
            occurred_before=begin + _WINDOW_US,
        ),
    )


def _search_stream(asked: _Asked) -> object:
    return _search(asked, Selection(until=asked.past(), streams=(_stream(asked),)))


def _search(asked: _Asked, selection: Selection) -> object:
    return asked.store.select(selection, limit=_PAGE + 1, newest_first=True)


_QUESTIONS: Mapping[str, _Ask] = {
    "board, a page now": _page_now,
    "board, a page as of the past": _page_past,
    "board of one unit as of the past": _page_unit,
    "one commitment as of the past": _one,
    "timeline of one commitment": _lines,
    "timeline as of the past": _lines_past,
    "search by type as of the past": _search_type,
    "search by type and time as of the past": _search_window,
    "search by stream as of the past": _search_stream,
}
