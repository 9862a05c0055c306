"""Moments over HTTP: states of any kind, the board by both clocks, differences."""

from __future__ import annotations

import pytest

from events.entries import rfc3339
from projections.state_codec import STATES
from services.api.restricted import RESTRICTED
from tests.support import scenario

DAY = scenario.DAY


def head(api) -> int:
    """Return the size of the log."""
    return api.service.ledger.store.head().size


def got(api, path: str, **query: object) -> dict:
    """Return the answer to a read that must succeed, once everything is in."""
    waits = not path.endswith(("history", "counts", "diff"))
    current = {"min_position": head(api)} if waits else {}
    answer = api.get(path, **current, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(api, path: str, headers=None, **query: object) -> tuple[int, str]:
    """Return status and code of a read that must fail."""
    answer = api.get(path, headers, **query)
    return answer.status_code, answer.json()["code"]


def prompt(event: dict) -> dict:
    """Return an event that was written down when it happened."""
    return {**event, "recordedtime": event["time"]}


def on(day: float) -> str:
    """Return an instant so many days after the scenario began."""
    return rfc3339(scenario.START + int(day * DAY))


@pytest.fixture
def board(api):
    """Units; one commitment kept; one whose progress was recorded out of order."""
    boss = scenario.PEOPLE["boss"]
    units = map(scenario.unit_created, scenario.UNITS)
    api.load([*units, scenario.post_appointed(boss.post, boss.unit)])
    api.load(map(prompt, scenario.delegated(scenario.loop("GX-1"))))
    begun = list(scenario.delegated(scenario.loop("GX-2")))[:5]
    api.load(map(prompt, begun[:4]))
    progress = begun[4]
    api.load([prompt({**progress, "id": "first", "time": on(6)})])
    back = {**progress, "id": "second", "time": on(2), "recordedtime": on(7)}
    back["data"] = {**progress["data"], "percent": 80}
    api.load([back])
    return api


def test_a_commitment_as_it_was_at_an_instant(board):
    """`as_at` counts what had happened by then, whenever it was recorded."""
    steps = scenario.loop("GX-1")
    for number, step in enumerate(steps):
        then = step.event["time"]
        body = got(board, "/v1/commitments/GX-1", as_at=then)
        assert body["status"] == step.status
        assert body["streamversion"] == number + 1
    before = rfc3339(scenario.START - 1)
    assert refused(board, "/v1/commitments/GX-1", as_at=before) == (
        404,
        "commitment_not_found",
    )
    percents = [
        got(board, "/v1/commitments/GX-2", as_at=on(day))["percent"]
        for day in (1.5, 4, 6.5)
    ]
    assert percents == [None, 80, 80]
    last = head(board) - 1
    known = got(board, "/v1/commitments/GX-2", as_at=on(4), as_of=str(last))
    assert known["percent"] is None


def test_the_board_and_its_counts_by_the_second_clock(board):
    """Lists and counts agree at each instant; filters and pages hold."""
    for day, statuses in (
        (-1, []),
        (0.5, ["signed", "signed"]),
        (1.5, ["in_progress", "in_progress"]),
        (3.5, ["claimed", "in_progress"]),
        (99, ["closed", "in_progress"]),
    ):
        listed = got(board, "/v1/commitments", as_at=on(day))
        assert [row["status"] for row in listed["data"]] == statuses
        assert listed["at"] == on(day)
        counted = got(board, "/v1/commitments/counts", as_at=on(day))
        assert counted["registered"] == len(statuses)
        assert sum(one["count"] for one in counted["data"]) == len(statuses)
        assert {one["status"] for one in counted["data"]} == set(statuses)
    first = got(board, "/v1/commitments", as_at=on(99), limit=1)
    assert [row["key"] for row in first["data"]] == ["GX-1"]
    rest = got(
        board, "/v1/commitments", as_at=on(99), limit=1, cursor=first["next_cursor"]
    )
    assert [row["key"] for row in rest["data"]] == ["GX-2"]
    assert not rest["has_more"]
    closed = got(board, "/v1/commitments", as_at=on(99), status="closed")
    assert [row["key"] for row in closed["data"]] == ["GX-1"]
    assert refused(board, "/v1/commitments", as_at=on(1), order="due") == (
        400,
        "as_at_by_key_only",
    )
    for path in ("/v1/commitments", "/v1/states/unit", "/v1/commitments/GX-1"):
        assert refused(board, path, as_at="yesterday") == (400, "invalid_parameter")


def test_late_records_are_marked_and_counted(board):
    """What was written down more than three days after it happened is 补录."""
    for path in ("/v1/commitments/GX-2/history", "/v1/states/commitment/GX-2/history"):
        got(board, "/v1/commitments")
        body = got(board, path)
        marks = [line["late_record"] for line in body["data"]]
        assert marks == [False] * 5 + [True]
        assert body["late_records"] == 1
        page = got(board, path, limit=2)
        assert (len(page["data"]), page["has_more"]) == (2, True)
        assert page["late_records"] == 1
        then = got(board, path, as_of=str(head(board) - 1))
        assert (len(then["data"]), then["late_records"]) == (5, 0)
        happened = got(board, path, as_at=on(4))
        assert [line["late_record"] for line in happened["data"]] == [False] * 4 + [
            True
        ]


def test_every_kind_can_be_listed_now_and_then(board):
    """Unknown kinds are named; the others answer, by each clock."""
    got(board, "/v1/states/unit")
    auditor = board.key(roles=["auditor", "adapter"])
    for kind in STATES:
        for query in ({}, {"as_of": "5"}, {"as_at": on(3)}):
            answer = board.get(f"/v1/states/{kind}", auditor, **query)
            assert answer.status_code == 200, answer.text
    assert refused(board, "/v1/states/person") == (404, "stream_kind_unknown")
    assert refused(board, "/v1/states/person/x") == (404, "stream_kind_unknown")
    assert refused(board, "/v1/states/external") == (404, "stream_kind_unknown")


def test_states_are_listed_in_pages_with_filters(board):
    """By key, narrowed by status and unit; the cursor belongs to its question."""
    units = got(board, "/v1/states/unit", limit=2)
    keys = [row["key"] for row in units["data"]]
    while units["has_more"]:
        units = got(board, "/v1/states/unit", limit=2, cursor=units["next_cursor"])
        keys += [row["key"] for row in units["data"]]
    assert keys == sorted(scenario.UNITS)
    (row,) = got(board, "/v1/states/commitment", status="closed")["data"]
    assert (row["key"], row["status"], row["unit"]) == ("GX-1", "closed", "gouzhao")
    assert row["state"]["closed_at"] is not None
    assert (
        got(board, "/v1/states/commitment", unit="gouzhao")["data"][1]["key"] == "GX-2"
    )
    assert got(board, "/v1/states/commitment", unit="hq")["data"] == []
    then = got(board, "/v1/states/commitment", as_at=on(3.5))["data"]
    assert [row["status"] for row in then] == ["claimed", "in_progress"]
    assert got(board, "/v1/states/commitment", as_at=on(-1))["data"] == []
    first = got(board, "/v1/states/unit", limit=2)
    assert refused(board, "/v1/states/post", cursor=first["next_cursor"]) == (
        400,
        "invalid_cursor",
    )


def test_one_state_names_its_events(board):
    """G11: the positions of all its events, at the moment asked about."""
    now = got(board, "/v1/states/commitment/GX-1")
    history = got(board, "/v1/states/commitment/GX-1/history")
    positions = [line["position"] for line in history["data"]]
    assert now["events"] == positions
    assert (now["position"], now["kind"]) == (positions[-1], "commitment")
    then = got(board, "/v1/states/commitment/GX-1", as_of=str(positions[2]))
    assert (then["status"], then["events"]) == ("signed", positions[:3])
    happened = got(board, "/v1/states/commitment/GX-1", as_at=on(1.5))
    assert (happened["status"], happened["events"]) == ("in_progress", positions[:4])
    early = str(positions[0] - 1)
    assert refused(board, "/v1/states/commitment/GX-1", as_of=early) == (
        404,
        "state_not_found",
    )
    for path in ("unit/nobody", "unit/nobody/history", "metric/pm10/zone/2017-11-24"):
        assert refused(board, f"/v1/states/{path}") == (404, "state_not_found")


def test_keys_with_slashes_are_found(api):
    """A reading's key has three parts; its history is asked for behind them."""
    (example,) = [
        made
        for made in scenario_examples("henji.metric.recorded.v1")
        if made["id"] == "example-1"
    ]
    later = rfc3339(scenario.START + 20 * DAY)
    (item,) = api.load([{**example, "source": scenario.SOURCE, "time": later}])
    stream = item["stream"]
    row = got(api, f"/v1/states/{stream}")
    assert (row["stream"], row["key"]) == (stream, stream.partition("/")[2])
    assert row["unit"] is None  # It is measured in µg/m³, which is no unit of ours.
    assert len(got(api, f"/v1/states/{stream}/history")["data"]) == 1


def scenario_examples(name: str) -> list[dict]:
    """Return the catalogue's examples of a type."""
    from events import catalogue

    return catalogue.examples(name)


@pytest.mark.parametrize("kind", sorted(RESTRICTED))
def test_restricted_kinds_are_for_some_roles_only(api, kind):
    """403 for list, state and history, written to the security log; else not."""
    for role in ("office", "discipline", "headquarters", "auditor", "admin"):
        allowed = role in RESTRICTED[kind]
        key = api.key(roles=[role], scopes=["events:read"])
        for path in (
            f"/v1/states/{kind}",
            f"/v1/states/{kind}/X-1",
            f"/v1/states/{kind}/X-1/history",
        ):
            answer = api.get(path, key)
            assert (answer.status_code == 403) == (not allowed), answer.text
            if not allowed:
                assert answer.json()["code"] == "restricted_kind"
                assert role not in answer.json()["parameters"]["needed"]
    assert any(line["code"] == "restricted_kind" for line in api.security_lines())


def test_states_need_a_key_that_reads(api):
    """401 without a key, 403 without the scope."""
    writer = api.key(scopes=["events:write"])
    for path in (
        "/v1/states/unit",
        "/v1/states/unit/x",
        "/v1/states/unit/x/history",
        "/v1/diff",
    ):
        query = {"from": "0", "to": "0"} if path == "/v1/diff" else {}
        assert api.client.get(path, params=query).status_code == 401
        assert refused(api, path, writer, **query) == (403, "scope_missing")


def test_a_difference_names_what_changed_and_by_which_events(board):
    """Two moments, the counts at both, and each commitment that differs."""
    end = head(board)
    body = got(board, "/v1/diff", **{"from": "0", "to": str(end)})
    assert [row["key"] for row in body["data"]] == ["GX-1", "GX-2"]
    kept, running = body["data"]
    assert (kept["before"], kept["after"]["status"]) == (None, "closed")
    assert kept["changes"] == ["added", "finished", "ended"]
    assert kept["events"] == got(board, "/v1/states/commitment/GX-1")["events"]
    assert (running["changes"], running["late_records"]) == (["added"], [end])
    assert (body["before"], body["after"]) == ({}, {"closed": 1, "in_progress": 1})
    totals = body["totals"]
    assert (totals["added"], totals["finished"], totals["events"]) == (2, 1, 16)
    assert totals["late_records"] == 1
    first = kept["events"][0]
    some = got(board, "/v1/diff", **{"from": str(first), "to": str(first + 1)})
    (row,) = some["data"]
    assert row["changes"] == ["status"]
    assert (row["before"]["status"], row["after"]["status"]) == ("draft", "issued")
    assert (some["before"], some["after"]) == ({"draft": 1}, {"issued": 1})
    nothing = got(board, "/v1/diff", **{"from": str(end), "to": str(end)})
    assert (nothing["data"], nothing["before"]) == ([], nothing["after"])


def test_differences_come_in_pages_and_of_instants(board):
    """An instant is the last position sealed by it; the cursor goes on by key."""
    end = head(board)
    sealed = board.get(f"/v1/entries/{end}").json()["ingestedtime"]
    whole = got(board, "/v1/diff", **{"from": "0", "to": sealed})
    assert whole["to"] == end
    query = {"from": "2017-01-01T00:00:00Z", "to": sealed, "limit": 1}
    page = got(board, "/v1/diff", **query)
    assert (page["from"], page["has_more"]) == (0, True)
    rest = got(board, "/v1/diff", **query, cursor=page["next_cursor"])
    assert page["data"] + rest["data"] == whole["data"]
    assert not rest["has_more"]


def test_moments_that_make_no_span_are_refused(board):
    """Reversed, ahead, missing or unreadable moments each have their error."""
    end = head(board)
    for query, code in (
        ({"from": str(end), "to": "1"}, "moments_reversed"),
        ({"from": "1", "to": str(end + 1)}, "position_ahead"),
        ({"from": "1"}, "invalid_parameter"),
        ({"from": "x", "to": "1"}, "invalid_parameter"),
    ):
        assert refused(board, "/v1/diff", **query) == (400, code)
