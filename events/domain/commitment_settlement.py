"""Guards from the verification of a commitment to its end, and for what interrupts it.

Rules of this file: one function a precondition. The separation of duties is here: who
claimed does not verify, who verified neither closes nor looks back.
"""

from __future__ import annotations

from events import calendar
from events.domain import commitment_dues as dues
from events.domain.commitment_case import (
    Case,
    appointed,
    approver_appointed,
    checklist_complete,
    due_ahead,
    heir,
    parent_of,
    same_person,
)
from events.domain.commitment_state import Commitment, allowed_in
from events.domain.transitions import refuse
from events.entries import rfc3339

_MAX_CHAIN = 1000


def verifier_independent(case: Case) -> None:
    """Another unit than the lead and the claimer verifies, and another person."""
    if case.kind.verification == "none":
        return
    state, ctx, unit = case.state, case.ctx, case.ctx.actor.unit
    owners = {heir(ctx, one) for one in (state.lead_unit, state.claimed_by_unit) if one}
    if unit is None or heir(ctx, unit) in owners:
        raise refuse("verifier_not_independent", "/type", unit=unit)
    if same_person(case, case.person, state.claimed_by):
        raise refuse("verifier_is_claimer", "/type")


def verification_proven(case: Case) -> None:
    """On site means a place, by document means a piece of evidence."""
    data = case.data
    if not case.kind.verification_proof:
        return
    if data.method == "on_site" and data.geo is None:
        raise refuse("verification_place_required", "/data/geo")
    if data.method == "document" and not data.evidence:
        raise refuse("evidence_required", "/data/evidence", given=0, least=1)


def verification_checklist(case: Case) -> None:
    """The verifier fills the same version of the checklist as the claimer did."""
    data, claimed = case.data, case.state.checklist
    given = data.checklist.ref if data.checklist else None
    if claimed is not None and given != claimed:
        raise refuse("checklist_mismatch", "/data/checklist", claimed=claimed)
    if data.checklist is not None and data.result == "pass":
        checklist_complete(data.checklist)


def verification_result(case: Case) -> None:
    """A pass leaves nothing open; a fail says what, and until when."""
    data = case.data
    if data.result == "pass":
        if data.findings or data.new_due:
            raise refuse("findings_on_pass", "/data/findings")
        return
    if not data.findings:
        raise refuse("findings_required", "/data/findings")
    window = case.kind.rectification_window
    if data.new_due is None:
        if window:
            raise refuse("new_due_required", "/data/new_due")
        return
    due = case.due(data.new_due, "/data/new_due")
    due_ahead(case, due, "/data/new_due")
    if window and due > dues.counted(window, case.ctx.at, table=case.table):
        raise refuse("rectification_window_exceeded", "/data/new_due", window=window)


def publicity_lasts(case: Case) -> None:
    """Publicity opens once a round, for at least the days of the kind."""
    if case.state.publicity != "none":
        raise refuse("publicity_already_opened", "/type")
    case.due(case.data.since, "/data/from")
    until = case.due(case.data.until, "/data/until")
    since = dues.begin(case.data.since)
    days = case.kind.publicity_days
    if since is None or until <= since or until < since + days * calendar.DAY_US:
        raise refuse("publicity_too_short", "/data/until", least_days=days)
    verified = case.state.verified_at
    if verified is not None and since < _day_of(verified):
        raise refuse("publicity_before_verification", "/data/from")


def _day_of(instant: int) -> int:
    return calendar.start_of_day(calendar.local_date(instant))


def publicity_over(case: Case) -> None:
    """Publicity closes after its last day, every objection answered."""
    state, data = case.state, case.data
    if state.publicity != "open":
        raise refuse("publicity_not_open", "/type")
    until = state.publicity_until
    if until is not None and case.ctx.at < until:
        raise refuse("publicity_still_running", "/type", until=rfc3339(until))
    if data.answered != data.objections:
        left = data.objections - data.answered
        raise refuse("objections_unanswered", "/data/answered", left=left)


def close_settled(case: Case) -> None:
    """What the kind asks for before a close has happened."""
    state, kind = case.state, case.kind
    if kind.verification != "none" and state.verifier_unit in {None, state.lead_unit}:
        raise refuse("verification_required", "/type", kind=kind.id)
    needed = kind.publicity_days > 0 and state.publicity == "none"
    if needed or state.publicity == "open":
        raise refuse("publicity_required", "/type", days=kind.publicity_days)


def close_by_two(case: Case) -> None:
    """The verifier does not close; two persons do, neither of them the verifier."""
    state, kind = case.state, case.kind
    verified = kind.verification != "none"
    if verified and same_person(case, case.person, state.verifier):
        raise refuse("closer_is_verifier", "/type")
    if not kind.two_person_close:
        return
    if case.data.approver_post is None:
        raise refuse("approver_required", "/data/approver_post", kind=kind.id)
    others = (case.person, state.verifier)
    if any(same_person(case, case.approver, other) for other in others):
        raise refuse("approver_not_independent", "/data/approver_post")
    approver_appointed(case)


def lookback_independent(case: Case) -> None:
    """Who verified does not look back at it: not as actor and not in the team."""
    team = (case.person, *(f"post:{post}" for post in case.data.team))
    if any(same_person(case, one, case.state.verifier) for one in team):
        raise refuse("verifier_in_lookback_team", "/data/team")
    appointed(case, case.data.team, "/data/team")


def reopen_founded(case: Case) -> None:
    """A close is undone on a look-back that found a relapse, not by its verifier."""
    state, event = case.state, case.data.lookback_event
    if case.kind.reopen_needs_lookback and state.lookback != "relapsed":
        raise refuse("relapse_required", "/type", lookback=state.lookback)
    if event is not None and event != state.lookback_event:
        raise refuse("lookback_event_unknown", "/data/lookback_event", event)
    verified = case.kind.verification != "none"
    if verified and same_person(case, case.person, state.verifier):
        raise refuse("verifier_in_lookback_team", "/type")


def reopen_due(case: Case) -> None:
    """The new due lies ahead."""
    due = case.due(case.data.new_due, "/data/new_due")
    due_ahead(case, due, "/data/new_due")


def reopen_under_parent(case: Case) -> None:
    """A part is not open again under a whole that is claimed, verified or closed."""
    parent = parent_of(case.state, case.ctx)
    if parent is None:
        return
    status = parent.suspended_from or parent.status
    if status in {"claimed", "verified", "closed"}:
        raise refuse(
            "parent_settled", "/subject", case.state.parent or "", status=status
        )


def cancelled_by_another(case: Case) -> None:
    """Who issued a commitment (or, not issued yet, drafted it) does not cancel it."""
    responsible = case.state.issuer or case.state.drafter
    if case.kind.separate_approver and same_person(case, case.approver, responsible):
        raise refuse("approver_is_issuer", "/data/approver_post")
    approver_appointed(case)


def failed_for_cause(case: Case) -> None:
    """What fails with its campaign fails after it: its last day over, or closed."""
    if case.data.cause != "campaign_ended":
        return
    key = case.state.campaign
    campaign = case.ctx.state_of("campaign/" + key) if key else None
    over = campaign is not None and (
        campaign.status != "open" or case.ctx.at >= calendar.end_of_day(campaign.end)
    )
    if not over:
        raise refuse("campaign_not_ended", "/data/cause", key or "")


def successor_fit(case: Case) -> None:
    """What takes over exists, is not cancelled, and does not lead back here."""
    own, key = case.key, case.data.by
    target: Commitment | None = None
    for _ in range(_MAX_CHAIN):
        if key == own:
            raise refuse("supersede_cycle", "/data/by", case.data.by)
        found = case.ctx.state_of("commitment/" + key)
        if not isinstance(found, Commitment):
            raise refuse("successor_unknown", "/data/by", key)
        target = found
        if found.superseded_by is None:
            break
        key = found.superseded_by
    if target is None or target.status in {"cancelled", "superseded"}:
        raise refuse("successor_cancelled", "/data/by", key)


def correction_says_something(case: Case) -> None:
    """A correction changes something, and is not about itself."""
    data = case.data
    if data.corrects == case.event.id:
        raise refuse("correction_of_itself", "/data/corrects")
    fields = data.changes.__struct_fields__
    if all(getattr(data.changes, name) is None for name in fields):
        raise refuse("correction_empty", "/data/changes")
    if not case.ctx.has_event(case.event.stream, data.corrects):
        raise refuse("corrected_unknown", "/data/corrects", data.corrects)


def correction_keeps_owner(case: Case) -> None:
    """The responsible post is corrected in a draft; from the issue on it is on duty."""
    if case.data.changes.lead_post is not None and case.state.status != "draft":
        raise refuse("owner_not_correctable", "/data/changes/lead_post")


def correction_fits(case: Case) -> None:
    """What a correction names exists, and what it counts stays within the total."""
    changes, total = case.data.changes, case.state.total
    if changes.done is not None and total is not None and changes.done > total:
        at = "/data/changes/done"
        raise refuse("done_exceeds_total", at, done=changes.done, total=total)
    for kind in ("campaign", "directive"):
        key = getattr(changes, kind)
        if key is not None and case.ctx.state_of(f"{kind}/{key}") is None:
            at = f"/data/changes/{kind}"
            raise refuse(f"{kind}_unknown", at, key, **{kind: key})


def in_right_state(case: Case) -> None:
    """The table of transitions, as the kind narrows it, has this step."""
    allowed = allowed_in(case.event.type, case.kind)
    if case.state.status not in allowed:
        raise refuse(
            "invalid_transition",
            "/type",
            status=case.state.status,
            event=case.event.type,
            allowed=sorted(allowed),
        )
