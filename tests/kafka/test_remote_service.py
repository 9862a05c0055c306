"""A service that reads remote read models: the answers of one that reads its own."""

from __future__ import annotations

import json
import secrets
import threading
from contextlib import ExitStack, contextmanager

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from services.app import create_app
from services.keyring import KeySpec, create_key
from services.relay.opening import Wanted
from services.relay.opening import opened as relaying
from services.remote import opening
from services.running import running
from services.settings import Settings
from tests.support import scenario

AT = "2017-12-01T00:00:00Z"
QUESTIONS = (
    ("/v1/commitments", {}),
    ("/v1/commitments", {"order": "due", "limit": "2"}),
    ("/v1/commitments", {"status": "closed"}),
    ("/v1/commitments/counts", {}),
    ("/v1/commitments/GX-1", {}),
)


@contextmanager
def in_thread(work):
    """Run what works until it is told to stop."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


@contextmanager
def served(settings):
    """Yield a service, and a client of it in this process."""
    with running(settings) as service, TestClient(create_app(service)) as client:
        yield service, client


def submit(client, events):
    """Submit a batch that must be accepted."""
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    answer = client.post("/v1/events", content=json.dumps(list(events)), headers=kind)
    assert answer.status_code == 201, answer.text


@pytest.fixture
def ledger(tmp_path):
    """Yield a service that keeps its own read models, and a client with a key."""
    settings = Settings(data_dir=tmp_path / "ledger", origin=scenario.ORIGIN)
    with served(settings) as (service, client):
        spec = KeySpec(
            name="test",
            roles=["adapter", "auditor"],
            scopes=list(scenario.ALL_SCOPES),
        )
        _, key = create_key(service.ledger, spec, random_bytes=secrets.token_bytes)
        client.headers["Authorization"] = f"Bearer {key}"
        boss = scenario.PEOPLE["boss"]
        units = map(scenario.unit_created, scenario.UNITS)
        submit(client, [*units, scenario.post_appointed(boss.post, boss.unit)])
        yield service, client


def test_both_services_give_the_same_answers(broker, ledger, tmp_path, postgres_dsn):
    """Every question, now and as of past positions: log, relay, topic, worker, database."""
    service, local = ledger
    settings = replace(
        service.ledger.settings,
        kafka=broker.bootstrap,
        kafka_topic=broker.new_topic(3, retention_ms="-1"),
    )
    reading = replace(settings, views_url=postgres_dsn)
    working = replace(reading, data_dir=tmp_path / "elsewhere")
    opening.prepare_views(reading)
    with ExitStack() as stack:
        relay = stack.enter_context(relaying(settings, Wanted(3, -1)))
        stack.enter_context(in_thread(relay.run))
        stack.enter_context(in_thread(lambda stop: opening.work(working, stop)))
        _, remote = stack.enter_context(served(reading))
        remote.headers.update(local.headers)
        for number in range(1, 4):
            submit(
                local, scenario.delegated(scenario.loop(f"GX-{number}")[: 4 * number])
            )
        head = service.ledger.store.head().size
        moments = [{"min_position": head}, {"as_of": head // 2}, {"as_of": head - 3}]
        for (path, query), moment in ((q, m) for q in QUESTIONS for m in moments):
            asked = {**query, **moment, "at": AT}
            theirs, ours = (c.get(path, params=asked) for c in (local, remote))
            assert theirs.status_code == ours.status_code, ours.text
            assert theirs.json() == ours.json()
        (shown,) = remote.get("/v1/projections").json()["data"]
        assert (shown["position"], shown["lag_events"]) == (head, 0)
