"""The answer key against itself: what is counted twice agrees, what grows only grows."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from services.demo.campaign.key import CLOCKS, INSTANTS, add_up
from services.demo.campaign.script import answer_key

MOMENTS = [(name, clock) for name in INSTANTS for clock in CLOCKS]
TERMINAL = {"closed", "cancelled", "superseded", "failed"}


@pytest.fixture(params=MOMENTS, ids="-".join)
def answers(request, key):
    """The answers at one instant by one clock."""
    name, clock = request.param
    return key["instants"][name][clock]


def test_every_commitment_is_in_one_status(answers):
    """Conservation: registered = the sum over statuses = the sum over units."""
    found = answers["commitment"]
    units = Counter()
    for row in found["by_unit"].values():
        units.update(row)
    assert sum(found["by_status"].values()) == found["registered"]
    assert dict(units) == found["by_status"]


def test_what_is_overdue_is_open(answers):
    """Nothing is overdue that ended; an extension can only take away."""
    found = answers["commitment"]
    still_open = sum(
        count for status, count in found["by_status"].items() if status not in TERMINAL
    )
    assert found["overdue_by_current_due"] <= found["overdue_by_original_due"]
    assert found["overdue_by_original_due"] <= still_open


def test_rates_are_parts_of_a_whole(answers):
    """A numerator is no more than its denominator."""
    for name in ("on_time_by_original_due", "on_time_by_current_due"):
        rate = answers["commitment"][name]
        assert 0 <= rate["numerator"] <= rate["denominator"]


def test_every_issue_is_in_one_status(answers):
    """Found = the sum over statuses = open ones by category and the settled."""
    found = answers["issue"]
    settled = sum(found["by_status"].get(name, 0) for name in ("closed", "revoked"))
    assert sum(found["by_status"].values()) == found["found"]
    assert sum(found["open_by_category"].values()) + settled == found["found"]
    assert sum(found["open_by_unit"].values()) + settled == found["found"]


def test_every_measure_case_and_obligation_is_in_one_status(answers):
    """Their counts add up as well."""
    for alert in answers["measure"].values():
        assert sum(alert["by_status"].values()) == alert["required"]
    assert sum(answers["case"]["by_status"].values()) == answers["case"]["cases"]
    kinds = answers["obligation"]["by_kind"].values()
    assert (
        sum(map(sum, (row.values() for row in kinds)))
        == (answers["obligation"]["scheduled"])
    )


def test_points_add_up(answers):
    """By cell, by unit and by result: the same points."""
    found = answers["point"]
    for name in ("by_cell", "by_unit", "by_result"):
        assert sum(found[name].values()) == found["points"]
    assert len(found["by_cell"]) == found["cells_covered"]


def test_each_counting_violation_is_fifteen_days(answers):
    """The days beyond the base are fifteen times the confirmed violations."""
    base = date(2018, 3, 15)
    ends = [date.fromisoformat(day) for day in answers["seal"]["until"].values()]
    beyond = sum((end - base for end in ends), timedelta())
    assert beyond == 15 * timedelta(days=answers["violation"].get("confirmed", 0))


def test_what_was_known_is_no_more_than_what_was(key):
    """At any instant no more is recorded than has happened; in the end all is."""
    for name in INSTANTS:
        known, true = (key["instants"][name][clock] for clock in CLOCKS)
        assert known["event"]["total"] <= true["event"]["total"]
    last = key["instants"]["end_of_log"]
    assert last["as_of"] == last["as_at"]
    assert last["as_of"]["event"]["total"] == key["entries"]


def test_the_clocks_differ_where_records_came_late(key):
    """An instant at which both clocks agree would test nothing."""
    middle = key["instants"]["orange_alert"]
    assert middle["as_of"]["point"] != middle["as_at"]["point"]
    assert middle["as_of"]["commitment"] != middle["as_at"]["commitment"]


def test_what_must_be_there_is_there(key):
    """The planted cases: violations, the site with two, appeals, re-used pictures."""
    last = key["instants"]["end_of_log"]["as_of"]
    assert last["violation"] == {"confirmed": 6, "revoked": 1}
    ends = Counter(last["seal"]["until"].values())
    assert ends == {"2018-03-15": 40, "2018-03-30": 4, "2018-04-14": 1}
    assert last["case"]["appeals"] == {"changed": 1, "revoked": 1, "upheld": 1}
    assert last["reuse"]["found"] == 5
    assert last["lookback"]["planned"] == sum(last["commitment"]["lookbacks"].values())


def test_two_copies_count_twice():
    """The key of two copies is the sum of two keys, units and all."""
    one, two = answer_key(), answer_key(factor=2)
    last = two["instants"]["end_of_log"]["as_of"]
    assert last["commitment"]["registered"] == 840
    assert two["entries"] > 1.9 * one["entries"]
    assert len(last["seal"]["until"]) == 90


def test_adding_up_keeps_texts_and_adds_counts():
    """Counts are added, tables joined, texts kept."""
    one = {"n": 1, "t": {"a": 1, "s": "x"}, "l": [1]}
    other = {"n": 2, "t": {"a": 2, "s": "x", "b": 5}, "l": [2]}
    assert add_up(one, other) == {
        "n": 3,
        "t": {"a": 3, "s": "x", "b": 5},
        "l": [1, 2],
    }
