"""An entry goes through Kafka and comes back byte for byte; others can read it too."""

from __future__ import annotations

import base64
import json

import pytest
from cloudevents.core.bindings import kafka as sdk
from hypothesis import given
from hypothesis import strategies as st

from events import attributes, canonical, catalogue, entries
from events.cloudevents import accept, parse_kafka
from events.errors import Corrupt, Malformed
from events.merkle import leaf_hash
from events.records import (
    PROGRESSED,
    Link,
    Mark,
    Relayed,
    entry_of,
    of_entry,
    of_mark,
    read,
)

LEDGER = "log.example/test"
MODES = ("binary", "structured")
BARE = {"specversion": "1.0", "id": "1", "source": "/a", "type": "org.example.a.v1"}
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=20
)
EXTENSIONS = st.dictionaries(
    st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True).filter(
        lambda name: name not in attributes.RESERVED
    ),
    st.one_of(TEXTS, st.just(""), st.integers(-(2**31), 2**31 - 1), st.booleans()),
    max_size=4,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner),
    max_leaves=6,
)
BASE64 = st.binary(max_size=12).map(lambda raw: base64.b64encode(raw).decode())
PAYLOADS = st.one_of(
    st.just({}),
    st.builds(lambda data: {"data": data}, JSON),
    st.builds(
        lambda kind, data: {"datacontenttype": kind, "data": data},
        st.sampled_from(["application/json", "application/a+json; v=1", "text/json"]),
        JSON,
    ),
    st.builds(
        lambda kind, data: {"datacontenttype": kind, "data": data},
        st.sampled_from(
            ["text/plain", "text/plain; charset=gbk", "text/x; charset=utf-8", "a/xml"]
        ),
        TEXTS | st.just(""),
    ),
    st.builds(
        lambda kind, data: {**kind, "data_base64": data},
        st.sampled_from([{}, {"datacontenttype": "image/png"}])
        | st.just({"datacontenttype": "text/plain"}),
        BASE64 | st.just("QR=="),
    ),
    st.builds(
        lambda data: {
            "datacontenttype": "application/json",
            "data_base64": base64.b64encode(canonical.encode(data)).decode(),
        },
        JSON,
    ),
    st.just({"datacontenttype": "application/cloudevents+json", "data": BARE}),
    st.just({"datacontenttype": "application/json"}),
)


def sealed(event):
    """Return the entry of a submission, as the sequencer composes it."""
    return entries.compose(
        accept(event).event,
        stream="external/a",
        version=3,
        ingested_text="2026-11-23T08:00:00.123456Z",
        authid="key1",
        authunit="hq",
        stamps={"policyversion": "permit@1"},
    )


def linked(entry, position=7, previous=4):
    """Return the place of an entry."""
    return Link(LEDGER, position, previous, leaf_hash(entry))


def sent(event, mode):
    """Return the entry of a submission, and the record of it."""
    entry = sealed(event)
    return entry, of_entry(entry, stream="external/a", link=linked(entry), mode=mode)


@pytest.mark.parametrize("mode", MODES)
@given(extensions=EXTENSIONS, payload=PAYLOADS, subject=TEXTS)
def test_every_event_comes_back_byte_for_byte(mode, extensions, payload, subject):
    """Attributes of each type and payloads of each form survive both modes."""
    event = {**extensions, **BARE, "subject": subject, **payload}
    entry, record = sent(event, mode)
    assert entry_of(record.headers, record.value) == entry
    assert type(record.value) is bytes


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [row.name for row in catalogue.all_types()])
def test_every_type_of_the_catalogue_comes_back(mode, name):
    """The examples of each domain type survive both modes, and stay in theirs."""
    for event in catalogue.examples(name):
        entry, record = sent(event, mode)
        kind = dict(record.headers)["content-type"]
        assert entry_of(record.headers, record.value) == entry
        assert kind.startswith(b"application/cloudevents") == (mode == "structured")


@pytest.mark.parametrize(
    ("payload", "value", "types"),
    [
        ({}, b"", None),
        ({"data": None}, b"null", b"datacontenttype=implied"),
        ({"data": {"a": 1}}, b'{"a":1}', b"datacontenttype=implied"),
        ({"datacontenttype": "application/json", "data": None}, b"null", None),
        ({"datacontenttype": "text/plain", "data": "河"}, "河".encode(), None),
        ({"datacontenttype": "text/plain", "data": ""}, b"", b"data=text"),
        ({"datacontenttype": "a/xml", "data": "<a/>"}, b"<a/>", b"data=text"),
        ({"datacontenttype": "image/png", "data_base64": "AP8="}, b"\x00\xff", None),
        ({"data_base64": ""}, b"", b"data=base64"),
    ],
)
def test_binary_values_are_the_payload_itself(payload, value, types):
    """The value is never null; a note is added only where a reader could not guess."""
    _, record = sent({**BARE, **payload}, "binary")
    assert record.value == value
    assert dict(record.headers).get("henji_types") == types


@pytest.mark.parametrize(
    "payload",
    [
        {"datacontenttype": "application/cloudevents+json", "data": BARE},
        {"datacontenttype": "text/plain; charset=gbk", "data": "河"},
        {"datacontenttype": "image/png", "data_base64": "QR=="},
    ],
)
def test_what_binary_cannot_say_goes_structured(payload):
    """Rather than lose a byte, such an event is sent whole."""
    entry, record = sent({**BARE, **payload}, "binary")
    assert record.value == entry


def test_types_of_extensions_are_kept():
    """An integer and a boolean come back as such, and the version needs no note."""
    event = {**BARE, "flag": True, "count": -3, "text": "-3"}
    entry, record = sent(event, "binary")
    assert dict(record.headers)["henji_types"] == b"count=integer,flag=boolean"
    back = json.loads(entry_of(record.headers, record.value))
    assert (back["flag"], back["count"], back["text"]) == (True, -3, "-3")
    assert back["streamversion"] == 3
    assert canonical.encode(back) == entry


def test_the_place_in_the_log_travels_along():
    """A consumer learns ledger, position, previous position and leaf."""
    entry, record = sent(BARE, "binary")
    assert record.key == b"external/a"
    assert read(record.headers, record.value) == Relayed(linked(entry), entry)


@pytest.mark.parametrize("mode", MODES)
def test_a_changed_record_is_found_out(mode):
    """Whatever was changed on the way, the leaf hash tells."""
    _, record = sent({**BARE, "data": {"a": 1}}, mode)
    with pytest.raises(Corrupt, match="record_leaf_mismatch"):
        read(record.headers, record.value.replace(b"1", b"2"))


@pytest.mark.parametrize(
    "change",
    [
        {"henji_position": None},
        {"henji_position": b"x"},
        {"henji_leaf": b"zz"},
        {"henji_ledger": b"\xff"},
        {"henji_types": b"data=other"},
        {"henji_through": b"9"},
    ],
)
def test_a_stranger_is_malformed(change):
    """A record that the relay did not write is refused as such."""
    _, record = sent(BARE, "binary")
    headers = {**dict(record.headers), **change}
    with pytest.raises(Malformed, match="record_malformed"):
        read(list(headers.items()), record.value)


@pytest.mark.parametrize("mode", MODES)
def test_marks_of_progress(mode):
    """A mark says how far the log has been relayed; it is an event, not an entry."""
    mark = Mark(LEDGER, 12, bytes(range(32)), 6)
    record = of_mark(mark, partition=3, mode=mode)
    assert record.key is None
    assert read(record.headers, record.value) == mark
    event = parse_kafka(record.headers, record.value)
    assert (event.type, event.id) == (PROGRESSED, "12/3")
    with pytest.raises(Malformed, match="record_malformed"):
        entry_of(record.headers, record.value)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "payload",
    [
        {"data": {"标题": "清理河道", "n": [1, 2.5, None]}},
        {"datacontenttype": "text/plain", "data": "说到一定做到"},
        {"datacontenttype": "image/png", "data_base64": "AP8="},
    ],
)
def test_the_sdk_of_cloudevents_reads_them(mode, payload):
    """Another implementation reads the same event out of our records."""
    event = {**BARE, "subject": "河 100%", "time": "2026-11-23T08:00:00Z", **payload}
    entry, record = sent(event, mode)
    message = sdk.KafkaMessage(dict(record.headers), record.key, record.value)
    theirs = sdk.from_kafka_event(message)
    ours = json.loads(entry)
    wanted = base64.b64decode(ours.get("data_base64", ""))
    assert theirs.get_id() == ours["id"]
    assert theirs.get_subject() == ours["subject"]
    assert theirs.get_extension("stream") == ours["stream"]
    assert theirs.get_data() == ours.get("data", wanted)
