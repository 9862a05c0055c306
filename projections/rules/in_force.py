"""Which ruleset and calendar are in force at an instant, as known in a cut of the log.

Rules of this file: looking them up. A version counts once it is activated, and from its
own ``valid_from`` on: no change reaches an instant before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from events.calendar import Calendar
from events.domain import rulesets
from events.domain.calendars import CALENDAR, table_of
from events.domain.policy_versions import Edition, Versions
from events.domain.rulesets import Ruleset
from projections.rules.derived import positions
from projections.world import Happened, World

RULESET = "demo-2017"
_FORCING = frozenset({"published", "activated"})


@dataclass(frozen=True, slots=True)
class Rules:
    """The thresholds and the calendar that judge an instant.

    ``events`` are the positions that put them into force; none: they came with the
    code.
    """

    ruleset: Ruleset
    table: Calendar
    events: tuple[int, ...] = ()

    def cite(self, rule: str) -> str:
        """Return how a result names its rule: ``inaction@demo-2017/1``."""
        return f"{rule}@{self.ruleset.label}"

    @property
    def calendar(self) -> str:
        """Return how a report names the calendar: ``cn/2026.1``."""
        return self.table.label


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All versions of one ruleset and one calendar that a cut knows."""

    name: str = RULESET
    ruleset: Versions | None = None
    calendar: Versions | None = None
    happened: tuple[Happened, ...] = ()

    def at(self, instant: int) -> Rules:
        """Return what is in force at an instant.

        KeyError: no such ruleset is built in or was in force then.
        """
        found = None if self.ruleset is None else self.ruleset.in_force(instant)
        table = None if self.calendar is None else self.calendar.in_force(instant)
        return Rules(
            ruleset=rulesets.built_in()[self.name] if found is None else found.content,
            table=table_of(table),
            events=positions(
                self._positions("ruleset", found), self._positions("calendar", table)
            ),
        )

    def known_at(self, instant: int) -> Rulebook:
        """Return the book as it was known: without what was activated later."""
        return replace(
            self,
            ruleset=_known(self.ruleset, instant),
            calendar=_known(self.calendar, instant),
        )

    def _positions(self, kind: str, edition: Edition | None) -> list[int]:
        if edition is None:
            return []
        return [
            row.position
            for row in self.happened
            if row.stream.startswith(f"{kind}/")
            and row.type.split(".")[2] in _FORCING
            and row.data.version == edition.version
        ]


def rulebook(world: World, *, name: str = RULESET, table: str = CALENDAR) -> Rulebook:
    """Return the versions of a ruleset and a calendar that a cut knows."""
    streams = (f"ruleset/{name}", f"calendar/{table}")
    found = [world.state(stream) for stream in streams]
    if found == [None, None]:
        return Rulebook(name)
    ruleset, days = (None if row is None else row.state for row in found)
    return Rulebook(name, ruleset, days, tuple(world.events(streams=streams)))


def rules_at(world: World, instant: int) -> Rules:
    """Return the ruleset and the calendar in force at an instant (µs)."""
    return rulebook(world).at(instant)


@cache
def as_shipped(name: str = RULESET) -> Rules:
    """Return the rules that come with the code, as if nothing had been published."""
    return Rulebook(name).at(0)


def _known(state: Versions | None, instant: int) -> Versions | None:
    if state is None:
        return None
    rows = {
        number: row
        for number, row in state.versions.items()
        if row.activated_at is not None and row.activated_at <= instant
    }
    return replace(state, versions=MappingProxyType(rows))
