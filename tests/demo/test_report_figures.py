"""Every figure of every report, as it is served, against the generator's own answer."""

from __future__ import annotations

import copy
import json
from collections import Counter

import pytest

from projections.reports.registry import REPORTS as OFFERED
from services.demo.campaign.checking import Checked
from services.demo.campaign.doors import OverHttp, Within
from services.demo.campaign.expected.answer import Figures, Lines, rows
from services.demo.campaign.expected.table import REPORTS, Asked, answers
from services.demo.campaign.key import INSTANTS
from services.demo.campaign.reading import (
    MISSING,
    NOT_KEYED,
    NUMBERS,
    compared,
)
from services.demo.campaign.report_checks import moment

#: Many reports: on a busy machine it takes longer than most tests may.
pytestmark = pytest.mark.timeout(300)
#: All by what was recorded; one, with many late records, by what had happened as well.
MOMENTS = [*((name, "as_of") for name in INSTANTS), ("orange_alert", "as_at")]
ONE = {
    "name": "seals",
    "sections": [
        {
            "title": {"en": "Sites", "zh": "工地"},
            "blocks": [
                {"paragraph": {"en": "Of 2", "zh": "共2处"}},
                {
                    "figures": "totals",
                    "title": {"en": "All", "zh": "合计"},
                    "items": [{"key": "sites", "value": 2}],
                },
                {
                    "table": "sites",
                    "columns": [
                        {"key": "site", "kind": "text"},
                        {"key": "until", "kind": "date"},
                        {"key": "share", "kind": "percent"},
                    ],
                    "rows": [
                        {
                            "site": {"value": {"en": name, "zh": name}},
                            "until": {"value": "2018-03-15"},
                            "share": {"value": 0.5},
                        }
                        for name in ("S-001", "S-002")
                    ],
                },
                {
                    "chart": "coverage",
                    "series": [{"points": [{"label": "S-001", "value": 1}]}],
                },
            ],
        }
    ],
    "corrections": [],
}
SITES = [
    {"site": name, "until": "2018-03-15", "share": 1 / 2} for name in ("S-001", "S-002")
]
ANSWER = {
    "totals": Figures({"sites": 2}),
    "sites": rows("site", SITES),
    "coverage": Lines(([("S-001", 1)],)),
}


@pytest.fixture(scope="module", params=MOMENTS, ids="-".join)
def served(request, loaded, log):
    """A moment, with every report as it is made then."""
    name, clock = request.param
    door = Within(loaded.service)
    then = moment(door, log, name, clock=clock)
    return then, dict(door.reports(then.query, REPORTS))


def differing(report, answer, **more):
    """Return where a report and an answer differ."""
    return [one.where for one in compared(report, answer, **more) if not one.agrees]


def numbers(value):
    """Yield every number that a value of some JSON is, however deep."""
    if isinstance(value, dict):
        number = value.get("value")
        if isinstance(number, int | float) and not isinstance(number, bool):
            yield number
        for part in value.values():
            yield from numbers(part)
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part)


def test_every_figure_of_every_report_is_the_keys(served, ids):
    """Numbers, shares, instants, days and lights: none differs, none is unknown."""
    then, reports = served
    found = [
        one
        for asked, answer in then.answers.items()
        for one in compared(reports[asked], answer, ids)
    ]
    assert [one for one in found if not one.agrees] == []
    assert len(found) > 7_000


def test_no_number_of_a_report_is_left_out(served, ids):
    """As many numbers are compared as the JSON has, but for those listed by name."""
    then, reports = served
    for asked, answer in then.answers.items():
        there = sum(1 for _ in numbers(reports[asked]))
        held = sum(
            one.kind in NUMBERS and one.found is not None and one.found is not MISSING
            for one in compared(reports[asked], answer, ids)
        )
        assert there - held == (left_out(reports[asked])), asked


def left_out(report):
    """Return how many numbers of a report nobody can tell: of the service's own kinds."""
    kinds = {pattern.split("/")[2] for pattern in NOT_KEYED}
    return sum(
        2
        for section in report["sections"]
        for block in section["blocks"]
        if block.get("table") == "streams"
        for row in block["rows"]
        if row["kind"]["value"] in kinds
    )


def test_http_gives_what_is_made_within(loaded, log):
    """A client gets each report, value for value, as it is made in the process."""
    doors = OverHttp(loaded.client), Within(loaded.service)
    then = [moment(door, log, "slogan", of=()) for door in doors]
    assert then[0] == then[1]
    over_http, within = (dict(door.reports(then[0].query, REPORTS)) for door in doors)
    assert over_http == within


def test_every_report_has_an_answer():
    """What is offered is keyed, and nothing else."""
    assert {asked.name for asked in REPORTS} == set(OFFERED)


def test_the_answers_differ_from_moment_to_moment(log):
    """A key that says the same at all instants would hold a report to nothing."""
    asked = [one for one in REPORTS if one.name not in {"census", "relay"}]
    told = [
        answers(log, "as_of", INSTANTS[name], of=asked)
        for name in ("first_week", "year_end")
    ]
    same = {one.name for one in asked if told[0][one] == told[1][one]}
    assert same == set()


def test_a_report_that_agrees_has_no_difference():
    """The reader takes figures, rows in any order, and points."""
    turned = {**ANSWER, "sites": rows("site", reversed(SITES))}
    assert differing(ONE, turned) == []
    assert Counter(one.kind for one in compared(ONE, ANSWER)) == {
        "number": 2,
        "date": 2,
        "percent": 2,
    }


def test_a_wrong_figure_is_told_where_it_stands():
    """One number of a row is another one."""
    wrong = copy.deepcopy(ONE)
    wrong["sections"][0]["blocks"][2]["rows"][1]["share"]["value"] = 0.25
    assert differing(wrong, ANSWER) == ["seals/sites/S-002/share"]


def test_what_the_key_does_not_know_is_a_difference():
    """A row too many, and a block that nobody counted."""
    short = {**ANSWER, "sites": rows("site", SITES[:1])}
    del short["coverage"]
    assert differing(ONE, short) == [
        "seals/sites/S-002/until",
        "seals/sites/S-002/share",
        "seals/coverage/1/S-001",
    ]


def test_what_is_not_shown_is_a_difference():
    """A row too few, and a figure that is missing."""
    less = copy.deepcopy(ONE)
    del less["sections"][0]["blocks"][2]["rows"][0]
    less["sections"][0]["blocks"][1]["items"] = []
    del less["sections"][0]["blocks"][3]
    assert set(differing(less, ANSWER)) == {
        "seals/totals/sites",
        "seals/coverage/1/S-001",
        "seals/sites/S-001/until",
        "seals/sites/S-001/share",
    }


def test_a_difference_is_noted_as_json_can_tell_it():
    """The figures of the command have where it is, both values, and none for nothing."""
    done = Checked()
    for one in compared(ONE, {**ANSWER, "totals": Figures({"sites": 3, "left": 1})}):
        done.note(one)
    assert done.checks == 7
    assert json.loads(json.dumps(done.mismatches)) == [
        {"what": "seals/totals/sites", "expected": 3, "found": 2},
        {"what": "seals/totals/left", "expected": 1, "found": None},
    ]


def test_beside_another_log_its_rows_are_not_the_campaigns():
    """Rows that the key does not know may be another log's; its own must be there."""
    short = {**ANSWER, "sites": rows("site", SITES[:1])}
    assert differing(ONE, short, beside=True) == []
    more = {**ANSWER, "sites": rows("site", [*SITES, {**SITES[0], "site": "S-003"}])}
    assert differing(ONE, more, beside=True) == [
        "seals/sites/S-003/until",
        "seals/sites/S-003/share",
    ]


def test_places_in_the_log_are_told_by_the_event_that_is_there():
    """A position is another number in another ledger; the event is the same."""
    report = {
        "name": "burden",
        "sections": [
            {
                "blocks": [
                    {
                        "table": "late",
                        "columns": [{"key": "position", "kind": "int"}],
                        "rows": [{"position": {"value": 7}}],
                    }
                ]
            }
        ],
        "corrections": [],
    }
    answer = {"late": rows("", [{"position": "issue/W-1/1"}])}
    named = [one.found for one in compared(report, answer, {7: "issue/W-1/1"})]
    assert named == ["issue/W-1/1"]
    assert [one.found for one in compared(report, answer)] == []


def test_a_subject_is_asked_for_where_a_report_is_about_one():
    """Only the file of a subject is."""
    about = {one.name for one in REPORTS if one.query}
    assert about == {"subject_file"}
    assert Asked("seals").query == {}
