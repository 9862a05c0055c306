"""One row for each rule of CloudEvents 1.0.2 on attributes and payload."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import attributes, canonical
from events.cloudevents import dumps, parse_structured
from events.errors import Malformed

EVENT = {
    "specversion": "1.0",
    "id": "A-1",
    "source": "https://oa.example/desk",
    "type": "example.note.v1",
}


def refusal(**changes):
    """Return the error of the event with these members set."""
    with pytest.raises(Malformed) as caught:
        parse_structured(canonical.encode({**EVENT, **changes}))
    return caught.value


REFUSED = [
    ({"id": None}, "missing_attribute", "/id"),
    ({"source": None}, "missing_attribute", "/source"),
    ({"type": None}, "missing_attribute", "/type"),
    ({"specversion": None}, "missing_attribute", "/specversion"),
    ({"id": ""}, "empty_attribute", "/id"),
    ({"source": ""}, "empty_attribute", "/source"),
    ({"type": ""}, "empty_attribute", "/type"),
    ({"subject": ""}, "empty_attribute", "/subject"),
    ({"partitionkey": ""}, "empty_attribute", "/partitionkey"),
    ({"datacontenttype": ""}, "empty_attribute", "/datacontenttype"),
    ({"dataschema": ""}, "empty_attribute", "/dataschema"),
    ({"id": 7}, "invalid_attribute_type", "/id"),
    ({"subject": {"a": 1}}, "invalid_attribute_type", "/subject"),
    ({"id": "x" * 1025}, "attribute_too_long", "/id"),
    ({"source": "x" * 1025}, "attribute_too_long", "/source"),
    ({"type": "x" * 1025}, "attribute_too_long", "/type"),
    ({"subject": "x" * 1025}, "attribute_too_long", "/subject"),
    ({"id": "A\n1"}, "control_character", "/id"),
    ({"subject": "a\tb"}, "control_character", "/subject"),
    ({"note": "a\rb"}, "control_character", "/note"),
    ({"specversion": "0.3"}, "unsupported_specversion", "/specversion"),
    ({"specversion": "1.0.2"}, "unsupported_specversion", "/specversion"),
    ({"specversion": 1}, "unsupported_specversion", "/specversion"),
    ({"source": "a b"}, "invalid_uri_reference", "/source"),
    ({"source": "%zz"}, "invalid_uri_reference", "/source"),
    ({"source": "1:2"}, "invalid_uri_reference", "/source"),
    ({"source": "https://例/"}, "invalid_uri_reference", "/source"),
    ({"source": "http://[::1"}, "invalid_uri_reference", "/source"),
    ({"source": "http://a:99b/"}, "invalid_uri_reference", "/source"),
    ({"source": "//a@b@c"}, "invalid_uri_reference", "/source"),
    ({"source": "a#b#c"}, "invalid_uri_reference", "/source"),
    ({"dataschema": "schemas/note"}, "invalid_uri", "/dataschema"),
    ({"dataschema": "https://a.example/s#v1"}, "invalid_uri", "/dataschema"),
    ({"datacontenttype": "json"}, "invalid_media_type", "/datacontenttype"),
    ({"datacontenttype": "text/"}, "invalid_media_type", "/datacontenttype"),
    ({"datacontenttype": "text/plain; a"}, "invalid_media_type", "/datacontenttype"),
    ({"time": "2026-11-23"}, "invalid_time", "/time"),
    ({"time": 1795420800}, "invalid_attribute_type", "/time"),
    ({"recordedtime": "yesterday"}, "invalid_time", "/recordedtime"),
    ({"time": "2016-12-31T23:59:60Z"}, "leap_second", "/time"),
    ({"time": "9999-12-31T23:59:59.5-23:59"}, "invalid_time", "/time"),
    ({"time": "0001-01-01T00:00:00+00:01"}, "invalid_time", "/time"),
    ({"tenant_id": "a"}, "invalid_attribute_name", "/tenant_id"),
    ({"traceId": "a"}, "invalid_attribute_name", "/traceId"),
    ({"a/b": "a"}, "invalid_attribute_name", "/a~1b"),
    ({"": "a"}, "invalid_attribute_name", "/"),
    ({"属性": "a"}, "invalid_attribute_name", "/属性"),
    ({"n" * 65: "a"}, "invalid_attribute_name", "/" + "n" * 65),
    ({"level": 2**31}, "integer_not_32_bit", "/level"),
    ({"level": -(2**31) - 1}, "integer_not_32_bit", "/level"),
    ({"level": 1.5}, "invalid_attribute_type", "/level"),
    ({"level": {}}, "invalid_attribute_type", "/level"),
    ({"level": [1]}, "invalid_attribute_type", "/level"),
    ({"sampledrate": 2}, "sampled_event", "/sampledrate"),
    ({"sampledrate": True}, "sampled_event", "/sampledrate"),
    ({"data": 1, "data_base64": "AA=="}, "two_payloads", "/data_base64"),
    ({"data_base64": "AA="}, "invalid_base64", "/data_base64"),
    ({"data_base64": "A-_="}, "invalid_base64", "/data_base64"),
    ({"data_base64": "AA==\n"}, "invalid_base64", "/data_base64"),
    ({"data_base64": 5}, "invalid_base64", "/data_base64"),
    (
        {"data_base64": "ew==", "datacontenttype": "application/json"},
        "data_not_json",
        "/data_base64",
    ),
    ({"data": {}, "datacontenttype": "text/plain"}, "data_not_text", "/data"),
    ({"data": None, "datacontenttype": "text/plain"}, "data_not_text", "/data"),
] + [
    ({name: "x"}, "reserved_attribute", f"/{name}")
    for name in sorted(attributes.RESERVED)
]


@pytest.mark.parametrize(("changes", "code", "pointer"), REFUSED)
def test_each_broken_rule_has_a_code_and_a_pointer(changes, code, pointer):
    """An event that breaks a rule is refused, with the rule and the place."""
    error = refusal(**changes)
    assert error.code == code
    assert error.faults[0].pointer == pointer


ACCEPTED = [
    {"subject": None, "time": None, "tenantid": None, "data_base64": None},
    {"source": "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"},
    {"source": "/sensors/tn-1234567/alerts"},
    {"source": "1-555-123-4567"},
    {"source": "mailto:desk@a.example"},
    {"source": "//a.example:8080/x?y=[1]".replace("[", "%5B").replace("]", "%5D")},
    {"source": "https://u:p@[2001:db8::1]:8443/a/b;c=1?d=e/f?g#h/i?"},
    {"source": "#part"},
    {"dataschema": "https://a.example/s?v=1"},
    {"type": "任务.完成"},
    {"subject": "河\u3000长 👩‍🌾"},
    {"id": "x" * 1024},
    {"n" * 64: "v"},
    {"1st": ""},
    {"level": 2**31 - 1, "low": -(2**31), "flag": False},
    {"sampledrate": 1},
    {"sampledrate": "1"},
    {"data": None},
    {"data": [1, None, True]},
    {"data": "x", "datacontenttype": "application/json"},
    {"data": {"a": 1}, "datacontenttype": "application/vnd.a+json; charset=utf-8"},
    {"data": {"a": 1}, "datacontenttype": "Text/JSON"},
    {"data": "<a/>", "datacontenttype": "application/xml"},
    {"data": 'say "hi"\n', "datacontenttype": 'text/plain; format="a;b"'},
    {"data_base64": ""},
    {"data_base64": "AP8="},
    {"data_base64": "eyJhIjoxfQ==", "datacontenttype": "application/json"},
]


@pytest.mark.parametrize("changes", ACCEPTED)
def test_each_valid_event_is_kept_as_it_was_meant(changes):
    """Unset attributes vanish, everything else stays, and the writer gives it back."""
    event = {**EVENT, **changes}
    submission = parse_structured(canonical.encode(event))
    expected = {k: v for k, v in event.items() if v is not None or k == "data"}
    assert submission.event == expected
    assert parse_structured(dumps(submission.event)) == submission
    assert (submission.id, submission.source) == (event["id"], event["source"])
    assert (submission.type, submission.subject) == (
        event["type"],
        event.get("subject"),
    )


def test_null_data_is_not_absent_data():
    """`data: null` is a payload; no `data` is none."""
    assert (
        parse_structured(canonical.encode({**EVENT, "data": None})).event["data"]
        is None
    )
    assert "data" not in parse_structured(canonical.encode(EVENT)).event


def test_all_faults_are_reported_at_once():
    """A producer learns all that is wrong with the attributes in one answer."""
    error = refusal(id="", source="a b", time="never", tenant_id="x", type=None)
    assert {fault.pointer for fault in error.faults} == {
        "/id",
        "/source",
        "/time",
        "/tenant_id",
        "/type",
    }


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"1"])
def test_an_event_is_an_object(raw):
    """Other JSON values are no events."""
    with pytest.raises(Malformed) as caught:
        parse_structured(raw)
    assert caught.value.code == "event_not_object"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.000001z", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-11-23T08:00:00.1Z", 1_795_420_800_100_000),
        ("2026-11-23T16:00:00.123456999+08:00", 1_795_420_800_123_456),
        (
            "2026-11-23T08:00:00.123456789012345678901234567890-00:00",
            1_795_420_800_123_456,
        ),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ],
)
def test_times_are_read_to_the_microsecond(text, expected):
    """An RFC 3339 instant becomes exact integer microseconds; the text stays."""
    submission = parse_structured(canonical.encode({**EVENT, "time": text}))
    assert submission.occurred == expected
    assert submission.time == submission.event["time"] == text


def test_the_recorded_time_of_the_source_is_read():
    """`recordedtime` is kept beside `time`, for the second clock."""
    event = {**EVENT, "recordedtime": "1970-01-01T00:00:01Z"}
    submission = parse_structured(canonical.encode(event))
    assert (submission.recorded, submission.occurred) == (1_000_000, None)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T08:00:00",
        "2026-11-23 08:00:00Z",
        "20261123T080000Z",
        "2026-W48-1T08:00:00Z",
        "2026-11-23T08:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T08:60:00Z",
        "2026-11-23T08:00:61Z",
        "2026-02-29T08:00:00Z",
        "2026-11-23T08:00:00,5Z",
        "2026-11-23T08:00:00.Z",
        "2026-11-23T08:00:00+0800",
        "2026-11-23T08:00:00+08",
        "2026-11-23T08:00:00+24:00",
        "2026-11-23T08:00:00ZZ",
        " 2026-11-23T08:00:00Z",
        "2026-11-23T08:00:00Z ",
        "0000-01-01T00:00:00Z",
        "２026-11-23T08:00:00Z",
        "+2026-11-23T08:00:00Z",
    ],
)
def test_other_spellings_of_time_are_refused(text):
    """Only RFC 3339 with its zone counts as a time."""
    assert refusal(time=text).code == "invalid_time"


@settings(deadline=None, max_examples=200)
@given(
    st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30)),
    st.integers(-1439, 1439),
)
def test_times_agree_with_the_standard_library(local, minutes):
    """For all dates and zones the microseconds are exact."""
    instant = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert attributes.parse_time(instant.isoformat()) == expected
