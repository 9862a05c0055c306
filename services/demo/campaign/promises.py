"""The commitments of the campaign before they are lived: who, what, from when to when.

Rules of this file: the promises of the founding material by their days, and the many
small ones under them; what becomes of each is ``fates``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.demo.campaign.dice import Dice
from services.demo.campaign.moments import day, later
from services.demo.campaign.places import BUREAUX, OFFICES, Subject, World
from services.demo.campaign.record import MARK, Log

TASK, FULL, RECTIFY = "campaign_task", "supervision", "rectification"
_DUST, _FIRMS, _FUMES, _HEAT, _GRID, _ORDER = (
    "扬尘治理",
    "散乱污整治",
    "餐饮油烟",
    "双替代",
    "网格与普查",
    "机制建设",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One promise. ``total`` is a quantity that is counted up to; days are local."""

    key: str
    title: str
    unit: str
    start: date
    due: date
    theme: str
    kind: str = TASK
    directive: str | None = None
    subject: Subject | None = None
    parent: str | None = None
    weight: int | None = None
    total: int | None = None

    @property
    def term(self) -> int:
        """Calendar days from the first to the last day."""
        return (self.due - self.start).days


@dataclass(frozen=True, slots=True)
class Group:
    """A promise and its parts, none where it is one piece."""

    whole: Spec
    parts: tuple[Spec, ...] = ()


class Numbers:
    """The numbers of one year's commitments, in the order in which they are drawn."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._last = 0

    def next(self) -> str:
        """Return the next number."""
        self._last += 1
        return f"GX-2017-{self._last:04d}{self._tag}"


#: (title, unit, first day, due, theme, directive): the promises in one piece.
_SINGLE: Final = (
    ("沟赵餐饮单位油烟净化设施安装100%", "gouzhao", "11-13", "12-15", _FUMES, None),
    (
        "双桥取缔散乱污企业回头看全覆盖",
        "shuangqiao",
        "11-15",
        "11-30",
        _FIRMS,
        "D-1115-shuangqiao",
    ),
    ("双桥全部工地落实封土", "shuangqiao", "11-15", "11-25", _DUST, "D-1115-seal"),
    ("石佛一企一档全部建立", "shifo", "11-16", "11-30", _FIRMS, "D-1116-shifo"),
    (
        "高新实业自建项目七个百分之百",
        "gaoxin-industry",
        "11-20",
        "11-27",
        _DUST,
        "D-1120-industry",
    ),
    ("枫杨工地施工时间重排", "fengyang", "11-20", "11-24", _DUST, "D-1120-fengyang"),
    ("追责流程文件", "hq", "11-24", "12-08", _ORDER, "D-1124-zone"),
    ("应急管控流程文件", "hq", "11-24", "12-08", _ORDER, "D-1124-zone"),
)


def named(log: Log, world: World, numbers: Numbers) -> Iterator[Group]:
    """Yield the promises that the founding material names."""
    for title, unit, start, due, theme, directive in _SINGLE:
        yield Group(
            Spec(
                key=numbers.next(),
                title=title + MARK,
                unit=unit,
                start=day(start),
                due=day(due),
                theme=theme,
                kind=FULL if theme == _FUMES else TASK,
                directive=None if directive is None else directive + log.tag,
            )
        )
    yield from _in_parts(log, world, numbers)


def _in_parts(log: Log, world: World, numbers: Numbers) -> Iterator[Group]:
    cells = [cell.key for cell in world.cells if cell.unit == "gouzhao"]
    plants = world.of("MP")[:5]
    titles = ("普查", "搬离拆除", "封闭厂棚", "双替代", "综合整治")
    census, yards, sheds, heat, ring = titles
    yield _group(
        numbers,
        (f"沟赵污染源全面{census}", "gouzhao", "11-13", "11-24", _GRID, None),
        [(f"{census}网格{cell}", "gouzhao", None) for cell in cells],
        parts_due="11-22",
    )
    yield _group(
        numbers,
        (f"沟赵废品站{yards}", "gouzhao", "11-13", "12-10", _FIRMS, None),
        [(f"{yards}{row.name}", row.unit, row) for row in world.of("SY")],
        parts_due="12-06",
    )
    shifo = f"D-1116-shifo{log.tag}"
    yield _group(
        numbers,
        (f"石佛搅拌站{sheds}", "shifo", "11-16", "12-20", _DUST, shifo),
        [(f"{sheds}{row.name}", "shifo", row) for row in plants],
        parts_due="12-16",
    )
    zone = f"D-1114-zone{log.tag}"
    yield _group(
        numbers,
        (f"{heat}3200户", "epb", "11-16", "12-15", _HEAT, zone),
        [(f"{heat}640户", unit, None) for unit in OFFICES],
        parts_due="12-12",
        total=640,
    )
    yield _group(
        numbers,
        (f"四环沿线{ring}", "urban", "11-16", "12-05", _DUST, zone),
        [(f"{ring}{row.name}", row.unit, row) for row in world.of("RD")],
        parts_due="12-02",
    )


def _group(
    numbers: Numbers,
    whole: tuple[str, str, str, str, str, str | None],
    parts: list[tuple[str, str, Subject | None]],
    *,
    parts_due: str,
    total: int | None = None,
) -> Group:
    title, unit, start, due, theme, directive = whole
    root = Spec(
        key=numbers.next(),
        title=title + MARK,
        unit=unit,
        start=day(start),
        due=day(due),
        theme=theme,
        directive=directive,
    )
    share, rest = divmod(100, len(parts))
    children = tuple(
        Spec(
            key=numbers.next(),
            title=name.removesuffix(MARK) + MARK,
            unit=owner,
            start=later(day(start), 1),
            due=day(parts_due),
            theme=theme,
            directive=directive,
            subject=subject,
            parent=root.key,
            weight=share + (number < rest),
            total=total,
        )
        for number, (name, owner, subject) in enumerate(parts)
    )
    return Group(root, children)


def firms(log: Log, world: World, numbers: Numbers) -> Iterator[Spec]:
    """Yield one promise for each scattered firm, to be closed, moved or upgraded."""
    dice = Dice(log.seed, "firms")
    for firm in world.of("ENT"):
        start = later(day("11-05"), dice.below(21))
        yield Spec(
            key=numbers.next(),
            title=f"整治{firm.name}",
            unit=firm.unit,
            start=start,
            due=later(start, dice.between(14, 26)),
            theme=_FIRMS,
            subject=firm,
        )


def sites(log: Log, world: World, numbers: Numbers) -> Iterator[Spec]:
    """Yield one promise for each site: the seven at one hundred percent."""
    dice = Dice(log.seed, "sites")
    for number, site in enumerate(world.of("S")):
        start = later(day("11-16"), dice.below(19))
        yield Spec(
            key=numbers.next(),
            title=f"七个百分之百{site.name}",
            unit="construction" if number % 4 == 0 else site.unit,
            start=start,
            due=later(start, dice.between(10, 16)),
            theme=_DUST,
            directive=f"D-1115-seal{log.tag}",
            subject=site,
        )


def rectifications(log: Log, world: World, numbers: Numbers) -> Iterator[Spec]:
    """Yield one promise for each of the issues that are handed over as one."""
    dice = Dice(log.seed, "rectifications")
    pool = world.of("S", "ENT", "R", "IND", "MP")
    for number in range(160):
        subject = dice.pick(pool)
        start = later(day("11-04"), number * 44 // 160)
        yield Spec(
            key=numbers.next(),
            title=f"问题整改{subject.name}",
            unit=subject.unit,
            start=start,
            due=later(start, dice.between(10, 15)),
            theme=_FUMES if subject.kind == "restaurant" else _DUST,
            kind=RECTIFY,
            subject=subject,
        )


def answers(log: Log, numbers: Numbers) -> Iterator[Spec]:
    """Yield what the weekly bulletins ask of units: rectify, and feed back."""
    dice = Dice(log.seed, "answers")
    units = (*OFFICES, *BUREAUX, "gaoxin-industry")
    for number in range(31):
        start = later(day("11-20"), 7 * (number // 6))
        yield Spec(
            key=numbers.next(),
            title=f"通报问题整改反馈第{number + 1}项{MARK}",
            unit=units[number % len(units)],
            start=start,
            due=later(start, dice.between(10, 12)),
            theme=_ORDER,
            kind=RECTIFY,
        )
