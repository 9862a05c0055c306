"""POST /v1/events, many events a request: all or nothing, or each for itself."""

from __future__ import annotations

import json

import pytest

from tests.support import scenario

BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"


def calls(*numbers: int) -> list[dict]:
    """Return external events."""
    return [scenario.external(number) for number in numbers]


def lines(events: list) -> bytes:
    """Return events as NDJSON; what is bytes stays as it is."""
    return b"\n".join(e if type(e) is bytes else json.dumps(e).encode() for e in events)


def size(api) -> int:
    """Return the size of the log."""
    return api.service.ledger.store.head().size


def administration(api) -> None:
    """Found the units of the scenario, and appoint who approves a close."""
    boss = scenario.PEOPLE["boss"]
    units = map(scenario.unit_created, scenario.UNITS)
    api.load([*units, scenario.post_appointed(boss.post, boss.unit)])


def bad(number: int) -> dict:
    """Return an event that breaks the schema of its type."""
    return scenario.external(number) | {"data": {"number": number}}


@pytest.mark.parametrize("kind", [BATCH, NDJSON])
def test_a_batch_gets_a_receipt_an_item(hotline, kind):
    """A new batch gives 201; each item has its receipt, one checkpoint covers all."""
    body = calls(1, 2, 3)
    answer = hotline.post(body if kind == BATCH else lines(body), kind)
    assert answer.status_code == 201
    found = answer.json()
    assert [found[n] for n in ("accepted", "duplicates", "rejected")] == [3, 0, 0]
    assert [item["index"] for item in found["items"]] == [0, 1, 2]
    for item in found["items"]:
        entry = hotline.get(f"/v1/entries/{item['position']}").content
        assert hotline.proves(item["receipt"], entry) == size(hotline)
        assert item["receipt"].endswith(found["checkpoint"])


def test_an_atomic_batch_with_bad_events_appends_nothing(hotline):
    """422 lists every bad event and no other; the log is as it was."""
    before = size(hotline)
    body = [*calls(1), bad(2), *calls(3), {"specversion": "1.0"}]
    answer = hotline.post(body, BATCH)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "batch_rejected"
    assert problem["parameters"] == {"rejected": 2}
    assert [item["index"] for item in problem["items"]] == [1, 3]
    codes = [item["problem"]["code"] for item in problem["items"]]
    assert codes == ["schema_violation", "missing_attribute"]
    assert problem["instance"] == "/v1/events"
    assert size(hotline) == before
    assert hotline.get("/v1/events/call-1").status_code == 404


def test_on_error_continue_keeps_the_sound_events(hotline):
    """With on_error=continue, mixed results give 207 with a status for each item."""
    body = lines([*calls(1), b"{", bad(2), *calls(3)])
    answer = hotline.post(body, NDJSON, on_error="continue")
    assert answer.status_code == 207
    found = answer.json()
    assert [item["status"] for item in found["items"]] == [201, 400, 422, 201]
    assert (found["accepted"], found["rejected"]) == (2, 2)
    assert found["items"][1]["problem"]["type"] == "/v1/problems/json_syntax"
    assert hotline.get("/v1/events/call-3").status_code == 200


def test_the_status_of_a_lenient_batch_says_what_happened(hotline):
    """All new: 201. All repeats: 200. New and repeated: 207. All refused: 422."""

    def status(events: list) -> int:
        return hotline.post(events, BATCH, on_error="continue").status_code

    assert status(calls(1, 2)) == 201
    assert status(calls(1, 2)) == 200
    assert status(calls(2, 3)) == 207
    assert status([bad(4), bad(5)]) == 422


def test_handling_lenient_is_the_same_wish(hotline):
    """Prefer: handling=lenient works like on_error=continue, and is confirmed."""
    wish = {"Prefer": "handling=lenient, return=minimal"}
    answer = hotline.post([*calls(1), bad(2)], BATCH, headers=wish)
    assert answer.status_code == 207
    applied = answer.headers["preference-applied"]
    assert applied == "return=minimal, handling=lenient"
    assert "receipt" not in answer.json()["items"][0]
    strict = hotline.post([*calls(3), bad(4)], BATCH, headers=wish, on_error="abort")
    assert strict.status_code == 422
    assert "lenient" not in strict.headers.get("preference-applied", "")


def test_a_repeated_batch_gives_the_original_receipts(hotline):
    """A batch sent again after a lost answer gives each event's first receipt."""
    first = hotline.post(calls(1, 2), BATCH).json()["items"]
    hotline.post(calls(3), BATCH)
    again = hotline.post(calls(1, 2), BATCH)
    assert again.status_code == 200
    receipts = [item["receipt"] for item in again.json()["items"]]
    assert receipts == [item["receipt"] for item in first]


def test_a_repeat_within_a_batch_counts_once(hotline):
    """The same event twice in one batch is appended once."""
    answer = hotline.post(calls(1, 1), BATCH)
    assert answer.status_code == 201
    first, second = answer.json()["items"]
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["position"] == second["position"]
    assert first["receipt"] == second["receipt"]


def test_two_contents_for_one_id_refuse_the_batch(hotline):
    """One id with two contents in a batch is a conflict at the second."""
    changed = calls(1)[0] | {"data": {"about": "Noise"}}
    answer = hotline.post([*calls(1), changed], BATCH)
    assert answer.status_code == 422
    (item,) = answer.json()["items"]
    assert (item["index"], item["status"]) == (1, 409)


@pytest.mark.parametrize(("body", "kind"), [(b"[]", BATCH), (b"", NDJSON)])
def test_an_empty_batch_is_no_error(hotline, body, kind):
    """An empty batch is valid (JSON batch format, section 4) and appends nothing."""
    before = size(hotline)
    answer = hotline.post(body, kind)
    assert answer.status_code == 200
    assert answer.json()["items"] == []
    assert size(hotline) == before


def test_a_dry_run_judges_the_whole_batch(hotline):
    """A dry run of a batch gives each verdict and appends nothing."""
    before = size(hotline)
    good = hotline.post(calls(1, 2), BATCH, dry_run="true")
    assert good.status_code == 200
    assert all(item["dry_run"] for item in good.json()["items"])
    assert hotline.post([bad(1)], BATCH, dry_run="true").status_code == 422
    assert size(hotline) == before


@pytest.mark.parametrize("kind", [BATCH, NDJSON])
def test_more_events_than_allowed_are_refused(start, kind):
    """More events than the limit give 413, and nothing is read further."""
    api = start(max_events=2)
    body = calls(1, 2, 3)
    answer = api.post(body if kind == BATCH else lines(body), kind)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_events")
    assert api.get("/v1/limits").json()["max_events"] == 2


@pytest.mark.parametrize("body", [b"{}", b"[", b"\xff", b"[{},]", b"\xef\xbb\xbf[]"])
def test_a_batch_that_is_no_array_is_malformed(hotline, body):
    """A body that is no JSON array gives 400, not a list of findings."""
    assert hotline.post(body, BATCH).status_code == 400


def test_a_later_event_may_build_on_an_earlier_one(api):
    """Events of a batch are decided in order: a type may be used after its own entry."""
    items = api.load([scenario.type_registered(), *calls(1)])
    assert [item["streamversion"] for item in items] == [1, 1]


def test_the_whole_loop_of_a_commitment_goes_through(api):
    """A commitment from draft to close is accepted as one batch of a delegating key."""
    director = scenario.post_appointed("director", "hq")
    api.load([*map(scenario.unit_created, scenario.UNITS), director])
    items = api.load(scenario.delegated(scenario.loop("GX-2017-0001")))
    assert [item["status"] for item in items] == [201] * len(scenario.WAY)
