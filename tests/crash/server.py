"""A real server process that can be killed, and clients that load it and keep records."""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from services.auth import compose_key
from services.settings import from_environment
from services.wiring import open_ledger
from tests.support import scenario

ROOT = Path(__file__).parents[2]
BATCH = "application/cloudevents-batch+json"
SINGLE = "application/cloudevents+json"

Events = list[scenario.Event]


@dataclass
class Server:
    """``python -m services serve`` on the ledger of these settings (``HENJI_…``)."""

    settings: Mapping[str, str]
    token: str = ""
    vkeys: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    url: str = ""

    def prepare(self) -> None:
        """Open the ledger before the first start: a key, the external type."""
        self.token, hashed = compose_key(scenario.ADAPTER, secrets.token_bytes(32))
        key = scenario.key_created(
            scenario.ADAPTER, secret_sha256=hashed, scopes=scenario.ALL_SCOPES
        )
        with open_ledger(from_environment(self.settings)) as ledger:
            self.vkeys = ledger.keys.vkeys[:1]
            for event in (key, scenario.type_registered()):
                ledger.submit_as_operator(event)

    def start(self) -> None:
        """Start the server and return when it is ready."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services", "serve"],
            env={**os.environ, **self.settings, "HENJI_PORT": str(port)},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 40
        with self.client() as client:
            while time.monotonic() < deadline:
                assert self.process.poll() is None, "the server ended"
                try:
                    if client.get("/readyz").status_code == 200:
                        return
                except httpx2.HTTPError:
                    pass
                time.sleep(0.02)
        raise AssertionError("the server is not ready")

    def kill(self) -> None:
        """Kill it as it stands, without any farewell."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self) -> httpx2.Client:
        """Return a client with the key."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=20)


@dataclass
class Records:
    """What one client sent and what it was told."""

    name: str
    sent: list[Events] = field(default_factory=list)
    acked: list[tuple[scenario.Event, dict[str, Any]]] = field(default_factory=list)
    unknown: list[Events] = field(default_factory=list)

    def post(self, client: httpx2.Client, events: Events) -> bool:
        """Send one request, a batch unless it is one event; note what becomes of it."""
        single = len(events) == 1
        body = json.dumps(events[0] if single else events)
        headers = {"Content-Type": SINGLE if single else BATCH}
        try:
            answer = client.post("/v1/events", content=body, headers=headers)
        except httpx2.HTTPError:
            self.unknown.append(events)
            return False
        assert answer.status_code in {200, 201}, answer.text
        items = [answer.json()] if single else answer.json()["items"]
        self.acked += zip(events, items, strict=True)
        return True

    def load(self, server: Server, stop: threading.Event, seed: int) -> None:
        """Send requests one after the other until told, or until the server is gone."""
        chance, number = random.Random(seed), len(self.sent)
        with server.client() as client:
            while not stop.is_set():
                size = chance.choice((1, 1, 1, 2, 5))
                events = [
                    scenario.external(
                        100 * number + n, source=f"urn:test:{self.name}", subject="S"
                    )
                    for n in range(size)
                ]
                number += 1
                self.sent.append(events)
                if not self.post(client, events):
                    return
