"""Measures of an alert 管控措施: required of one subject, noted, taken, checked, kept.

Rules of this file: one stream a measure and subject. Its time runs day and night and
never rolls to a working day. Whether it was taken in time is for views to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from events.domain import supervision_guards as ask
from events.domain.alert_payloads import (
    Acknowledged,
    Applied,
    Breached,
    Checked,
    Exempted,
    Required,
)
from events.domain.alerts import Alert
from events.domain.commitment_case import enough_evidence
from events.domain.commitment_dues import elapsed
from events.domain.model import Context, Event
from events.domain.organisation import check_unit
from events.domain.transitions import NEW, Rule, event_types, refuse
from events.entries import rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The state of one measure of one subject. Instants are µs.

    ``status``: required, acknowledged, applied, breached or exempted. ``due`` is the
    end of its time; ``kept`` is the last check.
    """

    status: str
    alert: str
    subject: str
    measure: str
    unit: str
    required_at: int
    due: int
    acknowledged_at: int | None = None
    applied_at: int | None = None
    applier: frozenset[str] | None = None
    checked_at: int | None = None
    kept: bool | None = None
    breached_at: int | None = None
    breaches: int = 0


_ORDERERS: Final = frozenset({"headquarters", "office", "lead", "system", "adapter"})
_TAKERS: Final = frozenset({"enterprise", "lead", "support", "grid_worker", "adapter"})
_CHECKERS: Final = frozenset(
    {"verifier", "office", "headquarters", "lead", "grid_worker"}
)
_EXEMPTERS: Final = frozenset({"headquarters", "office"})


def _guard_required(_state: None, event: Event, context: Context) -> None:
    data: Required = event.data
    alert: Alert = ask.known_stream(context, f"alert/{data.alert}", "/data/alert")
    start = ask.happened(event, context, "required_at")
    if alert.end is not None and start >= alert.end:
        raise refuse("alert_over_by_then", "/data/alert", until=rfc3339(alert.end))
    ask.code_listed(data.measure, data.measure_list, "alert-measure", "/data/measure")
    ask.known_subject(context, data.subject, "/data/subject")
    check_unit(context, data.unit, "/data/unit")


def _guard_acknowledged(state: Measure, event: Event, context: Context) -> None:
    _own(state, event, context)
    ask.happened(event, context, "acknowledged_at", since=state.required_at)


def _guard_applied(state: Measure, event: Event, context: Context) -> None:
    """It may have been taken before it was required."""
    data: Applied = event.data
    _own(state, event, context)
    ask.happened(event, context, "applied_at")
    enough_evidence(list(data.evidence), 1)


def _guard_checked(state: Measure, event: Event, context: Context) -> None:
    data: Checked = event.data
    _own(state, event, context)
    ask.happened(event, context, "checked_at", since=state.required_at)
    ask.known_streams(context, "inspection", [("/data/inspection", data.inspection)])
    ask.another_than((state.applier,), context, "measure_checked_by_applier")


def _guard_breached(state: Measure, event: Event, context: Context) -> None:
    data: Breached = event.data
    _own(state, event, context)
    ask.happened(event, context, "breached_at", since=state.required_at)
    ask.known_streams(context, "issue", [("/data/issue", data.issue)])


def _guard_exempted(state: Measure, event: Event, context: Context) -> None:
    data: Exempted = event.data
    if data.exemption is None:
        return
    subject = ask.known_subject(context, state.subject, "/subject")
    if data.exemption not in subject.exemptions:
        raise refuse("exemption_unknown", "/data/exemption")


def _own(state: Measure, event: Event, context: Context) -> None:
    """An enterprise acts for itself, a grid worker for subjects of the own cell."""
    allowed = _TAKERS | _CHECKERS
    if ask.only_as(ask.ENTERPRISE, context.actor, allowed):
        ask.file_of_actor(context, state.subject, allowed=allowed, where="/subject")
    elif ask.only_as(ask.GRID_WORKER, context.actor, allowed):
        subject = ask.known_subject(context, state.subject, "/subject")
        ask.cell_of_actor(
            event, context, subject.grid, allowed=allowed, where="/subject"
        )


def _require(_state: None, event: Event) -> Measure:
    data: Required = event.data
    start = ask.moment(data.required_at, event)
    return Measure(
        status="required",
        alert=data.alert,
        subject=data.subject,
        measure=data.measure,
        unit=data.unit,
        required_at=start,
        due=elapsed(data.within, start),
    )


def _acknowledge(state: Measure, event: Event) -> Measure:
    at = ask.moment(event.data.acknowledged_at, event)
    return replace(state, status="acknowledged", acknowledged_at=at)


def _apply(state: Measure, event: Event) -> Measure:
    return replace(
        state,
        status="applied",
        applied_at=ask.moment(event.data.applied_at, event),
        applier=ask.acting(event.actor),
    )


def _check(state: Measure, event: Event) -> Measure:
    return replace(
        state,
        checked_at=ask.moment(event.data.checked_at, event),
        kept=event.data.result == "kept",
    )


def _breach(state: Measure, event: Event) -> Measure:
    return replace(
        state,
        status="breached",
        breached_at=ask.moment(event.data.breached_at, event),
        breaches=state.breaches + 1,
    )


def _exempt(state: Measure, _event: Event) -> Measure:
    return replace(state, status="exempted")


_WAITING: Final = frozenset({"required", "acknowledged"})
_RUNNING: Final = _WAITING | {"applied"}
_ANY: Final = _RUNNING | {"breached"}

_PHOTO: Final = {"sha256": "a7" * 32, "media_type": "image/jpeg", "note": "模拟数据"}

EVENT_TYPES: Final = event_types(
    "measure",
    (
        Rule(
            what="required",
            data=Required,
            en="Measure required",
            zh="下达管控措施",
            roles=_ORDERERS,
            when=frozenset({NEW}),
            guard=_guard_required,
            apply=_require,
            examples=(
                {
                    "alert": "A-2017-11-21",
                    "subject": "S-0007",
                    "measure": "stop_earthwork",
                    "unit": "gouzhao",
                    "within": "PT2H",
                    "required_at": "2017-11-21T12:20:00+08:00",
                    "text": "预警期间停止土石方作业（模拟数据）",
                },
            ),
        ),
        Rule(
            what="acknowledged",
            data=Acknowledged,
            en="Measure acknowledged",
            zh="确认收到措施",
            roles=_TAKERS,
            when=frozenset({"required"}),
            guard=_guard_acknowledged,
            apply=_acknowledge,
            examples=({"acknowledged_at": "2017-11-21T12:45:00+08:00"},),
        ),
        Rule(
            what="applied",
            data=Applied,
            en="Measure applied",
            zh="落实措施",
            roles=_TAKERS,
            when=_WAITING | {"breached"},
            guard=_guard_applied,
            apply=_apply,
            examples=(
                {
                    "applied_at": "2017-11-21T13:30:00+08:00",
                    "text": "机械已停，土方已覆盖（模拟数据）",
                    "evidence": [_PHOTO],
                },
            ),
        ),
        Rule(
            what="checked",
            data=Checked,
            en="Measure checked",
            zh="检查措施",
            roles=_CHECKERS,
            when=_ANY,
            guard=_guard_checked,
            apply=_check,
            examples=(
                {
                    "result": "kept",
                    "checked_at": "2017-11-22T09:00:00+08:00",
                    "evidence": [_PHOTO],
                },
            ),
        ),
        Rule(
            what="breached",
            data=Breached,
            en="Measure breached",
            zh="措施未落实",
            roles=_CHECKERS | {"system"},
            when=_RUNNING,
            guard=_guard_breached,
            apply=_breach,
            examples=(
                {
                    "text": "Excavators were running at 22:10 (fictional).",
                    "breached_at": "2017-11-21T22:10:00+08:00",
                    "evidence": [_PHOTO],
                },
            ),
        ),
        Rule(
            what="exempted",
            data=Exempted,
            en="Subject exempted from the measure",
            zh="豁免措施",
            roles=_EXEMPTERS,
            when=_WAITING,
            guard=_guard_exempted,
            apply=_exempt,
            examples=(
                {
                    "basis": "A school is being built (fictional).",
                    "exemption": "E-2017-03",
                },
            ),
        ),
    ),
)
