"""What each event of a subject carries: one struct an event type, nothing else.

Rules of this file: shapes and limits only. What is allowed when is subjects.py.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from events.domain.fields import (
    Id,
    Latitude,
    Longitude,
    Reason,
    Text,
    Title,
    Version,
)
from events.domain.model import Payload

Kind = Literal[
    "enterprise",
    "site",
    "restaurant",
    "scrap_yard",
    "mixing_plant",
    "road",
    "vehicle_fleet",
    "other",
]
Colour = Literal["blue", "yellow", "orange", "red"]
Category = Literal["scattered", "disorderly", "polluting"]


class Registered(Payload, frozen=True):
    """A file is opened for a subject: enterprise, site, restaurant, road ..."""

    kind: Kind
    name: Title
    code: (
        Annotated[
            str,
            Meta(
                pattern=r"^[0-9A-Z]{18}(?!\n)$",
                description="Unified social credit code (统一社会信用代码).",
            ),
        ]
        | None
    ) = None
    address: Title | None = None
    industry: Title | None = None
    grid: Id | None = None
    longitude: Longitude | None = None
    latitude: Latitude | None = None


class Classified(Payload, frozen=True):
    """It is scattered 散, disorderly 乱 or polluting 污, and is handled so."""

    categories: Annotated[tuple[Category, ...], Meta(min_length=1, max_length=3)]
    handling: Literal["ban", "relocate", "upgrade"]
    basis: Text
    deadline: date | None = None


class Measure(Payload, frozen=True):
    """One measure of a plan; with a colour: only while such an alert is in force."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]
    text: Text
    alert: Colour | None = None


class PlanApproved(Payload, frozen=True):
    """The plan of this one subject (一企一策) is approved; versions have no gaps."""

    version: Version
    title: Title
    measures: Annotated[tuple[Measure, ...], Meta(min_length=1, max_length=200)]


class ScheduleSet(Payload, frozen=True):
    """Staggered production: from one day to another, down to a share of capacity."""

    start: date
    end: date
    limit_percent: Annotated[int, Meta(ge=0, le=100, description="0: full stop.")]
    basis: Text


class StatusChanged(Payload, frozen=True):
    """It stops, closes, moves, or operates again; a relapse is such a change too."""

    status: Literal["operating", "suspended", "closed", "relocated"]
    reason: Reason


class ExemptionGranted(Payload, frozen=True):
    """It is exempted from an order, up to an alert colour."""

    exemption: Id
    basis: Text
    up_to: Colour | None = None


class ExemptionEnded(Payload, frozen=True):
    """An exemption ends."""

    exemption: Id
    reason: Reason


class SealApplied(Payload, frozen=True):
    """A site falls under a sealing order (封土令), from one day to another."""

    order: Id
    start: date
    end: date


class Merged(Payload, frozen=True):
    """Two files are of one subject: this one ends, the other goes on."""

    into: Id
    reason: Reason
