"""One number a series, place and period, exact; corrections are seen."""

from __future__ import annotations

from decimal import Decimal

import pytest

from events.domain.metrics import metric_stream
from tests.support.governance import actor

SENSOR = actor("sensor", roles={"adapter"})
STREAM = metric_stream("pm10", "zone", "2017-11-24")
VALUE = {
    "series": "pm10",
    "place": "zone",
    "period": "2017-11-24",
    "value": "163.50",
    "unit": "µg/m³",
}


def refused(world, what, stream=STREAM, **data):
    """Return the refusal of one event of a reading."""
    return world.refusal(f"metric.{what}", stream, SENSOR, **data)


@pytest.mark.parametrize(
    ("value", "exact"), [("163.50", "163.50"), (163, "163"), (0.1, "0.1")]
)
def test_a_value_is_kept_as_written(world, value, exact):
    """No binary fraction creeps into a decimal."""
    state = world.send("metric.recorded", STREAM, SENSOR, **(VALUE | {"value": value}))
    assert state.value == Decimal(exact)
    assert str(state.value) == exact


@pytest.mark.parametrize("value", ["1e3", "1.", ".5", "１", "", "+1", None, True])
def test_what_is_no_decimal_is_refused(world, value):
    """Only digits, a point and a sign."""
    assert refused(world, "recorded", **(VALUE | {"value": value}))[0] == (
        "schema_violation"
    )


@pytest.mark.parametrize(
    "change", [{"series": "aqi"}, {"place": "east"}, {"period": "2017-11-23"}]
)
def test_the_key_is_series_place_and_period(world, change):
    """A value in another stream than its own is refused."""
    for what in ("recorded", "forecast"):
        where = ("metric_key_mismatch", "/subject")
        assert refused(world, what, **(VALUE | change)) == where


def test_a_period_is_measured_once(world):
    """A second value is a correction, never a second record."""
    world.send("metric.recorded", STREAM, SENSOR, **VALUE)
    assert refused(world, "recorded", **VALUE)[0] == "not_allowed_in_state"
    assert refused(world, "forecast", **VALUE)[0] == "not_allowed_in_state"


def test_the_future_is_forecast_not_measured(world):
    """A period that has not begun has no measured value; the forecast stays beside it."""
    ahead = VALUE | {"period": "2017-11-25"}
    stream = metric_stream("pm10", "zone", "2017-11-25")
    where = ("metric_period_ahead", "/data/period")
    assert refused(world, "recorded", stream, **ahead) == where
    world.send("metric.forecast", stream, SENSOR, **ahead)
    world.at("2017-11-24T16:00:00Z")
    other = ahead | {"unit": "mg/m³"}
    assert refused(world, "recorded", stream, **other)[0] == "metric_unit_changed"
    state = world.send("metric.recorded", stream, SENSOR, **(ahead | {"value": "9"}))
    assert (state.forecast, state.value) == (Decimal("163.50"), Decimal(9))


def test_a_correction_changes_something(world):
    """The same number in other digits is no correction; a quality is one."""
    world.send("metric.recorded", STREAM, SENSOR, **VALUE)
    where = ("metric_correction_empty", "/data/value")
    assert refused(world, "corrected", reason="r") == where
    assert refused(world, "corrected", reason="r", value=163.5, qc="valid") == where
    state = world.send("metric.corrected", STREAM, SENSOR, reason="r", qc="invalid")
    assert (state.value, state.qc, state.corrections) == (
        Decimal("163.50"),
        "invalid",
        1,
    )
    state = world.send("metric.corrected", STREAM, SENSOR, reason="r", value="0")
    assert (state.value, state.qc, state.corrections) == (Decimal(0), "invalid", 2)


def test_a_period_exists(world):
    """A day that the calendar does not have is not measured or forecast."""
    stream = metric_stream("pm10", "zone", "2017-02-29")
    for what in ("recorded", "forecast"):
        data = VALUE | {"period": "2017-02-29"}
        assert refused(world, what, stream, **data)[0] == "period_unknown"
