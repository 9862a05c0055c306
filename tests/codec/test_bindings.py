"""The modes of HTTP and Kafka: which is chosen, how headers are read, what is refused."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.cloudevents import (
    ACCEPT_POST,
    Submission,
    parse_batch,
    parse_binary,
    parse_kafka,
    parse_ndjson,
    parse_request,
    parse_structured,
)
from events.errors import Malformed

EVENT = {
    "specversion": "1.0",
    "id": "A-1",
    "source": "/desk",
    "type": "example.note.v1",
}
RAW = json.dumps(EVENT).encode()
CE = [
    (b"ce-specversion", b"1.0"),
    (b"ce-id", b"A-1"),
    (b"ce-source", b"/desk"),
    (b"ce-type", b"example.note.v1"),
]
KAFKA = [(name.decode().replace("-", "_"), value) for name, value in CE]
STRUCTURED = (b"content-type", b"application/cloudevents+json")


def code_of(call, *arguments, **options):
    """Return the code with which a call refuses its input."""
    with pytest.raises(Malformed) as caught:
        call(*arguments, **options)
    return caught.value.code


@pytest.mark.parametrize(
    ("kind", "body", "mode"),
    [
        (b"application/cloudevents+json", RAW, "structured"),
        (b"Application/CloudEvents+JSON; charset=UTF-8", RAW, "structured"),
        (b"application/cloudevents-batch+json", b"[" + RAW + b"]", "batch"),
        (b"application/x-ndjson", RAW + b"\n", "ndjson"),
        (b"application/jsonl;charset=utf-8", RAW, "ndjson"),
    ],
)
def test_the_content_type_decides_even_beside_ce_headers(kind, body, mode):
    """A structured body stays structured: the headers beside it are redundant."""
    headers = [(b"Content-Type", kind), (b"ce-id", b"other"), (b"ce-tenant_id", b"x")]
    parsed = parse_request(headers, body, limit=10)
    assert parsed.mode == mode
    assert [item.event for item in parsed.items] == [EVENT]


def test_ce_headers_alone_mean_binary():
    """Any other content type is that of the data, if there are ce- headers."""
    headers = [*CE, (b"content-type", b"application/json"), (b"host", b"a.example")]
    parsed = parse_request(headers, b'{"a":1}', limit=10)
    assert parsed.mode == "binary"
    assert parsed.items[0].event == {
        **EVENT,
        "datacontenttype": "application/json",
        "data": {"a": 1},
    }


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"application/json")],
        [(b"content-type", b"application/cloudevents+avro"), *CE],
        [(b"content-type", b"application/cloudevents"), *CE],
        [(b"content-type", b"application/cloudevents-batch+avro")],
        [(b"content-type", b"application/cloudevents+json; charset=gbk")],
    ],
)
def test_unknown_formats_are_unsupported_media_types(headers):
    """What is not understood is refused with the list of what would be."""
    with pytest.raises(Malformed) as caught:
        parse_request(headers, RAW, limit=10)
    assert caught.value.code == "unsupported_media_type"
    assert caught.value.parameters["accept"] == ACCEPT_POST


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain text", "plain text"),
        (b"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        (b"%e6%b2%b3", "河"),
        (b"%2541", "%41"),
        (b'"quoted %25 \\"x\\" \\\\"', 'quoted % "x" \\'),
        (b"%22kept%22", '"kept"'),
        (b'in "the" middle', 'in "the" middle'),
        (b"  trimmed\t", "trimmed"),
    ],
)
def test_headers_are_unquoted_then_decoded_once(value, text):
    """A header loses its quotes, then exactly one layer of percent-encoding."""
    submission = parse_binary([*CE, (b"ce-subject", value)], b"")
    assert submission.subject == text


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ((b"ce-subject", b"%C0%A0"), "invalid_utf8"),
        ((b"ce-subject", b"%ED%A0%80"), "invalid_utf8"),
        ((b"ce-subject", b"%FF"), "invalid_utf8"),
        ((b"ce-subject", b"100%"), "invalid_header"),
        ((b"ce-subject", b"%4"), "invalid_header"),
        ((b"ce-subject", "河".encode()), "invalid_header"),
        ((b"ce-subject", b'"open'), "invalid_header"),
        ((b"ce-subject", b'"a" b'), "invalid_header"),
        ((b"ce-subject", b'"a\\"'), "invalid_header"),
        ((b"ce-subject", b"a%0Ab"), "control_character"),
        ((b"ce-subject", b"%C2%85"), "control_character"),
        ((b"ce-subject", b"%EF%BF%BF"), "noncharacter"),
        ((b"ce-subject", b""), "empty_attribute"),
        ((b"ce-datacontenttype", b"text/plain"), "datacontenttype_header"),
        ((b"CE-Id", b"A-1"), "duplicate_attribute"),
        ((b"ce-tenant_id", b"x"), "invalid_attribute_name"),
        ((b"ce-", b"x"), "invalid_attribute_name"),
        ((b"ce-data", b"x"), "invalid_attribute_name"),
        ((b"ce-data_base64", b"eA=="), "invalid_attribute_name"),
        ((b"ce-authid", b"x"), "reserved_attribute"),
        ((b"ce-sampledrate", b"10"), "sampled_event"),
    ],
)
def test_bad_headers_are_refused(header, code):
    """A header that breaks the binding or a rule on attributes refuses the event."""
    assert code_of(parse_binary, [*CE, header], b"") == code


def test_two_content_types_are_refused():
    """Which of two content types counts is not guessed."""
    headers = [STRUCTURED, STRUCTURED]
    assert code_of(parse_request, headers, RAW, limit=1) == "duplicate_attribute"
    records = [("content-type", STRUCTURED[1])] * 2
    assert code_of(parse_kafka, records, RAW) == "duplicate_attribute"


@pytest.mark.parametrize("missing", range(4))
def test_binary_mode_needs_all_required_headers(missing):
    """Without one of the four required headers there is no event."""
    headers = [header for index, header in enumerate(CE) if index != missing]
    assert code_of(parse_binary, headers, b"") == "missing_attribute"


@pytest.mark.parametrize(
    ("kind", "body", "member", "value"),
    [
        (b"application/json", b"[1,null,true]", "data", [1, None, True]),
        (b"application/json", b"null", "data", None),
        (b"application/problem+json", b'"x"', "data", "x"),
        (b"text/plain", "河".encode(), "data", "河"),
        (b"text/plain; charset=utf-8", b"a\r\nb", "data", "a\r\nb"),
        (b"text/plain; charset=gbk", b"\xba\xd3", "data_base64", "utM="),
        (b"text/plain", b"\xff", "data_base64", "/w=="),
        (b"text/plain", b"\x00", "data_base64", "AA=="),
        (b"application/octet-stream", b"{}", "data_base64", "e30="),
        (None, b"{}", "data_base64", "e30="),
    ],
)
def test_binary_bodies_become_json_text_or_bytes(kind, body, member, value):
    """JSON is parsed, readable text is a string, and all else keeps its bytes."""
    headers = [*CE, *([(b"content-type", kind)] if kind else [])]
    event = parse_binary(headers, body).event
    assert event[member] == value
    assert len({"data", "data_base64"} & event.keys()) == 1


@pytest.mark.parametrize("kind", [b"application/json", b"text/plain", b"image/png"])
def test_an_empty_body_is_no_data(kind):
    """Binary mode without a body is an event without data."""
    event = parse_binary([*CE, (b"content-type", kind)], b"").event
    assert not {"data", "data_base64"} & event.keys()


def test_a_bad_json_body_is_refused_with_its_place():
    """A body that is not the JSON it claims to be is not kept as text."""
    headers = [*CE, (b"content-type", b"application/json")]
    with pytest.raises(Malformed) as caught:
        parse_binary(headers, b"{'a':1}")
    assert (caught.value.code, caught.value.faults[0].pointer) == (
        "json_syntax",
        "/data",
    )
    with pytest.raises(Malformed) as caught:
        parse_binary(headers, b'{"a":"\\u0000"}')
    assert caught.value.faults[0].pointer == "/data/a"


def test_kafka_reads_binary_and_structured_records():
    """A record is structured if its content type says so, even beside ce_ headers."""
    binary = parse_kafka([*KAFKA, ("content-type", b"application/json")], b'{"a":1}')
    assert binary.event["data"] == {"a": 1}
    kind = ("content-type", b"application/cloudevents+json; charset=utf-8")
    structured = parse_kafka([("ce_id", b"other"), kind], RAW)
    assert structured.event == EVENT


def test_kafka_headers_are_utf8_and_not_percent_encoded():
    """The Kafka binding has no percent-encoding: the value is the UTF-8 text."""
    submission = parse_kafka([*KAFKA, ("ce_subject", "河 100%20".encode())], None)
    assert submission.subject == "河 100%20"
    assert "data_base64" not in submission.event


@pytest.mark.parametrize(
    ("headers", "value", "code"),
    [
        ([*KAFKA, ("ce_id", b"A-2")], None, "duplicate_attribute"),
        ([*KAFKA, ("ce_subject", b"\xff")], None, "invalid_utf8"),
        ([*KAFKA, ("ce_Subject", b"x")], None, "invalid_attribute_name"),
        ([*KAFKA, ("ce_datacontenttype", b"a/b")], None, "datacontenttype_header"),
        (KAFKA[1:], None, "missing_attribute"),
        ([], RAW, "unsupported_media_type"),
        (
            [("content-type", b"application/cloudevents-batch+json")],
            b"[]",
            "unsupported_media_type",
        ),
        (
            [("content-type", b"application/cloudevents+avro")],
            b"",
            "unsupported_media_type",
        ),
        ([("content-type", b"application/cloudevents+json")], None, "json_syntax"),
    ],
)
def test_bad_kafka_records_are_refused(headers, value, code):
    """Kafka records are judged by the same rules as HTTP requests."""
    assert code_of(parse_kafka, headers, value) == code


def test_a_bad_item_stands_in_its_place():
    """One refused event of a batch does not touch its neighbours."""
    bad = json.dumps({**EVENT, "id": ""}).encode()
    twice = b'{"id":"1","id":"2"}'
    for items in (
        parse_batch(b"[" + b", ".join([RAW, bad, RAW, twice, b"7"]) + b" ]", limit=5),
        parse_ndjson(b"\r\n".join([RAW, bad, b"", RAW, twice, b"7", b" "]), limit=5),
    ):
        codes = [None if isinstance(i, Submission) else i.code for i in items]
        assert codes == [
            None,
            "empty_attribute",
            None,
            "duplicate_key",
            "event_not_object",
        ]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"[" + RAW, "json_syntax"),
        (b"[" + RAW + b",]", "json_syntax"),
        (b"[" + RAW + b",{01}]", "json_syntax"),
        (b"[" + RAW + b',"\xff"]', "invalid_utf8"),
        (b"\xef\xbb\xbf[]", "byte_order_mark"),
        (RAW, "batch_not_array"),
        (b"null", "batch_not_array"),
        (b"[{},{},{}]", "too_many_events"),
        (b"[" * 5000, "json_too_deep"),
    ],
)
def test_a_broken_batch_is_refused_whole(raw, code):
    """If the array itself is broken, or too long, no event is read from it."""
    assert code_of(parse_batch, raw, limit=2) == code


def test_an_empty_batch_is_valid():
    """`[]` is a batch of no events."""
    assert parse_batch(b"[]", limit=0) == []
    assert parse_ndjson(b"\n", limit=0) == []


def test_a_broken_line_is_only_that_line():
    """Each NDJSON line is a text of its own; the limit counts lines with content."""
    first, second, third = parse_ndjson(b"{\n" + RAW + b'\n"\xff"', limit=3)
    assert (first.code, third.code) == ("json_syntax", "invalid_utf8")
    assert second.event == EVENT
    assert code_of(parse_ndjson, RAW + b"\n" + RAW, limit=1) == "too_many_events"


def encoded(text: str) -> bytes:
    """Percent-encode a header value as the HTTP binding says."""
    return "".join(
        chr(byte) if 0x21 <= byte <= 0x7E and byte not in b'"%' else f"%{byte:02X}"
        for byte in text.encode()
    ).encode()


TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=20
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.from_regex(r"\Ax[a-z0-9]{1,10}\Z"), TEXTS, max_size=4), TEXTS)
def test_all_modes_give_the_same_event(extensions, subject):
    """Whatever the transport, the same event is read, and counts as the same."""
    event = {**EVENT, "subject": subject, **extensions}
    event |= {"datacontenttype": "application/json", "data": {"v": [1, subject]}}
    body = json.dumps(event["data"]).encode()
    plain = {k: v for k, v in event.items() if k not in {"data", "datacontenttype"}}
    http = [(f"ce-{name}".encode(), encoded(text)) for name, text in plain.items()]
    kafka = [(f"ce_{name}", text.encode()) for name, text in plain.items()]
    expected = parse_structured(json.dumps(event))
    assert (
        parse_binary([*http, (b"content-type", b"application/json")], body) == expected
    )
    assert (
        parse_kafka([*kafka, ("content-type", b"application/json")], body) == expected
    )


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_requests_raise_nothing_but_malformed(data):
    """No bytes in headers or body escape with another exception."""
    kinds = [STRUCTURED[1], b"application/json", b"application/x-ndjson", b"text/plain"]
    kinds.append(b"application/cloudevents-batch+json")
    raw = bytearray(b"[" + RAW + b"]")
    at = data.draw(st.integers(0, len(raw)))
    raw[at : at + 1] = data.draw(st.binary(max_size=4))
    name = data.draw(
        st.sampled_from([b"ce-id", b"ce-subject", b"ce-x", b"x", b"ce-time"])
    )
    headers = [*CE, (b"content-type", data.draw(st.sampled_from(kinds)))]
    headers.append((name, data.draw(st.binary(max_size=12))))
    with contextlib.suppress(Malformed):
        parsed = parse_request(headers, bytes(raw), limit=5)
        assert all(isinstance(item, (Submission, Malformed)) for item in parsed.items)


def test_bytes_survive_binary_mode():
    """A payload of any bytes comes back exactly."""
    body = bytes(range(256))
    event = parse_binary([*CE, (b"content-type", b"image/png")], body).event
    assert base64.b64decode(event["data_base64"]) == body
