"""What is read out of payloads: scalars as declared, and the things that are named."""

from __future__ import annotations

import json

import pytest

from events import catalogue, entries
from events.domain.registry import EXAMPLE_SUBJECTS, MODULES
from events.store import Row
from services.exports import members

TYPES = [row.name for module in MODULES for row in module]
#: What the schema of a key, or of a whole stream id, says of its pattern.
IDS = (
    r"[^\\s/]{1,64}",
    "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "[0-9a-f]{64}",
    "[a-z]{1,32}/",
)


def sealed(name, data, subject="issue/W-1"):
    """Return an entry of a type, read."""
    entry = entries.compose(
        {
            "specversion": "1.0",
            "id": "1",
            "source": "urn:test",
            "type": name,
            "data": data,
        },
        stream=subject,
        version=1,
        ingested_text="2017-11-24T09:00:00.000000Z",
        authid="k1",
        stamps={},
    )
    return members.told(Row(1, subject, 1, name, "urn:test", "1", 0, 0, b"", entry))


@pytest.mark.parametrize("name", TYPES)
def test_examples_are_read_as_their_schema_says(name):
    """Every scalar of an example is given with its kind; what is named is a stream."""
    row = catalogue.lookup(name)
    kinds = {
        "string": str,
        "time": str,
        "float": float,
        "integer": int,
        "boolean": bool,
    }
    for example in row.examples:
        entry = sealed(name, dict(example), EXAMPLE_SUBJECTS[row.kind])
        found = {
            member: (kind, value) for member, kind, value in members.scalars(entry)
        }
        plain = {
            member
            for member, value in example.items()
            if isinstance(value, str | int | float | bool)
        }
        assert found.keys() == plain
        for kind, value in found.values():
            assert isinstance(value, kinds[kind])
            if kind == "time":
                assert entries.rfc3339(entries.instant(value)) == value
        for stream, member in members.named(entry):
            assert member in example
            assert stream.partition("/")[0] in EXAMPLE_SUBJECTS


@pytest.mark.parametrize("name", TYPES)
def test_only_ids_name_things(name):
    """A member that is taken for the key of a stream is one by its own schema."""
    kind = catalogue.lookup(name).kind
    schema = catalogue.schema(name)
    for member, described in schema.get("properties", {}).items():
        asked = _probe(described)
        named = list(members.named(sealed(name, {member: asked})))
        if named:
            text = json.dumps([described, schema.get("$defs", {})])
            assert any(pattern in text for pattern in IDS), (kind, member)


def _probe(described):
    record = {"sha256": "a" * 64, "key": "k", "stream": "unit/x"}
    text = json.dumps(described)
    if "$ref" in text:
        return [record] if "array" in text else record
    return ["k"] if '"array"' in text else "k"


def test_a_unit_of_measurement_is_no_unit():
    """µg/m³ does not become a part of the administration."""
    data = {"series": "pm10", "unit": "µg/m³", "place": "zone"}
    assert list(members.named(sealed("henji.metric.recorded.v1", data))) == []
    found = {"unit": "gouzhao"}
    assert list(members.named(sealed("henji.issue.found.v1", found))) == [
        ("unit/gouzhao", "unit")
    ]


def test_strangers_words_are_not_ours():
    """Of an external payload nothing is taken for a thing or a declared attribute."""
    entry = sealed("org.example.call.v1", {"unit": "x", "about": "y"}, "external/s")
    assert list(members.named(entry)) == []
    assert list(members.scalars(entry)) == []


@pytest.mark.parametrize("data", [None, "text", 5, ["a"], {"title": None}])
def test_odd_payloads_are_passed_over(data):
    """Whatever stands there, nothing is made of it and nothing fails."""
    entry = sealed("henji.issue.found.v1", data)
    assert list(members.named(entry)) == []
    assert list(members.scalars(entry)) == []
