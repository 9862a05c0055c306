"""Rules over HTTP: which there are, what is in force, whom they name and why."""

from __future__ import annotations

import secrets
from importlib.resources import files

import msgspec
import pytest
from starlette.testclient import TestClient

from events.domain import rulesets
from events.domain.policy_versions import content_sha256
from events.entries import instant, rfc3339
from projections.rules.names import names
from services.app import create_app
from services.keyring import KeySpec, create_key
from services.running import running
from services.settings import Settings
from tests.support import scenario

AT = "2017-11-24T18:00:00+08:00"


class Client:
    """A client in process whose key may do everything."""

    def __init__(self, service, http):
        self._http = http
        self._service = service
        self.headers = {}
        self.headers = self.key("adapter")

    def key(self, *roles, post=None):
        """Return the headers of a new key with some roles."""
        spec = KeySpec(
            name="test", roles=list(roles), scopes=scenario.ALL_SCOPES, post=post
        )
        _, shown = create_key(
            self._service.ledger, spec, random_bytes=secrets.token_bytes
        )
        return {"Authorization": f"Bearer {shown}"}

    def load(self, *events, headers=None):
        """Submit events; wait until the board shows them."""
        answer = self._http.post(
            "/v1/events",
            json=list(events),
            headers=(headers or self.headers)
            | {"Content-Type": "application/cloudevents-batch+json"},
        )
        assert answer.status_code in {200, 201}, answer.text
        self.head = answer.json()["items"][-1]["position"]

    def get(self, path, status=200, headers=None, **query):
        """GET a path as JSON."""
        answer = self._http.get(
            path, params=query or None, headers=self.headers | (headers or {})
        )
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def client(tmp_path):
    """Return a client of a fresh service."""
    settings = Settings(data_dir=tmp_path / "log", origin=scenario.ORIGIN)
    with (
        running(settings) as service,
        TestClient(create_app(service), raise_server_exceptions=False) as http,
    ):
        yield Client(service, http)


@pytest.fixture
def board(client):
    """Three commitments: one closed, one silent and late, one just registered."""
    boss = scenario.PEOPLE["boss"]
    client.load(
        *map(scenario.unit_created, scenario.UNITS),
        scenario.post_appointed(boss.post, boss.unit),
        *scenario.delegated(scenario.loop("GX-1")),
        *scenario.delegated(scenario.loop("GX-2", due="2017-11-16")[:4]),
        *scenario.delegated(scenario.loop("GX-3")[:1]),
    )
    return client


def test_every_rule_is_listed_with_what_it_reads(client):
    """As in the table of names, in both languages."""
    data = client.get("/v1/rules")["data"]
    assert [row["id"] for row in data] == list(names())
    inaction = next(row for row in data if row["id"] == "inaction")
    assert inaction["thresholds"] == ["inaction_days"]
    assert inaction["zh"].startswith("不作为")


def test_inaction_and_slow_action_explain_themselves(board):
    """Plan filed on Wednesday 11-15: five silent working days end with 11-22."""
    found = board.get("/v1/inaction", at=AT, min_position=board.head)
    lines = {row["rule"]: row for row in found["data"]}
    assert set(lines) == {"inaction@demo-2017/1", "slow_action@demo-2017/1"}
    assert {row["commitment"] for row in found["data"]} == {"GX-2"}
    idle = lines["inaction@demo-2017/1"]
    assert idle["reason"]["since"] == "2017-11-22T16:00:00.000000Z"
    # The last event of GX-2: after it only the registration of GX-3 was sealed.
    assert idle["events"] == [board.head - 1]
    assert lines["slow_action@demo-2017/1"]["reason"]["signs"] == ["overdue"]
    assert board.get("/v1/inaction", at="2017-11-16T12:00:00+08:00")["data"] == []
    assert board.get("/v1/inaction", at=AT, unit="nobody")["data"] == []


def brief(client, unit, *days, met=(), ended=None):
    """Define a daily brief of a unit, and schedule it for some days of November."""
    made = scenario.event
    key = f"daily_brief/{unit}"
    defined = {"kind": "daily_brief", "unit": unit, "rhythm": "daily"}
    defined |= {"title": "日研判（模拟数据）", "first_day": "2017-11-14"}
    stream = f"routine/{key}"
    name = "henji.routine.defined.v1"
    events = [made(name, stream, defined, event_id=stream)]
    for day in days:
        stream, date = f"obligation/{key}/2017-11-{day}", f"2017-11-{day}"
        owed = {"kind": "daily_brief", "unit": unit, "period": date}
        owed |= {"due": f"{date}T18:00:00+08:00"}
        name = "henji.obligation.scheduled.v1"
        events.append(made(name, stream, owed, event_id=stream))
        if day in met:
            at = f"{date}T17:00:00+08:00"
            done = {"met_at": at, "evidence": ["ab" * 32]}
            event_id, name = f"{stream}/met", "henji.obligation.met.v1"
            events.append(made(name, stream, done, event_id=event_id, time=instant(at)))
    if ended is not None:
        over = {"last_day": ended, "reason": "示例"}
        name, stream = "henji.routine.ended.v1", f"routine/{key}"
        events.append(made(name, stream, over, event_id=f"{stream}/ended"))
    client.load(*events, headers=client.key("adapter", "system", "office"))


def duties(client, at, **query):
    """Return the lines of daily duties at an instant."""
    found = client.get("/v1/inaction", at=at, min_position=client.head, **query)
    return [row for row in found["data"] if "duty" in row]


def test_a_silent_daily_duty_is_inaction_and_explains_itself(board):
    """Met on Tuesday 11-14, then nothing: two working days are over with 11-16."""
    begun = board.head
    brief(board, "gouzhao", 14, 15, 16, 17, met=(14,))
    assert duties(board, "2017-11-16T23:59:00+08:00") == []
    (line,) = duties(board, "2017-11-17T00:00:00+08:00")
    assert line["duty"] == "routine/daily_brief/gouzhao"
    assert (line["lead_unit"], line["value"]) == ("gouzhao", True)
    assert line["rule"] == "inaction.daily@demo-2017/1"
    assert line["reason"] == {
        "last_at": "2017-11-14T09:00:00.000000Z",
        "since": "2017-11-16T16:00:00.000000Z",
        "limit": 2,
    }
    # The brief of 11-14 that was met, and those of 11-15 and 11-16 that were not.
    assert line["events"] == [begun + 4, begun + 5, begun + 6]
    assert duties(board, "2017-11-17T00:00:00+08:00", unit="city") == []
    assert duties(board, "2017-11-17T00:00:00+08:00", as_of=str(begun)) == []


def test_a_daily_duty_that_has_ended_accuses_nobody(board):
    """From the end of its last day on it is on no list."""
    brief(board, "gouzhao", 14, 15, 16, 17, ended="2017-11-17")
    assert len(duties(board, "2017-11-17T20:00:00+08:00")) == 1
    assert duties(board, "2017-11-18T00:00:00+08:00") == []


def test_pages_of_inaction_go_on_with_daily_duties(board):
    """Commitments first, then each silent duty, once."""
    for unit in sorted(scenario.UNITS)[:3]:
        brief(board, unit, 14, 15, 16)
    seen, cursor = [], None
    for _ in range(9):
        query = {"cursor": cursor} if cursor else {}
        page = board.get(
            "/v1/inaction", at=AT, limit=1, min_position=board.head, **query
        )
        seen += [row.get("commitment") or row["duty"] for row in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert cursor is None
    assert seen == [
        "GX-2",
        "GX-2",
        *(f"routine/daily_brief/{unit}" for unit in sorted(scenario.UNITS)[:3]),
    ]


def test_the_sheet_that_is_due(board):
    """Due at the end of Thursday 11-16: red from the fifth working day, 11-23."""
    zh = {"Accept-Language": "zh"}
    path = "/v1/urging"
    (line,) = board.get(path, at=AT, min_position=board.head, headers=zh)["data"]
    assert line["rule"] == "urging.red@demo-2017/1"
    assert line["name"].startswith("逾期催办")
    assert line["value"]["level"] == "red"
    assert line["value"]["since"] == "2017-11-22T16:00:00.000000Z"
    assert (line["value"]["cycle"], line["value"]["sent"]) == (0, False)
    (blue,) = board.get(path, at="2017-11-17T00:01:00+08:00")["data"]
    assert blue["value"]["level"] == "blue"


def test_as_of_a_position_only_what_was_sealed_counts(board):
    """Before its registration it is on no list."""
    early = board.get("/v1/urging", at=AT, as_of=str(board.head - 5))
    assert (early["data"], early["position"]) == ([], board.head - 5)
    assert len(board.get("/v1/urging", at=AT, as_of=str(board.head))["data"]) == 1


def test_as_at_an_instant_only_what_had_happened_counts(board):
    """On 11-14 it was signed for and no plan was filed: idle from 11-21 on."""
    when = {"as_at": "2017-11-14T23:00:00+08:00", "at": AT}
    found = board.get("/v1/inaction", min_position=board.head, **when)["data"]
    (idle,) = [
        row
        for row in found
        if row["commitment"] == "GX-2" and row["rule"].startswith("inaction")
    ]
    assert idle["reason"]["since"] == "2017-11-21T16:00:00.000000Z"
    assert idle["events"] == [board.head - 2]


def test_pages_go_on_where_they_ended(board):
    """Three late commitments, one a page, each once."""
    for key in ("GX-7", "GX-8"):
        board.load(*scenario.delegated(scenario.loop(key, due="2017-11-16")[:4]))
    seen, cursor = [], None
    for _ in range(9):
        query = {"cursor": cursor} if cursor else {}
        page = board.get("/v1/urging", at=AT, limit=1, min_position=board.head, **query)
        seen += [row["commitment"] for row in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["GX-2", "GX-7", "GX-8"]
    other = board.get("/v1/inaction", status=400, at=AT, cursor="AAAA")
    assert other["code"] == "invalid_cursor"


def published(version, valid_from, **changes):
    """Return the publication and the activation of a version."""
    content = msgspec.to_builtins(rulesets.built_in()["demo-2017"])
    content |= {"version": version} | changes
    digest = content_sha256(content)
    common = {"version": version, "content_sha256": digest}
    publish = common | {"content": content, "valid_from": valid_from}
    return [
        scenario.event(
            f"henji.ruleset.{what}.v1",
            "ruleset/demo-2017",
            data,
            event_id=f"rules-{version}-{what}",
            time=None,
        )
        for what, data in (("published", publish), ("activated", common))
    ]


def test_a_ruleset_shows_its_versions_and_what_is_in_force(client):
    """The shipped one before the instant, the published one from it on."""
    first, second = published(2, "2017-12-01T00:00:00+08:00", red_returns=1)
    client.load(first, headers=client.key("admin"))
    client.load(second, headers=client.key("admin"))
    path = "/v1/rulesets/demo-2017"
    before = client.get(path, at="2017-11-30T23:59:59+08:00")
    after = client.get(path, at="2017-12-01T00:00:00+08:00")
    assert (before["in_force"], after["in_force"]) == ("demo-2017/1", "demo-2017/2")
    assert after["content"]["red_returns"] == 1
    assert [(row["version"], row["origin"]) for row in after["versions"]] == [
        (1, "built_in"),
        (2, "published"),
    ]
    assert after["versions"][1]["valid_from"] == rfc3339(1_512_057_600_000_000)
    (listed,) = client.get("/v1/rulesets", at="2017-12-24T00:00:00Z")["data"]
    assert listed["in_force"] == "demo-2017/2"


def test_the_board_is_judged_by_the_ruleset_in_force(board):
    """The light cites the version in force at the instant that is asked about."""
    first, second = published(2, "2017-11-24T00:00:00+08:00")
    board.load(first, headers=board.key("admin"))
    board.load(second, headers=board.key("admin"))
    for at, version in (("2017-11-23T12:00:00Z", 1), ("2017-11-24T12:00:00Z", 2)):
        query = {"at": at, "min_position": board.head}
        light = board.get("/v1/commitments/GX-2", **query)["light"]
        assert light["rule"] == f"light.past_due@demo-2017/{version}"


def test_an_unknown_ruleset_is_said_so(client):
    """With a code that tells where the known ones are."""
    assert client.get("/v1/rulesets/none", status=404)["code"] == "ruleset_not_found"


def test_the_table_of_names_ships_with_the_package():
    """It is package data beside the modules."""
    assert files("projections.rules").joinpath("names.toml").is_file()
