"""Accountability cases 追责案件: from a clue to a decision, its appeal and its end.

Rules of this file: the table of steps and what each does to the state. Payloads are in
accountability_payloads.py, preconditions in accountability_guards.py. Only discipline
inspection and the headquarters act on a case; reading one is restricted at the edge.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from events import calendar
from events.domain import accountability_guards as guards
from events.domain import accountability_payloads as payloads
from events.domain.accountability_guards import AccountabilityCase
from events.domain.accountability_payloads import FORMS
from events.domain.commitment_state import person_of
from events.domain.fields import us
from events.domain.model import Event
from events.domain.transitions import NEW, Rule, event_types

__all__ = ["EVENT_TYPES", "FORMS", "AccountabilityCase"]


def _clue(_state: None, event: Event) -> AccountabilityCase:
    data: payloads.ClueRegistered = event.data
    return AccountabilityCase(
        status="clue",
        facts=frozenset(fact.place for fact in data.facts),
        unit=data.unit,
        clue_at=event.occurred,
    )


def _open(state: AccountabilityCase | None, event: Event) -> AccountabilityCase:
    data: payloads.Opened = event.data
    known = state or AccountabilityCase(status="clue")
    return replace(
        known,
        status="open",
        facts=known.facts | {fact.place for fact in data.facts},
        unit=data.unit,
        post=data.post,
        person_ref=data.person_ref,
        ruleset=data.ruleset,
        opened_at=event.occurred,
        opener=person_of(event.actor),
    )


def _attach(state: AccountabilityCase, event: Event) -> AccountabilityCase:
    data: payloads.FactAttached = event.data
    return replace(state, facts=state.facts | {fact.place for fact in data.facts})


def _hear(state: AccountabilityCase, _event: Event) -> AccountabilityCase:
    return replace(state, statements=state.statements + 1)


def _decide(state: AccountabilityCase, event: Event) -> AccountabilityCase:
    data: payloads.Decided = event.data
    until = data.influence_until
    return replace(
        state,
        status="decided",
        decided_at=event.occurred,
        decider=person_of(event.actor),
        decided_form=data.form,
        form=data.form,
        appeal_days=data.appeal_days,
        influence_until=None if until is None else calendar.end_of_day(until),
    )


def _serve(state: AccountabilityCase, event: Event) -> AccountabilityCase:
    served = us(event.data.served_at)
    return replace(
        state,
        status="served",
        served_at=served,
        appeal_until=guards.window_end(served, state.appeal_days),
    )


def _execute(state: AccountabilityCase, event: Event) -> AccountabilityCase:
    return replace(state, executed_at=us(event.data.executed_at))


def _publish(state: AccountabilityCase, event: Event) -> AccountabilityCase:
    return replace(state, published_at=event.occurred)


def _appeal(state: AccountabilityCase, event: Event) -> AccountabilityCase:
    return replace(state, status="appealed", appealed_at=us(event.data.received_at))


def _judge(state: AccountabilityCase, event: Event) -> AccountabilityCase:
    data: payloads.AppealDecided = event.data
    judged = replace(
        state,
        status="revoked" if data.outcome == "revoked" else "final",
        appeal_outcome=data.outcome,
    )
    if data.outcome == "upheld":
        return judged
    # Another decision is in force now: that one is carried out and made known anew.
    return replace(judged, form=data.form, executed_at=None, published_at=None)


#: How a case ends, by where it stood.
_OUTCOMES: Final = {
    "clue": "not_opened",
    "open": "no_action",
    "served": "carried_out",
    "final": "carried_out",
    "revoked": "revoked",
}


def _close(state: AccountabilityCase, _event: Event) -> AccountabilityCase:
    return replace(state, status="closed", outcome=_OUTCOMES[state.status])


def _lift(state: AccountabilityCase, _event: Event) -> AccountabilityCase:
    return replace(state, status="lifted")


_DISCIPLINE: Final = frozenset({"discipline", "headquarters"})
_CLUE_SOURCES: Final = _DISCIPLINE | {"office", "system"}
_PARTIES: Final = _DISCIPLINE | {"lead", "support", "enterprise"}
_FACT: Final = {"stream": "commitment/GX-2017-0012", "version": 14}

EVENT_TYPES: Final = event_types(
    "accountability",
    (
        Rule(
            what="clue_registered",
            data=payloads.ClueRegistered,
            en="Accountability clue registered",
            zh="登记追责线索",
            roles=_CLUE_SOURCES,
            when=frozenset({NEW}),
            guard=guards.clue,
            apply=_clue,
            examples=(
                {
                    "origin": "urging",
                    "title": "红单未落实（模拟数据）",
                    "summary": "Five working days past the due, red sheet (fictional).",
                    "unit": "gouzhao",
                    "facts": [_FACT],
                },
            ),
        ),
        Rule(
            what="opened",
            data=payloads.Opened,
            en="Accountability case opened",
            zh="追责立案",
            roles=_DISCIPLINE,
            when=frozenset({NEW, "clue"}),
            guard=guards.opening,
            apply=_open,
            examples=(
                {
                    "title": "逾期未整改（模拟数据）",
                    "unit": "gouzhao",
                    "post": "gouzhao-eps-head",
                    "person_ref": "p:0f3a",
                    "fact_at": "2017-12-01T00:00:00+08:00",
                    "facts": [{**_FACT, "note": "The red sheet."}],
                    "basis": "The accountability rules of the zone (fictional).",
                    "ruleset": "demo-2017",
                },
                {
                    "title": "单位通报（模拟数据）",
                    "unit": "gouzhao",
                    "fact_at": "2017-12-01T00:00:00+08:00",
                    "facts": [_FACT],
                },
            ),
        ),
        Rule(
            what="fact_attached",
            data=payloads.FactAttached,
            en="Facts attached to a case",
            zh="补充案件事实",
            roles=_DISCIPLINE,
            when=frozenset({"clue", "open", "appealed"}),
            guard=guards.attaching,
            apply=_attach,
            examples=({"facts": [{"stream": "inspection/INS-0007", "version": 3}]},),
        ),
        Rule(
            what="statement_heard",
            data=payloads.StatementHeard,
            en="Statement heard",
            zh="听取陈述申辩",
            roles=_DISCIPLINE,
            when=frozenset({"open", "appealed"}),
            guard=guards.hearing,
            apply=_hear,
            examples=(
                {
                    "heard_at": "2017-12-05T10:00:00+08:00",
                    "summary": "Trucks were delayed by the alert (fictional).",
                },
                {
                    "heard_at": "2017-12-05T10:00:00+08:00",
                    "summary": "Declined to make a statement (fictional).",
                    "declined": True,
                },
            ),
        ),
        Rule(
            what="decided",
            data=payloads.Decided,
            en="Accountability decided",
            zh="作出追责决定",
            roles=_DISCIPLINE,
            when=frozenset({"open"}),
            guard=guards.deciding,
            apply=_decide,
            examples=(
                {
                    "form": "interview",
                    "number": "示例追〔2017〕5号",
                    "findings": "Overdue by nine working days (fictional).",
                    "basis": ["问责办法第五条（示例）"],
                    "approving_body": "示例区党工委",
                    "effective_from": "2017-12-08T00:00:00+08:00",
                    "appeal_days": 30,
                    "appeal_body": "示例区纪检监察机构",
                    "influence_until": "2018-06-07",
                },
            ),
        ),
        Rule(
            what="served",
            data=payloads.Served,
            en="Decision served",
            zh="送达追责决定",
            roles=_DISCIPLINE,
            when=frozenset({"decided"}),
            guard=guards.serving,
            apply=_serve,
            examples=({"served_at": "2017-12-08T15:00:00+08:00"},),
        ),
        Rule(
            what="executed",
            data=payloads.Executed,
            en="Decision executed",
            zh="执行追责决定",
            roles=_DISCIPLINE,
            when=frozenset({"served", "appealed", "final"}),
            guard=guards.executing,
            apply=_execute,
            examples=(
                {
                    "executed_at": "2017-12-11T09:00:00+08:00",
                    "result": "The interview was held (fictional).",
                },
            ),
        ),
        Rule(
            what="published",
            data=payloads.Published,
            en="Case published",
            zh="通报追责结果",
            roles=_DISCIPLINE | {"office"},
            when=frozenset({"served", "appealed", "final", "revoked", "closed"}),
            guard=guards.publishing,
            apply=_publish,
            examples=(
                {"where": "第47周通报（模拟）", "report": "weekly_bulletin/2017-W49"},
            ),
        ),
        Rule(
            what="appealed",
            data=payloads.Appealed,
            en="Decision appealed",
            zh="提出申诉",
            roles=_PARTIES,
            when=frozenset({"served"}),
            guard=guards.appealing,
            apply=_appeal,
            examples=(
                {
                    "received_at": "2017-12-20T09:00:00+08:00",
                    "grounds": "The site was under another unit then (fictional).",
                },
            ),
        ),
        Rule(
            what="appeal_decided",
            data=payloads.AppealDecided,
            en="Appeal decided",
            zh="作出申诉决定",
            roles=_DISCIPLINE,
            when=frozenset({"appealed"}),
            guard=guards.judging,
            apply=_judge,
            examples=(
                {
                    "outcome": "upheld",
                    "body": "示例区纪检监察机构",
                    "reasons": "The unit was responsible then (fictional).",
                },
                {
                    "outcome": "changed",
                    "form": "written_review",
                    "body": "示例区纪检监察机构",
                    "reasons": "The delay was shorter than found (fictional).",
                },
            ),
        ),
        Rule(
            what="closed",
            data=payloads.Closed,
            en="Case closed",
            zh="案件办结",
            roles=_DISCIPLINE,
            when=frozenset(_OUTCOMES),
            guard=guards.closing,
            apply=_close,
            examples=({"summary": "Carried out, not appealed (fictional)."},),
        ),
        Rule(
            what="influence_lifted",
            data=payloads.InfluenceLifted,
            en="Influence period over",
            zh="影响期满解除",
            roles=_DISCIPLINE,
            when=frozenset({"closed"}),
            guard=guards.lifting,
            apply=_lift,
            examples=({}, {"note": "Six months are over (fictional)."}),
        ),
    ),
)
