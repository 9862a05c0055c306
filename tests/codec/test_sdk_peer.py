"""The official Python SDK as a peer: what it writes is read; where it errs, we do not.

Each row of the second half is a measured failure of that SDK (2.2.0), with what the
specification asks for instead.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings import http, kafka
from cloudevents.core.v1.event import CloudEvent

from events.cloudevents import (
    Submission,
    parse_binary,
    parse_kafka,
    parse_request,
    parse_structured,
)
from events.errors import Malformed

REQUIRED = {
    "specversion": "1.0",
    "id": "A-1",
    "source": "https://oa.example/desk",
    "type": "example.note.v1",
}
RAW = json.dumps(REQUIRED).encode()
TIME = datetime(2026, 11, 23, 8, 0, 0, 123456, UTC)  # else the SDK invents one
CASES = {
    "object": ({}, {"title": "清理河道", "n": [1, 2.5, None]}),
    "texts": ({"subject": 'a "b" 100% €', "note": "河 😀"}, {"a": 1}),
    "json": ({"datacontenttype": "application/vnd.a+json"}, {"a": {"b": []}}),
    "text": ({"datacontenttype": "text/plain"}, "说到一定做到"),
    "bytes": ({"datacontenttype": "application/octet-stream"}, b"\x00\xff"),
    "none": ({"dataschema": "https://a.example/s"}, None),
}


def peer_event(name):
    """Build the SDK's event, and the event dict that it means."""
    changes, data = CASES[name]
    changes = {"datacontenttype": "application/json", "time": TIME, **changes}
    expected = {**REQUIRED, **changes, "time": TIME.isoformat()}
    if isinstance(data, bytes):
        expected["data_base64"] = "AP8="
    elif data is not None:
        expected["data"] = data
    return CloudEvent({**REQUIRED, **changes}, data), expected


def with_same_time(event):
    """Spell a UTC time in one way: the SDK writes both `Z` and `+00:00`."""
    return {**event, "time": event["time"].replace("Z", "+00:00")}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("write", [http.to_structured_event, http.to_binary_event])
def test_what_the_sdk_sends_over_http_is_read(name, write):
    """Both HTTP modes of the SDK give the event that was meant."""
    event, expected = peer_event(name)
    message = write(event)
    headers = [(k.encode(), v.encode()) for k, v in message.headers.items()]
    (item,) = parse_request(headers, message.body, limit=1).items
    assert isinstance(item, Submission)
    assert with_same_time(item.event) == expected
    assert item.occurred == 1_795_420_800_123_456


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("write", [kafka.to_structured_event, kafka.to_binary_event])
def test_what_the_sdk_sends_over_kafka_is_read(name, write):
    """Both Kafka modes of the SDK give the event that was meant."""
    event, expected = peer_event(name)
    message = write(event)
    item = parse_kafka(list(message.headers.items()), message.value)
    assert with_same_time(item.event) == expected


HTTP = [(f"ce-{name}".encode(), text.encode()) for name, text in REQUIRED.items()]
KAFKA = [(f"ce_{name}", text.encode()) for name, text in REQUIRED.items()]
JSON = (b"content-type", b"application/json")


def refused(code, call, *arguments, **options):
    """Check the code of a refusal."""
    with pytest.raises(Malformed) as caught:
        call(*arguments, **options)
    assert caught.value.code == code


def test_no_id_is_invented():
    """SDK: invents an id and a time. Here: refused, or deduplication would break."""
    raw = json.dumps({k: v for k, v in REQUIRED.items() if k != "id"})
    refused("missing_attribute", parse_structured, raw)
    assert parse_structured(RAW).time is None


def test_a_null_time_is_unset():
    """SDK: TypeError. Here: an attribute that is null is not set."""
    submission = parse_structured(json.dumps({**REQUIRED, "time": None}))
    assert (submission.time, submission.event) == (None, REQUIRED)


def test_a_structured_message_with_ce_headers_is_structured():
    """SDK: the envelope becomes data and the header's id wins. Here: structured."""
    kind = "application/cloudevents+json"
    headers = [(b"content-type", kind.encode()), (b"ce-id", b"B"), *HTTP[2:]]
    parsed = parse_request(headers, RAW, limit=1)
    assert (parsed.mode, parsed.items[0].event) == ("structured", REQUIRED)
    record = parse_kafka([("content-type", kind.encode()), ("ce_id", b"B")], RAW)
    assert record.event == REQUIRED


def test_batches_are_read():
    """SDK: AttributeError. Here: each event of the array."""
    headers = [(b"content-type", b"application/cloudevents-batch+json")]
    parsed = parse_request(headers, b"[" + RAW + b"," + RAW + b"]", limit=2)
    assert [item.event for item in parsed.items] == [REQUIRED, REQUIRED]


@pytest.mark.parametrize("data", [[1, None, True], True, "x", 0, None])
def test_any_json_value_is_data_in_binary_mode(data):
    """SDK: writes Python's repr. Here: JSON in, the same value kept."""
    event = parse_binary([*HTTP, JSON], json.dumps(data).encode()).event
    assert event["data"] == data
    assert type(event["data"]) is type(data)


@pytest.mark.parametrize("body", [b"[1, None, True]", b"True", b"x"])
def test_a_body_that_is_not_json_is_refused(body):
    """SDK: silently returns text, and writes such bodies itself. Here: refused."""
    refused("json_syntax", parse_binary, [*HTTP, JSON], body)


def test_invalid_utf8_in_a_header_is_refused():
    """SDK: replacement characters. Here: refused, as the binding demands."""
    refused("invalid_utf8", parse_binary, [*HTTP, (b"ce-subject", b"%C0%A0")], b"")


def test_quoted_headers_are_unquoted():
    """SDK: keeps the quotes. Here: they are undone, as the binding demands."""
    submission = parse_binary([*HTTP, (b"ce-subject", b'"a b"')], b"")
    assert submission.subject == "a b"


def test_an_id_with_a_line_feed_is_refused():
    """SDK: accepted (log injection). Here: no control characters in attributes."""
    refused(
        "control_character", parse_structured, json.dumps({**REQUIRED, "id": "A\nB"})
    )
    headers = [(b"ce-id", b"A%0AB"), *(h for h in HTTP if h[0] != b"ce-id")]
    refused("control_character", parse_binary, headers, b"")


def test_null_data_and_no_data_differ():
    """SDK: the same. Here: `data: null` is data."""
    null = parse_structured(json.dumps({**REQUIRED, "data": None}))
    assert null.event == {**REQUIRED, "data": None}
    assert null != parse_structured(RAW)


def test_kafka_headers_are_not_lost():
    """SDK: a dict loses repeated headers. Here: a repetition is refused."""
    refused("duplicate_attribute", parse_kafka, [*KAFKA, ("ce_id", b"B")], None)


def test_the_kafka_key_does_not_touch_the_event():
    """SDK: the key overwrites `partitionkey`. Here: the event alone says it."""
    submission = parse_kafka([*KAFKA, ("ce_partitionkey", b"p")], None)
    assert submission.event["partitionkey"] == "p"
