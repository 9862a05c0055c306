"""The contract of a store of evidence, held by each of them; S3 against a local server."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import pytest

from events import errors
from services.evidence.local import LocalStore
from services.evidence.opening import open_evidence
from services.evidence.s3 import S3Store, bucket_of
from services.evidence.store import CHUNK
from services.settings import Settings
from tests.evidence.conftest import sha256

CONTENT = bytes(range(256)) * 5_000


@pytest.fixture(scope="module")
def s3_endpoint():
    """Yield the URL of a fictional S3 on loopback."""
    server = pytest.importorskip("moto.server")
    made = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    made.start()
    yield "http://{}:{}".format(*made.get_host_and_port())
    made.stop()


@pytest.fixture
def bucket(s3_endpoint, monkeypatch, request):
    """Make a bucket of its own; return the URL that settings would have."""
    boto3 = pytest.importorskip("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"henji-{abs(hash(request.node.nodeid)) % 10**9}"
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(
        Bucket=name, VersioningConfiguration={"Status": "Enabled"}
    )
    yield f"s3://{name}/evidence?endpoint={s3_endpoint}&region=us-east-1"
    client.close()


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path):
    """Return an empty store of each kind."""
    settings = Settings(data_dir=tmp_path)
    if request.param == "s3":
        url = request.getfixturevalue("bucket")
        settings = Settings(data_dir=tmp_path, evidence_s3_url=url)
    return open_evidence(settings)


def keep(store, content):
    """Keep a content; return its digest."""
    staged = store.staging / "staged"
    staged.write_bytes(content)
    store.keep(staged, sha256(content))
    return sha256(content)


def test_what_is_kept_can_be_read_in_parts(store):
    """Size, the whole in pieces that fit memory, and any part of it."""
    name = keep(store, CONTENT)
    assert store.size(name) == len(CONTENT)
    pieces = list(store.read(name, start=0, end=len(CONTENT)))
    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) <= CHUNK
    assert (
        b"".join(store.read(name, start=300_000, end=900_001))
        == (CONTENT[300_000:900_001])
    )


def test_what_is_not_kept_is_missing(store):
    """No size; reading it is an error with its own code before any byte."""
    assert store.size("0" * 64) is None
    with pytest.raises(errors.Unavailable) as caught:
        next(store.read("0" * 64, start=0, end=1))
    assert caught.value.code == "evidence_bytes_missing"


def test_keeping_again_changes_nothing_that_is_read(store):
    """The same content twice is one piece."""
    keep(store, CONTENT)
    keep(store, CONTENT)
    assert [(p.sha256, p.size) for p in store.kept()] == [
        (sha256(CONTENT), len(CONTENT))
    ]


def test_everything_kept_is_listed_in_order(store):
    """Each piece once, by digest, with the instant since when it is there."""
    names = sorted(keep(store, bytes([n])) for n in range(5))
    found = list(store.kept())
    assert [piece.sha256 for piece in found] == names
    assert all(piece.since > 1_577_836_800_000_000 for piece in found)


def test_what_is_erased_is_gone(store):
    """All versions of it, where the store has versions; a second time there is none."""
    name = keep(store, CONTENT)
    keep(store, CONTENT)
    other = keep(store, b"other")
    assert store.erase(name) is True
    assert store.size(name) is None
    assert store.erase(name) is False
    assert store.size(other) == 5


def test_no_name_but_a_digest_reaches_a_store(store):
    """A path of somebody's making is a mistake of ours, not a file."""
    with pytest.raises(ValueError, match="passwd"):
        store.size("../../etc/passwd")


def test_a_bucket_url_says_where():
    """Bucket, prefix, endpoint and region; anything else is refused."""
    read = bucket_of("s3://proofs/a/b/?endpoint=http://127.0.0.1:9000&region=cn")
    assert (read.name, read.prefix) == ("proofs", "a/b/")
    assert read.options == {
        "endpoint_url": "http://127.0.0.1:9000",
        "region_name": "cn",
    }
    assert bucket_of("s3://proofs").prefix == ""


@pytest.mark.parametrize(
    "url", ["http://x/y", "s3://", "s3:///p", "s3://b?secret=x", "s3://b?region="]
)
def test_a_bad_bucket_url_is_refused(url):
    """At the start, with a code."""
    with pytest.raises(errors.Malformed) as caught:
        bucket_of(url)
    assert caught.value.code == "evidence_s3_url_invalid"


def test_s3_without_its_client_says_what_to_install(monkeypatch, tmp_path):
    """The extra is optional: its absence is told with a code."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(errors.Unavailable) as caught:
        S3Store(bucket_of("s3://b"), staging=tmp_path)
    assert caught.value.code == "evidence_s3_not_installed"


def test_a_service_on_s3_stores_and_returns_evidence(start, bucket):
    """The same interface, whichever store is below."""
    desk = start(evidence_s3_url=bucket)
    assert desk.put(CONTENT).status_code == 201
    assert desk.get(sha256(CONTENT)).content == CONTENT
    part = desk.get(sha256(CONTENT), {"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, CONTENT[10:20])
    assert desk.files() == []


def test_an_s3_that_does_not_answer_is_told(start, bucket, monkeypatch):
    """503 with a code; nothing is in the log of what is not kept."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"s3://none?endpoint=http://127.0.0.1:{port}&region=us-east-1"
    desk = start(evidence_s3_url=url)
    size = desk.size
    answer = desk.put(CONTENT)
    assert (answer.status_code, answer.json()["code"]) == (
        503,
        "evidence_store_unavailable",
    )
    assert (desk.size, desk.files()) == (size, [])


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    """What the file system refuses is ours, with a code."""

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    store = LocalStore(tmp_path)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(errors.Unavailable) as caught:
        keep(store, CONTENT)
    assert caught.value.code == "evidence_store_unavailable"
    assert list(store.kept()) == []


def test_many_threads_keep_the_same_content(tmp_path):
    """Readers see all of it from the first moment on, never a part."""
    store = LocalStore(tmp_path)
    name = sha256(CONTENT)
    seen, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            if store.size(name) is not None:
                got = b"".join(store.read(name, start=0, end=len(CONTENT)))
                seen.append(got == CONTENT)

    def bring(number):
        staged = store.staging / str(number)
        staged.write_bytes(CONTENT)
        store.keep(staged, name)

    reader = threading.Thread(target=look)
    reader.start()
    writers = [threading.Thread(target=bring, args=(n,)) for n in range(8)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    while not seen:
        pass
    stop.set()
    reader.join()
    assert all(seen)
    assert [p.name for p in Path(tmp_path).rglob("*") if p.is_file()] == [name]
