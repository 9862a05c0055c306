"""The grid 网格: cells drawn over the territory, and who walks them when.

Rules of this file: the stream ``grid``. What is found on a walk belongs to issues and
inspections.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from msgspec import Meta

from events.domain.fields import (
    Id,
    Instant,
    Latitude,
    Longitude,
    PersonRef,
    Reason,
    Title,
    us,
)
from events.domain.model import Context, Event, Payload
from events.domain.organisation import Appointment, check_unit
from events.domain.transitions import NEW, Rule, event_types, refuse


class Drawn(Payload, frozen=True):
    """A cell is drawn, or anew; levels: 1 zone, 2 office, 3 village."""

    name: Title
    level: Literal[1, 2, 3]
    unit: Id
    parent: Id | None = None
    boundary: Annotated[
        tuple[tuple[Longitude, Latitude], ...],
        Meta(max_length=1000, description="Ring of [longitude, latitude], WGS 84."),
    ] = ()


class Assigned(Payload, frozen=True):
    """A grid worker gets the cell, from an instant on, perhaps until another."""

    person_ref: PersonRef
    valid_from: Instant
    valid_to: Instant | None = None


class Relieved(Payload, frozen=True):
    """A grid worker no longer has the cell."""

    person_ref: PersonRef
    valid_to: Instant


class Ended(Payload, frozen=True):
    """The cell is no longer used."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Cell:
    """The state of one cell; ``drawing`` counts how often it was drawn."""

    status: str
    name: str
    level: int
    unit: str
    parent: str | None
    drawing: int = 1
    workers: tuple[Appointment, ...] = ()

    @property
    def active(self) -> bool:
        """Tell whether the cell is in use."""
        return self.status == "active"

    def workers_at(self, at_us: int) -> tuple[str, ...]:
        """Return who had the cell at an instant."""
        return tuple(row.person_ref for row in self.workers if row.covers(at_us))


def _guard_drawn(state: Cell | None, event: Event, context: Context) -> None:
    data: Drawn = event.data
    check_unit(context, data.unit, "/data/unit")
    if state is not None and state.level != data.level:
        raise refuse("grid_level_fixed", "/data/level", level=state.level)
    if data.level == 1:
        if data.parent is not None:
            raise refuse("grid_parent_unexpected", "/data/parent")
        return
    parent = context.state_of(f"grid/{data.parent}") if data.parent else None
    if parent is None or not parent.active:
        raise refuse("grid_parent_unknown", "/data/parent")
    if parent.level != data.level - 1:
        raise refuse("grid_parent_wrong_level", "/data/parent", expected=data.level - 1)


def _guard_assigned(state: Cell, event: Event, _context: Context) -> None:
    new = _assignment(state, event.data)
    if new.valid_to <= new.valid_from:
        raise refuse("appointment_ends_before_start", "/data/valid_to")
    for row in state.workers:
        same = row.person_ref == new.person_ref
        if same and row.valid_from < new.valid_to and new.valid_from < row.valid_to:
            raise refuse("grid_worker_assigned_already", "/data/person_ref")


def _guard_relieved(state: Cell, event: Event, _context: Context) -> None:
    data: Relieved = event.data
    if _current(state, data) is None:
        raise refuse("grid_worker_not_assigned", "/data/person_ref")


def _assignment(state: Cell, data: Assigned) -> Appointment:
    row = Appointment(
        unit=state.unit,
        title="网格员",
        person_ref=data.person_ref,
        valid_from=us(data.valid_from),
    )
    return row if data.valid_to is None else replace(row, valid_to=us(data.valid_to))


def _current(state: Cell, data: Relieved) -> Appointment | None:
    """Return the holding that the instant lies in, its start excluded."""
    at = us(data.valid_to)
    return next(
        (
            row
            for row in state.workers
            if row.person_ref == data.person_ref and row.valid_from < at < row.valid_to
        ),
        None,
    )


def _draw(state: Cell | None, event: Event) -> Cell:
    data: Drawn = event.data
    return Cell(
        status="active",
        name=data.name,
        level=data.level,
        unit=data.unit,
        parent=data.parent,
        drawing=1 if state is None else state.drawing + 1,
        workers=() if state is None else state.workers,
    )


def _assign(state: Cell, event: Event) -> Cell:
    return replace(state, workers=(*state.workers, _assignment(state, event.data)))


def _relieve(state: Cell, event: Event) -> Cell:
    ended = _current(state, event.data)
    return replace(
        state,
        workers=tuple(
            replace(row, valid_to=us(event.data.valid_to)) if row is ended else row
            for row in state.workers
        ),
    )


def _end(state: Cell, _event: Event) -> Cell:
    return replace(state, status="ended")


_ACTIVE: Final = frozenset({"active"})
_KEEPERS: Final = frozenset({"admin", "office", "lead"})

EVENT_TYPES: Final = event_types(
    "grid",
    (
        Rule(
            what="drawn",
            data=Drawn,
            en="Grid cell drawn",
            zh="划定网格",
            roles=_KEEPERS,
            when=frozenset({NEW, "active"}),
            guard=_guard_drawn,
            apply=_draw,
            examples=(
                {
                    "name": "示例网格3-02（模拟数据）",
                    "level": 3,
                    "unit": "gouzhao",
                    "parent": "gouzhao-2",
                    "boundary": [[113.5, 34.8], [113.6, 34.8], [113.6, 34.9]],
                },
            ),
        ),
        Rule(
            what="assigned",
            data=Assigned,
            en="Grid worker assigned",
            zh="指定网格员",
            roles=_KEEPERS,
            when=_ACTIVE,
            guard=_guard_assigned,
            apply=_assign,
            examples=(
                {"person_ref": "p:77c1", "valid_from": "2017-11-01T00:00:00+08:00"},
            ),
        ),
        Rule(
            what="relieved",
            data=Relieved,
            en="Grid worker relieved",
            zh="免除网格员",
            roles=_KEEPERS,
            when=_ACTIVE,
            guard=_guard_relieved,
            apply=_relieve,
            examples=(
                {"person_ref": "p:77c1", "valid_to": "2017-12-01T00:00:00+08:00"},
            ),
        ),
        Rule(
            what="ended",
            data=Ended,
            en="Grid cell retired",
            zh="撤销网格",
            roles=_KEEPERS,
            when=_ACTIVE,
            apply=_end,
            examples=({"reason": "Merged with its neighbour (fictional)."},),
        ),
    ),
)
