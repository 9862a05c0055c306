"""The ledger: one row a commitment, on the sheets that it belongs to."""

from __future__ import annotations

from projections.reports import ledger
from projections.reports.addresses import explain
from tests.reports.makers.books import asked, by, counts, found, sound, tables, zh
from tests.reports.makers.conftest import told_late
from tests.rules.diary import PHOTO, end, rfc, us

NOW = "2017-11-27 09:00"
HEADINGS = [
    "序号",
    "编号",
    "事项名称",
    "类别/主题",
    "立项依据（文件/会议）",
    "交办日期",
    "牵头领导",
    "牵头（责任）单位",
    "责任人（职务）",
    "协办单位",
    "工作要求/验收标准",
    "原定时限",
    "现行时限",
    "延期次数",
    "签收时间",
    "最近进展日期",
    "最近进展内容",
    "完成比例",
    "存在问题",
    "下步措施",
    "亮灯",
    "是否逾期",
    "逾期天数（工作日）",
    "催办次数",
    "最高单色",
    "退回次数",
    "报完成时间",
    "核查人",
    "核查时间",
    "核查结论",
    "销号时间",
    "回头看次数",
    "回头看结论",
    "追责情况",
    "佐证数",
    "末次事件编号",
    "备注",
]


def listed(book, now=NOW, question=None, **cut):
    """Return the ledger of a cut."""
    return ledger.make(book.log_world(now, **cut), question or asked("2017-11-27"))


def sheets(report):
    """Return {sheet: numbers of its commitments}."""
    names = [key for key, _, _ in ledger.SHEETS]
    return {name: [row["key"] for row in found(report, name)] for name in names}


def test_the_columns_are_those_of_the_paper_ledger(book):
    """Every sheet has every column, in the order that offices know."""
    report = listed(book)
    sound(report, book)
    for table in tables(report)[: len(ledger.SHEETS)]:
        assert [column.title["zh"] for column in table.columns] == HEADINGS


def test_each_commitment_is_on_the_sheets_it_belongs_to(book):
    """A is closed, B and D overdue, C was returned and is to be done again."""
    told = sheets(listed(book))
    assert told["all"] == ["A", "B", "C", "D"]
    assert told["overdue"] == ["B", "D"]
    assert told["to_verify"] == told["extended"] == told["withdrawn"] == []
    assert sheets(listed(book, "2017-11-21 12:00"))["to_verify"] == ["A"]


def test_a_closed_row_shows_its_way_and_no_days_late(book):
    """Signed, claimed, verified and closed, each with its instant; grey, not late."""
    row = by(found(listed(book), "all"), "key", "A")
    assert row["signed"] == us("2017-11-14 10:00")
    assert row["claimed"] == us("2017-11-21 09:00")
    assert row["verified"] == us("2017-11-21 15:00")
    assert (row["verifier"], zh(row["verdict"])) == ("checker", "通过")
    assert row["closed"] == us("2017-11-22 10:00")
    assert (row["light"], zh(row["overdue"]), row["days_late"]) == ("grey", "否", 0)
    assert (row["evidence"], row["last_event"]) == (1, f"e{_last(book, 'A')}")
    assert row["original_due"] == end("2017-11-22") - 1


def test_an_overdue_row_is_red_and_counts_working_days(book):
    """B was due on Wednesday 11-22: on Monday 11-27 three working days late."""
    report = listed(book)
    row = by(found(report, "all"), "key", "B")
    assert (row["light"], zh(row["overdue"]), row["days_late"]) == ("red", "是", 3)
    (table,) = [table for table in tables(report) if table.key == "all"]
    cells = dict(zip([c.key for c in table.columns], table.rows[1], strict=True))
    assert cells["light"].rule == "light.past_due@demo-2017/1"
    assert explain(report, "all/2/light") == cells["light"].events


def test_an_extension_moves_the_current_due_and_never_the_original(book):
    """Both dates stand in the ledger; each extension is counted once."""
    asked_for = {
        "new_due": "2017-12-29",
        "reason": "霜冻（模拟数据）",
        "progress": "过半",
    }
    book.note("commitment.extension_requested", "commitment/C", "2017-11-24", asked_for)
    book.note("commitment.extension_granted", "commitment/C", "2017-11-25")
    report = listed(book)
    (row,) = found(report, "extended")
    assert (row["original_due"], row["current_due"], row["extensions"]) == (
        end("2017-12-15") - 1,
        end("2017-12-29") - 1,
        1,
    )
    assert (row["returns"], zh(row["problem"])) == (2, "未覆盖")


def test_urges_lookbacks_and_cases_are_told(book):
    """The highest sheet, the last look-back, and the case that cites an event."""
    for level, at in (("blue", "2017-11-23"), ("orange", "2017-11-24")):
        book.note("commitment.urged", "commitment/B", at, {"level": level})
    seen = {"result": "relapsed", "team": ["t"], "text": "复燃（模拟数据）"}
    book.note("commitment.lookback_recorded", "commitment/A", "2017-11-24", seen)
    case = {
        "title": "示例（模拟数据）",
        "unit": "gouzhao",
        "fact_at": rfc("2017-11-23"),
        "facts": [{"stream": "commitment/B", "version": 1}],
    }
    book.note("accountability.opened", "accountability/Z-1", "2017-11-24", case)
    report = listed(book)
    late, closed = found(report, "all")[1], found(report, "looked_back")[0]
    assert (late["urges"], zh(late["urge_level"])) == (2, "橙单")
    assert zh(late["accountability"]) == "Z-1"
    assert (closed["lookbacks"], zh(closed["lookback"])) == (1, "反弹")


def test_counts_equal_their_events(book):
    """G11: times are events; totals are commitments, each by its registration."""
    report = listed(book)
    for address, cell in counts(report, "totals"):
        assert cell.value == len(cell.events), address
        assert len({book.stream(at) for at in cell.events}) == cell.value
    times = ("extensions", "urges", "returns", "lookbacks")
    for address, cell in counts(report, "all"):
        if address.split("/")[2] in times:
            assert cell.value == len(cell.events), address


def test_the_ledger_of_a_past_cut_does_not_know_what_came_later(book):
    """At the old position D is overdue; now it was closed in time, recorded late."""
    position = len(book.log)
    told_late(book)
    assert sheets(listed(book, position=position))["overdue"] == ["B", "D"]
    now = listed(book, "2017-11-29 09:00")
    assert sheets(now)["overdue"] == ["B"]
    row = by(found(now, "all"), "key", "D")
    assert zh(row["remark"]) == "已销号；补录1条"
    after = asked("2017-11-29", previous_position=position)
    corrected = found(listed(book, "2017-11-29 09:00", after), "corrections")
    assert [(zh(row["figure"]), row["change"]) for row in corrected] == [("逾期", -1)]


def test_the_same_evidence_twice_is_counted_once(book):
    """Two claims of C carry one picture: one content."""
    other = {"sha256": "7f" * 32}
    assert by(found(listed(book), "all"), "key", "C")["evidence"] == 1
    data = {"text": "（模拟数据）", "evidence": [PHOTO, other]}
    book.note("commitment.progress_reported", "commitment/C", "2017-11-24", data)
    assert by(found(listed(book), "all"), "key", "C")["evidence"] == 2


def test_a_unit_sees_what_it_leads_or_supports(book):
    """Of one office only its own rows; without a commitment, a sheet that says so."""
    report = listed(book, question=asked("2017-11-27", unit="shifo"))
    assert sheets(report)["all"] == ["C"]
    (table,) = [table for table in tables(report) if table.key == "overdue"]
    assert table.note["zh"] == "本表无事项。"


def _last(book, key):
    return max(n for n, e in enumerate(book.log, 1) if e.stream == f"commitment/{key}")
