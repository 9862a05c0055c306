"""``henji verify --evidence``: what the log names is there, whole, or gone by law."""

from __future__ import annotations

import json
import shutil

import pytest
from typer.testing import CliRunner

from events.errors import Malformed
from services.auditing import export_tiles
from services.cli import app
from services.evidence.audit import STORE, audit_evidence
from services.evidence.local import LocalStore
from tests.evidence.conftest import sha256
from tests.support import scenario

PICTURES = [f"picture {number} (模拟数据)".encode() for number in range(3)]
DIGESTS = [sha256(picture) for picture in PICTURES]


@pytest.fixture
def kept(desk):
    """A service with three pictures; return it and the position of each."""
    for picture in PICTURES:
        desk.put(picture)
    size = desk.size
    return desk, [size - 2, size - 1, size]


def erase(desk, digest):
    """Erase a picture by law; return the position that says so."""
    boss = scenario.PEOPLE["boss"]
    data = {"reason": "示例", "basis": "示例", "approver_post": boss.post}
    event = scenario.event(
        "henji.evidence.erased.v1",
        f"evidence/{digest}",
        data,
        event_id=f"erase-{digest}",
    )
    headers = desk.key(roles=["admin"], scopes=[*scenario.ALL_SCOPES, "evidence:write"])
    answer = desk.client.post("/v1/events", json=event, headers=_of_event(headers))
    assert answer.status_code == 201, answer.text
    return desk.size


def _of_event(headers):
    return headers | {"Content-Type": "application/cloudevents+json"}


def found(desk, where=STORE, target=""):
    """Return the audit, and its findings as (position, digest, code)."""
    settings = desk.service.ledger.settings
    audit = audit_evidence(target, str(where), settings, size=desk.size)
    return audit, [tuple(one) for one in audit.findings]


def path_of(folder, digest):
    """Return where a folder keeps a digest."""
    return folder / digest[:2] / digest[2:4] / digest


def test_evidence_that_is_as_the_log_says_is_sound(kept):
    """Everything is looked up, in the store and in a copy of its folder."""
    desk, _ = kept
    for where in (STORE, desk.folder):
        audit, findings = found(desk, where)
        assert (audit.ok, audit.checked, audit.erased, findings) == (True, 3, 0, [])


def test_missing_and_different_content_is_named_with_its_position(kept):
    """One file gone, one with a byte changed and its length kept."""
    desk, at = kept
    path_of(desk.folder, DIGESTS[0]).unlink()
    changed = path_of(desk.folder, DIGESTS[2])
    changed.write_bytes(b"P" + PICTURES[2][1:])
    audit, findings = found(desk)
    assert not audit.ok
    assert findings == [
        (at[0], DIGESTS[0], "evidence_missing"),
        (at[2], DIGESTS[2], "evidence_differs"),
    ]


def test_content_that_was_erased_by_law_is_not_missed_and_must_be_gone(kept, tmp_path):
    """Gone from the store; in a copy made before it is still there."""
    desk, _ = kept
    copy = tmp_path / "copy"
    shutil.copytree(desk.folder, copy)
    position = erase(desk, DIGESTS[1])
    path_of(desk.folder, DIGESTS[1]).unlink(missing_ok=True)
    audit, findings = found(desk)
    assert (audit.ok, audit.checked, audit.erased, findings) == (True, 2, 1, [])
    assert found(desk, copy)[1] == [(position, DIGESTS[1], "evidence_not_erased")]


def test_the_tiles_of_a_log_name_the_same_evidence(kept, tmp_path):
    """An auditor with tiles and a folder needs no service and no database."""
    desk, at = kept
    path_of(desk.folder, DIGESTS[1]).unlink()
    note = desk.client.get("/log/checkpoint").text
    export_tiles(desk.service.ledger.store, tmp_path / "tiles", note)
    findings = found(desk, desk.folder, str(tmp_path / "tiles"))[1]
    assert findings == [(at[1], DIGESTS[1], "evidence_missing")]


def test_a_folder_that_is_audited_is_left_as_it_was(kept, tmp_path):
    """Nothing is made in it; one that is not there is refused, not made."""
    desk, _ = kept
    empty = tmp_path / "empty"
    empty.mkdir()
    assert len(found(desk, empty)[1]) == 3
    assert list(empty.iterdir()) == []
    assert LocalStore.to_read(empty).size(DIGESTS[0]) is None
    with pytest.raises(Malformed) as caught:
        found(desk, tmp_path / "nowhere")
    assert caught.value.code == "evidence_folder_unknown"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_says_what_is_wrong_and_exits_with_1(kept, language):
    """In words with digest and position, and as JSON."""
    desk, at = kept
    settings = desk.service.ledger.settings
    command = ["verify", "--evidence", STORE, "--data-dir", str(settings.data_dir)]
    told = CliRunner().invoke(app, [*command, "--language", language])
    assert told.exit_code == 0, told.output
    path_of(desk.folder, DIGESTS[0]).unlink()
    told = CliRunner().invoke(app, [*command, "--language", language])
    assert told.exit_code == 1
    assert DIGESTS[0] in told.output
    assert str(at[0]) in told.output
    told = CliRunner().invoke(app, [*command, "--json"])
    answer = json.loads(told.stdout)
    assert (told.exit_code, answer["ok"]) == (1, False)
    (finding,) = answer["evidence"]["findings"]
    assert finding["code"] == "evidence_missing"
