"""The file of topics, and records in and out, without a broker."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from events.cloudevents import accept
from events.errors import Denied, Fault, Malformed, Refused
from events.submissions import Accepted, Prepared, prepare
from services.ingest import records, topics
from services.ingest.opening import opened
from services.settings import Settings
from tests.support import intake, scenario

LETTER = {"topic": "a.dead", "failed_at": "2026-11-23T08:00:00.000000Z"}


def given(value=b"{}", headers=(), key=b"k"):
    """Return a record as a consumer gives it."""
    return SimpleNamespace(
        topic="a",
        partition=2,
        offset=7,
        key=key,
        value=value,
        headers=list(headers),
    )


def test_a_file_of_topics_says_whose_each_topic_is():
    """What is optional has its default; dead letters go beside the topic."""
    made = topics.parse(
        b"""
        max_records = 10
        [[topic]]
        name = "a"
        key = "k1"
        [[topic]]
        name = "b"
        key = "k2"
        dead_letters = "b-refused"
        receipts = "b-receipts"
        max_record_bytes = 5
        """
    )
    first, second = made.topic
    assert (first.refusals, first.receipts, first.max_record_bytes) == (
        "a.dead",
        "",
        262144,
    )
    assert (second.refusals, second.receipts) == ("b-refused", "b-receipts")
    assert made.max_records == 10


def test_each_ledger_has_a_group_of_its_own():
    """Workers of two ledgers that shared one would move each other's partitions."""
    made = topics.parse(table(name="a", key="k").encode())
    assert made.group_of("") == "henji-ingest"
    assert made.group_of("harbour") == "henji-ingest.harbour"
    named = topics.parse(b'group = "mine"\n' + table(name="a", key="k").encode())
    assert named.group_of("harbour") == "mine"


def table(**fields):
    """Return the text of one topic."""
    rows = "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())
    return f"[[topic]]\n{rows}"


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "",
        "topic = []",
        table(name="a"),
        table(name="a", key="k", unit="hq"),
        table(name="a/b", key="k"),
        table(name="..", key="k"),
        table(name="a", key="k", receipts="a b"),
        table(name="a", key="k", max_record_bytes=0),
        table(name="a", key="k") * 2,
        table(name="a", key="k", dead_letters="a"),
        table(name="a", key="k") + table(name="b", key="k", receipts="a"),
        table(name="a", key="k", receipts="a.dead"),
        "max_records = 0\n" + table(name="a", key="k"),
    ],
)
def test_a_file_of_topics_that_cannot_be_meant_is_refused(text):
    """Nothing is guessed: also not answers that would come back as submissions."""
    with pytest.raises(Malformed, match="ingest_topics_invalid"):
        topics.parse(text.encode())


def test_without_a_file_of_topics_nothing_is_opened():
    """The setting has no default: nobody submits by accident."""
    with pytest.raises(Malformed, match="ingest_topics_missing"):
        topics.load("")


@pytest.mark.parametrize(
    ("key", "error", "code"),
    [
        ("keyNobody", Refused, "ingest_key_unknown"),
        ("keyReader", Denied, "scope_missing"),
    ],
)
def test_a_key_that_can_never_submit_is_found_at_the_start(
    tansu, tmp_path, key, error, code
):
    """A slip in the file must not send a submitter's records to the dead letters."""
    reader = scenario.key_created("keyReader", scopes=["events:read"])
    place = intake.prepared(tansu, tmp_path / "ledger", keys=[key], more=[reader])
    with pytest.raises(error, match=code), opened(place.settings):
        pytest.fail("it opened")


def test_without_brokers_it_says_so(tmp_path):
    """The file of topics alone does not say where they are."""
    path = tmp_path / "topics.toml"
    path.write_text(table(name="a", key="k"))
    settings = Settings(data_dir=tmp_path, ingest_topics=str(path))
    with pytest.raises(Exception, match="kafka_not_configured"), opened(settings):
        pytest.fail("it opened")


def test_the_limit_counts_all_that_a_submitter_sends():
    """Key, value and headers; at the limit it is read, beyond it is not."""
    record = given(b"12345", [("h", b"67"), ("n", None)], key=b"8")
    assert records.size(record) == 10
    assert records.read(record, limit=10).code == "unsupported_media_type"
    refused = records.read(record, limit=9)
    assert (refused.code, refused.parameters) == (
        "record_too_large",
        {"size": 10, "limit": 9},
    )


def test_a_record_is_prepared_as_over_http():
    """The same event by another door is the same submission."""
    event = scenario.external(3)
    headers = [("content-type", b"application/cloudevents+json")]
    read = records.read(given(json.dumps(event).encode(), headers), limit=10_000)
    assert read == prepare(accept(event))


@pytest.mark.parametrize(
    ("headers", "asks"),
    [
        ([("henji_receipt", b"true")], True),
        ([("henji_receipt", b"True")], False),
        ([("henji_receipt", None)], False),
        ([], False),
    ],
)
def test_a_receipt_is_asked_for_in_one_way(headers, asks):
    """Anything else than the one spelling is no wish."""
    assert records.asks_receipt(given(headers=headers)) is asks


def test_a_dead_letter_says_what_http_would_have_answered():
    """The problem document with its findings, and the place in the topic."""
    refusal = Malformed("schema_violation", "x", faults=(Fault("a", "b", "/data"),))
    letter = records.dead_letter(given(b"v", [("h", b"1")]), refusal, **LETTER)
    assert (letter.topic, letter.record.key, letter.record.value) == (
        "a.dead",
        b"k",
        b"v",
    )
    headers = dict(letter.record.headers)
    problem = json.loads(headers.pop("henji_problem"))
    assert (problem["code"], problem["status"]) == ("schema_violation", 400)
    assert problem["errors"] == [{"pointer": "#/data", "code": "a", "detail": "b"}]
    assert headers == {
        "h": b"1",
        "henji_topic": b"a",
        "henji_partition": b"2",
        "henji_offset": b"7",
        "henji_failed_at": b"2026-11-23T08:00:00.000000Z",
    }


def test_a_dead_letter_that_failed_before_has_only_its_new_reason():
    """Sent again as it was, with the headers of its first failure."""
    first = records.dead_letter(given(), Malformed("json_syntax"), **LETTER)
    again = given(headers=first.record.headers)
    second = records.dead_letter(again, Refused("entry_too_large"), **LETTER)
    (text,) = [text for name, text in second.record.headers if name == "henji_problem"]
    assert json.loads(text)["code"] == "entry_too_large"


def test_a_null_value_does_not_become_a_tombstone():
    """On a topic that compacts, null would delete the letter before it."""
    letter = records.dead_letter(given(None), Malformed("json_syntax"), **LETTER)
    assert letter.record.value == b""


def test_what_no_broker_would_take_stays_where_it_was():
    """A dead letter that cannot be sent would hold up the topic for ever."""
    whole = given(bytes(records.MOST_CARRIED + 1), [("h", bytes(100))])
    letter = records.dead_letter(whole, Malformed("record_too_large"), **LETTER)
    headers = dict(letter.record.headers)
    assert headers["henji_value_bytes"] == str(records.MOST_CARRIED + 1).encode()
    assert (letter.record.value, headers["henji_offset"]) == (b"", b"7")
    assert "h" not in headers


def test_a_receipt_says_what_http_answers():
    """Under the record's key, with the submission's name and the asker's mark."""
    event = scenario.external(3)
    item = prepare(accept(event))
    assert isinstance(item, Prepared)
    done = Accepted(5, "external/x", 2, bytes(32), 1_000_000)
    mark = ("henji_correlation", b"c-1")
    reply = records.receipt(given(headers=[mark]), item, done, "proof", topic="r")
    assert (reply.topic, reply.record.key) == ("r", b"k")
    assert reply.record.headers == [
        ("content-type", b"application/json"),
        ("ce_id", event["id"].encode()),
        ("ce_source", event["source"].encode()),
        mark,
    ]
    assert json.loads(reply.record.value) == {
        "id": event["id"],
        "source": event["source"],
        "position": 5,
        "stream": "external/x",
        "streamversion": 2,
        "ingestedtime": "1970-01-01T00:00:01.000000Z",
        "leaf_hash": "00" * 32,
        "duplicate": False,
        "receipt": "proof",
    }
