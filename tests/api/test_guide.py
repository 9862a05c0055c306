"""The guide in services/README.md: its commands run as they are written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "services" / "README.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*?)(?=^\$ |\Z)", re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Return the commands of the guide, in order."""
    text = GUIDE.read_text("utf-8")
    return [
        one.strip() for block in BLOCK.findall(text) for one in COMMAND.findall(block)
    ]


def test_every_command_of_the_guide_runs(live):
    """Each curl of the guide succeeds, one after the other, on a fresh service."""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    environment = {
        "PATH": os.environ["PATH"],
        "URL": str(live.client.base_url).rstrip("/"),
        "KEY": live.headers["Authorization"].removeprefix("Bearer "),
    }
    found = commands()
    assert len(found) > 12
    for command in found:
        done = subprocess.run(
            [
                "sh",
                "-c",
                command.replace("curl -s", "curl -sS --fail-with-body -m 20", 1),
            ],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert done.stdout


def test_the_guide_names_real_paths_and_codes(live):
    """Paths, scopes and problem types that the guide names exist."""
    text = GUIDE.read_text("utf-8")
    paths = set(live.client.get("/openapi.json").json()["paths"])
    known = {re.sub(r"\{\w+\}", "", path) for path in paths}
    for path in re.findall(
        r"`(?:POST\s+)?(/(?:v1|log|healthz|readyz|metrics)[^`?]*)`", text
    ):
        plain = re.sub(r"\{\w+\}", "", path).rstrip("…").rstrip("/")
        assert any(
            one.startswith(plain) or (one[-1] == "/" and plain.startswith(one))
            for one in known
        ), path


def test_answers_of_the_guide_are_what_it_says(live):
    """The batch of the guide has mixed results, as the text around it says."""

    def body(marker: str) -> object:
        command = next(one for one in commands() if marker in one)
        return json.loads(command[command.index("-d '") + 4 : -1])

    assert live.post(body("type_registered")).status_code == 201
    batch = "application/cloudevents-batch+json"
    answer = live.post(body("on_error=continue"), batch, on_error="continue")
    assert answer.status_code == 207
    assert [item["status"] for item in answer.json()["items"]] == [201, 422]
