"""The words of the OpenAPI document that code cannot give: summaries, examples, bodies.

Rules of this file: documentation as data. Event examples come from the catalogue, so
they are the ones that the tests submit.
"""

from __future__ import annotations

import json
from typing import Any

from events import catalogue

REGISTERED = "henji.commitment.registered.v1"
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
EVENT = {"$ref": "#/components/schemas/CloudEvent"}
_ACK = {"$ref": "#/components/schemas/Acknowledgement"}
_BATCH = {"$ref": "#/components/schemas/BatchAnswer"}
_VERSION = r'^"v(0|[1-9]\d{0,17})"$'
SECURITY: list[dict[str, list[str]]] = [{"key": []}]

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details; `type` resolves to its documentation.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; never changes meaning."},
        "detail": {"type": "string"},
        "fix": {"type": "string", "description": "What the client can do."},
        "parameters": {"type": "object"},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "examples": ["#/data/due"]},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "items": {"type": "array", "items": {"type": "object"}},
    },
}
ACKNOWLEDGEMENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "source", "position", "stream", "streamversion"],
    "properties": {
        "id": {"type": "string"},
        "source": {"type": "string"},
        "position": {
            "type": "integer",
            "description": "Gapless; leaf is position - 1.",
        },
        "stream": {"type": "string"},
        "streamversion": {"type": "integer"},
        "ingestedtime": {"type": "string", "format": "date-time"},
        "leaf_hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "duplicate": {"type": "boolean"},
        "dry_run": {"type": "boolean"},
        "receipt": {"type": "string", "description": "C2SP tlog-proof v1."},
    },
}
EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A CloudEvent 1.0; `data` keeps the schema of its type.",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 1024},
        "source": {"type": "string", "format": "uri-reference", "minLength": 1},
        "type": {"type": "string", "minLength": 1, "maxLength": 1024},
        "subject": {"type": "string", "minLength": 1, "maxLength": 1024},
        "time": {"type": "string", "format": "date-time"},
        "data": {},
        "data_base64": {"type": "string"},
    },
}
BATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["accepted", "duplicates", "rejected", "items"],
    "properties": {
        "accepted": {"type": "integer"},
        "duplicates": {"type": "integer"},
        "rejected": {"type": "integer"},
        "checkpoint": {"type": "string", "description": "Covers all accepted items."},
        "items": {
            "type": "array",
            "items": {
                "anyOf": [
                    _ACK,
                    {"type": "object", "properties": {"problem": _PROBLEM}},
                ]
            },
        },
    },
}
_ACK_EXAMPLE = {
    "id": "oa-2017-1114-001",
    "source": "urn:example:oa",
    "position": 42,
    "stream": "commitment/GX-2017-0012",
    "streamversion": 1,
    "ingestedtime": "2026-11-23T08:00:00.123456Z",
    "leaf_hash": "00" * 32,
    "duplicate": False,
    "receipt": "c2sp.org/tlog-proof@v1\nindex 41\n…",
}


def _example_event() -> dict[str, Any]:
    known = catalogue.lookup(REGISTERED)
    return catalogue.examples(REGISTERED)[0] if known else {}


def problem(description: str, status: int, code: str) -> dict[str, Any]:
    """Return the OpenAPI response of a problem, with an example."""
    example = {
        "type": f"/v1/problems/{code}",
        "title": description,
        "status": status,
        "code": code,
    }
    return {
        "description": description,
        "content": {
            "application/problem+json": {"schema": _PROBLEM, "example": example}
        },
    }


def answer(
    description: str, schema: dict[str, Any], example: Any, *, media: str = ""
) -> dict[str, Any]:
    """Return an OpenAPI response with its schema and one example."""
    content = {"schema": schema, "example": example}
    return {
        "description": description,
        "content": {media or "application/json": content},
    }


def submit() -> dict[str, Any]:
    """Return what FastAPI is told about POST /v1/events."""
    event = _example_event()
    one = {"schema": EVENT, "example": event}
    batch = answer(
        "Some items were accepted, others not.",
        _BATCH,
        {"accepted": 1, "duplicates": 0, "rejected": 1, "items": []},
    )
    return {
        "operation_id": "submitEvents",
        "summary": "Submit one event, or a batch",
        "tags": ["submission"],
        "status_code": 201,
        "responses": {
            201: answer("In the log, durably.", _ACK, _ACK_EXAMPLE),
            200: answer(
                "It was in the log before; the original receipt. Or a dry run.",
                _ACK,
                {**_ACK_EXAMPLE, "duplicate": True},
            ),
            207: batch,
            409: problem("Same id, other content", 409, "event_id_conflict"),
            412: problem("Another version", 412, "version_mismatch"),
            413: problem("The body is too large", 413, "body_too_large"),
            415: problem("No such media type", 415, "unsupported_media_type"),
            422: problem("A rule refuses it", 422, "schema_violation"),
            429: problem("Too many wait", 429, "overloaded"),
            503: problem("Not now", 503, "commit_unknown"),
        },
        "openapi_extra": {
            "parameters": [
                _query("on_error", ["abort", "continue"], "abort: all or nothing."),
                _query("dry_run", ["true", "false"], "Decide, append nothing."),
                _header("If-Match", '"v12"', "Version the stream must have.", _VERSION),
                _header(
                    "Prefer", "return=minimal", "RFC 7240; also handling=lenient.", ".*"
                ),
                _header(
                    "Content-Digest",
                    "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
                    "RFC 9530; checked: sha-256, sha-512.",
                    "^sha-(256|512)=:",
                ),
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/cloudevents+json": one,
                    "application/cloudevents-batch+json": {
                        "schema": {"type": "array", "items": EVENT},
                        "example": [event],
                    },
                    "application/x-ndjson": {
                        "schema": {"type": "string"},
                        "example": json.dumps(event) + "\n",
                    },
                    "application/json": {
                        "schema": {
                            "description": "Binary mode: `data`; its attributes are "
                            "headers, `ce-id` and so on."
                        },
                        "example": event.get("data", {}),
                    },
                },
            },
        },
    }


def _query(name: str, values: list[str], text: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "description": text,
        "schema": {"type": "string", "enum": values},
    }


def _header(name: str, example: str, text: str, pattern: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "description": text,
        "schema": {"type": "string", "pattern": pattern},
        "example": example,
    }
