"""Control orders: whom they bind, and which violations count towards their end."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.errors import Refused
from tests.support.supervision import LEAD, OFFICE, SECOND, WORKER, World, actor

ORDER = "order/seal"
ISSUED = {
    "kind": "seal",
    "title": "封土行动（模拟数据）",
    "start": "2017-11-15",
    "base_end": "2018-03-15",
    "scope": "x",
}
FOUND = {"violation": "V-1", "site": "S-1", "text": "digging at night"}
V1 = {"violation": "V-1"}


@pytest.fixture
def order(world):
    """Return a world with a sealing order."""
    world.send("order.issued", ORDER, ISSUED)
    return world


@pytest.fixture
def violated(order):
    """Return a world in which the lead recorded a violation at S-1."""
    order.send("order.violation_recorded", ORDER, FOUND, by=LEAD)
    return order


def test_an_order_has_a_period_and_known_units(world):
    """It does not end before it starts; units and directives exist."""
    for change, code, where in (
        ({"base_end": "2017-11-14"}, "window_ends_before_start", "/data/base_end"),
        ({"units": ["zone", "no"]}, "unit_unknown", "/data/units/1"),
        ({"directive": "no"}, "stream_unknown", "/data/directive"),
    ):
        assert world.refusal("order.issued", ORDER, ISSUED | change) == (code, where)
    world.send("order.issued", ORDER, ISSUED | {"base_end": ISSUED["start"]})


def test_only_sites_are_sealed(order):
    """A sealing order binds sites, once each; staggered production binds firms too."""
    refused = order.refusal("order.site_bound", ORDER, {"site": "E-1"})
    assert refused == ("seal_needs_site", "/data/site")
    refused = order.refusal("order.site_bound", ORDER, {"site": "S-9"})
    assert refused == ("subject_unknown", "/data/site")
    nowhere = {"site": "S-1", "unit": "nowhere"}
    refused = order.refusal("order.site_bound", ORDER, nowhere)
    assert refused == ("unit_unknown", "/data/unit")
    order.send("order.site_bound", ORDER, {"site": "S-1", "unit": "gouzhao"})
    refused = order.refusal("order.site_bound", ORDER, {"site": "S-1"})
    assert refused == ("site_bound_already", "/data/site")
    order.send("order.issued", "order/off-peak", ISSUED | {"kind": "staggered"})
    order.send("order.site_bound", "order/off-peak", {"site": "E-1"})


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"site": "S-9"}, "subject_unknown", "/data/site"),
        ({"site": "E-1"}, "seal_needs_site", "/data/site"),
        ({"unit": "no"}, "unit_unknown", "/data/unit"),
        ({"issue": "W-9"}, "stream_unknown", "/data/issue"),
        ({"inspection": "X-9"}, "stream_unknown", "/data/inspection"),
        ({"found_at": "2018-01-01T00:00:00Z"}, "instant_in_future", "/data/found_at"),
    ],
)
def test_a_violation_names_what_there_is(order, change, code, where):
    """Sites, units, issues and visits are looked up, and it lies in the past."""
    data = FOUND | change
    refused = order.refusal("order.violation_recorded", ORDER, data, by=LEAD)
    assert refused == (code, where)


def test_a_worker_records_in_the_own_cell(order):
    """S-1 lies in the cell of p:1, S-2 does not."""
    other = FOUND | {"site": "S-2"}
    refused = order.refusal("order.violation_recorded", ORDER, other, by=WORKER)
    assert refused == ("cell_not_own", "/data/site")
    order.send("order.violation_recorded", ORDER, FOUND, by=WORKER)
    refused = order.refusal("order.violation_recorded", ORDER, FOUND, by=WORKER)
    assert refused == ("violation_exists", "/data/violation")


def test_a_violation_counts_from_its_confirmation(violated):
    """Recorded it does not count; confirmed by another it does; revoked no more."""
    order = violated.states[ORDER]
    assert order.counting("S-1") == ()
    own = actor("gouzhao", "eps-head", "office")
    refused = violated.refusal("order.violation_confirmed", ORDER, V1, by=own)
    assert refused == ("violation_judged_by_party", "/type")
    order = violated.send("order.violation_confirmed", ORDER, V1, by=OFFICE)
    assert len(order.counting("S-1")) == 1
    assert order.counting("S-2") == ()
    refused = violated.refusal("order.violation_confirmed", ORDER, V1, by=SECOND)
    assert refused == ("violation_decided_already", "/data/violation")
    undo = V1 | {"reason": "x"}
    refused = violated.refusal("order.violation_revoked", ORDER, undo, by=OFFICE)
    assert refused == ("violation_judged_by_party", "/type")
    unknown = undo | {"appeal": "none"}
    refused = violated.refusal("order.violation_revoked", ORDER, unknown, by=SECOND)
    assert refused == ("stream_unknown", "/data/appeal")
    order = violated.send("order.violation_revoked", ORDER, undo, by=SECOND)
    assert order.counting("S-1") == ()
    refused = violated.refusal("order.violation_revoked", ORDER, undo, by=SECOND)
    assert refused == ("violation_decided_already", "/data/violation")


def test_an_unknown_violation_is_not_judged(order):
    """Confirming and revoking need a record."""
    for what, data in (
        ("order.violation_confirmed", V1),
        ("order.violation_revoked", V1 | {"reason": "x"}),
    ):
        refused = order.refusal(what, ORDER, data)
        assert refused == ("violation_unknown", "/data/violation")


def test_an_explicit_extension_is_later_and_founded(violated):
    """It is later than what holds, for confirmed violations of that site."""
    data = {"until": "2018-03-30", "reason": "x", "site": "S-1", "violations": ["V-1"]}
    extend = "order.period_extended"
    refused = violated.refusal(extend, ORDER, data)
    assert refused == ("violation_does_not_count", "/data/violations/0")
    violated.send("order.violation_confirmed", ORDER, V1)
    refused = violated.refusal(extend, ORDER, data | {"site": "S-2"})
    assert refused == ("violation_does_not_count", "/data/violations/0")
    refused = violated.refusal(extend, ORDER, data | {"until": "2018-03-15"})
    assert refused == ("order_not_longer", "/data/until")
    refused = violated.refusal(extend, ORDER, data | {"violations": ["V-2"]})
    assert refused == ("violation_unknown", "/data/violations/0")
    order = violated.send(extend, ORDER, data)
    assert order.base_end == date(2018, 3, 15)
    assert order.extended_until("S-1") == date(2018, 3, 30)
    assert order.extended_until("S-2") == order.extended_until(None) == order.base_end
    firm = {"until": "2018-03-31", "reason": "x", "site": "E-1"}
    assert violated.refusal(extend, ORDER, firm)[0] == "seal_needs_site"
    whole = {"until": "2018-03-31", "reason": "x"}
    order = violated.send(extend, ORDER, whole)
    assert order.extended_until("S-1") == order.extended_until(None)


def test_exemptions_begin_and_end(order):
    """A site is exempted once at a time, not to a day before the order."""
    firm = {"site": "E-1", "basis": "x", "allows": "x"}
    refused = order.refusal("order.exempted", ORDER, firm)
    assert refused == ("seal_needs_site", "/data/site")
    data = {"site": "S-1", "basis": "x", "allows": "x", "until": "2017-11-14"}
    refused = order.refusal("order.exempted", ORDER, data)
    assert refused == ("window_ends_before_start", "/data/until")
    end = {"site": "S-1", "reason": "x"}
    refused = order.refusal("order.exemption_ended", ORDER, end)
    assert refused == ("site_not_exempted", "/data/site")
    data |= {"until": "2017-12-31", "up_to": "orange"}
    order.send("order.exempted", ORDER, data)
    refused = order.refusal("order.exempted", ORDER, data)
    assert refused == ("site_exempted_already", "/data/site")
    order.send("order.exemption_ended", ORDER, end)
    order.send("order.exempted", ORDER, data)


@settings(deadline=None, max_examples=80)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["recorded", "confirmed", "revoked"]),
            st.sampled_from(["V-1", "V-2", "V-3"]),
            st.sampled_from(["S-1", "S-2"]),
            st.sampled_from([LEAD, OFFICE, SECOND]),
        ),
        max_size=25,
    )
)
def test_what_counts_is_confirmed_and_not_revoked(steps):
    """Whatever is sent: counting = accepted confirmations less revocations, by site."""
    world = World()
    admin = actor("u", "a", "admin", "office", "lead")
    for key in ("S-1", "S-2"):
        data = {"kind": "site", "name": "x"}
        world.send("subject.registered", f"subject/{key}", data, by=admin)
    world.send("order.issued", ORDER, ISSUED, by=admin)
    site_of, counting = {}, set()
    for what, violation, site, by in steps:
        data = {
            "recorded": FOUND | {"violation": violation, "site": site},
            "confirmed": {"violation": violation},
            "revoked": {"violation": violation, "reason": "x"},
        }[what]
        if what != "recorded" and by is LEAD:
            continue
        try:
            state = world.send(f"order.violation_{what}", ORDER, data, by=by)
        except Refused:
            continue
        site_of.setdefault(violation, site)
        (counting.add if what == "confirmed" else counting.discard)(violation)
        for key in ("S-1", "S-2"):
            expected = sum(site_of[name] == key for name in counting)
            assert len(state.counting(key)) == expected
