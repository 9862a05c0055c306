"""What few may read stays unread at every door, and is never hidden."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from events import catalogue
from events.canonical import parse
from events.merkle import leaf_hash
from services.api.restricted import RESTRICTED
from tests.api.conftest import BATCH, Api, Headers
from tests.support import scenario

PROOF = "77" * 32
SECRET = "Nobody shall read this (模拟数据)"
CASE = "accountability/ZZ-2017-01"
SOURCE = "urn:test:discipline"
AT = "2017-11-14T06:00:00Z"
OPENED = {
    "title": SECRET,
    "unit": "gouzhao",
    "fact_at": AT,
    "facts": [{"stream": "unit/gouzhao", "version": 1}],
}
HEARD = {"heard_at": AT, "summary": SECRET, "evidence": [PROOF]}
EXPORTS = ("ndjson", "csv", "xes", "ocel-json", "ocel-sqlite", "parquet", "oscal-poam")


@dataclass
class Case:
    """A log with a case of two events in its middle, and a key that may not read it."""

    api: Api
    position: int
    outsider: Headers
    insider: Headers

    def get(self, path: str, **query: str):
        """GET as the outsider; the secret must not be in the answer, whatever it is."""
        answer = self.api.get(path, self.outsider, **query)
        assert SECRET.encode() not in answer.content
        assert json.dumps(SECRET).encode() not in answer.content
        return answer

    def refused(self, path: str, **query: str) -> None:
        """The outsider is refused, and that is in the security log."""
        noted = len(self.api.security_lines())
        answer = self.get(path, **query)
        assert (answer.status_code, answer.json()["code"]) == (403, "restricted_kind")
        assert len(self.api.security_lines()) == noted + 1

    @property
    def stub(self) -> dict:
        """Return what stands in the place of the entry."""
        row = self.api.service.ledger.store.row(self.position)
        assert leaf_hash(row.entry) == row.leaf
        return {
            "position": self.position,
            "leaf_hash": row.leaf.hex(),
            "entry": None,
            "restricted": "accountability",
        }


@pytest.fixture
def case(api: Api) -> Case:
    """A case between the groundwork and a commitment."""
    units = map(scenario.unit_created, scenario.UNITS)
    api.load([*units, scenario.post_appointed("director", "hq")])
    writer = api.key(roles=["discipline"], scopes=scenario.ALL_SCOPES)
    steps = [
        scenario.event(
            f"henji.accountability.{what}.v1",
            CASE,
            data,
            event_id=f"case-{what}",
            source=SOURCE,
        )
        for what, data in (("opened", OPENED), ("statement_heard", HEARD))
    ]
    answer = api.post(steps, BATCH, headers=writer)
    assert answer.status_code == 201, answer.text
    api.load(scenario.delegated(scenario.loop("C-1")[:2]))
    return Case(
        api,
        answer.json()["items"][0]["position"],
        outsider=api.key(roles=["office"], scopes=["events:read"]),
        insider=api.key(roles=["discipline"], scopes=["events:read"]),
    )


def test_a_list_shows_a_stub_in_its_place(case):
    """Every position is there, the case's with its hash only; page by page too."""
    head = case.api.service.ledger.store.head().size
    seen, cursor = [], {}
    while not seen or cursor["cursor"]:
        page = case.get("/v1/events", limit="3", order="asc", **cursor).json()
        seen += page["data"]
        cursor = {"cursor": page["next_cursor"]}
    assert [item["position"] for item in seen] == list(range(1, head + 1))
    hidden = {item["position"]: item for item in seen if item["entry"] is None}
    assert hidden[case.position] == case.stub
    assert {item["restricted"] for item in hidden.values()} == {
        "access",
        "accountability",
    }


def test_who_may_read_a_kind_sees_it_whole(case):
    """The discipline inspection reads the case, and of keys only that they are there."""
    page = case.api.get("/v1/events", case.insider, limit=1000).json()
    shown = {item["position"]: item for item in page["data"]}
    assert shown[case.position]["entry"]["data"]["title"] == SECRET
    assert {item.get("restricted") for item in shown.values()} == {None, "access"}
    entry = case.api.get(f"/v1/entries/{case.position}", case.insider)
    assert parse(entry.content)["subject"] == CASE


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/stream", "/v1/exports/csv"])
@pytest.mark.parametrize(
    "filters",
    [
        {"type": "henji.accountability.*"},
        {"type": "henji.accountability.opened.v1"},
        {"stream": CASE},
        {"stream": "accountability/none"},
    ],
)
def test_asking_by_name_is_refused(case, path, filters):
    """By type or stream, whether there is such a one or not."""
    case.refused(path, **filters)


@pytest.mark.parametrize(
    "filters",
    [
        {"source": SOURCE},
        {"occurred_at[gte]": "2000-01-01T00:00:00Z"},
        {"occurred_at[lt]": "2100-01-01T00:00:00Z"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/stream"])
def test_a_search_by_what_a_stub_does_not_show_finds_no_stub(case, path, filters):
    """Else one could find out its source and its time by trying."""
    answer = (
        case.get(path, format="ndjson", **filters)
        if "stream" in path
        else (case.get(path, limit="1000", **filters))
    )
    assert answer.status_code == 200
    assert b"restricted" not in answer.content
    whole = (
        case.api.get(path, case.insider, follow="false", **filters)
        if ("stream" in path)
        else case.api.get(path, case.insider, limit=1000, **filters)
    )
    assert SECRET.encode() in whole.content


def test_a_search_by_what_a_stub_shows_finds_it(case):
    """By position, by when it was sealed, by a prefix that covers its whole kind."""
    for filters in (
        {"as_of": str(case.position)},
        {"ingested_at[gte]": "2017-01-01T00:00:00Z"},
        {"type": "henji.a*"},
    ):
        page = case.get("/v1/events", limit="1000", **filters).json()
        assert case.stub in page["data"]


def test_one_entry_is_refused_by_id_and_by_position(case):
    """Both doors, with and without the source."""
    case.refused("/v1/events/case-opened")
    case.refused("/v1/events/case-opened", source=SOURCE)
    case.refused(f"/v1/entries/{case.position}")


def test_every_entry_has_its_proof(case):
    """It says that the hash of the stub is in the log, and no more."""
    row = case.api.service.ledger.store.row(case.position)
    for path in ("/v1/events/case-opened/proof", f"/v1/entries/{case.position}/proof"):
        answer = case.get(path)
        assert answer.status_code == 200
        assert case.api.proves(answer.text, row.entry) >= case.position


def test_a_stream_goes_on_past_what_it_withholds(case):
    """SSE and NDJSON tell each position once; the stub has the id to resume from."""
    head = case.api.service.ledger.store.head().size
    answer = case.get("/v1/events/stream", format="ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["position"] for line in lines] == list(range(1, head + 1))
    assert lines[case.position - 1] == case.stub
    text = case.get("/v1/events/stream", follow="false").text
    frames = [frame.splitlines() for frame in text.split("\n\n") if "id: " in frame]
    assert [frame[0] for frame in frames] == [f"id: {n + 1}" for n in range(head)]
    _, event, data = frames[case.position - 1]
    assert event == "event: restricted"
    assert json.loads(data.removeprefix("data: ")) == case.stub
    rest = case.api.get(
        "/v1/events/stream",
        case.outsider | {"Last-Event-ID": str(case.position)},
        format="ndjson",
    )
    assert json.loads(rest.text.splitlines()[0])["position"] == case.position + 1


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_leave_it_out_and_say_so(case, name):
    """Neither the entry nor the state of the case is in any format."""
    answer = case.get(f"/v1/exports/{name}")
    assert answer.status_code == 200
    assert answer.headers["henji-withheld"] == "access, accountability"
    assert CASE.encode() not in answer.content
    assert b"C-1" in answer.content or name == "parquet"
    insider = case.api.get(f"/v1/exports/{name}", case.insider)
    assert insider.headers["henji-withheld"] == "access"
    auditor = case.api.get(f"/v1/exports/{name}")
    assert "henji-withheld" not in auditor.headers


def test_states_and_history_are_refused(case):
    """The state of a case, its history, and the list of cases."""
    case.refused("/v1/states/accountability", min_position=str(case.position))
    case.refused(f"/v1/states/{CASE}")
    case.refused(f"/v1/states/{CASE}/history")


def test_a_difference_names_no_event_of_a_case(case):
    """Differences are of commitments: their events, and no others."""
    end = str(case.api.service.ledger.store.head().size)
    answer = case.get("/v1/diff", **{"from": "0", "to": end})
    (row,) = answer.json()["data"]
    assert case.position not in row["events"]


def test_an_explanation_shows_a_stub(case, monkeypatch):
    """What a value rests on is counted, whoever may read it."""
    monkeypatch.setattr(
        "services.reporting.positions", lambda *_: [case.position, case.position + 2]
    )
    answer = case.get("/v1/reports/overview/explain", cell="by_unit/1/total")
    assert answer.json()["count"] == 2
    stub, whole = answer.json()["data"]
    assert stub == case.stub
    assert whole["position"] == case.position + 2


def test_uses_of_evidence_name_no_case(case):
    """That the content is used there, not in which case."""
    answer = case.get(
        f"/v1/evidence/{PROOF}/uses", min_position=str(case.position + 1)
    ).json()
    expected = {"position": case.position + 1, "restricted": "accountability"}
    assert answer["data"] == [expected]
    (use,) = case.api.get(f"/v1/evidence/{PROOF}/uses", case.insider).json()["data"]
    assert use["stream"] == CASE


def test_types_of_a_restricted_kind_are_known_by_their_names():
    """The filter by type is judged by this prefix, so no type may have another."""
    for row in catalogue.all_types():
        assert (row.kind in RESTRICTED) == any(
            row.name.startswith(f"henji.{kind}.") for kind in RESTRICTED
        )
