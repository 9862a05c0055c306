"""The moment a question is about: so much of the log, an instant, the rules in force.

Rules of this file: reading ``as_of``, ``as_at`` and ``at`` once for all routes. What
was true then may not change, so there is no answer for a position to come.
"""

from __future__ import annotations

from dataclasses import dataclass

from events.domain.calendars import CALENDAR
from projections import moments
from projections.rules.in_force import RULESET, Rulebook, Rules
from services.api.desk import Desk, in_thread
from services.api.filters import as_of as parse_as_of
from services.api.filters import us
from services.api.waiting import reach
from services.wiring import clock


@dataclass(frozen=True, slots=True)
class Moment:
    """What an answer is of: up to ``position`` (None: all), judged at ``at`` (µs).

    ``rules`` are those in force at that instant, as far as known at that position.
    With ``as_at`` only what had happened by that instant (µs) counts.
    """

    position: int | None
    at: int
    rules: Rules
    as_at: int | None = None

    @property
    def is_past(self) -> bool:
        """Say whether less than all is asked about, by either clock."""
        return self.position is not None or self.as_at is not None

    def within(self, reached: int) -> moments.Moment:
        """Return the moment in read models that have reached a position."""
        position = reached if self.position is None else self.position
        return moments.Moment(position, self.as_at)


async def asked(
    desk: Desk, as_of: str | None, at: str | None, as_at: str | None = None
) -> Moment:
    """Return the moment asked about, once the read models can answer for it.

    ``Malformed('position_ahead')``: what was true then may not change, so there is no
    answer for a position to come.
    """
    moment = await in_thread(_moment, desk, as_of, at, as_at)
    await reach(desk, moment.position)
    return moment


def book(desk: Desk, name: str = RULESET) -> Rulebook:
    """Return all versions of a ruleset and of the calendar, as the log has them now."""
    return Rulebook(
        name,
        desk.ledger.state_of(f"ruleset/{name}"),
        desk.ledger.state_of(f"calendar/{CALENDAR}"),
    )


def sealed_by(desk: Desk, as_of: str) -> tuple[int, int]:
    """Return the position of ``as_of``, and the instant it was sealed at (µs)."""
    bound = parse_as_of(as_of)
    if "until" in bound:
        position = bound["until"]
        row = desk.ledger.store.row(position) if position else None
        return position, row.ingested if row else clock()
    then = bound["ingested_before"] - 1
    return desk.ledger.store.position_at(then), then


def _moment(desk: Desk, as_of: str | None, at: str | None, as_at: str | None) -> Moment:
    """Return what is asked about; a past answer is judged at its own instant."""
    judged = us("at", at) if at else None
    happened = us("as_at", as_at) if as_at else None
    position, then, known = None, clock(), book(desk)
    if as_of is not None:
        position, then = sealed_by(desk, as_of)
        known = known.known_at(then)
    given = [chosen for chosen in (judged, happened) if chosen is not None]
    instant = given[0] if given else then
    return Moment(position, instant, known.at(instant), happened)
