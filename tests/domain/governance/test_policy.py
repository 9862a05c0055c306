"""Kinds of commitment are put into force by two persons; those of old logs still count."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from events import canonical, catalogue
from events.domain import kinds
from events.domain.kinds import Kind
from events.domain.model import Context, Event
from events.domain.policy_versions import content_sha256
from events.entries import instant
from projections import state_codec
from tests.support.governance import actor

STREAM = "policy/permit"
FIRST, SECOND = actor("first", roles={"admin"}), actor("second", roles={"admin"})
KIND = {
    "name": "permit",
    "version": 2,
    "en": "Permit",
    "zh": "许可",
    "entry_state": "in_progress",
    "closes_from": ["in_progress", "claimed"],
    "verification": "none",
}


def digest(kind):
    """Return the hash of a kind as it is written here."""
    return hashlib.sha256(canonical.encode(kind)).hexdigest()


def published(kind, **changes):
    """Return the publication of a kind."""
    return {
        "version": kind["version"],
        "content": kind,
        "content_sha256": digest(kind),
        "valid_from": "2017-11-02T00:00:00+08:00",
    } | changes


def put(world, kind, **changes):
    """Have one person publish a kind and another activate it."""
    both = {"version": kind["version"], "content_sha256": digest(kind)}
    world.send("policy.published", STREAM, FIRST, **published(kind, **changes))
    return world.send("policy.activated", STREAM, SECOND, **both)


def meant(world, text="permit"):
    """Return the kind that a text means now."""
    context = Context(world.now, world.now, FIRST, world.states.get)
    return kinds.current(text, context).id


def published_by_one(world, version):
    """Fold an event that was accepted before two persons were asked for."""
    row = catalogue.lookup("henji.policy.kind_published.v1")
    event = Event(
        type=row.name,
        stream=STREAM,
        version=world.versions.get(STREAM, 0) + 1,
        id=f"old-{version}",
        source="urn:example:test",
        occurred=world.now,
        ingested=world.now,
        data=msgspec.convert(KIND | {"version": version}, Kind),
        actor=FIRST,
    )
    world.states[STREAM] = row.evolve(world.states.get(STREAM), event)
    world.versions[STREAM] = event.version


def test_a_kind_counts_once_a_second_person_activates_it(world):
    """Until then the built-in version does; the publisher cannot do both."""
    world.send("policy.published", STREAM, FIRST, **published(KIND))
    assert meant(world) == "permit@1"
    both = {"version": 2, "content_sha256": digest(KIND)}
    refused = world.refusal("policy.activated", STREAM, FIRST, **both)
    assert refused == ("policy_activator_is_publisher", "/type")
    world.send("policy.activated", STREAM, SECOND, **both)
    assert meant(world) == "permit@2"


def test_the_hash_is_that_of_what_was_written(world):
    """Members that have their default count as if they had not been written."""
    kind = KIND | {"publicity_days": 0, "max_extensions": 3}
    wrong = world.refusal("policy.published", STREAM, FIRST, **published(kind))
    assert wrong == ("content_hash_mismatch", "/data/content_sha256")
    del kind["publicity_days"]
    world.send("policy.published", STREAM, FIRST, **published(kind))


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"name": "urgent"}, ("policy_name_mismatch", "/data/content/name")),
        ({"version": 1}, ("kind_invalid", "/data/content/version")),
        ({"entry_state": "draft"}, ("kind_invalid", "/data/content/entry_state")),
        ({"verification": "other_unit"}, ("kind_invalid", "/data/content/closes_from")),
        ({"publicity_days": 3}, ("kind_invalid", "/data/content/closes_from")),
        (
            {"senior_extension_role": "emperor"},
            ("kind_invalid", "/data/content/senior_extension_role"),
        ),
    ],
)
def test_an_unsound_kind_is_refused(world, changes, refused):
    """A kind is checked as a whole, against its stream and the built-in one."""
    kind = KIND | changes
    sha256 = content_sha256(msgspec.convert(kind, Kind))
    data = published(kind, content_sha256=sha256)
    assert world.refusal("policy.published", STREAM, FIRST, **data) == refused


def test_a_kind_without_a_built_in_one_is_refused(world):
    """What the fold depends on would be unknown."""
    kind = KIND | {"name": "unheard.of"}
    refused = world.refusal(
        "policy.published", "policy/unheard.of", FIRST, **published(kind)
    )
    assert refused == ("kind_invalid", "/data/content/name")


def test_one_person_puts_no_kind_into_force_any_more(world):
    """The event that did so is in old logs, and is refused now."""
    refused = world.refusal("policy.kind_published", STREAM, FIRST, **KIND)
    assert refused == ("kind_needs_two_persons", "/type")


def test_kinds_that_one_person_published_before_still_count(world):
    """The newest one, for any instant, until two persons put another one into force."""
    for version in (2, 4):
        published_by_one(world, version)
    assert [meant(world), meant(world, "permit@2")] == ["permit@4", "permit@2"]
    world.at("2011-10-11T00:00:00Z")
    assert meant(world) == "permit@4"
    world.at("2017-11-24T08:00:00Z")
    put(world, KIND | {"version": 5}, valid_from="2017-11-24T09:00:00Z")
    assert meant(world) == "permit@4"
    assert meant(world.at("2017-11-24T09:00:00Z")) == "permit@5"


def test_a_version_cannot_be_put_into_force_for_the_past_of_an_old_one(world):
    """What a kind meant stays what it was."""
    published_by_one(world, 2)
    kind = KIND | {"version": 3}
    world.send("policy.published", STREAM, FIRST, **published(kind))
    both = {"version": 3, "content_sha256": digest(kind)}
    refused = world.refusal("policy.activated", STREAM, SECOND, **both)
    assert refused == ("policy_valid_from_past", "/data/version")


def test_the_state_of_a_kind_is_kept_exactly(world):
    """Old and new versions come back from a read model as they went in."""
    published_by_one(world, 2)
    state = put(world, KIND | {"version": 3}, valid_from="2017-11-24T09:00:00Z")
    assert state_codec.decode("policy", state_codec.encode(state)) == state
    assert instant("2017-11-24T08:00:00Z") == state.versions[2].activated_at
