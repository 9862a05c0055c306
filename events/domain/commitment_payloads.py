"""What each event of a commitment carries: one struct per event type, nothing else.

Rules of this file: shapes and limits only. Whether a value is *allowed* (a due date in
the past, too little evidence) depends on the kind and the state: commitment_rules.py.
A member, once released, keeps its name and its meaning; additions are optional.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from events.domain.commitment_values import (
    Answer,
    Basis,
    Changes,
    Checklist,
    Child,
    Count,
    Due,
    EventId,
    EvidenceList,
    Findings,
    FixedDue,
    Geo,
    Key,
    KindName,
    Label,
    Milestone,
    Percent,
    PostId,
    Reason,
    Reference,
    Text,
    Title,
    UnitId,
    Weight,
)
from events.domain.model import Payload


class Registered(Payload, frozen=True, kw_only=True):
    """立项: a promise is put on record."""

    title: Title
    lead_unit: UnitId
    kind: KindName = "supervision"
    basis: Annotated[list[Basis], Meta(max_length=20)] = msgspec.field(
        default_factory=list
    )
    standard: Text | None = None
    lead_post: PostId | None = None
    support_units: Annotated[list[UnitId], Meta(max_length=50)] = msgspec.field(
        default_factory=list
    )
    due: Due | None = None
    campaign: Reference | None = None
    directive: Reference | None = None
    theme: Label | None = None
    parent: Key | None = None
    urgent: bool = False
    weight: Weight | None = None


class Issued(Payload, frozen=True, kw_only=True):
    """交办: the promise is handed to its lead unit; terms are counted from here."""

    approver_post: PostId | None = None
    due: Due | None = None


class SignedFor(Payload, frozen=True, kw_only=True):
    """签收: the lead unit takes it."""


class ReceiptRejected(Payload, frozen=True, kw_only=True):
    """退单: the lead unit declines, with a reason."""

    reason: Reason
    suggested_unit: UnitId | None = None


class Reassigned(Payload, frozen=True, kw_only=True):
    """改派: another lead unit; the duty of the old one ends."""

    lead_unit: UnitId
    reason: Reason
    lead_post: PostId | None = None


class PlanFiled(Payload, frozen=True, kw_only=True):
    """报方案: how it shall be done."""

    summary: Text
    milestones: Annotated[list[Milestone], Meta(max_length=50)] = msgspec.field(
        default_factory=list
    )


class Decomposed(Payload, frozen=True, kw_only=True):
    """分解: the whole list of parts; their weights are 100 together."""

    children: Annotated[list[Child], Meta(min_length=1, max_length=100)]


class ProgressReported(Payload, frozen=True, kw_only=True):
    """What was done, with its evidence."""

    text: Text
    percent: Percent | None = None
    done: Count | None = None
    total: Count | None = None
    evidence: EvidenceList = msgspec.field(default_factory=list)


class ExtensionRequested(Payload, frozen=True, kw_only=True):
    """申请延期: before the current due."""

    new_due: FixedDue
    reason: Reason
    progress: Text


class ExtensionGranted(Payload, frozen=True, kw_only=True):
    """批准延期: by default to the date that was asked for."""

    new_due: FixedDue | None = None
    approver_post: PostId | None = None


class ExtensionDenied(Payload, frozen=True, kw_only=True):
    """不批准延期."""

    reason: Reason
    approver_post: PostId | None = None


class Urged(Payload, frozen=True, kw_only=True):
    """催办: a reminder, or a blue, orange or red sheet."""

    level: Literal["reminder", "blue", "orange", "red"]
    text: Text | None = None


class CompletionClaimed(Payload, frozen=True, kw_only=True):
    """报完成: the lead unit says it is done."""

    text: Text
    evidence: EvidenceList = msgspec.field(default_factory=list)
    answers: Annotated[list[Answer], Meta(max_length=100)] = msgspec.field(
        default_factory=list
    )
    checklist: Checklist | None = None


class CompletionWithdrawn(Payload, frozen=True, kw_only=True):
    """撤回报完成: before a verification."""

    reason: Reason


class VerificationRecorded(Payload, frozen=True, kw_only=True):
    """核查: another unit has looked."""

    result: Literal["pass", "fail"]
    method: Literal["on_site", "document"]
    findings: Findings = msgspec.field(default_factory=list)
    new_due: Due | None = None
    evidence: EvidenceList = msgspec.field(default_factory=list)
    geo: Geo | None = None
    checklist: Checklist | None = None


class PublicityOpened(Payload, frozen=True, kw_only=True):
    """公示开始. `from` as a date begins at 00:00, `until` as a date ends at 24:00."""

    since: FixedDue = msgspec.field(name="from")
    until: FixedDue
    where: Annotated[str, Meta(min_length=1, max_length=500)]


class PublicityClosed(Payload, frozen=True, kw_only=True):
    """公示结束: how many objected, how many were answered."""

    objections: Count
    answered: Count


class Closed(Payload, frozen=True, kw_only=True):
    """销号: the promise is settled."""

    approver_post: PostId | None = None
    outcome: Label | None = None
    text: Text | None = None


class LookbackRecorded(Payload, frozen=True, kw_only=True):
    """回头看: did it last? `team` names the posts that looked."""

    result: Literal["passed", "relapsed"]
    team: Annotated[list[PostId], Meta(min_length=1, max_length=50)]
    text: Text
    evidence: EvidenceList = msgspec.field(default_factory=list)


class Reopened(Payload, frozen=True, kw_only=True):
    """反弹重新办理: the earlier close stays on record."""

    new_due: Due
    reason: Reason
    lookback_event: EventId | None = None


class Suspended(Payload, frozen=True, kw_only=True):
    """中止."""

    reason_class: Literal["alert", "litigation", "weather", "force_majeure", "other"]
    reason: Reason


class Resumed(Payload, frozen=True, kw_only=True):
    """恢复: back to the state before."""


class Cancelled(Payload, frozen=True, kw_only=True):
    """撤销."""

    reason: Reason
    approver_post: PostId | None = None


class Superseded(Payload, frozen=True, kw_only=True):
    """并入/替代: another commitment takes it over, with the earliest original due."""

    by: Key
    reason: Reason


class Failed(Payload, frozen=True, kw_only=True):
    """未完成结案: openly given up, with its campaign or because it is impossible."""

    reason: Reason
    cause: Literal["campaign_ended", "impossible"] = "impossible"


class Corrected(Payload, frozen=True, kw_only=True):
    """更正: an earlier event said something wrong; it stays readable."""

    corrects: EventId
    reason: Reason
    changes: Changes


_PAYLOADS: dict[str, type[Payload]] = {
    "registered": Registered,
    "issued": Issued,
    "signed_for": SignedFor,
    "receipt_rejected": ReceiptRejected,
    "reassigned": Reassigned,
    "plan_filed": PlanFiled,
    "decomposed": Decomposed,
    "progress_reported": ProgressReported,
    "extension_requested": ExtensionRequested,
    "extension_granted": ExtensionGranted,
    "extension_denied": ExtensionDenied,
    "urged": Urged,
    "completion_claimed": CompletionClaimed,
    "completion_withdrawn": CompletionWithdrawn,
    "verification_recorded": VerificationRecorded,
    "publicity_opened": PublicityOpened,
    "publicity_closed": PublicityClosed,
    "closed": Closed,
    "lookback_recorded": LookbackRecorded,
    "reopened": Reopened,
    "suspended": Suspended,
    "resumed": Resumed,
    "cancelled": Cancelled,
    "superseded": Superseded,
    "failed": Failed,
    "corrected": Corrected,
}


def type_name(event: str) -> str:
    """The event type of a short name: "issued" -> "henji.commitment.issued.v1"."""
    return f"henji.commitment.{event}.v1"


#: The payload struct of each event type of a commitment, by its full name.
PAYLOADS: Mapping[str, Any] = MappingProxyType(
    {type_name(event): struct for event, struct in _PAYLOADS.items()}
)
