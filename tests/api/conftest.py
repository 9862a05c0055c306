"""A service on a fresh embedded ledger, and clients of it: in process, and over TCP.

Only what more than one file here needs; events come from ``tests.support.scenario``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from events.notes import Verifier
from events.receipts import verify_receipt
from services.app import create_app
from services.keyring import KeySpec, create_key
from services.running import Service, running
from services.serving import served
from services.settings import Settings
from tests.support import scenario

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"
Headers = dict[str, str]


@dataclass
class Api:
    """A client of one service, with a key that may do everything unless told."""

    service: Service
    client: Any
    headers: Headers = field(default_factory=dict)

    def key(self, **spec: Any) -> Headers:
        """Create a key; return the headers that present it."""
        given = {
            "name": "test",
            "roles": ["adapter", "auditor"],
            "scopes": scenario.ALL_SCOPES,
        }
        _, shown = create_key(
            self.service.ledger,
            KeySpec(**{**given, **spec}),
            random_bytes=secrets.token_bytes,
        )
        return {"Authorization": f"Bearer {shown}"}

    def get(self, path: str, headers: Headers | None = None, **query: Any) -> Any:
        """GET a path."""
        return self.client.get(
            path, params=query or None, headers=self.headers | (headers or {})
        )

    def post(
        self,
        body: Any,
        kind: str = STRUCTURED,
        *,
        headers: Headers | None = None,
        path: str = "/v1/events",
        **query: Any,
    ) -> Any:
        """POST a body as a media type; what is no bytes becomes JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = self.headers | {"Content-Type": kind} | (headers or {})
        return self.client.post(
            path, params=query or None, content=content, headers=given
        )

    def load(self, events: Any) -> list[Any]:
        """Submit events as one batch that must be accepted; return its items."""
        answer = self.post(list(events), BATCH)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()["items"]

    def proves(self, receipt: str, entry: bytes) -> int:
        """Verify a receipt with nothing but the public keys; return the tree size."""
        vkeys = self.service.ledger.keys.vkeys
        verifiers = [Verifier.from_vkey(vkey) for vkey in vkeys[:1]]
        origin = self.service.ledger.settings.origin
        return verify_receipt(receipt, entry, verifiers, origin).size

    def security_lines(self) -> list[dict[str, Any]]:
        """Return the security log so far; every line must be JSON."""
        path = self.service.ledger.settings.data_dir / "security.log"
        return [json.loads(line) for line in path.read_text("ascii").splitlines()]


Start = Callable[..., Api]


@pytest.fixture
def start(tmp_path) -> Iterator[Start]:
    """Return what starts a service with these settings, and a client in process."""
    with ExitStack() as stack:

        def start_one(**changed: Any) -> Api:
            folder = tmp_path / secrets.token_hex(4)
            settings = Settings(
                data_dir=folder, **{"origin": scenario.ORIGIN, **changed}
            )
            service = stack.enter_context(running(settings))
            client = TestClient(create_app(service), raise_server_exceptions=False)
            api = Api(service, stack.enter_context(client))
            api.headers = api.key()
            return api

        yield start_one


@pytest.fixture
def api(start: Start) -> Api:
    """A fresh service with default settings, and a client in process."""
    return start()


@pytest.fixture
def live(tmp_path) -> Iterator[Api]:
    """A fresh service behind a real server on loopback; short heartbeats."""
    settings = Settings(
        data_dir=tmp_path / "live", origin=scenario.ORIGIN, heartbeat_seconds=0.2
    )
    with (
        running(settings) as service,
        served(service, host="127.0.0.1") as url,
        httpx2.Client(base_url=url, timeout=20) as client,
    ):
        api = Api(service, client)
        api.headers = api.key()
        yield api


def numbered(count: int, first: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Return external events with increasing numbers."""
    return [scenario.external(first + n, **more) for n in range(count)]


def registered_type(api: Api) -> None:
    """Let the external type of the scenario in."""
    api.load([scenario.type_registered()])


@pytest.fixture
def hotline(api: Api) -> Api:
    """A service that takes the external type."""
    registered_type(api)
    return api
