"""Reading entries: filters against brute force, pages, ids of any shape, proofs."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import canonical
from events.entries import instant, rfc3339
from tests.support import scenario

BATCH = "application/cloudevents-batch+json"
SOURCES = ("urn:test:hotline", "urn:test:other")
OTHER = "org.example.noise.v1"


def varied(count: int) -> list[dict]:
    """Return events of two types, two sources, several streams and instants."""
    return [
        scenario.external(n, source=SOURCES[n % 2], subject=f"site-{n % 3}")
        | {
            "type": (scenario.EXTERNAL, OTHER)[n % 5 == 0],
            "time": rfc3339(scenario.START + n * scenario.HOUR),
        }
        for n in range(count)
    ]


@pytest.fixture
def filled(api):
    """A log with 40 varied events behind the two types."""
    api.load([scenario.type_registered(), scenario.type_registered(OTHER)])
    for start in range(0, 40, 10):
        api.load(varied(40)[start : start + 10])
    return api


def everything(api) -> list[dict]:
    """Return all items of the log, oldest first, in one page."""
    answer = api.get("/v1/events", limit=1000, order="asc")
    assert answer.json()["has_more"] is False
    return answer.json()["data"]


def pages(api, **query) -> list[dict]:
    """Follow the cursors to the end; return all items."""
    found: list[dict] = []
    while True:
        body = api.get("/v1/events", **query).json()
        found += body["data"]
        if not body["has_more"]:
            assert body["next_cursor"] is None
            return found
        query["cursor"] = body["next_cursor"]


def test_entries_are_shown_as_they_were_sealed(filled):
    """Each item of a list holds the sealed bytes: its hash is the leaf."""
    raw = filled.get("/v1/events", limit=5).content
    for item in json.loads(raw)["data"]:
        row = filled.service.ledger.store.row(item["position"])
        assert row.entry in raw
        assert row.leaf.hex() == item["leaf_hash"]


FILTER = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([[OTHER], ["org.example.*"], ["henji.*", OTHER], []]),
        "source": st.lists(st.sampled_from([*SOURCES, "urn:none"]), max_size=2),
        "stream": st.lists(st.sampled_from(["external/site-0", "external/site-2"])),
        "occurred_at[gte]": st.integers(0, 40),
        "occurred_at[lt]": st.integers(0, 40),
        "occurred_at[gt]": st.integers(0, 40),
        "occurred_at[lte]": st.integers(0, 40),
        "as_of": st.integers(0, 50),
    },
)


def keeps(item: dict, query: dict) -> bool:
    """Judge one item by a filter, the slow way."""
    entry = item["entry"]
    time = instant(entry.get("time", entry["ingestedtime"]))

    def bound(name: str) -> int | None:
        return instant(query[name]) if name in query else None

    judged = [
        not query.get("type")
        or any(fnmatchcase(entry["type"], one) for one in query["type"]),
        not query.get("source") or entry["source"] in query["source"],
        not query.get("stream") or entry["stream"] in query["stream"],
        (low := bound("occurred_at[gte]")) is None or time >= low,
        (low := bound("occurred_at[gt]")) is None or time > low,
        (high := bound("occurred_at[lt]")) is None or time < high,
        (high := bound("occurred_at[lte]")) is None or time <= high,
        "as_of" not in query or item["position"] <= query["as_of"],
    ]
    return all(judged)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=FILTER, limit=st.integers(1, 20), order=st.sampled_from(["asc", "desc"]))
def test_filters_and_pages_find_what_brute_force_finds(filled, chosen, limit, order):
    """Any filter, page size and order: the pages together are the matching entries."""
    query = {
        name: rfc3339(scenario.START + value * scenario.HOUR)
        if name.startswith("occurred")
        else value
        for name, value in chosen.items()
    }
    wanted = [item for item in everything(filled) if keeps(item, query)]
    if order == "desc":
        wanted.reverse()
    assert pages(filled, **query, limit=limit, order=order) == wanted


def test_ingested_ranges_are_positions_in_time(filled):
    """ingested_at bounds and an as_of instant cut the log where the batches were."""
    items = everything(filled)
    cut = items[len(items) // 2]["entry"]["ingestedtime"]
    before = [item for item in items if item["entry"]["ingestedtime"] < cut]
    until = [item for item in items if item["entry"]["ingestedtime"] <= cut]
    asked = {"order": "asc", "limit": 1000}
    assert pages(filled, **asked, **{"ingested_at[lt]": cut}) == before
    assert pages(filled, **asked, as_of=cut) == until
    assert pages(filled, **asked, as_of=cut, **{"ingested_at[lt]": cut}) == before
    rest = pages(filled, **asked, **{"ingested_at[gte]": cut})
    assert before + rest == items


def test_the_newest_come_first_without_totals(filled):
    """The default order is newest first, 50 a page; nothing is counted."""
    body = filled.get("/v1/events").json()
    positions = [item["position"] for item in body["data"]]
    assert positions == sorted(positions, reverse=True)
    assert set(body) == {"data", "next_cursor", "has_more"}


def test_the_link_header_leads_through_the_same_pages(filled):
    """rel=next is the next page of the same question (RFC 8288)."""
    answer = filled.get("/v1/events", limit=7, type=["org.example.*"], order="asc")
    found = answer.json()["data"]
    while "link" in answer.headers:
        target, _, relation = answer.headers["link"].partition("; ")
        assert relation == 'rel="next"'
        answer = filled.get(target.strip("<>"))
        found += answer.json()["data"]
    assert len(found) == 40
    assert [item["position"] for item in found] == sorted(
        item["position"] for item in found
    )


def test_pages_stay_put_while_events_arrive(filled):
    """New events shift no page: nothing is shown twice, nothing is left out."""
    wanted = [item["position"] for item in reversed(everything(filled))]
    first = filled.get("/v1/events", limit=10).json()
    filled.load(varied(60)[40:])
    rest = pages(filled, limit=10, cursor=first["next_cursor"])
    assert [item["position"] for item in first["data"] + rest] == wanted


def test_a_cursor_is_good_for_its_question_only(filled):
    """A cursor of other filters or another order, or a changed one, gives 400."""
    cursor = filled.get("/v1/events", limit=5).json()["next_cursor"]
    for query in (
        {"order": "asc"},
        {"type": OTHER},
        {"as_of": "40"},
    ):
        answer = filled.get("/v1/events", limit=5, cursor=cursor, **query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
    for damaged in (cursor[:-1], cursor + "A", "!!", "é", cursor.swapcase()):
        answer = filled.get("/v1/events", limit=5, cursor=damaged)
        assert answer.json()["code"] == "invalid_cursor", damaged
    # The page size may change from page to page: it is no part of the question.
    assert filled.get("/v1/events", limit=9, cursor=cursor).status_code == 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("typ=x", "invalid_parameter"),
        ("from=1", "invalid_parameter"),
        ("follow=true", "invalid_parameter"),
        ("occurred_at=2017-11-14T07:00:00Z", "invalid_parameter"),
        ("occurred_at[eq]=2017-11-14T07:00:00Z", "invalid_parameter"),
        ("occurred_at[gte]=2017-11-14", "invalid_parameter"),
        ("occurred_at[gte]=2017-11-14T07:00:00", "invalid_parameter"),
        ("as_of=-1", "invalid_parameter"),
        ("as_of=1&as_of=2", "repeated_parameter"),
        ("limit=0", "invalid_parameter"),
        ("limit=1001", "invalid_parameter"),
        ("limit=1&limit=2", "repeated_parameter"),
        ("order=up", "invalid_parameter"),
        ("source=a%00b", "invalid_parameter"),
    ],
)
def test_a_mistyped_filter_is_an_error(api, query, code):
    """An auditor who mistypes a filter is not shown everything."""
    answer = api.get(f"/v1/events?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


ODD_IDS = [
    "proof",
    "stream",
    "a/proof",
    "a/b",
    "/a",
    "a/",
    "//",
    ".",
    "..",
    "../etc",
    "a b",
    "100%",
    "%2F",
    "%",
    "a+b",
    "a?b#c",
    "a;b=c",
    "a&source=x",
    "热线-1",
    "é",
    "\U0001f4dd",
    "x" * 1024,
]


def test_any_id_has_an_address_that_resolves(live):
    """Whatever an id contains, Location leads to its bytes and on to its proof."""
    live.load([scenario.type_registered()])
    for odd in ODD_IDS:
        answer = live.post(scenario.external(1) | {"id": odd})
        assert answer.status_code == 201, answer.text
        found = live.get(answer.headers["location"])
        assert found.status_code == 200, answer.headers["location"]
        assert found.json()["id"] == odd
        assert found.headers["henji-position"] == str(answer.json()["position"])
        target, _, relation = found.headers["link"].partition("; ")
        assert relation == 'rel="proof"'
        proof = live.get(target.strip("<>"))
        assert proof.text == answer.json()["receipt"]


@pytest.mark.parametrize("plain", ["proof", "a/b", "a b", "热线-1"])
def test_an_id_may_be_quoted_into_the_path(hotline, plain):
    """GET /v1/events/{id} takes the id percent-encoded, its slashes too."""
    hotline.post(scenario.external(1) | {"id": plain})
    found = hotline.get(f"/v1/events/{quote(plain, safe='')}")
    assert found.json()["id"] == plain
    assert found.headers["content-type"] == "application/cloudevents+json"


def test_the_sealed_bytes_are_served(hotline):
    """GET gives the entry byte for byte: canonical, hashed and unchanged for ever."""
    done = hotline.post(scenario.external(1)).json()
    first = hotline.get("/v1/events/call-1")
    hotline.post(scenario.external(2))
    assert hotline.get("/v1/events/call-1").content == first.content
    assert canonical.encode(json.loads(first.content)) == first.content
    assert first.headers["etag"] == f'"{done["leaf_hash"]}"'
    row = hotline.service.ledger.store.row(done["position"])
    assert row.entry == first.content
    assert hotline.get(f"/v1/entries/{done['position']}").content == first.content


def test_an_id_of_two_sources_needs_its_source(hotline):
    """409 asks which source is meant; with it, each is found."""
    for source in SOURCES:
        hotline.post(scenario.external(1, source=source))
    for path in ("/v1/events/call-1", "/v1/events/call-1/proof"):
        answer = hotline.get(path)
        assert answer.status_code == 409
        assert answer.json()["code"] == "event_id_ambiguous"
        assert hotline.get(path, source="urn:none").status_code == 404
        for source in SOURCES:
            assert hotline.get(path, source=source).status_code == 200
    assert (
        hotline.get("/v1/events/call-1", source=SOURCES[1]).json()["source"]
        == (SOURCES[1])
    )


def test_proofs_are_the_receipt_or_of_any_later_tree(hotline):
    """Without a size the original receipt; with one, a proof in exactly that tree."""
    done = hotline.post(scenario.external(1)).json()
    for number in range(2, 7):
        hotline.post(scenario.external(number))
    entry = hotline.get("/v1/events/call-1").content
    assert hotline.get("/v1/events/call-1/proof").text == done["receipt"]
    position, head = done["position"], done["position"] + 5
    for size in range(position, head + 1):
        proof = hotline.get("/v1/events/call-1/proof", size=size)
        assert hotline.proves(proof.text, entry) == size
        by_place = hotline.get(f"/v1/entries/{position}/proof", size=size)
        assert hotline.proves(by_place.text, entry) == size
    early = hotline.get("/v1/events/call-1/proof", size=position - 1)
    assert (early.status_code, early.json()["code"]) == (404, "event_after_size")
    late = hotline.get("/v1/events/call-1/proof", size=head + 1)
    assert (late.status_code, late.json()["code"]) == (404, "size_unknown")


@pytest.mark.parametrize("path", ["/v1/entries/99", "/v1/entries/99/proof"])
def test_a_position_beyond_the_log_is_unknown(api, path):
    """There is nothing at a position that was not given yet."""
    answer = api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "event_unknown")


@pytest.mark.parametrize("place", ["0", "-1", "x", str(2**63)])
def test_a_position_is_a_number_from_one(api, place):
    """What is no position is malformed, not a search."""
    answer = api.get(f"/v1/entries/{place}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
