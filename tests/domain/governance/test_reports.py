"""A report is frozen once; errors are put right by a later edition, demands answered."""

from __future__ import annotations

import pytest

from events.domain.reports import report_stream
from tests.support.governance import actor

OFFICE = actor("clerk", roles={"office"})
UNIT = actor("head", "gouzhao", roles={"lead"})
STREAM = report_stream("weekly_bulletin", "2017-W46")
FROZEN = {
    "name": "weekly_bulletin",
    "period": "2017-W46",
    "cut": {
        "position": 7,
        "root": "A" * 43 + "=",
        "ruleset": "demo-2017/1",
        "calendar": "cn/2026.1",
        "template": "weekly_bulletin/1",
        "instant": "2017-11-24T08:00:00Z",
    },
    "files": [{"format": "json", "sha256": "ab" * 32}],
    "demands": [
        {"item": "1", "unit": "gouzhao", "text": "t"},
        {"item": "1", "unit": "shifo", "text": "t"},
    ],
}
ISSUED = {"issued_at": "2017-11-24T08:00:00Z"}
ANSWER = {"unit": "gouzhao", "item": "1", "text": "t"}


def refused(world, what, by=OFFICE, stream=STREAM, **data):
    """Return the refusal of one event of a report."""
    return world.refusal(f"report.{what}", stream, by, **data)


def frozen(world, edition=1):
    """Freeze an edition."""
    stream = report_stream("weekly_bulletin", "2017-W46", edition=edition)
    return world.send("report.frozen", stream, OFFICE, **FROZEN, edition=edition)


def test_an_edition_has_a_stream_of_its_own():
    """The first one is the period itself; a unit's report is beside the zone's."""
    assert STREAM == "report/weekly_bulletin/2017-W46"
    second = report_stream("daily_brief", "2017-11-24", unit="gouzhao", edition=2)
    assert second == "report/daily_brief/gouzhao/2017-11-24~2"


def test_a_report_is_frozen_once(world):
    """Whatever a second freeze says."""
    frozen(world)
    other = FROZEN | {"cut": FROZEN["cut"] | {"position": 8}}
    assert refused(world, "frozen", **other) == ("stream_already_started", "/subject")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"name": "daily_brief"}, "report_key_mismatch", "/subject"),
        ({"period": "2017-W45"}, "report_key_mismatch", "/subject"),
        ({"unit": "gouzhao"}, "report_key_mismatch", "/subject"),
        ({"edition": 2}, "report_key_mismatch", "/subject"),
        ({"files": FROZEN["files"] * 2}, "report_format_repeated", "/data/files/1"),
        (
            {"demands": [FROZEN["demands"][0]] * 2},
            "report_demand_repeated",
            "/data/demands/1",
        ),
        (
            {"cut": FROZEN["cut"] | {"instant": "2017-11-24T08:00:00.000001Z"}},
            "instant_in_future",
            "/data/cut/instant",
        ),
    ],
)
def test_a_freeze_is_sound(world, change, code, pointer):
    """Its key is its name, unit, period and edition; nothing in it is named twice."""
    assert refused(world, "frozen", **(FROZEN | change)) == (code, pointer)


def test_a_period_exists(world):
    """There is no report of a week that the year does not have."""
    stream = report_stream("weekly_bulletin", "2017-W53")
    data = FROZEN | {"period": "2017-W53"}
    where = ("period_unknown", "/data/period")
    assert refused(world, "frozen", stream=stream, **data) == where


def test_editions_follow_each_other(world):
    """A later edition needs the one before; then it takes its place."""
    second = report_stream("weekly_bulletin", "2017-W46", edition=2)
    code = ("report_edition_missing", "/data/edition")
    assert refused(world, "frozen", stream=second, **FROZEN, edition=2) == code
    frozen(world)
    replaced = {"by_edition": 2, "reason": "r"}
    where = ("report_edition_missing", "/data/by_edition")
    assert refused(world, "replaced", **replaced) == where
    itself = replaced | {"by_edition": 1}
    where = ("report_edition_not_later", "/data/by_edition")
    assert refused(world, "replaced", **itself) == where
    frozen(world, edition=2)
    state = world.send("report.replaced", STREAM, OFFICE, **replaced)
    assert (state.status, state.replaced_by) == ("replaced", 2)
    assert refused(world, "replaced", **replaced)[0] == "not_allowed_in_state"


def test_a_report_is_issued_once(world):
    """After it was frozen, and not in the future."""
    assert refused(world, "issued", **ISSUED) == ("stream_not_started", "/subject")
    frozen(world)
    ahead = {"issued_at": "2017-11-24T08:00:00.000001Z"}
    where = ("instant_in_future", "/data/issued_at")
    assert refused(world, "issued", **ahead) == where
    assert world.send("report.issued", STREAM, OFFICE, **ISSUED).issued_at == world.now
    assert refused(world, "issued", **ISSUED)[0] == "not_allowed_in_state"


def test_a_unit_answers_what_it_was_asked(world):
    """Its own demands only, unless the office records it; never an unknown one."""
    frozen(world)
    assert refused(world, "answered", UNIT, **ANSWER)[0] == "not_allowed_in_state"
    world.send("report.issued", STREAM, OFFICE, **ISSUED)
    other = ANSWER | {"unit": "shifo"}
    where = ("report_answer_of_other_unit", "/data/unit")
    assert refused(world, "answered", UNIT, **other) == where
    unknown = ANSWER | {"item": "2"}
    where = ("report_item_unknown", "/data/item")
    assert refused(world, "answered", UNIT, **unknown) == where
    facts = {"facts": [{"stream": "commitment/none", "version": 1}]}
    assert refused(world, "answered", UNIT, **ANSWER, **facts)[0] == "fact_unknown"
    world.send("report.answered", STREAM, UNIT, **ANSWER)
    state = world.send("report.answered", STREAM, OFFICE, **other)
    assert state.answers == {("gouzhao", "1"), ("shifo", "1")}


def test_a_replaced_report_may_still_be_answered(world):
    """An answer on its way is not lost when an edition is put right."""
    frozen(world)
    world.send("report.issued", STREAM, OFFICE, **ISSUED)
    frozen(world, edition=2)
    world.send("report.replaced", STREAM, OFFICE, by_edition=2, reason="r")
    state = world.send("report.answered", STREAM, UNIT, **ANSWER)
    assert state.status == "replaced"
    assert state.answers == {("gouzhao", "1")}
