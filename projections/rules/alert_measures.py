"""Whether measures of an alert were required, noted and taken in time 预警管控落实.

Rules of this file: one stream of a measure against its own time (two hours unless it
says otherwise, day and night) and against the time for giving notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from events import calendar
from events.domain.alerts import Alert
from events.domain.fields import us
from events.domain.measures import Measure
from projections.rules.derived import Derived
from projections.rules.in_force import Rules
from projections.world import Happened, StateRow, World


class Compliance(StrEnum):
    """How a measure stands at an instant; first match wins, in this order."""

    EXEMPTED = "exempted"
    BREACHED = "breached"
    IN_TIME = "in_time"
    LATE = "late"
    WAITING = "waiting"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a measure stands, and how long notice and lateness were (µs).

    Notice runs from the level that calls for the measure to its being required;
    ``notice_late``: that took longer than the ruleset allows.
    """

    compliance: Compliance
    notice_us: int
    notice_late: bool
    late_us: int


def standing(
    row: StateRow, alert: Alert | None, now: int, *, rules: Rules
) -> Derived[Standing]:
    """Return how a measure stands at an instant, by its alert where that is known."""
    state: Measure = row.state
    limit = rules.ruleset.alert_notice_hours * calendar.HOUR_US
    called = _called(alert, state)
    notice = state.required_at - called
    end = now if state.applied_at is None else state.applied_at
    exempted = state.status == "exempted"
    value = Standing(
        compliance=_compliance(state, now),
        notice_us=notice,
        notice_late=notice > limit,
        late_us=0 if exempted else max(0, end - state.due),
    )
    return Derived(
        value,
        rules.cite("alert_measure"),
        row.events,
        {"due": state.due, "called_at": called},
    )


def standings(world: World, rules: Rules) -> tuple[tuple[str, Derived[Standing]], ...]:
    """Return (key of the measure, standing) of all measures of a cut, by key."""
    alerts = {row.key: row.state for row in world.states("alert")}
    return tuple(
        (
            row.key,
            standing(row, alerts.get(row.state.alert), world.cut.now, rules=rules),
        )
        for row in world.states("measure")
    )


def breaches(world: World, now: int) -> tuple[tuple[str, int, int], ...]:
    """Return (unit, instant, position) of every breach on record by an instant."""
    units = {row.stream: row.state.unit for row in world.states("measure")}
    found = [
        (units[event.stream], at, event.position)
        for event in world.events(types=("henji.measure.breached.v1",))
        if event.stream in units and (at := _breached_at(event)) <= now
    ]
    return tuple(sorted(found, key=lambda row: row[2]))


def _breached_at(event: Happened) -> int:
    said = event.data.breached_at
    return event.occurred if said is None else us(said)


def _compliance(state: Measure, now: int) -> Compliance:
    if state.status == "exempted":
        return Compliance.EXEMPTED
    if state.status == "breached" or state.kept is False:
        return Compliance.BREACHED
    if state.applied_at is not None:
        late = state.applied_at > state.due
        return Compliance.LATE if late else Compliance.IN_TIME
    return Compliance.MISSING if now > state.due else Compliance.WAITING


def _called(alert: Alert | None, state: Measure) -> int:
    """Return since when the level that calls for the measure was in force."""
    levels = () if alert is None else alert.levels
    begun = [level.since for level in levels if level.since <= state.required_at]
    return max(begun, default=state.required_at)
