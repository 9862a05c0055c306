"""Daily duties that nobody answers: inaction 不作为 in what recurs, one line a duty.

Rules of this file: which periods of which duty are read for the rule; what the rule
says is ``conduct.daily_inaction``. A duty that has ended accuses nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any, Final, NamedTuple

from events import calendar
from events.domain.obligations import Defined, Obligation, Routine, obligation_stream
from events.store import Reader
from projections import moments, state_queries
from projections.cut_world import ViewWorld
from projections.moments import Standing
from projections.queries import Place
from projections.rules import conduct
from projections.rules.derived import Derived
from projections.rules.in_force import Rules
from projections.views import Snapshot
from projections.world import StateRow

_DAILY: Final = frozenset({"daily", "working_day"})
_CHUNK: Final = 500


class Silent(NamedTuple):
    """A daily duty, and what the rule says of it."""

    stream: str
    duty: Defined
    found: Derived[bool]


def silent(
    world: ViewWorld,
    units: tuple[str, ...],
    rules: Rules,
    *,
    after: str,
    limit: int,
) -> tuple[list[Silent], Place | None]:
    """Return the silent ones of a page of duties beyond key ``after``, and its place.

    None: there are no more. ``units`` narrows; none: all.
    """
    moment = moments.Moment(world.cut.position, world.cut.as_at)
    page = state_queries.page(
        world.snapshot,
        world.reader,
        "routine",
        state_queries.Narrow(units=units),
        moment=moment,
        limit=limit,
        after=(0, after),
    )
    found = [
        Silent(row.stream, row.state.definition, line)
        for row in page.rows
        if _is_owed(row.state, world.cut.now)
        and (line := _judged(world, row.state.definition, moment, rules)) is not None
    ]
    return found, page.next


def _is_owed(routine: Routine, now: int) -> bool:
    if routine.definition.rhythm not in _DAILY:
        return False
    return routine.last_day is None or now < calendar.end_of_day(routine.last_day)


def _judged(
    world: ViewWorld, duty: Defined, moment: moments.Moment, rules: Rules
) -> Derived[bool] | None:
    """Return the rule's answer where it is yes, with the events of its periods.

    Which periods it rests on is known only after all were judged, and only theirs are
    read: each is cited by its last event first.
    """
    rows = list(_periods(world.snapshot, world.reader, duty, moment))
    found = conduct.daily_inaction(rows, world.cut.now, rules)
    if found is None or not found.value:
        return None
    named = [row.stream for row in rows if row.events[0] in found.events]
    whole = [row for stream in named if (row := world.state(stream)) is not None]
    return conduct.daily_inaction(whole, world.cut.now, rules)


def _periods(
    snapshot: Snapshot, reader: Reader, duty: Defined, moment: moments.Moment
) -> Iterator[StateRow]:
    """Yield the periods of a duty, each with the position of its last event."""
    own = obligation_stream(duty.kind, duty.unit, "", subject=duty.subject) + "/"
    for standing in _beyond(snapshot, own, moment):
        state: Any = moments.state(reader, standing, moment)
        if isinstance(state, Obligation) and state.subject == duty.subject:
            key = standing.stream.partition("/")[2]
            told = (standing.valid_from,)
            yield StateRow(standing.stream, "obligation", key, state, told)


def _beyond(
    snapshot: Snapshot, prefix: str, moment: moments.Moment
) -> Iterator[Standing]:
    """Yield what stands under a prefix of streams, in order, a chunk at a time."""
    kind, _, after = prefix.partition("/")
    while found := moments.standing(snapshot, kind, moment, after=after, limit=_CHUNK):
        own = list(takewhile(lambda row: row.stream.startswith(prefix), found))
        yield from own
        if len(own) < _CHUNK:
            return
        after = own[-1].stream.partition("/")[2]
