"""Each container of docker-compose.yml as a plain process, on databases and a broker.

Its command and its environment are exactly those of the file; only hosts, secrets and
folders are replaced. What has no volume has no folder either.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from services.deploy import alive
from tests.support import scenario
from tests.support.brokers import _free_ports as free_ports

ROLES = ("owner", "writer", "projector", "reader")
#: Where a process without a volume would have to write: nobody can make a folder there.
NOWHERE = "/proc/henji"
SECONDS = 40
CREATE = ("keys", "create", "--name=t", "--role=adapter")


@pytest.fixture
def urls(new_postgres_database, postgres_server):
    """Return conninfo strings of a database with the four roles of roles.sh."""
    owner, _ = new_postgres_database()
    database = owner.split("dbname=")[1]
    found = {"owner": owner}
    with psycopg.connect(postgres_server.dsn(database), autocommit=True) as admin:
        for role in ROLES[1:]:
            name = f"henji_{role}"
            admin.execute(f"DROP ROLE IF EXISTS {name}")
            admin.execute(f"CREATE ROLE {name} LOGIN")
            found[role] = make_conninfo(owner, user=name)
    yield found
    with psycopg.connect(postgres_server.dsn(database), autocommit=True) as admin:
        for role in ROLES[1:]:
            admin.execute(f"DROP OWNED BY henji_{role}; DROP ROLE henji_{role}")


@pytest.fixture
def site(root, tmp_path, urls, kafka):
    """Return what runs a container of the file here."""
    compose = yaml.safe_load((root / "docker-compose.yml").read_text("utf-8"))
    for role, url in urls.items():
        (tmp_path / f"{role}_url").write_text(url)
    return Site(compose["services"], tmp_path, kafka.bootstrap)


@pytest.fixture
def root(pytestconfig):
    """Return the folder of the repository."""
    return pytestconfig.rootpath


class Site:
    """The machine that stands for the engine: folders, ports, processes."""

    def __init__(self, services, folder, bootstrap):
        """Take the file's services, a folder for the volume and the secrets."""
        self.services, self.folder, self.bootstrap = services, folder, bootstrap
        self.ports = {}

    def environment(self, name):
        """Return the environment of a container, with what is elsewhere here."""
        service = self.services[name]
        volumes = " ".join(service.get("volumes", ()))
        api, metrics = free_ports(2)
        self.ports[name] = api if name == "api" else metrics
        here = {
            "HENJI_DATA_DIR": self.folder / "data" if "/data" in volumes else NOWHERE,
            "HENJI_ORIGIN": "log.example/rehearsal",
            "HENJI_KAFKA": self.bootstrap,
            "HENJI_KAFKA_TOPIC": "rehearsal.events",
            "HENJI_METRICS_PORT": metrics,
            "HENJI_INGEST_TOPICS": self.folder / "ingest.toml",
        }
        given = {
            variable: str(here.get(variable, value)).replace(
                "/run/secrets", str(self.folder)
            )
            for variable, value in service["environment"].items()
        }
        # The port of the API is the only thing that the file leaves to a default.
        return given | {"PATH": os.environ["PATH"], "HENJI_PORT": str(api)}

    def command(self, name, *words):
        """Return the words and the surroundings of a container's process."""
        line = [
            sys.executable,
            "-m",
            "services",
            *(words or self.services[name]["command"]),
        ]
        return line, {"env": self.environment(name), "stdin": subprocess.DEVNULL}

    def run(self, name, *words):
        """Run a container to its end; return what it printed."""
        line, surroundings = self.command(name, *words)
        done = subprocess.run(
            line, capture_output=True, text=True, check=False, **surroundings
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def up(self, name):
        """Run a container that stays, from when its health check passes."""
        line, surroundings = self.command(name)
        with (self.folder / f"{name}.log").open("w+") as log:
            process = subprocess.Popen(line, stderr=log, stdout=log, **surroundings)
            try:
                self.await_health(name, process)
                yield process
            finally:
                process.terminate()
                assert process.wait(timeout=SECONDS) in {0, -15}, log.read()

    def await_health(self, name, process):
        """Ask as the container's health check does, until it is healthy."""
        url = self.services[name]["healthcheck"]["test"][-1]
        tail = url.rpartition("/")[2]
        port = self.ports[name]
        deadline = time.monotonic() + SECONDS
        while alive.main(f"http://127.0.0.1:{port}/{tail}"):
            log = (self.folder / f"{name}.log").read_text()
            assert process.poll() is None, log
            assert time.monotonic() < deadline, log


def test_every_container_does_its_work(site):
    """Installed, healthy, and one event goes in by HTTP and comes out on the topic."""
    site.run("install")
    scopes = [
        f"--scope={one}" for one in ("events:write", "events:read", "types:write")
    ]
    key = site.run("api", *CREATE, *scopes)
    with site.up("api"), site.up("project"), site.up("schedule"), site.up("relay"):
        submit(site.ports["api"], key)
        position = ask(site.ports["api"], key, "/v1/events/call-1")
        ask(site.ports["api"], key, "/v1/commitments?min_position=3")
        await_metric(site.ports["relay"], "henji_relay_lag_events 0.0")
        (site.folder / "ingest.toml").write_text(
            f'[[topic]]\nname = "rehearsal.in"\nkey = "{key.split("_")[1]}"\n'
        )
        with site.up("ingest"):
            await_metric(site.ports["ingest"], "henji_ingest_paused 0.0")
    assert position["id"] == "call-1"


def test_keys_are_rotated_beside_a_running_api(site):
    """The process that runs signs nothing more, says why, and goes on once restarted."""
    site.run("install")
    key = site.run("api", *CREATE, "--scope=types:write", "--scope=events:write")
    with site.up("api"):
        port = site.ports["api"]
        site.run("api", "keys", "rotate-signing", "--reason", "drill")
        with pytest.raises(AssertionError, match="sequencer_stopped"):
            submit(port, key)
        with pytest.raises(AssertionError, match="signing_key_retired"):
            ask(port, key, "/readyz")
    with site.up("api"):
        submit(site.ports["api"], key)
        ask(site.ports["api"], key, "/readyz")


def submit(port, key):
    """Register a type and submit an event of it."""
    events = [scenario.type_registered(), scenario.external(1)]
    ask(port, key, "/v1/events", events, "application/cloudevents-batch+json")


def ask(port, key, path, body=None, kind="application/json"):
    """Ask the API; return the JSON of its answer."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
    content = None if body is None else json.dumps(body).encode()
    request = Request(f"http://127.0.0.1:{port}{path}", content, headers)
    try:
        with urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise AssertionError(error.read().decode()) from error


def await_metric(port, line):
    """Wait until a worker's metrics have this line."""
    deadline = time.monotonic() + SECONDS
    while True:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS) as answer:
            text = answer.read().decode()
        if line in text.splitlines():
            return
        assert time.monotonic() < deadline, text
