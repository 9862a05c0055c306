"""Campaigns 攻坚行动: a drive with a window, themes and targets; air is one instance.

Rules of this file: the campaign's own frame. What is promised under it is a commitment;
how far it got is a projection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Annotated, Final, Literal

from msgspec import Meta

from events.domain.fields import Id, Reason, Text, Title
from events.domain.model import Context, Event, Payload
from events.domain.transitions import NEW, Rule, event_types, refuse


class Target(Payload, frozen=True):
    """What is to be reached: one number of one measured series."""

    metric: Id
    value: float
    unit: Title
    title: Title | None = None


class Opened(Payload, frozen=True):
    """A campaign begins: its window (first and last day), themes and targets."""

    title: Title
    start: date
    end: date
    themes: Annotated[tuple[Title, ...], Meta(max_length=50)] = ()
    targets: Annotated[tuple[Target, ...], Meta(max_length=50)] = ()
    note: Text | None = None


class TargetSet(Target, frozen=True):
    """A target of the campaign is set, or set anew; the former one stays on record."""

    reason: Reason | None = None


class WindowChanged(Payload, frozen=True):
    """The first or last day of a campaign moves, for a reason."""

    start: date
    end: date
    reason: Reason


class Closed(Payload, frozen=True):
    """A campaign ends with an outcome; nothing may be added after it."""

    outcome: Literal["met", "partly_met", "missed"]
    summary: Text


@dataclass(frozen=True, slots=True)
class Campaign:
    """The state of one campaign; ``targets`` is by metric."""

    status: str
    title: str
    start: date
    end: date
    themes: tuple[str, ...]
    targets: Mapping[str, Target]


def _guard_opened(_state: None, event: Event, _context: Context) -> None:
    data: Opened = event.data
    _check_window(data.start, data.end)
    metrics = [target.metric for target in data.targets]
    for index, metric in enumerate(metrics):
        if metric in metrics[:index]:
            raise refuse("metric_repeated", f"/data/targets/{index}/metric")


def _guard_window(state: Campaign, event: Event, _context: Context) -> None:
    data: WindowChanged = event.data
    _check_window(data.start, data.end)
    if (data.start, data.end) == (state.start, state.end):
        raise refuse("campaign_window_unchanged", "/data/end")


def _check_window(start: date, end: date) -> None:
    if end < start:
        raise refuse("campaign_ends_before_start", "/data/end")


def _open(_state: None, event: Event) -> Campaign:
    data: Opened = event.data
    return Campaign(
        status="open",
        title=data.title,
        start=data.start,
        end=data.end,
        themes=data.themes,
        targets=MappingProxyType({row.metric: row for row in data.targets}),
    )


def _set_target(state: Campaign, event: Event) -> Campaign:
    targets = {**state.targets, event.data.metric: event.data}
    return replace(state, targets=MappingProxyType(targets))


def _change_window(state: Campaign, event: Event) -> Campaign:
    return replace(state, start=event.data.start, end=event.data.end)


def _close(state: Campaign, _event: Event) -> Campaign:
    return replace(state, status="closed")


_OPEN: Final = frozenset({"open"})
_HEADQUARTERS: Final = frozenset({"headquarters"})

EVENT_TYPES: Final = event_types(
    "campaign",
    (
        Rule(
            what="opened",
            data=Opened,
            en="Campaign opened",
            zh="启动攻坚行动",
            roles=_HEADQUARTERS,
            when=frozenset({NEW}),
            guard=_guard_opened,
            apply=_open,
            examples=(
                {
                    "title": "决胜60天（模拟数据）",
                    "start": "2017-11-02",
                    "end": "2017-12-31",
                    "themes": ["扬尘治理", "散乱污整治"],
                    "targets": [{"metric": "pm10", "value": 118.0, "unit": "µg/m³"}],
                    "note": "The dates are inferred: 60 days to the year's end.",
                },
            ),
        ),
        Rule(
            what="target_set",
            data=TargetSet,
            en="Campaign target set",
            zh="确定行动目标",
            roles=_HEADQUARTERS,
            when=_OPEN,
            apply=_set_target,
            examples=({"metric": "pm2.5", "value": 66.5, "unit": "µg/m³"},),
        ),
        Rule(
            what="window_changed",
            data=WindowChanged,
            en="Campaign window changed",
            zh="调整行动期限",
            roles=_HEADQUARTERS,
            when=_OPEN,
            guard=_guard_window,
            apply=_change_window,
            examples=(
                {
                    "start": "2017-11-02",
                    "end": "2018-01-12",
                    "reason": "Counted from the first meeting (fictional).",
                },
            ),
        ),
        Rule(
            what="closed",
            data=Closed,
            en="Campaign closed",
            zh="攻坚行动收官",
            roles=_HEADQUARTERS,
            when=_OPEN,
            apply=_close,
            examples=(
                {"outcome": "partly_met", "summary": "PM10 met, PM2.5 missed (模拟)."},
            ),
        ),
    ),
)
