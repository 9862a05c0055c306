"""GET /v1/events/stream over TCP: replay, follow, resume, and how it ends."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
import uvicorn

from events.entries import instant, rfc3339
from services.api.stream import _Follower
from services.app import create_app
from tests.support import scenario

BATCH = "application/cloudevents-batch+json"


@pytest.fixture
def log(live):
    """A live service that takes the external type (position 3)."""
    live.load([scenario.type_registered()])
    return live


def calls(*numbers: int, **more: str) -> list[dict]:
    """Return external events."""
    return [scenario.external(number, **more) for number in numbers]


def head(api) -> int:
    """Return the size of the log."""
    return api.service.ledger.store.head().size


@contextmanager
def opened(api, headers: dict | None = None, **query: object) -> Iterator:
    """Open a stream; yields its answer."""
    asked = api.headers | (headers or {})
    with api.client.stream(
        "GET", "/v1/events/stream", params=query, headers=asked
    ) as answer:
        yield answer


def frames(answer) -> Iterator[dict[str, str]]:
    """Yield the frames of an SSE stream as dicts; comments as {"comment": …}."""
    frame: dict[str, str] = {}
    for line in answer.iter_lines():
        if not line:
            if frame:
                yield frame
            frame = {}
        elif line.startswith(":"):
            frame["comment"] = line[1:].strip()
        else:
            name, _, value = line.partition(": ")
            frame[name] = value


def entries_of(answer, count: int) -> list[dict[str, str]]:
    """Return the next entry frames of an SSE stream."""
    found = []
    for frame in frames(answer):
        if frame.get("event") == "entry":
            found.append(frame)
        if len(found) == count:
            break
    return found


def replayed(api, headers: dict | None = None, **query: object) -> list[dict]:
    """Return the lines of an NDJSON replay that ends."""
    with opened(api, headers, format="ndjson", **query) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in answer.iter_lines() if line.strip()]


def positions(lines: list[dict]) -> list[int]:
    """Return the positions of the entries among the lines."""
    return [line["position"] for line in lines if "entry" in line]


def test_a_replay_is_the_whole_log_in_order(log):
    """NDJSON from the beginning: each position once, the sealed bytes, then the end."""
    log.load(calls(*range(1, 21)))
    with opened(log, format="ndjson") as answer:
        raw = answer.read()
    lines = [json.loads(line) for line in raw.splitlines()]
    assert positions(lines) == list(range(1, head(log) + 1))
    for line in lines:
        row = log.service.ledger.store.row(line["position"])
        assert b'{"position":%d,"entry":%s}\n' % (row.position, row.entry) in raw


def test_the_format_follows_accept(log):
    """Accept decides between SSE and NDJSON; `format` overrules it."""
    ndjson = {"Accept": "application/x-ndjson"}
    for headers, query, kind in (
        ({}, {}, "text/event-stream"),
        (ndjson, {}, "application/x-ndjson"),
        ({"Accept": "application/jsonl"}, {}, "application/x-ndjson"),
        (ndjson, {"format": "sse"}, "text/event-stream"),
    ):
        with opened(log, headers, follow="false", **query) as answer:
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-accel-buffering"] == "no"


def test_an_sse_frame_is_position_and_sealed_bytes(log):
    """Each frame has the position as id, and the entry's own bytes as data."""
    with opened(log, follow="false") as answer:
        found = entries_of(answer, 3)
    for frame in found:
        row = log.service.ledger.store.row(int(frame["id"]))
        assert frame["data"].encode() == row.entry
    assert [frame["id"] for frame in found] == ["1", "2", "3"]


def test_from_is_a_position_or_an_instant(log):
    """From a position: what follows it. From an instant: what was sealed since then."""
    log.load(calls(1))
    log.load(calls(2))
    end = head(log)
    assert positions(replayed(log, **{"from": end - 1})) == [end]
    sealed = log.get(f"/v1/entries/{end}").json()["ingestedtime"]
    assert positions(replayed(log, **{"from": sealed})) == [end]
    later = rfc3339(instant(sealed) + 1)
    assert positions(replayed(log, **{"from": later})) == []
    assert positions(replayed(log, **{"from": end + 5})) == []
    for bad in ("-1", "yesterday", "1e3"):
        answer = log.get("/v1/events/stream", **{"from": bad})
        assert answer.json()["parameters"] == {"parameter": "from"}


def test_last_event_id_goes_before_from(log):
    """A client that reconnects is taken at its last id, whatever its URL says."""
    log.load(calls(1, 2))
    end = head(log)
    lines = replayed(log, {"Last-Event-ID": str(end - 1)}, **{"from": 1})
    assert positions(lines) == [end]
    answer = log.get("/v1/events/stream", {"Last-Event-ID": "x"})
    assert answer.json()["parameters"] == {"parameter": "Last-Event-ID"}


def test_filters_narrow_a_stream_and_its_progress_goes_on(log):
    """A filtered replay ends with the position up to which nothing is missing."""
    log.load(calls(1, subject="a") + calls(2, 3, 4, subject="b"))
    lines = replayed(log, stream="external/a")
    assert [line["entry"]["id"] for line in lines if "entry" in line] == ["call-1"]
    assert lines[-1] == {"position": head(log)}
    nothing = replayed(log, type="no.such.type")
    assert nothing == [{"position": head(log)}]
    resumed = replayed(log, **{"from": nothing[-1]["position"]})
    assert resumed == []


def test_a_replay_ends_at_an_as_of(log):
    """as_of ends a stream, also one that would follow."""
    log.load(calls(1, 2, 3))
    lines = replayed(log, as_of="4", follow="true")
    assert positions(lines) == [1, 2, 3, 4]


def test_an_instant_to_come_is_no_end(log):
    """A stream bounded by a future instant goes on following until then."""
    query = {"ingested_at[lt]": "2999-01-01T00:00:00Z", "from": head(log)}
    with opened(log, **query) as answer:
        log.load(calls(1))
        (frame,) = entries_of(answer, 1)
    assert json.loads(frame["data"])["id"] == "call-1"


def test_a_live_stream_shows_what_is_appended(log):
    """After the replay, new entries come as they are sealed."""
    with opened(log, **{"from": head(log)}) as answer:
        log.load(calls(1, 2))
        found = entries_of(answer, 2)
    assert [json.loads(one["data"])["id"] for one in found] == ["call-1", "call-2"]


def test_an_idle_stream_shows_signs_of_life(log):
    """A comment is sent while nothing happens, so that dead connections are noticed."""
    with opened(log, **{"from": head(log)}) as answer:
        seen = [next(stream) for stream in [frames(answer)] for _ in range(3)]
    assert seen[0]["retry"].isdecimal()
    assert seen[-1] == {"comment": "alive"}


def test_a_live_stream_tells_progress_where_nothing_matches(log):
    """A live filter that matches nothing still moves its client's position on."""
    with opened(log, type="no.such.type") as answer:
        for frame in frames(answer):
            if frame.get("event") == "progress":
                assert int(frame["id"]) <= head(log)
                assert json.loads(frame["data"]) == {"position": int(frame["id"])}
                if head(log) > 10 and int(frame["id"]) == head(log):
                    break
                log.load(calls(head(log) + 1, head(log) + 2))


def test_resuming_neither_skips_nor_repeats_while_writers_run(log):
    """A client that reconnects again and again sees each position exactly once."""
    first, total = head(log), 120

    def write() -> None:
        with httpx2.Client(base_url=log.client.base_url, timeout=20) as client:
            for number in range(0, total, 4):
                body = calls(*range(number, number + 4))
                client.post(
                    "/v1/events",
                    content=json.dumps(body),
                    headers=log.headers | {"Content-Type": BATCH},
                ).raise_for_status()

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    last = str(first)
    while len(seen) < total:
        with opened(log, {"Last-Event-ID": last}) as answer:
            for frame in entries_of(answer, 7 if len(seen) + 7 <= total else 1):
                seen.append(int(frame["id"]))
                last = frame["id"]
    writer.join()
    assert seen == list(range(first + 1, first + total + 1))


def listeners(api) -> int:
    """Return how many streams wait for commits."""
    waiting = api.service.ledger.commits._listeners
    owners = [getattr(listener, "__self__", None) for listener in waiting]
    return sum(isinstance(owner, _Follower) for owner in owners)


def until(condition, seconds: float = 10) -> None:
    """Wait for a condition; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_client_that_leaves_is_forgotten(log):
    """The server drops a stream whose client has gone, and still writes."""
    for _ in range(3):
        with opened(log) as answer:
            lines = answer.iter_lines()  # closed with the answer, not before
            assert next(lines)
            until(lambda: listeners(log) == 1)
        until(lambda: listeners(log) == 0)
    log.load(calls(1))
    assert log.get("/healthz").status_code == 200


def test_head_of_a_stream_ends(log):
    """HEAD gives the headers of a stream and ends at once."""
    answer = log.client.head("/v1/events/stream", headers=log.headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    until(lambda: listeners(log) == 0)


def test_a_revoked_key_loses_its_stream(start):
    """A stream ends within the cache time once its key is revoked."""
    api = start(key_cache_seconds=0, heartbeat_seconds=0.05)
    key = api.key()
    ended = []

    def revoke() -> None:
        until(lambda: listeners(api) == 1)
        key_id = key["Authorization"].split("_")[1]
        api.service.ledger.submit_as_operator(scenario.key_revoked(key_id))

    thread = threading.Thread(target=revoke)
    thread.start()
    # In process the answer is complete only when the stream ends by itself.
    ended.append(api.get("/v1/events/stream", key))
    thread.join()
    assert ended[0].status_code == 200
    assert api.security_lines()[-1]["path"] == "/v1/events/stream"


class Stopping(uvicorn.Server):
    """A server that ends streams before it waits for connections."""

    async def shutdown(self, sockets=None) -> None:
        """Shut down."""
        self.config.app.state.stop_streams()
        await super().shutdown(sockets)


def test_a_stopping_server_ends_its_streams(start):
    """Streams end cleanly, with a complete answer, when the server stops."""
    api = start()
    config = uvicorn.Config(
        create_app(api.service), port=0, log_level="warning", lifespan="on"
    )
    server = Stopping(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    with (
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
        client.stream("GET", "/v1/events/stream", headers=api.headers) as answer,
    ):
        lines = answer.iter_lines()
        while not next(lines).startswith("id: 2"):
            pass
        server.should_exit = True
        # A connection that is cut off instead would raise here.
        assert not [line for line in lines if line.startswith("id: 3")]
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert listeners(api) == 0
