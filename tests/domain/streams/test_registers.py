"""Keys, the ledger and external types."""

from __future__ import annotations

from typing import get_args

import pytest

from events import catalogue
from events.domain import access
from events.domain.model import Actor
from events.entries import instant
from events.errors import Refused

NOW = instant("2017-11-24T08:00:00Z")
KEY = "access/k1"
CREATED = {
    "key_id": "k1",
    "secret_sha256": "ab" * 32,
    "roles": ["lead"],
    "scopes": ["events:write"],
    "sources": ["urn:example:oa:*", "urn:example:one"],
}
TYPE = "catalogue/org.example.call.v1"
REGISTERED = {
    "type": "org.example.call.v1",
    "title_en": "Call",
    "title_zh": "来电",
    "schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
    "examples": [{"n": 1}],
}
VKEY = "log.example+c2c0ffee+AWFub3RoZXI="


def test_roles_and_scopes_are_named_in_both_languages():
    """The tables of names and the values that payloads accept are the same."""
    for table, accepted in ((access.ROLES, access.Role), (access.SCOPES, access.Scope)):
        assert tuple(table) == get_args(accepted)
        assert all(en and zh for en, zh in table.values())


def test_a_key_is_usable_until_it_expires(world):
    """The end of a key is exclusive."""
    end = instant("2017-12-01T00:00:00Z")
    world.send("access.key_created", KEY, **CREATED, expires="2017-12-01T00:00:00Z")
    key = world.states[KEY]
    assert key.usable(end - 1)
    assert not key.usable(end)


def test_a_key_is_usable_until_it_is_revoked(world):
    """Revocation counts from its seal on, once."""
    world.send("access.key_created", KEY, **CREATED)
    assert world.states[KEY].usable(NOW + 10**15)
    world.send("access.key_revoked", KEY, reason="lost")
    key = world.states[KEY]
    assert key.usable(key.revoked_at - 1)
    assert not key.usable(key.revoked_at)
    again = world.refusal("access.key_revoked", KEY, reason="lost")
    assert again == ("not_allowed_in_state", "/type")


def test_a_key_is_of_its_stream_and_not_expired(world):
    """A key id that is not the stream's, or an end in the past, is refused."""
    other = world.refusal("access.key_created", "access/k2", **CREATED)
    assert other == ("key_id_mismatch", "/data/key_id")
    past = world.refusal(
        "access.key_created", KEY, **CREATED, expires="2017-11-24T08:00:00Z"
    )
    assert past == ("key_expiry_past", "/data/expires")


def test_the_ledger_is_opened_once_under_its_origin(world):
    """The origin is that of the stream, and a ledger begins once."""
    stream = "ledger/log.example/demo"
    wrong = world.refusal("ledger.opened", stream, origin="x", vkeys=[VKEY])
    assert wrong == ("ledger_origin_mismatch", "/data/origin")
    opened = {"origin": "log.example/demo", "vkeys": [VKEY]}
    world.send("ledger.opened", stream, **opened)
    assert world.states[stream].vkeys == (VKEY,)
    twice = world.refusal("ledger.opened", stream, **opened)
    assert twice == ("stream_already_started", "/subject")


def test_the_keys_of_a_ledger_are_rotated(world):
    """Others by the same name take over; of a ledger that was opened, by nobody else."""
    stream = "ledger/log.example/demo"
    first = "log.example/demo+c2c0ffee+AWFub3RoZXI="
    fresh = "log.example/demo+0badcafe+AWZyZXNo"
    rotated = {"vkeys": [fresh], "reason": "yearly"}
    early = world.refusal("ledger.keys_rotated", stream, **rotated)
    assert early == ("stream_not_started", "/subject")
    world.send("ledger.opened", stream, origin="log.example/demo", vkeys=[first])
    again = rotated | {"vkeys": [fresh, first]}
    found = world.refusal("ledger.keys_rotated", stream, **again)
    assert found == ("signing_key_reused", "/data/vkeys/1")
    named = rotated | {"vkeys": ["log.example/other+0badcafe+AWZyZXNo"]}
    found = world.refusal("ledger.keys_rotated", stream, **named)
    assert found == ("signing_key_name", "/data/vkeys/0")
    world.send("ledger.keys_rotated", stream, **rotated)
    assert world.states[stream].vkeys == (fresh,)
    world.send("ledger.keys_rotated", stream, **(rotated | {"vkeys": [first]}))


def test_registering_again_makes_the_next_version(world):
    """Versions of an external type count up; the newest schema holds."""
    world.send("catalogue.type_registered", TYPE, **REGISTERED)
    narrower = REGISTERED["schema"] | {"required": ["n"]}
    world.send("catalogue.type_registered", TYPE, **(REGISTERED | {"schema": narrower}))
    state = world.states[TYPE]
    assert state.version == 2
    with pytest.raises(Refused):
        catalogue.validate_external(state, {})


def test_external_data_keeps_its_schema(world):
    """A violation is reported with its pointer; valid data passes."""
    world.send("catalogue.type_registered", TYPE, **REGISTERED)
    catalogue.validate_external(world.states[TYPE], {"n": 2})
    with pytest.raises(Refused) as caught:
        catalogue.validate_external(world.states[TYPE], {"n": "2"})
    assert caught.value.code == "schema_violation"
    assert [f.pointer for f in caught.value.faults] == ["/data/n"]


def test_unknown_and_retired_types_are_refused(world):
    """No state is an unknown type; a retired one takes no data and stays retired."""
    with pytest.raises(Refused) as caught:
        catalogue.validate_external(None, {})
    assert caught.value.code == "unknown_event_type"
    world.send("catalogue.type_registered", TYPE, **REGISTERED)
    world.send("catalogue.type_retired", TYPE, reason="x")
    with pytest.raises(Refused) as caught:
        catalogue.validate_external(world.states[TYPE], {"n": 1})
    assert caught.value.code == "event_type_retired"
    again = world.refusal("catalogue.type_registered", TYPE, **REGISTERED)
    assert again == ("not_allowed_in_state", "/type")


def nested(depth):
    """Return a schema that is nested so deep."""
    schema = {"type": "string"}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"type": "no such type"}, "schema_invalid"),
        ({"pattern": "("}, "schema_invalid"),
        ({"pattern": r"(a)\1"}, "schema_invalid"),
        ({"pattern": "(?=a)"}, "schema_invalid"),
        ({"$ref": "https://example.org/s.json"}, "schema_remote_reference"),
        ({"items": [{"$ref": "other.json#/a"}]}, "schema_remote_reference"),
        ({"$dynamicRef": "x#y"}, "schema_remote_reference"),
        ({"$ref": "#/$defs/none"}, "schema_invalid"),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            "schema_dialect_unsupported",
        ),
        ({"description": "x" * 65_536}, "schema_too_large"),
        (nested(40), "schema_too_deep"),
    ],
)
def test_dangerous_schemas_are_refused(world, schema, code):
    """A schema must compile, stay inside itself, be small and flat, not backtrack."""
    refused = world.refusal(
        "catalogue.type_registered", TYPE, **(REGISTERED | {"schema": schema})
    )
    assert refused == (code, "/data/schema")


def test_examples_keep_their_schema(world):
    """An example that breaks its schema is pointed at in the registration."""
    refused = world.refusal(
        "catalogue.type_registered",
        TYPE,
        **(REGISTERED | {"examples": [{"n": 1}, {"n": "x"}]}),
    )
    assert refused == ("example_violates_schema", "/data/examples/1/n")


def test_names_of_ours_are_reserved(world):
    """Nobody registers henji.*, nor a name that is not the stream's."""
    ours = world.refusal(
        "catalogue.type_registered",
        "catalogue/henji.unit.created.v2",
        **(REGISTERED | {"type": "henji.unit.created.v2"}),
    )
    assert ours == ("type_name_reserved", "/data/type")
    other = world.refusal("catalogue.type_registered", TYPE + "x", **REGISTERED)
    assert other == ("type_name_mismatch", "/data/type")


@pytest.mark.parametrize(
    ("event", "stream"),
    [
        ({"source": "urn:a", "subject": "s/1"}, "external/s/1"),
        ({"source": "urn:a"}, "external/urn:a"),
        ({"source": "urn:a", "subject": "commitment/1"}, "external/commitment/1"),
    ],
)
def test_external_events_never_enter_our_streams(event, stream):
    """An external event lives under external/, by its subject or its source."""
    assert catalogue.external_stream(event) == stream


def test_auditors_and_viewers_submit_nothing(world):
    """A type that names no roles lets all in who write; who only reads is not named."""
    world.send("catalogue.type_registered", TYPE, **REGISTERED)
    roles = world.states[TYPE].roles
    assert {"adapter", "lead", "enterprise"} <= roles
    assert not roles & {"auditor", "viewer"}
    for role in ("auditor", "viewer"):
        named = REGISTERED | {"roles": ["lead", role]}
        refused = world.refusal("catalogue.type_registered", TYPE, **named)
        assert refused == ("role_reads_only", "/data/roles/1")


def test_no_event_of_ours_is_for_readers():
    """Neither an auditor nor a viewer is among the roles of any type."""
    for row in catalogue.all_types():
        assert not row.roles & {"auditor", "viewer"}, row.name


def test_a_key_lists_its_types(world):
    """Exact names or prefixes; nothing else has that form."""
    types = ["henji.commitment.*", "org.example.call.v1"]
    world.send("access.key_created", KEY, **CREATED, types=types)
    assert world.states[KEY].types == tuple(types)
    bad = world.refusal("access.key_created", "access/k2", **CREATED, types=["*.v1"])
    assert bad == ("schema_violation", "/data/types/0")


@pytest.mark.parametrize("what", ["type_registered", "type_retired"])
def test_a_type_belongs_to_the_system_that_registered_it(world, what):
    """Another system changes or retires nothing; its own unit and an admin may."""
    world.actor = Actor(key="k1", unit="hotline", roles=frozenset({"adapter"}))
    world.send("catalogue.type_registered", TYPE, **REGISTERED)
    data = REGISTERED if what == "type_registered" else {"reason": "x"}
    world.actor = Actor(key="k2", unit="oa", roles=frozenset({"adapter"}))
    refused = world.refusal(f"catalogue.{what}", TYPE, **data)
    assert refused == ("type_of_another_system", "/type")
    world.actor = Actor(key="k9", roles=frozenset({"admin"}))
    world.send("catalogue.type_registered", TYPE, **REGISTERED)
    assert world.states[TYPE].owner == "unit:hotline"
    world.actor = Actor(key="k3", unit="hotline", roles=frozenset({"adapter"}))
    world.send(f"catalogue.{what}", TYPE, **data)
