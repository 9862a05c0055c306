"""Subjects 监管对象: one file 一企一档 and plan 一企一策 an enterprise, site or road.

Rules of this file: what is on file about the subject and what is ordered for it.
Visits, findings and promises about it are streams of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from events.domain.fields import key_of
from events.domain.model import Context, Event, Payload
from events.domain.subject_payloads import (
    Classified,
    ExemptionEnded,
    ExemptionGranted,
    Merged,
    PlanApproved,
    Registered,
    ScheduleSet,
    SealApplied,
    StatusChanged,
)
from events.domain.transitions import NEW, Guard, Rule, event_types, refuse


@dataclass(frozen=True, slots=True)
class Subject:
    """The state of one subject; ``exemptions`` are those in force."""

    status: str
    kind: str
    name: str
    code: str | None = None
    grid: str | None = None
    categories: frozenset[str] = frozenset()
    handling: str | None = None
    plan_version: int = 0
    exemptions: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    merged_into: str | None = None


def _guard_registered(_state: None, event: Event, context: Context) -> None:
    data: Registered = event.data
    if data.grid is not None:
        cell = context.state_of(f"grid/{data.grid}")
        if cell is None or not cell.active:
            raise refuse("grid_unknown", "/data/grid", grid=data.grid)
    if (data.longitude is None) != (data.latitude is None):
        missing = "longitude" if data.longitude is None else "latitude"
        raise refuse("position_incomplete", f"/data/{missing}")


def _guard_classified(_state: Subject, event: Event, _context: Context) -> None:
    data: Classified = event.data
    if len(set(data.categories)) != len(data.categories):
        raise refuse("category_repeated", "/data/categories")
    if data.handling == "relocate" and data.deadline is None:
        raise refuse("relocation_needs_deadline", "/data/deadline")


def _guard_plan(state: Subject, event: Event, _context: Context) -> None:
    data: PlanApproved = event.data
    if data.version != state.plan_version + 1:
        expected = state.plan_version + 1
        raise refuse("plan_version_not_next", "/data/version", expected=expected)
    codes = [measure.code for measure in data.measures]
    for index, code in enumerate(codes):
        if code in codes[:index]:
            raise refuse("measure_repeated", f"/data/measures/{index}/code")


def _guard_window(_state: Subject, event: Event, _context: Context) -> None:
    if event.data.end < event.data.start:
        raise refuse("window_ends_before_start", "/data/end")


def _guard_status(state: Subject, event: Event, _context: Context) -> None:
    if event.data.status == state.status:
        raise refuse("subject_status_unchanged", "/data/status", status=state.status)


def _guard_granted(state: Subject, event: Event, _context: Context) -> None:
    if event.data.exemption in state.exemptions:
        raise refuse("exemption_granted_already", "/data/exemption")


def _guard_exemption_ended(state: Subject, event: Event, _context: Context) -> None:
    if event.data.exemption not in state.exemptions:
        raise refuse("exemption_unknown", "/data/exemption")


def _guard_seal(state: Subject, event: Event, context: Context) -> None:
    if state.kind != "site":
        raise refuse("seal_needs_site", "/subject", kind=state.kind)
    if event.data.order in state.orders:
        raise refuse("seal_applied_already", "/data/order", order=event.data.order)
    _guard_window(state, event, context)


def _guard_merged(_state: Subject, event: Event, context: Context) -> None:
    into = event.data.into
    if into == key_of(event):
        raise refuse("subject_merged_into_itself", "/data/into")
    other = context.state_of(f"subject/{into}")
    if other is None:
        raise refuse("subject_unknown", "/data/into", subject=into)
    if other.status == "merged":
        raise refuse("subject_merged_already", "/data/into", subject=into)


def _register(_state: None, event: Event) -> Subject:
    data: Registered = event.data
    return Subject(
        status="operating",
        kind=data.kind,
        name=data.name,
        code=data.code,
        grid=data.grid,
    )


def _classify(state: Subject, event: Event) -> Subject:
    data: Classified = event.data
    return replace(state, categories=frozenset(data.categories), handling=data.handling)


def _approve(state: Subject, event: Event) -> Subject:
    return replace(state, plan_version=event.data.version)


def _keep(state: Subject, _event: Event) -> Subject:
    return state


def _change_status(state: Subject, event: Event) -> Subject:
    return replace(state, status=event.data.status)


def _grant(state: Subject, event: Event) -> Subject:
    return replace(state, exemptions=state.exemptions | {event.data.exemption})


def _end_exemption(state: Subject, event: Event) -> Subject:
    return replace(state, exemptions=state.exemptions - {event.data.exemption})


def _seal(state: Subject, event: Event) -> Subject:
    return replace(state, orders=state.orders | {event.data.order})


def _merge(state: Subject, event: Event) -> Subject:
    return replace(state, status="merged", merged_into=event.data.into)


_OPEN: Final = frozenset({"operating", "suspended", "relocated"})
_NOT_MERGED: Final = _OPEN | {"closed"}
_STATION: Final = frozenset({"lead", "office"})


def _on_file(
    what: str,
    data: type[Payload],
    names: tuple[str, str],
    apply: Callable[[Subject, Event], Subject],
    guard: Guard,
    *examples: Mapping[str, Any],
) -> Rule:
    """Return the rule of what may be filed as long as the subject is not closed."""
    return Rule(
        what=what,
        data=data,
        en=names[0],
        zh=names[1],
        roles=_STATION,
        when=_OPEN,
        guard=guard,
        apply=apply,
        examples=examples,
    )


EVENT_TYPES: Final = event_types(
    "subject",
    (
        Rule(
            what="registered",
            data=Registered,
            en="Subject put on file",
            zh="建档",
            roles=_STATION | {"adapter", "grid_worker"},
            when=frozenset({NEW}),
            guard=_guard_registered,
            apply=_register,
            examples=(
                {
                    "kind": "site",
                    "name": "示例工地（模拟数据）",
                    "grid": "gouzhao-3-02",
                    "longitude": 113.55,
                    "latitude": 34.81,
                },
                {
                    "kind": "enterprise",
                    "name": "示例建材厂（模拟数据）",
                    "code": "91410100MA00000000",
                    "address": "示例路1号",
                    "industry": "建材",
                },
            ),
        ),
        _on_file(
            "classified",
            Classified,
            ("Subject classified", "认定散乱污类别"),
            _classify,
            _guard_classified,
            {
                "categories": ["scattered", "polluting"],
                "handling": "relocate",
                "basis": "Census of 2017 (fictional).",
                "deadline": "2017-12-10",
            },
        ),
        _on_file(
            "plan_approved",
            PlanApproved,
            ("Plan of the subject approved", "批准一企一策"),
            _approve,
            _guard_plan,
            {
                "version": 1,
                "title": "示例建材厂一企一策（模拟数据）",
                "measures": [
                    {"code": "M1", "text": "Stop line 1", "alert": "orange"},
                    {"code": "M2", "text": "Cover all heaps"},
                ],
            },
        ),
        _on_file(
            "schedule_set",
            ScheduleSet,
            ("Staggered production scheduled", "安排错峰生产"),
            _keep,
            _guard_window,
            {
                "start": "2017-11-15",
                "end": "2018-03-15",
                "limit_percent": 0,
                "basis": "Heating season (fictional).",
            },
        ),
        _on_file(
            "exemption_granted",
            ExemptionGranted,
            ("Exemption granted", "准予豁免"),
            _grant,
            _guard_granted,
            {
                "exemption": "E-2017-03",
                "basis": "A school is being built (fictional).",
                "up_to": "orange",
            },
        ),
        _on_file(
            "exemption_ended",
            ExemptionEnded,
            ("Exemption ended", "终止豁免"),
            _end_exemption,
            _guard_exemption_ended,
            {"exemption": "E-2017-03", "reason": "Work is done (fictional)."},
        ),
        _on_file(
            "seal_applied",
            SealApplied,
            ("Sealing order applied", "实施封土"),
            _seal,
            _guard_seal,
            {"order": "seal-2017", "start": "2017-11-15", "end": "2018-03-15"},
        ),
        Rule(
            what="status_changed",
            data=StatusChanged,
            en="Subject stopped, closed, moved or operating again",
            zh="停产、关停、搬迁或恢复",
            roles=_STATION,
            when=_NOT_MERGED,
            guard=_guard_status,
            apply=_change_status,
            examples=({"status": "closed", "reason": "Banned (fictional)."},),
        ),
        Rule(
            what="merged",
            data=Merged,
            en="Subject file merged into another",
            zh="档案合并",
            roles=_STATION,
            when=_NOT_MERGED,
            guard=_guard_merged,
            apply=_merge,
            examples=({"into": "ENT-0007", "reason": "Filed twice (fictional)."},),
        ),
    ),
)
