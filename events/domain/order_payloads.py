"""What each event of a control order carries: one struct an event type, nothing else.

Rules of this file: shapes and limits only. What is allowed when is orders.py.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from events.domain.fields import Id, Instant, Reason, Text, Title
from events.domain.model import Payload
from events.domain.supervision_values import Colour, EvidenceRefs

Kind = Literal["seal", "staggered"]


class Issued(Payload, frozen=True):
    """An order is issued: a sealing order 封土令 or staggered production 错峰生产."""

    kind: Kind
    title: Title
    start: date
    base_end: Annotated[
        date, Meta(description="The last day, before any extension; never changes.")
    ]
    scope: Text
    units: Annotated[tuple[Id, ...], Meta(max_length=100)] = ()
    number: Title | None = None
    directive: Id | None = None


class SiteBound(Payload, frozen=True):
    """A site (staggered: a firm) is told that it falls under the order."""

    site: Id
    unit: Annotated[Id | None, Meta(description="The unit that watches it.")] = None
    note: Text | None = None


class ViolationRecorded(Payload, frozen=True):
    """Forbidden work was found at a site 违规."""

    violation: Id
    site: Id
    text: Text
    found_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    unit: Annotated[Id | None, Meta(description="The unit responsible for it.")] = None
    issue: Id | None = None
    inspection: Id | None = None
    evidence: EvidenceRefs = ()


class ViolationConfirmed(Payload, frozen=True):
    """The violation stands; from here on it counts."""

    violation: Id
    reason: Reason | None = None


class ViolationRevoked(Payload, frozen=True):
    """The violation is withdrawn 撤销, perhaps on appeal; it no longer counts."""

    violation: Id
    reason: Reason
    appeal: Annotated[
        Id | None, Meta(description="The accountability case it was appealed in.")
    ] = None


class PeriodExtended(Payload, frozen=True):
    """The order lasts longer for a site, or for all, by decision and not by rule."""

    until: date
    reason: Reason
    site: Annotated[Id | None, Meta(description="Absent: the whole order.")] = None
    violations: Annotated[
        tuple[Id, ...],
        Meta(max_length=50, description="The confirmed violations it is for."),
    ] = ()


class Exempted(Payload, frozen=True):
    """A site may go on in part, up to an alert colour, until a day."""

    site: Id
    basis: Text
    allows: Annotated[Text, Meta(description="What may go on.")]
    up_to: Annotated[
        Colour | None, Meta(description="The strictest alert it holds under.")
    ] = None
    until: date | None = None


class ExemptionEnded(Payload, frozen=True):
    """The exemption of a site ends."""

    site: Id
    reason: Reason
