"""What comes in: limits, digests, names, what is said of it, and the event of it."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

from events.notes import Verifier
from events.receipts import verify_receipt
from tests.evidence.conftest import JPEG, sha256

PICTURE = b"\xff\xd8\xff\xe0 a picture (fictional)"


def digest_header(content, algorithm="sha256", name="sha-256"):
    """Return a Content-Digest header (RFC 9530)."""
    value = b64encode(hashlib.new(algorithm, content).digest()).decode()
    return {"Content-Digest": f"{name}=:{value}:"}


def entry_of(desk, position):
    """Return the entry at a position, read as JSON."""
    return json.loads(desk.service.ledger.store.row(position).entry)


def test_an_upload_is_answered_with_its_digests_and_a_receipt(desk):
    """201 names the content by SHA-256 and SM3, and proves the event that stored it."""
    answer = desk.put(PICTURE, name=sha256(PICTURE))
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/evidence/{sha256(PICTURE)}"
    assert (body["sha256"], body["size"]) == (sha256(PICTURE), len(PICTURE))
    assert body["sm3"] == hashlib.new("sm3", PICTURE).hexdigest()
    ledger = desk.service.ledger
    row = ledger.store.row(body["position"])
    verifiers = [Verifier.from_vkey(ledger.keys.vkeys[0])]
    proven = verify_receipt(
        body["receipt"], row.entry, verifiers, ledger.settings.origin
    )
    assert proven.size >= body["position"]


def test_the_event_is_sealed_in_the_name_of_the_uploader(desk):
    """The entry says what was stored, and which key and unit brought it."""
    headers = desk.key(unit="gouzhao", post="head", roles=["lead"])
    answer = desk.put(
        PICTURE,
        headers=headers,
        captured_at="2017-11-24T10:05:00+08:00",
        latitude=34.8,
        longitude=113.55,
    )
    entry = entry_of(desk, answer.json()["position"])
    assert entry["type"] == "henji.evidence.stored.v1"
    assert entry["stream"] == f"evidence/{sha256(PICTURE)}"
    assert (entry["authunit"], entry["authpost"]) == ("gouzhao", "head")
    assert entry["authid"] == headers["Authorization"].split("_")[1]
    assert entry["data"]["geo"] == {"latitude": 34.8, "longitude": 113.55}
    assert entry["data"]["captured_at"] == "2017-11-24T10:05:00+08:00"


def test_the_same_content_again_gets_the_original_receipt(desk):
    """200 with the position of then; nothing is appended, whatever is said of it now."""
    first = desk.put(PICTURE)
    size = desk.size
    again = desk.put(PICTURE, kind="image/png")
    assert again.status_code == 200
    assert again.json()["duplicate"] is True
    assert again.json()["position"] == first.json()["position"]
    assert again.json()["media_type"] == JPEG
    assert desk.size == size
    assert desk.files() == [sha256(PICTURE)]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"content": b""}, 400, "evidence_empty"),
        ({"name": "0" * 64}, 400, "evidence_name_mismatch"),
        ({"name": "nothex"}, 400, "invalid_parameter"),
        ({"kind": "text/html"}, 415, "unsupported_media_type"),
        ({"kind": ""}, 415, "unsupported_media_type"),
        ({"headers": digest_header(b"other")}, 400, "content_digest_mismatch"),
        (
            {"headers": {"Content-Digest": "sha-256=abc"}},
            400,
            "content_digest_unsupported",
        ),
        (
            {"headers": {"Content-Digest": "sha-256=:a:"}},
            400,
            "content_digest_unsupported",
        ),
        (
            {"headers": {"Content-Digest": "md5=:AAAA:"}},
            400,
            "content_digest_unsupported",
        ),
        (
            {"headers": {"Content-Encoding": "gzip"}},
            415,
            "unsupported_content_encoding",
        ),
        ({"captured_at": "yesterday"}, 422, "schema_violation"),
        ({"latitude": 34.8}, 400, "invalid_parameter"),
        ({"latitude": 340, "longitude": 1}, 400, "invalid_parameter"),
        ({"colour": "red"}, 400, "invalid_parameter"),
    ],
)
def test_what_is_refused_leaves_nothing(desk, change, status, code):
    """Neither bytes nor an event remain of a refused upload."""
    size = desk.size
    answer = desk.put(**{"content": PICTURE, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert desk.size == size
    assert desk.files() == []


def test_a_refused_upload_is_in_the_security_log(desk):
    """Operators see who tried; the ledger does not grow by it."""
    desk.put(PICTURE, headers=digest_header(b"other"))
    assert desk.security_codes()[-1] == "content_digest_mismatch"


@pytest.mark.parametrize(
    "header",
    [
        digest_header(PICTURE),
        digest_header(PICTURE, "sha512", "sha-512"),
        {"Content-Digest": digest_header(PICTURE)["Content-Digest"] + ", md5=:AAAA:"},
    ],
)
def test_a_right_digest_is_accepted(desk, header):
    """SHA-256 and SHA-512 are checked; unknown algorithms beside them do not matter."""
    assert desk.put(PICTURE, headers=header).status_code == 201


def test_media_type_parameters_are_dropped(desk):
    """`Text/CSV; charset=gbk` is text/csv."""
    answer = desk.put(b"a,b\n", kind="Text/CSV; charset=gbk")
    assert answer.json()["media_type"] == "text/csv"


def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(start):
    """The limit counts what comes, with and without a Content-Length."""
    desk = start(max_evidence=1_000)

    def streamed(count):
        yield b"x" * count

    assert desk.put(b"x" * 1_000).status_code == 201
    assert desk.put(b"y" * 1_001).status_code == 413
    assert desk.put(streamed(1_001)).status_code == 413
    assert desk.files() == [sha256(b"x" * 1_000)]


def test_uploading_needs_its_own_scope(desk):
    """A key that may submit events may not therefore upload; without a key, 401."""
    headers = desk.key(scopes=["events:write", "events:read"])
    refused = desk.put(PICTURE, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert refused.json()["parameters"] == {"scope": "evidence:write"}
    assert desk.put(PICTURE, headers={"Authorization": "x"}).status_code == 401
    assert desk.files() == []


def test_a_source_restriction_does_not_keep_a_key_from_uploading(desk):
    """The event is the service's; the key's sources are about what it submits itself."""
    headers = desk.key(sources=["urn:example:oa"], scopes=["evidence:write"])
    assert desk.put(PICTURE, headers=headers).status_code == 201


def test_nobody_may_claim_a_stored_content_as_an_event(desk):
    """Submitting the event without the bytes is refused: the service's role is needed."""
    event = {
        "specversion": "1.0",
        "id": "forged",
        "source": "urn:test:oa",
        "type": "henji.evidence.stored.v1",
        "subject": f"evidence/{'ab' * 32}",
        "data": {"sha256": "ab" * 32, "media_type": JPEG, "size": 1},
    }
    answer = desk.client.post(
        "/v1/events",
        content=json.dumps(event),
        headers=desk.headers | {"Content-Type": "application/cloudevents+json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")


def test_the_same_content_at_once_is_stored_once(live):
    """Of many uploads of one content at a time one is 201, the others 200; one event."""
    content = PICTURE * 50_000

    def upload(_number):
        return live.put(content)

    size = live.size
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(upload, range(8)))
    assert sorted(a.status_code for a in answers) == [200] * 7 + [201]
    assert len({a.json()["position"] for a in answers}) == 1
    assert live.size == size + 1
    assert live.files() == [sha256(content)]
    assert live.get(sha256(content)).content == content


def test_files_are_for_the_service_alone(desk):
    """Content lies under aa/bb/<sha256>, mode 0600, below folders of mode 0700."""
    desk.put(PICTURE)
    name = sha256(PICTURE)
    path = desk.folder / name[:2] / name[2:4] / name
    assert path.stat().st_mode & 0o777 == 0o600
    assert {f.stat().st_mode & 0o777 for f in path.parents[:2]} == {0o700}
