"""Units, posts, cells and subjects of the campaign, and the events that found them.

Rules of this file: units are those of the founding material; people are posts with an
opaque reference, and every subject is fictional.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from services.demo.campaign.dice import Dice, digest
from services.demo.campaign.moments import DAY, HOUR, MINUTE, at, day, later, written
from services.demo.campaign.record import GRID, MARK, By, Log

#: Unit → (Chinese, English, category).
UNITS: Final[dict[str, tuple[str, str, str]]] = {
    "hq": ("高新区指挥部办（督查办）", "Campaign headquarters", "headquarters"),
    "epb": ("高新区环保局", "Environment bureau", "bureau"),
    "construction": ("高新区建设局", "Construction bureau", "bureau"),
    "urban": ("高新区城管执法局", "Urban management bureau", "bureau"),
    "shifo": ("石佛办事处", "Shifo office", "office"),
    "wutong": ("梧桐办事处", "Wutong office", "office"),
    "gouzhao": ("沟赵办事处", "Gouzhao office", "office"),
    "shuangqiao": ("双桥办事处", "Shuangqiao office", "office"),
    "fengyang": ("枫杨办事处", "Fengyang office", "office"),
    "gaoxin-industry": ("高新实业", "Gaoxin Industry", "company"),
}
OFFICES: Final = ("shifo", "wutong", "gouzhao", "shuangqiao", "fengyang")
BUREAUX: Final = ("epb", "construction", "urban")
_OFFICE_POSTS: Final = {
    "secretary": "党工委书记",
    "director": "主任",
    "deputy": "分管副主任",
    "eps-head": "环保所长",
    "urban-head": "城管办主任",
    "village-head": "包村部门负责人",
}
_BUREAU_POSTS: Final = {"head": "局长", "verifier-1": "核查员", "verifier-2": "核查员"}
_POSTS: Final[dict[str, dict[str, str]]] = {
    "hq": {
        "clerk": "督查办科员",
        "office-chief": "督查办主任",
        "office-deputy": "督查办副主任",
        "director": "指挥长",
        "lookback-1": "回头看组长",
        "lookback-2": "回头看组员",
        "discipline-1": "纪检承办人",
        "discipline-2": "纪检负责人",
        "discipline-3": "申诉复核人",
    },
    **dict.fromkeys(BUREAUX, _BUREAU_POSTS),
    **dict.fromkeys(OFFICES, _OFFICE_POSTS),
    "gaoxin-industry": {"head": "总经理", "projects-head": "工程部负责人"},
}
CLERK: Final = By("hq", "hq.clerk")
CHIEF: Final = By("hq", "hq.office-chief")
DEPUTY: Final = By("hq", "hq.office-deputy")
DIRECTOR: Final = By("hq", "hq.director")
LOOKBACK: Final = By("hq", "hq.lookback-1")
LOOKBACK_TEAM: Final = ["hq.lookback-1", "hq.lookback-2"]

_CELLS_AN_OFFICE: Final = 8
_SETUP: Final = day("11-01")
#: 双桥's station has another head from this day on: who answers depends on the day.
_HANDOVER_POST: Final = "shuangqiao.eps-head"
_HANDOVER: Final = day("12-11")

#: (kind, prefix of the key, how many, name, industry).
_SUBJECTS: Final = (
    ("site", "S", 45, "示例工地", "建筑施工"),
    ("enterprise", "ENT", 120, "示例加工点", "散乱污"),
    ("restaurant", "R", 90, "示例餐馆", "餐饮"),
    ("scrap_yard", "SY", 18, "示例废品站", "废品回收"),
    ("mixing_plant", "MP", 12, "示例搅拌站", "建材"),
    ("enterprise", "IND", 30, "示例工业企业", "制造"),
    ("road", "RD", 15, "示例四环路段", "道路"),
)
#: All scrap yards are in one office; the others are spread.
_ALL_IN: Final = {"SY": "gouzhao"}


def lead(unit: str) -> By:
    """Return the post that answers for a unit's commitments."""
    if unit in OFFICES:
        return By(unit, f"{unit}.eps-head")
    if unit == "hq":
        return DEPUTY
    return By(unit, f"{unit}.head")


def verifier(unit: str) -> By:
    """Return who verifies what a unit did: never of that unit."""
    bureau = "construction" if unit == "epb" else "epb"
    return By(bureau, f"{bureau}.verifier-1")


def holder(post: str, instant: int) -> str:
    """Return the reference of the person who holds a post at an instant."""
    second = post == _HANDOVER_POST and instant >= at(_HANDOVER)
    return f"p:{digest(post, int(second))[:10]}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A level-3 grid cell and its two workers."""

    key: str
    unit: str
    place: dict[str, float]
    workers: tuple[str, str]

    def worker(self, number: int) -> By:
        """Return one of the workers as an actor."""
        return By(self.unit, person=self.workers[number % 2], lane=GRID)


@dataclass(frozen=True, slots=True)
class Subject:
    """A site, firm, restaurant, yard, plant or road, on file since the setup."""

    key: str
    kind: str
    prefix: str
    name: str
    cell: Cell
    place: dict[str, float]

    @property
    def unit(self) -> str:
        """The office it lies in."""
        return self.cell.unit


@dataclass(frozen=True, slots=True)
class World:
    """Everything that the rest of the campaign happens to."""

    cells: tuple[Cell, ...]
    subjects: tuple[Subject, ...]

    def of(self, *prefixes: str) -> list[Subject]:
        """Return the subjects of some kinds, by the prefix of their key."""
        return [row for row in self.subjects if row.prefix in prefixes]


def found_units(log: Log) -> None:
    """Add the units and posts: once for all copies of the campaign."""
    moment = at(day("10-25"), 9)
    for number, (unit, (chinese, english, category)) in enumerate(UNITS.items()):
        data = {"name": chinese + MARK, "name_en": english, "category": category}
        log.emit("unit.created", f"unit/{unit}", data, by=CHIEF, at=moment)
        for place, (post, title) in enumerate(_POSTS[unit].items()):
            when = moment + (number * 10 + place + 1) * MINUTE
            _appoint(log, f"{unit}.{post}", title, unit, since="2017-01-01", when=when)
    _hand_over(log)


def _appoint(
    log: Log, post: str, title: str, unit: str, *, since: str, when: int
) -> None:
    start = f"{since}T00:00:00+08:00"
    data = {
        "unit": unit,
        "title": title + MARK,
        "person_ref": holder(post, when),
        "valid_from": start,
    }
    after = (log.last(f"unit/{unit}"),)
    log.emit("post.appointed", f"post/{post}", data, by=CHIEF, at=when, after=after)


def _hand_over(log: Log) -> None:
    instant = at(_HANDOVER)
    data = {
        "person_ref": holder(_HANDOVER_POST, instant - 1),
        "valid_to": written(instant),
        "reason": f"岗位调整{MARK}",
    }
    stream = f"post/{_HANDOVER_POST}"
    log.emit("post.ended", stream, data, by=CHIEF, at=instant + 9 * HOUR)
    _appoint(
        log,
        _HANDOVER_POST,
        "环保所长",
        "shuangqiao",
        since=_HANDOVER.isoformat(),
        when=instant + 10 * HOUR,
    )


def found_world(log: Log) -> World:
    """Add the grid and the files of the subjects; return them."""
    cells = tuple(_cells(log))
    return World(cells, tuple(_subjects(log, cells)))


def _cells(log: Log) -> Iterator[Cell]:
    root = f"zone{log.tag}"
    moment = at(day("10-26"), 9)
    _draw(log, root, name="高新区", level=1, unit="hq", parent=None, when=moment)
    for number, unit in enumerate(OFFICES):
        office = f"{unit}-2{log.tag}"
        when = moment + (number + 1) * HOUR
        name = UNITS[unit][0]
        _draw(log, office, name=name, level=2, unit=unit, parent=root, when=when)
        for place in range(1, _CELLS_AN_OFFICE + 1):
            key = f"{unit}-3-{place:02d}{log.tag}"
            later_on = when + place * MINUTE
            name = f"{UNITS[unit][0]}第{place}网格"
            _draw(log, key, name=name, level=3, unit=unit, parent=office, when=later_on)
            yield _staffed(log, key, unit, (number, place), later_on)


def _draw(  # noqa: PLR0913 - one a member
    log: Log,
    key: str,
    *,
    name: str,
    level: int,
    unit: str,
    parent: str | None,
    when: int,
) -> None:
    data: dict[str, Any] = {"name": name + MARK, "level": level, "unit": unit}
    after = []
    if parent is not None:
        data["parent"] = parent
        after.append(log.last(f"grid/{parent}"))
    log.emit("grid.drawn", f"grid/{key}", data, by=CHIEF, at=when, after=after)


def _staffed(log: Log, key: str, unit: str, place: tuple[int, int], when: int) -> Cell:
    first, second = (f"p:{digest(key, number)[:10]}" for number in "ab")
    for person in (first, second):
        data = {"person_ref": person, "valid_from": "2017-11-01T00:00:00+08:00"}
        log.emit("grid.assigned", f"grid/{key}", data, by=lead(unit), at=when)
    north, east = place
    point = {"lat": round(34.78 + north / 50, 5), "lon": round(113.48 + east / 90, 5)}
    return Cell(key, unit, point, (first, second))


def _subjects(log: Log, cells: tuple[Cell, ...]) -> Iterator[Subject]:
    dice = Dice(log.seed, "subjects")
    for kind, prefix, count, name, industry in _SUBJECTS:
        possible = [
            cell for cell in cells if cell.unit == _ALL_IN.get(prefix, cell.unit)
        ]
        for number in range(count):
            cell = possible[(number * 7 + len(prefix)) % len(possible)]
            point = {
                name: round(value + dice.below(900) / 100_000, 5)
                for name, value in cell.place.items()
            }
            subject = Subject(
                key=f"{prefix}-{number + 1:03d}{log.tag}",
                kind=kind,
                prefix=prefix,
                name=f"{name}{number + 1:03d}{MARK}",
                cell=cell,
                place=point,
            )
            _file(log, subject, industry, number)
            yield subject


def _file(log: Log, subject: Subject, industry: str, number: int) -> None:
    data = {
        "kind": subject.kind,
        "name": subject.name,
        "industry": industry,
        "grid": subject.cell.key,
        "longitude": subject.place["lon"],
        "latitude": subject.place["lat"],
    }
    when = at(later(_SETUP, -4), 9) + number * 11 * MINUTE % (3 * DAY)
    file = log.emit(
        "subject.registered",
        f"subject/{subject.key}",
        data,
        by=lead(subject.unit),
        at=when,
        after=(log.last(f"grid/{subject.cell.key}"),),
    )
    log.tally.mark(file, "subject", subject.key, kind=subject.kind, status="operating")
