"""What the events of alerts and of their measures carry: one struct an event type.

Rules of this file: shapes and limits only. What is allowed when is alerts.py and
measures.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from events.domain.commitment_values import Geo
from events.domain.fields import Id, Instant, Reason, Text, Title
from events.domain.model import Payload
from events.domain.supervision_values import (
    Code,
    Colour,
    EvidenceRefs,
    Grade,
    ListRef,
)


class Issued(Payload, frozen=True):
    """An alert is issued 发布: colour and grade, under which plan, from when."""

    colour: Colour
    grade: Grade
    plan: ListRef
    since: Annotated[Instant, Meta(description="From when it is in force.")] = (
        msgspec.field(name="from")
    )
    until: Annotated[
        Instant | None, Meta(description="Absent: until it is lifted.")
    ] = None
    title: Title | None = None
    forecast: Text | None = None
    directive: Id | None = None
    follows: Annotated[
        Id | None, Meta(description="The alert before it, where this one overlaps it.")
    ] = None


class Upgraded(Payload, frozen=True):
    """The alert is raised to a stricter colour, from an instant on."""

    colour: Colour
    grade: Grade
    reason: Reason
    since: Instant = msgspec.field(name="from")


class Downgraded(Payload, frozen=True):
    """The alert is lowered to a milder colour, from an instant on."""

    colour: Colour
    grade: Grade
    reason: Reason
    since: Instant = msgspec.field(name="from")


class Extended(Payload, frozen=True):
    """The alert lasts longer than was said."""

    until: Instant
    reason: Reason


class Lifted(Payload, frozen=True):
    """The alert ends 解除."""

    lifted_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    reason: Reason | None = None


class Required(Payload, frozen=True):
    """A subject must take one measure of an alert, within hours 下达."""

    alert: Id
    subject: Id
    measure: Code
    unit: Annotated[Id, Meta(description="The unit that sees to it.")]
    measure_list: Annotated[
        ListRef, Meta(description="Absent: alert-measure/2017-11, for ever.")
    ] = "alert-measure/2017-11"
    within: Annotated[
        str,
        Meta(
            pattern=r"^PT(?:[1-9][0-9]{0,3})[HM](?!\n)$",
            description="Hours or minutes, day and night; absent: two hours.",
        ),
    ] = "PT2H"
    required_at: Annotated[
        Instant | None,
        Meta(description="From when the time counts; absent: the time of the event."),
    ] = None
    text: Text | None = None


class Acknowledged(Payload, frozen=True):
    """The subject, or the unit for it, has taken note."""

    acknowledged_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    note: Text | None = None


class Applied(Payload, frozen=True):
    """The measure is taken 落实, with its evidence."""

    evidence: EvidenceRefs
    applied_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    text: Text | None = None


class Checked(Payload, frozen=True):
    """Somebody else has looked whether the measure is kept."""

    result: Literal["kept", "not_kept"]
    checked_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    inspection: Id | None = None
    geo: Geo | None = None
    note: Text | None = None
    evidence: EvidenceRefs = ()


class Breached(Payload, frozen=True):
    """The measure was not taken, or was given up."""

    text: Text
    breached_at: Annotated[
        Instant | None, Meta(description="Absent: the time of the event.")
    ] = None
    issue: Id | None = None
    evidence: EvidenceRefs = ()


class Exempted(Payload, frozen=True):
    """The subject need not take the measure, on a basis."""

    basis: Text
    exemption: Annotated[
        Id | None, Meta(description="An exemption that is on the subject's file.")
    ] = None
