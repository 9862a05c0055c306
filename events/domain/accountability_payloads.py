"""What the events of an accountability case (追责案件) say; forms of a decision.

Rules of this file: payloads and their names; what is allowed is in accountability.py.
A person is an opaque reference beside the post held at the time of the fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Final, Literal

from msgspec import Meta

from events.domain.citations import Fact
from events.domain.fields import (
    Id,
    Instant,
    PersonRef,
    Reason,
    Sha256Hex,
    Text,
    Title,
)
from events.domain.model import Payload

Form = Literal[
    "admonition",
    "public_apology",
    "criticism",
    "written_review",
    "interview",
    "suspension",
    "transfer",
    "resignation_taken",
    "resignation_ordered",
    "removal",
    "demotion",
    "warning",
    "sanction",
    "judicial_transfer",
]

#: Form of accountability -> (English, Chinese).
FORMS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "admonition": ("Admonition", "诫勉"),
        "public_apology": ("Public apology ordered", "责令公开道歉"),
        "criticism": ("Circulated criticism", "通报批评"),
        "written_review": ("Written self-criticism", "书面检查"),
        "interview": ("Summoned for an interview", "约谈"),
        "suspension": ("Suspension from duty", "停职"),
        "transfer": ("Transfer from the post", "调离岗位"),
        "resignation_taken": ("Resignation taking the blame", "引咎辞职"),
        "resignation_ordered": ("Resignation ordered", "责令辞职"),
        "removal": ("Removal from office", "免职"),
        "demotion": ("Demotion", "降职"),
        "warning": ("Warning", "警告"),
        "sanction": ("Party or administrative sanction", "党纪政纪处分"),
        "judicial_transfer": ("Transfer to the judiciary", "移送司法"),
    }
)

Facts = Annotated[tuple[Fact, ...], Meta(min_length=1, max_length=100)]
Evidence = Annotated[tuple[Sha256Hex, ...], Meta(max_length=100)]
Days = Annotated[int, Meta(ge=1, le=3650, description="Calendar days.")]


class ClueRegistered(Payload, frozen=True):
    """Something points to a breach of duty; nobody is accused yet."""

    origin: Literal[
        "urging", "inspection", "lookback", "alert", "report", "complaint", "superior"
    ]
    title: Title
    summary: Text
    unit: Id | None = None
    facts: Annotated[tuple[Fact, ...], Meta(max_length=100)] = ()


class Opened(Payload, frozen=True):
    """A case is opened on facts in the log, against a unit or who held a post of it.

    `fact_at` is when it happened: `person_ref` is who held the post at that instant.
    """

    title: Title
    unit: Id
    fact_at: Instant
    facts: Facts
    post: Id | None = None
    person_ref: PersonRef | None = None
    basis: Text | None = None
    ruleset: Id = "demo-2017"


class FactAttached(Payload, frozen=True):
    """More events of the log are facts of the case."""

    facts: Facts
    note: Text | None = None


class StatementHeard(Payload, frozen=True):
    """The other side was heard, or had its chance to be and declined."""

    heard_at: Instant
    summary: Text
    declined: bool = False
    evidence: Evidence = ()


class Decided(Payload, frozen=True):
    """The decision: form, facts, basis, body, effect, and how it can be appealed."""

    form: Form
    findings: Text
    basis: Annotated[tuple[Title, ...], Meta(min_length=1, max_length=20)]
    approving_body: Title
    effective_from: Instant
    appeal_days: Days
    appeal_body: Title
    number: Title | None = None
    influence_until: date | None = None


class Served(Payload, frozen=True):
    """The decision has reached who it is about: from here the appeal window runs."""

    served_at: Instant
    method: Literal["in_person", "left", "post", "public_notice"] = "in_person"


class Executed(Payload, frozen=True):
    """The decision in force was carried out. An appeal does not suspend this."""

    executed_at: Instant
    result: Text
    evidence: Evidence = ()


class Published(Payload, frozen=True):
    """The outcome was made known, by post, or by name where that was decided."""

    where: Title
    by_name: bool = False
    report: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Appealed(Payload, frozen=True):
    """The decision is appealed against, once, within its window."""

    received_at: Instant
    grounds: Text
    evidence: Evidence = ()


class AppealDecided(Payload, frozen=True):
    """The appeal is decided by another: upheld 维持, changed 变更 or revoked 撤销."""

    outcome: Literal["upheld", "changed", "revoked"]
    body: Title
    reasons: Text
    form: Form | None = None


class Closed(Payload, frozen=True):
    """The case ends; how it ended follows from what is recorded before."""

    summary: Text


class InfluenceLifted(Payload, frozen=True):
    """The time for which the decision counts against the person is over."""

    note: Reason | None = None
