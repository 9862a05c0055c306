"""A service that takes evidence: in process, and over TCP; and events that refer to it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from services.app import create_app
from services.keyring import KeySpec, create_key
from services.running import Service, running
from services.serving import served
from services.settings import Settings
from tests.support import scenario

SCOPES = ("events:write", "events:read", "evidence:write", "backfill", "delegate")
JPEG = "image/jpeg"
Headers = dict[str, str]


def sha256(content: bytes) -> str:
    """Return the name of a content."""
    return hashlib.sha256(content).hexdigest()


@dataclass
class Desk:
    """A client of one service, with a key that may upload, read and submit."""

    service: Service
    client: Any
    headers: Headers = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Return the folder of the embedded store."""
        return self.service.ledger.settings.data_dir / "evidence"

    @property
    def size(self) -> int:
        """Return how many entries the log has."""
        head = self.service.ledger.store.head()
        return head.size if head else 0

    def key(self, **spec: Any) -> Headers:
        """Create a key; return the headers that present it."""
        given = {"name": "test", "roles": ["adapter"], "scopes": SCOPES}
        _, shown = create_key(
            self.service.ledger,
            KeySpec(**{**given, **spec}),
            random_bytes=secrets.token_bytes,
        )
        return {"Authorization": f"Bearer {shown}"}

    def put(
        self,
        content: Any,
        *,
        name: str = "",
        kind: str = JPEG,
        headers: Headers | None = None,
        **query: Any,
    ) -> Any:
        """PUT evidence, under a name if one is given."""
        path = f"/v1/evidence/{name}" if name else "/v1/evidence"
        given = self.headers | {"Content-Type": kind} | (headers or {})
        return self.client.put(
            path, content=content, params=query or None, headers=given
        )

    def get(self, path: str, headers: Headers | None = None, **query: Any) -> Any:
        """GET a path below /v1/evidence/."""
        return self.client.get(
            f"/v1/evidence/{path}",
            params=query or None,
            headers=self.headers | (headers or {}),
        )

    def submit(self, events: Any) -> list[Any]:
        """Submit events as one batch that must be accepted; return its items."""
        answer = self.client.post(
            "/v1/events",
            content=json.dumps(list(events)),
            headers=self.headers
            | {"Content-Type": "application/cloudevents-batch+json"},
        )
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()["items"]

    def files(self) -> list[str]:
        """Return the names of all files in the store, those being received too."""
        return sorted(p.name for p in self.folder.rglob("*") if p.is_file())

    def security_codes(self) -> list[str]:
        """Return the codes of the security log so far."""
        log = self.service.ledger.settings.data_dir / "security.log"
        return [json.loads(line)["code"] for line in log.read_text().splitlines()]


Start = Callable[..., Desk]


@pytest.fixture
def start(tmp_path) -> Iterator[Start]:
    """Return what starts a service with these settings, and a client in process."""
    with ExitStack() as stack:

        def start_one(**changed: Any) -> Desk:
            folder = tmp_path / secrets.token_hex(4)
            settings = Settings(
                data_dir=folder, **{"origin": scenario.ORIGIN, **changed}
            )
            service = stack.enter_context(running(settings))
            client = TestClient(create_app(service), raise_server_exceptions=False)
            desk = Desk(service, stack.enter_context(client))
            desk.headers = desk.key()
            return desk

        yield start_one


@pytest.fixture
def desk(start: Start) -> Desk:
    """A fresh service with default settings, and a client in process."""
    return start()


@pytest.fixture
def live(tmp_path) -> Iterator[Desk]:
    """A fresh service behind a real server on loopback."""
    settings = Settings(data_dir=tmp_path / "live", origin=scenario.ORIGIN)
    with (
        running(settings) as service,
        served(service, host="127.0.0.1") as url,
        httpx2.Client(base_url=url, timeout=60) as client,
    ):
        desk = Desk(service, client)
        desk.headers = desk.key()
        yield desk
