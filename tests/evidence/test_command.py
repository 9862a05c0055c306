"""`henji evidence put` and `get` against a live service."""

from __future__ import annotations

import json

import httpx2
import pytest
import typer
from typer.testing import CliRunner

from events import errors
from services.evidence import intake
from services.evidence.command import Service, download, register, upload
from tests.evidence.conftest import sha256

PICTURE = b"\xff\xd8\xff a picture (fictional)"


@pytest.fixture
def run():
    """Return what runs a command line of the group."""
    app = typer.Typer()
    register(app)

    def run_one(*arguments):
        return CliRunner().invoke(app, ["evidence", *map(str, arguments)])

    return run_one


@pytest.fixture
def where(live):
    """Return the options that say where the service is."""
    key = live.headers["Authorization"].split()[1]
    return ["--url", str(live.client.base_url), "--key", key]


def service_of(handler):
    """Return a service whose answers a function makes."""
    return Service("http://x.test", "k", httpx2.MockTransport(handler))


def test_put_and_get_bring_a_file_there_and_back(run, where, tmp_path):
    """The answer has the receipt; the copy is the file."""
    file, copy = tmp_path / "before.jpg", tmp_path / "copy.jpg"
    file.write_bytes(PICTURE)
    done = run("put", file, "--captured-at", "2017-11-24T02:05:00Z", *where)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.output)
    assert answer["media_type"] == "image/jpeg"
    assert answer["receipt"].startswith("c2sp.org/tlog-proof@v1")
    done = run("get", answer["sha256"], "-o", copy, *where)
    assert done.exit_code == 0, done.output
    assert copy.read_bytes() == PICTURE


def test_a_refusal_is_told_in_the_words_of_the_service(run, where, tmp_path):
    """The code of the problem is in the detail."""
    file = tmp_path / "page.html"
    file.write_bytes(b"<p>")
    error = run("put", file, *where).exception
    assert isinstance(error, errors.Malformed)
    assert error.code == "evidence_answer_unusable"
    assert "unsupported_media_type" in error.detail


def test_what_does_not_have_the_digest_is_not_written(tmp_path):
    """A service that gives something else out leaves no file behind."""
    service = service_of(lambda _request: httpx2.Response(200, content=b"else"))
    with pytest.raises(errors.Corrupt) as caught:
        download(service, sha256(PICTURE), tmp_path / "copy")
    assert caught.value.code == "evidence_digest_differs"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_content_leaves_no_file(run, where, tmp_path):
    """404 is an error with its code, and nothing appears."""
    folder = tmp_path / "to"
    folder.mkdir()
    error = run("get", "0" * 64, "-o", folder / "copy", *where).exception
    assert "evidence_unknown" in error.detail
    assert list(folder.iterdir()) == []


def test_an_unreachable_service_is_told(tmp_path):
    """With a code, not with a traceback."""

    def refuse(_request):
        raise httpx2.ConnectError("refused")

    file = tmp_path / "a.jpg"
    file.write_bytes(PICTURE)
    with pytest.raises(errors.Unavailable) as caught:
        upload(service_of(refuse), file, media_type="image/jpeg", query={})
    assert caught.value.code == "evidence_transfer_failed"


def test_an_answer_about_something_else_is_not_believed(tmp_path):
    """The digest of the answer must be that of the file."""
    file = tmp_path / "a.jpg"
    file.write_bytes(PICTURE)
    other = service_of(lambda _request: httpx2.Response(201, json={"sha256": "0" * 64}))
    with pytest.raises(errors.Malformed) as caught:
        upload(other, file, media_type="image/jpeg", query={})
    assert caught.value.code == "evidence_answer_unusable"


def test_sm3_is_there_without_the_standard_library(monkeypatch):
    """Where OpenSSL leaves SM3 out, another implementation gives the same (GB/T 32905)."""

    def none(*_args, **_named):
        raise ValueError("unsupported hash type")

    wanted = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    for _ in range(2):
        state = intake.sm3()
        state.update(b"a")
        state.update(b"bc")
        assert state.digest().hex() == state.digest().hex() == wanted
        monkeypatch.setattr("hashlib.new", none)
