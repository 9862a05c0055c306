"""Errors as RFC 9457 problems: on every route, for every kind of bad request."""

from __future__ import annotations

import json
import re

import pytest

from services import problems
from tests.support import scenario

#: Values for the parameters of paths that lead to a handler.
PLACES = {
    "{event_id}": "none",
    "{key}": "GX-1",
    "{kind}": "unit",
    "{name}": "no.such.type.v1",
    "{code}": "no_such_code",
    "{position}": "999",
    "{path}": "9/000",
    "{sha256}": "0" * 64,
    "{notation}": "json",
    "{service_request_id}": "none",
    "exports/{format}": "exports/ndjson",
    "{format}": "json",
}


def routes(api) -> list[tuple[str, str]]:
    """Return (method, path) of every documented operation, and a few unknown ones."""
    paths = api.get("/openapi.json").json()["paths"]
    known = [(verb.upper(), path) for path, verbs in paths.items() for verb in verbs]
    for place, value in PLACES.items():
        known = [(verb, path.replace(place, value)) for verb, path in known]
    assert not [path for _, path in known if "{" in path]
    return [*known, ("GET", "/nothing"), ("GET", "/log/x"), ("GET", "/v1/events/")]


def check(answer, api) -> str:
    """Assert the shape of a problem whose type resolves; return its code."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == problems.TYPE_PREFIX + body["code"]
    assert body["title"]
    assert body["fix"]
    assert not re.search(r"\{\w+\}", body["title"]), body["title"]
    assert "instance" in body
    assert "Traceback" not in answer.text
    explained = api.client.get(body["type"])
    assert explained.status_code == 200
    assert set(explained.json()["title"]) == {"en", "zh"}
    return body["code"]


BAD_QUERIES = ["limit=x", "nothing=1", "as_of=x", "size=-1", "cursor=@@", "from=%00"]
BAD_BODIES = [b"", b"{", b"[]", b'{"id":1}', b"\xff\xfe"]


def test_every_bad_request_is_answered_with_a_problem(api):
    """Whatever is wrong, on whatever route: a documented problem and never a 5xx."""
    seen = set()
    for verb, path in routes(api):
        for query in BAD_QUERIES:
            bodies = BAD_BODIES if verb == "POST" else [None]
            for body in bodies:
                answer = api.client.request(
                    verb,
                    f"{path}?{query}",
                    content=body,
                    headers=api.headers | {"Content-Type": scenario_type(body)},
                )
                assert answer.status_code < 500, (verb, path, query, answer.text)
                if answer.status_code >= 400:
                    seen.add(check(answer, api))
    assert {"invalid_parameter", "invalid_cursor", "route_not_found"} <= seen


def scenario_type(body: bytes | None) -> str:
    """Return a media type for a body."""
    return "application/json" if body is None else "application/cloudevents+json"


def test_every_code_is_documented(api):
    """The list of problems and each problem's page give both languages and a remedy."""
    listed = api.client.get("/v1/problems").json()["data"]
    assert len(listed) > 100
    for problem in listed:
        page = api.client.get(problem["type"])
        assert page.json() == problem
        assert problem["fix"]["zh"]


def test_chinese_is_spoken_where_it_is_wanted(api):
    """Accept-Language decides the language of a problem, by weight, then by order."""

    def title(wanted: str) -> str:
        answer = api.get("/nothing", {"Accept-Language": wanted})
        assert answer.headers["content-language"] in {"zh", "en"}
        return answer.json()["title"]

    english, chinese = title("en"), title("zh-CN")
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert title("zh-CN,zh;q=0.9,en;q=0.8") == chinese
    assert title("zh;q=0.1, en;q=0.9") == english
    assert title("en-GB, zh") == english
    assert title("fr, *;q=0.5") == english
    assert title("zh;q=0") == english
    assert title("\x7f;;q=9,=,") == english


def test_an_unknown_path_is_a_problem_without_redirects(api):
    """Nothing redirects: a trailing slash is another path, and there is nothing."""
    for path in ("/", "/nothing", "/v1/events/", "/healthz/", "/docs", "/v1"):
        answer = api.client.get(path, headers=api.headers, follow_redirects=False)
        assert answer.status_code == 404, path
        assert check(answer, api) in {"route_not_found", "event_unknown"}


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("DELETE", "/v1/events", "GET, HEAD, POST"),
        ("POST", "/log/checkpoint", "GET, HEAD"),
        ("PUT", "/v1/events/x", "GET, HEAD"),
        ("GET", "/v1/event-types/x/validate", "POST"),
    ],
)
def test_another_method_is_refused_with_those_allowed(api, verb, path, allowed):
    """405 with an Allow header that names what the path knows."""
    answer = api.client.request(verb, path, headers=api.headers)
    assert check(answer, api) == "method_not_allowed"
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


def test_head_answers_like_get_without_content(api):
    """HEAD is GET without its body, on open and on protected paths alike."""
    for path in ("/log/checkpoint", "/v1/commitments", "/v1/events/none"):
        got = api.get(path)
        head = api.client.head(path, headers=api.headers)
        assert head.status_code == got.status_code
        assert head.content == b""
        assert head.headers["content-type"] == got.headers["content-type"]
    assert api.client.head("/v1/commitments").status_code == 401


def test_an_unexpected_error_keeps_its_secrets(api, monkeypatch, capsys):
    """A bug gives 500 with a trace id; its text is in the log only, under that id."""

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(type(api.service.ledger.store), "select", broken)
    answer = api.get("/v1/events")
    assert answer.status_code == 500
    assert check(answer, api) == "internal_error"
    assert "hunter2" not in answer.text
    trace_id = answer.json()["trace_id"]
    logged = json.loads(capsys.readouterr().err)
    assert (logged["event"], logged["trace_id"]) == ("unexpected", trace_id)
    assert "hunter2" in logged["traceback"]
    assert api.headers["Authorization"].split("_", 2)[2] not in json.dumps(logged)


def test_an_unexpected_error_while_submitting_is_a_problem_too(api, monkeypatch):
    """The submission route has the same last catch."""
    monkeypatch.setattr(api.service.ledger.sequencer, "submit", None)
    answer = api.post(scenario.external(1))
    assert check(answer, api) == "internal_error"
    assert "NoneType" not in answer.text


def test_a_service_that_cannot_write_says_when_to_try_again(api, monkeypatch):
    """503 and 429 carry Retry-After, for single events and for batches."""
    sequencer = api.service.ledger.sequencer
    monkeypatch.setattr(sequencer, "failure", RuntimeError("disk"))
    batch = "application/cloudevents-batch+json"
    single = api.post(scenario.external(1))
    many = api.post([scenario.external(1)], batch, on_error="continue")
    for answer in (single, many):
        assert check(answer, api) == "sequencer_stopped"
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
    monkeypatch.setattr(sequencer, "failure", None)
    monkeypatch.setattr(sequencer, "_max_waiting", -1)
    crowded = api.post(scenario.external(1))
    assert (crowded.status_code, check(crowded, api)) == (429, "overloaded")
    assert crowded.headers["retry-after"] == "1"


def test_a_failed_commit_is_unavailable_as_a_whole(hotline, monkeypatch):
    """A lenient batch that could not be committed is one 503, not a list of verdicts."""
    from events import errors

    def lost(*_args: object) -> None:
        raise errors.Unavailable("commit_unknown")

    monkeypatch.setattr(hotline.service.ledger.sequencer, "commit", lost)
    batch = "application/cloudevents-batch+json"
    for query in ({}, {"on_error": "continue"}):
        answer = hotline.post(
            [scenario.external(1), scenario.external(2)], batch, **query
        )
        assert (answer.status_code, check(answer, hotline)) == (503, "commit_unknown")


def test_reads_are_not_cached(api):
    """Answers to a key are not for shared caches, and are what they say they are."""
    for path in ("/v1/commitments", "/v1/me", "/nothing"):
        answer = api.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_problem_counts_are_metrics(api):
    """Each problem is counted by its code."""
    api.get("/nothing")
    api.post([{}], "application/cloudevents-batch+json")
    text = api.get("/metrics").text
    for code in ("route_not_found", "batch_rejected"):
        assert f'henji_problems_total{{code="{code}"}} 1.0' in text


def test_problem_documents_are_json_with_the_parameters(api):
    """Parameters of a problem are given apart from its text, for programs."""
    body = json.loads(api.get("/v1/events", nothing="1").content)
    assert body["parameters"] == {"parameter": "nothing"}
