"""Readings of the air as they are known: by day, and their means.

Rules of this file: arithmetic of readings. A day without a reading is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from services.demo.campaign.expected.known import Known


def daily(known: Known, series: str) -> Mapping[date, int]:
    """Return day → reading of a series, the corrected one where it was corrected."""
    found: dict[date, int] = {}
    for event in known.of("metric.recorded", "metric.corrected"):
        name, _, period = event.key.split("/")
        if name == series:
            found[date.fromisoformat(period)] = event.data["value"]
    return found


def forecast(known: Known, series: str, when: date) -> int | None:
    """Return what was forecast for a day."""
    told = [
        event.data["value"]
        for event in known.of("metric.forecast")
        if event.key.startswith(f"{series}/") and event.key.endswith(when.isoformat())
    ]
    return told[-1] if told else None


def mean(values: Sequence[int]) -> float | None:
    """Return a mean to two places."""
    return round(sum(values) / len(values), 2) if values else None
