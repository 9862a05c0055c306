"""kill -9 of the real server under load: what was acknowledged is there, and provable."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from itertools import chain

import pytest

from events.checkpoint import open_checkpoint
from events.merkle import consistency_proof, verify_consistency
from events.notes import Verifier
from events.receipts import parse_receipt, verify_receipt
from events.verify import Trust
from services.auditing import verify_store
from services.settings import from_environment
from services.wiring import install_postgres, open_store
from tests.crash.server import Records, Server
from tests.support import scenario

CLIENTS = 4
ROUNDS = {"sqlite": 3, "postgres": 2}
_BEFORE_LOAD = 3  # opening, key, type


@pytest.fixture(params=["sqlite", "postgres"])
def server(request, tmp_path) -> Server:
    """Return a prepared server that is not running yet."""
    settings = {
        "HENJI_DATA_DIR": str(tmp_path / "data"),
        "HENJI_ORIGIN": scenario.ORIGIN,
    }
    if request.param == "postgres":
        owner, writer = request.getfixturevalue("new_postgres_database")()
        role = writer.split("user=")[1].split()[0]
        install_postgres(owner, schema="henji", writer_role=role)
        settings |= {"HENJI_DATABASE_URL": writer}
    made = Server(settings)
    made.prepare()
    yield made
    made.kill()


def under_load(server: Server, records: list[Records], chance: random.Random) -> None:
    """Load the server from several clients, and kill it at a random moment."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=one.load, args=(server, stop, chance.randrange(2**32)))
        for one in records
    ]
    before = sum(len(one.acked) for one in records)
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while sum(len(one.acked) for one in records) < before + 20:
        assert time.monotonic() < deadline, "nothing is acknowledged"
        time.sleep(0.01)
    time.sleep(chance.uniform(0.05, 0.6))  # the moment of the crash, not a wait
    server.kill()
    for thread in threads:
        thread.join()


def check_unknown_batches(server: Server, records: list[Records]) -> None:
    """Of a request that nobody answered, all events are in the log or none is."""
    store = open_store(from_environment(server.settings))
    for events in chain.from_iterable(one.unknown for one in records):
        found = [store.find(event["source"], event["id"]) for event in events]
        assert all(found) or not any(found), events
    store.close()


def retry_unknown(server: Server, records: list[Records]) -> int:
    """Send again what has no answer; everything is acknowledged now."""
    count = 0
    with server.client() as client:
        for one in records:
            unknown, one.unknown = one.unknown, []
            for events in unknown:
                assert one.post(client, events)
                count += 1
    return count


def check_log(server: Server, records: list[Records]) -> None:
    """Open what is left and hold every acknowledgement against it, offline."""
    store = open_store(from_environment(server.settings))
    rows = list(store.iter_entries())
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    sent = {
        (event["source"], event["id"])
        for one in records
        for events in one.sent
        for event in events
    }
    written = Counter((row.source, row.id) for row in rows[_BEFORE_LOAD:])
    assert set(written) == sent
    assert set(written.values()) == {1}
    verifiers = [Verifier.from_vkey(vkey) for vkey in server.vkeys]
    checkpoints = {}
    for event, item in chain.from_iterable(one.acked for one in records):
        row = rows[item["position"] - 1]
        assert (row.source, row.id) == (event["source"], event["id"])
        assert row.leaf.hex() == item["leaf_hash"]
        receipt = item["receipt"]
        verify_receipt(receipt, row.entry, verifiers, scenario.ORIGIN)
        assert parse_receipt(receipt).index == row.position - 1
        note = parse_receipt(receipt).note
        found = open_checkpoint(note, verifiers, scenario.ORIGIN)
        # Two receipts of one size rest on one root: the log never forked.
        assert checkpoints.setdefault(found.size, found).root == found.root
    head = store.head()
    for size, checkpoint in checkpoints.items():
        proof = consistency_proof(size1=size, size2=head.size, hashes=store.hashes)
        verify_consistency(
            size1=size,
            root1=checkpoint.root,
            size2=head.size,
            root2=head.root,
            proof=proof,
        )
    held = Trust(scenario.ORIGIN, server.vkeys, tuple(checkpoints.values()))
    report = verify_store(store, held)
    assert report.ok, report
    assert (report.size, report.checkpoints) == (len(rows), len(checkpoints))
    store.close()


@pytest.mark.timeout(110)
def test_kill_under_load(server):
    """Killed again and again: no acknowledgement is lost, no event is doubled."""
    name = "postgres" if "HENJI_DATABASE_URL" in server.settings else "sqlite"
    chance = random.Random(20171114)
    records = [Records(f"client-{number}") for number in range(CLIENTS)]
    retried = 0
    for _ in range(ROUNDS[name]):
        server.start()
        retried += retry_unknown(server, records)
        under_load(server, records, chance)
        check_unknown_batches(server, records)
    server.start()
    retried += retry_unknown(server, records)
    server.kill()
    assert not any(one.unknown for one in records)
    assert retried  # else it was not killed at work
    check_log(server, records)
