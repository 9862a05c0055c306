"""The AsyncAPI document: the topics, and every event type as a message of them.

Rules of this file: words and assembly; schemas come from the catalogue, topics from the
settings. AsyncAPI 3.0.0; CloudEvents 1.0.2 Kafka binding; Kafka bindings 0.5.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from events import catalogue
from events.domain.model import EventType
from events.records import PROGRESSED
from services.api.documents import ACKNOWLEDGEMENT_SCHEMA, PROBLEM_SCHEMA
from services.settings import Settings

_VERSION: Final = "3.0.0"
_BINDING: Final = "0.5.0"
_TEXT: Final = {"type": "string", "minLength": 1}
_POSITION: Final = {"type": "string", "pattern": "^[0-9]+$"}

#: Headers of a CloudEvent in binary mode, which a submitter sends.
_SUBMITTED: Final[Mapping[str, Any]] = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": _TEXT,
    "ce_source": {"type": "string", "format": "uri-reference", "minLength": 1},
    "ce_type": _TEXT,
    "ce_subject": _TEXT,
    "ce_time": {"type": "string", "format": "date-time"},
    "content-type": {"type": "string", "examples": ["application/json"]},
    "henji_receipt": {
        "const": "true",
        "description": "Ask for a receipt on the topic of receipts.",
    },
    "henji_correlation": {
        "type": "string",
        "description": "Yours; the receipt has it too.",
    },
}
#: What the log has added when an event leaves it.
_SEALED: Final[Mapping[str, Any]] = {
    **{name: row for name, row in _SUBMITTED.items() if name.startswith("c")},
    "ce_ingestedtime": {"type": "string", "format": "date-time"},
    "ce_stream": _TEXT,
    "ce_streamversion": _POSITION,
    "henji_ledger": {**_TEXT, "description": "Origin of the log."},
    "henji_position": {**_POSITION, "description": "Position in the log, from 1."},
    "henji_previous": {
        **_POSITION,
        "description": "Position of the record before it in this partition; 0: none. "
        "Another value than the one last read means that something is missing.",
    },
    "henji_leaf": {
        "type": "string",
        "pattern": "^[0-9a-f]{64}$",
        "description": "SHA-256 leaf hash (RFC 6962) of the entry.",
    },
    "henji_types": {
        **_TEXT,
        "description": "Types that a header cannot say, `name=integer,data=text`.",
    },
}
_REFUSED: Final[Mapping[str, Any]] = {
    "henji_problem": {
        "type": "string",
        "contentMediaType": "application/problem+json",
        "description": "Why it was refused: RFC 9457, as the HTTP interface answers.",
    },
    "henji_topic": _TEXT,
    "henji_partition": _POSITION,
    "henji_offset": _POSITION,
    "henji_failed_at": {"type": "string", "format": "date-time"},
    "henji_value_bytes": {
        **_POSITION,
        "description": "Size of a value that is too large to be repeated here.",
    },
}
_MARK: Final[Mapping[str, Any]] = {
    "ce_type": {"const": PROGRESSED},
    "henji_ledger": _TEXT,
    "henji_through": {
        **_POSITION,
        "description": "Whatever the log has up to here and belongs to this partition "
        "stands before this record.",
    },
}
_ANSWERED: Final[Mapping[str, Any]] = {
    "ce_id": _TEXT,
    "ce_source": _TEXT,
    "henji_correlation": {"type": "string"},
}
#: Headers of what is no event of the catalogue, by the name of its message.
_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "submitted": _SUBMITTED,
    "sealed": _SEALED,
    "progressed": _MARK,
    "refused": _REFUSED,
    "receipt": _ANSWERED,
}
_OPTIONAL: Final = frozenset(
    {
        "ce_subject",
        "ce_time",
        "content-type",
        "henji_correlation",
        "henji_receipt",
        "henji_types",
        "henji_value_bytes",
    }
)
_OPERATIONS: Final = {
    "publishEvents": ("send", "events", "`henji work relay` publishes the log."),
    "takeSubmissions": ("receive", "submissions", "`henji work ingest` submits them."),
    "sendDeadLetters": ("send", "deadLetters", "What ingest could not submit."),
    "sendReceipts": ("send", "receipts", "What ingest was asked to confirm."),
}
_ABOUT: Final = (
    "说到一定做到，做到一定记录。 Submissions come in on topics of their submitters "
    "and go through the same rules as over HTTP; every entry of the log goes out on "
    "one topic, in order within a stream. 提交与 HTTP 同规则；日志按流有序发布。"
)
_EXTERNAL: Final = {
    "name": "external",
    "title": "外部登记类型 A registered external type",
    "summary": "Any type that was registered in the ledger, with its own schema.",
    "payload": {},
}


def document(settings: Settings, *, title: str, version: str) -> dict[str, Any]:
    """Return the AsyncAPI 3.0.0 document of a service with these settings."""
    types = catalogue.all_types()
    roots, schemas = msgspec.json.schema_components(
        [row.data for row in types], ref_template="#/components/schemas/{name}"
    )
    events = [_event(row, root) for row, root in zip(types, roots, strict=True)]
    channels = _channels(settings.kafka_topic, [*events, _EXTERNAL])
    raw = {
        "asyncapi": _VERSION,
        "info": {"title": title, "version": version, "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": _servers(settings.kafka),
        "channels": channels,
        "operations": _operations(),
        "components": {
            "messageTraits": {name: _trait(row) for name, row in _HEADERS.items()},
            "schemas": {
                **schemas,
                "Acknowledgement": ACKNOWLEDGEMENT_SCHEMA,
                "Problem": PROBLEM_SCHEMA,
            },
        },
    }
    # Defaults of structs may be tuples: what is served is JSON, whoever asks.
    plain = msgspec.json.decode(msgspec.json.encode(raw))
    return cast("dict[str, Any]", _draft_7(plain))


def _servers(brokers: str) -> dict[str, Any]:
    names = [name.strip() for name in brokers.split(",") if name.strip()]
    return {
        f"broker{number}": {"host": host, "protocol": "kafka"}
        for number, host in enumerate(names, start=1)
    }


def _event(row: EventType, payload: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": row.name,
        "title": f"{row.zh} {row.en}",
        # One message matches one type only: told by its header.
        "headers": {"properties": {"ce_type": {"const": row.name}}},
        "payload": dict(payload),
    }
    if row.description:
        told["summary"] = row.description
    if row.examples:
        told["examples"] = [{"payload": dict(example)} for example in row.examples]
    return told


def _channels(topic: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return each channel: its address, what it is for, its messages."""
    submissions = "{submissions}"
    return {
        "events": _channel(
            topic,
            "The log, entry by entry, keyed by stream. 日志逐条发布，键为流。",
            [_on("sealed", event) for event in events]
            + [_on("progressed", _told("progressed", {"type": "object"}))],
        ),
        "submissions": _channel(
            submissions,
            "Events of one submitter; the broker says whose. 某一提交方的事件。",
            [_on("submitted", event) for event in events],
        ),
        "deadLetters": _channel(
            f"{submissions}.dead",
            "What was refused, as it came, and why. 被拒绝的提交及其原因。",
            [_on("refused", _told("refused", {}))],
        ),
        "receipts": _channel(
            "{receipts}",
            "Receipts of submissions that asked for one. 应要求回复的回执。",
            [_on("receipt", _told("receipt", _schema("Acknowledgement")))],
        ),
    }


def _channel(
    address: str, description: str, messages: list[dict[str, Any]]
) -> dict[str, Any]:
    parameters = {
        name: {"description": f"Topic of the operator's choice for {name}."}
        for name in ("submissions", "receipts")
        if f"{{{name}}}" in address
    }
    return {
        "address": address,
        "description": description,
        "messages": {message["name"]: message for message in messages},
        "bindings": {"kafka": {"bindingVersion": _BINDING}},
        **({"parameters": parameters} if parameters else {}),
    }


def _on(trait: str, message: dict[str, Any]) -> dict[str, Any]:
    """Return a message with the headers of its channel."""
    return {
        **message,
        "contentType": "application/json",
        "traits": [{"$ref": f"#/components/messageTraits/{trait}"}],
    }


def _told(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "payload": payload}


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _trait(headers: Mapping[str, Any]) -> dict[str, Any]:
    key = {"type": "string", "description": "The stream, `<kind>/<key>`."}
    return {
        "headers": {
            "type": "object",
            "properties": dict(headers),
            # Extensions of the submitter, and what the log adds: all of them text.
            "patternProperties": {"^ce_[a-z0-9]+$": {"type": "string"}},
            "required": [name for name in headers if name not in _OPTIONAL],
        },
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
    }


def _operations() -> dict[str, Any]:
    return {
        name: {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": summary,
        }
        for name, (action, channel, summary) in _OPERATIONS.items()
    }


def _draft_7(value: Any) -> Any:
    """Return schemas of 2020-12 as AsyncAPI reads them by default: draft 07 tuples."""
    if isinstance(value, list):
        return [_draft_7(one) for one in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _draft_7(one) for name, one in value.items()}
    if "prefixItems" in plain:
        plain["additionalItems"] = plain.pop("items", True)
        plain["items"] = plain.pop("prefixItems")
    return plain
