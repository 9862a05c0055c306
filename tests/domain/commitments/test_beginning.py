"""Registration, issue, receipt, reassignment: each row of the table, each refusal."""

from __future__ import annotations

import pytest

from events.entries import instant

DEC_15 = instant("2017-12-15T16:00:00Z")  # 24:00 in Shanghai


def test_a_registration_is_a_draft_with_its_due_and_policy(world, who, say):
    """立项: a draft; the due is 24:00 Shanghai time; the policy version is stamped."""
    state = world.do("registered", say.registered, by=who.drafter)
    assert state.status == "draft"
    assert state.original_due == state.current_due == DEC_15
    assert state.drafter == "post:clerk"
    assert world.stamps == {"policyversion": "supervision@1"}


@pytest.mark.parametrize("member", ["basis", "standard", "lead_post", "due"])
def test_a_registration_is_whole(world, who, say, member):
    """Basis, standard, post and due are required of a supervised commitment."""
    data = {name: v for name, v in say.registered.items() if name != member}
    refusal = world.refused("registered", data, f"{member}_required", by=who.drafter)
    assert refusal.faults[0].pointer == f"/data/{member}"


def test_a_number_is_given_once(world, who, say):
    """The same number a second time is refused, whatever became of the first."""
    world.reach("cancelled")
    world.refused("registered", say.registered, "commitment_exists", by=who.drafter)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lead_unit": "nobody"}, "unit_unknown"),
        ({"lead_unit": "old"}, "unit_not_active"),
        ({"support_units": ["nobody"]}, "unit_unknown"),
        ({"support_units": ["gouzhao"]}, "lead_supports_itself"),
        ({"due": "2017-02-30"}, "due_invalid"),
        ({"due": "2017-11-13"}, "due_in_past"),
        ({"kind": "unheard_of"}, "kind_unknown"),
        ({"kind": "supervision@9"}, "kind_unknown"),
        ({"kind": "campaign_task"}, "campaign_required"),
        ({"kind": "campaign_task", "campaign": "none"}, "campaign_unknown"),
        ({"parent": "C9"}, "parent_unknown"),
    ],
)
def test_a_registration_points_at_what_exists(world, who, say, changes, code):
    """Units, campaign, parent, kind and day exist, and the due lies ahead."""
    data = {**say.registered, **changes}
    world.refused("registered", data, code, by=who.drafter)


def test_a_due_of_today_is_in_time(world, who, say):
    """A date means its 24:00, so today is still ahead."""
    data = {**say.registered, "due": "2017-11-14"}
    assert world.do("registered", data, by=who.drafter).status == "draft"


def test_issue_hands_it_out(world, who, say):
    """交办: issued, by someone else than the drafter."""
    world.reach("draft")
    state = world.do("issued", {}, by=who.office)
    assert (state.status, state.issuer) == ("issued", "post:chief")
    assert state.original_due == DEC_15
    assert world.stamps == {}


def test_a_term_is_counted_from_the_issue(world, who, say):
    """WD15 means the 15th working day after the issue, stamped on the entry."""
    data = {**say.registered, "due": "WD3"}
    assert world.do("registered", data, by=who.drafter).original_due is None
    assert "dueat" not in world.stamps
    world.at("2017-12-28T09:00:00+08:00")
    state = world.do("issued", {}, by=who.office)
    assert world.stamps == {
        "dueat": "2018-01-03T16:00:00.000000Z",
        "duecalendar": "cn/2026.1",
    }
    assert state.original_due == state.current_due == instant("2018-01-03T16:00:00Z")


def test_an_issue_may_replace_a_rule_by_a_date(world, who, say):
    """A due that was a term can be fixed at issue; one that was fixed cannot move."""
    world.do("registered", {**say.registered, "due": "WD3"}, by=who.drafter)
    state = world.do("issued", {"due": "2017-12-15"}, by=who.office)
    assert state.original_due == DEC_15
    world.reach("draft", key="C2")
    late = {"due": "2017-12-16"}
    world.refused("issued", late, "due_already_set", by=who.office, key="C2")
    world.do("issued", {"due": "2017-12-15"}, by=who.office, key="C2")


def test_an_issue_needs_a_due_ahead(world, who):
    """A draft whose due has passed is not issued any more."""
    world.reach("draft")
    world.at("2017-12-16T00:00:00+08:00")
    world.refused("issued", {}, "due_in_past", by=who.office)


def test_a_receipt_is_signed_by_the_lead_unit(world, who):
    """签收: by the lead unit; late is allowed and shown elsewhere."""
    world.reach("issued")
    world.refused("signed_for", {}, "not_lead_unit", by=who.other)
    world.at("2017-12-01T09:00:00+08:00")
    assert world.do("signed_for", {}, by=who.lead).status == "signed"


def test_a_receipt_is_rejected_in_time(world, who):
    """退单: by the lead unit, within the window of one working day."""
    world.reach("issued")
    data = {"reason": "not ours", "suggested_unit": "fengyang"}
    world.refused("receipt_rejected", data, "not_lead_unit", by=who.other)
    world.at("2017-11-15T23:59:59+08:00")
    state = world.do("receipt_rejected", data, by=who.lead)
    assert state.status == "rejected_receipt"
    world.reach("issued", key="C2", due="2017-12-31")
    world.at("2017-11-17T00:00:00+08:00")
    code = "rejection_window_over"
    world.refused("receipt_rejected", data, code, by=who.lead, key="C2")


def test_a_rejected_receipt_is_reassigned(world, who):
    """改派: another lead; the old one has no say any more, the new one signs."""
    world.reach("rejected_receipt")
    same = {"lead_unit": "gouzhao", "lead_post": "head", "reason": "yours"}
    world.refused("reassigned", same, "same_lead", by=who.office)
    nobody = {"lead_unit": "nobody", "lead_post": "head", "reason": "x"}
    world.refused("reassigned", nobody, "unit_unknown", by=who.office)
    no_post = {"lead_unit": "fengyang", "reason": "x"}
    world.refused("reassigned", no_post, "lead_post_required", by=who.office)
    state = world.do("reassigned", {**no_post, "lead_post": "head"}, by=who.office)
    assert (state.status, state.lead_unit) == ("issued", "fengyang")
    world.refused("signed_for", {}, "not_lead_unit", by=who.lead)
    world.do("signed_for", {}, by=who.other)
