"""The campaign's frame: its opening and end, and the ten directives it rests on.

Rules of this file: meetings and notices of the founding material by their day; what
each demands in the demonstration is a commitment elsewhere.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from services.demo.campaign.dice import Dice
from services.demo.campaign.moments import (
    DAY,
    FIRST,
    HOUR,
    LAST,
    at,
    day,
    later,
    written,
)
from services.demo.campaign.places import CHIEF, DIRECTOR, UNITS, lead
from services.demo.campaign.record import MARK, Log

THEMES: Final = (
    "扬尘治理",
    "散乱污整治",
    "餐饮油烟",
    "双替代",
    "网格与普查",
    "机制建设",
)


class Directive(NamedTuple):
    """A meeting, or a document, by which tasks were given."""

    key: str
    title: str
    held: str
    hour: int
    unit: str
    level: str
    clause: str


DIRECTIVES: Final = (
    Directive("D-1114-zone", "决胜60天动员会", "11-14", 15, "hq", "zone", "每周一通报"),
    Directive("D-1114-wutong", "梧桐推进会", "11-14", 16, "wutong", "office", "日督查"),
    Directive(
        "D-1115-shuangqiao", "双桥推进会", "11-15", 9, "shuangqiao", "office", "回头看"
    ),
    Directive("D-1115-seal", "封土行动通知", "11-15", 8, "hq", "city", "停止土石方"),
    Directive("D-1116-shifo", "石佛誓师会", "11-16", 9, "shifo", "office", "一企一档"),
    Directive("D-1116-gouzhao", "沟赵推进会", "11-16", 10, "gouzhao", "office", "普查"),
    Directive(
        "D-1120-industry",
        "高新实业推进会",
        "11-20",
        15,
        "gaoxin-industry",
        "office",
        "七个百分之百",
    ),
    Directive(
        "D-1120-fengyang", "枫杨推进会", "11-20", 16, "fengyang", "office", "合理安排"
    ),
    Directive("D-1121-alert", "黄色预警通知", "11-21", 11, "hq", "city", "落实管控"),
    Directive("D-1124-zone", "全区推进会", "11-24", 9, "hq", "zone", "追责机制"),
)
#: In force before the first meeting: what is registered earlier cites the plan itself.
PLAN: Final = "攻坚行动方案（模拟数据）"


def campaign_key(log: Log) -> str:
    """Return the key of this copy's campaign."""
    return f"sixty-days-2017{log.tag}"


def open_campaign(log: Log) -> None:
    """Add the opening of the campaign and its targets."""
    data = {
        "title": f"背水一战决胜60天{MARK}",
        "start": FIRST.isoformat(),
        "end": LAST.isoformat(),
        "themes": list(THEMES),
        "targets": [{"metric": "pm10", "value": 118.0, "unit": "µg/m³"}],
        "note": "The dates are inferred: 60 days up to the end of the year.",
    }
    stream = f"campaign/{campaign_key(log)}"
    opened = at(later(FIRST, -1), 9)
    log.emit("campaign.opened", stream, data, by=DIRECTOR, at=opened)
    second = {"metric": "pm2.5", "value": 66.5, "unit": "µg/m³"}
    log.emit("campaign.target_set", stream, second, by=DIRECTOR, at=opened + HOUR)


def close_campaign(log: Log) -> None:
    """Add the end of the campaign, after what failed with it."""
    data = {"outcome": "partly_met", "summary": f"PM10达标，PM2.5未达标{MARK}"}
    stream = f"campaign/{campaign_key(log)}"
    log.emit("campaign.closed", stream, data, by=DIRECTOR, at=at(day("03-30"), 16))


def deploy(log: Log) -> None:
    """Add the directives, and how they reached the units."""
    dice = Dice(log.seed, "directives")
    for row in DIRECTIVES:
        _directive(log, row, dice)


def _directive(log: Log, row: Directive, dice: Dice) -> None:
    stream = f"directive/{row.key}{log.tag}"
    held = day(row.held)
    data: dict[str, Any] = {
        "title": row.title + MARK,
        "dated": held.isoformat(),
        "level": row.level,
        "clauses": [{"number": "1", "text": row.clause + MARK}],
    }
    if row.level == "city":
        data["issuer"] = f"市指挥部{MARK}"
        data["number"] = f"模拟〔2017〕{row.held}"
    else:
        data["meeting_at"] = written(at(held, row.hour))
    what = "received" if row.level == "city" else "issued"
    by = CHIEF if row.unit == "hq" else lead(row.unit)
    made = log.emit(f"directive.{what}", stream, data, by=by, at=at(held, row.hour))
    log.tally.mark(made, "directive", row.key, relayed=0, read=0)
    told = [unit for unit in UNITS if unit != row.unit] if row.unit == "hq" else []
    read = 0
    when = made.occurred
    for relayed, unit in enumerate(told or [row.unit], 1):
        when += dice.between(1, 4) * HOUR
        how = {"unit": unit, "how": dice.pick(("meeting", "document"))}
        event = log.emit("directive.relayed", stream, how, by=by, at=when)
        log.tally.mark(event, "directive", row.key, relayed=relayed)
    for unit in told or [row.unit]:
        when += dice.between(2, 9) * HOUR
        if when > at(held) + 12 * DAY or dice.hits(60):
            continue
        studied = {"unit": unit, "participants": dice.between(12, 65)}
        event = log.emit("directive.read", stream, studied, by=lead(unit), at=when)
        read += 1
        log.tally.mark(event, "directive", row.key, read=read)
