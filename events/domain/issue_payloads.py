"""What each event of an issue carries: one struct an event type, nothing else.

Rules of this file: shapes and limits only. What is allowed when is issues.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from events.domain.commitment_values import FixedDue, Key
from events.domain.fields import Id, Instant, Reason, Text, Title
from events.domain.model import Payload
from events.domain.supervision_values import Code, EvidenceRefs, ListRef, Place

Severity = Literal["minor", "serious", "grave"]
Origin = Literal["patrol", "inspection", "hotline", "sensor", "upper_level"]


class Found(Payload, frozen=True):
    """A problem is found 发现: what, how bad, where, by which channel."""

    title: Title
    category: Code
    severity: Severity
    found_by: Origin
    place: Place
    found_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    category_list: Annotated[
        ListRef, Meta(description="Absent: issue-category/2017-11, for ever.")
    ] = "issue-category/2017-11"
    text: Text | None = None
    subject: Id | None = None
    cell: Annotated[Id | None, Meta(description="The grid cell it lies in.")] = None
    unit: Annotated[Id | None, Meta(description="The unit responsible for it.")] = None
    inspection: Id | None = None
    repeat_of: Annotated[
        Id | None, Meta(description="The issue that has come back.")
    ] = None
    evidence: EvidenceRefs = ()


class FixedOnSpot(Payload, frozen=True):
    """It is put right at once 立即解决, by whoever found it or is responsible."""

    text: Text
    evidence: EvidenceRefs
    fixed_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None


class Reported(Payload, frozen=True):
    """It is reported upwards 上报; also after it was fixed."""

    to_unit: Id
    reported_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    text: Text | None = None


class HandedOver(Payload, frozen=True):
    """It is handed to the unit that must deal with it 交办, perhaps as a commitment."""

    to_unit: Id
    requirement: Text
    due: FixedDue | None = None
    commitment: Key | None = None


class Disputed(Payload, frozen=True):
    """Whoever is held responsible objects 异议; somebody else decides."""

    reason: Reason
    evidence: EvidenceRefs = ()


class Confirmed(Payload, frozen=True):
    """The finding stands: checked, or upheld after a dispute."""

    reason: Reason | None = None
    evidence: EvidenceRefs = ()


class Revoked(Payload, frozen=True):
    """The finding is withdrawn 撤销; it stays readable and no longer counts."""

    reason: Reason


class Closed(Payload, frozen=True):
    """It is settled: fixed on the spot, or rectified as it was handed over."""

    text: Text | None = None
    evidence: EvidenceRefs = ()
