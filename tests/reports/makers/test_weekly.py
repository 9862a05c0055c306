"""The weekly bulletin: its figures, named items, demands, replies and corrections."""

from __future__ import annotations

import hashlib

from events.entries import rfc3339
from projections.reports import weekly
from projections.reports.bulletin_problems import demands, problems
from projections.reports.corrections import known
from projections.reports.flows import overdue
from projections.reports.pieces import scene
from tests.reports.makers.books import asked, by, counts, found, sound, tables, zh
from tests.reports.makers.conftest import told_late
from tests.rules.diary import end, rfc

MONDAY = "2017-11-27 09:00"


def bulletin(book, week="2017-W47", now=MONDAY, **cut):
    """Return the bulletin of a week."""
    return weekly.make(book.log_world(now, **cut), asked(week))


def figures(report):
    """Return {item: (this week, last week)} in Chinese."""
    return {
        zh(row["item"]): (row["this"], row["last"]) for row in found(report, "overall")
    }


def test_the_figures_of_a_week_are_those_counted_by_hand(book):
    """Each figure counts commitments once, this week and the week before."""
    told = figures(bulletin(book))
    assert told["交办"] == (0, 4)
    assert told["签收"] == (0, 4)
    assert told["销号"] == (1, 0)
    assert told["按期销号"] == (1, 0)
    assert told["退回"] == (1, 0), "C was returned twice: one commitment"
    assert told["期末逾期"] == (2, 1), "B and D; the week before only D"
    assert told["到期（原定时限）"] == (2, 1)
    assert told["按期办结（原定时限）"] == (1, 0)


def test_every_count_is_the_number_of_its_events_and_of_their_streams(book):
    """G11: a figure's events are as many as it says, of as many streams."""
    report = bulletin(book)
    sound(report, book)
    checked = counts(report, "overall", "by_status", "forms")
    for address, cell in checked:
        if address.endswith(("/change",)):
            continue
        assert cell.value == len(cell.events), address
        assert cell.value == len({book.stream(at) for at in cell.events}), address
    assert len(checked) > 20


def test_the_states_add_up_to_what_was_registered(book):
    """I1: no promise vanishes."""
    rows = found(bulletin(book), "by_status")
    *states, total = rows
    assert sum(row["count"] for row in states) == total["count"] == 4


def test_named_items_and_demands_follow_from_events(book):
    """B is overdue and silent, C was returned, D is overdue; each unit is asked once."""
    one = scene(book.log_world(MONDAY), asked("2017-W47"))
    items = problems(one)
    assert {(row.case.key, row.what) for row in items} == {
        ("B", "overdue"),
        ("B", "inaction"),
        ("B", "slow_action"),
        ("C", "returned"),
        ("C", "slow_action"),
        ("D", "overdue"),
        ("D", "inaction"),
        ("D", "slow_action"),
    }
    asks = demands(one, items)
    assert [(row.item, row.unit, row.due) for row in asks] == [
        ("1", "gouzhao", end("2017-12-01")),
        ("2", "shifo", end("2017-12-01")),
        ("3", "wutong", end("2017-12-01")),
    ]


def test_overdue_items_show_working_days_late(book):
    """B was due on Wednesday 11-22: by Sunday's end two working days late."""
    row = by(found(bulletin(book), "overdue"), "key", "B")
    assert row["days"] == 2


def test_a_frozen_bulletin_stays_and_the_next_one_tells_the_correction(book):
    """I12: recorded on Tuesday, it changes no Monday's figure but is listed after it."""
    monday = bulletin(book)
    position = len(book.log)
    _freeze(book, position)
    late = told_late(book)
    assert figures(bulletin(book, position=position)) == figures(monday)
    after = bulletin(book, "2017-W48", "2017-12-04 09:00")
    row = by(
        found(after, "corrections"),
        "figure",
        {"en": "Overdue at the end", "zh": "期末逾期"},
    )
    assert (row["published"], row["corrected"], row["change"]) == (2, 1, -1)
    (record,) = found(after, "late_records")
    assert (zh(record["stream"]), record["days"]) == ("事项 D", 10)
    (table,) = [table for table in tables(after) if table.key == "late_records"]
    assert table.rows[0][0].events == (late,)


def test_nothing_recorded_late_is_no_correction(book):
    """A bulletin after a frozen one says that nothing has changed."""
    _freeze(book, len(book.log))
    after = bulletin(book, "2017-W48", "2017-12-04 09:00")
    assert found(after, "corrections") == []
    (table,) = [table for table in tables(after) if table.key == "corrections"]
    assert table.note["zh"] == "原公布数据无更正。"


def test_replies_to_the_last_issue_are_in_time_late_or_missing(book):
    """Each demand of the frozen issue is answered, late, missing or not yet due."""
    _freeze(book, len(book.log))
    for item, unit, at in (
        ("1", "gouzhao", "2017-11-30 10:00"),
        ("2", "shifo", "2017-12-02 09:00"),
    ):
        data = {"unit": unit, "item": item, "text": "已整改（模拟数据）"}
        book.note("report.answered", "report/weekly_bulletin/2017-W47", at, data)
    rows = found(bulletin(book, "2017-W48", "2017-12-04 09:00"), "replies")
    assert [zh(row["result"]) for row in rows] == ["按期反馈", "逾期反馈", "未反馈"]


def test_accountability_is_counted_by_form_and_shows_posts(book):
    """A decision of the week is one person; who it is about is shown by post."""
    stream = "accountability/Z-1"
    title = "示例事由（模拟数据）"
    opened = {
        "title": title,
        "unit": "gouzhao",
        "fact_at": rfc("2017-11-22 10:00"),
        "facts": [{"stream": "commitment/B", "version": 1}],
        "post": "gouzhao.chief",
        "person_ref": "p:1",
    }
    post = {
        "unit": "gouzhao",
        "title": "环保所所长（模拟数据）",
        "person_ref": "p:1",
        "valid_from": rfc("2017-01-01"),
    }
    book.note("post.appointed", "post/gouzhao.chief", "2017-01-02", post)
    book.note("accountability.opened", stream, "2017-11-23 10:00", opened)
    decided = {
        "form": "interview",
        "findings": "示例（模拟数据）",
        "basis": ["示例规则"],
        "approving_body": "示例机关",
        "effective_from": rfc("2017-11-24"),
        "appeal_days": 30,
        "appeal_body": "示例机关",
    }
    book.note("accountability.decided", stream, "2017-11-24 10:00", decided)
    report = bulletin(book)
    assert figures(report)["追责立案"] == (1, 0)
    assert [(zh(row["form"]), row["count"]) for row in found(report, "forms")] == [
        ("约谈", 1),
        ("合计", 1),
    ]
    (case,) = found(report, "cases")
    assert (case["case"], case["title"], zh(case["who"])) == (
        "Z-1",
        title,
        "环保所所长（模拟数据）",
    )


def test_what_has_not_happened_yet_is_not_counted(book):
    """As at Tuesday evening, nothing of Wednesday is in the figures."""
    told = figures(bulletin(book, now="2017-11-21 20:00", as_at="2017-11-21 20:00"))
    assert told["销号"] == (0, 0)
    assert told["期末逾期"] == (1, 1)


def test_an_empty_log_makes_a_bulletin_that_says_so():
    """Without a commitment every figure is 0 and each table says that it is empty."""
    from tests.reports.makers.books import Book

    report = bulletin(Book())
    assert {value for pair in figures(report).values() for value in pair} == {0}
    assert all(table.rows or table.note for table in tables(report))


def _freeze(book, position):
    stream = "report/weekly_bulletin/2017-W47"
    frozen = {
        "name": "weekly_bulletin",
        "period": "2017-W47",
        "cut": {
            "position": position,
            "root": "A" * 43 + "=",
            "ruleset": "demo-2017/1",
            "calendar": "cn/2026.1",
            "template": "weekly_bulletin@1",
            "instant": rfc(MONDAY),
        },
        "files": [{"format": "pdf", "sha256": hashlib.sha256(b"").hexdigest()}],
        "demands": [
            {
                "item": str(n),
                "unit": unit,
                "text": "整改（模拟数据）",
                "due": rfc3339(end("2017-12-01")),
            }
            for n, unit in enumerate(("gouzhao", "shifo", "wutong"), 1)
        ],
    }
    book.note("report.frozen", stream, MONDAY, frozen)


def test_the_last_instant_of_a_term_is_not_late(book):
    """At 24:00 of the last day nothing is overdue yet; a microsecond later it is."""
    facts = known(scene(book.log_world(MONDAY), asked("2017-W47")), ())
    due = end("2017-11-22")
    assert [case.key for case, _ in overdue(facts, due)] == ["D"]
    assert [case.key for case, _ in overdue(facts, due + 1)] == ["B", "D"]


def test_what_happened_after_the_previous_cut_is_no_late_record(book):
    """A look-back of the next week is news about D, not a correction."""
    _freeze(book, len(book.log))
    late = told_late(book)
    seen = {"result": "passed", "team": ["t"], "text": "已巩固（模拟数据）"}
    book.note("commitment.lookback_recorded", "commitment/D", "2017-11-29", seen)
    after = bulletin(book, "2017-W48", "2017-12-04 09:00")
    (table,) = [table for table in tables(after) if table.key == "late_records"]
    assert [row[0].events for row in table.rows] == [(late,)]
