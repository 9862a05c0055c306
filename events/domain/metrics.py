"""Metrics 监测数据: one measured number a series, place and period, with its quality.

Rules of this file: the number as it was given, and its corrections. What counts as
good is a campaign's target; means and ranks are projections.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Final, Literal

from msgspec import Meta

from events.domain.fields import Id, Reason, Title
from events.domain.model import Context, Event, Payload
from events.domain.periods import Period, check_period
from events.domain.transitions import NEW, Rule, event_types, refuse

Series = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}(?!\n)$",
        description="What is measured.",
        examples=["pm10", "pm2.5", "aqi", "electricity"],
    ),
]
Number = (
    Annotated[
        str,
        Meta(
            pattern=r"^-?[0-9]{1,15}(?:[.][0-9]{1,9})?(?!\n)$",
            description="A decimal, exactly as measured.",
        ),
    ]
    | Annotated[int, Meta(ge=-(10**15), le=10**15)]
    | Annotated[float, Meta(ge=-1e15, le=1e15)]
)
Quality = Literal["valid", "suspect", "invalid"]


class Recorded(Payload, frozen=True):
    """A value was measured over a period at a place: zone, station, unit or subject."""

    series: Series
    place: Id
    period: Period
    value: Number
    unit: Title
    qc: Quality = "valid"
    samples: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    method: Title | None = None


class Forecast(Payload, frozen=True):
    """A value is expected for a period; the measured one will be recorded beside it."""

    series: Series
    place: Id
    period: Period
    value: Number
    unit: Title
    issuer: Title | None = None


class Corrected(Payload, frozen=True):
    """A recorded value or its quality was wrong; what was recorded stays visible."""

    reason: Reason
    value: Number | None = None
    qc: Quality | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of one series at one place in one period."""

    status: str
    unit: str
    value: Decimal | None = None
    qc: str = "valid"
    forecast: Decimal | None = None
    corrections: int = 0


def metric_stream(series: str, place: str, period: str) -> str:
    """Return the stream of one reading: ``metric/<series>/<place>/<period>``."""
    return f"metric/{series}/{place}/{period}"


def decimal(number: str | float) -> Decimal:
    """Return a submitted number exactly as it was written."""
    return Decimal(str(number))


def _guard_recorded(state: Reading | None, event: Event, context: Context) -> None:
    _check_key(state, event)
    if check_period(event.data.period).start > context.at:
        raise refuse("metric_period_ahead", "/data/period", period=event.data.period)


def _guard_forecast(state: Reading | None, event: Event, _context: Context) -> None:
    _check_key(state, event)
    check_period(event.data.period)


def _check_key(state: Reading | None, event: Event) -> None:
    data: Recorded | Forecast = event.data
    stream = metric_stream(data.series, data.place, data.period)
    if event.stream != stream:
        raise refuse("metric_key_mismatch", "/subject", stream=stream)
    if state is not None and state.unit != data.unit:
        raise refuse("metric_unit_changed", "/data/unit", unit=state.unit)


def _guard_corrected(state: Reading, event: Event, _context: Context) -> None:
    data: Corrected = event.data
    value = state.value if data.value is None else decimal(data.value)
    if (value, data.qc or state.qc) == (state.value, state.qc):
        raise refuse("metric_correction_empty", "/data/value")


def _record(state: Reading | None, event: Event) -> Reading:
    data: Recorded = event.data
    return Reading(
        status="recorded",
        unit=data.unit,
        value=decimal(data.value),
        qc=data.qc,
        forecast=None if state is None else state.forecast,
    )


def _forecast(_state: Reading | None, event: Event) -> Reading:
    data: Forecast = event.data
    return Reading(status="forecast", unit=data.unit, forecast=decimal(data.value))


def _correct(state: Reading, event: Event) -> Reading:
    data: Corrected = event.data
    return replace(
        state,
        value=state.value if data.value is None else decimal(data.value),
        qc=data.qc or state.qc,
        corrections=state.corrections + 1,
    )


_MEASURERS: Final = frozenset({"adapter", "lead", "office", "system"})
_EXAMPLE: Final = {
    "series": "pm10",
    "place": "zone",
    "period": "2017-11-24",
    "unit": "µg/m³",
}

EVENT_TYPES: Final = event_types(
    "metric",
    (
        Rule(
            what="recorded",
            data=Recorded,
            en="Measurement recorded",
            zh="记录监测数据",
            roles=_MEASURERS,
            when=frozenset({NEW, "forecast"}),
            guard=_guard_recorded,
            apply=_record,
            examples=(
                {**_EXAMPLE, "value": "163.5", "samples": 24},
                {**_EXAMPLE, "value": 163.5, "qc": "suspect"},
            ),
        ),
        Rule(
            what="forecast",
            data=Forecast,
            en="Measurement forecast",
            zh="预报监测数据",
            roles=_MEASURERS,
            when=frozenset({NEW, "forecast"}),
            guard=_guard_forecast,
            apply=_forecast,
            examples=({**_EXAMPLE, "value": 170, "issuer": "示例气象台"},),
        ),
        Rule(
            what="corrected",
            data=Corrected,
            en="Measurement corrected",
            zh="更正监测数据",
            roles=_MEASURERS,
            when=frozenset({"recorded"}),
            guard=_guard_corrected,
            apply=_correct,
            examples=(
                {
                    "value": "158.0",
                    "reason": "The sensor was recalibrated (fictional).",
                },
                {"qc": "invalid", "reason": "Power failure (fictional)."},
            ),
        ),
    ),
)
