"""Issues 问题: found, put right at once, reported, handed over, disputed, settled.

Rules of this file: the way of one issue. Being fixed, reported or confirmed are facts
with an instant of their own, in any order that makes sense; late reports, and what was
never fixed, are judged by views. The work on it is a commitment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from events.domain import supervision_guards as ask
from events.domain.commitment_case import enough_evidence
from events.domain.commitment_dues import check_fixed
from events.domain.fields import key_of
from events.domain.issue_payloads import (
    Closed,
    Confirmed,
    Disputed,
    FixedOnSpot,
    Found,
    HandedOver,
    Reported,
    Revoked,
)
from events.domain.model import Context, Event
from events.domain.organisation import check_unit
from events.domain.transitions import NEW, Rule, event_types, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """The state of one issue. Instants are µs; who acted is by ``acting``.

    ``status``: found, fixed, reported, handed_over, disputed, revoked or closed;
    ``disputed_from`` is the status that a dispute interrupts.
    """

    status: str
    category: str
    severity: str
    found_by: str
    found_at: int
    finder: frozenset[str]
    subject: str | None = None
    cell: str | None = None
    unit: str | None = None
    repeat_of: str | None = None
    fixed_at: int | None = None
    fixer: frozenset[str] | None = None
    reported_at: int | None = None
    handed_to: str | None = None
    commitment: str | None = None
    confirmed: bool = False
    disputer: frozenset[str] | None = None
    disputed_from: str | None = None


_FINDERS: Final = frozenset(
    {"grid_worker", "verifier", "lookback", "lead", "office", "headquarters", "adapter"}
)
_FIXERS: Final = _FINDERS | {"support", "enterprise"}
_OFFICE: Final = frozenset({"office", "headquarters", "adapter"})
_HELD: Final = frozenset({"lead", "support", "enterprise"})
_JUDGES: Final = frozenset({"office", "headquarters", "verifier"})


def _guard_found(_state: None, event: Event, context: Context) -> None:
    data: Found = event.data
    ask.placed(data.place, "/data/place")
    ask.happened(event, context, "found_at")
    ask.code_listed(
        data.category, data.category_list, "issue-category", "/data/category"
    )
    if data.subject is not None:
        ask.known_subject(context, data.subject, "/data/subject")
    if data.unit is not None:
        check_unit(context, data.unit, "/data/unit")
    ask.known_streams(context, "inspection", [("/data/inspection", data.inspection)])
    ask.cell_of_actor(event, context, data.cell, allowed=_FINDERS, where="/data/cell")
    _guard_repeat(event, context)


def _guard_repeat(event: Event, context: Context) -> None:
    earlier = event.data.repeat_of
    if earlier is None:
        return
    if earlier == key_of(event):
        raise refuse("issue_repeats_itself", "/data/repeat_of")
    state = ask.known_stream(context, f"issue/{earlier}", "/data/repeat_of")
    if state.status == "revoked":
        raise refuse("issue_revoked", "/data/repeat_of", issue=earlier)


def _guard_own(state: Issue, event: Event, context: Context) -> None:
    """Hold workers to their cells and enterprises to their files."""
    if ask.only_as(ask.ENTERPRISE, context.actor, _FIXERS | _HELD):
        own = state.subject or ""
        ask.file_of_actor(context, own, allowed=_FIXERS | _HELD, where="/subject")
    else:
        ask.cell_of_actor(event, context, state.cell, allowed=_FIXERS, where="/subject")


def _guard_fixed(state: Issue, event: Event, context: Context) -> None:
    data: FixedOnSpot = event.data
    _guard_own(state, event, context)
    ask.happened(event, context, "fixed_at", since=state.found_at)
    enough_evidence(list(data.evidence), 1)


def _guard_reported(state: Issue, event: Event, context: Context) -> None:
    data: Reported = event.data
    if state.reported_at is not None:
        raise refuse("issue_reported_already", "/type")
    ask.cell_of_actor(event, context, state.cell, allowed=_FINDERS, where="/subject")
    check_unit(context, data.to_unit, "/data/to_unit")
    ask.happened(event, context, "reported_at", since=state.found_at)


def _guard_handed_over(_state: Issue, event: Event, context: Context) -> None:
    data: HandedOver = event.data
    check_unit(context, data.to_unit, "/data/to_unit")
    if data.due is not None:
        check_fixed(data.due, "/data/due")
    if data.commitment is None:
        return
    stream = f"commitment/{data.commitment}"
    state = ask.known_stream(context, stream, "/data/commitment")
    if state.status in {"cancelled", "superseded", "failed"}:
        raise refuse("commitment_given_up", "/data/commitment", status=state.status)


def _guard_disputed(state: Issue, event: Event, context: Context) -> None:
    if state.disputer is not None:
        raise refuse("issue_disputed_already", "/type")
    _guard_own(state, event, context)


def _guard_confirmed(state: Issue, event: Event, context: Context) -> None:
    if state.confirmed and state.status != "disputed":
        raise refuse("issue_confirmed_already", "/type")
    ask.another_than((state.finder,), context, "issue_judged_by_party")
    _guard_judged(state, event, context)


def _guard_judged(state: Issue, _event: Event, context: Context) -> None:
    """A dispute is decided by somebody who is no party to it."""
    if state.status == "disputed":
        parties = (state.finder, state.disputer)
        ask.another_than(parties, context, "issue_judged_by_party")


def _guard_closed(state: Issue, event: Event, context: Context) -> None:
    """Fixed, or rectified as handed over; not closed by who says it is fixed."""
    data: Closed = event.data
    if state.status == "fixed":
        ask.another_than((state.fixer,), context, "issue_closed_by_fixer")
    elif state.commitment is None:
        enough_evidence(list(data.evidence), 1)
    else:
        commitment = context.state_of(f"commitment/{state.commitment}")
        if commitment is None or commitment.status != "closed":
            raise refuse("issue_not_settled", "/subject", commitment=state.commitment)


def _find(_state: None, event: Event) -> Issue:
    data: Found = event.data
    return Issue(
        status="found",
        category=data.category,
        severity=data.severity,
        found_by=data.found_by,
        found_at=ask.moment(data.found_at, event),
        finder=ask.acting(event.actor),
        subject=data.subject,
        cell=data.cell,
        unit=data.unit,
        repeat_of=data.repeat_of,
    )


def _fix(state: Issue, event: Event) -> Issue:
    return replace(
        state,
        status="fixed",
        fixed_at=ask.moment(event.data.fixed_at, event),
        fixer=ask.acting(event.actor),
    )


def _report(state: Issue, event: Event) -> Issue:
    return replace(
        state,
        status="reported" if state.status == "found" else state.status,
        reported_at=ask.moment(event.data.reported_at, event),
    )


def _hand_over(state: Issue, event: Event) -> Issue:
    data: HandedOver = event.data
    return replace(
        state,
        status="handed_over",
        handed_to=data.to_unit,
        commitment=data.commitment,
    )


def _dispute(state: Issue, event: Event) -> Issue:
    return replace(
        state,
        status="disputed",
        disputed_from=state.status,
        disputer=ask.acting(event.actor),
    )


def _confirm(state: Issue, _event: Event) -> Issue:
    """A dispute that is lost leaves the issue where it was."""
    status = state.disputed_from if state.status == "disputed" else state.status
    return replace(state, status=status or "found", confirmed=True, disputed_from=None)


def _revoke(state: Issue, _event: Event) -> Issue:
    return replace(state, status="revoked")


def _close(state: Issue, _event: Event) -> Issue:
    return replace(state, status="closed")


_UNFIXED: Final = frozenset({"found", "reported"})
_OPEN: Final = _UNFIXED | {"fixed", "handed_over"}
_STANDING: Final = _OPEN | {"disputed"}

_PHOTO: Final = {"sha256": "5e" * 32, "media_type": "image/jpeg", "note": "模拟数据"}

EVENT_TYPES: Final = event_types(
    "issue",
    (
        Rule(
            what="found",
            data=Found,
            en="Issue found",
            zh="发现问题",
            roles=_FINDERS,
            when=frozenset({NEW}),
            guard=_guard_found,
            apply=_find,
            examples=(
                {
                    "title": "示例工地裸露土方约200平方米未覆盖（模拟数据）",
                    "category": "earth_uncovered",
                    "severity": "serious",
                    "found_by": "patrol",
                    "found_at": "2017-11-24T09:10:00+08:00",
                    "place": {"geo": {"lat": 34.81, "lon": 113.55}},
                    "subject": "S-0007",
                    "cell": "gouzhao-3-02",
                    "unit": "gouzhao",
                    "evidence": [_PHOTO],
                },
                {
                    "title": "Smoke from a yard, by a caller (fictional)",
                    "category": "open_burning",
                    "category_list": "issue-category/2017-11",
                    "severity": "minor",
                    "found_by": "hotline",
                    "place": {"address": "示例路1号"},
                    "repeat_of": "W-2017-0003",
                },
            ),
        ),
        Rule(
            what="fixed_on_spot",
            data=FixedOnSpot,
            en="Issue fixed on the spot",
            zh="立即解决",
            roles=_FIXERS,
            when=_UNFIXED,
            guard=_guard_fixed,
            apply=_fix,
            examples=(
                {
                    "text": "当场用防尘网覆盖（模拟数据）",
                    "fixed_at": "2017-11-24T09:40:00+08:00",
                    "evidence": [_PHOTO],
                },
            ),
        ),
        Rule(
            what="reported",
            data=Reported,
            en="Issue reported",
            zh="上报问题",
            roles=_FINDERS,
            when=_UNFIXED | {"fixed"},
            guard=_guard_reported,
            apply=_report,
            examples=({"to_unit": "zone", "reported_at": "2017-11-24T10:05:00+08:00"},),
        ),
        Rule(
            what="handed_over",
            data=HandedOver,
            en="Issue handed over",
            zh="交办问题",
            roles=_OFFICE | {"lead"},
            when=_UNFIXED,
            guard=_guard_handed_over,
            apply=_hand_over,
            examples=(
                {
                    "to_unit": "gouzhao",
                    "requirement": "三日内完成覆盖并报照片（模拟数据）",
                    "due": "2017-11-27",
                    "commitment": "GX-2017-0118",
                },
            ),
        ),
        Rule(
            what="disputed",
            data=Disputed,
            en="Issue disputed",
            zh="提出异议",
            roles=_HELD,
            when=_OPEN,
            guard=_guard_disputed,
            apply=_dispute,
            examples=({"reason": "The plot lies in the next cell (fictional)."},),
        ),
        Rule(
            what="confirmed",
            data=Confirmed,
            en="Issue confirmed",
            zh="认定问题",
            roles=_JUDGES,
            when=_STANDING,
            guard=_guard_confirmed,
            apply=_confirm,
            examples=({"reason": "经复核，问题属实（模拟数据）"},),
        ),
        Rule(
            what="revoked",
            data=Revoked,
            en="Issue revoked",
            zh="撤销问题",
            roles=_JUDGES,
            when=_STANDING,
            guard=_guard_judged,
            apply=_revoke,
            examples=({"reason": "Recorded twice by mistake (fictional)."},),
        ),
        Rule(
            what="closed",
            data=Closed,
            en="Issue closed",
            zh="问题办结",
            roles=_JUDGES | {"lead"},
            when=frozenset({"fixed", "handed_over"}),
            guard=_guard_closed,
            apply=_close,
            examples=({"text": "复查已覆盖（模拟数据）", "evidence": [_PHOTO]},),
        ),
    ),
)
