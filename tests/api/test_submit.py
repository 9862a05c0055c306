"""POST /v1/events, one event a request: what an acknowledgement is worth."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json

import pytest

from tests.support import scenario


def a_call(number: int = 1, **more: object) -> dict[str, object]:
    """Return an external event."""
    return scenario.external(number) | more


def test_a_new_event_is_created_with_a_receipt(hotline):
    """A new event gives 201, a receipt that verifies offline, its version and place."""
    answer = hotline.post(a_call())
    assert answer.status_code == 201
    body = answer.json()
    assert (body["id"], body["source"]) == ("call-1", "urn:test:hotline")
    assert (body["duplicate"], body["streamversion"]) == (False, 1)
    assert answer.headers["etag"] == '"v1"'
    entry = hotline.get(answer.headers["location"])
    assert entry.status_code == 200
    assert hashlib.sha256(b"\0" + entry.content).hexdigest() == body["leaf_hash"]
    assert hotline.proves(body["receipt"], entry.content) == body["position"]


def test_a_repeat_is_answered_with_the_original_receipt(hotline):
    """The same event again gives 200 and the same receipt, byte for byte, for ever."""
    first = hotline.post(a_call())
    again = hotline.post(a_call())
    hotline.post(a_call(2))
    later = hotline.post(a_call())
    for repeat in (again, later):
        assert repeat.status_code == 200
        assert repeat.json() == first.json() | {"duplicate": True}
        for name in ("location", "etag"):
            assert repeat.headers[name] == first.headers[name]
    assert hotline.service.ledger.store.head().size == first.json()["position"] + 1


def test_the_same_event_in_another_spelling_is_a_repeat(hotline):
    """What counts is the event, not the bytes: another key order is a repeat."""
    event = a_call()
    assert hotline.post(event).status_code == 201
    turned = json.dumps(dict(reversed(event.items())), indent=2).encode()
    assert hotline.post(turned).status_code == 200


def test_other_content_under_the_same_id_is_a_conflict(hotline):
    """The same source and id with other content gives 409 and says where it stands."""
    first = hotline.post(a_call()).json()
    answer = hotline.post(a_call(time="2017-11-15T07:00:00Z"))
    assert answer.status_code == 409
    assert answer.json()["type"] == "/v1/problems/event_id_conflict"
    assert answer.json()["parameters"]["position"] == first["position"]


def test_the_same_id_of_another_source_is_another_event(hotline):
    """An id counts within its source."""
    hotline.post(a_call())
    other = hotline.post(a_call(source="urn:test:other"))
    assert other.status_code == 201


def test_binary_mode_is_the_same_event(hotline):
    """Attributes in ce- headers, data in the body: the same event as the structured."""
    event = a_call(source="urn:test:%E7%83%AD", datacontenttype="application/json")
    assert hotline.post(event).status_code == 201
    headers = {
        f"ce-{name}": str(value).replace("%", "%25")
        for name, value in event.items()
        if name not in {"data", "datacontenttype"}
    }
    body = json.dumps(event["data"]).encode()
    binary = hotline.post(body, "application/json", headers=headers)
    assert binary.status_code == 200


def test_if_match_guards_the_version(hotline):
    """A submission for a version that the stream is not at gives 412, and no event."""
    tag = hotline.post(a_call(), headers={"If-Match": '"v0"'}).headers["etag"]
    refused = hotline.post(a_call(2), headers={"If-Match": '"v0"'})
    assert (refused.status_code, refused.json()["code"]) == (412, "version_mismatch")
    assert refused.json()["parameters"] == {"expected": 0, "actual": 1}
    assert hotline.get("/v1/events/call-2").status_code == 404
    assert hotline.post(a_call(2), headers={"If-Match": tag}).status_code == 201


def test_a_repeat_needs_no_version(hotline):
    """A client that sends again after a lost answer gets its receipt, not a 412."""
    guarded = {"If-Match": '"v0"'}
    assert hotline.post(a_call(), headers=guarded).status_code == 201
    assert hotline.post(a_call(), headers=guarded).status_code == 200


@pytest.mark.parametrize("tag", ["*", "1", 'W/"v1"', '"v01"', '"v1", "v2"', '"v-1"'])
def test_an_if_match_of_another_kind_is_refused(hotline, tag):
    """An If-Match that is no version of ours is an error, never ignored."""
    answer = hotline.post(a_call(), headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_a_dry_run_decides_and_appends_nothing(hotline):
    """A dry run gives the verdict, without position, address or receipt."""
    size = hotline.service.ledger.store.head().size
    answer = hotline.post(a_call(), dry_run="true")
    assert answer.status_code == 200
    body = answer.json()
    assert body["dry_run"] is True
    assert body["position"] == 0
    assert "receipt" not in body
    assert "location" not in answer.headers
    bad = hotline.post(a_call(data={}), dry_run="true")
    assert (bad.status_code, bad.json()["code"]) == (422, "schema_violation")
    assert hotline.service.ledger.store.head().size == size
    assert hotline.post(a_call()).status_code == 201


def test_return_minimal_leaves_the_receipt_out(hotline):
    """Prefer: return=minimal saves the receipt; the answer says it was honoured."""
    answer = hotline.post(a_call(), headers={"Prefer": "wait=5, Return=Minimal"})
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "return=minimal"
    assert "receipt" not in answer.json()
    assert "preference-applied" not in hotline.post(a_call()).headers


@pytest.mark.parametrize(
    "query", [{"dry_run": "1"}, {"on_error": "skip"}, {"dryrun": "true"}]
)
def test_a_mistyped_query_is_refused(hotline, query):
    """A mistyped dry_run must never become a real submission."""
    answer = hotline.post(a_call(), **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert answer.json()["parameters"]["parameter"] == next(iter(query))


def digest_of(body: bytes, name: str = "sha-256") -> str:
    """Return the Content-Digest of a body (RFC 9530)."""
    hashed = hashlib.new(name.replace("-", ""), body).digest()
    return f"{name}=:{base64.b64encode(hashed).decode()}:"


def test_a_content_digest_is_checked(hotline):
    """A right Content-Digest is accepted, a wrong one refused before anything else."""
    body = json.dumps(a_call()).encode()
    wrong = hotline.post(body, headers={"Content-Digest": digest_of(b"other")})
    assert wrong.status_code == 400
    assert wrong.json()["code"] == "content_digest_mismatch"
    both = f"{digest_of(body)}, {digest_of(body, 'sha-512')}"
    assert hotline.post(body, headers={"Content-Digest": both}).status_code == 201
    one_wrong = f"{digest_of(body)}, {digest_of(b'', 'sha-512')}"
    answer = hotline.post(body, headers={"Content-Digest": one_wrong})
    assert answer.json()["code"] == "content_digest_mismatch"


@pytest.mark.parametrize("field", ["md5=:AAAA:", "sha-256=AAAA", "", "sha-256=:A"])
def test_a_digest_that_proves_nothing_is_refused(hotline, field):
    """A Content-Digest that cannot be checked is not passed over in silence."""
    answer = hotline.post(a_call(), headers={"Content-Digest": field})
    assert answer.status_code == 400
    assert answer.json()["code"] == "content_digest_unsupported"


def test_a_compressed_body_is_refused_unopened(hotline):
    """A gzip bomb is never unpacked: 415, with what would be taken."""
    bomb = gzip.compress(b" " * 50_000_000)
    answer = hotline.post(bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_content_encoding"
    assert answer.headers["accept-encoding"] == "identity"
    plain = hotline.post(a_call(), headers={"Content-Encoding": "identity"})
    assert plain.status_code == 201


@pytest.mark.parametrize(
    "kind",
    ["application/json", "text/plain", "application/cloudevents+avro", "", "x"],
)
def test_another_media_type_is_refused_with_those_accepted(hotline, kind):
    """A body in no mode of CloudEvents gives 415 with Accept-Post."""
    answer = hotline.post(a_call(), kind)
    assert answer.status_code == 415
    assert "application/cloudevents+json" in answer.headers["accept-post"]


def test_a_body_beyond_the_limit_is_refused(start):
    """A body over the limit gives 413, whether its length was declared or not."""
    api = start(max_body=1_000)
    declared = api.post(b" " * 1_001)
    assert (declared.status_code, declared.json()["code"]) == (413, "body_too_large")
    streamed = api.client.post(
        "/v1/events",
        content=iter([b" " * 600, b" " * 600]),
        headers=api.headers | {"Content-Type": "application/cloudevents+json"},
    )
    assert (streamed.status_code, streamed.json()["code"]) == (413, "body_too_large")
    assert api.get("/v1/limits").json()["max_body_bytes"] == 1_000


def test_an_entry_beyond_the_limit_is_refused(hotline):
    """An event whose entry would not fit a tile gives 413."""
    answer = hotline.post(a_call(data={"about": "x" * 65_500}))
    assert (answer.status_code, answer.json()["code"]) == (413, "entry_too_large")


def test_a_key_that_ended_is_told_so_at_once(hotline):
    """Revocation ends writing with the next submission, single or batch."""
    key = hotline.key(scopes=["events:write", "events:read"])
    assert hotline.post(a_call(), headers=key).status_code == 201
    key_id = key["Authorization"].split("_")[1]
    revoked = scenario.key_revoked(key_id)
    hotline.service.ledger.submit_as_operator(revoked)
    single = hotline.post(a_call(2), headers=key)
    batch = hotline.post([a_call(2)], "application/cloudevents-batch+json", headers=key)
    for answer in (single, batch):
        assert (answer.status_code, answer.json()["code"]) == (401, "key_unusable")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_domain_refusal_points_at_the_member(api):
    """A broken rule gives 422 with a JSON pointer into the submission."""
    data = {"name": "Office（模拟数据）", "category": "office", "parent": "nowhere"}
    unit = scenario.event("henji.unit.created.v1", "unit/u1", data, event_id="u1")
    answer = api.post(unit)
    assert (answer.status_code, answer.json()["code"]) == (422, "unit_unknown")
    assert answer.headers["content-type"] == "application/problem+json"
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("#/data/parent", "unit_unknown")
