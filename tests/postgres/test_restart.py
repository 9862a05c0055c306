"""PostgreSQL goes away and comes back under a serving process; a reading process."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from services.keyring import KeySpec, create_key
from services.running import Service, running
from services.serving import served
from services.settings import Settings
from services.wiring import install_postgres
from tests.support import embedded_postgres, scenario

PATIENCE = 30.0


@dataclass
class Client:
    """A client of a served service, with a key that may do everything."""

    url: str
    key: str

    def ask(
        self, method: str, path: str, kind: str = "", **given: Any
    ) -> httpx2.Response:
        """Send one request, with a body of this media type if there is one."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if kind:
            headers["Content-Type"] = kind
        return httpx2.request(
            method, self.url + path, headers=headers, timeout=20, **given
        )

    def submit(self, number: int) -> httpx2.Response:
        """Submit an event; its number makes its id."""
        body = json.dumps(scenario.external(number))
        kind = "application/cloudevents+json"
        return self.ask("POST", "/v1/events", kind, content=body)


def key_of(service: Service) -> str:
    """Return a key of the service's ledger, which takes external events."""
    service.ledger.submit_as_operator(scenario.type_registered())
    spec = KeySpec("test", roles=["adapter", "auditor"], scopes=scenario.ALL_SCOPES)
    return create_key(service.ledger, spec, random_bytes=secrets.token_bytes)[1]


@pytest.fixture
def server():
    """Return a PostgreSQL of this test's own, with a ledger installed."""
    with embedded_postgres.running() as server:
        install_postgres(
            server.dsn(),
            schema="henji",
            writer_role="writer",
            others={"projector": "projector", "reader": "reader"},
        )
        yield server


@pytest.fixture
def settings(server, tmp_path) -> Settings:
    """Return settings of the writer's process, with read models in a thread."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url=server.dsn(user="writer"),
        origin=scenario.ORIGIN,
        projection="off",
    )


def until(condition, told: str) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


@pytest.mark.parametrize("way", ["stop", "crash", "kill"])
def test_a_restart_is_answered_and_survived(server, settings, way):
    """503 with Retry-After while the database is away; then all goes on by itself."""
    with running(settings) as service, served(service, host="127.0.0.1") as url:
        client = Client(url, key_of(service))
        assert client.submit(1).status_code == 201
        assert client.ask("GET", "/v1/events").status_code == 200
        getattr(server, way)()
        for answer in (client.submit(2), client.ask("GET", "/v1/events")):
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
            assert answer.json()["code"] in {
                "store_unavailable",
                "store_busy",
                "commit_unknown",
            }
        assert client.ask("GET", "/healthz").status_code == 200
        ready = client.ask("GET", "/readyz")
        assert ready.status_code == 503
        assert ready.json()["findings"][0]["code"] == "store_unreachable"
        server.start()
        # What was not acknowledged is sent again, and counts once.
        assert client.submit(2).status_code in {200, 201}
        assert client.submit(1).status_code == 200
        assert client.ask("GET", "/v1/events").status_code == 200
        until(
            lambda: client.ask("GET", "/readyz").status_code == 200, "it is ready again"
        )


def test_a_reading_process_serves_reads(server, settings):
    """Connected as the reader, a service answers queries and refuses submissions."""
    with running(settings) as writing:
        key = key_of(writing)
        with served(writing, host="127.0.0.1") as url:
            assert Client(url, key).submit(1).status_code == 201
    reading = replace(settings, database_url=server.dsn(user="reader"))
    with running(reading) as service, served(service, host="127.0.0.1") as url:
        client = Client(url, key)
        events = client.ask("GET", "/v1/events").json()["data"]
        assert len(events) == service.ledger.store.head().size
        refused = client.submit(2)
        assert (refused.status_code, refused.json()["code"]) == (503, "store_read_only")
        assert client.submit(3).json()["code"] == "store_read_only"
        assert client.ask("GET", "/log/checkpoint").status_code == 200
        assert client.ask("GET", "/readyz").status_code == 200


def test_readiness_warns_before_partitions_run_out(server, settings, monkeypatch):
    """Few positions left is told while there is still time; none left is not ready."""
    with running(settings) as service, served(service, host="127.0.0.1") as url:
        client = Client(url, key_of(service))
        for free, status in ((99_999, 200), (0, 503)):
            monkeypatch.setattr(service.ledger.store, "room", lambda free=free: free)
            ready = client.ask("GET", "/readyz")
            assert ready.status_code == status
            found = ready.json()["findings"][0]
            assert (found["code"], found["detail"]) == ("log_partitions_low", str(free))
