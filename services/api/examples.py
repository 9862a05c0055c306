"""Words for the OpenAPI document that many routes share: parameters, and answers.

Rules of this file: documentation as data; a route's own words go before these.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

#: Query parameter -> what it is for, where its route does not say.
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "after": "Position after which to go on; that of the last line seen.",
        "as_of": "A position, or an RFC 3339 instant: what had been sealed by then.",
        "as_at": "RFC 3339: only what had happened by this instant counts.",
        "at": "RFC 3339; lights and schedules are judged for this instant.",
        "campaign": "Campaign of the commitment; repeat = OR.",
        "cursor": "`next_cursor` of the page before.",
        "evidence": "Evidence status; repeat = OR.",
        "format": "`sse` or `ndjson`; goes before Accept.",
        "from": "Size of the earlier tree.",
        "kind": "Kind; of commitments: repeat = OR.",
        "light": "Colour of the light; repeat = OR.",
        "limit": "Most items of a page.",
        "min_position": "Wait until the read models include this position.",
        "order": "Order of the items.",
        "parent": "Commitment of which these are parts.",
        "schedule": "Schedule status by the original due; repeat = OR.",
        "size": "Size of the tree; default: the newest.",
        "source": "CloudEvents source, where several have sent the same id.",
        "status": "Official status; repeat = OR.",
        "theme": "Theme; repeat = OR.",
        "to": "Size of the later tree.",
        "unit": "Lead unit; repeat = OR.",
    }
)
_SCHEMA = {"type": "object", "required": ["title"]}
_TYPE = {
    "name": "henji.unit.created.v1",
    "version": 1,
    "kind": "unit",
    "title": "Unit created",
    "titles": {"en": "Unit created", "zh": "设立单位"},
    "description": "A unit exists.",
    "roles": ["admin", "office"],
    "tags": [],
}
_COUNT = {"unit": "gouzhao", "status": "in_progress", "count": 12}
_PROBLEM = {
    "type": "/v1/problems/overloaded",
    "code": "overloaded",
    "title": {"en": "Too many submissions are waiting.", "zh": "等待处理的提交过多。"},
    "fix": {"en": "Wait as Retry-After says.", "zh": "按 Retry-After 等待。"},
}
_COMMITMENT = {
    "key": "GX-2017-0012",
    "title": "Fit purifiers (fictional)",
    "status": "in_progress",
    "status_text": "In progress",
    "evidence_status": "partial",
    "schedule": {"by_original_due": "due_soon", "by_current_due": "on_time"},
    "light": {"colour": "yellow", "rule": "light.due_soon@demo-2017/1"},
    "lead_unit": "gouzhao",
    "streamversion": 5,
    "last_event": {"id": "oa-2017-1114-005", "position": 42},
}
_LINE = {
    "position": 42,
    "streamversion": 5,
    "id": "oa-2017-1114-005",
    "type": "henji.commitment.progress_reported.v1",
    "title": "Progress reported",
    "occurred_at": "2017-11-14T07:00:00.000000Z",
    "recorded_at": "2017-11-14T07:00:00.000000Z",
    "ingested_at": "2026-11-23T08:00:00.123456Z",
    "late_record": False,
}
#: Operation -> an example of its 200 answer.
ANSWERS: Mapping[str, Any] = MappingProxyType(
    {
        "listEventTypes": {"data": [_TYPE]},
        "getEventType": {**_TYPE, "schema": _SCHEMA, "examples": []},
        "getEventTypeSchema": _SCHEMA,
        "countCommitments": {"data": [_COUNT], "registered": 12, "position": 42},
        "getCommitment": _COMMITMENT,
        "getCommitmentHistory": {
            "data": [_LINE],
            "statuses": [{"from": 40, "to": None, "status": "in_progress"}],
            "has_more": False,
            "late_records": 0,
            "position": 42,
        },
        "listUnits": {
            "data": [
                {
                    "key": "gouzhao",
                    "kind": "unit",
                    "position": 7,
                    "state": {"status": "active"},
                    "commitments": {"in_progress": 12},
                }
            ],
            "position": 42,
        },
        "listProjections": {
            "data": [{"name": "board", "position": 42, "head": 42, "lag_events": 0}]
        },
        "getAsyncApi": {"asyncapi": "3.0.0", "channels": {"events": {}}},
        "getLimits": {
            "max_body_bytes": 5_242_880,
            "max_events": 1_000,
            "max_entry_bytes": 65_535,
            "media_types": ["application/cloudevents+json"],
        },
        "getMe": {
            "key": "k7Q2mZ",
            "unit": "gouzhao",
            "post": None,
            "roles": ["lead"],
            "scopes": ["events:read", "events:write"],
        },
        "listProblems": {"data": [_PROBLEM]},
        "getProblem": _PROBLEM,
    }
)
