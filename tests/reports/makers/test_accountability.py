"""Cases: clue, decision, service, appeal and its outcome; posts, never persons."""

from __future__ import annotations

import pytest

from projections.reports import accountability
from tests.reports.makers.books import Book, asked, by, found, zh
from tests.reports.makers.hand import exact, figure, texts
from tests.rules.diary import rfc

PERSON = "p:0f3a"


@pytest.fixture
def book():
    """Return case K1, appealed and changed; K2 against a unit; K3 a clue."""
    book = Book()
    book.unit("gouzhao")
    held = {
        "unit": "gouzhao",
        "title": "所长（模拟数据）",
        "person_ref": PERSON,
        "valid_from": rfc("2017-01-01"),
    }
    book.note("post.appointed", "post/eps-head", "2017-01-01", held)
    book.commitment("A", ("signed_for", "2017-11-14 10:00"))
    clue(book, "K1", "2017-11-20")
    opened(book, "K1", "2017-11-23", post="eps-head", person_ref=PERSON)
    decided(book, "K1", "2017-11-28", "warning")
    appealed(book, "K1")
    opened(book, "K2", "2017-11-24")
    decided(book, "K2", "2017-11-26", "criticism")
    clue(book, "K3", "2017-11-25")
    return book


def note(book, what, key, at, **data):
    """Note one event of a case."""
    return book.note(f"accountability.{what}", f"accountability/{key}", at, data)


def clue(book, key, at):
    """Note a clue."""
    note(
        book,
        "clue_registered",
        key,
        at,
        origin="urging",
        title="红单（模拟数据）",
        summary="逾期",
        unit="gouzhao",
    )


def opened(book, key, at, **more):
    """Note that a case is opened on two facts."""
    facts = [{"stream": "commitment/A", "version": version} for version in (1, 3)]
    note(
        book,
        "opened",
        key,
        at,
        title="逾期（模拟数据）",
        unit="gouzhao",
        fact_at=rfc("2017-11-20"),
        facts=facts,
        **more,
    )


def decided(book, key, at, form):
    """Note a decision with thirty days to appeal, served a day later."""
    note(
        book,
        "decided",
        key,
        at,
        form=form,
        findings="逾期（模拟数据）",
        basis=["办法（示例）"],
        approving_body="党工委",
        effective_from=rfc(at),
        appeal_days=30,
        appeal_body="纪检监察机构",
    )
    note(book, "served", key, f"{at} 15:00", served_at=rfc(f"{at} 15:00"))


def appealed(book, key):
    """Note an appeal that changes the form."""
    note(
        book,
        "appealed",
        key,
        "2017-12-01",
        received_at=rfc("2017-12-01"),
        grounds="不服",
    )
    note(
        book,
        "appeal_decided",
        key,
        "2017-12-08",
        outcome="changed",
        form="interview",
        body="机构",
        reasons="较轻",
    )


def made(book, now="2017-12-10", **more):
    """Return the report of a moment."""
    return accountability.make(book.log_world(now), asked(now, **more))


def test_the_ledger_shows_both_decisions_and_the_days(book):
    """Three days to opening, five to the decision; a warning became an interview."""
    row = by(found(made(book), "cases"), "key", "K1")
    assert (row["opening"], row["deciding"], row["facts"]) == (3, 5, 2)
    assert (zh(row["first"]), zh(row["form"]), zh(row["status"])) == (
        "警告",
        "约谈",
        "申诉已决",
    )
    assert row["post"] == "所长（模拟数据）"


def test_forms_count_what_is_in_force(book):
    """An interview of a post and a criticism of a unit; the warning is gone."""
    report = made(book)
    rows = {
        zh(row["form"]): (row["cases"], row["posts"], row["units"])
        for row in found(report, "forms")
    }
    assert rows == {"约谈": (1, 1, 0), "通报批评": (1, 0, 1)}
    told = {
        key: figure(report, "totals", key)
        for key in ("clues", "opened", "decided", "appealed", "changed", "closed")
    }
    assert told == {
        "clues": 2,
        "opened": 2,
        "decided": 2,
        "appealed": 1,
        "changed": 1,
        "closed": 0,
    }
    exact(report, book, "totals", "forms", "cases", but=("opening", "deciding"))


def test_a_revoked_decision_is_in_force_no_longer(book):
    """After the appeal of the unit succeeds, only the interview is left."""
    note(
        book,
        "appealed",
        "K2",
        "2017-12-02",
        received_at=rfc("2017-12-02"),
        grounds="不服",
    )
    pending = made(book)
    assert zh(by(found(pending, "appeals"), "key", "K2")["outcome"]) == "待决定"
    note(
        book,
        "appeal_decided",
        "K2",
        "2017-12-09",
        outcome="revoked",
        body="机构",
        reasons="不当",
    )
    report = made(book)
    assert [zh(row["form"]) for row in found(report, "forms")] == ["约谈"]
    assert by(found(report, "cases"), "key", "K2")["form"] is None
    row = by(found(report, "appeals"), "key", "K2")
    assert (zh(row["outcome"]), row["days"]) == ("撤销", 7)


def test_nobody_appears_by_reference(book):
    """The person's reference is in the log and nowhere in the report."""
    assert not [text for text in texts(made(book)) if PERSON in text]


def test_the_month_is_counted_against_the_steps(book):
    """No case was opened in December; in November one unit, below the first step."""
    (november,) = [
        row
        for row in found(made(book, now="2017-11-30"), "thresholds")
        if zh(row["what"]) == "被问责单位数"
    ]
    assert (november["count"], november["step"]) == (1, 0)
    (december,) = [
        row
        for row in found(made(book), "thresholds")
        if zh(row["what"]) == "被问责单位数"
    ]
    assert december["count"] == 0


def test_no_case_is_said(book):
    """A unit without a case has empty tables that say so."""
    report = made(book, unit="shifo")
    assert found(report, "cases") == []
    assert zh(report.sections[1].blocks[0].note) == "无追责案件。"
    assert zh(report.sections[2].blocks[0].note) == "无申诉。"
