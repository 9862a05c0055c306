"""Frozen reports 定稿: which cut a report was made of, its digests, what came of it.

Rules of this file: the fact that a report was fixed. Its numbers are projections over
the cut; nothing here computes or alters one. What is frozen stays; errors are put
right by a later edition that takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from msgspec import Meta

from events.domain.citations import Fact, check_facts
from events.domain.fields import Id, Instant, Reason, Sha256Hex, Text, Title, us
from events.domain.model import Context, Event, Payload
from events.domain.periods import Period, check_period
from events.domain.transitions import NEW, Rule, event_types, refuse

Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,47}(?!\n)$",
        examples=["weekly_bulletin", "daily_brief"],
    ),
]
Format = Literal["html", "json", "csv", "xlsx", "docx", "pdf"]
Number = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Edition = Annotated[int, Meta(ge=1, le=99)]
Root = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9+/]{43}=(?!\n)$",
        description="The Merkle root at the position, in base64 as in a checkpoint.",
    ),
]
Evidence = Annotated[tuple[Sha256Hex, ...], Meta(max_length=100)]


class Cut(Payload, frozen=True):
    """Of what a report was made: so much of the log, these rules, this instant."""

    position: Number
    root: Root
    ruleset: Title
    calendar: Title
    template: Title
    instant: Instant


class File(Payload, frozen=True):
    """One format of the report, by its digest."""

    format: Format
    sha256: Sha256Hex
    size: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None


class Demand(Payload, frozen=True):
    """What the report asks of a unit, under the number by which it is answered."""

    item: Annotated[str, Meta(min_length=1, max_length=20)]
    unit: Id
    text: Text
    due: Instant | None = None
    commitment: Id | None = None


class Frozen(Payload, frozen=True):
    """A report is fixed for a period: its cut, and the digest of each format."""

    name: Name
    period: Period
    cut: Cut
    files: Annotated[tuple[File, ...], Meta(min_length=1, max_length=6)]
    unit: Id | None = None
    edition: Edition = 1
    title: Title | None = None
    demands: Annotated[tuple[Demand, ...], Meta(max_length=500)] = ()


class Issued(Payload, frozen=True):
    """The report is given out under a number, to units or to all."""

    issued_at: Instant
    number: Title | None = None
    to: Annotated[tuple[Id, ...], Meta(max_length=500)] = ()


class Answered(Payload, frozen=True):
    """A unit answers one demand of the report 整改反馈."""

    unit: Id
    item: Annotated[str, Meta(min_length=1, max_length=20)]
    text: Text
    evidence: Evidence = ()
    facts: Annotated[tuple[Fact, ...], Meta(max_length=100)] = ()


class Replaced(Payload, frozen=True):
    """A later edition takes its place 更正; this one stays on record."""

    by_edition: Edition
    reason: Reason


@dataclass(frozen=True, slots=True)
class Report:
    """The state of one edition; ``answers`` are (unit, item)."""

    status: str
    name: str
    period: str
    unit: str | None
    edition: int
    cut: Cut
    demands: frozenset[tuple[str, str]]
    issued_at: int | None = None
    answers: frozenset[tuple[str, str]] = frozenset()
    replaced_by: int | None = None


def report_stream(
    name: str, period: str, *, unit: str | None = None, edition: int = 1
) -> str:
    """Return ``report/<name>[/<unit>]/<period>[~<edition>]``: one edition."""
    last = period if edition == 1 else f"{period}~{edition}"
    return "/".join(filter(None, ("report", name, unit, last)))


def _guard_frozen(_state: None, event: Event, context: Context) -> None:
    data: Frozen = event.data
    stream = report_stream(data.name, data.period, unit=data.unit, edition=data.edition)
    if event.stream != stream:
        raise refuse("report_key_mismatch", "/subject", stream=stream)
    check_period(data.period)
    _check_apart(
        [file.format for file in data.files], "report_format_repeated", "files"
    )
    items = [(row.unit, row.item) for row in data.demands]
    _check_apart(items, "report_demand_repeated", "demands")
    if us(data.cut.instant) > context.at:
        raise refuse("instant_in_future", "/data/cut/instant")
    if data.edition > 1:
        earlier = report_stream(
            data.name, data.period, unit=data.unit, edition=data.edition - 1
        )
        if context.state_of(earlier) is None:
            raise refuse("report_edition_missing", "/data/edition", stream=earlier)


def _check_apart(rows: Sequence[object], code: str, member: str) -> None:
    for index, row in enumerate(rows):
        if row in rows[:index]:
            raise refuse(code, f"/data/{member}/{index}")


def _guard_issued(_state: Report, event: Event, context: Context) -> None:
    if us(event.data.issued_at) > context.at:
        raise refuse("instant_in_future", "/data/issued_at")


def _guard_answered(state: Report, event: Event, context: Context) -> None:
    data: Answered = event.data
    actor = context.actor
    if actor.unit != data.unit and not actor.roles & {"office", "headquarters"}:
        raise refuse("report_answer_of_other_unit", "/data/unit", unit=data.unit)
    if (data.unit, data.item) not in state.demands:
        raise refuse("report_item_unknown", "/data/item", item=data.item)
    check_facts(data.facts, context)


def _guard_replaced(state: Report, event: Event, context: Context) -> None:
    edition: int = event.data.by_edition
    if edition <= state.edition:
        raise refuse("report_edition_not_later", "/data/by_edition")
    heir = report_stream(state.name, state.period, unit=state.unit, edition=edition)
    if context.state_of(heir) is None:
        raise refuse("report_edition_missing", "/data/by_edition", stream=heir)


def _freeze(_state: None, event: Event) -> Report:
    data: Frozen = event.data
    return Report(
        status="frozen",
        name=data.name,
        period=data.period,
        unit=data.unit,
        edition=data.edition,
        cut=data.cut,
        demands=frozenset((row.unit, row.item) for row in data.demands),
    )


def _issue(state: Report, event: Event) -> Report:
    return replace(state, status="issued", issued_at=us(event.data.issued_at))


def _answer(state: Report, event: Event) -> Report:
    answer = (event.data.unit, event.data.item)
    return replace(state, answers=state.answers | {answer})


def _replace(state: Report, event: Event) -> Report:
    return replace(state, status="replaced", replaced_by=event.data.by_edition)


_FREEZERS: Final = frozenset({"system", "office", "headquarters"})
_ANSWERERS: Final = frozenset({"office", "headquarters", "lead", "support"})

EVENT_TYPES: Final = event_types(
    "report",
    (
        Rule(
            what="frozen",
            data=Frozen,
            en="Report frozen",
            zh="报告定稿",
            roles=_FREEZERS,
            when=frozenset({NEW}),
            guard=_guard_frozen,
            apply=_freeze,
            examples=(
                {
                    "name": "weekly_bulletin",
                    "period": "2017-W47",
                    "title": "督查及追责情况的通报（模拟数据）",
                    "cut": {
                        "position": 12_345,
                        "root": "A" * 43 + "=",
                        "ruleset": "demo-2017/1",
                        "calendar": "cn/2026.1",
                        "template": "weekly_bulletin/1",
                        "instant": "2017-11-27T09:00:00+08:00",
                    },
                    "files": [
                        {"format": "docx", "sha256": "0a" * 32, "size": 41_000},
                        {"format": "json", "sha256": "0b" * 32},
                    ],
                    "demands": [
                        {
                            "item": "5.1",
                            "unit": "gouzhao",
                            "text": "Cover the bare soil (fictional).",
                            "due": "2017-12-04T00:00:00+08:00",
                        }
                    ],
                },
            ),
        ),
        Rule(
            what="issued",
            data=Issued,
            en="Report issued",
            zh="报告印发",
            roles=frozenset({"office", "headquarters"}),
            when=frozenset({"frozen"}),
            guard=_guard_issued,
            apply=_issue,
            examples=(
                {
                    "issued_at": "2017-11-27T10:30:00+08:00",
                    "number": "示例督〔2017〕3号",
                    "to": ["gouzhao", "shifo"],
                },
            ),
        ),
        Rule(
            what="answered",
            data=Answered,
            en="Report answered",
            zh="整改反馈",
            roles=_ANSWERERS,
            when=frozenset({"issued", "replaced"}),
            guard=_guard_answered,
            apply=_answer,
            examples=(
                {
                    "unit": "gouzhao",
                    "item": "5.1",
                    "text": "Covered on 1 December (fictional).",
                    "evidence": ["ab" * 32],
                },
            ),
        ),
        Rule(
            what="replaced",
            data=Replaced,
            en="Report replaced by a later edition",
            zh="报告更正",
            roles=_FREEZERS,
            when=frozenset({"frozen", "issued"}),
            guard=_guard_replaced,
            apply=_replace,
            examples=({"by_edition": 2, "reason": "A unit's name was wrong (模拟)."},),
        ),
    ),
)
