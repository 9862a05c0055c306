"""The file of one subject: what is recorded of it, and what is not."""

from __future__ import annotations

import pytest

from events.domain import codelists
from events.errors import Malformed, NotFound
from projections.reports import subject_file
from projections.reports.addresses import cells
from projections.reports.pieces import event_text
from tests.reports.makers.books import Book, asked, by, counts, found, sound, tables, zh
from tests.rules.diary import PHOTO, rfc, us

NOW = "2017-11-30 09:00"
AFTER = {"sha256": "7f" * 32}


@pytest.fixture
def plant():
    """A mixing plant with a plan, a visit, a problem put right, and a breach; and one
    more plant of which nothing may stand in its file.
    """
    book = Book()
    book.unit("shifo")
    cell = {"name": "示例一组", "level": 3, "unit": "shifo"}
    book.note("grid.drawn", "grid/K1", "2017-01-02", cell)
    held = {"person_ref": "p:7", "valid_from": rfc("2017-01-01")}
    book.note("grid.assigned", "grid/K1", "2017-01-03", held)
    for key, name in (
        ("E-1", "示例搅拌站（模拟数据）"),
        ("E-2", "另一示例站（模拟数据）"),
    ):
        data = {
            "kind": "mixing_plant",
            "name": name,
            "grid": "K1",
            "address": "示例路8号",
        }
        book.note("subject.registered", f"subject/{key}", "2017-11-01", data)
    plan = {
        "version": 1,
        "title": "一企一策（模拟数据）",
        "measures": [
            {"code": "M1", "text": "料场封闭"},
            {"code": "M2", "text": "停产", "alert": "red"},
            {"code": "M3", "text": "限产", "alert": "orange"},
        ],
    }
    book.note("subject.plan_approved", "subject/E-1", "2017-11-02", plan)
    visit = {
        "kind": "inspection",
        "unit": "shifo",
        "targets": ["subject/E-1"],
        "checklist": "dust-100/2017-11",
    }
    book.note("inspection.started", "inspection/V-1", "2017-11-20 10:00", visit)
    for item, result in (
        ("fence", "pass"),
        ("heaps_covered", "fail"),
        ("fence", "fail"),
    ):
        data = {"checklist": "dust-100/2017-11", "item": item, "result": result}
        book.note("inspection.item_checked", "inspection/V-1", "2017-11-20 10:10", data)
    signed = {"subject": "E-1", "signed": "declined"}
    book.note(
        "inspection.signed_by_subject", "inspection/V-1", "2017-11-20 11:00", signed
    )
    for key, subject in (("I-1", "E-1"), ("I-2", "E-2")):
        data = {
            "title": "料堆未覆盖（模拟数据）",
            "category": "dust",
            "severity": "minor",
            "found_by": "inspection",
            "place": {"address": "示例路8号"},
            "subject": subject,
            "evidence": [PHOTO],
        }
        book.note("issue.found", f"issue/{key}", "2017-11-20 10:30", data)
    fixed = {"text": "已覆盖（模拟数据）", "evidence": [AFTER]}
    book.note("issue.fixed_on_spot", "issue/I-1", "2017-11-20 10:50", fixed)
    required = {
        "alert": "Y1",
        "subject": "E-1",
        "measure": "stop_line",
        "unit": "shifo",
    }
    book.note("measure.required", "measure/M-1", "2017-11-21 12:00", required)
    book.note(
        "measure.breached",
        "measure/M-1",
        "2017-11-22",
        {"text": "夜间生产（模拟数据）"},
    )
    return book


def filed(book, subject="E-1", now=NOW, **cut):
    """Return the file of a subject."""
    question = asked("2017-11-30", subject=subject)
    return subject_file.make(book.log_world(now, **cut), question)


def totals(report):
    """Return {figure: value}."""
    told = (e for e in cells(report) if e.address.startswith("totals/"))
    return {entry.address.split("/")[1]: entry.cell.value for entry in told}


def test_the_parts_are_those_of_the_paper_file(plant):
    """Twelve parts, in the order that inspectors know."""
    report = filed(plant)
    sound(report, plant)
    assert [part.title["zh"] for part in report.sections] == [
        "基本信息",
        "手续",
        "产污环节与治理设施",
        "一企一策",
        "错峰生产及应急减排措施",
        "检查记录",
        "问题与整改",
        "处罚与追责",
        "监测",
        "承诺书及承诺事项",
        "变更及事件时间线",
        "佐证目录",
    ]


def test_the_basic_facts_are_from_its_stream_and_its_cell(plant):
    """Name, address, cell and its workers by reference; what is missing says so."""
    rows = {zh(row["item"]): row["value"] for row in found(filed(plant), "basics")}
    assert rows["名称"] == "示例搅拌站（模拟数据）"
    assert (rows["地址"], rows["所属网格"], zh(rows["网格员"])) == (
        "示例路8号",
        "示例一组",
        "p:7",
    )
    assert (zh(rows["类别"]), zh(rows["状态"])) == ("搅拌站", "正常生产")
    assert zh(rows["法定代表人"]) == "未记录"


def test_the_figures_are_of_this_subject_alone(plant):
    """One visit, one problem, fixed at once, one breach; the other plant has its own."""
    expected = {
        "visits": 1,
        "problems": 1,
        "fixed": 1,
        "revoked": 0,
        "settled": 0,
        "breaches": 1,
    }
    assert totals(filed(plant)) == expected
    other = totals(filed(plant, "E-2"))
    assert (other["visits"], other["problems"], other["breaches"]) == (0, 1, 0)
    for address, cell in counts(filed(plant), "totals"):
        assert cell.value == len(cell.events), address
        assert cell.value == len({plant.stream(at) for at in cell.events}), address


def test_a_visit_counts_the_last_result_of_each_item(plant):
    """Fence was passed and then failed: two items, both failed, none signed for."""
    (row,) = found(filed(plant), "visits")
    assert (row["passed"], row["failed"], zh(row["signed"])) == (0, 2, "拒签")


def test_measures_of_the_plan_stand_by_alert_colour(plant):
    """Orange before red; what holds always is not among them."""
    rows = found(filed(plant), "alert_plan")
    assert [(zh(row["colour"]), row["code"]) for row in rows] == [
        ("橙色（Ⅱ级）", "M3"),
        ("红色（Ⅰ级）", "M2"),
    ]
    (taken,) = found(filed(plant), "measures")
    assert (zh(taken["measure"]), zh(taken["result"])) == ("按一厂一策停产限产", "违反")


def test_a_problem_has_its_pictures_before_and_after(plant):
    """The finding's evidence is before, what was added later is after."""
    (row,) = found(filed(plant), "issues")
    assert (zh(row["before"]), zh(row["after"])) == ("5e" * 6, "7f" * 6)
    assert row["fixed"] == us("2017-11-20 10:50")


def test_evidence_is_listed_once_with_its_digest(plant):
    """Two contents, each with the digest that anyone can compute again."""
    stored = {
        "sha256": AFTER["sha256"],
        "media_type": "image/jpeg",
        "size": 9,
        "sm3": "a" * 64,
    }
    plant.note("evidence.stored", f"evidence/{AFTER['sha256']}", "2017-11-20", stored)
    rows = found(filed(plant), "evidence")
    assert [row["sha256"] for row in rows] == [PHOTO["sha256"], AFTER["sha256"]]
    assert by(rows, "no", 2)["sm3"] == "a" * 64


def test_the_timeline_has_every_event_of_it_and_no_other(plant):
    """All of E-1 in the order of time; nothing of the other plant."""
    rows = found(filed(plant), "timeline")
    streams = {zh(row["stream"]) for row in rows}
    assert streams == {"对象 E-1", "检查巡查 V-1", "问题 I-1", "管控措施 M-1"}
    assert len(rows) == 11
    assert [row["occurred"] for row in rows] == sorted(row["occurred"] for row in rows)


def test_a_violation_stands_with_its_confirmation(plant):
    """Of an order for many sites only what names this one is in its file."""
    issued = {
        "kind": "seal",
        "title": "封土令（模拟数据）",
        "scope": "建成区",
        "start": "2017-11-15",
        "base_end": "2018-03-15",
    }
    plant.note("order.issued", "order/SEAL", "2017-11-15", issued)
    for number, site in ((1, "E-1"), (2, "E-2")):
        data = {
            "violation": f"W-{number}",
            "site": site,
            "text": "夜间土方（模拟数据）",
        }
        plant.note("order.violation_recorded", "order/SEAL", "2017-11-23", data)
        done = {"violation": f"W-{number}"}
        plant.note("order.violation_confirmed", "order/SEAL", "2017-11-24", done)
    report = filed(plant)
    (row,) = found(report, "violations")
    assert (row["violation"], zh(row["status"])) == ("W-1", "已确认")
    timeline = found(report, "timeline")
    told = [row for row in timeline if zh(row["stream"]) == "管控令 SEAL"]
    assert [row["what"]["zh"] for row in told] == [
        event_text(f"henji.order.violation_{what}.v1")["zh"]
        for what in ("recorded", "confirmed")
    ]


def test_what_the_log_has_nothing_of_says_so(plant):
    """Each paper that inspectors look for has its line; empty tables say why."""
    report = filed(plant)
    papers = {
        zh(row["item"]): zh(row["content"])
        for key in ("permits", "processes", "pledges")
        for row in found(report, key)
    }
    assert papers == dict.fromkeys(
        (
            *("环评批复", "三同时验收", "排污许可证", "其他手续"),
            *("产污环节", "治理设施", "设施运行记录", "承诺书"),
        ),
        "未记录",
    )
    notes = {table.key: table.note["zh"] for table in tables(report) if not table.rows}
    assert {"readings", "cases", "promises", "schedules"} <= set(notes)
    assert notes["readings"] == "未记录。"


def test_material_called_a_permit_is_listed_as_one(plant):
    """Its name or its note says what a paper is; it is listed by its first use."""
    digest = AFTER["sha256"]
    stored = {
        "sha256": digest,
        "sm3": "a" * 64,
        "media_type": "application/pdf",
        "size": 7,
        "name": "排污许可证副本（模拟数据）",
    }
    plant.note("evidence.stored", f"evidence/{digest}", "2017-11-20", stored)
    row = by(found(filed(plant), "permits"), "content", stored["name"])
    assert (zh(row["item"]), row["digest"]) == ("排污许可证", digest[:12])
    (entry,) = [e for e in cells(filed(plant)) if e.address == "permits/3/content"]
    assert [plant.log[at - 1].type for at in entry.cell.events] == [
        "henji.issue.fixed_on_spot.v1"
    ]


def test_items_that_failed_are_told_one_by_one(plant):
    """Both items failed in the end, by their names in the checklist; no pass is one."""
    rows = found(filed(plant), "failed")
    assert [zh(row["item"]) for row in rows] == [
        item_name("heaps_covered"),
        item_name("fence"),
    ]


def item_name(code):
    """Return what an item of the checklist is called."""
    items = codelists.find("dust-100/2017-11").items
    return next(item.zh for item in items if item.id == code)


def test_a_late_record_is_flagged_and_corrects_the_file_before(plant):
    """Found on the 25th, told on the 30th: late, and told as a correction."""
    position = len(plant.log)
    data = {
        "title": "示例（模拟数据）",
        "category": "dust",
        "severity": "minor",
        "found_by": "hotline",
        "place": {"address": "示例路8号"},
        "subject": "E-1",
    }
    plant.note(
        "issue.found", "issue/I-9", "2017-11-21 10:00", data, recorded="2017-11-29"
    )
    assert totals(filed(plant, position=position))["problems"] == 1
    question = asked("2017-11-30", subject="E-1", previous_position=position)
    report = subject_file.make(plant.log_world(NOW), question)
    row = by(
        found(report, "corrections"),
        "figure",
        {"en": "Problems found", "zh": "发现问题"},
    )
    assert (row["published"], row["corrected"]) == (1, 2)
    late = [row for row in found(report, "timeline") if row["late"]]
    assert [zh(row["stream"]) for row in late] == ["问题 I-9"]


def test_a_file_needs_a_subject_that_is_known(plant):
    """Without a subject, and with an unknown one, it is refused with a reason."""
    with pytest.raises(Malformed) as missing:
        filed(plant, None)
    with pytest.raises(NotFound) as unknown:
        filed(plant, "E-404")
    assert (missing.value.code, unknown.value.code) == (
        "report_subject_missing",
        "report_subject_unknown",
    )
