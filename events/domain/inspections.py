"""Inspections, patrols, census visits and look-backs 督查、巡查、普查走访、回头看.

Rules of this file: the table of events. A problem that is found on a visit is an issue
of its own; whether a patrol was frequent enough is for views to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from events.domain import inspection_guards as guards
from events.domain import inspection_state as state
from events.domain.inspection_payloads import (
    Ended,
    FindingAdded,
    ItemChecked,
    PatrolEnded,
    Planned,
    PointChecked,
    Sampled,
    SignedBySubject,
    Started,
)
from events.domain.model import Event, Payload
from events.domain.transitions import NEW, Guard, Rule, event_types

_PHOTO: Final = {"sha256": "c4" * 32, "media_type": "image/jpeg", "note": "模拟数据"}
_COMMITMENTS: Final = (
    "commitment/GX-2017-0012",
    "commitment/GX-2017-0031",
    "commitment/GX-2017-0054",
    "commitment/GX-2017-0077",
)


def _running(
    what: str,
    data: type[Payload],
    names: tuple[str, str],
    apply: Callable[[Any, Event], Any],
    guard: Guard,
    *examples: Mapping[str, Any],
) -> Rule:
    """Return the rule of what happens while a visit goes on."""
    return Rule(
        what=what,
        data=data,
        en=names[0],
        zh=names[1],
        roles=guards.VISITORS,
        when=frozenset({"running"}),
        guard=guard,
        apply=apply,
        examples=examples,
    )


EVENT_TYPES: Final = event_types(
    "inspection",
    (
        Rule(
            what="planned",
            data=Planned,
            en="Inspection planned",
            zh="制定检查计划",
            roles=guards.VISITORS,
            when=frozenset({NEW}),
            guard=guards.planned,
            apply=state.plan,
            examples=(
                {
                    "kind": "lookback",
                    "title": "已销号事项回头看，第一批（模拟数据）",
                    "unit": "zone",
                    "start": "2017-12-11",
                    "end": "2017-12-15",
                    "team": ["zone-lookback-1", "zone-lookback-2"],
                },
                {
                    "kind": "patrol",
                    "title": "Morning round (fictional)",
                    "unit": "gouzhao",
                    "start": "2017-11-24",
                    "end": "2017-11-24",
                    "route": [
                        {"cell": "gouzhao-3-02", "point": "P1"},
                        {"cell": "gouzhao-3-02", "point": "P2"},
                    ],
                },
            ),
        ),
        Rule(
            what="sampled",
            data=Sampled,
            en="Sample drawn",
            zh="抽样",
            roles=guards.VISITORS,
            when=frozenset({"planned"}),
            guard=guards.sampled,
            apply=state.sample,
            examples=(
                {
                    "population": list(_COMMITMENTS),
                    "population_size": 4,
                    "population_digest": (
                        "c6d907a76197fcbfe89283ddcf21dfc1"
                        "4b9434f184ff7594c9cf32e8edbfa3f3"
                    ),
                    "rule": "Closed before 2017-12-08, theme dust (fictional).",
                    "as_of": 12345,
                    "seed": "2017-12-11-lookback-1",
                    "seed_source": "Announced beforehand (fictional).",
                    "method": "sha256-rank",
                    "method_version": 1,
                    "sample": ["commitment/GX-2017-0012", "commitment/GX-2017-0077"],
                },
            ),
        ),
        Rule(
            what="started",
            data=Started,
            en="Inspection started",
            zh="开始检查",
            roles=guards.VISITORS,
            when=frozenset({NEW, "planned", "sampled"}),
            guard=guards.started,
            apply=state.start,
            examples=(
                {
                    "kind": "inspection",
                    "unit": "zone",
                    "team": ["zone-inspector-1"],
                    "targets": ["subject/S-0007"],
                    "checklist": "dust-100/2017-11",
                    "geo": {"lat": 34.81, "lon": 113.55, "accuracy_m": 8.0},
                },
                {"kind": "patrol", "unit": "gouzhao", "cell": "gouzhao-3-02"},
            ),
        ),
        _running(
            "item_checked",
            ItemChecked,
            ("Checklist item checked", "核对检查项"),
            state.check_item,
            guards.item_checked,
            {
                "checklist": "dust-100/2017-11",
                "item": "heaps_covered",
                "result": "fail",
                "target": "subject/S-0007",
                "note": "东侧堆土未覆盖（模拟数据）",
                "evidence": [_PHOTO],
            },
        ),
        Rule(
            what="finding_added",
            data=FindingAdded,
            en="Finding added to the inspection",
            zh="登记检查发现的问题",
            roles=guards.VISITORS,
            when=frozenset({"running", "ended"}),
            guard=guards.finding_added,
            apply=state.add_finding,
            examples=(
                {
                    "issue": "W-2017-0007",
                    "target": "subject/S-0007",
                    "checklist_item": "heaps_covered",
                },
            ),
        ),
        _running(
            "ended",
            Ended,
            ("Inspection ended", "结束检查"),
            state.end,
            guards.ended,
            {"summary": "七项中六项合格（模拟数据）"},
            {"incomplete": "The site was locked (fictional)."},
        ),
        Rule(
            what="signed_by_subject",
            data=SignedBySubject,
            en="Record signed by the one inspected",
            zh="被检方签字",
            roles=guards.SIGNERS,
            when=frozenset({"ended"}),
            guard=guards.signed,
            apply=state.sign,
            examples=(
                {"subject": "S-0007", "signed": "signed", "evidence": [_PHOTO]},
                {
                    "subject": "S-0007",
                    "signed": "declined",
                    "remark": "Nobody in charge was there (fictional).",
                },
            ),
        ),
        _running(
            "point_checked",
            PointChecked,
            ("Patrol point checked", "巡查点位"),
            state.check_point,
            guards.point_checked,
            {
                "cell": "gouzhao-3-02",
                "point": "P1",
                "result": "in_order",
                "checked_at": "2017-11-24T08:20:00+08:00",
                "geo": {"lat": 34.81, "lon": 113.55},
            },
            {
                "cell": "gouzhao-3-02",
                "point": "P2",
                "result": "problem",
                "issue": "W-2017-0007",
            },
        ),
        _running(
            "patrol_ended",
            PatrolEnded,
            ("Patrol ended", "结束巡查"),
            state.end_patrol,
            guards.patrol_ended,
            {"distance_m": 4200},
            {
                "distance_m": 2600,
                "skipped": [{"cell": "gouzhao-3-02", "point": "P2"}],
                "reason": "道路封闭（模拟数据）",
            },
        ),
    ),
)
