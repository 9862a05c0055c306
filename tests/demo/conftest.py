"""One copy of the campaign with its key, and a real service that it was loaded into."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from services.demo.campaign.command import load
from services.demo.campaign.record import OFFICE
from services.demo.campaign.script import answer_key, build
from services.demo.campaign.sending import ROLES, SCOPES, Sending
from services.keyring import KeySpec, create_key
from services.running import running
from services.serving import served
from services.settings import Settings


@dataclass
class Loaded:
    """A service with the campaign in it."""

    url: str
    keys: dict[str, str]
    sending: Sending
    client: httpx2.Client
    service: Any

    @property
    def ledger(self):
        """The ledger of the service."""
        return self.service.ledger


def no_wait(_seconds):
    """Do not sleep: nothing here is ever busy for long."""


@pytest.fixture(scope="session")
def log():
    """One copy of the campaign."""
    return build()


@pytest.fixture(scope="session")
def events(log):
    """Every event of it, in the order of the log."""
    return [sent.event for sent in log.sent()]


@pytest.fixture(scope="session")
def key():
    """Its answer key."""
    return answer_key()


@pytest.fixture(scope="session")
def ids(loaded):
    """Position → id of every entry of that service."""
    store = loaded.ledger.store
    rows = store.rows(after=0, limit=store.head().size)
    return {row.position: row.id for row in rows}


@pytest.fixture(scope="session")
def loaded(tmp_path_factory):
    """A service on an embedded ledger, over real HTTP, with one copy loaded."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("campaign"), origin="log.example/test"
    )
    with running(settings) as service, served(service, host="127.0.0.1") as url:
        keys = {}
        for lane, roles in ROLES.items():
            spec = KeySpec(name=lane, roles=roles, scopes=SCOPES)
            _, keys[lane] = create_key(
                service.ledger, spec, random_bytes=secrets.token_bytes
            )
        sending = load(url, keys, wait=no_wait, progress=no_wait)
        headers = {"Authorization": f"Bearer {keys[OFFICE]}"}
        with httpx2.Client(base_url=url, headers=headers, timeout=60) as client:
            yield Loaded(url, keys, sending, client, service)
