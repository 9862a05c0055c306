"""The daily brief: air, visits, findings, risks, analysis, and what is missing."""

from __future__ import annotations

import pytest

from projections.reports import daily
from projections.reports.addresses import cells
from tests.reports.makers.books import Book, asked, by, counts, found, sound, tables, zh
from tests.rules.diary import PHOTO, end, rfc, us

DAY, NEXT = "2017-11-24", "2017-11-25 08:00"


def brief(book, day=DAY, now=NEXT, unit=None, **cut):
    """Return the brief on a day."""
    return daily.make(book.log_world(now, **cut), asked(day, unit=unit))


def figure(report, name):
    """Return one figure: ``found/new``."""
    (cell,) = [e.cell for e in cells(report) if e.address == f"{name}/value"]
    return cell.value


def problem(book, key, at, unit="gouzhao", **more):
    """Note a finding of a patrol in cell K1."""
    data = {
        "title": "裸土未覆盖（模拟数据）",
        "category": "dust",
        "severity": "minor",
        "found_by": "patrol",
        "place": {"address": "示例路1号"},
        "cell": "K1",
        "unit": unit,
        **{name: value for name, value in more.items() if name != "recorded"},
    }
    return book.note(
        "issue.found", f"issue/{key}", at, data, recorded=more.get("recorded")
    )


@pytest.fixture
def day():
    """A day of two offices: a patrol, a visit to a site, three problems, two duties."""
    book = Book()
    for unit in ("gouzhao", "shifo"):
        book.unit(unit)
        drawn = {"name": "示例网格", "level": 3, "unit": unit}
        book.note(
            "grid.drawn",
            f"grid/{'K1' if unit == 'gouzhao' else 'K2'}",
            "2017-01-02",
            drawn,
        )
    site = {"kind": "site", "name": "示例工地（模拟数据）", "grid": "K2"}
    book.note("subject.registered", "subject/S-1", "2017-01-03", site)
    start = {"kind": "patrol", "unit": "gouzhao", "cell": "K1"}
    book.note("inspection.started", "inspection/P-1", "2017-11-24 08:00", start)
    for number in (1, 2):
        point = {"cell": "K1", "point": f"P{number}", "result": "in_order"}
        book.note(
            "inspection.point_checked",
            "inspection/P-1",
            f"2017-11-24 08:1{number}",
            point,
        )
    visit = {"kind": "inspection", "unit": "shifo", "targets": ["subject/S-1"]}
    for number in (1, 2):
        book.note(
            "inspection.started", f"inspection/V-{number}", "2017-11-24 10:00", visit
        )
    problem(book, "I-1", "2017-11-24 09:00")
    fixed = {"text": "已覆盖（模拟数据）", "evidence": [PHOTO]}
    book.note("issue.fixed_on_spot", "issue/I-1", "2017-11-24 09:10", fixed)
    problem(book, "I-2", "2017-11-24 09:30", unit="shifo", repeat_of="I-0")
    handed = {"to_unit": "shifo", "requirement": "覆盖", "due": "2017-11-27"}
    book.note("issue.handed_over", "issue/I-2", "2017-11-24 11:00", handed)
    problem(book, "I-3", "2017-11-23 09:00")
    for unit in ("gouzhao", "shifo"):
        stream = f"obligation/daily_brief/{unit}/{DAY}"
        owed = {
            "kind": "daily_brief",
            "unit": unit,
            "period": DAY,
            "due": rfc("2017-11-24 18:00"),
        }
        book.note("obligation.scheduled", stream, DAY, owed)
    met = {"met_at": rfc("2017-11-24 17:00"), "note": "原因：土方未覆盖（模拟数据）"}
    book.note(
        "obligation.met",
        f"obligation/daily_brief/gouzhao/{DAY}",
        "2017-11-24 17:00",
        met,
    )
    book.commitment("A", due="2017-11-23")
    book.commitment(
        "B", ("signed_for", "2017-11-14 10:00"), due="2017-11-28", unit="shifo"
    )
    return book


def test_the_figures_are_those_counted_by_hand(day):
    """Two problems of the day, one again; one fixed, one handed over; yesterday's not."""
    report = brief(day)
    names = ("found", "new", "repeated", "fixed", "handed_over")
    assert [figure(report, f"found/{name}") for name in names] == [2, 1, 1, 1, 1]
    names = ("visits", "patrols", "cells")
    assert [figure(report, f"inspected/{name}") for name in names] == [2, 1, 1]
    names = ("red", "yellow", "due_soon", "unsigned")
    assert [figure(report, f"at_risk/{name}") for name in names] == [1, 1, 1, 1]


def test_new_and_repeated_problems_are_told_apart(day):
    """One more that is new makes two new and leaves one that has come back."""
    problem(day, "I-5", "2017-11-24 15:00")
    names = ("found", "new", "repeated")
    assert [figure(brief(day), f"found/{name}") for name in names] == [3, 2, 1]


def test_a_subject_visited_twice_counts_once(day):
    """Two visits looked at one site."""
    (row,) = found(brief(day), "subjects")
    assert (zh(row["kind"]), row["count"]) == ("建筑工地", 1)


def test_cells_walked_stand_beside_those_required(day):
    """Of two cells that are to be walked every other day, one was."""
    (row,) = found(brief(day), "cells")
    assert (row["level"], row["required"], row["met"]) == (3, 2, 1)


def test_the_list_of_problems_tells_what_became_of_each(day):
    """Time, place, who, what was done, until when, and the status."""
    first, second = found(brief(day), "issues")
    assert (first["time"], first["place"]) == (us("2017-11-24 09:00"), "示例路1号")
    assert (zh(first["handling"]), zh(first["status"])) == ("立即解决", "已解决")
    assert zh(second["handling"]) == "交办shifo（模拟数据）"
    assert second["due"] == end("2017-11-27") - 1
    assert zh(second["origin"]) == "网格巡查"


def test_risks_are_red_first_with_their_rule(day):
    """A is past its due and red, B is due in two working days and yellow."""
    rows = found(brief(day), "risks")
    assert [(row["light"], row["key"]) for row in rows] == [
        ("red", "A"),
        ("yellow", "B"),
    ]
    assert (rows[0]["late"], rows[1]["left"]) == (1, 2)


def test_units_without_their_daily_entry_are_named_and_the_others_heard(day):
    """Shifo did not report; what gouzhao wrote stands as the analysis."""
    report = brief(day)
    (row,) = found(report, "missing")
    assert (zh(row["unit"]), zh(row["status"])) == ("shifo（模拟数据）", "未报")
    (said,) = found(report, "analysis")
    assert said["text"] == "原因：土方未覆盖（模拟数据）"


def test_the_brief_of_an_office_has_its_own_part_only(day):
    """Of shifo: its visits, its problem, its commitment."""
    report = brief(day, unit="shifo")
    assert figure(report, "inspected/patrols") == 0
    assert figure(report, "inspected/visits") == 2
    assert [row["key"] for row in found(report, "risks")] == ["B"]
    assert report.title["zh"] == "日研判简报（shifo（模拟数据），2017年11月24日）"


def test_every_count_is_the_number_of_its_events(day):
    """G11, also for the streams of the events that are listed."""
    report = brief(day)
    sound(report, day)
    tables_ = ("inspected", "found", "at_risk", "subjects", "cells", "categories")
    checked = [
        (at, c) for at, c in counts(report, *tables_) if not at.endswith("level")
    ]
    assert len(checked) > 15
    for address, cell in checked:
        assert cell.value == len(cell.events), address
        if address != "inspected/cells/value":
            assert cell.value == len({day.stream(at) for at in cell.events}), address


def test_a_brief_of_noon_does_not_know_the_afternoon(day):
    """At 10:30 nothing is handed over yet, and nobody owes the brief of 18:00."""
    report = brief(day, now="2017-11-24 10:30", as_at="2017-11-24 10:30")
    assert figure(report, "found/handed_over") == 0
    assert found(report, "missing") == []
    assert [table.note["zh"] for table in tables(report) if table.key == "missing"] == [
        "无缺报。"
    ]


def test_a_late_finding_is_a_correction_of_the_brief_before(day):
    """Found on the 24th, told on the 29th: the next brief says what it changes."""
    position = len(day.log)
    late = problem(day, "I-9", "2017-11-24 16:00", recorded="2017-11-29 08:00")
    question = asked("2017-11-25", previous_position=position)
    report = daily.make(day.log_world("2017-11-30 08:00"), question)
    row = by(
        found(report, "corrections"),
        "figure",
        {"en": "Problems found", "zh": "发现问题（个）"},
    )
    assert (row["published"], row["corrected"]) == (2, 3)
    (record,) = next(t for t in tables(report) if t.key == "late_records").rows
    assert record[0].events == (late,)
    assert found(brief(day, position=position), "issues") != found(brief(day), "issues")
    (told,) = found(brief(day, day="2017-11-29", now="2017-11-30 08:00"), "late")
    assert (zh(told["stream"]), told["days"]) == ("问题 I-9", 4)


def test_air_is_the_day_the_means_and_the_forecast():
    """Means are of valid days: 100 and 200 are 150; the invalid 999 is left out."""
    book = Book()
    readings = (
        ("2017-11-22", 999),
        ("2017-11-23", 100),
        ("2017-11-24", 200),
        ("2017-10-01", 300),
    )
    for period, value in readings:
        stream = f"metric/pm10/zone/{period}"
        data = {
            "series": "pm10",
            "place": "zone",
            "period": period,
            "value": value,
            "unit": "µg/m³",
        }
        book.note("metric.recorded", stream, "2017-11-25 00:10", data)
    wrong = {"qc": "invalid", "reason": "校准（模拟数据）"}
    book.note(
        "metric.corrected", "metric/pm10/zone/2017-11-22", "2017-11-25 00:20", wrong
    )
    ahead = {
        "series": "pm10",
        "place": "zone",
        "period": "2017-11-25",
        "value": 170,
        "unit": "µg/m³",
    }
    book.note(
        "metric.forecast", "metric/pm10/zone/2017-11-25", "2017-11-24 16:00", ahead
    )
    report = brief(book)
    (row,) = found(report, "air")
    assert (row["day"], row["month"], row["year"], row["forecast"]) == (
        200.0,
        150.0,
        200.0,
        170.0,
    )
    assert zh(figure(report, "alert/alert")) == "无预警"
