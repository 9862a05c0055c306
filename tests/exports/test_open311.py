"""Issues as service requests: mapping, filters, both notations, moments of the past."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from events import errors
from events.domain import codelists
from events.store import Selection
from services.exports import open311
from services.exports.job import pin
from services.exports.open311 import Asked
from tests.support import scenario

DAY = scenario.DAY
FIELDS = {
    "service_request_id",
    "status",
    "status_notes",
    "service_name",
    "service_code",
    "description",
    "agency_responsible",
    "service_notice",
    "requested_datetime",
    "updated_datetime",
    "expected_datetime",
    "address",
    "address_id",
    "zipcode",
    "lat",
    "long",
    "media_url",
}


@pytest.fixture
def asked(small):
    """Return what asks the small log, now or at a position; the records by id."""

    def ask(position=None, language="en", **narrow):
        found = open311.requests(
            small,
            pin(small, position),
            Asked(**narrow),
            language=language,
            base="http://henji.example/",
        )
        return {record["service_request_id"]: record for record in found}

    return ask


def test_an_issue_is_a_request(asked):
    """Every field of GeoReport, from what the issue's events say."""
    record = asked()["W-1"]
    assert record.keys() == FIELDS
    assert record["status"] == "open"
    assert record["status_notes"] == "handed_over: Cover it."
    assert record["agency_responsible"] == "gouzhao"
    assert record["requested_datetime"] == "2017-11-14T07:00:00.000000Z"
    assert record["updated_datetime"] == "2017-11-15T07:00:00.000000Z"
    assert record["expected_datetime"] == "2017-11-27T16:00:00.000000Z"
    assert (record["lat"], record["long"]) == (34.81, 113.55)
    assert record["media_url"] == "http://henji.example/v1/evidence/" + "5e" * 32
    assert record["service_name"] == "Bare earth not covered"
    assert asked(language="zh")["W-1"]["service_name"] == "裸露土方未覆盖"


def test_newest_first(asked):
    """By when they were requested, whatever order they were sealed in."""
    assert list(asked()) == ["W-3", "W-2", "W-1"]


@pytest.mark.parametrize(
    ("narrow", "found"),
    [
        ({"statuses": ("open",)}, ["W-3", "W-1"]),
        ({"statuses": ("closed",)}, ["W-2"]),
        ({"statuses": ("open", "closed")}, ["W-3", "W-2", "W-1"]),
        ({"codes": ("open_burning",)}, ["W-2"]),
        ({"ids": ("W-1", "W-9", "W-1")}, ["W-1"]),
        ({"since": scenario.START + 2 * DAY}, ["W-3", "W-2"]),
        ({"before": scenario.START + 2 * DAY}, ["W-1"]),
        ({"since": scenario.START + 1, "before": scenario.START + 3 * DAY}, ["W-2"]),
    ],
)
def test_filters_narrow(asked, narrow, found):
    """Each filter narrows; bounds are half-open."""
    assert list(asked(**narrow)) == found


def test_a_past_moment_shows_what_was_known(small, asked):
    """Before it was revoked, the second one was open."""
    revoked = small.select(Selection(types=("henji.issue.revoked.v1",)), limit=1)[0]
    assert asked(revoked.position)["W-2"]["status"] == "closed"
    assert asked(revoked.position - 1)["W-2"]["status"] == "open"
    assert asked(1) == {}


def test_services_are_the_published_categories():
    """Each code of the lists once, named in the language asked for."""
    english, chinese = open311.services("en"), open311.services("zh")
    codes = [
        code
        for table in codelists.published().values()
        if table.name == "issue-category"
        for code in table.codes
    ]
    assert [one["service_code"] for one in english] == list(dict.fromkeys(codes))
    assert english[0]["service_name"] != chinese[0]["service_name"]
    assert {one["metadata"] for one in english} == {False}


def test_both_notations_say_the_same(asked):
    """An XML element for each JSON member; null is empty; nothing breaks the document."""
    records = list(asked().values())
    records[0] |= {"description": "a < b & c\x07"}
    told = json.loads(open311.as_json("service_requests", records))
    root = ET.fromstring(open311.as_xml("service_requests", records))
    assert root.tag == "service_requests"
    assert [one.tag for one in root] == ["request"] * len(records)
    for record, element in zip(told, root, strict=True):
        shown = {child.tag: child.text for child in element}
        assert shown == {
            name: None if value is None else str(value).replace("\x07", "\ufffd")
            for name, value in record.items()
        }
    services = ET.fromstring(open311.as_xml("services", open311.services("en")))
    assert services.find("service/metadata").text == "false"


def test_no_more_than_the_most_are_given(asked, monkeypatch):
    """The newest of them, as GeoReport says."""
    monkeypatch.setattr(open311, "MOST", 2)
    assert list(asked()) == ["W-3", "W-2"]


def test_a_question_over_too_much_must_be_narrowed(small, asked, monkeypatch):
    """It is refused, not cut short in silence."""
    monkeypatch.setattr(open311, "_MOST_SCANNED", 2)
    with pytest.raises(errors.Malformed) as caught:
        asked()
    assert caught.value.code == "open311_range_too_wide"
    assert list(asked(since=scenario.START + 2 * DAY)) == ["W-3", "W-2"]
