"""Control orders 管控令: the sealing order 封土令 and staggered production 错峰生产.

Rules of this file: the stream ``order``: whom it binds, its violations and exemptions.
Until when a site stays sealed is derived, not stored: each violation that is confirmed
and not revoked adds days to ``base_end``, as the ruleset in force says. The state keeps
what that needs; an explicit extension (``period_extended``) is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

from events.domain import supervision_guards as ask
from events.domain.model import Context, Event
from events.domain.order_payloads import (
    Exempted,
    ExemptionEnded,
    Issued,
    PeriodExtended,
    SiteBound,
    ViolationConfirmed,
    ViolationRecorded,
    ViolationRevoked,
)
from events.domain.organisation import check_unit
from events.domain.transitions import NEW, Rule, event_types, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One violation; only a confirmed one counts. ``found_at`` is in µs."""

    site: str
    found_at: int
    recorder: frozenset[str]
    event_id: str
    status: Literal["recorded", "confirmed", "revoked"] = "recorded"
    confirmer: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The state of one order. ``extensions`` are (site or None for all, last day)."""

    status: str
    kind: str
    start: date
    base_end: date
    sites: frozenset[str] = frozenset()
    violations: Mapping[str, Violation] = field(default_factory=dict)
    extensions: tuple[tuple[str | None, date], ...] = ()
    exempted: frozenset[str] = frozenset()

    def counting(self, site: str) -> tuple[Violation, ...]:
        """Return the violations of a site that are confirmed and not revoked."""
        return tuple(
            row
            for row in self.violations.values()
            if row.site == site and row.status == "confirmed"
        )

    def extended_until(self, site: str | None) -> date:
        """Return the last day by the order and its explicit extensions alone."""
        days = [day for of, day in self.extensions if of in {None, site}]
        return max([self.base_end, *days])


_ISSUERS: Final = frozenset({"headquarters", "office", "lead"})
_FINDERS: Final = _ISSUERS | {"verifier", "grid_worker", "adapter"}
_JUDGES: Final = frozenset({"headquarters", "office", "discipline"})


def _guard_issued(_state: None, event: Event, context: Context) -> None:
    data: Issued = event.data
    if data.base_end < data.start:
        raise refuse("window_ends_before_start", "/data/base_end")
    for number, unit in enumerate(data.units):
        check_unit(context, unit, f"/data/units/{number}")
    ask.known_streams(context, "directive", [("/data/directive", data.directive)])


def _guard_bound(state: Order, event: Event, context: Context) -> None:
    data: SiteBound = event.data
    _site(state, data.site, context)
    if data.unit is not None:
        check_unit(context, data.unit, "/data/unit")
    if data.site in state.sites:
        raise refuse("site_bound_already", "/data/site", site=data.site)


def _guard_recorded(state: Order, event: Event, context: Context) -> None:
    data: ViolationRecorded = event.data
    if data.violation in state.violations:
        violation = data.violation
        raise refuse("violation_exists", "/data/violation", violation=violation)
    _site(state, data.site, context)
    subject = ask.known_subject(context, data.site, "/data/site")
    if ask.only_as(ask.GRID_WORKER, context.actor, _FINDERS):
        ask.cell_of_actor(
            event, context, subject.grid, allowed=_FINDERS, where="/data/site"
        )
    ask.happened(event, context, "found_at")
    if data.unit is not None:
        check_unit(context, data.unit, "/data/unit")
    ask.known_streams(context, "issue", [("/data/issue", data.issue)])
    ask.known_streams(context, "inspection", [("/data/inspection", data.inspection)])


def _guard_confirmed(state: Order, event: Event, context: Context) -> None:
    """Who found it does not confirm it."""
    violation = _violation(state, event.data.violation, "/data/violation")
    if violation.status != "recorded":
        status = violation.status
        raise refuse("violation_decided_already", "/data/violation", status=status)
    ask.another_than((violation.recorder,), context, "violation_judged_by_party")


def _guard_revoked(state: Order, event: Event, context: Context) -> None:
    """Who confirmed it does not hear the appeal; nothing is revoked twice."""
    data: ViolationRevoked = event.data
    violation = _violation(state, data.violation, "/data/violation")
    if violation.status == "revoked":
        status = violation.status
        raise refuse("violation_decided_already", "/data/violation", status=status)
    ask.another_than((violation.confirmer,), context, "violation_judged_by_party")
    ask.known_streams(context, "accountability", [("/data/appeal", data.appeal)])


def _guard_extended(state: Order, event: Event, context: Context) -> None:
    data: PeriodExtended = event.data
    if data.site is not None:
        _site(state, data.site, context)
    last = state.extended_until(data.site)
    if data.until <= last:
        raise refuse("order_not_longer", "/data/until", until=last.isoformat())
    for number, name in enumerate(data.violations):
        where = f"/data/violations/{number}"
        violation = _violation(state, name, where)
        if violation.status != "confirmed" or data.site not in {None, violation.site}:
            raise refuse("violation_does_not_count", where, violation=name)


def _guard_exempted(state: Order, event: Event, context: Context) -> None:
    data: Exempted = event.data
    _site(state, data.site, context)
    if data.site in state.exempted:
        raise refuse("site_exempted_already", "/data/site", site=data.site)
    if data.until is not None and data.until < state.start:
        raise refuse("window_ends_before_start", "/data/until")


def _guard_exemption_ended(state: Order, event: Event, _context: Context) -> None:
    data: ExemptionEnded = event.data
    if data.site not in state.exempted:
        raise refuse("site_not_exempted", "/data/site", site=data.site)


def _site(state: Order, key: str, context: Context) -> None:
    """Only sites are sealed; staggered production binds any subject."""
    subject = ask.known_subject(context, key, "/data/site")
    if state.kind == "seal" and subject.kind != "site":
        raise refuse("seal_needs_site", "/data/site", kind=subject.kind)


def _violation(state: Order, name: str, where: str) -> Violation:
    found = state.violations.get(name)
    if found is None:
        raise refuse("violation_unknown", where, violation=name)
    return found


def _issue(_state: None, event: Event) -> Order:
    data: Issued = event.data
    return Order(
        status="issued", kind=data.kind, start=data.start, base_end=data.base_end
    )


def _bind(state: Order, event: Event) -> Order:
    return replace(state, sites=state.sites | {event.data.site})


def _record(state: Order, event: Event) -> Order:
    data: ViolationRecorded = event.data
    new = Violation(
        site=data.site,
        found_at=ask.moment(data.found_at, event),
        recorder=ask.acting(event.actor),
        event_id=event.id,
    )
    return _put(state, data.violation, new)


def _confirm(state: Order, event: Event) -> Order:
    name = event.data.violation
    confirmer = ask.acting(event.actor)
    return _put(
        state,
        name,
        replace(state.violations[name], status="confirmed", confirmer=confirmer),
    )


def _revoke(state: Order, event: Event) -> Order:
    name = event.data.violation
    return _put(state, name, replace(state.violations[name], status="revoked"))


def _put(state: Order, name: str, violation: Violation) -> Order:
    violations = {**state.violations, name: violation}
    return replace(state, violations=MappingProxyType(violations))


def _extend(state: Order, event: Event) -> Order:
    data: PeriodExtended = event.data
    return replace(state, extensions=(*state.extensions, (data.site, data.until)))


def _exempt(state: Order, event: Event) -> Order:
    return replace(state, exempted=state.exempted | {event.data.site})


def _end_exemption(state: Order, event: Event) -> Order:
    return replace(state, exempted=state.exempted - {event.data.site})


_ISSUED: Final = frozenset({"issued"})

EVENT_TYPES: Final = event_types(
    "order",
    (
        Rule(
            what="issued",
            data=Issued,
            en="Control order issued",
            zh="发布管控令",
            roles=_ISSUERS,
            when=frozenset({NEW}),
            guard=_guard_issued,
            apply=_issue,
            examples=(
                {
                    "kind": "seal",
                    "title": "封土行动（模拟数据）",
                    "start": "2017-11-15",
                    "base_end": "2018-03-15",
                    "scope": "建成区内停止土石方、拆除等作业（模拟数据）",
                    "units": ["gouzhao"],
                },
                {
                    "kind": "staggered",
                    "title": "Staggered production of the heating season (fictional)",
                    "start": "2017-11-15",
                    "base_end": "2018-03-15",
                    "scope": "Building materials and foundries (fictional).",
                },
            ),
        ),
        Rule(
            what="site_bound",
            data=SiteBound,
            en="Site bound by the order",
            zh="纳入管控",
            roles=_ISSUERS,
            when=_ISSUED,
            guard=_guard_bound,
            apply=_bind,
            examples=({"site": "S-0007", "unit": "gouzhao"},),
        ),
        Rule(
            what="violation_recorded",
            data=ViolationRecorded,
            en="Violation of the order recorded",
            zh="登记违规",
            roles=_FINDERS,
            when=_ISSUED,
            guard=_guard_recorded,
            apply=_record,
            examples=(
                {
                    "violation": "FT-2017-003",
                    "site": "S-0007",
                    "text": "夜间擅自土方作业（模拟数据）",
                    "found_at": "2017-11-23T22:10:00+08:00",
                    "unit": "gouzhao",
                },
            ),
        ),
        Rule(
            what="violation_confirmed",
            data=ViolationConfirmed,
            en="Violation confirmed",
            zh="认定违规",
            roles=_JUDGES,
            when=_ISSUED,
            guard=_guard_confirmed,
            apply=_confirm,
            examples=({"violation": "FT-2017-003"},),
        ),
        Rule(
            what="violation_revoked",
            data=ViolationRevoked,
            en="Violation revoked",
            zh="撤销违规",
            roles=_JUDGES,
            when=_ISSUED,
            guard=_guard_revoked,
            apply=_revoke,
            examples=(
                {
                    "violation": "FT-2017-003",
                    "reason": "The work had been permitted (fictional).",
                },
            ),
        ),
        Rule(
            what="period_extended",
            data=PeriodExtended,
            en="Period of the order extended",
            zh="延长管控期",
            roles=_JUDGES,
            when=_ISSUED,
            guard=_guard_extended,
            apply=_extend,
            examples=(
                {
                    "site": "S-0007",
                    "until": "2018-03-30",
                    "reason": "违规一次，延长十五日（模拟数据）",
                    "violations": ["FT-2017-003"],
                },
            ),
        ),
        Rule(
            what="exempted",
            data=Exempted,
            en="Site exempted from the order",
            zh="准予豁免",
            roles=_JUDGES,
            when=_ISSUED,
            guard=_guard_exempted,
            apply=_exempt,
            examples=(
                {
                    "site": "S-0011",
                    "basis": "Metro works (fictional).",
                    "allows": "Earthwork with all seven measures.",
                    "up_to": "orange",
                },
            ),
        ),
        Rule(
            what="exemption_ended",
            data=ExemptionEnded,
            en="Exemption from the order ended",
            zh="终止豁免",
            roles=_JUDGES,
            when=_ISSUED,
            guard=_guard_exemption_ended,
            apply=_end_exemption,
            examples=({"site": "S-0011", "reason": "The works are done (fictional)."},),
        ),
    ),
)
