"""Bad CloudEvents through the door: each is refused by name, none is repaired.

The codec has its own tests; here it is shown that the HTTP edge neither helps a broken
event in nor answers it with anything but a problem.
"""

from __future__ import annotations

import json

import pytest

from tests.support import scenario

STRUCTURED = "application/cloudevents+json"


def structured(**changed: object) -> bytes:
    """Return an event with changes; ``...`` takes a member out."""
    event = scenario.external(1) | changed
    return json.dumps({k: v for k, v in event.items() if v is not ...}).encode()


def raw(replaced: str, by: str) -> bytes:
    """Return the JSON text of an event with one piece of text replaced."""
    text = json.dumps(scenario.external(1))
    assert replaced in text
    return text.replace(replaced, by, 1).encode()


BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "call-1",
    "ce-source": "urn:test:hotline",
    "ce-type": scenario.EXTERNAL,
}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (structured(id=...), "missing_attribute"),
        (structured(id=None), "missing_attribute"),
        (structured(id=""), "empty_attribute"),
        (structured(id="a\nb"), "control_character"),
        (structured(id=7), "invalid_attribute_type"),
        (structured(traceId="x"), "invalid_attribute_name"),
        (structured(tenant_id="x"), "invalid_attribute_name"),
        (structured(specversion="0.3"), "unsupported_specversion"),
        (structured(source="not a uri"), "invalid_uri_reference"),
        (structured(time="yesterday"), "invalid_time"),
        (structured(sampledrate=10), "sampled_event"),
        (structured(weight=2**31), "integer_not_32_bit"),
        (structured(data_base64="AA=="), "two_payloads"),
        (structured(stream="commitment/X"), "reserved_attribute"),
        (structured(authid="root"), "reserved_attribute"),
        (structured(ingestedtime="2017-01-01T00:00:00Z"), "reserved_attribute"),
        (raw('"call-1"', '"call-1", "id": "call-2"'), "duplicate_key"),
        (raw(": 1}", ": NaN}"), "not_a_number"),
        (raw(": 1}", ": 9007199254740993}"), "unsafe_integer"),
        (raw('"Dust"', '"\\ud800"'), "lone_surrogate"),
        (raw('"Dust"', "[" * 65 + "]" * 65), "json_too_deep"),
        (b"[]", "event_not_object"),
        (b"{", "json_syntax"),
        (b"", "json_syntax"),
        (b"\xff", "invalid_utf8"),
        (b"\xef\xbb\xbf{}", "byte_order_mark"),
    ],
)
def test_a_broken_event_is_refused_by_name(hotline, body, code):
    """Nothing is invented or repaired: 400, with the problem type of the one fault."""
    answer = hotline.post(body)
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text


def test_a_null_attribute_is_unset(hotline):
    """An attribute that is null is absent, as the JSON format says (section 2.2)."""
    first = hotline.post(structured(time=None))
    assert first.status_code == 201
    entry = hotline.get(first.headers["location"]).json()
    assert "time" not in entry
    assert hotline.post(structured(time=...)).status_code == 200


def test_structured_wins_over_ce_headers(hotline):
    """Redundant ce- headers do not turn a structured event into a binary one."""
    answer = hotline.post(structured(), headers=BINARY | {"ce-id": "other"})
    assert (answer.status_code, answer.json()["id"]) == (201, "call-1")


@pytest.mark.parametrize("value", ["[1, null, true]", "true", '"x"', "null"])
def test_binary_json_data_is_kept_as_json(api, value):
    """JSON data of any kind arrives as itself: no Python spelling, null is not absent."""
    registered = scenario.type_registered()
    registered["data"] |= {"schema": {}, "examples": [1]}
    api.load([registered])
    first = api.post(value.encode(), "application/json", headers=BINARY)
    assert first.status_code == 201, first.text
    entry = api.get(first.headers["location"]).content
    assert b'"data":%s' % value.replace(" ", "").encode() in entry


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"ce-source": "%C0%A0"}, "invalid_utf8"),
        ({"ce-subject": '"open'}, "invalid_header"),
        ({"ce-subject": "100%"}, "invalid_header"),
        ({"ce-subject": "a%0Ab"}, "control_character"),
        ({"ce-datacontenttype": "text/plain"}, "datacontenttype_header"),
        ({"ce-streamversion": "1"}, "reserved_attribute"),
    ],
)
def test_a_broken_header_is_refused_by_name(hotline, headers, code):
    """Header values are decoded exactly once, or refused."""
    body = b'{"about":"Dust"}'
    answer = hotline.post(body, "application/json", headers=BINARY | headers)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_quoted_header_is_unescaped(hotline):
    """A double-quoted header value is unescaped, then percent-decoded once."""
    headers = BINARY | {"ce-subject": '"Tower \\"A\\" %2525"'}
    answer = hotline.post(b'{"about":"Dust"}', "application/json", headers=headers)
    assert answer.status_code == 201
    entry = hotline.get(answer.headers["location"]).json()
    assert entry["subject"] == 'Tower "A" %25'


def test_bad_json_under_a_json_type_is_no_string(hotline):
    """A body that is said to be JSON and is not is refused, with a pointer to data."""
    answer = hotline.post(b"{about", "application/json", headers=BINARY)
    assert (answer.status_code, answer.json()["code"]) == (400, "json_syntax")
    assert answer.json()["errors"][0]["pointer"] == "#/data"


def test_every_fault_of_an_event_is_listed(hotline):
    """A submitter learns all that is wrong at once."""
    answer = hotline.post(structured(id=..., source="", time="x"))
    found = {(one["pointer"], one["code"]) for one in answer.json()["errors"]}
    assert found == {
        ("#/id", "missing_attribute"),
        ("#/source", "empty_attribute"),
        ("#/time", "invalid_time"),
    }
