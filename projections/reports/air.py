"""Measured air: readings of a day, means of a span, targets; never mixed with work.

Rules of this file: arithmetic over readings that are valid. A mean is of the daily
readings there are; a day without one is left out, and how many count is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from events.domain.alerts import COLOURS, level_at, strictness
from events.domain.periods import Span, span
from projections.reports.model import Cell, Text
from projections.reports.pieces import Scene, both
from projections.world import StateRow

COLOUR_NAMES: dict[str, Text] = dict(
    zip(
        COLOURS,
        (
            both("Blue (IV)", "蓝色（Ⅳ级）"),
            both("Yellow (III)", "黄色（Ⅲ级）"),
            both("Orange (II)", "橙色（Ⅱ级）"),
            both("Red (I)", "红色（Ⅰ级）"),
        ),
        strict=True,
    )
)
_DAY_LENGTH = len("2017-11-24")


class Reading(NamedTuple):
    """One series at one place in one period; ``event`` is the last that is told."""

    series: str
    place: str
    period: str
    unit: str
    value: Decimal | None
    forecast: Decimal | None
    event: int


def readings(one: Scene) -> tuple[Reading, ...]:
    """Return every reading that is valid or forecast, by series, place and period."""
    return tuple(_reading(row) for row in one.world.states("metric"))


def days_of(rows: Iterable[Reading], series: str, place: str) -> list[Reading]:
    """Return the daily readings of a series at a place that have a value, by day."""
    found = [
        row
        for row in rows
        if (row.series, row.place) == (series, place)
        and row.value is not None
        and len(row.period) == _DAY_LENGTH
    ]
    return sorted(found, key=lambda row: row.period)


def one_day(rows: Iterable[Reading], series: str, place: str, day: str) -> Cell:
    """Return the reading of a day."""
    found = [row for row in days_of(rows, series, place) if row.period == day]
    return value_cell(found[0]) if found else Cell(None)


def value_cell(row: Reading) -> Cell:
    """Return a reading as a number with its event."""
    value = None if row.value is None else float(row.value)
    return Cell(value, (row.event,), kind="number")


def within(rows: Iterable[Reading], period: Span) -> list[Reading]:
    """Return the readings of days that lie in a span."""
    return [
        row
        for row in rows
        if period.start <= (own := span(row.period)).start and own.end <= period.end
    ]


def mean(rows: Sequence[Reading]) -> Cell:
    """Return the mean of readings with all their events; None: there are none."""
    values = [row.value for row in rows if row.value is not None]
    events = tuple(sorted(row.event for row in rows))
    if not values:
        return Cell(None, kind="number")
    average = sum(values, Decimal(0)) / len(values)
    return Cell(float(round(average, 2)), events, kind="number")


def alert_cell(one: Scene, at: int) -> Cell:
    """Return the strictest alert in force at an instant, by the events of its alert."""
    rows = one.world.states("alert")
    colour = level_at((row.state for row in rows), at)
    if colour is None:
        return Cell(both("No alert", "无预警"))
    events = {
        position
        for row in rows
        if strictness(row.state.colour_at(at)) == strictness(colour)
        for position in row.events
    }
    return Cell(COLOUR_NAMES[colour], tuple(sorted(events)))


def _reading(row: StateRow) -> Reading:
    series, place, period = row.key.split("/", 2)
    state = row.state
    valid = state.status == "recorded" and state.qc == "valid"
    return Reading(
        series=series,
        place=place,
        period=period,
        unit=state.unit,
        value=state.value if valid else None,
        forecast=state.forecast,
        event=row.events[-1],
    )
