"""What comes on a topic goes through the rules of HTTP into the log, or is told why not.

One worker for each broker does the work of all these tests: each has an own source, and
looks only at what it sent.
"""

from __future__ import annotations

import json

import pytest

from events.memory import MemoryStore
from tests.support import desk, intake, scenario
from tests.support.intake import ASKED, STRUCTURED, header, problem

LEAD = scenario.PEOPLE["lead"].key
BOUND, ENDING, POOR = OWN_KEYS = ("keyBound", "keyEnding", "keyPoor")
CE = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"A-1"),
    ("ce_source", b"urn:test:malformed"),
    ("ce_type", scenario.EXTERNAL.encode()),
]
JSON = ("content-type", b"application/json")
RAW = json.dumps({name[3:]: text.decode() for name, text in CE}).encode()

#: Records (headers, value) that are no valid event, and the code that says why.
MALFORMED = [
    ([*CE, ("ce_id", b"A-2")], None, "duplicate_attribute"),
    ([*CE, ("ce_subject", b"\xff")], None, "invalid_utf8"),
    ([*CE, ("ce_Subject", b"x")], None, "invalid_attribute_name"),
    ([*CE, ("ce_datacontenttype", b"a/b")], None, "datacontenttype_header"),
    (CE[1:], None, "missing_attribute"),
    ([], RAW, "unsupported_media_type"),
    ([], None, "unsupported_media_type"),
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
    ([STRUCTURED], None, "json_syntax"),
    ([STRUCTURED], b"{]", "json_syntax"),
    ([STRUCTURED], b"\xff", "invalid_utf8"),
    ([STRUCTURED], RAW[:-1] + b',"id":"B"}', "duplicate_key"),
    ([*CE, ("ce_ingestedtime", b"2026-01-01T00:00:00Z")], None, "reserved_attribute"),
    ([*CE, JSON], b"{'about': 1}", "json_syntax"),
    ([*CE, JSON], bytes(300_000), "record_too_large"),
]


#: Each broker is started, and each worker runs, in one test process.
BROKERS = [
    pytest.param(name, marks=pytest.mark.xdist_group(name))
    for name in ("tansu", "kafka")
]


#: What answers are published with: each client on one of the brokers.
CLIENTS = {"tansu": "kafka-python", "kafka": "confluent"}


@pytest.fixture(scope="module", params=BROKERS)
def place(request, tmp_path_factory):
    """A ledger with a worker that runs as long as these tests."""
    cluster = request.getfixturevalue(f"_{request.param}")
    made = intake.prepared(
        cluster,
        tmp_path_factory.mktemp("ledger"),
        kafka_client=CLIENTS[request.param],
        keys=[scenario.ADAPTER, LEAD, *OWN_KEYS],
        more=[
            scenario.key_created(BOUND, sources=["urn:test:own/*"]),
            scenario.key_created(ENDING),
            scenario.key_created(POOR),
        ],
    )
    with made.working():
        yield made
    made.sound()


def calls(source, *numbers):
    """Return external events of one source."""
    return [scenario.external(number, source=source) for number in numbers]


def letters(place, source, count):
    """Return the dead letters of one source, once there are ``count``."""
    return sifted(place.dead, lambda one: source.encode() in one.value, count)


def receipts(place, source, count):
    """Return the receipts of one source, once there are ``count``."""
    about = ("ce_source", source.encode())
    return sifted(place.receipted, lambda one: about in one.headers, count)


def sifted(read, wanted, count):
    """Read on until so many of the records are wanted ones."""
    every, found = [], []
    while len(found) < count:
        every = read(len(every) + 1)
        found = [one for one in every if wanted(one)]
    return found


def test_an_event_comes_into_the_log_and_its_receipt_proves_it(place):
    """Either binding is taken; a receipt goes out where it is asked for, and only there."""
    source = "urn:test:happy"
    binary = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"call-2"),
        ("ce_source", source.encode()),
        ("ce_type", scenario.EXTERNAL.encode()),
        ("content-type", b"application/json"),
        ("henji_correlation", b"c-7"),
        ("henji_position", b"99"),
        ASKED,
    ]
    place.send(calls(source, 1))
    place.send_raw([(b"key", b'{"about":"Noise"}', binary)])
    (receipt,) = receipts(place, source, 1)
    assert place.ids(source) == ["call-1", "call-2"]
    second = place.rows(source)[1]
    answer = json.loads(receipt.value)
    assert place.proves(answer["receipt"], second.entry) >= second.position
    assert (answer["position"], answer["stream"]) == (second.position, second.stream)
    assert json.loads(second.entry)["authid"] == scenario.ADAPTER
    assert "henji_position" not in json.loads(second.entry)
    assert receipt.key == b"key"
    assert header(receipt, "ce_id") == b"call-2"
    assert header(receipt, "ce_source") == source.encode()
    assert header(receipt, "henji_correlation") == b"c-7"


def test_what_is_no_event_goes_to_the_dead_letters_with_its_code(place):
    """Key, value and headers are kept as they came; the problem says what is wrong."""
    rows = [
        (b"%d" % n, value, headers) for n, (headers, value, _) in enumerate(MALFORMED)
    ]
    place.send_raw(rows, key=LEAD)
    found = place.dead(len(rows), key=LEAD)
    assert [problem(one)["code"] for one in found] == [row[2] for row in MALFORMED]
    for letter, (name, value, headers) in zip(found, rows, strict=True):
        assert (letter.key, letter.value) == (name, value or b"")
        assert list(letter.headers)[: len(headers)] == headers
        assert header(letter, "henji_topic") == place.topics[LEAD].encode()
    offsets = [int(header(one, "henji_offset")) for one in found]
    assert offsets == list(range(len(rows)))
    assert place.ids("urn:test:malformed") == []


def test_a_poison_record_does_not_touch_its_neighbours(place):
    """Refused and malformed ones between others: the others are in the log, in order."""
    source = "urn:test:neighbours"
    good = [
        (b"k", json.dumps(one).encode(), [STRUCTURED]) for one in calls(source, 1, 2, 3)
    ]
    empty = scenario.external(9, source=source) | {"data": {}}
    poison = [
        (b"k", json.dumps(empty).encode(), [STRUCTURED]),
        (b"k", source.encode(), [STRUCTURED]),
    ]
    place.send_raw([good[0], poison[0], good[1], poison[1], good[2]])
    found = letters(place, source, 2)
    assert [problem(one)["code"] for one in found] == [
        "schema_violation",
        "json_syntax",
    ]
    assert place.ids(source) == ["call-1", "call-2", "call-3"]


class Bytes(str):
    """A name that a client writes as bytes that are no text."""

    __slots__ = ()

    def encode(self, *_codec):
        return b"\xff"


def test_a_record_that_no_client_can_read_does_not_stop_the_others(place):
    """A header whose name is no UTF-8: told by its offset, and passed."""
    source = "urn:test:unreadable"
    good = [
        (b"k", json.dumps(one).encode(), [STRUCTURED]) for one in calls(source, 1, 2)
    ]
    place.send_raw([good[0], (b"k", b"{}", [(Bytes("x"), b"1")])], key=POOR)
    place.send_raw([good[1]], key=POOR)
    place.await_done(key=POOR)
    (letter,) = place.dead(1, key=POOR)
    assert problem(letter)["code"] == "record_unreadable"
    assert header(letter, "henji_offset") == b"1"
    assert place.ids(source) == ["call-1", "call-2"]


def test_nobody_writes_for_another(place):
    """A source that is another's, or an actor that is another, is refused on this topic."""
    mine, others = calls("urn:test:own/a", 1)[0], calls("urn:test:theirs", 1)[0]
    acting = {**calls("urn:test:own/a", 2)[0], "actorunit": "hq"}
    place.send([others, mine, acting], key=BOUND)
    found = place.dead(2, key=BOUND)
    codes = [problem(one)["code"] for one in found]
    assert codes == ["source_not_allowed", "delegation_not_allowed"]
    assert place.ids("urn:test:theirs") == []
    (row,) = place.rows("urn:test:own/a")
    assert json.loads(row.entry)["authid"] == BOUND


def test_a_revoked_key_writes_nothing_more(place):
    """From the revocation on everything on its topic is refused."""
    source = "urn:test:ending"
    place.send(calls(source, 1), key=ENDING)
    intake.until(lambda: place.ids(source), "the first event is in the log")
    place.operate(scenario.key_revoked(ENDING))
    place.send(calls(source, 2), key=ENDING)
    (letter,) = place.dead(1, key=ENDING)
    assert problem(letter)["code"] == "key_unusable"
    assert place.ids(source) == ["call-1"]


def test_sent_again_is_answered_again_and_counts_once(place):
    """The same content: the original receipt. Other content under the id: a conflict."""
    source = "urn:test:again"
    call = calls(source, 1)[0]
    place.send([call, call], headers=[ASKED])
    place.await_done()
    place.send([call], headers=[ASKED])
    answers = [json.loads(one.value) for one in receipts(place, source, 3)]
    assert [one.get("duplicate", False) for one in answers] == [False, True, True]
    assert len({(one["position"], one["leaf_hash"]) for one in answers}) == 1
    (row,) = place.rows(source)
    for answer in answers:
        place.proves(answer["receipt"], row.entry)
    place.send([call | {"data": {"about": "Other"}}], headers=[ASKED])
    (letter,) = letters(place, source, 1)
    assert problem(letter)["code"] == "event_id_conflict"


def test_out_of_order_is_judged_as_over_http(place):
    """A later event of a stream first: each gets the answer that HTTP would give."""
    steps = list(scenario.delegated(scenario.loop("KF-1")))
    mixed = [steps[1], steps[0], steps[1], *steps[3:1:-1], *steps[2:]]
    expected = desk.codes(desk.Desk(MemoryStore()).begin().submit(mixed, atomic=False))
    assert set(expected) > {"ok"}
    place.send(mixed)
    place.await_done()
    refused = [code for code in expected if code != "ok"]
    found = letters(place, "KF-1", len(refused))
    assert [problem(one)["code"] for one in found] == refused


def test_refusals_are_in_the_security_log(place):
    """Who looks for misuse finds each refusal there, with its place in the topic."""
    source = "urn:test:security"
    place.send([scenario.external(1, source=source) | {"data": {}}])
    letters(place, source, 1)
    place.await_done()
    path = place.settings.data_dir / "security.log"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("source") == source]
    assert (line["code"], line["key"]) == ("schema_violation", scenario.ADAPTER)
    assert line["topic"] == place.topics[scenario.ADAPTER]
