"""The reports of supervision against the campaign's own answer key, by both clocks.

The key is counted by the generator while it makes each event; here the same campaign is
folded from its entries alone and reported on.
"""

from __future__ import annotations

from functools import cache

import pytest

from events import entries
from events.domain.accountability import FORMS
from events.store import Row
from projections.cut_world import LogWorld
from projections.reports.model import Question
from projections.reports.registry import named
from projections.world import Cut
from services.demo.campaign.key import INSTANTS, answers
from services.demo.campaign.script import build
from tests.reports.makers.books import ROOT, _Rows, found, zh
from tests.reports.makers.hand import figure

CUTS = [(name, clock) for name in INSTANTS for clock in ("as_of", "as_at")]
#: Periods that hold all of the campaign.
YEARS = ("2017", "2018")
#: Figure of the census -> its name in the key.
CENSUS = {
    "listed": "listed",
    "visited": "visited",
    "missing": "not_found",
    "new": "newly_found",
    "finished": "finished",
}


@cache
def campaign():
    """Return the generator's log and its entries."""
    log = build()
    versions, rows = {}, []
    for position, sent in enumerate(log.sent(), start=1):
        event = sent.event
        stream = event["subject"]
        version = versions[stream] = versions.get(stream, 0) + 1
        recorded = event["recordedtime"]
        entry = entries.compose(
            event,
            stream=stream,
            version=version,
            ingested_text=recorded,
            authid="k",
            stamps={},
        )
        occurred, ingested = entries.instant(event["time"]), entries.instant(recorded)
        kept = (event["type"], event["source"], event["id"], occurred, ingested)
        rows.append(Row(position, stream, version, *kept, b"\0" * 32, entry))
    return log, rows


@cache
def answered(name, clock):
    """Return the world of a cut and what the key says of it."""
    log, rows = campaign()
    instant = INSTANTS[name]
    if clock == "as_of":
        cut = Cut(sum(row.ingested <= instant for row in rows), ROOT, instant)
    else:
        cut = Cut(len(rows), ROOT, instant, instant)
    key = answers(log.tally.table(clock, instant), instant)
    return LogWorld(_Rows(rows), cut), key


def made(name, world, period="2017-W47"):
    """Return a report of a cut."""
    return named(name).make(world, Question(period))


def figures(report, block, *items):
    """Return headline figures by name, those that are not 0."""
    told = {item: figure(report, block, item) for item in items}
    return {item: value for item, value in told.items() if value}


@pytest.fixture(params=CUTS, ids="-".join, scope="module")
def cut(request):
    """Return a world and its key, at each instant by each clock."""
    return answered(*request.param)


def test_replay_has_every_commitment_and_event(cut):
    """Statuses add up to what is registered, kinds to the whole log."""
    world, key = cut
    report = made("replay", world)
    expected = key["commitment"]
    told = figures(report, "statuses", *expected["by_status"], "all")
    assert told == expected["by_status"] | {"all": expected["registered"]}
    kinds = {row["kind"]: row["events"] for row in found(report, "streams")}
    assert kinds == key["event"]["by_kind"]


def test_measures_stand_as_the_key_says(cut):
    """Required, taken in time, exempted and checked, alert by alert."""
    world, key = cut
    rows = {row["alert"]: row for row in found(made("alert_measures", world), "alerts")}
    assert rows.keys() == key["alert"].keys()
    for alert, expected in key["measure"].items():
        row = rows[alert]
        assert row["required"] == expected["required"]
        assert row["applied"] == expected["applied"]
        assert row["applied_in_time"] == expected["applied_in_time"]
        assert row["exempted"] == expected["exempted"]
        assert row["checked"] == sum(expected["checks"].values())
        assert row["kept"] == expected["checks"].get("kept", 0)


def test_cases_have_the_forms_of_the_key(cut):
    """Cases, forms in force, appeals and their outcomes."""
    world, key = cut
    report, expected = made("accountability", world), key["case"]
    assert len(found(report, "cases")) == expected["cases"]
    codes = {chinese: code for code, (_, chinese) in FORMS.items()}
    forms = {codes[zh(row["form"])]: row["cases"] for row in found(report, "forms")}
    assert forms == expected["by_form"]
    assert figure(report, "totals", "appealed") == expected["appealed"]
    outcomes = figures(report, "totals", "upheld", "changed", "revoked")
    assert outcomes == expected["appeals"]


def test_sites_are_sealed_until_the_day_of_the_key(cut):
    """I11: every site's last day, and the violations by status."""
    world, key = cut
    report = made("seals", world)
    told = {row["site"]: row["seal_until"] for row in found(report, "sites")}
    assert told == key["seal"]["until"]
    assert figure(report, "totals", "exempted") == key["seal"]["exempted"]
    counting = figure(report, "totals", "counting")
    assert counting == key["violation"].get("confirmed", 0)


def test_the_census_counts_what_the_key_counts(cut):
    """Listed, visited, missing, new, and cells that are finished."""
    world, key = cut
    report, expected = made("census", world), key["census"]
    told = {name: figure(report, "totals", name) for name in CENSUS}
    assert told == {name: expected[of] for name, of in CENSUS.items()}


def test_every_relay_and_point_is_counted(cut):
    """Directives passed on and studied; points of patrols over both years."""
    world, key = cut
    report = made("relay", world)
    relays = figure(report, "totals", "relays"), figure(report, "totals", "reads")
    assert relays == (key["directive"]["relayed"], key["directive"]["read"])
    walked = [made("patrol", world, year) for year in YEARS]
    assert (
        sum(figure(one, "totals", "points") for one in walked) == key["point"]["points"]
    )


def test_late_records_are_those_of_the_key(cut):
    """补录 over both years; reuse is found by the service, so there is none here."""
    world, key = cut
    reports = [made("burden", world, year) for year in YEARS]
    late = sum(figure(one, "totals", "late") for one in reports)
    assert late == key["event"]["late"]


def test_relapses_are_those_of_the_key(cut):
    """Look-backs that found a relapse; and every look-back in some theme."""
    world, key = cut
    report, expected = made("lookback", world), key["commitment"]["lookbacks"]
    assert len(found(report, "relapsed")) == expected.get("relapsed", 0)
    assert zh(report.title) == "回头看覆盖情况"
    themes = found(report, "themes")
    assert sum(row["closed"] for row in themes) == figure(report, "overall", "closed")
