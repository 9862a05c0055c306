"""Recurring obligations 周期性义务: what is owed each day or week, and what came of it.

Rules of this file: the streams ``routine`` (what recurs, defined once) and
``obligation`` (one period of it). The key of an obligation is its kind, unit and
period, so that a scheduler that runs twice, or late, can append each only once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta

from events.domain.citations import Fact, check_facts
from events.domain.fields import Id, Instant, Reason, Sha256Hex, Text, Title, us
from events.domain.model import Context, Event, Payload
from events.domain.organisation import check_unit
from events.domain.periods import DayOrWeek, check_period
from events.domain.transitions import NEW, Rule, event_types, refuse

Kind = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,47}(?!\n)$",
        description="What recurs.",
        examples=["daily_brief", "road_cleaning"],
    ),
]
Evidence = Annotated[tuple[Sha256Hex, ...], Meta(max_length=100)]
ClockTime = Annotated[
    str,
    Meta(
        pattern=r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)(?!\n)$",
        description="A time of day at UTC+08:00.",
        examples=["18:00", "24:00"],
    ),
]


class Defined(Payload, frozen=True):
    """Something is owed by a unit each day, working day or week from a day on.

    It falls due at `due_time` of the day, or of `due_weekday` (1 Monday) of a week;
    `due_days_later` moves that by whole days, as for what is due the day after.
    """

    kind: Kind
    unit: Id
    rhythm: Literal["daily", "working_day", "weekly"]
    title: Title
    first_day: date
    last_day: date | None = None
    due_time: ClockTime = "24:00"
    due_weekday: Annotated[int, Meta(ge=1, le=7)] = 7
    due_days_later: Annotated[int, Meta(ge=0, le=31)] = 0
    subject: Id | None = None
    campaign: Id | None = None
    basis: Title | None = None


class Ended(Payload, frozen=True):
    """It is owed no longer after a day."""

    last_day: date
    reason: Reason


class Scheduled(Payload, frozen=True):
    """A unit owes something in one local day or ISO week, by an instant."""

    kind: Kind
    unit: Id
    period: DayOrWeek
    due: Instant
    title: Title | None = None
    subject: Id | None = None
    campaign: Id | None = None


class Met(Payload, frozen=True):
    """What was owed has been done, as events in the log or evidence show."""

    met_at: Instant
    facts: Annotated[tuple[Fact, ...], Meta(max_length=100)] = ()
    evidence: Evidence = ()
    note: Text | None = None


class Missed(Payload, frozen=True):
    """The instant it was due has passed and nothing shows that it was done."""

    note: Text | None = None


class Waived(Payload, frozen=True):
    """It is not owed this time, for a recorded reason and on a recorded basis."""

    reason_class: Literal["weather", "alert", "force_majeure", "no_object", "other"]
    reason: Reason
    basis: Title | None = None


@dataclass(frozen=True, slots=True)
class Routine:
    """The state of what recurs."""

    status: str
    definition: Defined
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Obligation:
    """The state of one period: scheduled, met, met_late, missed or waived (µs)."""

    status: str
    kind: str
    unit: str
    period: str
    due: int
    subject: str | None = None
    met_at: int | None = None
    missed_at: int | None = None


def routine_stream(kind: str, unit: str, subject: str | None = None) -> str:
    """Return the stream of what recurs: ``routine/<kind>/<unit>[/<subject>]``."""
    return "/".join(filter(None, ("routine", kind, unit, subject)))


def obligation_stream(
    kind: str, unit: str, period: str, *, subject: str | None = None
) -> str:
    """Return ``obligation/<kind>/<unit>[/<subject>]/<period>``: one period of it."""
    return "/".join(filter(None, ("obligation", kind, unit, subject, period)))


def _guard_defined(_state: None, event: Event, context: Context) -> None:
    data: Defined = event.data
    if event.stream != routine_stream(data.kind, data.unit, data.subject):
        raise refuse("routine_key_mismatch", "/subject", stream=event.stream)
    if data.last_day is not None and data.last_day < data.first_day:
        raise refuse("routine_ends_before_start", "/data/last_day")
    check_unit(context, data.unit, "/data/unit")


def _guard_ended(state: Routine, event: Event, _context: Context) -> None:
    if event.data.last_day < state.definition.first_day:
        raise refuse("routine_ends_before_start", "/data/last_day")


def _guard_scheduled(_state: None, event: Event, context: Context) -> None:
    data: Scheduled = event.data
    stream = obligation_stream(data.kind, data.unit, data.period, subject=data.subject)
    if event.stream != stream:
        raise refuse("obligation_key_mismatch", "/subject", stream=stream)
    if us(data.due) <= check_period(data.period).start:
        raise refuse("obligation_due_before_period", "/data/due", period=data.period)
    check_unit(context, data.unit, "/data/unit")


def _guard_met(_state: Obligation, event: Event, context: Context) -> None:
    data: Met = event.data
    if not data.facts and not data.evidence:
        raise refuse("obligation_met_unfounded", "/data/facts")
    check_facts(data.facts, context)
    if us(data.met_at) > context.at:
        raise refuse("instant_in_future", "/data/met_at")


def _guard_missed(state: Obligation, _event: Event, context: Context) -> None:
    if context.at < state.due:
        raise refuse("obligation_not_due", "/type", period=state.period)


def _guard_waived(state: Obligation, _event: Event, context: Context) -> None:
    if context.actor.unit == state.unit:
        raise refuse("obligation_waived_by_owner", "/type", unit=state.unit)


def _define(_state: None, event: Event) -> Routine:
    data: Defined = event.data
    return Routine(status="running", definition=data, last_day=data.last_day)


def _end(state: Routine, event: Event) -> Routine:
    return replace(state, status="ended", last_day=event.data.last_day)


def _schedule(_state: None, event: Event) -> Obligation:
    data: Scheduled = event.data
    return Obligation(
        status="scheduled",
        kind=data.kind,
        unit=data.unit,
        period=data.period,
        due=us(data.due),
        subject=data.subject,
    )


def _meet(state: Obligation, event: Event) -> Obligation:
    met_at = us(event.data.met_at)
    status = "met" if met_at <= state.due else "met_late"
    return replace(state, status=status, met_at=met_at)


def _miss(state: Obligation, event: Event) -> Obligation:
    return replace(state, status="missed", missed_at=event.occurred)


def _waive(state: Obligation, _event: Event) -> Obligation:
    return replace(state, status="waived")


_KEEPERS: Final = frozenset({"office", "headquarters", "admin"})
_SCHEDULERS: Final = frozenset({"system", "office"})
_DOERS: Final = frozenset(
    {"system", "office", "lead", "support", "grid_worker", "enterprise", "adapter"}
)
#: A miss stays on record; what is shown later is recorded after it.
_OWED: Final = frozenset({"scheduled", "missed"})

_ROUTINE_TYPES: Final = event_types(
    "routine",
    (
        Rule(
            what="defined",
            data=Defined,
            en="Recurring obligation defined",
            zh="设定周期性义务",
            roles=_KEEPERS,
            when=frozenset({NEW}),
            guard=_guard_defined,
            apply=_define,
            examples=(
                {
                    "kind": "daily_brief",
                    "unit": "gouzhao",
                    "rhythm": "daily",
                    "title": "日研判简报（模拟数据）",
                    "first_day": "2017-11-15",
                    "last_day": "2017-12-31",
                    "due_time": "18:00",
                    "campaign": "sixty-days-2017",
                },
            ),
        ),
        Rule(
            what="ended",
            data=Ended,
            en="Recurring obligation ended",
            zh="终止周期性义务",
            roles=_KEEPERS,
            when=frozenset({"running"}),
            guard=_guard_ended,
            apply=_end,
            examples=({"last_day": "2017-12-24", "reason": "Done early (fictional)."},),
        ),
    ),
)

_OBLIGATION_TYPES: Final = event_types(
    "obligation",
    (
        Rule(
            what="scheduled",
            data=Scheduled,
            en="Obligation scheduled",
            zh="生成当期义务",
            roles=_SCHEDULERS,
            when=frozenset({NEW}),
            guard=_guard_scheduled,
            apply=_schedule,
            examples=(
                {
                    "kind": "daily_brief",
                    "unit": "gouzhao",
                    "period": "2017-11-24",
                    "due": "2017-11-24T18:00:00+08:00",
                    "title": "日研判简报（模拟数据）",
                },
            ),
        ),
        Rule(
            what="met",
            data=Met,
            en="Obligation met",
            zh="义务已履行",
            roles=_DOERS,
            when=_OWED,
            guard=_guard_met,
            apply=_meet,
            examples=(
                {
                    "met_at": "2017-11-24T17:20:00+08:00",
                    "facts": [
                        {
                            "stream": "report/daily_brief/gouzhao/2017-11-24",
                            "version": 1,
                        }
                    ],
                },
                {"met_at": "2017-11-24T17:20:00+08:00", "evidence": ["ab" * 32]},
            ),
        ),
        Rule(
            what="missed",
            data=Missed,
            en="Obligation missed",
            zh="义务未履行",
            roles=_SCHEDULERS,
            when=frozenset({"scheduled"}),
            guard=_guard_missed,
            apply=_miss,
            examples=({}, {"note": "No brief by 18:00 (fictional)."}),
        ),
        Rule(
            what="waived",
            data=Waived,
            en="Obligation waived",
            zh="免除当期义务",
            roles=_KEEPERS,
            when=_OWED,
            guard=_guard_waived,
            apply=_waive,
            examples=(
                {
                    "reason_class": "weather",
                    "reason": "3 °C: no wet sweeping below 5 °C (fictional).",
                },
            ),
        ),
    ),
)

EVENT_TYPES: Final = (*_ROUTINE_TYPES, *_OBLIGATION_TYPES)
