"""Every event type is named, documented, exemplified, and its schema says the truth."""

from __future__ import annotations

import copy
import json

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import catalogue
from events.domain import schemas
from events.domain.access import ROLES
from events.entries import instant
from events.errors import Denied, Malformed, Refused

TYPES = catalogue.all_types()
CASES = [(row, example) for row in TYPES for example in row.examples]
IDS = [row.name for row, _ in CASES]


def is_instant(value):
    """Tell whether a string is an RFC 3339 time (jsonschema has no check of its own)."""
    return not isinstance(value, str) or isinstance(instant(value), int)


def reference(name):
    """Return the reference implementation's validator, formats checked."""
    formats = jsonschema.FormatChecker(formats=["date"])
    formats.checks("date-time", raises=Malformed)(is_instant)
    return jsonschema.Draft202012Validator(
        catalogue.schema(name), format_checker=formats
    )


def fast(name):
    """Return the validator that the service itself uses."""
    return jsonschema_rs.Draft202012Validator(
        catalogue.schema(name), validate_formats=True, offline=True
    )


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row.name)
class TestEveryType:
    """What must be true of each row of the catalogue."""

    def test_is_named_in_both_languages(self, row):
        """A type has an English and a Chinese name and a description."""
        assert row.en.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in row.zh)
        assert row.description

    def test_is_named_after_its_stream_and_version(self, row):
        """The name is henji.<kind>.<what>.v<version>."""
        product, kind, what, version = row.name.split(".")
        assert (product, kind) == ("henji", row.kind)
        assert what == what.lower()
        assert version == f"v{row.version}"

    def test_names_only_known_roles(self, row):
        """Some role may submit it, and each is in the table of roles."""
        assert row.roles
        assert row.roles <= ROLES.keys()

    def test_schema_is_a_valid_json_schema(self, row):
        """The generated schema keeps the meta-schema and carries its identity."""
        document = catalogue.schema(row.name)
        jsonschema.Draft202012Validator.check_schema(document)
        assert document["$id"].endswith(row.name)
        assert document["title"] == row.en

    def test_description_is_plain_json(self, row):
        """What is served of a type survives JSON and follows the language."""
        served = catalogue.describe(row.name, "zh")
        assert json.loads(json.dumps(served)) == served
        assert served["title"] == row.zh
        assert served["titles"] == {"en": row.en, "zh": row.zh}

    def test_examples_are_whole_events(self, row):
        """Each served example is a CloudEvent whose subject names a stream."""
        served = catalogue.describe(row.name)["examples"]
        assert served
        for event in served:
            assert {"specversion", "id", "source", "type", "data"} <= event.keys()
            assert catalogue.stream_of(row, event["subject"]) == event["subject"]

    def test_structs_are_frozen(self, row):
        """A payload cannot be changed after it was parsed."""
        assert row.data.__struct_config__.frozen
        assert row.data.__struct_config__.forbid_unknown_fields


def test_names_are_unique():
    """No two rows share a name."""
    assert len({row.name for row in TYPES}) == len(TYPES)


@pytest.mark.parametrize(("row", "example"), CASES, ids=IDS)
def test_examples_are_valid_everywhere(row, example):
    """Both validators and the struct accept every example."""
    data = example.get("data") if "specversion" in example else example
    assert list(reference(row.name).iter_errors(data)) == []
    assert fast(row.name).is_valid(data)
    assert isinstance(catalogue.parse_data(row, data), row.data)


def places(value, path=()):
    """Yield the path of every object and of every member in a value."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for step, child in members:
        if isinstance(child, dict | list):
            yield from places(child, (*path, step))
        else:
            yield (*path, step)


def damages(value):
    """Return every (damage, path) that can be done to a value."""
    paths = list(places(value))
    removed = [
        (damage, path) for path in paths if path for damage in ("remove", "retype")
    ]
    return removed + [
        ("add", path) for path in paths if isinstance(at(value, path), dict)
    ]


def at(value, path):
    """Return what is at a path."""
    for step in path:
        value = value[step]
    return value


def struct_accepts(row, data):
    """Tell whether the struct takes the data."""
    try:
        catalogue.parse_data(row, data)
    except Refused:
        return False
    return True


@settings(deadline=None, max_examples=300)
@given(draw=st.data())
def test_schema_and_struct_agree_on_damaged_examples(draw):
    """A member removed, added or of another type is judged alike by all three."""
    row, example = draw.draw(st.sampled_from(CASES))
    data = copy.deepcopy(dict(example))
    damage, path = draw.draw(st.sampled_from(damages(data)))
    parent = at(data, path[:-1])
    if damage == "remove":
        del parent[path[-1]]
    elif damage == "retype":
        parent[path[-1]] = draw.draw(
            st.sampled_from([None, True, -1, 1.5, "", "x\n", [], {}, [[]], {"a": 1}])
        )
    else:
        at(data, path)["never_heard_of"] = 1
    verdict = struct_accepts(row, data)
    assert reference(row.name).is_valid(data) == verdict, data
    assert fast(row.name).is_valid(data) == verdict, data


def test_unknown_member_is_refused_by_all():
    """Spelling counts: one more member is no valid data."""
    row = catalogue.lookup("henji.unit.created.v1")
    data = {"name": "示例", "nmae": "示例"}
    assert not struct_accepts(row, data)
    assert not reference(row.name).is_valid(data)


def test_all_violations_are_reported_at_their_places():
    """One refusal lists every fault with its pointer, escapes included."""
    row = catalogue.lookup("henji.access.key_created.v1")
    data = {
        "key_id": 3,
        "secret_sha256": "00" * 32,
        "roles": ["lead", "king"],
        "scopes": [],
        "expires": "tomorrow",
        "a/b~c": 1,
    }
    with pytest.raises(Refused) as caught:
        catalogue.parse_data(row, data)
    assert caught.value.code == "schema_violation"
    assert {(fault.pointer, fault.code) for fault in caught.value.faults} == {
        ("/data/key_id", "wrong_type"),
        ("/data/roles/1", "value_not_listed"),
        ("/data/scopes", "wrong_length"),
        ("/data/expires", "format_mismatch"),
        ("/data/sources", "member_missing"),
        ("/data/a~1b~0c", "member_unknown"),
    }


def test_missing_data_is_a_fault_of_data_itself():
    """An event without data is refused at /data."""
    row = catalogue.lookup("henji.unit.ended.v1")
    with pytest.raises(Refused) as caught:
        catalogue.parse_data(row, None)
    assert [fault.pointer for fault in caught.value.faults] == ["/data"]


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        (None, "subject_required"),
        ("", "subject_required"),
        ("gouzhao", "subject_not_of_kind"),
        ("post/gouzhao", "subject_not_of_kind"),
        ("unitary/gouzhao", "subject_not_of_kind"),
        ("unit/", "subject_malformed"),
        ("unit/a/b", "subject_malformed"),
        ("unit/a b", "subject_malformed"),
        ("unit/a\n", "subject_malformed"),
        ("unit/" + "a" * 65, "subject_malformed"),
    ],
)
def test_subject_names_a_stream_of_the_kind(subject, code):
    """A domain event's subject is <kind>/<key>; anything else is refused."""
    row = catalogue.lookup("henji.unit.ended.v1")
    with pytest.raises(Refused) as caught:
        catalogue.stream_of(row, subject)
    assert caught.value.code == code
    assert caught.value.faults[0].pointer == "/subject"


def test_a_role_of_the_type_is_needed():
    """Who has none of the type's roles is denied; a type without roles lets all in."""
    row = catalogue.lookup("henji.policy.published.v1")
    actor = catalogue.Actor(key="k", roles=frozenset({"lead"}))
    with pytest.raises(Denied) as caught:
        catalogue.permit(row.roles, actor)
    assert caught.value.code == "role_not_allowed"
    catalogue.permit(frozenset({"lead", "office"}), actor)
    catalogue.permit(frozenset(), actor)


def test_lookup_knows_only_ours():
    """An external name is not in the table."""
    assert catalogue.lookup("org.example.hotline.call.v1") is None


def test_fault_list_is_bounded():
    """A large bad value gives at most fifty faults."""
    validator = schemas.compiled('{"items":{"type":"string"}}')
    found = schemas.faults(validator, list(range(1000)))
    assert len(found) == schemas.MAX_FAULTS
