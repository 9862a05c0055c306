"""One of two competing writer processes: ``python -m tests.crash.writer KIND TARGET NAME``.

It submits to its own sequencer what the other one submits too: the same ids, the same
transitions, a parent's claim against its new parts. It prints its answers as JSON.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

from events.postgres import PostgresStore
from events.sqlite import SqliteStore
from events.store import Store
from tests.support import scenario
from tests.support.desk import Clock, Desk, codes, request

ROUNDS = 6
#: The clock of the second one is behind: order in the log is order in time all the same.
CLOCKS = {"a": scenario.START, "b": scenario.START - 600_000_000}

Event = scenario.Event


def opened(kind: str, target: str) -> Store:
    """Open the store that the other process has open, too."""
    if kind == "sqlite":
        return SqliteStore.open(Path(target))
    return PostgresStore.open(target)


def _step(by: str, what: str, key: str, name: str, data: object = None) -> Event:
    made = scenario.commitment(what, key, data)
    return scenario.acting(by, {**made, "id": f"{key}-{what}-{name}"})


def _loop(key: str, name: str) -> list[Event]:
    """Return a whole loop under ids of this writer: each step competes."""
    steps = scenario.delegated(scenario.loop(key))
    return [{**event, "id": f"{event['id']}-{name}"} for event in steps]


def _family(key: str, name: str) -> list[Event]:
    """Return a parent's way to its claim, with a part, and a late change of parts."""
    part = f"{key}.1"
    proof = {"text": "Done.", "evidence": scenario.PROOF}
    passed = {"result": "pass", "method": "document", "evidence": scenario.PROOF}
    short = scenario.registered("2017-12-01", kind="rectification", parent=key)
    more = scenario.decomposed(part, f"{key}.2")
    claim = _step("lead", "completion_claimed", key, name, proof)
    change = {
        **_step("lead", "decomposed", key, name, more),
        "id": f"{key}-more-{name}",
    }
    return [
        _step("drafter", "registered", key, name, scenario.registered()),
        _step("office", "issued", key, name),
        _step("lead", "signed_for", key, name),
        _step("lead", "decomposed", key, name, scenario.decomposed(part)),
        _step("drafter", "registered", part, name, short),
        _step("office", "issued", part, name),
        _step("lead", "signed_for", part, name),
        _step("lead", "progress_reported", part, name, {"percent": 9, **proof}),
        {**claim, "id": f"{key}-early-{name}"},
        _step("lead", "completion_claimed", part, name, proof),
        _step("verifier", "verification_recorded", part, name, passed),
        _step("office", "closed", part, name, {"approver_post": "director"}),
        *((claim, change) if name == "a" else (change, claim)),
    ]


def phases(name: str) -> Iterator[list[Event]]:
    """Yield what is submitted together; the next comes when all are answered."""
    ways = [_loop(f"C{n}", name) for n in range(ROUNDS)]
    ways += [_family(f"P{n}", name) for n in range(ROUNDS)]
    for number in range(max(map(len, ways))):
        same = scenario.external(number, subject="same")
        other = scenario.external(100 + number, subject="other", about=name)
        own = scenario.external(200 + number, source=f"urn:test:{name}")
        yield [same, other, own, *(way[number] for way in ways if number < len(way))]


def main(kind: str, target: str, name: str) -> None:
    """Submit phase by phase, each on a line of input, so that both begin together."""
    desk = Desk(opened(kind, target), clock=Clock(CLOCKS[name]))
    desk.sequencer.start()
    chance = random.Random(name)
    print("ready", flush=True)
    for events in phases(name):
        sys.stdin.readline()
        chance.shuffle(events)
        answers: SimpleQueue = SimpleQueue()
        desk.clock.now += 1_000
        for event in events:
            desk.sequencer.submit(request([event], deliver=answers.put))
        left = len(events)
        while left:
            for asked, (result,) in answers.get(timeout=60):
                left -= 1
                line = {
                    "id": asked.items[0].submission.id,
                    "code": codes([result])[0],
                    "position": getattr(result, "position", None),
                    "repeat": getattr(result, "repeat", None),
                }
                print(json.dumps(line))
        print("ready", flush=True)
    desk.sequencer.stop()
    desk.store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
