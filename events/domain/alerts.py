"""Alerts 预警: a colour and its grade from an instant on, changed, extended, lifted.

Rules of this file: the stream ``alert``, and which level is in force at an instant.
What a subject must do under an alert is the stream ``measure``.

Where alerts overlap the strictest colour counts (``level_at``). An alert that begins
while another one is in force names it in ``follows`` and is no milder than it; so an
episode is never lowered by issuing it anew, only by an event that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from events.domain import supervision_guards as ask
from events.domain.alert_payloads import (
    Downgraded,
    Extended,
    Issued,
    Lifted,
    Upgraded,
)
from events.domain.fields import key_of, us
from events.domain.model import Context, Event
from events.domain.transitions import NEW, Rule, event_types, refuse
from events.entries import rfc3339

#: Colour -> grade, from the mildest to the strictest.
GRADES: Final[Mapping[str, str]] = MappingProxyType(
    {"blue": "IV", "yellow": "III", "orange": "II", "red": "I"}
)
COLOURS: Final = tuple(GRADES)


@dataclass(frozen=True, slots=True)
class Level:
    """A colour from an instant (µs) on, until the next level or the end."""

    colour: str
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The state of one alert. ``levels`` are in order of time; instants are µs."""

    status: str
    plan: str
    levels: tuple[Level, ...]
    until: int | None = None
    lifted_at: int | None = None
    follows: str | None = None

    @property
    def colour(self) -> str:
        """The last colour that was given."""
        return self.levels[-1].colour

    @property
    def end(self) -> int | None:
        """When it ends or ended, as far as is known: the earlier of said and lifted."""
        ends = [end for end in (self.until, self.lifted_at) if end is not None]
        return min(ends, default=None)

    def colour_at(self, at_us: int) -> str | None:
        """Return the colour in force at an instant; None: none."""
        if self.end is not None and at_us >= self.end:
            return None
        begun = [level.colour for level in self.levels if level.since <= at_us]
        return begun[-1] if begun else None


def strictness(colour: str | None) -> int:
    """Return 0 for no alert, 1 for blue ... 4 for red."""
    return 0 if colour is None else COLOURS.index(colour) + 1


def level_at(alerts: Iterable[Alert], at_us: int) -> str | None:
    """Return the strictest colour in force at an instant; None: no alert is."""
    colours = [alert.colour_at(at_us) for alert in alerts]
    return max(colours, key=strictness, default=None)


def _guard_issued(_state: None, event: Event, context: Context) -> None:
    data: Issued = event.data
    _graded(event)
    plan = ask.listed(data.plan, "alert-plan", "/data/plan")
    if data.colour not in plan.codes:
        raise refuse("code_not_listed", "/data/colour", given=data.colour, ref=plan.ref)
    if data.until is not None and data.until <= data.since:
        raise refuse("alert_ends_before_start", "/data/until")
    ask.known_streams(context, "directive", [("/data/directive", data.directive)])
    if data.follows is not None:
        _follows(event, context, data.follows)


def _follows(event: Event, context: Context, key: str) -> None:
    """A new alert does not lower the one that it overlaps."""
    if key == key_of(event):
        raise refuse("alert_follows_itself", "/data/follows")
    earlier: Alert = ask.known_stream(context, f"alert/{key}", "/data/follows")
    data: Issued = event.data
    before = earlier.colour_at(us(data.since))
    if strictness(before) > strictness(data.colour):
        raise refuse("alert_milder_than_running", "/data/colour", running=before)


def _graded(event: Event) -> None:
    expected = GRADES[event.data.colour]
    if event.data.grade != expected:
        raise refuse("grade_not_of_colour", "/data/grade", expected=expected)


def _guard_changed(state: Alert, event: Event, _context: Context) -> None:
    """Up is stricter, down is milder, and levels follow each other in time."""
    data: Upgraded | Downgraded = event.data
    _graded(event)
    step = strictness(data.colour) - strictness(state.colour)
    up = isinstance(data, Upgraded)
    if step == 0 or (step > 0) != up:
        code = "alert_not_stricter" if up else "alert_not_milder"
        raise refuse(code, "/data/colour", colour=state.colour)
    if us(data.since) <= state.levels[-1].since:
        earliest = rfc3339(state.levels[-1].since)
        raise refuse("alert_level_before_last", "/data/from", last=earliest)
    if state.until is not None and us(data.since) >= state.until:
        raise refuse("alert_over_by_then", "/data/from", until=rfc3339(state.until))


def _guard_extended(state: Alert, event: Event, _context: Context) -> None:
    if state.until is None:
        raise refuse("alert_has_no_end", "/type")
    if us(event.data.until) <= state.until:
        raise refuse("alert_not_longer", "/data/until", until=rfc3339(state.until))


def _guard_lifted(state: Alert, event: Event, _context: Context) -> None:
    """It may be announced ahead, and called off as it begins; not before that."""
    data: Lifted = event.data
    first = state.levels[0].since
    if ask.moment(data.lifted_at, event) < first:
        where = "/time" if data.lifted_at is None else "/data/lifted_at"
        raise refuse("instant_too_early", where, since=rfc3339(first))


def _issue(_state: None, event: Event) -> Alert:
    data: Issued = event.data
    return Alert(
        status="in_force",
        plan=data.plan,
        levels=(Level(data.colour, us(data.since)),),
        until=None if data.until is None else us(data.until),
        follows=data.follows,
    )


def _change(state: Alert, event: Event) -> Alert:
    data: Upgraded | Downgraded = event.data
    return replace(state, levels=(*state.levels, Level(data.colour, us(data.since))))


def _extend(state: Alert, event: Event) -> Alert:
    return replace(state, until=us(event.data.until))


def _lift(state: Alert, event: Event) -> Alert:
    at = ask.moment(event.data.lifted_at, event)
    return replace(state, status="lifted", lifted_at=at)


_ISSUERS: Final = frozenset({"headquarters", "office", "adapter"})
_IN_FORCE: Final = frozenset({"in_force"})

EVENT_TYPES: Final = event_types(
    "alert",
    (
        Rule(
            what="issued",
            data=Issued,
            en="Alert issued",
            zh="发布预警",
            roles=_ISSUERS,
            when=frozenset({NEW}),
            guard=_guard_issued,
            apply=_issue,
            examples=(
                {
                    "title": "重污染天气黄色预警（模拟数据）",
                    "colour": "yellow",
                    "grade": "III",
                    "plan": "alert-plan/2016-10",
                    "from": "2017-11-21T12:00:00+08:00",
                },
                {
                    "title": "Orange alert (simulated)",
                    "colour": "orange",
                    "grade": "II",
                    "plan": "alert-plan/2017-09",
                    "from": "2017-12-02T00:00:00+08:00",
                    "until": "2017-12-06T00:00:00+08:00",
                    "forecast": "AQI above 200 for 72 hours (simulated).",
                },
            ),
        ),
        Rule(
            what="upgraded",
            data=Upgraded,
            en="Alert upgraded",
            zh="预警升级",
            roles=_ISSUERS,
            when=_IN_FORCE,
            guard=_guard_changed,
            apply=_change,
            examples=(
                {
                    "colour": "orange",
                    "grade": "II",
                    "from": "2017-12-03T00:00:00+08:00",
                    "reason": "The forecast is worse (simulated).",
                },
            ),
        ),
        Rule(
            what="downgraded",
            data=Downgraded,
            en="Alert downgraded",
            zh="预警降级",
            roles=_ISSUERS,
            when=_IN_FORCE,
            guard=_guard_changed,
            apply=_change,
            examples=(
                {
                    "colour": "yellow",
                    "grade": "III",
                    "from": "2017-12-05T00:00:00+08:00",
                    "reason": "扩散条件好转（模拟数据）",
                },
            ),
        ),
        Rule(
            what="extended",
            data=Extended,
            en="Alert extended",
            zh="延长预警",
            roles=_ISSUERS,
            when=_IN_FORCE,
            guard=_guard_extended,
            apply=_extend,
            examples=(
                {
                    "until": "2017-12-07T00:00:00+08:00",
                    "reason": "No wind before Thursday (simulated).",
                },
            ),
        ),
        Rule(
            what="lifted",
            data=Lifted,
            en="Alert lifted",
            zh="解除预警",
            roles=_ISSUERS,
            when=_IN_FORCE,
            guard=_guard_lifted,
            apply=_lift,
            examples=(
                {"lifted_at": "2017-12-06T00:00:00+08:00", "reason": "Cold front."},
            ),
        ),
    ),
)
