"""Look-back: closes, samples that can be drawn again, relapses and whose approval it was."""

from __future__ import annotations

import pytest

from events.domain import sampling
from projections.reports import lookback
from tests.reports.makers.books import Book, asked, by, found, zh
from tests.reports.makers.hand import exact, figure
from tests.rules.diary import PHOTO

PROOF = {"text": "办结（模拟数据）", "evidence": [PHOTO]}
PASS = {"result": "pass", "method": "document"}
KEPT = {"result": "passed", "team": ["looker"], "text": "未反弹（模拟数据）"}
RELAPSED = {"result": "relapsed", "team": ["looker"], "text": "反弹（模拟数据）"}


@pytest.fixture
def book():
    """Return three closes of dust, one of fume; two looked at, one had relapsed."""
    book = Book()
    for unit in ("gouzhao", "shifo"):
        book.unit(unit)
    book.unit("bureau", "bureau")
    for key in ("A", "B", "C"):
        closed(book, key, "dust")
    closed(book, "F", "fume", unit="shifo")
    book.commitment("OPEN", ("signed_for", "2017-11-14 10:00"), theme="dust")
    stream = "inspection/L-1"
    plan = {
        "kind": "lookback",
        "title": "回头看（模拟数据）",
        "unit": "bureau",
        "start": "2017-11-20",
        "end": "2017-11-24",
    }
    book.note("inspection.planned", stream, "2017-11-20", plan)
    book.note("inspection.sampled", stream, "2017-11-20 09:00", sample())
    book.note("commitment.lookback_recorded", "commitment/A", "2017-11-21", KEPT)
    book.note("commitment.lookback_recorded", "commitment/B", "2017-11-22", RELAPSED)
    again = {"new_due": "2017-12-29", "reason": "反弹（模拟数据）"}
    book.note("commitment.reopened", "commitment/B", "2017-11-23", again)
    return book


def closed(book, key, theme, *, unit="gouzhao"):
    """Note a commitment that a bureau verified and the office closed on 11-17."""
    book.commitment(
        key,
        ("signed_for", "2017-11-14 10:00"),
        ("completion_claimed", "2017-11-15 10:00", PROOF),
        unit=unit,
        theme=theme,
    )
    stream = f"commitment/{key}"
    book.note(
        "commitment.verification_recorded", stream, "2017-11-16", PASS, unit="bureau"
    )
    book.note("commitment.closed", stream, "2017-11-17")


def sample(**changed):
    """Return a sample of two out of three."""
    population = [f"commitment/{key}" for key in ("A", "B", "C")]
    data = {
        "population_size": 3,
        "population_digest": sampling.digest(population),
        "seed": "abc",
        "method": "sha256-rank",
        "method_version": 1,
        "sample": list(sampling.draw(population, 2, "abc")),
        "population": population,
    }
    return data | changed


def made(book, now="2017-11-27", **more):
    """Return the report of a moment."""
    return lookback.make(book.log_world(now), asked(now, **more))


def test_coverage_and_relapse_have_their_denominators(book):
    """Four closes, two looked at, one of them relapsed; the interval is Wilson's."""
    report = made(book)
    told = {
        key: figure(report, "overall", key)
        for key in ("closed", "looked", "open", "coverage", "relapsed", "rate")
    }
    assert told == {
        "closed": 4,
        "looked": 2,
        "open": 2,
        "coverage": 0.5,
        "relapsed": 1,
        "rate": 0.5,
    }
    # Wilson, 1 of 2, z = 1.96: (0.5 ± ...) gives 0.0945 to 0.9055.
    assert figure(report, "overall", "low") == pytest.approx(0.0945, abs=5e-4)
    assert figure(report, "overall", "high") == pytest.approx(0.9055, abs=5e-4)
    exact(report, book, "overall", "themes", "verifiers")


def test_themes_and_verifiers_have_rows_of_their_own(book):
    """Dust has three closes, fume one that nobody looked at; one bureau verified all."""
    report = made(book)
    dust, fume = (
        by(found(report, "themes"), "theme", theme) for theme in ("dust", "fume")
    )
    assert (dust["closed"], dust["looked"], dust["relapsed"]) == (3, 2, 1)
    assert (fume["closed"], fume["looked"], fume["rate"], fume["low"]) == (
        1,
        0,
        None,
        None,
    )
    (bureau,) = found(report, "verifiers")
    assert zh(bureau["unit"]) == "bureau（模拟数据）"
    assert (bureau["closed"], bureau["relapsed"]) == (4, 1)


def test_a_relapse_names_what_came_of_it(book):
    """The close before it, the look-back, the reopening after it."""
    (row,) = found(made(book), "relapsed")
    assert row["key"] == "B"
    assert row["closed"] < row["looked"] < row["reopened"]
    earlier = made(book, now="2017-11-22 12:00")
    assert found(earlier, "relapsed")[0]["reopened"] is None


def test_a_sample_is_drawn_again(book):
    """The recorded one is the same; members in another order are not."""
    (row,) = found(made(book), "samples")
    done = {"commitment/A", "commitment/B"} & set(sample()["sample"])
    assert (row["population"], row["size"], row["done"]) == (3, 2, len(done))
    assert zh(row["again"]) == "复抽一致"
    swapped = sample(sample=sample()["sample"][::-1])
    book.note("inspection.sampled", "inspection/L-1", "2017-11-25", swapped)
    hidden = sample(population=None)
    book.note("inspection.sampled", "inspection/L-1", "2017-11-26", hidden)
    told = [zh(row["again"]) for row in found(made(book), "samples")]
    assert told == ["复抽一致", "复抽不一致", "仅核对次序"]


def test_a_unit_narrows_it_and_nothing_is_said(book):
    """A unit that closed nothing gets zeros and sentences, not an error."""
    assert figure(made(book, unit="shifo"), "overall", "closed") == 1
    report = made(book, unit="nobody")
    assert figure(report, "overall", "closed") == 0
    assert figure(report, "overall", "rate") is None
    assert zh(report.sections[4].blocks[0].note) == "回头看未发现反弹。"


def test_a_sample_counts_only_what_was_looked_at_since(book):
    """A look-back of before the draw is not one of the sample; a wrong digest shows."""
    whole = sample(sample=list(sampling.draw(sample()["population"], 3, "abc")))
    wrong = whole | {"population_digest": "00" * 32}
    book.note("inspection.sampled", "inspection/L-1", "2017-11-24", wrong)
    book.note("commitment.lookback_recorded", "commitment/C", "2017-11-25", KEPT)
    row = found(made(book), "samples")[1]
    assert (row["size"], row["done"]) == (3, 1)
    assert zh(row["again"]) == "复抽不一致"
