"""Reports for tests: one of every block (模拟数据), with texts that try to break out.

Data only: no store, no assertion.
"""

from __future__ import annotations

from types import MappingProxyType

from projections.reports.model import (
    Cell,
    Chart,
    Column,
    CutLine,
    Figures,
    Paragraph,
    Report,
    Section,
    Series,
    Table,
    Text,
)

INSTANT = 1_511_517_600_000_000
"""2017-11-24T10:00:00Z: 18:00 in Shanghai."""
DAY = 86_400_000_000
HOSTILE = "=1+1<script>alert(1)</script>\x1b[31m\u202egpj"

CUT = CutLine(
    position=12345,
    root="q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=",
    instant=INSTANT,
    ruleset="demo-2017/1",
    calendar="cn/2026.1",
    template="sample@1",
    simulated=True,
)
UNITS = ("石佛办事处", "梧桐办事处", "沟赵办事处", "双桥办事处", "枫杨办事处")


def _both(en: str, zh: str) -> Text:
    return MappingProxyType({"en": en, "zh": zh})


def ledger(rows: int = 5, key: str = "ledger") -> Table:
    """Return a table that has a column of every kind."""
    columns = (
        Column("key", _both("Number", "编号")),
        Column("title", _both("Title", "事项名称")),
        Column("due", _both("Due", "时限"), "date"),
        Column("signed", _both("Signed", "签收时间"), "instant"),
        Column("done", _both("Done", "完成比例"), "percent"),
        Column("late", _both("Days late", "逾期天数"), "int"),
        Column("light", _both("Light", "亮灯"), "light"),
    )
    return Table(
        key,
        _both("Ledger", "督办台账"),
        columns,
        tuple(_row(number) for number in range(rows)),
        note=_both("Days late are working days.", "逾期天数按工作日计算。"),
    )


def _row(number: int) -> tuple[Cell, ...]:
    colours = ("green", "yellow", "red", "grey")
    titles = ("餐饮单位全部安装油烟净化设施并建立清洗台账", HOSTILE, "散煤治理双替代")
    positions = (number * 3 + 1, number * 3 + 2)
    return (
        Cell(f"GX-2017-{number:04}", positions),
        Cell(titles[number % 3], positions),
        Cell(INSTANT + number * DAY, positions[:1]),
        Cell(INSTANT - number * DAY if number else None, positions[:1]),
        Cell(number / 8, positions),
        Cell(number - 2, positions, "overdue@demo-2017/1"),
        Cell(colours[number % 4], positions, "light.past_due@demo-2017/1"),
    )


def charts() -> tuple[Chart, ...]:
    """Return a chart of every kind."""
    days = [f"11-{day:02}" for day in range(2, 31)]
    left = tuple((day, Cell(420 - 11 * n, (n + 1,))) for n, day in enumerate(days))
    plan = tuple((day, Cell(420 - 14 * n)) for n, day in enumerate(days))
    rate = tuple((unit, Cell(0.95 - n * 0.13, (n,))) for n, unit in enumerate(UNITS))
    return (
        Chart(
            "burn_down",
            _both("Open commitments", "未销号事项"),
            "line",
            (
                Series(_both("Open", "实际"), left),
                Series(_both("Plan", "计划"), plan),
            ),
        ),
        Chart(
            "ranking",
            _both("Kept", "兑现率"),
            "bar",
            (Series(_both("Rate", "比率"), rate),),
        ),
        Chart(
            "cells",
            _both("Coverage", "巡查覆盖"),
            "coverage",
            (Series(_both("Share", "比例"), rate),),
        ),
    )


def sample(
    *, layout: str = "document", rows: int = 5, simulated: bool = True
) -> Report:
    """Return a report with one of everything."""
    figures = Figures(
        "totals",
        _both("This week", "本周"),
        (
            ("issued", _both("Issued", "交办（件）"), Cell(42, (1, 2, 3))),
            ("rate", _both("In time", "按期率"), Cell(0.875, (4,), kind="percent")),
            ("none", _both("Reopened", "反弹"), Cell(None)),
        ),
    )
    text = _both(
        "All units reported in time; the causes were analysed.",
        "本周各单位认真落实“说到一定做到，做到一定记录”的要求，聚焦突出问题，细化工作措施，"
        "严格工作责任，强化督导检查，狠抓责任落实，确保实现空气质量改善目标。\n"
        "各单位要对照清单逐项整改，按时反馈。",
    )
    sections = (
        Section(_both("Overall", "总体情况"), (figures, Paragraph(text), *charts())),
        Section(_both("Problems", "存在问题"), (ledger(rows),)),
        Section(_both("Demands", "整改要求"), (Paragraph(text), ledger(0, "demands"))),
        Section(_both("Annex 1 Ranking", "附件1 单位排名"), (ledger(2, "ranks"),)),
    )
    late = Table(
        "late_records",
        _both("Late records", "补录"),
        (
            Column("what", _both("What", "事项")),
            Column("at", _both("At", "时间"), "instant"),
        ),
        ((Cell(_both("A check", "现场检查"), (77,)), Cell(INSTANT, (77,))),),
    )
    return Report(
        name="sample",
        period="2017-W47",
        title=_both(
            "On supervision in week 47",
            "关于第47周环境污染防治攻坚战督查及追责情况的通报",
        ),
        issuer=_both("Headquarters (fictional)", "高新区环境污染防治攻坚战指挥部"),
        cut=CUT if simulated else CutLine(**{**_fields(), "simulated": False}),
        sections=sections,
        number="攻坚指〔2017〕47号",
        addressees=_both("All members", "各成员单位"),
        corrections=(late,),
        layout=layout,
    )


def _fields() -> dict[str, object]:
    return {name: getattr(CUT, name) for name in CutLine.__dataclass_fields__}
