"""Guards of the work on a commitment: plan, parts, progress, extensions, the claim.

Rules of this file: one function a precondition, in the order of the loop; which event
has which guards is a table in commitment_rules.py.
"""

from __future__ import annotations

from typing import Any

from events.domain.commitment_case import (
    MAX_DEPTH,
    Case,
    ancestors,
    approver_appointed,
    checklist_complete,
    depth,
    due_ahead,
    enough_evidence,
    known_units,
    parent_of,
    same_person,
    within,
)
from events.domain.commitment_state import TERMINAL, URGE_LEVELS
from events.domain.transitions import refuse
from events.entries import rfc3339


def milestones_fit(case: Case) -> None:
    """Milestones are real days and do not outlast the due."""
    for number, milestone in enumerate(case.data.milestones):
        pointer = f"/data/milestones/{number}/due"
        due = case.due(milestone.due, pointer)
        limit = case.state.current_due
        if limit is not None and due > limit:
            raise refuse("milestone_after_due", pointer, due=rfc3339(limit))


def parts_fit(case: Case) -> None:
    """The parts make a whole: different, weights of 100, due in time, not too deep."""
    keys = [child.key for child in case.data.children]
    if len(set(keys)) != len(keys):
        raise refuse("children_repeated", "/data/children")
    total = sum(child.weight for child in case.data.children)
    if total != 100:
        raise refuse("weights_not_100", "/data/children", sum=total)
    if depth(case.state, case.ctx) >= MAX_DEPTH:
        raise refuse("too_deep", "/subject", limit=MAX_DEPTH)
    for number, child in enumerate(case.data.children):
        pointer = f"/data/children/{number}"
        due = case.due(child.due, pointer + "/due")
        within(case.state.current_due, due, pointer + "/due")
        if case.kind.requires_known_unit:
            known_units(case.ctx, (child.lead_unit,), pointer + "/lead_unit")


def parts_own(case: Case) -> None:
    """No part is the commitment itself, above it, or part of something else."""
    own = case.event.stream.partition("/")[2]
    above = {own, *ancestors(case.state, case.ctx)}
    for number, child in enumerate(case.data.children):
        pointer = f"/data/children/{number}/key"
        if child.key in above:
            raise refuse("decomposition_cycle", pointer, child.key, key=child.key)
        found = case.ctx.state_of("commitment/" + child.key)
        if found is not None and found.parent != own:
            raise refuse("child_taken", pointer, child.key, key=child.key)


def parts_kept(case: Case) -> None:
    """A new decomposition does not drop a part that is still open."""
    listed = {child.key for child in case.data.children}
    for key in case.state.children:
        found = case.ctx.state_of("commitment/" + key)
        is_part = found is not None and found.parent == case.key
        if key not in listed and is_part and found.status not in TERMINAL:
            raise refuse("child_dropped", "/data/children", key, key=key)


def planned_first(case: Case) -> None:
    """Where the kind asks for a plan, work is reported after it was filed."""
    if case.kind.requires_plan and not case.state.planned:
        raise refuse("plan_required", "/type", kind=case.kind.id)


def progress_forward(case: Case) -> None:
    """Numbers do not shrink (a slip is corrected), and done stays within the total."""
    state, data = case.state, case.data
    if data.percent is not None and data.percent < state.percent:
        raise refuse("percent_decreased", "/data/percent", last=state.percent)
    if data.done is not None and data.done < state.done:
        raise refuse("done_decreased", "/data/done", last=state.done)
    done = state.done if data.done is None else data.done
    total = state.total if data.total is None else data.total
    if total is not None and done > total:
        raise refuse("done_exceeds_total", "/data/done", done=done, total=total)


def progress_evidence(case: Case) -> None:
    """Progress is shown, not told."""
    enough_evidence(case.data.evidence, case.kind.evidence_progress)


def extension_in_time(case: Case) -> None:
    """More time is asked for before the due, one request at a time, not too often."""
    state = case.state
    if state.current_due is None:
        raise refuse("no_due_to_extend", "/type")
    if case.ctx.at >= state.current_due:
        raise refuse("extension_after_due", "/type", due=rfc3339(state.current_due))
    if state.pending_extension is not None:
        raise refuse("extension_pending", "/type")
    if state.extensions >= case.kind.max_extensions:
        limit = case.kind.max_extensions
        raise refuse("extension_limit", "/type", limit=limit, kind=case.kind.id)


def extension_later(case: Case) -> None:
    """The new due is later than the current one, and within the parent's."""
    _later(case, case.due(case.data.new_due, "/data/new_due"))


def _later(case: Case, due: int) -> None:
    current = case.state.current_due
    if current is not None and due <= current:
        raise refuse("extension_not_later", "/data/new_due", due=rfc3339(current))
    due_ahead(case, due, "/data/new_due")
    parent = parent_of(case.state, case.ctx)
    within(parent.current_due if parent else None, due, "/data/new_due")


def extension_answered_by_another(case: Case) -> None:
    """An open request is answered by someone other than who asked."""
    pending = case.state.pending_extension
    if pending is None:
        raise refuse("extension_not_pending", "/type")
    asking = pending.requested_by
    own = any(same_person(case, one, asking) for one in (case.approver, case.person))
    if case.kind.separate_approver and own:
        raise refuse("approver_is_requester", "/data/approver_post")
    approver_appointed(case)


def extension_grantable(case: Case) -> None:
    """From the second one a senior role grants; never more than was asked for."""
    state, role = case.state, case.kind.senior_extension_role
    if state.extensions and role and role not in case.ctx.actor.roles:
        raise refuse("senior_approval_required", "/type", role=role)
    asked = state.pending_extension.new_due if state.pending_extension else None
    due, text = asked, case.data.new_due
    if text is not None:
        due = case.due(text, "/data/new_due")
    if due is None:
        return
    # The due may have moved since the request: a grant never shortens it.
    _later(case, due)
    if asked is not None and due > asked:
        raise refuse("extension_beyond_request", "/data/new_due", asked=rfc3339(asked))


def urge_not_lowered(case: Case) -> None:
    """Sheets go up: reminder, blue, orange, red; a step may be skipped."""
    last = case.state.urge_level
    if URGE_LEVELS.index(case.data.level) < last:
        raise refuse("urge_level_lowered", "/data/level", last=URGE_LEVELS[last])


def claim_shown(case: Case) -> None:
    """A claim has its evidence and, where asked for, a checklist that is complete."""
    enough_evidence(case.data.evidence, case.kind.evidence_claim)
    if case.data.checklist is not None:
        checklist_complete(case.data.checklist)
    elif case.kind.requires_checklist:
        raise refuse("checklist_required", "/data/checklist", kind=case.kind.id)


def findings_answered(case: Case) -> None:
    """Each finding of the last failed verification has its answer."""
    answered: set[Any] = {answer.finding for answer in case.data.answers}
    open_ones = set(range(1, case.state.findings + 1))
    if answered - open_ones:
        unknown = sorted(answered - open_ones)
        raise refuse("finding_unknown", "/data/answers", findings=unknown)
    if open_ones - answered:
        left = sorted(open_ones - answered)
        raise refuse("findings_unanswered", "/data/answers", findings=left)
