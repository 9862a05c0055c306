"""What a crash leaves between the steps of an upload, and what puts it right."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import pytest

from events import errors
from services.evidence import intake
from services.evidence.local import LocalStore
from services.evidence.upkeep import HOUR_US, sweep
from services.wiring import clock
from tests.evidence.conftest import sha256

PICTURE = b"a picture (fictional)"
LATER = 2 * HOUR_US


def crash(*_arguments, **_named):
    """End the upload here, as a crash would: nothing after it happens."""
    raise RuntimeError("crash")


def swept(desk, *, later=LATER):
    """Run the upkeep as it would run later."""
    store = LocalStore(desk.folder)
    return sweep(desk.service.ledger, store, now=clock() + later)


def test_a_crash_after_the_bytes_leaves_nothing_to_read(desk, monkeypatch):
    """Bytes without an event: 404; the same upload again completes it."""
    monkeypatch.setattr(desk.service.ledger.sequencer, "submit", crash)
    assert desk.put(PICTURE).status_code == 500
    monkeypatch.undo()
    assert sha256(PICTURE) in desk.files()
    assert desk.get(sha256(PICTURE)).status_code == 404
    assert desk.put(PICTURE).status_code == 201
    assert desk.get(sha256(PICTURE)).content == PICTURE


def test_bytes_without_an_event_are_collected_when_old(desk, monkeypatch):
    """Not before: an upload may be between its two steps."""
    monkeypatch.setattr(desk.service.ledger.sequencer, "submit", crash)
    assert desk.put(PICTURE).status_code == 500
    monkeypatch.undo()
    desk.put(b"stored")
    assert swept(desk, later=0).orphans == 0
    done = swept(desk)
    assert (done.orphans, done.kept) == (1, 1)
    assert desk.files() == [sha256(b"stored")]


def test_there_is_no_event_before_the_bytes(desk, monkeypatch):
    """A store that fails leaves the log as it was."""

    def refuse(*_arguments):
        raise errors.Unavailable("evidence_store_unavailable")

    size = desk.size
    monkeypatch.setattr(LocalStore, "keep", refuse)
    assert desk.put(PICTURE).status_code == 503
    assert (desk.size, desk.files()) == (size, [])


def test_a_killed_upload_leaves_only_a_staged_file(tmp_path):
    """SIGKILL while bytes come: no content, and the staged file is swept when old."""
    script = """
        import os, signal, sys
        from pathlib import Path
        from services.evidence.intake import receiving
        with receiving(Path(sys.argv[1]), limit=10**9) as intake:
            intake.write(b"x" * 1_000_000)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    store = LocalStore(tmp_path)
    command = [sys.executable, "-c", textwrap.dedent(script), str(store.staging)]
    done = subprocess.run(command, check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(store.kept()) == []
    assert len(list(store.staging.iterdir())) == 1


def test_staged_files_are_swept_when_old(desk):
    """What uploads that a crash ended have left goes; what is young stays."""
    (desk.folder / "incoming" / "tmpabc").write_bytes(b"half")
    assert swept(desk, later=0).staged == 0
    assert swept(desk).staged == 1
    assert desk.files() == []


def test_a_client_that_leaves_leaves_nothing(live):
    """An upload that breaks off is no evidence, and its file goes at once."""

    def breaking():
        yield b"x" * 400_000
        raise RuntimeError("gone")

    size = live.size
    with pytest.raises(RuntimeError, match="gone"):
        live.put(breaking())
    assert live.put(b"next").status_code == 201
    while len(live.files()) > 1:  # The server sees the end of the connection soon.
        pass
    assert live.files() == [sha256(b"next")]
    assert live.size == size + 1


def test_erased_content_goes_and_cannot_come_back(desk):
    """The digest stays in the log; bytes go, 410 from the moment of the event."""
    desk.put(PICTURE)
    admin = desk.key(roles=["admin"], post="records-clerk", unit="hq")
    event = {
        "specversion": "1.0",
        "id": "erase-1",
        "source": "urn:test:oa",
        "type": "henji.evidence.erased.v1",
        "subject": f"evidence/{sha256(PICTURE)}",
        "data": {
            "reason": "A passer-by (模拟数据)",
            "basis": "A request (fictional)",
            "approver_post": "records-head",
        },
    }
    own = desk.headers
    desk.headers = admin
    desk.submit([event])
    desk.headers = own
    size = desk.size
    gone = desk.get(sha256(PICTURE))
    assert (gone.status_code, gone.json()["code"]) == (410, "evidence_erased")
    again = desk.put(PICTURE)
    assert (again.status_code, again.json()["code"]) == (409, "evidence_erased")
    assert swept(desk, later=0).erased == 1
    assert desk.files() == []
    assert desk.size == size


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    """A staging folder that is gone is a store that cannot do it now."""
    with (
        pytest.raises(errors.Unavailable) as caught,
        intake.receiving(tmp_path / "none", limit=1),
    ):
        pass
    assert caught.value.code == "evidence_store_unavailable"
    assert list(tmp_path.iterdir()) == []
