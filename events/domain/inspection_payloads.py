"""What each event of an inspection or patrol carries: one struct an event type.

Rules of this file: shapes and limits only. What is allowed when is inspections.py.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from events.domain.commitment_values import Geo
from events.domain.fields import Id, Instant, Reason, Sha256Hex, Text, Title
from events.domain.model import Payload
from events.domain.supervision_values import (
    Count,
    EvidenceRefs,
    ListRef,
    StreamRef,
)

Kind = Literal["inspection", "patrol", "census_visit", "lookback"]
Team = Annotated[
    tuple[Id, ...], Meta(max_length=50, description="The posts that go, not persons.")
]
Targets = Annotated[
    tuple[StreamRef, ...],
    Meta(max_length=5000, description="What is looked at: streams."),
]
PointId = Annotated[str, Meta(min_length=1, max_length=64)]


class Point(Payload, frozen=True):
    """One point of a patrol: its grid cell, and its id in that cell."""

    cell: Id
    point: PointId


class Planned(Payload, frozen=True):
    """A visit, patrol or look-back is planned: by whom, in which days, at what."""

    kind: Kind
    title: Title
    unit: Id
    start: date
    end: date
    team: Team = ()
    targets: Targets = ()
    checklist: ListRef | None = None
    route: Annotated[tuple[Point, ...], Meta(max_length=500)] = ()
    campaign: Id | None = None
    directive: Id | None = None


class Sampled(Payload, frozen=True):
    """What is looked at is drawn from a population, so that it can be drawn again.

    With ``population`` the draw is checked at once; without it the digest holds
    whoever lists the population later to it. ``as_of`` is the position of the log at
    which the population was read.
    """

    population_size: Annotated[int, Meta(ge=1, le=10_000_000)]
    population_digest: Annotated[
        Sha256Hex,
        Meta(description="SHA-256 of the members, sorted, each ended by a line feed."),
    ]
    seed: Annotated[str, Meta(pattern=r"^[!-~]{1,128}(?!\n)$")]
    method: Literal["sha256-rank"]
    method_version: Literal[1]
    sample: Annotated[tuple[StreamRef, ...], Meta(min_length=1, max_length=5000)]
    population: Annotated[tuple[StreamRef, ...], Meta(max_length=5000)] | None = None
    rule: Annotated[
        Text | None, Meta(description="In words: who belongs to the population.")
    ] = None
    seed_source: Annotated[
        Title | None, Meta(description="From where the seed is: a root hash, a draw.")
    ] = None
    as_of: Annotated[int, Meta(ge=1)] | None = None


class Started(Payload, frozen=True):
    """It begins; a visit that was not planned begins here, with kind and unit."""

    kind: Kind | None = None
    unit: Id | None = None
    team: Team = ()
    targets: Targets = ()
    cell: Id | None = None
    checklist: ListRef | None = None
    route: Annotated[tuple[Point, ...], Meta(max_length=500)] = ()
    geo: Geo | None = None


class ItemChecked(Payload, frozen=True):
    """One item of the checklist is looked at, at one target."""

    checklist: ListRef
    item: Annotated[str, Meta(min_length=1, max_length=64)]
    result: Literal["pass", "fail", "not_applicable"]
    target: Annotated[
        StreamRef | None, Meta(description="May be absent where there is one target.")
    ] = None
    note: Text | None = None
    evidence: EvidenceRefs = ()


class FindingAdded(Payload, frozen=True):
    """A problem was found on this visit: the issue that it became."""

    issue: Id
    target: StreamRef | None = None
    checklist_item: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Ended(Payload, frozen=True):
    """The visit is over; what was left out of the checklist has a reason."""

    summary: Text | None = None
    incomplete: Reason | None = None


class SignedBySubject(Payload, frozen=True):
    """The one inspected signs the record 被检方签字, or declines to."""

    subject: Id
    signed: Literal["signed", "declined"]
    remark: Text | None = None
    evidence: EvidenceRefs = ()


class PointChecked(Payload, frozen=True):
    """A point of a patrol is checked on the spot."""

    cell: Id
    point: PointId
    result: Literal["in_order", "problem"]
    checked_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    issue: Id | None = None
    geo: Geo | None = None
    note: Text | None = None
    evidence: EvidenceRefs = ()


class PatrolEnded(Payload, frozen=True):
    """The patrol is over: how far it went, and over which points it did not."""

    distance_m: Count
    skipped: Annotated[tuple[Point, ...], Meta(max_length=500)] = ()
    reason: Reason | None = None
    track: EvidenceRefs = ()
