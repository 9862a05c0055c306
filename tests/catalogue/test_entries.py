"""An entry holds the submission and our attributes, and gives both back exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import canonical, catalogue, entries
from events.errors import Malformed, Refused

LETTERS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | LETTERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LETTERS, inner),
    max_leaves=8,
)
SUBMISSIONS = st.fixed_dictionaries(
    {"specversion": st.just("1.0"), "id": LETTERS, "source": LETTERS, "type": LETTERS},
    optional={"data": VALUES, "subject": LETTERS, "actorunit": LETTERS},
)


def composed(event, **changes):
    """Return an entry with our attributes filled in."""
    attributes = {
        "stream": "unit/a",
        "version": 3,
        "ingested_text": "2017-11-24T08:00:00.123456Z",
        "authid": "k1",
        "stamps": {},
    }
    return entries.compose(event, **(attributes | changes))


def plain(**changes):
    """Return a small submission."""
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:example:a",
        "type": "henji.unit.ended.v1",
        "subject": "unit/a",
        "data": {"reason": "x"},
    } | changes


@settings(deadline=None, max_examples=200)
@given(
    event=SUBMISSIONS,
    unit=st.none() | LETTERS,
    stamps=st.sampled_from([{}, {"policyversion": "permit@1", "dueat": "x"}]),
)
def test_strip_gives_the_submission_back(event, unit, stamps):
    """What was composed strips to the same canonical bytes, whatever was added."""
    raw = composed(event, authunit=unit, authpost=unit, stamps=stamps)
    back = entries.strip(canonical.parse(raw))
    assert canonical.encode(back) == canonical.encode(event)


def test_our_attributes_are_all_reserved():
    """Every member that compose adds is one that no submission may carry."""
    event = plain()
    stamps = {
        "policyversion": "permit@1",
        "dueat": "2017-12-01T16:00:00.000000Z",
        "duecalendar": "cn/2026.1",
    }
    raw = composed(event, authunit="u", authpost="p", stamps=stamps)
    assert canonical.parse(raw).keys() - event.keys() == entries.RESERVED


def test_entry_is_canonical_json():
    """The bytes of an entry are their own canonical form."""
    raw = composed(plain(data={"z": 1, "a": "é"}))
    assert canonical.encode(canonical.parse(raw)) == raw


def test_absent_unit_and_post_leave_no_member():
    """Without a unit or post there is no empty attribute."""
    members = canonical.parse(composed(plain()))
    assert not {"authunit", "authpost"} & members.keys()


def test_the_largest_entry_is_65535_bytes():
    """One byte more than a tile can hold is refused, with the size."""
    spare = entries.MAX_ENTRY - len(composed(plain(data="")))
    assert len(composed(plain(data="x" * spare))) == entries.MAX_ENTRY
    with pytest.raises(Refused) as caught:
        composed(plain(data="x" * (spare + 1)))
    assert caught.value.code == "entry_too_large"
    assert caught.value.parameters["size"] == entries.MAX_ENTRY + 1


YEARS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29))
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@settings(deadline=None)
@given(moment=YEARS, zone=ZONES)
def test_instants_are_exact_in_any_offset(moment, zone):
    """Text in any offset gives the µs that exact arithmetic gives, and back."""
    aware = moment.replace(tzinfo=UTC)
    us = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert entries.instant(aware.astimezone(zone).isoformat()) == us
    assert entries.rfc3339(us) == moment.isoformat(timespec="microseconds") + "Z"
    assert entries.instant(entries.rfc3339(us)) == us


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("1970-01-01t00:00:00.5z", 500_000),
        ("1970-01-01T00:00:00.0000019Z", 1),
        ("1970-01-01T08:00:00+08:00", 0),
        ("1970-01-01T00:00:00-00:00", 0),
    ],
)
def test_instant_reads_rfc3339(text, us):
    """Case, fractions and offsets are as RFC 3339 says; finer digits are cut off."""
    assert entries.instant(text) == us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2017-11-24",
        "2017-11-24T08:00:00",
        "2017-11-24 08:00:00Z",
        "2017-11-24T08:00Z",
        "20171124T080000Z",
        "2017-W47-5T08:00:00Z",
        "2017-02-29T00:00:00Z",
        "2017-11-24T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2017-11-24T08:00:00,5Z",
        "2017-11-24T08:00:00+0800",
        "２017-11-24T08:00:00Z",
        "2017-11-24T08:00:00Z\n",
    ],
)
def test_instant_refuses_what_is_not_rfc3339(text):
    """What Python would read and RFC 3339 does not allow is refused."""
    with pytest.raises(Malformed) as caught:
        entries.instant(text)
    assert caught.value.code == "invalid_time"


def test_two_clocks_fall_back_to_the_seal():
    """Without time and recordedtime, both are the instant of the seal."""
    assert entries.occurred(plain(), 7) == entries.recorded(plain(), 7) == 7
    dated = plain(time="1970-01-01T00:00:01Z", recordedtime="1970-01-01T00:00:02Z")
    assert entries.occurred(dated, 7) == 1_000_000
    assert entries.recorded(dated, 7) == 2_000_000


def test_a_stored_entry_reads_as_a_typed_event():
    """Reading gives the struct, the clocks, the actor and the stamps."""
    raw = composed(
        plain(time="2017-11-24T07:00:00Z"),
        authunit="office",
        stamps={"policyversion": "permit@1", "dueat": "1970-01-01T00:00:01Z"},
    )
    event = catalogue.read(raw)
    assert event.data.reason == "x"
    assert (event.stream, event.version, event.id) == ("unit/a", 3, "1")
    assert event.occurred == entries.instant("2017-11-24T07:00:00Z")
    assert event.ingested == entries.instant("2017-11-24T08:00:00.123456Z")
    assert event.recorded == event.ingested
    assert (event.actor.key, event.actor.unit) == ("k1", "office")
    assert (event.policy, event.due_at) == ("permit@1", 1_000_000)
