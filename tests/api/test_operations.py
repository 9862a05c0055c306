"""What operators see: liveness, readiness, metrics, limits, and an orderly end."""

from __future__ import annotations

import re
import threading

import pytest

from projections.views import Poison
from tests.support import scenario

BATCH = "application/cloudevents-batch+json"


def metric(api, name: str) -> float:
    """Return the value of one metric line."""
    text = api.client.get("/metrics").text
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def test_a_fresh_service_is_alive_and_ready(api):
    """Liveness looks at nothing; readiness says where the read models stand."""
    assert api.client.get("/healthz").json() == {"live": True}
    api.get("/v1/commitments", min_position=2)
    body = api.client.get("/readyz").json()
    assert (body["ready"], body["findings"]) == (True, [])
    assert body["projection"] == {
        "position": 2,
        "head": 2,
        "lag_events": 0,
        "lag_us": 0,
    }


def test_submissions_are_counted_by_outcome(hotline):
    """Accepted, repeated and refused submissions are counted; appends are timed."""
    before = metric(hotline, "henji_append_seconds_count")
    accepted = metric(hotline, 'henji_submissions_total{outcome="accepted"}')
    hotline.post(scenario.external(1))
    hotline.post([scenario.external(1), scenario.external(2)], BATCH)
    hotline.post(b"{")
    hotline.post([scenario.external(3), {}], BATCH, on_error="continue")

    def count(outcome: str) -> float:
        return metric(hotline, f'henji_submissions_total{{outcome="{outcome}"}}')

    assert count("accepted") - accepted == 3
    assert (count("duplicate"), count("refused")) == (1, 2)
    assert metric(hotline, "henji_append_seconds_count") - before == 3
    assert metric(hotline, 'henji_append_seconds_bucket{le="+Inf"}') == before + 3
    assert metric(hotline, "henji_log_size") == hotline.service.ledger.store.head().size


def stop_projection(api, monkeypatch, position: int = 2) -> None:
    """Let the projection stand at a poison event, as far as anybody can see."""
    from dataclasses import replace

    status = api.service.projection()
    poison = Poison(position, "henji.unit.created.v1", "ValueError: secret text")
    stopped = replace(status, position=1, lag_events=1, lag_us=7, poison=poison)
    monkeypatch.setattr(api.service.runner, "status", lambda _now: stopped)


def test_a_poison_event_is_visible_and_does_not_stop_writing(api, monkeypatch):
    """Readiness names position and type, without content; metrics show the lag."""
    stop_projection(api, monkeypatch)
    answer = api.client.get("/readyz")
    assert answer.status_code == 200
    (finding,) = answer.json()["findings"]
    assert (finding["code"], finding["blocking"]) == ("projection_stopped", False)
    assert finding["detail"] == "position 2: henji.unit.created.v1"
    assert finding["fix"]
    assert "secret" not in answer.text
    assert metric(api, "henji_projection_stopped") == 1
    assert metric(api, "henji_projection_lag_events") == 1
    assert api.post(scenario.type_registered()).status_code == 201
    (shown,) = api.get("/v1/projections").json()["data"]
    assert shown["poison"]["position"] == 2


def test_a_lost_store_is_not_ready_and_metrics_go_on(api, monkeypatch):
    """Readiness fails with a remedy; what can still be measured is."""

    def lost(*_args: object) -> None:
        raise OSError("host=db password=x")

    monkeypatch.setattr(type(api.service.ledger.store), "head", lost)
    answer = api.client.get("/readyz")
    assert answer.status_code == 503
    (finding,) = answer.json()["findings"]
    assert (finding["code"], finding["detail"]) == ("store_unreachable", "OSError")
    assert "password" not in answer.text
    assert api.client.get("/healthz").status_code == 200
    text = api.client.get("/metrics").text
    assert "henji_log_size NaN" in text
    assert "henji_submissions_total" in text


def test_a_sequencer_that_stopped_is_not_ready(api, monkeypatch):
    """A service that no longer trusts its state is not ready, and still alive."""
    monkeypatch.setattr(api.service.ledger.sequencer, "failure", RuntimeError("secret"))
    answer = api.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["findings"][0]["code"] == "sequencer_stopped"
    assert "secret" not in answer.text
    assert api.client.get("/healthz").status_code == 200


def test_a_stopping_service_is_not_ready(api):
    """Once streams are told to end, no new work should be sent here."""
    api.client.app.state.stop_streams()
    answer = api.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["findings"][0]["code"] == "service_stopping"


def test_limits_are_published(api):
    """Batches are solicited by saying how large they may be (CloudEvents HTTP 3.3)."""
    body = api.client.get("/v1/limits").json()
    assert body["max_entry_bytes"] == 65_535
    assert body["max_events"] == 1_000
    assert BATCH in body["media_types"]


def test_a_key_can_ask_what_it_is(api):
    """GET /v1/me shows the binding of the key that asks."""
    key = api.key(unit="bureau", post="checker", roles=["verifier"])
    body = api.get("/v1/me", key).json()
    assert (body["unit"], body["post"], body["roles"]) == (
        "bureau",
        "checker",
        ["verifier"],
    )
    assert body["key"] == key["Authorization"].split("_")[1]


def test_waiting_readers_do_not_starve_the_others(api, monkeypatch):
    """Requests that wait for the read models leave threads for those that need none."""
    release = threading.Event()

    def slow(_self: object, _position: int, *, seconds: float) -> None:
        release.wait(seconds)

    monkeypatch.setattr(type(api.service), "reach", slow)
    waiters = [
        threading.Thread(
            target=api.get, args=("/v1/commitments",), kwargs={"min_position": 1}
        )
        for _ in range(50)
    ]
    for waiter in waiters:
        waiter.start()
    try:
        assert api.get("/v1/events").status_code == 200
        assert any(waiter.is_alive() for waiter in waiters)
    finally:
        release.set()
        for waiter in waiters:
            waiter.join()


def test_answers_after_the_loop_has_ended_trouble_nobody(api):
    """A commit whose client's loop is gone is in the log; the sequencer goes on."""
    import asyncio

    from events import gate
    from events.cloudevents import accept
    from events.submissions import Request, prepare
    from services.api.desk import Channel

    loop = asyncio.new_event_loop()
    channel = Channel(loop)
    loop.close()
    item = prepare(accept(scenario.type_registered()))
    request = Request([item], "system", channel.deliver, grant=gate.system_grant())
    api.service.ledger.sequencer.submit(request)
    assert api.post(scenario.external(1)).status_code == 201
    assert api.service.ledger.sequencer.failure is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/limits"])
def test_operational_answers_are_fresh(api, path):
    """No cache keeps the state of a moment ago."""
    assert api.client.get(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/v1/events", "/v1/event-types/x.y/validate"])
def test_a_client_that_leaves_amid_its_body_is_no_error(live, path, capsys):
    """Half a body is dropped: nothing is appended, and nothing is logged as a fault."""
    import socket

    before = live.service.ledger.store.head()
    base = live.client.base_url
    with socket.create_connection((base.host, base.port)) as client:
        head = [
            f"POST {path} HTTP/1.1",
            f"Host: {base.host}",
            f"Authorization: {live.headers['Authorization']}",
            "Content-Type: application/cloudevents+json",
            "Content-Length: 500",
        ]
        client.sendall("\r\n".join([*head, "", "{"]).encode())
    for _ in range(3):
        assert live.get("/v1/me").status_code == 200
    assert live.service.ledger.store.head() == before
    assert "unexpected" not in capsys.readouterr().err
