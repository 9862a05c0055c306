"""Directives 部署: documents and meetings that demand, and whom they reached.

Rules of this file: the document and its way through the units. What a unit promises
because of it is a commitment, which cites the directive as its basis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta

from events.domain.fields import Id, Instant, Reason, Text, Title, key_of
from events.domain.model import Context, Event, Payload
from events.domain.organisation import check_unit
from events.domain.transitions import NEW, Rule, event_types, refuse


class Clause(Payload, frozen=True):
    """One demand of a directive, by the number under which it is cited."""

    number: Annotated[str, Meta(min_length=1, max_length=20)]
    text: Text


class _Document(Payload, frozen=True):
    title: Title
    dated: date
    level: Literal["national", "province", "city", "zone", "office"]
    number: Title | None = None
    clauses: Annotated[tuple[Clause, ...], Meta(max_length=200)] = ()


class Received(_Document, frozen=True, kw_only=True):
    """A directive of a higher body has come in."""

    issuer: Title


class Issued(_Document, frozen=True, kw_only=True):
    """A directive of our own is given out, by document or at a meeting."""

    meeting_at: Instant | None = None


class Relayed(Payload, frozen=True):
    """The directive was passed on to a unit."""

    unit: Id
    how: Literal["meeting", "document", "message"] = "document"


class Read(Payload, frozen=True):
    """A unit has studied the directive."""

    unit: Id
    participants: Annotated[int, Meta(ge=1, le=100_000)] | None = None


class Revoked(Payload, frozen=True):
    """The directive is no longer in force; another may take its place."""

    reason: Reason
    replaced_by: Id | None = None


@dataclass(frozen=True, slots=True)
class Directive:
    """The state of one directive and which units it has reached."""

    status: str
    title: str
    number: str | None
    clauses: tuple[str, ...]
    unit: str | None = None
    relayed_to: frozenset[str] = frozenset()
    read_by: frozenset[str] = frozenset()
    replaced_by: str | None = None

    @property
    def active(self) -> bool:
        """Tell whether the directive is in force."""
        return self.status == "in_force"


def _guard_clauses(_state: None, event: Event, _context: Context) -> None:
    numbers = [clause.number for clause in event.data.clauses]
    for index, number in enumerate(numbers):
        if number in numbers[:index]:
            raise refuse("clause_repeated", f"/data/clauses/{index}/number")


def _guard_relayed(state: Directive, event: Event, context: Context) -> None:
    check_unit(context, event.data.unit, "/data/unit")
    if event.data.unit in state.relayed_to:
        raise refuse("directive_relayed_already", "/data/unit", unit=event.data.unit)


def _guard_read(state: Directive, event: Event, context: Context) -> None:
    check_unit(context, event.data.unit, "/data/unit")
    if event.data.unit in state.read_by:
        raise refuse("directive_read_already", "/data/unit", unit=event.data.unit)


def _guard_revoked(state: Directive, event: Event, context: Context) -> None:
    _check_own(state, context)
    heir = event.data.replaced_by
    if heir is None:
        return
    if heir == key_of(event):
        raise refuse("directive_replaced_by_itself", "/data/replaced_by")
    successor = context.state_of(f"directive/{heir}")
    if successor is None:
        raise refuse("directive_unknown", "/data/replaced_by", directive=heir)
    if not successor.active:
        raise refuse("directive_not_in_force", "/data/replaced_by", directive=heir)


def _check_own(state: Directive, context: Context) -> None:
    """A unit revokes what it recorded itself; headquarters and office revoke any."""
    actor = context.actor
    if actor.unit != state.unit and not actor.roles & _ABOVE:
        raise refuse("directive_of_another_unit", "/type", unit=state.unit or "")


def _start(_state: None, event: Event) -> Directive:
    data: _Document = event.data
    return Directive(
        status="in_force",
        title=data.title,
        number=data.number,
        clauses=tuple(clause.number for clause in data.clauses),
        unit=event.actor.unit,
    )


def _relay(state: Directive, event: Event) -> Directive:
    return replace(state, relayed_to=state.relayed_to | {event.data.unit})


def _read(state: Directive, event: Event) -> Directive:
    return replace(state, read_by=state.read_by | {event.data.unit})


def _revoke(state: Directive, event: Event) -> Directive:
    return replace(state, status="revoked", replaced_by=event.data.replaced_by)


_IN_FORCE: Final = frozenset({"in_force"})
_ABOVE: Final = frozenset({"office", "headquarters"})
_ISSUERS: Final = _ABOVE | {"lead"}
_UNITS: Final = frozenset({"office", "headquarters", "lead", "support"})

EVENT_TYPES: Final = event_types(
    "directive",
    (
        Rule(
            what="received",
            data=Received,
            en="Directive received",
            zh="收文登记",
            roles=_ISSUERS,
            when=frozenset({NEW}),
            guard=_guard_clauses,
            apply=_start,
            examples=(
                {
                    "title": "封土行动通知（模拟数据）",
                    "issuer": "市指挥部",
                    "number": "模拟〔2017〕15号",
                    "dated": "2017-11-15",
                    "level": "city",
                    "clauses": [{"number": "1", "text": "停止土石方作业"}],
                },
            ),
        ),
        Rule(
            what="issued",
            data=Issued,
            en="Directive issued",
            zh="印发部署",
            roles=_ISSUERS,
            when=frozenset({NEW}),
            guard=_guard_clauses,
            apply=_start,
            examples=(
                {
                    "title": "决胜60天动员会（模拟数据）",
                    "dated": "2017-11-14",
                    "level": "zone",
                    "meeting_at": "2017-11-14T15:00:00+08:00",
                    "clauses": [{"number": "1", "text": "每周一通报"}],
                },
            ),
        ),
        Rule(
            what="relayed",
            data=Relayed,
            en="Directive relayed",
            zh="传达文件",
            roles=_UNITS,
            when=_IN_FORCE,
            guard=_guard_relayed,
            apply=_relay,
            examples=({"unit": "gouzhao", "how": "meeting"},),
        ),
        Rule(
            what="read",
            data=Read,
            en="Directive studied",
            zh="学习文件",
            roles=_UNITS,
            when=_IN_FORCE,
            guard=_guard_read,
            apply=_read,
            examples=({"unit": "gouzhao", "participants": 60},),
        ),
        Rule(
            what="revoked",
            data=Revoked,
            en="Directive revoked",
            zh="废止文件",
            roles=_ISSUERS,
            when=_IN_FORCE,
            guard=_guard_revoked,
            apply=_revoke,
            examples=(
                {"reason": "The season is over (fictional)."},
                {"reason": "Replaced (fictional).", "replaced_by": "GX-2018-002"},
            ),
        ),
    ),
)
