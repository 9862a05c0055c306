"""The AsyncAPI document says of the topics what is so, in the format's own terms."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile

import jsonschema_rs
import msgspec
import pytest

from events import canonical, catalogue
from events.errors import Malformed
from events.merkle import leaf_hash
from events.records import Link, of_entry
from services.api import asyncapi
from services.ingest.records import Unreadable, dead_letter
from services.settings import Settings
from tests.support import scenario

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


def test_every_header_that_a_record_carries_is_described(document):
    """What relay and ingest really write has no header that the document leaves out."""
    entry = compose(scenario.commitment("registered", "P-1", scenario.registered()))
    link = Link("log.example/test", 1, 0, leaf_hash(entry))
    sealed = of_entry(entry, stream="commitment/P-1", link=link, mode="binary")
    came = Unreadable("in", 0, 7, "", b"k", b"v", [("henji_correlation", b"c")])
    refused = dead_letter(
        came, Malformed("invalid_json"), topic="dead", failed_at="2026-01-01T00:00:00Z"
    )
    described = document["components"]["messageTraits"]
    for trait, record in (("sealed", sealed), ("refused", refused.record)):
        written = {name for name, _ in record.headers} - {"henji_correlation"}
        known = described[trait]["headers"]
        (extension,) = known["patternProperties"]
        others = {name for name in written if not re.match(extension, name)}
        assert others <= set(known["properties"]), trait
        assert set(known["required"]) <= written, trait


def compose(event):
    """Return the bytes of an entry that the log would hold of an event."""
    own = {
        "ingestedtime": "2026-01-01T00:00:00.000000Z",
        "stream": event["subject"],
        "streamversion": 1,
        "authtype": "api_key",
        "authid": "k1",
    }
    return canonical.encode({**event, **own})


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
