"""The AsyncAPI document says of the topics what is so, in the format's own terms."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile

import jsonschema_rs
import msgspec
import pytest

from events import catalogue
from services.api import asyncapi
from services.settings import Settings

#: The format's own JSON Schemas, as its maintainers publish them.
SCHEMAS = "@asyncapi/specs@6.11.1"


@pytest.fixture(scope="module")
def document():
    """Return the document of a service with two brokers."""
    settings = Settings(kafka="k1:9092, k2:9092", kafka_topic="log.events")
    return asyncapi.document(settings, title="Henji", version="1.0")


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    """Return the JSON Schema of AsyncAPI 3.0.0, where npm can bring it."""
    folder = tmp_path_factory.mktemp("asyncapi")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here: the format's own schema cannot be had")
    packed = subprocess.run(
        [npm, "pack", "--silent", SCHEMAS],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=90,
    )
    if packed.returncode:
        pytest.skip("the format's own schema cannot be reached")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as files:
        member = files.extractfile("package/schemas/3.0.0-without-$id.json")
        return json.load(member)


def test_the_document_keeps_the_schema_of_asyncapi(document, schema):
    """The schema that the format's maintainers publish finds nothing."""
    found = jsonschema_rs.validator_for(schema).iter_errors(document)
    assert [error.message for error in found] == []


def test_it_is_served_without_a_key(api):
    """Whoever writes a client can read it, as it is generated for this service."""
    answer = api.client.get("/asyncapi.json")
    assert answer.status_code == 200
    assert answer.json()["asyncapi"] == "3.0.0"
    assert answer.json()["channels"]["events"]["address"] == "henji.events"


def test_every_event_type_is_submitted_and_published(document):
    """No type of the catalogue is missing, on the way in or on the way out."""
    types = {row.name for row in catalogue.all_types()}
    for name in ("submissions", "events"):
        assert types <= set(document["channels"][name]["messages"])


def test_every_reference_leads_somewhere(document):
    """A reader that resolves references finds each of them in the document."""
    found = list(references(document))
    assert len(found) > 500
    assert not [one for one in found if resolved(document, one) is None]


def test_every_example_keeps_the_schema_of_its_message(document):
    """What a submitter copies from the document is taken."""
    messages = document["channels"]["submissions"]["messages"]
    shown = 0
    for message in messages.values():
        rules = {**message["payload"], "components": document["components"]}
        check = jsonschema_rs.Draft7Validator(rules)
        for example in message.get("examples", ()):
            check.validate(example["payload"])
            shown += 1
    assert shown >= len(catalogue.all_types())


def test_brokers_and_topics_are_those_of_the_settings(document):
    """Each broker is a server; the channel of events has the topic as its address."""
    hosts = [server["host"] for server in document["servers"].values()]
    assert hosts == ["k1:9092", "k2:9092"]
    assert document["channels"]["events"]["address"] == "log.events"


def test_the_document_is_plain_json(document):
    """Nothing in it depends on how Python would write it."""
    assert msgspec.json.decode(msgspec.json.encode(document)) == document


def references(value):
    """Yield every ``$ref`` below a value."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from references(one)


def resolved(document, reference):
    """Return what a reference within the document points to, or None."""
    here = document
    for step in reference.removeprefix("#/").split("/"):
        here = here.get(step) if isinstance(here, dict) else None
    return here
