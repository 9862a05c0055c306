"""Nothing is held whole: memory stays flat however large the evidence is."""

from __future__ import annotations

import hashlib
import tracemalloc

from services.evidence.command import Service, download, upload
from services.evidence.intake import receiving
from services.evidence.store import CHUNK

MEBIBYTE = bytes(range(256)) * 4_096
#: A few pieces on their way, wherever they are; far below the content.
MOST = 16 * CHUNK


def peak_of(call, *args, **named):
    """Return what a call returns, and the most memory that Python held meanwhile."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = call(*args, **named)
        return result, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_forty_mebibytes_pass_through_in_pieces(live, tmp_path):
    """Server and client are in this process; both together stay below a few MiB."""
    file, copy = tmp_path / "film.mp4", tmp_path / "copy.mp4"
    with file.open("wb") as film:
        film.writelines(MEBIBYTE for _ in range(40))
    service = Service(
        str(live.client.base_url), live.headers["Authorization"].split()[1]
    )
    answer, peak = peak_of(
        upload, service, file, media_type="video/mp4", query={"name": "film.mp4"}
    )
    assert answer["size"] == 40 * len(MEBIBYTE)
    assert peak < MOST
    size, peak = peak_of(download, service, answer["sha256"], copy)
    assert size == answer["size"]
    assert peak < MOST
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == answer["sha256"]


def test_both_digests_are_computed_as_it_comes(tmp_path):
    """In pieces of any size they are what they are of the whole."""
    with receiving(tmp_path, limit=10**9) as intake:
        for size in (1, 2, 63, 64, 65, 4_095, 100_000):
            intake.write(MEBIBYTE[:size])
        content = intake.finish()
        whole = content.path.read_bytes()
    assert content.size == len(whole)
    assert content.sha256 == hashlib.sha256(whole).hexdigest()
    assert content.sm3 == hashlib.new("sm3", whole).hexdigest()
    assert list(tmp_path.iterdir()) == []
