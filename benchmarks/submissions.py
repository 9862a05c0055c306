"""What is submitted: one event of about 400 bytes, as a template of its bytes.

Rules of this file: the content of the load, the same for every contender. Everything is
fictional (模拟数据).
"""

from __future__ import annotations

import json
from typing import Any

TYPE = "org.example.hotline.call.v1"
STREAMS = 1_000
#: Numbers are put into the finished bytes: making them must not cost the generator.
_MARKS = {"424242424242": "%(n)012d", "4141": "%(s)04d"}


def registration() -> dict[str, Any]:
    """Return the submission that registers the type, with its JSON Schema."""
    text = {"type": "string", "minLength": 1, "maxLength": 400}
    data = {
        "type": TYPE,
        "title_en": "Hotline call",
        "title_zh": "热线来电",
        "schema": {
            "type": "object",
            "properties": {
                "about": text,
                "district": text,
                "category": {"enum": ["dust", "noise", "smoke"]},
                "severity": {"type": "integer", "minimum": 1, "maximum": 5},
                "pm10": {"type": "number"},
                "urgent": {"type": "boolean"},
                "photos": {"type": "array", "items": text},
            },
            "required": ["about", "district", "category"],
            "additionalProperties": False,
        },
        "examples": [{"about": "Dust (模拟数据)", "district": "X", "category": "dust"}],
        "roles": [],
    }
    return {
        "specversion": "1.0",
        "id": "bench-type",
        "source": "urn:bench:setup",
        "type": "henji.catalogue.type_registered.v1",
        "subject": f"catalogue/{TYPE}",
        "time": "2026-03-02T08:00:00Z",
        "data": data,
    }


def template() -> bytes:
    """Return the event with places for a number (id) and a stream: ``% {b"n", b"s"}``.

    Every event made of it has the same length, about 400 bytes.
    """
    event = {
        "specversion": "1.0",
        "id": "424242424242",
        "source": "urn:bench:hotline",
        "type": TYPE,
        "subject": "site-4141",
        "time": "2026-03-02T08:00:00.000Z",
        "data": {
            "about": "Dust from a building site, no cover on the lorries (fictional)",
            "district": "Gouzhao",
            "category": "dust",
            "severity": 3,
            "pm10": 154.5,
            "urgent": False,
            "photos": ["photo-1.jpg", "photo-2.jpg"],
        },
    }
    text = json.dumps(event, separators=(",", ":"))
    for mark, place in _MARKS.items():
        text = text.replace(mark, place)
    return text.encode()


def fill(pattern: bytes, number: int) -> bytes:
    """Return event ``number`` of a template."""
    return pattern % {b"n": number, b"s": number % STREAMS}
