"""The sealing order: fifteen days for each violation, given back on revocation."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.rules.in_force import as_shipped
from projections.rules.seals import seal_until, seals
from tests.rules.diary import Diary, put_ruleset

BASE = date(2018, 3, 15)

ROWS = [
    # days added, extensions, last day
    ([], [], "2018-03-15"),
    ([15], [], "2018-03-30"),
    ([15, 15], [], "2018-04-14"),
    ([], ["2018-03-31"], "2018-03-31"),
    ([15], ["2018-03-30"], "2018-03-30"),
    ([15, 15], ["2018-03-30"], "2018-04-14"),
    ([15], ["2018-05-01"], "2018-05-01"),
]


@pytest.mark.parametrize(("added", "extensions", "last_day"), ROWS)
def test_each_violation_adds_fifteen_days(added, extensions, last_day):
    """An explicit extension is the decision for the same days, not in addition."""
    explicit = [date.fromisoformat(day) for day in extensions]
    assert seal_until(BASE, added, explicit) == date.fromisoformat(last_day)


def order(diary, *sites):
    """Note a sealing order over some sites; return the position of its issue."""
    data = {
        "kind": "seal",
        "title": "封土行动（模拟数据）",
        "start": "2017-11-15",
        "base_end": "2018-03-15",
        "scope": "示例",
    }
    issued = diary.note("order.issued", "order/seal-2017", "2017-11-15", data)
    for site in sites:
        bound = {"site": site}
        diary.note("order.site_bound", "order/seal-2017", "2017-11-15", bound)
    return issued


def violation(diary, what, name, at, **data):
    """Note what becomes of a violation."""
    data = {"violation": name} | data
    return diary.note(f"order.violation_{what}", "order/seal-2017", at, data)


def until(diary, rules, position=None):
    """Return the last day by site."""
    found = seals(diary.world("2018-06-01", position=position), rules)
    return {row.value.site: row.value.until.isoformat() for row in found}


def test_a_revoked_violation_gives_its_days_back_and_the_past_keeps_them(diary, rules):
    """As known on the day of the appeal the site was sealed longer."""
    order(diary, "S-1", "S-2")
    violation(diary, "recorded", "V-1", "2017-11-23 22:10", site="S-1", text="示例")
    assert until(diary, rules)["S-1"] == "2018-03-15"
    confirmed = violation(diary, "confirmed", "V-1", "2017-11-24")
    assert until(diary, rules) == {"S-1": "2018-03-30", "S-2": "2018-03-15"}
    violation(diary, "revoked", "V-1", "2017-12-20", reason="示例")
    assert until(diary, rules)["S-1"] == "2018-03-15"
    assert until(diary, rules, position=confirmed)["S-1"] == "2018-03-30"


def test_a_site_with_two_violations_is_sealed_thirty_days_longer(diary, rules):
    """The events are the order, its binding, and those of its own violations."""
    issued = order(diary, "S-1", "S-2")
    for name, site in (("V-1", "S-1"), ("V-2", "S-1"), ("V-3", "S-2")):
        violation(diary, "recorded", name, "2017-11-23 22:10", site=site, text="示例")
        violation(diary, "confirmed", name, "2017-11-24")
    one, two = seals(diary.world("2018-01-01"), rules)
    assert (one.value.until, one.value.violations) == (date(2018, 4, 14), 2)
    assert (one.rule, one.events) == ("seal_until@demo-2017/1", (issued, 2, 4, 5, 6, 7))
    assert two.value.until == date(2018, 3, 30)


def test_an_extension_of_the_whole_order_reaches_every_site(diary, rules):
    """Without a site it is for all of them."""
    order(diary, "S-1", "S-2")
    data = {"until": "2018-03-31", "reason": "示例"}
    extended = diary.note(
        "order.period_extended", "order/seal-2017", "2018-03-01", data
    )
    assert set(until(diary, rules).values()) == {"2018-03-31"}
    for found in seals(diary.world("2018-06-01"), rules):
        assert extended in found.events


def test_a_violation_adds_the_days_of_the_rules_when_it_happened(diary, rules):
    """A ruleset of twenty days from December on leaves November's violation alone."""
    order(diary, "S-1")
    changes = {"version": 2, "seal_violation_days": 20}
    put_ruleset(diary, changes, valid_from="2017-12-01T00:00:00+08:00")
    for name, at in (("V-1", "2017-11-30 23:59"), ("V-2", "2017-12-01 00:00")):
        violation(diary, "recorded", name, at, site="S-1", text="示例")
        violation(diary, "confirmed", name, "2017-12-02")
    (found,) = seals(diary.world("2018-01-01"), rules)
    assert (found.value.added_days, found.reason["days"]) == (35, (15, 20))


steps = st.lists(
    st.tuples(
        st.sampled_from(["S-1", "S-2"]),
        st.sampled_from(["recorded", "confirmed", "revoked", "revoked_unconfirmed"]),
    ),
    max_size=8,
)


@given(steps=steps)
@settings(deadline=None, max_examples=100)
def test_the_last_day_is_the_end_and_fifteen_days_for_each_that_counts(steps):
    """I11: seal_until = base end + 15 d x confirmed, not revoked; at every position."""
    diary = Diary()
    order(diary, "S-1", "S-2")
    counted = {"S-1": 0, "S-2": 0}
    for number, (site, fate) in enumerate(steps):
        name = f"V-{number}"
        violation(diary, "recorded", name, "2017-11-23", site=site, text="示例")
        if fate in {"confirmed", "revoked"}:
            violation(diary, "confirmed", name, "2017-11-24")
        if fate.startswith("revoked"):
            violation(diary, "revoked", name, "2017-12-20", reason="示例")
        counted[site] += fate == "confirmed"
        assert until(diary, as_shipped()) == {
            site: (BASE + timedelta(days=15 * count)).isoformat()
            for site, count in counted.items()
        }
