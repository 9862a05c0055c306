"""What goes out: whole, ranges, headers, and never bytes that are not the evidence."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import errors
from services.api.downloads import checked, span
from tests.evidence.conftest import sha256

PICTURE = bytes(range(256)) * 4_000
NAME = sha256(PICTURE)


@pytest.fixture
def stored(desk):
    """A service that has the picture."""
    assert desk.put(PICTURE).status_code == 201
    return desk


def path_of(desk, name):
    """Return the file of a content."""
    return desk.folder / name[:2] / name[2:4] / name


def test_the_bytes_come_back_with_headers_for_saving(stored):
    """As they were sent; as an attachment, never sniffed, cached for ever in private."""
    answer = stored.get(NAME)
    assert answer.content == PICTURE
    headers = answer.headers
    assert headers["content-type"] == "image/jpeg"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["cache-control"] == "private, max-age=31536000, immutable"
    assert headers["etag"] == f'"{NAME}"'
    digest = b64encode(hashlib.sha256(PICTURE).digest()).decode()
    assert headers["repr-digest"] == f"sha-256=:{digest}:"


def test_head_tells_the_size_without_the_bytes(stored):
    """HEAD is GET without content."""
    path = f"/v1/evidence/{NAME}"
    answer = stored.client.head(path, headers=stored.headers)
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(PICTURE))
    assert answer.content == b""


@pytest.mark.parametrize(
    ("asked", "part", "shown"),
    [
        ("bytes=0-9", PICTURE[:10], "bytes 0-9/1024000"),
        ("bytes=1000-", PICTURE[1000:], "bytes 1000-1023999/1024000"),
        ("bytes=-7", PICTURE[-7:], "bytes 1023993-1023999/1024000"),
        ("bytes=5-99999999", PICTURE[5:], "bytes 5-1023999/1024000"),
    ],
)
def test_a_range_is_answered_with_that_range(stored, asked, part, shown):
    """206 with Content-Range."""
    answer = stored.get(NAME, {"Range": asked})
    assert answer.status_code == 206
    assert answer.content == part
    assert answer.headers["content-range"] == shown


@pytest.mark.parametrize("asked", ["bytes=1024000-", "bytes=-0"])
def test_a_range_outside_is_not_satisfiable(stored, asked):
    """416 tells the size."""
    answer = stored.get(NAME, {"Range": asked})
    assert (answer.status_code, answer.json()["status"]) == (416, 416)
    assert answer.headers["content-range"] == "bytes */1024000"


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=9-1"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=0-1,5-6"},
        {"Range": "bytes=0-9", "If-Range": '"another"'},
        {"Range": "bytes=-2000000"},
    ],
)
def test_a_range_that_does_not_count_is_answered_with_all(stored, headers):
    """200 with the whole content."""
    answer = stored.get(NAME, headers)
    assert (answer.status_code, answer.content) == (200, PICTURE)


def test_what_the_client_has_is_not_sent_again(stored):
    """304 for the same entity tag."""
    answer = stored.get(NAME, {"If-None-Match": f'"{NAME}"'})
    assert (answer.status_code, answer.content) == (304, b"")


def test_personal_content_is_not_cached(desk):
    """What shows persons must not stay in a cache after it was erased."""
    desk.put(PICTURE, personal="true")
    assert desk.get(NAME).headers["cache-control"] == "no-store"


def test_unknown_content_is_not_found(desk):
    """404 for a digest that was never stored; 400 for what is no digest."""
    assert desk.get("0" * 64).json()["code"] == "evidence_unknown"
    assert desk.get("x").status_code == 400


def test_bytes_without_an_event_cannot_be_read(desk):
    """Only the log says what is stored: a file in the folder is nothing by itself."""
    path = path_of(desk, NAME)
    path.parent.mkdir(parents=True)
    path.write_bytes(PICTURE)
    assert desk.get(NAME).status_code == 404


def test_lost_bytes_are_told_and_an_upload_puts_them_back(stored):
    """503 with a code of its own; the same content again heals it without an event."""
    path_of(stored, NAME).unlink()
    assert stored.get(NAME).json()["code"] == "evidence_bytes_missing"
    assert stored.put(PICTURE).status_code == 200
    assert stored.get(NAME).content == PICTURE


def test_a_small_damaged_file_is_an_error(desk):
    """What fits one piece is checked before the answer begins."""
    desk.put(b"small")
    path_of(desk, sha256(b"small")).write_bytes(b"smell")
    answer = desk.get(sha256(b"small"))
    assert (answer.status_code, answer.json()["code"]) == (500, "evidence_damaged")
    desk.put(b"small")
    assert desk.get(sha256(b"small")).content == b"small"


def test_a_damaged_file_never_arrives_whole():
    """The last piece is held back until the digest of all is right."""
    pieces = [b"one", b"two", b"three"]
    good = sha256(b"".join(pieces))
    assert list(checked(iter(pieces), good)) == pieces
    came = []
    with pytest.raises(errors.Corrupt, match="evidence_damaged"):
        came.extend(checked(iter([b"one", b"too", b"three"]), good))
    with pytest.raises(errors.Corrupt):
        list(checked(iter(pieces[:2]), good))
    assert b"three" not in came


def test_reading_needs_its_scope(stored):
    """A key that may only upload may not download."""
    headers = stored.key(scopes=["evidence:write"])
    assert stored.get(NAME, headers).status_code == 403


@given(
    size=st.integers(1, 1_000),
    first=st.integers(0, 1_100),
    last=st.none() | st.integers(0, 1_100),
)
def test_a_span_lies_within_the_content(size, first, last):
    """Whatever is asked for, [start, end) is within, or empty where nothing is there."""
    start, end = span(f"bytes={first}-{'' if last is None else last}", size)
    content = bytes(size)
    if last is not None and last < first:
        assert (start, end) == (0, size)
    elif first >= size:
        assert start >= end
    else:
        stop = size if last is None else last + 1
        assert content[start:end] == content[first:stop]
        assert 0 <= start < end <= size
