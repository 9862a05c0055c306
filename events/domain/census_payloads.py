"""What each event of a census carries: one struct an event type, nothing else.

Rules of this file: shapes and limits only. What is allowed when is censuses.py.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from events.domain.commitment_values import Geo
from events.domain.fields import Id, Instant, Reason, Text, Title
from events.domain.model import Payload
from events.domain.subject_payloads import Kind
from events.domain.supervision_values import Count, EvidenceRefs


class Entry(Payload, frozen=True):
    """One source that is expected in a cell."""

    entry: Id
    name: Title
    kind: Kind
    address: Title | None = None
    subject: Annotated[Id | None, Meta(description="Its file, if it has one.")] = None


class Listed(Payload, frozen=True):
    """A cell's sources are listed before the visit; a later list of it adds to it."""

    cell: Id
    unit: Id
    entries: Annotated[tuple[Entry, ...], Meta(max_length=1000)] = ()
    title: Title | None = None
    source: Annotated[Text | None, Meta(description="From where the list is.")] = None


class Visited(Payload, frozen=True):
    """A source was visited and is there; one that no list has is newly found."""

    cell: Id
    entry: Id
    newly_found: bool = False
    subject: Id | None = None
    visited_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    inspection: Id | None = None
    geo: Geo | None = None
    note: Text | None = None
    evidence: EvidenceRefs = ()


class NotFound(Payload, frozen=True):
    """A listed source is not there."""

    cell: Id
    entry: Id
    reason: Reason
    evidence: EvidenceRefs = ()


class Finished(Payload, frozen=True):
    """A cell is done; its counts are those of its events, or it is refused."""

    cell: Id
    listed: Count
    visited: Count
    not_found: Count
    newly_found: Count
