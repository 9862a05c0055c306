"""The ranking of units: groups, ties, last week, cards, and too few cases."""

from __future__ import annotations

import pytest

from projections.reports import ranking
from tests.reports.makers.books import Book, asked, by, counts, found, sound, zh
from tests.rules.diary import PHOTO

MONDAY = "2017-11-27 09:00"


def ranked(book, week="2017-W47", now=MONDAY, **cut):
    """Return the ranking table of a week, by unit."""
    report = ranking.make(book.log_world(now, **cut), asked(week))
    return report, found(report, "ranking")


@pytest.fixture
def five():
    """Five offices with five commitments each; two are late with one, one with two.

    A sixth has one only; a bureau leads nothing.
    """
    book = Book()
    for unit in ("a", "b", "c", "d", "e", "few"):
        book.unit(unit)
    book.unit("bureau", "bureau")
    late = {"c": 1, "d": 1, "e": 2}
    for unit in ("a", "b", "c", "d", "e"):
        for number in range(5):
            due = "2017-11-21" if number < late.get(unit, 0) else "2017-12-29"
            signed = ("signed_for", "2017-11-14 10:00")
            book.commitment(f"{unit}{number}", signed, due=due, unit=unit)
    book.commitment("few0", ("signed_for", "2017-11-14 10:00"), unit="few")
    return book


def test_ties_share_a_place_and_the_next_counts_all_before(five):
    """100, 100, 98, 98, 96 are places 1, 1, 3, 3, 5."""
    report, rows = ranked(five)
    sound(report, five)
    told = {zh(row["unit"])[0]: row for row in rows if zh(row["group"]) == "办事处组"}
    points = {unit: told[unit]["points"] for unit in "abcde"}
    assert points == {"a": 100, "b": 100, "c": 98, "d": 98, "e": 96}
    assert [told[unit]["rank"] for unit in "abcde"] == [1, 1, 3, 3, 5]
    assert zh(told["c"]["note"]) == "并列"


def test_the_last_gets_a_yellow_card_and_too_few_cases_no_place(five):
    """Only the last of a group is warned; one commitment is no sample."""
    _, rows = ranked(five)
    cards = {zh(row["unit"])[:3]: row["card"] and zh(row["card"]) for row in rows}
    assert [card for card in cards.values() if card] == ["黄牌警告"]
    few = next(row for row in rows if zh(row["unit"]).startswith("few"))
    assert (few["rank"], few["cases"], zh(few["note"])) == (None, 1, "样本过小，不排名")
    bureau = next(row for row in rows if zh(row["group"]) == "职能部门组")
    assert (bureau["rank"], bureau["cases"]) == (None, 0)


def test_two_last_places_in_a_month_are_a_red_card(five):
    """The week after, still last, and now red; its change of place is told."""
    _, rows = ranked(five, "2017-W48", "2017-12-04 09:00")
    assert {zh(row["card"]) for row in rows if row["card"]} == {"黄牌警告"}, (
        "week 48 ends in December: the first last place of that month"
    )
    _, rows = ranked(five, "2017-W49", "2017-12-11 09:00")
    last = next(row for row in rows if zh(row["unit"]).startswith("e"))
    assert (zh(last["card"]), last["last_rank"], last["change"]) == ("红牌", 5, 0)


def test_rates_stand_with_their_denominators(five):
    """Two fell due by the original date and none was kept: 0 of 2, not nothing."""
    report, rows = ranked(five)
    last = next(row for row in rows if zh(row["unit"]).startswith("e"))
    assert (last["due"], last["kept"], last["rate"]) == (2, 0, 0.0)
    first = next(row for row in rows if zh(row["unit"]).startswith("a"))
    assert (first["due"], first["rate"]) == (0, None)
    columns = ("due", "kept", "cases", "due_current")
    told = [c for at, c in counts(report, "ranking") if at.split("/")[2] in columns]
    assert told
    for cell in told:
        assert cell.value == len({five.stream(at) for at in cell.events})


def test_the_cases_told_are_those_of_the_score(five):
    """The number of commitments and the score's own denominator are one number."""
    one = ranking.scene(five.log_world(MONDAY), asked("2017-W47"))
    _, rows = ranked(five)
    told = {zh(row["unit"]): row["cases"] for row in rows}
    for row in ranking.standings(one, "2017-W47"):
        assert told[zh(one.unit(row.unit))] == row.score.value.cases


def test_more_records_do_not_give_points(five):
    """Reports of progress, however many, change no place."""
    _, before = ranked(five)
    for number in range(3):
        data = {"text": "进展（模拟数据）", "percent": number, "evidence": [PHOTO]}
        at = f"2017-11-24 1{number}:00"
        five.note("commitment.progress_reported", "commitment/e4", at, data, unit="e")
    _, after = ranked(five)
    assert [(row["unit"], row["points"]) for row in before] == [
        (row["unit"], row["points"]) for row in after
    ]


def test_a_late_record_changes_the_ranking_of_a_later_cut_only(five):
    """Closed in time, told later: at the old position the old rate stands."""
    position = len(five.log)
    five.note("commitment.closed", "commitment/e0", "2017-11-20 10:00", recorded=MONDAY)
    _, old = ranked(five, position=position)
    _, new = ranked(five)
    name = {"en": "e", "zh": "e（模拟数据）"}
    assert by(old, "unit", name)["kept"] == 0
    assert by(new, "unit", name)["kept"] == 1


def test_one_unit_sees_its_own_place_among_all(five):
    """Asked for one unit, the table has its row, with its place among all."""
    world = five.log_world(MONDAY)
    rows = found(ranking.make(world, asked("2017-W47", unit="e")), "ranking")
    assert [(row["rank"], row["points"]) for row in rows] == [(5, 96)]
