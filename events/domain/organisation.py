"""Units and posts: who is responsible, and who held which post at which instant.

Rules of this file: the streams ``unit`` and ``post``. A person appears only as an
opaque reference; names and numbers of people never enter the log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from events.domain.fields import Id, Instant, PersonRef, Reason, Title, key_of, us
from events.domain.model import Context, Event, Payload
from events.domain.transitions import NEW, Rule, event_types, refuse

_FOREVER: Final = 1 << 62


class UnitCreated(Payload, frozen=True):
    """A unit exists: an office, a bureau, a company, a department."""

    name: Title
    name_en: Title | None = None
    category: Literal[
        "headquarters", "bureau", "office", "company", "department", "village", "other"
    ] = "other"
    parent: Id | None = None


class UnitRenamed(Payload, frozen=True):
    """A unit has another name from now on; its id stays."""

    name: Title
    name_en: Title | None = None


class UnitMerged(Payload, frozen=True):
    """A unit goes into another one; its open duties follow by their own events."""

    into: Id
    reason: Reason


class UnitEnded(Payload, frozen=True):
    """A unit no longer exists."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Unit:
    """The state of one unit."""

    status: str
    name: str
    name_en: str | None = None
    parent: str | None = None
    category: str = "other"
    merged_into: str | None = None

    @property
    def active(self) -> bool:
        """Tell whether the unit exists now."""
        return self.status == "active"


class Appointed(Payload, frozen=True):
    """A person takes a post of a unit, from an instant on, perhaps until another."""

    unit: Id
    title: Title
    person_ref: PersonRef
    valid_from: Instant
    valid_to: Instant | None = None


class Ended(Payload, frozen=True):
    """A person leaves a post."""

    person_ref: PersonRef
    valid_to: Instant
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """One holding of a post over [valid_from, valid_to), in µs."""

    unit: str
    title: str
    person_ref: str
    valid_from: int
    valid_to: int = _FOREVER

    def covers(self, at_us: int) -> bool:
        """Tell whether the post was so held at an instant."""
        return self.valid_from <= at_us < self.valid_to


@dataclass(frozen=True, slots=True)
class Post:
    """The state of one post: all its holdings, which never overlap."""

    status: str
    appointments: tuple[Appointment, ...]

    def holding_at(self, at_us: int) -> Appointment | None:
        """Return who held the post, for which unit, at an instant (None: vacant)."""
        return next((row for row in self.appointments if row.covers(at_us)), None)


def check_unit(context: Context, unit: str, where: str) -> None:
    """Return if a unit exists and is active.

    ``Refused``: unit_unknown or unit_not_active, pointing at ``where``.
    """
    state = context.state_of(f"unit/{unit}")
    if state is None:
        raise refuse("unit_unknown", where, unit=unit)
    if not state.active:
        raise refuse("unit_not_active", where, unit=unit)


def _guard_unit_created(_state: None, event: Event, context: Context) -> None:
    if event.data.parent is not None:
        check_unit(context, event.data.parent, "/data/parent")


def _guard_unit_merged(_state: Unit, event: Event, context: Context) -> None:
    if event.data.into == key_of(event):
        raise refuse("unit_merged_into_itself", "/data/into")
    check_unit(context, event.data.into, "/data/into")


def _create_unit(_state: None, event: Event) -> Unit:
    data: UnitCreated = event.data
    return Unit(
        status="active",
        name=data.name,
        name_en=data.name_en,
        parent=data.parent,
        category=data.category,
    )


def _rename_unit(state: Unit, event: Event) -> Unit:
    return replace(state, name=event.data.name, name_en=event.data.name_en)


def _merge_unit(state: Unit, event: Event) -> Unit:
    return replace(state, status="merged", merged_into=event.data.into)


def _end_unit(state: Unit, _event: Event) -> Unit:
    return replace(state, status="ended")


def _guard_appointed(state: Post | None, event: Event, context: Context) -> None:
    data: Appointed = event.data
    check_unit(context, data.unit, "/data/unit")
    new = _appointment(data)
    if new.valid_to <= new.valid_from:
        raise refuse("appointment_ends_before_start", "/data/valid_to")
    for held in () if state is None else state.appointments:
        if held.valid_from < new.valid_to and new.valid_from < held.valid_to:
            raise refuse("post_held_already", "/data/valid_from", stream=event.stream)


def _guard_ended(state: Post, event: Event, _context: Context) -> None:
    data: Ended = event.data
    held = _last_of(state, data.person_ref)
    if held is None:
        raise refuse("appointment_unknown", "/data/person_ref", stream=event.stream)
    if us(data.valid_to) <= held.valid_from:
        raise refuse("appointment_ends_before_start", "/data/valid_to")
    if us(data.valid_to) >= held.valid_to:
        raise refuse("appointment_ended_already", "/data/valid_to")


def _appointment(data: Appointed) -> Appointment:
    return Appointment(
        unit=data.unit,
        title=data.title,
        person_ref=data.person_ref,
        valid_from=us(data.valid_from),
        valid_to=_FOREVER if data.valid_to is None else us(data.valid_to),
    )


def _last_of(state: Post, person: str) -> Appointment | None:
    rows = [row for row in state.appointments if row.person_ref == person]
    return max(rows, key=lambda row: row.valid_from, default=None)


def _appoint(state: Post | None, event: Event) -> Post:
    held = () if state is None else state.appointments
    return Post(status="known", appointments=(*held, _appointment(event.data)))


def _end_appointment(state: Post, event: Event) -> Post:
    ended = _last_of(state, event.data.person_ref)
    return replace(
        state,
        appointments=tuple(
            replace(row, valid_to=us(event.data.valid_to)) if row is ended else row
            for row in state.appointments
        ),
    )


_ACTIVE: Final = frozenset({"active"})
_KEEPERS: Final = frozenset({"admin", "office"})
_KEEPERS_AND_ADAPTERS: Final = _KEEPERS | {"adapter"}

_UNIT_TYPES: Final = event_types(
    "unit",
    (
        Rule(
            what="created",
            data=UnitCreated,
            en="Unit created",
            zh="设立单位",
            roles=_KEEPERS_AND_ADAPTERS,
            when=frozenset({NEW}),
            guard=_guard_unit_created,
            apply=_create_unit,
            examples=(
                {
                    "name": "沟赵办事处（模拟数据）",
                    "name_en": "Gouzhao office (simulated)",
                    "category": "office",
                    "parent": "zone",
                },
            ),
        ),
        Rule(
            what="renamed",
            data=UnitRenamed,
            en="Unit renamed",
            zh="单位更名",
            roles=_KEEPERS,
            when=_ACTIVE,
            apply=_rename_unit,
            examples=({"name": "示例环保局", "name_en": "Example bureau"},),
        ),
        Rule(
            what="merged",
            data=UnitMerged,
            en="Unit merged into another",
            zh="单位合并",
            roles=_KEEPERS,
            when=_ACTIVE,
            guard=_guard_unit_merged,
            apply=_merge_unit,
            examples=({"into": "zone", "reason": "Reform (fictional)."},),
        ),
        Rule(
            what="ended",
            data=UnitEnded,
            en="Unit dissolved",
            zh="撤销单位",
            roles=_KEEPERS,
            when=_ACTIVE,
            apply=_end_unit,
            examples=({"reason": "Its task is done (fictional)."},),
        ),
    ),
)

_POST_TYPES: Final = event_types(
    "post",
    (
        Rule(
            what="appointed",
            data=Appointed,
            en="Person appointed to a post",
            zh="任职",
            roles=_KEEPERS_AND_ADAPTERS,
            when=frozenset({NEW, "known"}),
            guard=_guard_appointed,
            apply=_appoint,
            examples=(
                {
                    "unit": "gouzhao",
                    "title": "环保所所长",
                    "person_ref": "p:0f3a",
                    "valid_from": "2017-03-01T00:00:00+08:00",
                },
            ),
        ),
        Rule(
            what="ended",
            data=Ended,
            en="Person left post",
            zh="离任",
            roles=_KEEPERS,
            when=frozenset({"known"}),
            guard=_guard_ended,
            apply=_end_appointment,
            examples=(
                {
                    "person_ref": "p:0f3a",
                    "valid_to": "2018-01-01T00:00:00+08:00",
                    "reason": "Moved (fictional).",
                },
            ),
        ),
    ),
)

EVENT_TYPES: Final = (*_UNIT_TYPES, *_POST_TYPES)
