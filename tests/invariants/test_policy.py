"""Cases, seals and rules: what they rest on, and since when it counts."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st

from events.submissions import Accepted
from projections.cut_world import LogWorld, ViewWorld
from projections.rules import conduct, deadlines, lights, urging
from projections.rules.courses import courses
from projections.rules.in_force import as_shipped, rulebook
from projections.rules.seals import seals
from tests.invariants.history import SEAL_END, History, cut_at, projected
from tests.support import scenario

seeds = st.integers(0, 2**32)


@settings(deadline=None, max_examples=30)
@given(seed=seeds)
def test_i10_facts_of_a_case_exist_and_precede_it(seed):
    """Each event that cites facts cites entries of the log, sealed before it; and no
    case is open without one.
    """
    history = History(seed, areas=("commitment", "case")).grow(120)
    sealed, cited = set(), {}
    for row in history.rows:
        if row.stream.startswith("accountability/"):
            facts = msgspec.json.decode(row.entry)["data"].get("facts", [])
            for fact in facts:
                assert (fact["stream"], fact["version"]) in sealed, row.position
            cited[row.stream] = cited.get(row.stream, 0) + len(facts)
            assert cited[row.stream], row.position
            event(row.type.split(".")[2])
        sealed.add((row.stream, row.version))


@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_i11_a_seal_lasts_fifteen_days_longer_for_each_violation(seed):
    """Its last day is the order's and 15 days for each that is confirmed and not
    revoked, as of every position; an answer of the past stays.
    """
    history = History(seed, areas=("seal",)).grow(60)
    expected, violations, sites, begun = {}, {}, set(), False
    for row in history.rows:
        if row.stream.startswith("order/"):
            begun = True
            data = msgspec.json.decode(row.entry)["data"]
            what = row.type.split(".")[2]
            sites |= {data["site"]} if "site" in data else set()
            if what == "violation_recorded":
                violations[data["violation"]] = (data["site"], False)
            if what in {"violation_confirmed", "violation_revoked"}:
                site, _ = violations[data["violation"]]
                counts = what == "violation_confirmed"
                violations[data["violation"]] = (site, counts)
        counted = Counter(site for site, counts in violations.values() if counts)
        expected[row.position] = begun and {
            site: date.fromisoformat(SEAL_END) + timedelta(days=15 * counted[site])
            for site in sites
        }
    with projected(history.store) as views, views.snapshot("board") as snapshot:
        for position, days in expected.items():
            cut = cut_at(history, position)
            world = ViewWorld(snapshot, history.store, cut)
            found = seals(world, as_shipped())
            assert {row.value.site: row.value.until for row in found} == (days or {})
            event(
                f"most days added: {max((r.value.added_days for r in found), default=0)}"
            )


@settings(deadline=None, max_examples=20)
@given(seed=seeds, days=st.integers(0, 20), data=st.data())
def test_i14_a_change_of_rules_counts_from_its_own_instant_on(seed, days, data):
    """Every rule says of every instant before what it said; from then on it says the
    new version. The history may have other versions, in force or to come.
    """
    history = History(seed, areas=("commitment", "rules")).grow(80)
    before = LogWorld(history.store, cut_at(history))
    version = history.next_version()
    start = history.now + days * scenario.DAY
    for change in history.ruleset(version, start):
        assert isinstance(history.submit(change), Accepted)
    after = LogWorld(history.store, cut_at(history))
    for _ in range(6):
        instant = data.draw(st.integers(scenario.START, start - 1))
        assert judged(after, instant) == judged(before, instant)
    book = rulebook(after)
    assert book.at(start).ruleset.version == version
    others = rulebook(before).at(start - 1).ruleset.version
    assert book.at(start - 1).ruleset.version == others != version


def judged(world, instant):
    """Return every rule's answer about every commitment at an instant."""
    rules = rulebook(world).at(instant)
    return [
        (
            lights.light(row, instant, rules),
            deadlines.standing(row, instant, rules),
            conduct.inaction(course, instant, rules),
            conduct.slow_action(course, instant, rules),
            urging.urge(course, instant, rules),
        )
        for course in courses(world)
        for row in (course.at(instant),)
        if row is not None
    ]
