"""Rates of kept promises: who is a case, which due counts, and how sure a rate is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.domain.periods import span
from projections.rules import rates
from projections.rules.courses import courses
from tests.rules.diary import us

DONE = {"text": "示例"}
REQUEST = {"new_due": "2017-12-15", "reason": "示例", "progress": "示例"}
RELAPSE = {"result": "relapsed", "team": ["t"], "text": "示例"}
AGAIN = {"new_due": "2017-12-20", "reason": "示例"}


def december(diary):
    """Note eight commitments, seven of them due on 2017-12-01 or extended from it."""

    def closed(at):
        return ("closed", at)

    due = "2017-12-01"
    extended = (
        ("extension_requested", "2017-11-20 09:00", REQUEST),
        ("extension_granted", "2017-11-21 09:00"),
    )
    for key, notes in {
        "A-in-time": (closed("2017-12-02 00:00"),),
        "B-late": (closed("2017-12-02 00:01"),),
        "C-extended": (*extended, closed("2017-12-10 09:00")),
        "D-open": (),
        "E-cancelled": (("cancelled", "2017-11-20 09:00", {"reason": "示例"}),),
        "F-failed": (("failed", "2017-11-30 09:00", {"reason": "示例"}),),
        "G-relapsed": (
            closed("2017-11-28 09:00"),
            ("lookback_recorded", "2017-12-04 09:00", RELAPSE),
            ("reopened", "2017-12-05 09:00", AGAIN),
        ),
    }.items():
        diary.commitment(key, *notes, due=due)
    diary.commitment("H-next-year", due="2018-01-05")
    return courses(diary.world("2018-01-01"))


def keys(rows, positions):
    """Return the first letters of the commitments that some positions registered."""
    return "".join(
        row.key[0] for row in rows if row.steps[0].event.position in positions
    )


RATES = [
    # period, rule, cases, kept
    ("2017-12", rates.on_time_by_original, "ABCDFG", "A"),
    ("2017-12", rates.on_time_by_current, "ABCDFG", "AC"),
    ("2017-W48", rates.on_time_by_original, "ABCDFG", "A"),
    ("2017-W50", rates.on_time_by_current, "C", "C"),
    ("2017-12-01", rates.on_time_by_original, "ABCDFG", "A"),
    ("2017-12-02", rates.on_time_by_original, "", ""),
    ("2018-01", rates.on_time_by_original, "", ""),
]


@pytest.mark.parametrize(("period", "rate", "cases", "kept"), RATES)
def test_in_time_by_each_due(diary, rules, period, rate, cases, kept):
    """24:00 of 12-01 belongs to 12-01; what is cancelled or still to come is no case."""
    rows = december(diary)
    found = rate(rows, span(period), us("2018-01-01"), rules=rules).value
    assert (keys(rows, found.base), keys(rows, found.hits)) == (cases, kept)
    assert (found.numerator, found.denominator) == (len(kept), len(cases))
    assert found.value == (len(kept) / len(cases) if cases else None)


def test_a_promise_is_kept_when_it_is_closed_late_or_not(diary, rules):
    """Of those that fell due, the closed ones; a relapse is not kept."""
    rows = december(diary)
    found = rates.kept_promises(rows, us("2018-01-01"), rules=rules)
    assert keys(rows, found.value.hits) == "ABC"
    assert keys(rows, found.value.base) == "ABCDFG"
    assert found.rule == "kept_promises@demo-2017/1"


def test_as_of_an_earlier_instant_later_closes_are_unknown(diary, rules):
    """On 12-05 the extended one is open, and the others are what they are."""
    rows = december(diary)
    now = us("2017-12-05 12:00")
    found = rates.kept_promises(rows, now, rules=rules).value
    assert keys(rows, found.hits) == "AB"
    current = rates.on_time_by_current(rows, span("2017-12"), now, rules=rules).value
    # The extended one, and the one that was reopened, have another due by then.
    assert (keys(rows, current.base), keys(rows, current.hits)) == ("ABDF", "A")


def test_what_is_due_this_moment_is_no_case_yet(diary, rules):
    """24:00 of the last day is in time still; a microsecond later it is not."""
    diary.commitment("D", due="2017-12-01")
    rows = courses(diary.world("2018-01-01"))
    due = us("2017-12-02")
    cases = [
        rates.kept_promises(rows, now, rules=rules).value.denominator
        for now in (due - 1, due, due + 1)
    ]
    assert cases == [0, 0, 1]


def test_what_is_suspended_is_no_case(diary, rules):
    """As with lights: the clock of who is stopped accuses nobody."""
    stop = {"reason_class": "weather", "reason": "示例"}
    diary.commitment("S", ("suspended", "2017-11-20 09:00", stop), due="2017-12-01")
    rows = courses(diary.world("2018-01-01"))
    assert rates.kept_promises(rows, us("2018-01-01"), rules=rules).value.base == ()


WILSON = [
    # hits, cases, low, high: Wilson 1927, z = 1.959964
    (0, 10, 0.0, 0.2775),
    (1, 10, 0.0179, 0.4042),
    (5, 10, 0.2366, 0.7634),
    (10, 10, 0.7225, 1.0),
    (6, 100, 0.0278, 0.1248),
]


@pytest.mark.parametrize(("hits", "cases", "low", "high"), WILSON)
def test_the_interval_is_wilsons(hits, cases, low, high):
    """Published values of the score interval, to four places."""
    found = rates.wilson(hits, cases)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_without_a_case_there_is_no_interval():
    """No case is not the same as no relapse."""
    assert rates.wilson(0, 0) is None


@given(hits=st.integers(0, 200), more=st.integers(0, 200))
@settings(deadline=None, max_examples=200)
def test_the_interval_holds_the_share_and_narrows(hits, more):
    """The share lies within, and ten times the cases tell more."""
    cases = hits + more
    if cases == 0:
        return
    found, wider = rates.wilson(hits * 10, cases * 10), rates.wilson(hits, cases)
    assert 0 <= wider.low <= hits / cases <= wider.high <= 1
    assert found.high - found.low < wider.high - wider.low
