"""What docker-compose.yml starts is what the command, the settings and the roles know."""

from __future__ import annotations

import re
import shutil
import subprocess

import msgspec
import pytest
import typer.main
import yaml

from services.cli import app
from services.deploy import passwords
from services.settings import Settings, from_environment

#: Read by commands of their own, not by the settings.
OTHER = {"HENJI_OWNER_URL"}


@pytest.fixture(scope="module")
def compose(root):
    """Return the file with its anchors resolved."""
    return yaml.safe_load((root / "docker-compose.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def ours(compose):
    """Return the containers that run our image."""
    own = {n: s for n, s in compose["services"].items() if "build" in s}
    assert {"api", "install", "project", "relay", "ingest", "schedule"} <= set(own)
    return own


def test_every_variable_is_a_setting(ours):
    """No container is given a variable that nobody reads."""
    known = {f"HENJI_{f.name.upper()}" for f in msgspec.structs.fields(Settings)}
    given = {
        name.removesuffix("_FILE")
        for service in ours.values()
        for name in service["environment"]
    }
    assert given <= known | OTHER


def test_every_command_is_one_of_ours(ours):
    """Each container's command and options are known to the command line."""
    for service in ours.values():
        command = typer.main.get_command(app)
        words = list(service["command"])
        while words and hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        options = {option for p in command.params for option in p.opts}
        assert {word.partition("=")[0] for word in words} <= options


def test_our_containers_cannot_do_more_than_they_need(ours):
    """No root, no capability, nothing writable but their volume, limits on all."""
    for service in ours.values():
        assert service["user"] == "10001:10001"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert set(service["deploy"]["resources"]["limits"]) == {
            "cpus",
            "memory",
            "pids",
        }


def test_only_who_signs_sees_the_signing_keys(ours):
    """The folder with the keys is the volume of those that append, and of no other."""
    signing = {
        name
        for name, service in ours.items()
        if any(volume.endswith(":/data") for volume in service.get("volumes", ()))
    }
    assert signing == {"api", "schedule", "ingest"}


def test_whatever_stays_up_is_asked_whether_it_lives(compose):
    """Each lasting container has a health check; volumes are named ones."""
    for name, service in compose["services"].items():
        if service.get("restart") != "no":
            assert "healthcheck" in service, name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source.startswith("./secrets/") or source in compose["volumes"]


def test_only_the_api_is_published_and_only_to_this_machine(compose):
    """Databases and brokers are reached from inside; TLS comes in front of the API."""
    ports = {n: s["ports"] for n, s in compose["services"].items() if "ports" in s}
    assert ports == {"api": ["127.0.0.1:8080:8080"]}
    assert compose["networks"]["backend"]["internal"] is True


def test_every_secret_is_made_and_each_process_gets_its_own(compose, ours, tmp_path):
    """`make secrets` writes all of them, once; a process sees the secret of its role."""
    folder = tmp_path / "secrets"
    made = passwords.make(folder)
    assert {f"secrets/{name}" for name in made} == {
        secret["file"] for secret in compose["secrets"].values()
    }
    before = {name: (folder / name).read_text() for name in made}
    assert passwords.make(folder) == []
    assert before == {name: (folder / name).read_text() for name in made}
    assert len(set(before.values())) == len(before)
    for name, service in ours.items():
        assert len(service["secrets"]) == 1, name


def test_the_roles_get_the_passwords_of_their_urls(root, tmp_path):
    """The script that makes the roles reads from a URL what `make secrets` put there."""
    passwords.make(tmp_path)
    script = (root / "services/deploy/roles.sh").read_text()
    function = re.search(r"^password\(\) \{.*\}$", script, re.MULTILINE)[0]
    local = function.replace("/run/secrets", str(tmp_path))
    for role in ("owner", "writer", "projector", "reader"):
        run = subprocess.run(
            ["sh", "-c", f"{local}\npassword {role}"],
            capture_output=True,
            text=True,
            check=True,
        )
        url = (tmp_path / f"{role}_url").read_text()
        assert f"henji_{role}:{run.stdout.strip()}@postgres/" in url
        assert len(run.stdout.strip()) > 20


def test_a_setting_may_come_from_a_file(tmp_path):
    """`HENJI_…_FILE` gives the content of a file; the variable itself goes first."""
    path = tmp_path / "url"
    path.write_text("postgresql://w@db/henji\n")
    given = {"HENJI_DATABASE_URL_FILE": str(path)}
    assert from_environment(given).database_url == "postgresql://w@db/henji"
    given["HENJI_DATABASE_URL"] = "postgresql://other"
    assert from_environment(given).database_url == "postgresql://other"


def test_the_image_has_no_installer_and_runs_as_nobody(root):
    """Wheels are pinned by hash in the first stage; pip does not reach the second."""
    build, last = (root / "Dockerfile").read_text().split("FROM ${PYTHON}\n")
    assert "--require-hashes --only-binary :all:" in build
    assert "--without-pip" in build
    assert re.search(r"^ARG PYTHON=python:3\.\d+\.\d+-slim", build, re.MULTILINE)
    assert "rm -rf /usr/local/lib/python3*/site-packages/*" in last
    assert "USER 10001:10001" in last


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--profile", "ingest"],
        [
            "--env-file",
            "services/deploy/three-brokers.env",
            "--profile",
            "three-brokers",
        ],
    ],
    ids=["default", "ingest", "three-brokers"],
)
def test_compose_itself_finds_nothing(root, options):
    """`docker compose config` resolves the file, with every profile."""
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run(
            [docker, "compose", "version"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no docker compose here")
    run = subprocess.run(
        [docker, "compose", *options, "config", "--quiet"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
