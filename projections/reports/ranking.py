"""Report 6, 单位排名: units by their weekly score, in three groups, with rates beside.

Rules of this file: the layout of the ranking. Points, places and rates are rules; a
unit with too few cases is shown and not ranked, and no points are for mere records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from events.domain.periods import Span, span
from projections.reports.corrections import (
    Figure,
    Known,
    corrections,
    previous_cut,
)
from projections.reports.flows import rates_of
from projections.reports.model import (
    Cell,
    Chart,
    Definition,
    Paragraph,
    Question,
    Report,
    Section,
    Series,
    Table,
    Text,
)
from projections.reports.naming import issuer
from projections.reports.pieces import (
    Scene,
    both,
    column,
    counted,
    cut_line,
    names,
    scene,
    share,
    table,
)
from projections.reports.unit_standings import (
    GROUPS,
    Standing,
    preceding,
    standings,
)
from projections.rules.courses import Course, before
from projections.rules.derived import Derived, Rate, positions
from projections.rules.ranking import Place
from projections.rules.rates import on_time_by_current, on_time_by_original
from projections.world import World

NAME = "unit_ranking"
VERSION = 2
_COLUMNS = (
    column("group", "Group", "组别"),
    column("rank", "Rank", "名次", "int"),
    column("unit", "Unit", "单位"),
    column("points", "Points", "得分", "number"),
    column("cases", "Commitments", "在办事项数", "int"),
    column("last_rank", "Rank last week", "上周名次", "int"),
    column("change", "Places gained", "名次升降", "int"),
    column("last_points", "Points last week", "上周得分", "number"),
    column("due", "Due by the original date", "原定时限到期数", "int"),
    column("kept", "Kept", "其中按期办结", "int"),
    column("rate", "Kept in time (original)", "按期办结率（原定时限）", "percent"),
    column("due_current", "Due by the current date", "现行时限到期数", "int"),
    column(
        "rate_current", "Kept in time (current)", "按期办结率（现行时限）", "percent"
    ),
    column("card", "Card", "红黄牌"),
    column("note", "Note", "备注"),
)
_CARDS: Mapping[str, Text] = MappingProxyType(
    {"red": both("Red card", "红牌"), "yellow": both("Yellow card", "黄牌警告")}
)


def make(world: World, question: Question) -> Report:
    """Return the ranking of an ISO week (``2017-W47``); of one unit where asked."""
    one = scene(world, question)
    rows = [
        row
        for row in standings(one, question.period)
        if question.unit in {None, row.unit}
    ]
    week = question.period
    title = both(f"Ranking of units, week {week}", f"单位排名（{week}周）")
    parts = (
        Section(both("Ranking", "排名"), (ranking_table(one, rows), _chart(one, rows))),
        Section(
            both("First and last", "表扬与警告"),
            (Paragraph(sentence(one, rows)), items_table(one, rows)),
        ),
    )
    return Report(
        name=NAME,
        period=week,
        title=title,
        issuer=issuer(world),
        cut=cut_line(one, NAME, VERSION),
        sections=parts,
        corrections=corrections(
            one, previous_cut(one, NAME, preceding(week)), (), make=_figures
        ),
    )


def ranking_table(one: Scene, rows: Sequence[Standing]) -> Table:
    """Return the ranking as a table."""
    period = span(one.question.period)
    return table(
        "ranking",
        both("Ranking of units", "单位排名"),
        _COLUMNS,
        (_row(one, row, period) for row in rows),
        note=both(
            "Ties share a place (1, 2, 3, 3, 5). Too few commitments are not ranked.",
            "并列者同名次（1、2、3、3、5）；样本过小的不排名。得分不计报送数量。",
        ),
    )


def items_table(one: Scene, rows: Sequence[Standing]) -> Table:
    """Return what gave or took points, by unit."""
    columns = (
        column("unit", "Unit", "单位"),
        column("item", "For", "事由"),
        column("count", "Times", "次数", "int"),
        column("points", "Points", "加减分", "int"),
    )
    made = [
        (
            Cell(one.unit(row.unit), item.events),
            Cell(ITEMS[item.name], item.events),
            Cell(item.count, item.events),
            Cell(item.points, item.events, row.score.rule),
        )
        for row in rows
        for item in row.score.value.items
    ]
    return table("items", both("Points", "加减分明细"), columns, made)


def sentence(one: Scene, rows: Sequence[Standing]) -> Text:
    """Return who is praised as first and who is warned as last, by group."""
    said = []
    for group, title in GROUPS.items():
        own = [row for row in rows if row.group == group]
        first = names(one, [row.unit for row in own if row.place.value.rank == 1])
        last = names(one, [row.unit for row in own if row.card])
        if first is not None:
            zh = f"{title['zh']}第一名：{first['zh']}，予以表扬。"
            said.append(both(f"{title['en']}, first: {first['en']}.", zh))
        if last is not None:
            zh = f"{title['zh']}末位：{last['zh']}，予以警告。"
            said.append(both(f"{title['en']}, warned: {last['en']}.", zh))
    if not said:
        return both("No unit has enough commitments.", "各单位样本过小，不排名。")
    return both(
        " ".join(text["en"] for text in said), "".join(text["zh"] for text in said)
    )


ITEMS: Mapping[str, Text] = MappingProxyType(
    {
        "overdue_week": both("Overdue in the week", "本周逾期"),
        "late_sign": both("Signed for late", "超期签收"),
        "failed_verification": both("Verification failed", "核查不通过"),
        "relapse": both("Relapse at a look-back", "回头看反弹"),
        "alert_breach": both("Breach of an alert measure", "违反预警管控措施"),
        "late_record": both("Recorded late", "补录"),
        "early_close": both("Verified and closed early", "提前核查销号"),
    }
)


def _row(one: Scene, row: Standing, period: Span) -> tuple[Cell, ...]:
    place, last, score = row.place, row.before, row.score
    own = _led(one, row.unit)
    original, current = _rates(own, period, one)
    earlier = () if last is None else last.events
    return (
        Cell(GROUPS[row.group]),
        Cell(place.value.rank, place.events, place.rule),
        Cell(one.unit(row.unit)),
        Cell(score.value.points, score.events, score.rule),
        _cases(own, period, one),
        Cell(None if last is None else last.value.rank, earlier, place.rule),
        Cell(_gained(place, last), positions(place.events, earlier), place.rule),
        Cell(None if last is None else float(last.value.value), earlier, score.rule),
        counted(original.value.base, original.rule),
        counted(original.value.hits, original.rule),
        share(original.value, original.rule),
        counted(current.value.base, current.rule),
        share(current.value, current.rule),
        Cell(_CARDS[row.card] if row.card else None, row.card_events, row.card_rule),
        Cell(_note(place), place.events, place.rule),
    )


def _cases(own: Sequence[Course], period: Span, one: Scene) -> Cell:
    """Count what a score is of: handed out, and not ended before the week."""
    found = []
    for _, row in before(own, min(one.now, period.end)):
        ended = row.ended_at is not None and row.ended_at < period.start
        if row.state.status != "draft" and not ended:
            found.append(row.registered_position)
    return counted(found, one.rules.cite("score"))


def _led(one: Scene, unit: str) -> list[Course]:
    """Return what a unit leads at the cut's instant."""
    keys = {case.key for case in one.cases if case.state.lead_unit == unit}
    return [course for course in one.courses if course.key in keys]


def _rates(
    own: Sequence[Course], period: Span, one: Scene
) -> tuple[Derived[Rate], Derived[Rate]]:
    return (
        on_time_by_original(own, period, one.now, rules=one.rules),
        on_time_by_current(own, period, one.now, rules=one.rules),
    )


def _gained(place: Derived[Place], last: Derived[Place] | None) -> int | None:
    if last is None or last.value.rank is None or place.value.rank is None:
        return None
    return last.value.rank - place.value.rank


def _note(place: Derived[Place]) -> Text | None:
    if place.value.rank is None:
        return both("Too few to rank", "样本过小，不排名")
    return both("Tied", "并列") if place.value.tied else None


def _chart(one: Scene, rows: Sequence[Standing]) -> Chart:
    points = tuple(
        (
            one.unit(row.unit),
            Cell(row.score.value.points, row.score.events, row.score.rule),
        )
        for row in rows
        if row.place.value.rank is not None
    )
    series = Series(both("Points", "得分"), points)
    return Chart("points", both("Points by unit", "各单位得分"), "bar", (series,))


def _figures(known: Known, period: Span) -> Sequence[Figure]:
    """Return the figures whose corrections the next ranking tells: the zone's rates."""
    return tuple(rates_of(known, period))


DEFINITION = Definition(
    name=NAME,
    title=both("Ranking of units", "单位排名"),
    template=VERSION,
    make=make,
    period="week",
)
DEFINITIONS = (DEFINITION,)
