"""Reports over HTTP: which there are, their formats, their cuts, what values rest on."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from events.entries import rfc3339
from projections.reports.registry import REPORTS
from tests.support import scenario


@pytest.fixture
def reports(api):
    """A service with three commitments: closed, in progress, just registered."""
    boss = scenario.PEOPLE["boss"]
    units = map(scenario.unit_created, scenario.UNITS)
    api.load([*units, scenario.post_appointed(boss.post, boss.unit)])
    for key, steps in (("GX-1", 10), ("GX-2", 4), ("GX-3", 1)):
        api.load(scenario.delegated(scenario.loop(key)[:steps]))
    return api


def head(api) -> int:
    """Return the size of the log."""
    return api.service.ledger.store.head().size


def overview(api, format_: str = "json", **query: object):
    """Return the overview of all that is in the log, unless it is asked for less."""
    answer = api.get(f"/v1/reports/overview.{format_}", **{"as_of": head(api), **query})
    assert answer.status_code == 200, answer.text
    return answer


def figures(answer) -> dict[str, int]:
    """Return the headline figures of an answer."""
    (block,) = (
        block
        for section in answer.json()["sections"]
        for block in section["blocks"]
        if "figures" in block
    )
    return {item["key"]: item["value"] for item in block["items"]}


def test_the_list_names_every_report(reports):
    """GET /v1/reports has each report of the table, in both languages."""
    data = reports.get("/v1/reports").json()["data"]
    assert [row["name"] for row in data] == sorted(REPORTS)
    row = next(row for row in data if row["name"] == "overview")
    assert row["title"] == {"en": "Overview of commitments", "zh": "督办事项总览"}
    assert {"html", "json", "csv"} <= set(row["formats"])


@pytest.mark.parametrize("format_", REPORTS["overview"].formats)
def test_a_report_comes_in_each_of_its_formats(reports, format_):
    """Each format has its media type and the same bytes when asked for again."""
    first, again = overview(reports, format_), overview(reports, format_)
    assert first.content == again.content
    assert first.headers["etag"] == again.headers["etag"]
    assert first.headers["henji-position"] == str(head(reports))
    kinds = {"html": "text/html", "csv": "application/zip", "pdf": "application/pdf"}
    assert first.headers["content-type"].startswith(kinds.get(format_, "application/"))


def test_a_report_is_of_its_cut(reports):
    """As of an earlier position it says what stood then, whatever came since."""
    assert figures(overview(reports)) == {"registered": 3, "open": 2, "ended": 1}
    early = next(
        row.position
        for row in reports.service.ledger.store.rows(after=0, limit=1000)
        if row.stream == "commitment/GX-2"
    )
    before = overview(reports, as_of=early)
    assert figures(before) == {"registered": 2, "open": 1, "ended": 1}
    reports.load(scenario.delegated(scenario.loop("GX-4")[:1]))
    assert overview(reports, as_of=early).content == before.content


def test_a_report_leaves_out_what_had_not_happened(reports):
    """as_at gives what had happened by an instant, by all that is known now."""
    until = rfc3339(scenario.START + 2 * scenario.DAY)
    found = figures(overview(reports, as_at=until))
    assert found == {"registered": 3, "open": 3, "ended": 0}


def test_what_the_client_has_is_not_sent_again(reports):
    """If-None-Match with the tag of the cut is answered 304; a grown log has another."""
    tag = reports.get("/v1/reports/overview.html", as_of=head(reports)).headers["etag"]
    query = {"as_of": head(reports)}
    again = reports.get(
        "/v1/reports/overview.html", headers={"If-None-Match": tag}, **query
    )
    assert (again.status_code, again.content) == (304, b"")
    reports.load(scenario.delegated(scenario.loop("GX-4")[:1]))
    now = overview(reports, "html").headers["etag"]
    assert now != tag


def test_a_value_is_explained_by_its_events(reports):
    """explain lists the events behind a value, page by page, with their ids."""
    query = {"cell": "totals/registered/value", "as_of": head(reports)}
    answer = reports.get("/v1/reports/overview/explain", limit=2, **query).json()
    assert (answer["count"], answer["has_more"]) == (3, True)
    assert [row["id"] for row in answer["data"]] == [
        "GX-1-registered-0",
        "GX-2-registered-0",
    ]
    last = answer["data"][-1]["position"]
    rest = reports.get("/v1/reports/overview/explain", after=last, **query).json()
    assert [row["stream"] for row in rest["data"]] == ["commitment/GX-3"]
    assert not rest["has_more"]


def test_every_link_of_a_page_explains_a_value(reports):
    """Each link of the page answers, with at least one event."""
    page = overview(reports, "html", lang="en")
    links = {
        part.partition('"')[0].replace("&amp;", "&")
        for part in page.text.split('href="')[1:]
    } - {"#main"}
    assert links
    for link in sorted(links):
        answer = reports.client.get(
            urljoin("/v1/reports/overview.html", link), headers=reports.headers
        )
        assert answer.status_code == 200, link
        assert answer.json()["count"] > 0, link


def test_a_unit_is_all_that_is_asked_for(reports):
    """A unit without commitments has none; the language is that of the parameter."""
    assert figures(overview(reports, unit="city"))["registered"] == 0
    page = overview(reports, "html", lang="zh")
    assert page.headers["content-language"] == "zh"
    assert "督办事项总览" in page.text


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("nothing.html", {}, 404, "report_unknown"),
        ("nothing/explain", {"cell": "a/1/b"}, 404, "report_unknown"),
        ("overview.odt", {}, 406, "report_format_unavailable"),
        ("overview/explain", {"cell": "a/1/b"}, 404, "report_cell_unknown"),
        ("overview.csv", {"table": "nothing"}, 404, "report_table_unknown"),
        ("overview.html", {"as_of": 10**6}, 400, "position_ahead"),
        ("overview.html", {"as_at": "monday"}, 400, "invalid_parameter"),
        ("overview.html", {"lang": "fr"}, 400, "invalid_parameter"),
        ("overview.html", {"colour": "red"}, 400, "invalid_parameter"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(reports, path, query, status, code):
    """Each wrong question is told by its own code and status."""
    answer = reports.get(f"/v1/reports/{path}", **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["status"] == status


def test_reports_want_a_key_that_may_read(reports):
    """Without the scope to read there is no report."""
    headers = reports.key(scopes=["events:write"])
    answer = reports.client.get("/v1/reports/overview.html", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_the_report_of_cases_is_for_those_who_may_read_cases(api):
    """A key without one of the roles gets neither the report nor what it rests on."""
    viewer = api.key(roles=["viewer"], scopes=["events:read"])
    for path in ("accountability.json", "accountability/explain?cell=x"):
        answer = api.client.get(f"/v1/reports/{path}", headers=viewer)
        assert (answer.status_code, answer.json()["code"]) == (403, "restricted_kind")
    reader = api.key(roles=["discipline"], scopes=["events:read"])
    answer = api.client.get("/v1/reports/accountability.json", headers=reader)
    assert answer.status_code == 200
