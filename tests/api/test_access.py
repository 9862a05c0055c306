"""Who may: every route without a key, and what a key's binding allows and forbids."""

from __future__ import annotations

import json

import pytest

from services.auth import Authenticator
from services.wiring import clock
from tests.support import scenario

#: What answers without a key, by design.
OPEN = {
    "/asyncapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/limits",
    "/v1/problems",
    "/v1/problems/{code}",
}
#: Values that a path takes, so that it is the key that is asked for.
PLACES = {
    "{position}": "1",
    "{sha256}": "0" * 64,
    "{notation}": "json",
    "exports/{format}": "exports/ndjson",
    "{format}": "json",
}
#: Parameters that a route cannot do without.
QUERIES = {
    "/log/consistency": "?from=0&to=0",
    "/v1/diff": "?from=0&to=0",
    "/v1/reports/{name}/explain": "?cell=x",
    "/v1/frozen/{name}.{format}": "?period=2017-W47",
}
BATCH = "application/cloudevents-batch+json"


def operations(api) -> list[tuple[str, str, dict]]:
    """Return (method, path, operation) of the OpenAPI document."""
    paths = api.client.get("/openapi.json").json()["paths"]
    return [
        (verb.upper(), path, operation)
        for path, verbs in paths.items()
        for verb, operation in verbs.items()
    ]


def refused(api, verb: str, path: str) -> bool:
    """Say whether a path asks an anonymous caller for a key."""
    filled = path
    for place, value in PLACES.items():
        filled = filled.replace(place, value)
    filled = filled.replace("{", "").replace("}", "")
    query = QUERIES.get(path, "")
    answer = api.client.request(verb, filled + query)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == 'Bearer realm="henji"'
        assert answer.json()["code"] == "credentials_missing"
    return answer.status_code == 401


@pytest.mark.parametrize("public_log", [True, False])
def test_nothing_but_the_open_list_answers_without_a_key(start, public_log):
    """Each documented route asks for a key, but for the open list and a public log."""
    api = start(public_log=public_log)
    found = operations(api)
    assert len(found) > 25
    for verb, path, operation in found:
        is_open = path in OPEN or (public_log and path.startswith("/log/"))
        assert refused(api, verb, path) is not is_open, path
        assert ("security" in operation) is not is_open, path


def test_a_closed_log_is_read_with_the_scope_verify(start):
    """Where the log is not public, its paths need a key with the scope verify."""
    api = start(public_log=False)
    verifier = api.key(scopes=["verify"])
    reader = api.key(scopes=["events:read"])
    for path in ("/log/checkpoint", "/log/keys", "/log/tile/0/000.p/1", "/log/nothing"):
        assert api.client.get(path).status_code == 401
        denied = api.client.get(path, headers=reader)
        assert (denied.status_code, denied.json()["code"]) == (403, "scope_missing")
        expected = 404 if path == "/log/nothing" else 200
        assert api.client.get(path, headers=verifier).status_code == expected
    assert api.client.get("/v1/events", headers=verifier).status_code == 403


def test_a_key_does_only_what_its_scopes_say(hotline):
    """Reading and writing are apart; a write-only key can still ask what it is."""
    writer = hotline.key(scopes=["events:write"])
    reader = hotline.key(scopes=["events:read"])
    assert hotline.post(scenario.external(1), headers=writer).status_code == 201
    unread = hotline.get("/v1/events", writer)
    assert (unread.status_code, unread.json()["code"]) == (403, "scope_missing")
    assert 'scope="events:read"' in unread.headers["www-authenticate"]
    unwritten = hotline.post(scenario.external(2), headers=reader)
    assert unwritten.json()["parameters"] == {"scope": "events:write"}
    assert hotline.get("/v1/me", writer).json()["scopes"] == ["events:write"]
    typing = hotline.post(
        scenario.type_registered("org.example.other.v1"), headers=writer
    )
    assert (typing.status_code, typing.json()["code"]) == (403, "scope_missing")


def test_a_key_writes_only_as_its_sources(hotline):
    """The allow-list of sources is exact, or a prefix with a star."""
    key = hotline.key(sources=["urn:test:hotline", "urn:sensors:*"])

    def code(source: str, number: int) -> int:
        event = scenario.external(number, source=source)
        return hotline.post(event, headers=key).status_code

    assert code("urn:test:hotline", 1) == 201
    assert code("urn:sensors:7", 2) == 201
    assert code("urn:test:hotline:2", 3) == 403
    assert code("urn:henji:system", 4) == 403


def test_a_key_acts_only_for_itself_unless_it_may_delegate(api):
    """Naming another unit needs the scope delegate; the entry keeps both."""
    api.load(map(scenario.unit_created, scenario.UNITS))
    steps = scenario.loop("GX-1")
    (event, *_) = scenario.delegated(steps)
    plain = api.key(
        scopes=["events:write"], roles=["office"], unit="bureau", post="checker"
    )
    denied = api.post(event, headers=plain)
    assert denied.status_code == 403
    assert denied.json()["code"] == "delegation_not_allowed"
    done = api.post(event)
    assert done.status_code == 201
    entry = api.get(done.headers["location"]).json()
    assert entry["actorunit"] == "hq"
    assert "authunit" not in entry


def test_a_role_that_may_not_submit_is_refused(api):
    """An event type is open to its roles only."""
    viewer = api.key(roles=["viewer"])
    denied = api.post(scenario.unit_created("hq"), headers=viewer)
    assert (denied.status_code, denied.json()["code"]) == (403, "role_not_allowed")


def forms(shown: str) -> dict[str, str]:
    """Return Authorization headers that are no key, by what is wrong with them."""
    scheme, _, key = shown.partition(" ")
    prefix, key_id, secret = key.split("_", 2)
    return {
        "no scheme": key,
        "another scheme": f"Basic {key}",
        "empty": "",
        "scheme only": scheme,
        "another prefix": f"{scheme} other_{key_id}_{secret}",
        "unknown id": f"{scheme} {prefix}_ffffffff_{secret}",
        "short secret": f"{scheme} {key[:-1]}",
        "long secret": f"{scheme} {key}A",
        "wrong secret": f"{scheme} {prefix}_{key_id}_{'A' * 43}",
        "two keys": f"{shown}, {shown}",
        "id that walks": f"{scheme} {prefix}_../x_{secret}",
        "high bytes": f"{scheme} {key[:-1]}\xff",
    }


def test_a_malformed_header_is_no_key(api):
    """Whatever is wrong with a credential, the answer says no more than that."""
    shown = api.headers["Authorization"]
    for wrong, value in forms(shown).items():
        answer = api.client.get(
            "/v1/me", headers={"Authorization": value.encode("latin-1")}
        )
        assert answer.status_code == 401, wrong
        assert answer.json()["code"] == "credentials_invalid", wrong
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    doubled = api.client.get("/v1/me", headers=[("Authorization", shown)] * 2)
    assert doubled.status_code == 401


def test_the_scheme_is_no_matter_of_case(api):
    """Schemes are case-insensitive (RFC 9110 section 11.1)."""
    key = api.headers["Authorization"].removeprefix("Bearer ")
    for scheme in ("bearer", "BEARER", "Bearer "):
        headers = {"Authorization": f"{scheme} {key}"}
        assert api.client.get("/v1/me", headers=headers).status_code == 200


def test_revocation_ends_reading_within_the_cache_time(start):
    """Without a cache a revoked key reads nothing more; the log itself is asked."""
    api = start(key_cache_seconds=0)
    key = api.key()
    assert api.get("/v1/events", key).status_code == 200
    api.service.ledger.submit_as_operator(
        scenario.key_revoked(key["Authorization"].split("_")[1])
    )
    answer = api.get("/v1/events", key)
    assert (answer.status_code, answer.json()["code"]) == (401, "credentials_invalid")


class Clock:
    """A clock that a test sets, and a key state that it can change."""

    def __init__(self, state) -> None:
        self.now = clock()
        self.state = state
        self.asked = 0

    def key_state(self, _key_id: str):
        """Return the state, counting."""
        self.asked += 1
        return self.state


def recognised(watch: Clock, header: bytes, *, seconds: float = 5) -> Authenticator:
    """Return an authenticator that has just recognised a key."""
    found = Authenticator(
        watch.key_state, clock=lambda: watch.now, cache_us=int(seconds * 1e6)
    )
    assert found.recognise(header).scopes
    return found


def test_a_recognised_key_is_trusted_for_the_cache_time_only(api):
    """Within the cache time the log is not asked; after it, it is."""
    header = api.headers["Authorization"].encode()
    key_id = api.headers["Authorization"].split("_")[1]
    watch = Clock(api.service.ledger.state_of(f"access/{key_id}"))
    found = recognised(watch, header)
    watch.now += 4_999_999
    found.recognise(header)
    assert watch.asked == 1
    watch.state = None
    watch.now += 1
    with pytest.raises(Exception, match="credentials_invalid"):
        found.recognise(header)


def test_a_key_never_outlives_its_expiry_in_the_cache(api):
    """The cache time ends with the key."""
    in_a_second = scenario.rfc3339(clock() + 2_000_000)
    shown = api.key(expires=in_a_second)["Authorization"]
    watch = Clock(api.service.ledger.state_of(f"access/{shown.split('_')[1]}"))
    found = recognised(watch, shown.encode(), seconds=3_600)
    watch.now += 2_000_000
    with pytest.raises(Exception, match="credentials_invalid"):
        found.recognise(shown.encode())


def test_failed_authentication_is_logged_without_secrets(api):
    """Each failure is a JSON line with peer and path; no secret ever is in it."""
    shown = api.headers["Authorization"]
    secret = shown.split("_", 2)[2]
    for value in forms(shown).values():
        api.client.get("/v1/me", headers={"Authorization": value.encode("latin-1")})
    api.client.get("/v1/events")
    text = (api.service.ledger.settings.data_dir / "security.log").read_text()
    assert secret[:20] not in text
    lines = api.security_lines()
    assert {line["event"] for line in lines} == {"access_refused"}
    assert {"peer", "path", "method", "time", "code"} <= lines[-1].keys()
    assert lines[-1]["code"] == "credentials_missing"
    unknown = [line.get("key") for line in lines]
    assert "ffffffff" in unknown


def test_the_security_log_cannot_be_forged(api):
    """Control characters and line ends from a client stay inside one JSON string."""
    path = "/v1/x%0A%7B%22event%22%3A%22forged%22%7D%1b[2J"
    api.client.get(f"/v1/event-types/a%0Ab{path}")
    api.client.get("/v1/events/%0A%1b%E2%80%A8")
    name = "bad\u2028type\u202e"
    api.post(scenario.external(1) | {"type": name})
    raw = (api.service.ledger.settings.data_dir / "security.log").read_bytes()
    assert all(32 <= byte < 127 or byte == 10 for byte in raw)
    assert "forged" not in {line["event"] for line in api.security_lines()}


def test_refused_submissions_are_logged_with_what_they_were(hotline):
    """A refusal's line names key, source, id and type, and the place in a batch."""
    bad = scenario.external(2) | {"data": {}}
    hotline.post([scenario.external(1), bad], BATCH)
    hotline.post(b"{")
    many, single = hotline.security_lines()[-2:]
    assert many["event"] == single["event"] == "submission_refused"
    assert (many["index"], many["id"], many["code"]) == (
        1,
        "call-2",
        "schema_violation",
    )
    assert many["source"] == "urn:test:hotline"
    assert single["code"] == "json_syntax"
    key_id = hotline.headers["Authorization"].split("_")[1]
    assert many["key"] == single["key"] == key_id


def test_a_refusal_with_a_parameter_called_event_is_logged(api):
    """A parameter of a refusal may have any name, also one of the line's own."""
    names = ("event", "time", "path", "code", "method", "incident", "self")
    api.service.security.record("access_refused", dict.fromkeys(names, "given"))
    line = api.security_lines()[-1]
    assert line["event"] == "access_refused"
    assert line["time"] != "given"
    assert (line["given_event"], line["given_time"]) == ("given", "given")


def test_the_security_log_is_for_its_owner_only(api):
    """The file has mode 0600."""
    path = api.service.ledger.settings.data_dir / "security.log"
    assert path.stat().st_mode & 0o777 == 0o600


def test_secrets_are_nowhere_in_the_ledger(api):
    """Neither the key's secret nor the signing key is in any entry or answer."""
    secret = api.headers["Authorization"].split("_", 2)[2]
    api.post(scenario.type_registered())
    folder = api.service.ledger.settings.data_dir
    private = (folder / "signing.keys").read_text().split()
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "signing.keys":
            content = file.read_bytes()
            assert secret.encode() not in content, file
            assert not [one for one in private if one.encode() in content], file
    listed = json.dumps(api.get("/v1/events").json())
    assert secret not in listed
