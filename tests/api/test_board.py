"""The board over HTTP: lists, one commitment, its past, counts, units, projections."""

from __future__ import annotations

import pytest

from events.entries import rfc3339
from projections.views import Views
from tests.support import scenario

LATE = "2017-11-16"


def administration(api) -> None:
    """Found the units of the scenario, and appoint who approves a close."""
    boss = scenario.PEOPLE["boss"]
    units = map(scenario.unit_created, scenario.UNITS)
    api.load([*units, scenario.post_appointed(boss.post, boss.unit)])


@pytest.fixture
def board(api):
    """Three commitments: one closed, one in progress and late, one just registered."""
    administration(api)
    api.load(scenario.delegated(scenario.loop("GX-1")))
    api.load(scenario.delegated(scenario.loop("GX-2", due=LATE)[:4]))
    api.load(scenario.delegated(scenario.loop("GX-3", title="Plant trees")[:1]))
    return api


def head(api) -> int:
    """Return the size of the log."""
    return api.service.ledger.store.head().size


def listed(api, **query: object) -> list[str]:
    """Return the keys on the board, once it is up to date."""
    answer = api.get("/v1/commitments", min_position=head(api), **query)
    assert answer.status_code == 200, answer.text
    return [row["key"] for row in answer.json()["data"]]


def test_what_was_written_is_read_with_min_position(board):
    """min_position makes a read include one's own write, each time."""
    for number in range(4, 14):
        (step,) = scenario.delegated(scenario.loop(f"GX-{number}")[:1])
        position = board.post(step).json()["position"]
        answer = board.get(f"/v1/commitments/GX-{number}", min_position=position)
        assert answer.status_code == 200
        assert answer.json()["status"] == "draft"


def test_a_position_to_come_is_refused_at_once(board):
    """Waiting for what nobody wrote, or asking what will have been, is an error."""
    ahead = head(board) + 1
    for query in ({"min_position": ahead}, {"as_of": str(ahead)}):
        for path in ("/v1/commitments", "/v1/commitments/GX-1"):
            answer = board.get(path, **query)
            assert (answer.status_code, answer.json()["code"]) == (
                400,
                "position_ahead",
            )


def test_a_board_that_is_behind_says_so(board, monkeypatch):
    """503 with Retry-After when the read models do not come in time."""

    def late(*_args: object, **_more: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(Views, "wait", late)
    answer = board.get("/v1/commitments", min_position=1)
    assert (answer.status_code, answer.json()["code"]) == (503, "projection_behind")
    assert "retry-after" in answer.headers


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, ["GX-1", "GX-2", "GX-3"]),
        ({"status": "closed"}, ["GX-1"]),
        ({"status": ["closed", "draft"]}, ["GX-1", "GX-3"]),
        ({"unit": "gouzhao"}, ["GX-1", "GX-2", "GX-3"]),
        ({"unit": "nobody"}, []),
        ({"kind": "supervision"}, ["GX-1", "GX-2", "GX-3"]),
        ({"q": "TREES"}, ["GX-3"]),
        ({"q": "x-2"}, ["GX-2"]),
        ({"q": "%"}, []),
        ({"due_before": "2017-12-01T00:00:00Z"}, ["GX-2"]),
        ({"due_from": "2017-12-01T00:00:00Z"}, ["GX-1", "GX-3"]),
        ({"schedule": "overdue", "at": "2017-11-20T00:00:00Z"}, ["GX-2"]),
        ({"schedule": "overdue", "at": "2017-11-15T00:00:00Z"}, []),
        ({"light": "red", "at": "2017-11-20T00:00:00Z"}, ["GX-2"]),
        ({"schedule": "finished_on_time"}, ["GX-1"]),
        ({"order": "due"}, ["GX-2", "GX-1", "GX-3"]),
    ],
)
def test_filters_choose_from_the_board(board, query, keys):
    """Each filter narrows; several values of one mean any of them."""
    assert listed(board, **query) == keys


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "light=purple",
        "schedule=late",
        "colour=red",
        "order=age",
        "due_from=2017-12-01",
        "at=now",
        "as_of=yesterday",
        "q=a&q=b",
        "limit=0",
    ],
)
def test_a_mistyped_question_is_an_error(api, query):
    """What the board does not know it refuses; nobody is shown an empty board by it."""
    answer = api.get(f"/v1/commitments?{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] in {"invalid_parameter", "repeated_parameter"}


@pytest.mark.parametrize("order", ["key", "due"])
def test_pages_of_the_board_are_the_board(board, order):
    """Pages of any size show each commitment once, in order, and end."""
    wanted = listed(board, order=order)
    for limit in (1, 2, 3):
        found, query = [], {"limit": limit, "order": order}
        while True:
            answer = board.get("/v1/commitments", **query)
            body = answer.json()
            found += [row["key"] for row in body["data"]]
            assert ("link" in answer.headers) is body["has_more"]
            if not body["has_more"]:
                break
            query["cursor"] = body["next_cursor"]
        assert found == wanted


def test_a_cursor_of_the_board_is_good_for_its_question_only(board):
    """Another filter, order or moment makes a cursor worthless; so does a forged one."""
    cursor = board.get("/v1/commitments", limit=1, min_position=head(board)).json()[
        "next_cursor"
    ]
    for query in ({"order": "due"}, {"status": "draft"}, {"as_of": "5"}):
        answer = board.get("/v1/commitments", limit=1, cursor=cursor, **query)
        assert answer.json()["code"] == "invalid_cursor"
    from services.api import cursors

    question = cursors.fingerprint("anything")
    for place in ("--5:GX-1", "x", "9" * 40 + ":GX-1", ":"):
        forged = cursors.write(place, question)
        answer = board.get("/v1/commitments", cursor=forged)
        assert answer.json()["code"] == "invalid_cursor"


def test_one_commitment_as_it_is(board):
    """Status in the language asked for, schedule and light with the rules that judged."""
    answer = board.get("/v1/commitments/GX-1", min_position=head(board))
    body = answer.json()
    assert body["status"] == "closed"
    assert answer.headers["etag"] == f'"v{len(scenario.WAY)}"'
    assert body["streamversion"] == len(scenario.WAY)
    assert body["light"]["rule"]
    assert body["schedule"]["rule"]
    chinese = board.get("/v1/commitments/GX-1", {"Accept-Language": "zh"}).json()
    assert chinese["status_text"] != body["status_text"]


def test_every_past_position_is_still_there(board):
    """as_of a position shows the status that the events up to it gave."""
    steps = scenario.loop("GX-1")
    first = board.get("/v1/events/GX-1-registered-0").headers["henji-position"]
    for number, step in enumerate(steps):
        position = int(first) + number
        answer = board.get("/v1/commitments/GX-1", as_of=str(position))
        assert answer.json()["status"] == step.status, number
        assert answer.headers["etag"] == f'"v{number + 1}"'
    before = board.get("/v1/commitments/GX-1", as_of=str(int(first) - 1))
    assert (before.status_code, before.json()["code"]) == (
        404,
        "commitment_not_found",
    )


def test_a_past_instant_is_the_position_sealed_by_then(board):
    """as_of an instant gives the board of all that was sealed by that instant."""
    entry = board.get("/v1/events/GX-2-registered-0").json()
    keys = listed(board, as_of=entry["ingestedtime"])
    assert "GX-2" in keys
    assert "GX-3" not in keys
    answer = board.get("/v1/commitments", as_of="2017-01-01T00:00:00Z").json()
    assert (answer["data"], answer["position"]) == ([], 0)


def test_a_light_is_judged_at_the_instant_asked(board):
    """`at` moves the judgement, not the facts: the same events, another light."""

    def schedule(at: str) -> str:
        body = board.get("/v1/commitments/GX-2", at=at, min_position=head(board)).json()
        return body["schedule"]["by_current_due"]

    assert schedule("2017-11-14T08:00:00Z") != "overdue"
    assert schedule("2017-11-20T00:00:00Z") == "overdue"


def test_a_version_read_is_a_version_to_write(board):
    """The ETag of a commitment is the If-Match of the next event: a lost update is 412."""
    tag = board.get("/v1/commitments/GX-3", min_position=head(board)).headers["etag"]
    issue, sign = list(scenario.delegated(scenario.loop("GX-3")))[1:3]
    assert board.post(issue, headers={"If-Match": tag}).status_code == 201
    stale = board.post(sign, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    fresh = board.get("/v1/commitments/GX-3", min_position=head(board))
    done = board.post(sign, headers={"If-Match": fresh.headers["etag"]})
    assert done.status_code == 201


def test_the_history_is_every_event_and_every_status(board):
    """The history names each event in the reader's language, with its three times."""
    board.get("/v1/commitments", min_position=head(board))
    body = board.get("/v1/commitments/GX-1/history").json()
    steps = scenario.loop("GX-1")
    assert [line["type"] for line in body["data"]] == [
        step.event["type"] for step in steps
    ]
    assert [line["streamversion"] for line in body["data"]] == list(
        range(1, len(steps) + 1)
    )
    for line, step in zip(body["data"], steps, strict=True):
        assert line["occurred_at"] == step.event["time"]
        assert line["id"] == step.event["id"]
        assert line["unit"] == scenario.PEOPLE[step.by].unit
    changes = [one["status"] for one in body["statuses"]]
    assert changes[0] == "draft"
    assert changes[-1] == "closed"
    assert body["statuses"][-1]["to"] is None
    chinese = board.get("/v1/commitments/GX-1/history", {"Accept-Language": "zh"})
    assert chinese.json()["data"][0]["title"] != body["data"][0]["title"]


def test_a_long_history_comes_in_pages(board):
    """`after` goes on where the page before ended."""
    board.get("/v1/commitments", min_position=head(board))
    found, after = [], 0
    while True:
        body = board.get("/v1/commitments/GX-1/history", after=after, limit=3).json()
        found += [line["position"] for line in body["data"]]
        if not body["has_more"]:
            break
        after = found[-1]
    assert len(found) == len(scenario.WAY)
    assert found == sorted(set(found))


@pytest.mark.parametrize("path", ["GX-9", "GX-9/history", "%20", "GX-1%0a"])
def test_an_unknown_commitment_is_not_found(board, path):
    """404 for a number that nobody registered."""
    board.get("/v1/commitments", min_position=head(board))
    answer = board.get(f"/v1/commitments/{path}")
    assert answer.status_code == 404
    assert answer.json()["code"] in {"commitment_not_found", "route_not_found"}


def test_counts_add_up_now_and_then(board):
    """Counts by unit and status add up to the registered ones, at any position."""
    board.get("/v1/commitments", min_position=head(board))
    for position in (None, head(board), head(board) - 1, 12, 0):
        query = {} if position is None else {"as_of": str(position)}
        body = board.get("/v1/commitments/counts", **query).json()
        assert sum(one["count"] for one in body["data"]) == body["registered"]
        if position is not None:
            assert body["position"] == position
    assert board.get("/v1/commitments/counts").json()["registered"] == 3


def test_units_carry_what_they_lead(board):
    """Each unit is shown with the commitments it leads, by status."""
    board.get("/v1/commitments", min_position=head(board))
    rows = {row["key"]: row for row in board.get("/v1/units").json()["data"]}
    assert set(rows) == set(scenario.UNITS)
    assert rows["gouzhao"]["commitments"] == {
        "closed": 1,
        "draft": 1,
        "in_progress": 1,
    }
    assert rows["hq"]["commitments"] == {}
    (post,) = board.get("/v1/units", kind="post").json()["data"]
    assert (post["key"], post["kind"]) == ("director", "post")
    assert board.get("/v1/units", kind="grid").json()["data"] == []
    assert board.get("/v1/units", kind="person").status_code == 400


def test_projections_say_where_they_stand(board):
    """Position, head, lag and poison of the read models are visible."""
    board.get("/v1/commitments", min_position=head(board))
    (shown,) = board.get("/v1/projections").json()["data"]
    assert (shown["name"], shown["position"], shown["head"]) == (
        "board",
        head(board),
        head(board),
    )
    assert (shown["lag_events"], shown["poison"]) == (0, None)


def test_an_answer_says_of_which_position_and_instant_it_is(board):
    """Every list names the position it is of and the instant it was judged at."""
    body = board.get("/v1/commitments", as_of="9").json()
    sealed = board.get("/v1/entries/9").json()["ingestedtime"]
    assert (body["position"], body["at"]) == (9, sealed)
    at = rfc3339(scenario.START)
    assert board.get("/v1/commitments", at=at).json()["at"] == at
