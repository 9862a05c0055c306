"""Measures under alerts: notice within two hours, taken in time, exempted, breached."""

from __future__ import annotations

import pytest

from projections.reports import alert_measures
from tests.reports.makers.books import Book, asked, by, found, zh
from tests.reports.makers.hand import exact, figure
from tests.rules.diary import PHOTO, rfc

DONE = {"evidence": [PHOTO]}


@pytest.fixture
def book():
    """Return a yellow alert from 11-21 12:00 and six measures under it."""
    book = Book()
    book.unit("gouzhao")
    for key in ("S-1", "S-2"):
        data = {"kind": "site", "name": f"{key}（模拟数据）"}
        book.note("subject.registered", f"subject/{key}", "2017-11-01", data)
    issued = {
        "colour": "yellow",
        "grade": "III",
        "plan": "alert-plan/2016-10",
        "from": rfc("2017-11-21 12:00"),
    }
    book.note("alert.issued", "alert/A", "2017-11-21 11:00", issued)
    required(book, "in-time", "2017-11-21 13:00")
    book.note("measure.acknowledged", "measure/in-time", "2017-11-21 13:10")
    book.note("measure.applied", "measure/in-time", "2017-11-21 14:00", DONE)
    book.note(
        "measure.checked", "measure/in-time", "2017-11-21 20:00", {"result": "kept"}
    )
    required(book, "late", "2017-11-21 13:00")
    book.note("measure.applied", "measure/late", "2017-11-21 16:30", DONE)
    required(book, "missing", "2017-11-21 15:00", subject="S-2")
    required(book, "breached", "2017-11-21 13:00", subject="S-2", measure="truck_ban")
    book.note(
        "measure.breached",
        "measure/breached",
        "2017-11-21 22:00",
        {"text": "违反（模拟数据）"},
    )
    required(book, "exempted", "2017-11-21 13:00", subject="S-2", measure="truck_ban")
    book.note(
        "measure.exempted",
        "measure/exempted",
        "2017-11-21 14:00",
        {"basis": "民生保障"},
    )
    required(
        book, "waiting", "2017-11-21 23:00", subject="S-2", measure="heaps_covered"
    )
    return book


def required(book, key, at, *, subject="S-1", measure="stop_earthwork"):
    """Note that a subject must take a measure within two hours."""
    data = {"alert": "A", "subject": subject, "measure": measure, "unit": "gouzhao"}
    book.note("measure.required", f"measure/{key}", at, data)


def made(book, now="2017-11-22 00:00", **more):
    """Return the report of a moment."""
    return alert_measures.make(book.log_world(now), asked(now, **more))


def test_each_measure_stands_in_one_column(book):
    """Six required: one each of in time, late, missing, breached, exempted, waiting."""
    report = made(book)
    (row,) = found(report, "alerts")
    kinds = ("in_time", "late", "missing", "breached", "exempted", "waiting")
    assert row["required"] == 6
    assert [row[kind] for kind in kinds] == [1] * 6
    # Notice runs from 12:00 on; 15:00 and 23:00 are later than two hours.
    assert (row["noted"], row["acknowledged"], row["checked"], row["kept"]) == (
        4,
        1,
        1,
        1,
    )
    assert row["rate"] == 0.25
    assert (row["applied"], row["applied_in_time"]) == (2, 1)
    exact(report, book, "alerts", "totals_1", "measures_1")


def test_measures_are_told_apart_and_add_up(book):
    """Three of earthwork, two of trucks, one of heaps, by the name on the list."""
    report = made(book)
    rows = {zh(row["measure"]): row["required"] for row in found(report, "measures_1")}
    assert rows == {
        "停止土石方作业和拆除": 3,
        "重型车、渣土车停运": 2,
        "散装物料全部覆盖": 1,
    }


def test_each_subject_tells_minutes(book):
    """Notice after 60 minutes; taken 90 minutes late; an exemption has its basis."""
    rows = found(made(book), "subjects_1")
    late = by([row for row in rows if zh(row["standing"]) == "逾时落实"], "late", 90)
    assert (late["notice"], late["subject"]) == (60, "S-1（模拟数据）")
    exempted = [row for row in rows if zh(row["standing"]) == "豁免"]
    assert [(row["basis"], row["late"]) for row in exempted] == [("民生保障", 0)]


def test_the_course_of_an_alert_ends_in_a_summary(book):
    """Upgraded and lifted: three lines, and the report says that it is over."""
    assert "预警仍在执行" in zh(made(book).sections[1].blocks[0].text)
    up = {
        "colour": "orange",
        "grade": "II",
        "reason": "加重",
        "from": rfc("2017-11-23 00:00"),
    }
    book.note("alert.upgraded", "alert/A", "2017-11-22 20:00", up)
    book.note("alert.lifted", "alert/A", "2017-11-24 08:00")
    report = made(book, now="2017-11-25")
    assert [row["colour"] for row in found(report, "timeline_1")] == [
        "yellow",
        "orange",
        None,
    ]
    assert "预警已解除" in zh(report.sections[1].blocks[0].text)
    assert found(report, "alerts")[0]["colour"] == "orange"


def test_only_the_alert_or_unit_that_is_asked_for(book):
    """Another alert's key gives an empty report, which says so."""
    assert len(made(book, subject="A").sections) == 2
    report = made(book, subject="B")
    assert len(report.sections) == 1
    assert zh(report.sections[0].blocks[0].note) == "未发布预警。"
    assert figure(made(book, unit="shifo"), "totals_1", "required") == 0
