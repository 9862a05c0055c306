"""Campaigns have a window and end once; directives reach each unit once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events.domain import campaigns
from events.domain.model import Actor

CAMPAIGN = "campaign/sixty-days"
DIRECTIVE = "directive/D-1"
OPENED = {"title": "决胜60天", "start": "2017-11-02", "end": "2017-12-31"}
ISSUED = {"title": "动员会", "dated": "2017-11-14", "level": "zone"}
TARGET = {"metric": "pm10", "value": 118, "unit": "µg/m³"}


def test_targets_are_kept_by_metric(world):
    """A target set again replaces that of the same metric only."""
    world.send("campaign.opened", CAMPAIGN, **OPENED, targets=[TARGET])
    world.send("campaign.target_set", CAMPAIGN, **(TARGET | {"value": 110}))
    world.send("campaign.target_set", CAMPAIGN, **(TARGET | {"metric": "pm2.5"}))
    targets = world.states[CAMPAIGN].targets
    assert {name: row.value for name, row in targets.items()} == {
        "pm10": 110,
        "pm2.5": 118,
    }


def test_a_metric_is_named_once(world):
    """Two targets for one metric in one event are refused."""
    refused = world.refusal(
        "campaign.opened", CAMPAIGN, **OPENED, targets=[TARGET, TARGET]
    )
    assert refused == ("metric_repeated", "/data/targets/1/metric")


def test_a_campaign_ends_no_earlier_than_it_starts(world):
    """A window of one day is allowed, an inverted one is not, then or later."""
    inverted = OPENED | {"end": "2017-11-01"}
    refused = world.refusal("campaign.opened", CAMPAIGN, **inverted)
    assert refused == ("campaign_ends_before_start", "/data/end")
    world.send("campaign.opened", CAMPAIGN, **(OPENED | {"end": "2017-11-02"}))
    window = {"start": "2017-11-02", "end": "2017-11-01", "reason": "x"}
    refused = world.refusal("campaign.window_changed", CAMPAIGN, **window)
    assert refused == ("campaign_ends_before_start", "/data/end")


def test_a_window_change_changes_something(world):
    """The same window again is refused; another one is taken."""
    world.send("campaign.opened", CAMPAIGN, **OPENED)
    same = {"start": "2017-11-02", "end": "2017-12-31", "reason": "x"}
    refused = world.refusal("campaign.window_changed", CAMPAIGN, **same)
    assert refused == ("campaign_window_unchanged", "/data/end")
    world.send("campaign.window_changed", CAMPAIGN, **(same | {"end": "2018-01-12"}))
    assert world.states[CAMPAIGN].end.isoformat() == "2018-01-12"


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("campaign.target_set", TARGET),
        ("campaign.closed", {"outcome": "met", "summary": "x"}),
        (
            "campaign.window_changed",
            {"start": "2017-11-02", "end": "2018-01-12", "reason": "x"},
        ),
    ],
)
def test_nothing_follows_the_close(world, what, data):
    """A closed campaign takes no event."""
    world.send("campaign.opened", CAMPAIGN, **OPENED)
    world.send("campaign.closed", CAMPAIGN, outcome="met", summary="x")
    refused = world.refusal(what, CAMPAIGN, **data)
    assert refused == ("not_allowed_in_state", "/type")


def test_a_directive_reaches_a_unit_once(world):
    """Relaying to or studying by the same unit again is refused; another is taken."""
    for unit in ("a", "b"):
        world.send("unit.created", f"unit/{unit}", name=unit)
    world.send("directive.issued", DIRECTIVE, **ISSUED)
    for unit in ("a", "b"):
        world.send("directive.relayed", DIRECTIVE, unit=unit)
        world.send("directive.read", DIRECTIVE, unit=unit)
    assert world.states[DIRECTIVE].relayed_to == {"a", "b"}
    assert world.states[DIRECTIVE].read_by == {"a", "b"}
    relayed = world.refusal("directive.relayed", DIRECTIVE, unit="a")
    assert relayed == ("directive_relayed_already", "/data/unit")
    read = world.refusal("directive.read", DIRECTIVE, unit="a")
    assert read == ("directive_read_already", "/data/unit")


def test_clauses_are_numbered_apart(world):
    """A clause number is used once."""
    clauses = [{"number": "1", "text": "x"}, {"number": "1", "text": "y"}]
    refused = world.refusal("directive.issued", DIRECTIVE, **ISSUED, clauses=clauses)
    assert refused == ("clause_repeated", "/data/clauses/1/number")


def test_a_successor_is_another_directive_in_force(world):
    """A directive is replaced by one that exists, is in force and is not itself."""
    received = {**ISSUED, "issuer": "市指挥部", "level": "city"}
    world.send("directive.received", DIRECTIVE, **received)

    def revoke(heir):
        return world.refusal(
            "directive.revoked", DIRECTIVE, reason="x", replaced_by=heir
        )

    where = "/data/replaced_by"
    assert revoke("D-1") == ("directive_replaced_by_itself", where)
    assert revoke("D-2") == ("directive_unknown", where)
    world.send("directive.issued", "directive/D-2", **ISSUED)
    world.send("directive.revoked", "directive/D-2", reason="x")
    assert revoke("D-2") == ("directive_not_in_force", where)
    world.send("directive.issued", "directive/D-3", **ISSUED)
    world.send("directive.revoked", DIRECTIVE, reason="x", replaced_by="D-3")
    assert not world.states[DIRECTIVE].active
    refused = world.refusal("directive.relayed", DIRECTIVE, unit="a")
    assert refused == ("not_allowed_in_state", "/type")


@pytest.mark.parametrize("what", ["directive.relayed", "directive.read"])
def test_a_directive_reaches_units_that_exist(world, what):
    """A unit nobody created is reached by nothing."""
    world.send("directive.issued", DIRECTIVE, **ISSUED)
    assert world.refusal(what, DIRECTIVE, unit="a") == ("unit_unknown", "/data/unit")


def test_a_unit_revokes_its_own_directives(world):
    """Another unit's are for headquarters and the supervision office."""
    wutong = Actor(key="k2", unit="wutong", roles=frozenset({"lead"}))
    world.send("directive.issued", DIRECTIVE, **ISSUED)
    world.actor = wutong
    refused = world.refusal("directive.revoked", DIRECTIVE, reason="x")
    assert refused == ("directive_of_another_unit", "/type")
    world.send("directive.issued", "directive/D-9", **ISSUED)
    world.send("directive.revoked", "directive/D-9", reason="x")
    world.actor = replace(wutong, roles=frozenset({"headquarters"}))
    world.send("directive.revoked", DIRECTIVE, reason="x")


def test_campaigns_are_headquarters_business():
    """Nobody else opens, targets, moves or closes one."""
    for row in campaigns.EVENT_TYPES:
        assert row.roles == {"headquarters"}
