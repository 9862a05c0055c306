"""``henji doctor`` as it is typed: a table or JSON, and an exit code."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from events import messages
from services.cli import app
from services.doctor import examining, surroundings
from services.texts import speaker


@pytest.fixture(autouse=True)
def surrounded(monkeypatch, embedded):
    """Name the ledger in the environment; let the disk be what it is."""
    monkeypatch.setattr(surroundings, "_DISK_WARNS", 0)
    monkeypatch.setattr(surroundings, "_DISK_FAILS", 0)
    monkeypatch.setenv("HENJI_DATA_DIR", str(embedded.data_dir))
    monkeypatch.setenv("COLUMNS", "200")


def test_json_says_everything(embedded):
    """One object: whether all is well, and each check with code, text and remedy."""
    (embedded.data_dir / "signing.keys").chmod(0o644)
    done = CliRunner().invoke(app, ["doctor", "--json"])
    body = json.loads(done.stdout)
    assert (done.exit_code, body["ok"]) == (1, False)
    found = {one["check"]: one for one in body["checks"]}
    assert found["key_file"]["code"] == "key_file_open"
    assert found["key_file"]["title"] == messages.text("key_file_open", "en", {}).title
    assert found["key_file"]["fix"]
    assert found["root"] == {"check": "root", "state": "ok", "code": "", "detail": "1"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_speaks_both_languages(embedded, language):
    """Names, states, texts and remedies are in the language that is asked for."""
    say = speaker(language)
    sound = CliRunner().invoke(app, ["doctor", "--language", language])
    assert sound.exit_code == 0
    assert say("state_ok") in sound.stdout
    assert say("state_failed") not in sound.stdout
    embedded.data_dir.chmod(0o755)
    warned = CliRunner().invoke(app, ["doctor", "--language", language])
    assert warned.exit_code == 0
    told = messages.text("data_folder_open", language)
    assert told.title in warned.stdout
    assert told.fix in warned.stdout


def test_every_check_has_a_name_in_both_languages():
    """No check is shown by its identifier."""
    tables = (examining._HERE, examining._POSTGRES, examining._LEDGER)
    for name in [*(name for table in tables for name, _ in table), "database", "store"]:
        assert speaker("en")(f"check_{name}") != speaker("zh")(f"check_{name}") or (
            name == "kafka"
        )
