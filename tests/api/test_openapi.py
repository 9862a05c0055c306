"""The OpenAPI document: complete, without the framework's own words, and true."""

from __future__ import annotations

import json

import jsonschema
import pytest

PROBLEM = "application/problem+json"


@pytest.fixture
def document(api):
    """Return the served document."""
    answer = api.client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def operations(document) -> list[tuple[str, dict]]:
    """Return each operation with its method and path."""
    return [
        (f"{verb.upper()} {path}", operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]


def test_it_is_openapi_3_1(document):
    """Version, title, and no reference that leads nowhere."""
    assert document["openapi"].startswith("3.1")
    text = json.dumps(document)
    for name in text.split('"#/components/schemas/')[1:]:
        assert name.partition('"')[0] in document["components"]["schemas"]


def test_nothing_of_the_frameworks_own_errors_is_left(document):
    """No HTTPValidationError: errors are problems."""
    text = json.dumps(document)
    assert "HTTPValidationError" not in text
    assert "ValidationError" not in document["components"]["schemas"]


def test_every_operation_is_named_and_summed_up(document):
    """operationId (once each), tags and summary."""
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    for where, operation in operations(document):
        assert operation["tags"], where
        assert operation["summary"], where


def test_every_response_has_an_example_of_its_schema(document):
    """Each documented status shows an example, and the example keeps the schema."""
    components = {"components": document["components"]}
    for where, operation in operations(document):
        for status, response in operation["responses"].items():
            assert response["description"], (where, status)
            for media in response["content"].values():
                assert "example" in media, (where, status)
                assert media["example"] not in ({}, {"data": []}), (where, status)
                jsonschema.validate(media["example"], media["schema"] | components)


def test_every_error_is_a_problem(document):
    """Each 4xx and 5xx has the problem schema, and an example with its own status."""
    for where, operation in operations(document):
        for status, response in operation["responses"].items():
            if status < "400" or where == "GET /readyz":
                continue
            (media,) = response["content"]
            assert media == PROBLEM, (where, status)
            content = response["content"][media]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["example"]["status"] == int(status), (where, status)


def test_examples_of_problems_are_real_ones(api, document):
    """The problem types of the examples exist."""
    for where, operation in operations(document):
        for response in operation["responses"].values():
            example = response["content"].get(PROBLEM, {}).get("example")
            if example is not None:
                assert api.client.get(example["type"]).status_code == 200, where


def test_parameters_are_described(document):
    """Each parameter says what it is for, and has a schema."""
    for where, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            name = (where, parameter["name"])
            assert parameter["schema"], name
            if parameter["in"] != "path":
                assert parameter.get("description"), name


def test_protected_operations_say_so(document):
    """The key is a bearer scheme; who needs it names it and its 401 and 403."""
    scheme = document["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for where, operation in operations(document):
        if "security" in operation:
            assert operation["security"] == [{"key": []}]
            assert {"401", "403"} <= operation["responses"].keys(), where


def test_the_example_of_a_submission_is_accepted(api, document):
    """What the document shows as a submission is one, up to its references."""
    body = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    event = body["application/cloudevents+json"]["example"]
    path = f"/v1/event-types/{event['type']}/validate"
    assert api.post(event, path=path).status_code == 200
    assert set(body) == {
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
        "application/json",
    }
