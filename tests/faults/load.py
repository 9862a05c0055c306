"""Steady load by both doors, from clients that keep a journal: what a run is judged by.

Nothing is judged here. A client that gets no answer sends the same again, or (one time
in four) never asks again: then its outcome stays unknown, and both must be right.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
from kafka import KafkaProducer
from kafka.errors import KafkaError

from tests.faults.deployment import await_true
from tests.faults.journal import Journal, name_of
from tests.support import scenario
from tests.support.intake import ASKED, STRUCTURED

BATCH = "application/cloudevents-batch+json"
_PAUSE = 0.06
_AGAIN = 0.15
_PATIENCE = 20.0
_CLAIMS = 60
#: Records that are no submission: (key, value, headers).
POISON: Sequence[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = (
    (b"k", b"\xff\x00 no JSON", [STRUCTURED]),
    (b"k", b"{}", [STRUCTURED]),
    (None, b"no headers at all", []),
    (b"k", None, []),
    (b"k", b"[1, 2]", [("ce_specversion", b"9.9"), ("ce_id", b"\xc3\x28")]),
    (b"k", b'{"about": 5}', [("ce_id", b"1"), ("ce_source", b"urn:fault:poison"),
     ("ce_type", scenario.EXTERNAL.encode()), ("ce_specversion", b"1.0"),
     ("content-type", b"application/json")]),
    (b"k", b'{"data": "' + b"x" * 300_000 + b'"}', [STRUCTURED]),
)  # fmt: skip


@dataclass
class Doors:
    """Where submissions go: the API processes, and a topic with so many partitions."""

    urls: Sequence[str]
    token: str
    servers: Sequence[str]
    topic: str
    partitions: int


@dataclass
class Load:
    """Clients at work. ``twists`` say what they do beside: duplicates, poison, order."""

    doors: Doors
    journal: Journal
    run: int
    twists: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    failed: list[BaseException] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Load while the block runs; what a client raised is raised at the end."""
        clients: list[Callable[[], None]] = [
            *(lambda n=n: self._http(n) for n in range(4)),
            *(lambda n=n: self._families(n) for n in range(2)),
            self._kafka,
        ]
        threads = [
            threading.Thread(target=self._guarded, args=(one,)) for one in clients
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()
        if self.failed:
            raise self.failed[0]

    def await_more(self, count: int) -> None:
        """Return when so many more have been acknowledged, half of them by each door."""
        counts = self.journal.counts
        goals = {step: counts[step] + count // 2 for step in ("accepted", "produced")}
        await_true(
            lambda: self.failed or all(counts[step] >= goals[step] for step in goals),
            f"{count} more are acknowledged",
        )

    def _guarded(self, client: Callable[[], None]) -> None:
        try:
            client()
        except BaseException as error:  # noqa: BLE001 - raised by ``running``
            self.failed.append(error)

    def _http(self, number: int) -> None:
        chance = random.Random(f"{self.run}/{number}")
        with self.caller(first=number) as caller, self.producing() as out:
            for sequence in range(1_000_000):
                if self.stop.wait(_PAUSE):
                    return
                events = [
                    self._external(f"http/{number}", f"{sequence}.{n}", chance)
                    for n in range(chance.choice((1, 1, 2, 5)))
                ]
                kept = caller.submit(events, again=chance.random() > 0.25)
                if kept and "duplicates" in self.twists:
                    caller.turn += 1  # The other process has not seen it before.
                    caller.submit(events, again=True)
                    caller.contradict(events[0])
                    out.send(events[-1], partition=number % self.doors.partitions)

    def _external(self, client: str, name: str, chance: random.Random) -> Any:
        """Return an event whose time, out of order, says nothing of when it is sent."""
        made = scenario.external(0, source=f"urn:fault:{client}", subject=f"s-{client}")
        shift = (
            chance.randrange(-48, 0) * scenario.HOUR if "order" in self.twists else 0
        )
        at = scenario.rfc3339(scenario.START + shift)
        return {**made, "id": f"{self.run}-{name}", "time": at}

    def _kafka(self) -> None:
        chance = random.Random(f"{self.run}/kafka")
        with self.producing() as out:
            for sequence in range(1_000_000):
                if self.stop.wait(_PAUSE / 3):
                    return
                client = f"kafka/{sequence % 8}"
                event = self._external(client, str(sequence), chance)
                out.send(event, partition=sequence % self.doors.partitions)
                self._twisted(out, event, sequence)

    def _twisted(self, out: Producing, event: Any, sequence: int) -> None:
        here = sequence % self.doors.partitions
        if "duplicates" in self.twists:
            # In its own partition, and in one that another worker may have.
            out.send(event, partition=here)
            out.send(event, partition=(here + 1) % self.doors.partitions)
        if "duplicates" in self.twists and sequence % 10 == 0:
            other = {**event, "data": {"about": "Other than before"}}
            self.journal.contradicting(other)
            out.send_raw(*_record(other), partition=here)
        if "poison" in self.twists:
            out.send_raw(*POISON[sequence % len(POISON)], partition=here)
        if "order" in self.twists and sequence % 5 == 0:
            # The end of a commitment that begins only later, or never.
            early = permit("closed", f"early-{self.run}-{sequence}", {})
            out.send(early, partition=here)

    def _families(self, number: int) -> None:
        with self.caller(first=number) as caller, self.producing() as out:
            for sequence in range(1_000_000):
                if self.stop.wait(_PAUSE):
                    return
                self._family(caller, out, f"W-{self.run}-{number}-{sequence}")

    def _family(self, caller: Caller, out: Producing, whole: str) -> None:
        """Settle and reopen the parts by one door, claim the whole by the other."""
        one, two = f"{whole}.1", f"{whole}.2"
        if not caller.submit(family(whole, one, two), again=True):
            return
        home = hash(whole) % self.doors.partitions
        steps = iter(
            [
                permit("closed", one, {}),
                permit("closed", two, {}),
                permit("reopened", two, {"new_due": "P30D", "reason": "Relapse."}),
                permit("closed", two, {"text": "Again."}, 1),
            ]
        )
        for attempt in range(_CLAIMS):
            if (step := next(steps, None)) is not None:
                out.send(step, partition=home)
            claim = permit("completion_claimed", whole, {"text": "Done."}, attempt)
            if caller.submit([claim], again=False) or self.stop.wait(_PAUSE / 2):
                break
        for step in steps:
            out.send(step, partition=home)

    @contextmanager
    def caller(self, *, first: int) -> Iterator[Caller]:
        """Open a client of the HTTP interface that begins at one of the processes."""
        headers = {"Authorization": f"Bearer {self.doors.token}"}
        with httpx2.Client(headers=headers, timeout=_PATIENCE) as client:
            yield Caller(self, client, first)

    @contextmanager
    def producing(self) -> Iterator[Producing]:
        """Open a producer to the topic; on exit all is acknowledged, or given up."""
        with closing(
            KafkaProducer(
                bootstrap_servers=list(self.doors.servers),
                acks="all",
                linger_ms=5,
                max_block_ms=120_000,
                delivery_timeout_ms=120_000,
                reconnect_backoff_max_ms=500,
            )
        ) as producer:
            yield Producing(self, producer)
            with suppress(KafkaError):
                producer.flush(timeout=120)


@dataclass
class Producing:
    """One client of the topic of submissions."""

    load: Load
    producer: KafkaProducer

    def send(self, event: Any, *, partition: int) -> None:
        """Send an event; its journal says when the broker had it."""
        self.load.journal.sending([event])
        key, value, headers = _record(event)
        future = self.send_raw(key, value, [*headers, ASKED], partition=partition)
        if future is not None:
            name = name_of(event)
            future.add_callback(lambda _: self.load.journal.produced(name))

    def send_raw(
        self, key: bytes | None, value: bytes | None, headers: Any, *, partition: int
    ) -> Any:
        """Send a record as it is; None: the client could not even take it."""
        with suppress(KafkaError):
            return self.producer.send(
                self.load.doors.topic,
                key=key,
                value=value,
                headers=headers,
                partition=partition,
            )
        return None


@dataclass
class Caller:
    """One client of the API processes: where one does not answer it asks the other."""

    load: Load
    client: httpx2.Client
    turn: int

    def submit(self, events: Sequence[Any], *, again: bool) -> bool:
        """Submit a batch, all or nothing; say whether it was accepted.

        ``again``: until there is an answer, or the load ends.
        """
        journal = self.load.journal
        journal.sending(events)
        while True:
            answer = self._post(events)
            if answer is not None and answer.status_code != 503:
                return self._keep(events, answer)
            if answer is not None:
                journal.turned_away(answer.json()["code"])
            self.turn += 1
            if not again or self.load.stop.wait(_AGAIN):
                return False

    def contradict(self, event: Any) -> None:
        """Submit other content under a name that is in the log."""
        other = {**event, "data": {"about": "Other than before"}}
        self.load.journal.contradicting(other)
        answer = self._post([other])
        if answer is not None and answer.status_code not in {409, 422, 503}:
            self.load.journal.strange(answer.status_code, answer.text)

    def _post(self, events: Sequence[Any]) -> httpx2.Response | None:
        urls = self.load.doors.urls
        url = urls[self.turn % len(urls)] + "/v1/events"
        try:
            return self.client.post(
                url, content=json.dumps(list(events)), headers={"Content-Type": BATCH}
            )
        except httpx2.HTTPError:
            return None

    def _keep(self, events: Sequence[Any], answer: httpx2.Response) -> bool:
        journal = self.load.journal
        if answer.status_code in {200, 201}:
            journal.accepted(answer.json()["items"])
            return True
        if answer.status_code == 422:
            for event in events:
                journal.refused(event, answer.json()["code"])
            return False
        journal.strange(answer.status_code, answer.text)
        return False


def permit(what: str, key: str, data: Any, number: int = 0) -> Any:
    """Return an event of a commitment that its own system logs: no duties to fulfil."""
    return scenario.commitment(what, key, data, number=number)


def family(whole: str, *parts: str) -> list[Any]:
    """Return the events that begin a commitment of two parts (模拟数据)."""
    beginning = {
        "title": "Permits (模拟数据)",
        "kind": "permit",
        "lead_unit": "gouzhao",
    }
    return [
        permit("registered", whole, beginning),
        permit("decomposed", whole, scenario.decomposed(*parts)),
        *(permit("registered", one, {**beginning, "parent": whole}) for one in parts),
    ]


def _record(event: Any) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    key = event.get("subject") or event["source"]
    return key.encode(), json.dumps(event).encode(), [STRUCTURED]
