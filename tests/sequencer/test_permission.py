"""Who may: keys, scopes, sources, delegation and backfill as the log says under the lock."""

from __future__ import annotations

import pytest

from events import catalogue, errors
from tests.support import scenario
from tests.support.desk import OPERATOR, codes, request, tables

HOTLINE = "urn:test:hotline"


def with_key(desk, key, **bound):
    """Create a key; return its id."""
    assert codes([desk.one(scenario.key_created(key, **bound), key=OPERATOR)]) == ["ok"]
    return key


def test_an_unknown_key(desk):
    """A key that the log does not know submits nothing."""
    before = tables(desk.store)
    results = desk.submit([scenario.external(1), scenario.external(2)], key="keyNobody")
    assert codes(results) == ["key_unusable"] * 2
    assert tables(desk.store) == before


def test_a_key_revoked_in_the_same_group(desk):
    """A revocation counts for all that comes after it, even in the same group commit."""
    desk.one(scenario.external(0))
    group = [
        request([scenario.external(1)]),
        request([scenario.key_revoked(scenario.ADAPTER)], key=OPERATOR),
        request([scenario.external(2)]),
        request([scenario.external(0)]),
    ]
    # The revocation is at this instant, and a key counts until, not at, that instant.
    results = [codes(one) for one in desk.sequencer.commit(group)]
    assert results == [["ok"], ["ok"], ["key_unusable"], ["key_unusable"]]


def test_a_key_that_expires(desk):
    """An expired key is refused from its last instant on, by the clock of the lock."""
    key = with_key(desk, "keyBrief", expires="2017-11-14T08:00:00Z")
    assert codes([desk.one(scenario.external(1), key=key)]) == ["ok"]
    desk.clock.now = scenario.START + scenario.HOUR
    assert codes([desk.one(scenario.external(2), key=key)]) == ["key_unusable"]


@pytest.mark.parametrize(
    ("scopes", "event", "answer"),
    [
        (["events:read"], scenario.external(1), "scope_missing"),
        (["events:write"], scenario.external(1), "ok"),
        (["types:write"], scenario.external(1), "scope_missing"),
        (["events:write"], scenario.type_registered("a.b.v1"), "scope_missing"),
        (["types:write"], scenario.type_registered("a.b.v1"), "ok"),
        (["events:write"], scenario.key_created("keyOther"), "scope_missing"),
        (["keys:admin"], scenario.key_created("keyOther"), "ok"),
    ],
)
def test_scopes(quick, scopes, event, answer):
    """Each kind of stream needs its scope, and only that."""
    key = with_key(quick, "keyOne", scopes=scopes, roles=["admin", "adapter"])
    assert codes([quick.one(event, key=key)]) == [answer]


@pytest.mark.parametrize(
    ("sources", "answer"),
    [
        ([HOTLINE], "ok"),
        (["urn:test:*"], "ok"),
        (["*"], "ok"),
        (["urn:other", HOTLINE], "ok"),
        (["urn:test:hotlin"], "source_not_allowed"),
        (["urn:test:hotline:*"], "source_not_allowed"),
        (["urn:other:*"], "source_not_allowed"),
    ],
)
def test_sources(quick, sources, answer):
    """A key speaks for its own sources only; a repeat gives nothing away either."""
    event = scenario.external(1, source=HOTLINE)
    key = with_key(quick, "keyOne", sources=sources)
    assert codes([quick.one(event, key=key)]) == [answer]
    quick.one(event)
    assert codes([quick.one(event, key=key)]) == [answer]


@pytest.mark.parametrize(
    ("types", "answer"),
    [
        ([], "ok"),
        (["org.example.hotline.*"], "ok"),
        (["henji.commitment.*", scenario.EXTERNAL], "ok"),
        (["henji.commitment.*"], "type_not_allowed"),
        (["org.example.hotline"], "type_not_allowed"),
    ],
)
def test_types(quick, types, answer):
    """A connected system submits only the types that its key lists."""
    key = with_key(quick, "keyOne", types=types)
    assert codes([quick.one(scenario.external(1), key=key)]) == [answer]


def test_a_correction_of_the_same_batch(quick):
    """What a correction names may be in the log, or before it in its own batch."""
    loop = [step.event for step in scenario.loop("C1")[:2]]
    loop = [
        scenario.acting(who, one)
        for who, one in zip(("drafter", "office"), loop, strict=True)
    ]

    def fix(number, corrects):
        changes = {"corrects": corrects, "reason": "r", "changes": {"title": "T"}}
        made = scenario.commitment("corrected", "C1", changes, number=number)
        return scenario.acting("office", made)

    batch = [*loop, fix(1, loop[1]["id"])]
    assert codes(quick.submit(batch)) == ["ok"] * 3
    assert codes([quick.one(fix(2, loop[0]["id"]))]) == ["ok"]
    assert codes([quick.one(fix(3, "opened"))]) == ["corrected_unknown"]


def test_delegation(desk):
    """Only a key with that scope names another unit, post or person; its own is fine."""
    lead = scenario.PEOPLE["lead"].key
    bound = with_key(desk, "keyBound", unit="hq", post="clerk", roles=["office"])
    mine = scenario.acting("drafter", scenario.external(1))
    assert codes([desk.one(mine, key=bound)]) == ["ok"]
    for number, claim in enumerate(
        ({"actorunit": "bureau"}, {"actorpost": "chief"}, {"actorperson": "p-1"}), 2
    ):
        event = {**scenario.external(number), **claim}
        assert codes([desk.one(event, key=bound)]) == ["delegation_not_allowed"]
        assert codes([desk.one(event, key=lead)]) == ["delegation_not_allowed"]
        assert codes([desk.one(event)]) == ["ok"]


def test_the_actor_in_the_log(desk):
    """An entry says which key sealed it, its unit, and whom it acted for."""
    loop = scenario.loop("C1")
    own = desk.one(loop[0].event, key=scenario.PEOPLE["drafter"].key)
    acted = desk.one(scenario.acting("office", loop[1].event))
    entries = [desk.store.row(one.position).entry for one in (own, acted)]
    actors = [catalogue.read(entry).actor for entry in entries]
    assert [(one.key, one.unit, one.post) for one in actors] == [
        ("keyDrafter", "hq", "clerk"),
        (scenario.ADAPTER, "hq", "chief"),
    ]


def test_roles(desk):
    """Each step of the loop is for its roles; the same key otherwise is refused."""
    for step in scenario.loop("C1"):
        person = scenario.PEOPLE[step.by]
        desk.clock.now = catalogue.instant(step.event["time"])
        assert codes([desk.one(step.event, key=scenario.PEOPLE["lookback"].key)]) == [
            "role_not_allowed"
        ]
        assert codes([desk.one(step.event, key=person.key)]) == ["ok"]


def test_backfill(desk):
    """A key that may backfill is judged at the event's time; any other key at ours."""
    late = scenario.commitment("registered", "C1", scenario.registered())
    desk.clock.now = scenario.START + 365 * scenario.DAY
    own = desk.one(late, key=scenario.PEOPLE["drafter"].key)
    assert codes([own]) == ["due_in_past"]
    accepted = desk.one(scenario.acting("drafter", late))
    row = desk.store.row(accepted.position)
    assert (row.occurred, row.ingested) == (scenario.START, desk.clock.now)


def test_external_types(desk):
    """An external event needs its registered type, the schema kept, and a role of it."""
    only = scenario.type_registered("org.example.only.v1", roles=["lead"])
    other = {**scenario.external(1), "type": "org.example.only.v1"}
    assert codes([desk.one(other)]) == ["unknown_event_type"]
    # Registered and used in one batch: the second sees what the first has done.
    assert codes(desk.submit([only, other])) == ["batch_rejected", "role_not_allowed"]
    assert codes([desk.one(other)]) == ["unknown_event_type"]
    desk.one(only)
    assert codes([desk.one(other, key=scenario.PEOPLE["lead"].key)]) == ["ok"]


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_value_that_a_rule_cannot_bear(desk, time):
    """An event at the ends of time is judged or refused, and stops nobody else."""
    data = scenario.registered("D9999", kind="permit")
    event = {**scenario.commitment("registered", "C1", data), "time": time}
    good = scenario.external(1)
    results = desk.submit([event, good], atomic=False)
    assert codes(results)[1] == "ok"
    assert desk.sequencer.failure is None


def test_an_unreadable_store_is_no_refusal(quick, monkeypatch):
    """Where a state cannot be read, nothing is decided and everybody is told."""
    real = quick.sequencer._cache.look

    def look(log, stream):
        if stream == "catalogue/" + scenario.EXTERNAL:
            raise errors.Unavailable("store_busy")
        return real(log, stream)

    monkeypatch.setattr(quick.sequencer._cache, "look", look)
    group = [request([scenario.external(1)]), request([scenario.unit_created("x")])]
    before = tables(quick.store)
    answers = quick.sequencer._settle(group)
    assert [codes(one) for one in answers] == [["store_busy"]] * 2
    assert tables(quick.store) == before
