"""The moment a question is about: so much of the log, an instant, the rules in force.

Rules of this file: reading ``as_of`` and ``at`` once for all routes. What was true then
may not change, so there is no answer for a position to come.
"""

from __future__ import annotations

from dataclasses import dataclass

from projections.rules.in_force import CALENDAR, RULESET, Rulebook, Rules
from services.api.desk import Desk, in_thread
from services.api.filters import as_of as parse_as_of
from services.api.filters import us
from services.api.waiting import reach
from services.wiring import clock


@dataclass(frozen=True, slots=True)
class Moment:
    """What an answer is of: up to ``position`` (None: all), judged at ``at`` (µs).

    ``rules`` are those in force at that instant, as far as known at that position.
    """

    position: int | None
    at: int
    rules: Rules


async def asked(desk: Desk, as_of: str | None, at: str | None) -> Moment:
    """Return the moment asked about, once the read models can answer for it.

    ``Malformed('position_ahead')``: what was true then may not change, so there is no
    answer for a position to come.
    """
    moment = await in_thread(_moment, desk, as_of, at)
    await reach(desk, moment.position)
    return moment


def book(desk: Desk, name: str = RULESET) -> Rulebook:
    """Return all versions of a ruleset and of the calendar, as the log has them now."""
    return Rulebook(
        name,
        desk.ledger.state_of(f"ruleset/{name}"),
        desk.ledger.state_of(f"calendar/{CALENDAR}"),
    )


def _moment(desk: Desk, as_of: str | None, at: str | None) -> Moment:
    """Return what is asked about; a past answer is judged at its own instant."""
    judged = us("at", at) if at else None
    if as_of is None:
        instant = clock() if judged is None else judged
        return Moment(None, instant, book(desk).at(instant))
    bound = parse_as_of(as_of)
    if "until" in bound:
        position = bound["until"]
        row = desk.ledger.store.row(position) if position else None
        then = row.ingested if row else clock()
    else:
        then = bound["ingested_before"] - 1
        position = desk.ledger.store.position_at(then)
    instant = then if judged is None else judged
    return Moment(position, instant, book(desk).known_at(then).at(instant))
