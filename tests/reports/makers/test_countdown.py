"""The countdown: days, targets, promises by theme, burn-down and risks."""

from __future__ import annotations

import pytest

from projections.reports import countdown
from projections.reports.addresses import cells, find
from tests.reports.makers.books import Book, asked, by, counts, found, sound, tables, zh

NOW = "2017-11-24 18:00"
TITLE = "决胜60天（模拟数据）"


@pytest.fixture
def drive():
    """A campaign of sixty days with four promises, and three days of air."""
    book = Book()
    book.unit("gouzhao")
    opened = {
        "title": TITLE,
        "start": "2017-11-02",
        "end": "2017-12-31",
        "themes": ["dust"],
        "targets": [{"metric": "pm10", "value": 100, "unit": "µg/m³"}],
    }
    book.note("campaign.opened", "campaign/C60", "2017-11-01 09:00", opened)
    within = {"campaign": "C60", "theme": "dust"}
    book.commitment("A", ("signed_for", "2017-11-14 10:00"), due="2017-11-21", **within)
    book.commitment("B", ("signed_for", "2017-11-14 10:00"), due="2017-11-20", **within)
    closed = ("closed", "2017-11-16 10:00")
    book.commitment(
        "D", ("signed_for", "2017-11-14 10:00"), closed, due="2017-11-22", **within
    )
    book.commitment(
        "E", ("signed_for", "2017-11-14 10:00"), due="2017-12-29", campaign="C60"
    )
    book.commitment("other", ("signed_for", "2017-11-14 10:00"), due="2017-11-15")
    for number, value in enumerate((120, 130, 140), start=2):
        period = f"2017-11-0{number}"
        data = {
            "series": "pm10",
            "place": "zone",
            "period": period,
            "value": value,
            "unit": "µg/m³",
        }
        book.note(
            "metric.recorded", f"metric/pm10/zone/{period}", f"{period} 23:59", data
        )
    return book


def counted_down(book, now=NOW, question=None, **cut):
    """Return the countdown at a cut."""
    return countdown.make(book.log_world(now, **cut), question or asked("2017-11-24"))


def values(report, block):
    """Return {item: value} of figures."""
    told = (e for e in cells(report) if e.address.startswith(f"{block}/"))
    return {entry.address.split("/")[1]: entry.cell.value for entry in told}


@pytest.mark.parametrize(
    ("now", "day", "left"),
    [
        ("2017-11-01 12:00", 0, 60),
        ("2017-11-02 00:00", 1, 59),
        (NOW, 23, 37),
        ("2017-12-31 23:59", 60, 0),
        ("2018-01-05 12:00", 60, 0),
    ],
)
def test_days_are_counted_in_local_time(drive, now, day, left):
    """The first day is day 1, the last is day 60 and stays so."""
    told = values(counted_down(drive, now), "days")
    assert (told["day"], told["length"], told["left"]) == (day, 60, left)


def test_what_the_target_still_allows(drive):
    """Three days of 130 against 100: 57 days must be (6000 - 390) / 57 on average."""
    (row,) = found(counted_down(drive), "targets")
    assert (row["target"], row["actual"], row["days"], row["gap"]) == (
        100.0,
        130.0,
        3,
        30.0,
    )
    assert row["needed"] == round(5610 / 57, 2)


def test_promises_of_the_campaign_only(drive):
    """Four were handed out, one is closed; of three that fell due one was kept."""
    told = values(counted_down(drive), "promises")
    assert (told["handed_out"], told["closed"], told["open"]) == (4, 1, 3)
    assert (told["due"], told["kept"]) == (3, 1 / 3)


def test_themes_stand_each_with_its_whole(drive):
    """One of three of dust is closed; what has no theme is not left out."""
    rows = found(counted_down(drive), "themes")
    dust = by(rows, "theme", "dust")
    assert (dust["total"], dust["closed"], dust["rate"], dust["red"]) == (
        3,
        1,
        1 / 3,
        2,
    )
    assert sum(row["total"] for row in rows) == 4


def test_the_burn_down_counts_each_day_at_its_end(drive):
    """Handed out on the 14th, one closed on the 16th; the pace ends at none."""
    report = counted_down(drive)
    (chart,) = [
        block
        for part in report.sections
        for block in part.blocks
        if hasattr(block, "series")
    ]
    actual, pace = chart.series
    told = {label: cell.value for label, cell in actual.points}
    assert (told["11-13"], told["11-14"], told["11-15"], told["11-16"]) == (0, 4, 4, 3)
    assert len(actual.points) == 23
    assert (pace.points[0][1].value, pace.points[-1][1].value) == (4.0, 0.0)


def test_risks_are_the_longest_overdue_first(drive):
    """B is four working days late, A three; E is green and no risk."""
    rows = found(counted_down(drive), "risks")
    assert [(row["key"], row["light"], row["late"]) for row in rows[:2]] == [
        ("B", "red", 4),
        ("A", "red", 3),
    ]
    assert len(rows) <= countdown_limit()


def test_every_count_is_the_number_of_its_events(drive):
    """G11: also of each point of the burn-down."""
    report = counted_down(drive)
    sound(report, drive)
    blocks = ("promises", "themes", "burn_down")
    told = [(at, cell) for at, cell in counts(report, *blocks) if cell.events]
    assert len(told) > 10
    for address, cell in told:
        assert cell.value == len({drive.stream(at) for at in cell.events}), address


def test_what_is_recorded_later_changes_a_later_cut_and_is_told(drive):
    """A close told late: the old cut stays, the next one lists the correction."""
    position = len(drive.log)
    at = ("commitment.closed", "commitment/B", "2017-11-15 10:00")
    drive.note(*at, recorded="2017-11-27 09:00")
    assert values(counted_down(drive, position=position), "promises")["closed"] == 1
    question = asked("2017-11-28", previous_position=position)
    report = counted_down(drive, "2017-11-28 09:00", question)
    rows = found(report, "corrections")
    assert {zh(row["figure"]): row["change"] for row in rows} == {
        "已销号": 1,
        "未结": -1,
    }


def test_without_a_campaign_it_says_so():
    """An empty log has no countdown, and says why."""
    book = Book()
    book.unit("gouzhao")
    report = counted_down(book)
    (table,) = [table for table in tables(report) if table.key == "campaign"]
    assert table.note["zh"] == "尚无攻坚行动。"


def test_the_campaign_asked_for_goes_before_the_open_one(drive):
    """Two campaigns run; a question may name the earlier one."""
    later = {
        "title": "另一行动（模拟数据）",
        "start": "2017-11-20",
        "end": "2017-11-29",
    }
    drive.note("campaign.opened", "campaign/C10", "2017-11-19", later)
    assert find(counted_down(drive), "days/length/value").value == 10
    named = asked("2017-11-24", subject="C60")
    assert find(counted_down(drive, question=named), "days/length/value").value == 60


def countdown_limit():
    """Return how many risks a countdown shows."""
    from projections.reports.countdown_tables import RISKS

    return RISKS
