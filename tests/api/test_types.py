"""The catalogue over HTTP: one truth for submitters, served and enforced alike."""

from __future__ import annotations

import jsonschema
import pytest

from events import catalogue
from tests.support import scenario

NAMES = [kind.name for kind in catalogue.all_types()]


def test_every_type_of_ours_is_listed_in_both_languages(api):
    """The list names each type with titles, version and roles."""
    listed = {one["name"]: one for one in api.get("/v1/event-types").json()["data"]}
    assert set(listed) == set(NAMES)
    for one in listed.values():
        assert one["titles"]["en"]
        assert one["titles"]["zh"]
        assert one["version"] >= 1
        assert one["roles"]
    chinese = api.get("/v1/event-types", {"Accept-Language": "zh"}).json()["data"]
    assert all(one["title"] == one["titles"]["zh"] for one in chinese)


def test_served_schemas_accept_the_served_examples(api):
    """Each type's schema is valid JSON Schema 2020-12 and accepts its own examples."""
    for name in NAMES:
        described = api.get(f"/v1/event-types/{name}").json()
        answer = api.get(f"/v1/event-types/{name}/schema")
        assert answer.headers["content-type"] == "application/schema+json"
        assert answer.json() == described["schema"]
        jsonschema.Draft202012Validator.check_schema(answer.json())
        assert described["examples"]
        for example in described["examples"]:
            jsonschema.validate(example["data"], answer.json())


def test_served_examples_validate(api):
    """Each example that is served passes the check that is served beside it."""
    for name in NAMES:
        for example in api.get(f"/v1/event-types/{name}").json()["examples"]:
            path = f"/v1/event-types/{name}/validate"
            answer = api.post(example, path=path)
            assert answer.status_code == 200, answer.text
            assert answer.json()["valid"] is True


def test_an_external_type_is_served_like_ours(hotline):
    """A registered type is listed with its schema and examples."""
    name = scenario.EXTERNAL
    listed = hotline.get("/v1/event-types").json()["data"]
    (summary,) = [one for one in listed if one["name"] == name]
    assert summary["titles"] == {"en": "Hotline call", "zh": "热线来电"}
    described = hotline.get(f"/v1/event-types/{name}").json()
    assert described["schema"]["required"] == ["about"]
    assert described["examples"] == [{"about": "Dust from a site (fictional)"}]
    schema = hotline.get(f"/v1/event-types/{name}/schema").json()
    assert schema == described["schema"]


def test_validate_checks_without_a_trace(hotline):
    """Validation names every fault and appends nothing."""
    head = hotline.service.ledger.store.head()
    path = f"/v1/event-types/{scenario.EXTERNAL}/validate"
    good = hotline.post(scenario.external(1), path=path)
    assert good.json() == {"valid": True, "stream": "external/urn:test:hotline"}
    bad = scenario.external(1) | {"data": {"about": "", "number": "x", "more": 1}}
    answer = hotline.post(bad, path=path)
    assert (answer.status_code, answer.json()["code"]) == (422, "schema_violation")
    assert len(answer.json()["errors"]) == 3
    assert hotline.service.ledger.store.head() == head
    assert hotline.get("/v1/events/call-1").status_code == 404


def test_validate_takes_binary_mode_too(hotline):
    """The check reads a submission as the submission itself would be read."""
    path = f"/v1/event-types/{scenario.EXTERNAL}/validate"
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "urn:x",
        "ce-type": scenario.EXTERNAL,
    }
    good = hotline.post(
        b'{"about":"Dust"}', "application/json", headers=headers, path=path
    )
    assert good.status_code == 200, good.text
    for kind in ("application/json", "application/x-ndjson"):
        answer = hotline.post(scenario.external(1), kind, path=path)
        assert answer.status_code == 415
        assert "application/cloudevents+json" in answer.headers["accept-post"]


def test_a_type_in_the_wrong_path_is_told(hotline):
    """An event is checked under its own type."""
    path = f"/v1/event-types/{NAMES[0]}/validate"
    answer = hotline.post(scenario.external(1), path=path)
    assert (answer.status_code, answer.json()["code"]) == (422, "event_type_differs")


@pytest.mark.parametrize("rest", ["", "/schema"])
def test_an_unknown_type_is_not_found(api, rest):
    """There is nothing under a name that nobody registered."""
    answer = api.get(f"/v1/event-types/{scenario.EXTERNAL}{rest}")
    assert (answer.status_code, answer.json()["code"]) == (404, "event_type_not_found")


def test_unknown_types_are_refused_where_they_are_submitted(api):
    """An unknown type is refused on submission (422) and has no check (404)."""
    answer = api.post(scenario.external(1))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_event_type")
    path = f"/v1/event-types/{scenario.EXTERNAL}/validate"
    assert api.post(scenario.external(1), path=path).status_code == 404


def test_schema_violations_are_refused(hotline):
    """Data that break the schema are refused with a pointer for each place."""
    bad = scenario.external(1) | {"data": {"about": 7}}
    answer = hotline.post(bad)
    assert (answer.status_code, answer.json()["code"]) == (422, "schema_violation")
    assert answer.json()["errors"][0]["pointer"] == "#/data/about"
    own = scenario.unit_created("hq")
    own["data"]["category"] = "nonsense"
    answer = hotline.post(own)
    assert (answer.status_code, answer.json()["code"]) == (422, "schema_violation")


def test_a_retired_type_is_refused_and_stays_documented(hotline):
    """Retirement ends new events; the type and its events stay readable."""
    hotline.post(scenario.external(1))
    name = scenario.EXTERNAL
    hotline.load(
        [
            scenario.event(
                "henji.catalogue.type_retired.v1",
                f"catalogue/{name}",
                {"reason": "Replaced (fictional)."},
                event_id="retire",
            )
        ]
    )
    answer = hotline.post(scenario.external(2))
    assert (answer.status_code, answer.json()["code"]) == (422, "event_type_retired")
    assert hotline.get(f"/v1/event-types/{name}").json()["retired"] is True
    assert hotline.get("/v1/events/call-1").status_code == 200
