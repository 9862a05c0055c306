"""The commands of the README do what it says: run in order against a live service."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.running import running
from services.serving import served
from services.settings import Settings

TESTED = re.compile(r"^```sh tested\n(.*?)^```", re.MULTILINE | re.DOTALL)
LOCAL = "http://127.0.0.1:8080"
SAMPLE = "tests/importing/receipt_sample.csv"


@pytest.fixture
def folder(root, tmp_path):
    """Return a folder to type in, with the one file of the checkout that is named."""
    (tmp_path / SAMPLE).parent.mkdir(parents=True)
    shutil.copy(root / SAMPLE, tmp_path / SAMPLE)
    return tmp_path


def test_the_commands_of_the_readme_run(root, folder):
    """Typed one after another beside a new service, none fails and all show what they should."""
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("needs curl and bash")
    blocks = TESTED.findall((root / "README.md").read_text("utf-8"))
    settings = Settings(data_dir=folder / "henji-data")
    with (
        running(settings) as service,
        served(service, host="127.0.0.1") as url,
    ):
        done = typed("\n".join(blocks).replace(LOCAL, url), folder)
        size = service.ledger.store.head().size
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Receipt of entry 4 verified offline" in done.stdout
    assert done.stdout.count("entries verified") == 2
    assert '"ok": true, "size": 4' in done.stdout
    assert '"light":{"colour":"red"' in done.stdout
    assert '{"data":[],"next_cursor":null,"has_more":false,"position":3' in done.stdout
    assert '"policy/permit.tree_felling"' in done.stdout
    assert size > 100, "the sample was not imported"


def typed(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in the folder, with the command of this environment first."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("HENJI_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=inherited | {"PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
