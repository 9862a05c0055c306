"""The log for third parties: checkpoint, tiles, bundles, proofs; an independent reader."""

from __future__ import annotations

import base64
import importlib.util
from pathlib import Path

import pytest

from events.checkpoint import parse_checkpoint
from events.merkle import leaf_hash, verify_consistency
from events.notes import Signer, parse_note
from events.signing import ROTATED
from services import auditing
from services.wiring import operator_event
from tests.support import scenario

BATCH = "application/cloudevents-batch+json"


@pytest.fixture
def tall(start):
    """A log of 600 entries: two full tiles and a partial one."""
    api = start()
    api.load([scenario.type_registered()])
    size = api.service.ledger.store.head().size
    events = [scenario.external(number) for number in range(600 - size)]
    api.load(events[:300])
    api.load(events[300:])
    return api


def checkpoint(api):
    """Return the published checkpoint."""
    return parse_checkpoint(parse_note(api.client.get("/log/checkpoint").text)[0])


def test_the_checkpoint_is_a_fresh_signed_note(tall):
    """text/plain, never cached, open to scripts; of the newest committed size."""
    answer = tall.client.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    found = checkpoint(tall)
    assert (found.origin, found.size) == (scenario.ORIGIN, 600)
    assert found.root == tall.service.ledger.store.head().root
    assert tall.client.get("/log/checkpoint").text == answer.text


def test_the_keys_that_sign_are_published(tall):
    """One vkey a line: those of position 1."""
    lines = tall.client.get("/log/keys").text.splitlines()
    assert lines == list(tall.service.ledger.keys.vkeys)
    assert tall.get("/v1/entries/1").json()["data"]["vkeys"] == lines


def test_all_keys_that_ever_signed_are_listed(api):
    """The current ones as lines; the former, with what they count for, apart."""
    ledger = api.service.ledger
    old = list(ledger.keys.vkeys)
    new = [Signer.generate(scenario.ORIGIN, seed=bytes(32)).vkey]
    data = {"vkeys": new, "reason": "yearly"}
    stream = f"ledger/{scenario.ORIGIN}"
    at = ledger.submit_as_operator(operator_event(ROTATED, stream, data)).position
    assert api.client.get("/log/keys").text.splitlines() == new
    assert api.client.get("/log/keys/history").json()["data"] == [
        {"vkeys": old, "first": 1, "last": at},
        {"vkeys": new, "first": at, "last": None},
    ]
    assert api.post(scenario.type_registered()).status_code == 503
    found = api.client.get("/readyz").json()["findings"][0]
    assert (found["code"], found["detail"]) == (
        "sequencer_stopped",
        "signing_key_retired",
    )


def test_tiles_are_immutable_bytes(tall):
    """octet-stream, cached for a week and longer; each hash is a leaf hash."""
    full = tall.client.get("/log/tile/0/000")
    assert full.headers["content-type"] == "application/octet-stream"
    assert full.headers["cache-control"] == "public, max-age=604800, immutable"
    assert full.headers["access-control-allow-origin"] == "*"
    assert len(full.content) == 256 * 32
    level1 = tall.client.get("/log/tile/1/000.p/2").content
    assert len(level1) == 64
    bundle = tall.client.get("/log/tile/entries/000").content
    first = int.from_bytes(bundle[:2], "big")
    assert leaf_hash(bundle[2 : 2 + first]) == full.content[:32]


def test_partial_tiles_of_any_width_are_prefixes(tall):
    """Every width up to what is published is served, full tiles included."""
    full = tall.client.get("/log/tile/0/001").content
    last = tall.client.get("/log/tile/0/002.p/88").content
    for width in (1, 2, 87, 88, 89, 255):
        part = tall.client.get(f"/log/tile/0/001.p/{width}")
        assert part.content == full[: width * 32]
        tail = tall.client.get(f"/log/tile/0/002.p/{width}")
        if width <= 88:
            assert tail.content == last[: width * 32]
        else:
            assert tail.status_code == 404
    bundle = tall.client.get("/log/tile/entries/002.p/88").content
    assert bundle.startswith(tall.client.get("/log/tile/entries/002.p/87").content)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/002",
        "tile/0/003",
        "tile/0/003.p/1",
        "tile/1/000",
        "tile/1/000.p/3",
        "tile/2/000.p/1",
        "tile/64/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000/",
        "tile/0//000",
        "tile/0",
        "tile/",
        "tile/entries/003",
        "tile/entries/000.p/256",
        "tile/data/000",
        "tile/0/%30%30%30%0a",
        "tile/0/٠٠٠",
        "checkpoint/",
        "nothing",
        "",
    ],
)
def test_what_is_not_there_is_a_404_without_caching(tall, path):
    """Any other path is a 404: readers fall back on it; nobody may cache it."""
    answer = tall.client.get(f"/log/{path}")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["code"] in {"tile_not_found", "route_not_found"}


def test_nothing_is_served_beyond_a_committed_root(api):
    """An empty tail has no tile, and a young log no full one."""
    size = checkpoint(api).size
    assert api.client.get(f"/log/tile/0/000.p/{size}").status_code == 200
    assert api.client.get(f"/log/tile/0/000.p/{size + 1}").status_code == 404
    assert api.client.get("/log/tile/0/000").status_code == 404
    assert api.client.get("/log/tile/1/000.p/1").status_code == 404


def test_earlier_checkpoints_can_be_asked_for(tall):
    """?size= gives the signed checkpoint of any size from 0 to the newest."""
    for size in (0, 1, 2, 255, 256, 257, 600):
        text = tall.client.get(f"/log/checkpoint?size={size}").text
        assert parse_checkpoint(parse_note(text)[0]).size == size
    beyond = tall.client.get("/log/checkpoint?size=601")
    assert (beyond.status_code, beyond.json()["code"]) == (404, "size_unknown")


def test_consistency_proofs_verify(tall):
    """The proof between any two sizes verifies against their own checkpoints."""
    roots = {
        size: parse_checkpoint(
            parse_note(tall.client.get(f"/log/checkpoint?size={size}").text)[0]
        ).root
        for size in (0, 1, 3, 256, 300, 599, 600)
    }
    for first, root1 in roots.items():
        for second, root2 in roots.items():
            answer = tall.client.get(f"/log/consistency?from={first}&to={second}")
            if first > second:
                assert answer.json()["code"] == "size_unknown"
                continue
            proof = [base64.b64decode(one) for one in answer.json()["proof"]]
            if first == 0:
                assert proof == []
                continue
            verify_consistency(
                size1=first,
                size2=second,
                root1=root1,
                root2=root2,
                proof=proof,
            )


@pytest.mark.parametrize(
    "query", ["", "?from=1", "?from=2&to=x", "?from=-1&to=2", "?from=1&to=99999"]
)
def test_a_consistency_proof_needs_two_sizes(api, query):
    """What is no pair of sizes is a problem."""
    answer = api.client.get(f"/log/consistency{query}")
    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture
def oracle():
    """The independent reader that judges our proofs elsewhere too."""
    path = Path(__file__).parent.parent / "proof" / "oracle.py"
    spec = importlib.util.spec_from_file_location("oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_independent_reader_verifies_the_running_service(live, oracle):
    """tlog-scales checks checkpoint, leaves, receipts and growth of a live service."""
    live.load([scenario.type_registered()])
    url = str(live.client.base_url).rstrip("/") + "/log"
    vkeys = live.client.get("/log/keys").text.split()
    marks = []
    for first in (0, 200, 290):
        items = live.load(scenario.external(first + n) for n in range(90))
        old = live.service.ledger.store.head()
        marks.append((old.size, old.root))
        indexes = [items[0]["position"] - 1, items[-1]["position"] - 1]
        found = oracle.read_log(url, vkeys, [0, *indexes])
        assert found[1] == live.get(f"/v1/entries/{indexes[0] + 1}").content
        for item, entry in ((items[0], found[1]), (items[-1], found[2])):
            index = oracle.check_receipt(item["receipt"], entry, vkeys[:1])
            assert index == item["position"] - 1
    for size, root in marks:
        oracle.check_consistency(url, size, root)


def test_our_verifier_verifies_the_running_service(live):
    """`henji verify URL` recomputes a served log from its entries."""
    live.load([scenario.type_registered()])
    live.load(scenario.external(number) for number in range(300))
    url = str(live.client.base_url).rstrip("/") + "/log"
    trust = auditing.trust_from(
        origin=None, vkeys=live.service.ledger.keys.vkeys, notes=[]
    )
    report = auditing.verify_url(url, trust)
    assert report.ok, report
    assert report.size == live.service.ledger.store.head().size
