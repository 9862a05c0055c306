"""Rows of read models as JSON for people and programs: names in their language.

Rules of this file: pure presentation. Instants leave as RFC 3339 in UTC; the three
statuses of a commitment stay apart, and each derived value names its rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from events import catalogue
from events.domain.commitment_state import STATUSES
from events.entries import rfc3339
from events.messages import Language
from projections.queries import UnitRow
from projections.rules import deadlines, lights
from projections.status import Status
from projections.timeline import Line
from services.api.moments import Moment


def commitment(row: Status, moment: Moment, language: Language) -> dict[str, Any]:
    """Return one commitment, judged at a moment by the rules in force then."""
    state = row.state
    light = lights.light(row, moment.at, moment.rules)
    standing = deadlines.standing(row, moment.at, moment.rules)
    english, chinese = STATUSES[state.status]
    return {
        "key": row.key,
        "title": state.title,
        "policy": state.policy,
        "status": state.status,
        "status_text": chinese if language == "zh" else english,
        "evidence_status": row.evidence,
        "schedule": {
            "by_original_due": standing.by_original,
            "by_current_due": standing.by_current,
            "days_left": standing.days_left,
            "overdue_days": standing.overdue_days,
            "provisional": standing.provisional,
            "rule": standing.rule,
        },
        "light": {
            "colour": light.colour,
            "rule": light.rule,
            "reason": dict(light.reason),
            "finished_late": light.finished_late,
        },
        "lead_unit": state.lead_unit,
        "lead_post": state.lead_post,
        "support_units": list(state.support_units),
        "parent": state.parent,
        "children": list(state.children),
        "campaign": state.campaign,
        "theme": state.theme,
        "urgent": state.urgent,
        "standard": state.standard,
        "basis": list(row.basis),
        "original_due": _time(state.original_due),
        "current_due": _time(state.current_due),
        "registered_at": _time(state.registered_at),
        "issued_at": _time(state.issued_at),
        "signed_at": _time(state.signed_at),
        "progress_at": _time(row.progress_at),
        "progress_text": row.progress_text,
        "percent": row.percent,
        "claimed_at": _time(row.claimed_at),
        "verified_at": _time(row.verified_at),
        "ended_at": _time(row.ended_at),
        "outcome": row.outcome,
        "extensions": state.extensions,
        "urges": row.urges,
        "returns": state.returns,
        "reopened": state.reopen_no,
        "evidence_count": state.evidence,
        "recording_delay_seconds": row.recording_delay // 1_000_000,
        "last_event": {"id": row.last_event, "position": row.position},
    }


def line(row: Line, language: Language, *, late: bool) -> dict[str, Any]:
    """Return one line of a timeline; ``late_record`` marks 补录."""
    known = catalogue.lookup(row.type)
    title = row.type
    if known is not None:
        title = known.zh if language == "zh" else known.en
    return {
        "position": row.position,
        "streamversion": row.version,
        "id": row.id,
        "source": row.source,
        "type": row.type,
        "title": title,
        "occurred_at": rfc3339(row.occurred),
        "recorded_at": rfc3339(row.recorded),
        "ingested_at": rfc3339(row.ingested),
        "late_record": late,
        "unit": row.unit,
        "post": row.post,
        "summary": row.params,
    }


def unit(row: UnitRow, counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Return one unit, post or grid cell with the commitments it leads, by status."""
    key = row.stream.partition("/")[2]
    return {
        "key": key,
        "kind": row.kind,
        "position": row.position,
        "state": msgspec.to_builtins(row.state),
        "commitments": {
            status: count for (owner, status), count in counts.items() if owner == key
        },
    }


def _time(us: int | None) -> str | None:
    return None if us is None else rfc3339(us)
