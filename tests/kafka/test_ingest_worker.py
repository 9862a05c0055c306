"""The worker's steps with a consumer, a log and a publisher that fail when told to."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from types import SimpleNamespace

import pytest
from kafka import TopicPartition
from kafka.errors import CommitFailedError, CorruptRecordError, KafkaTimeoutError
from kafka.partitioner.default import murmur2
from prometheus_client import CollectorRegistry

from events.errors import Corrupt, Malformed, Refused, Unavailable
from events.records import Record
from events.submissions import Accepted
from services.ingest import records, topics
from services.ingest.appending import Appender, InHand
from services.ingest.consuming import Inflow
from services.ingest.metrics import IngestMetrics
from services.ingest.replying import Replies
from services.ingest.worker import Parts, Worker
from tests.support import scenario

TOPIC = topics.Topic(name="calls", key=scenario.ADAPTER, receipts="receipts")
ONE, TWO = TopicPartition("calls", 0), TopicPartition("calls", 1)
CE = [
    ("ce_specversion", b"1.0"),
    ("ce_source", b"urn:test:desk"),
    ("ce_type", scenario.EXTERNAL.encode()),
    ("content-type", b"application/json"),
]


def taken(offset, *, place=ONE, value=b'{"about":"Dust"}', headers=()):
    """Return a record of a place in a topic; its id is that place."""
    name = ("ce_id", f"{place.partition}-{offset}".encode())
    return SimpleNamespace(
        topic="calls",
        partition=place.partition,
        offset=offset,
        key=b"k",
        value=value,
        headers=[*CE, name, *headers],
    )


class Consumer:
    """As much of a consumer as is used: it gives what is put into ``pages``."""

    def __init__(self):
        self.pages, self.committed, self.sought = [], [], []
        self.polls = 0
        self.halted: set = set()
        self.failing: list[Exception] = []
        self.broken: list[Exception] = []

    def subscribe(self, topics, *, listener):
        self.listener = listener

    def poll(self, *, timeout_ms, max_records):
        self.polls += 1
        if self.broken:
            raise self.broken.pop()
        return self.pages.pop(0) if self.pages else {}

    def assignment(self):
        return set(self.listener.held)

    def pause(self, *places):
        self.halted.update(places)

    def paused(self):
        return set(self.halted)

    def resume(self, *places):
        self.halted.difference_update(places)

    def seek(self, place, offset):
        self.sought.append((place, offset))

    def position(self, place, *, timeout_ms):
        return 3

    def end_offsets(self, places, *, timeout_ms):
        return dict.fromkeys(places, 10)

    def commit(self, offsets, *, timeout_ms):
        if self.failing:
            raise self.failing.pop()
        self.committed.append({place: row.offset for place, row in offsets.items()})


class Log:
    """A sequencer that accepts everything, or does and answers as ``plan`` says."""

    def __init__(self):
        self.plan, self.seen = [], []

    def submit(self, request):
        act = self.plan.pop(0) if self.plan else None
        told = act() if act is not None else None
        if told is not None:
            request.deliver([(request, [told] * len(request.items))])
            return
        results = []
        for item in request.items:
            if isinstance(item, Malformed):
                results.append(item)
                continue
            name = item.submission.id
            again = name in self.seen
            self.seen += [] if again else [name]
            results.append(Accepted(1, "s", 1, bytes(32), 0, repeat=again))
        request.deliver([(request, results)])


class Desk:
    """A worker and all that it stands on."""

    def __init__(self):
        self.consumer, self.log, self.sent = Consumer(), Log(), []
        self.probes = []
        self.inflow = Inflow(
            self.consumer, ["calls"], max_records=100, probe=lambda: self.probes.pop(0)
        )
        self.consumer.listener.on_partitions_assigned([ONE, TWO])
        self.registry, self.outflow_plan, self.now = CollectorRegistry(), [], 10**7
        self.refused = []
        self.worker = Worker(
            Parts(
                topics={"calls": TOPIC},
                inflow=self.inflow,
                appender=Appender(
                    SimpleNamespace(sequencer=self.log),
                    meanwhile=lambda: None,
                ),
                outflow=SimpleNamespace(send=self.send),
                receipt_of=lambda _accepted: "proof",
                refused=lambda one, error: self.refused.append(error.code),
                now_text=lambda: "2026-11-23T00:00:00Z",
                metrics=IngestMetrics(self.registry, clock=lambda: self.now),
            )
        )

    def send(self, replies):
        act = self.outflow_plan.pop(0) if self.outflow_plan else None
        if act is not None:
            act()
        self.sent += replies

    def count(self, outcome):
        labels = {"topic": "calls", "outcome": outcome}
        return self.registry.get_sample_value("henji_ingest_records_total", labels)


@pytest.fixture
def desk():
    """A worker that holds two partitions."""
    return Desk()


def raising(error):
    """Return an act that fails."""

    def act():
        raise error

    return act


def test_offsets_are_committed_after_everything_else(desk):
    """Log, then dead letters and receipts, then the offsets: of both partitions."""
    order = []
    desk.log.plan = [lambda: order.append("log")]
    desk.outflow_plan = [lambda: order.append("answers")]
    asked = taken(0, headers=[records.ASKED])
    desk.consumer.pages = [
        {ONE: [asked, taken(1, value=b"{")], TWO: [taken(7, place=TWO)]}
    ]
    desk.consumer.commit = lambda offsets, timeout_ms: order.append(
        {place: row.offset for place, row in offsets.items()}
    )
    assert desk.worker.step() == 3
    assert order == ["log", "answers", {ONE: 2, TWO: 8}]
    assert [reply.topic for reply in desk.sent] == ["receipts", "calls.dead"]
    assert (desk.count("accepted"), desk.count("malformed")) == (2, 1)
    assert desk.refused == ["json_syntax"]


@pytest.mark.parametrize("code", ["commit_unknown", "store_unavailable", "overloaded"])
def test_what_cannot_be_done_now_is_done_again(desk, code):
    """Not taken, or answered so: it is submitted again, in the group meanwhile."""
    desk.log.plan = [raising(Unavailable(code)), lambda: Unavailable(code)]
    desk.consumer.pages = [{ONE: [taken(0), taken(1)]}]
    desk.worker.step()
    assert desk.log.seen == ["0-0", "0-1"]
    assert desk.consumer.polls == 3
    assert desk.consumer.halted == {ONE, TWO}
    assert desk.sent == []
    assert desk.consumer.committed == [{ONE: 2}]
    failures = desk.registry.get_sample_value(
        "henji_ingest_failures_total", {"code": code}
    )
    assert failures == 2


def test_what_an_unknown_commit_has_written_is_not_written_twice(desk):
    """The log knows the events of the first attempt."""
    batch = [InHand(taken(0), TOPIC, records.read(taken(0), limit=1_000))]
    desk.log.seen = ["0-0"]
    desk.log.plan = [raising(Unavailable("commit_unknown"))]
    appender = Appender(SimpleNamespace(sequencer=desk.log), meanwhile=lambda: None)
    with pytest.raises(Unavailable, match="commit_unknown"):
        appender.append(batch)
    assert batch[0].result is None
    appender.append(batch)
    assert batch[0].result.repeat


def test_a_partition_that_is_revoked_meanwhile_is_dropped(desk):
    """Its records are neither answered nor committed; those of the other are."""
    bad = b"{"

    def revoke():
        desk.consumer.listener.on_partitions_revoked([ONE])
        raise Unavailable("store_unavailable")

    desk.log.plan = [revoke]
    desk.consumer.pages = [
        {ONE: [taken(0, value=bad)], TWO: [taken(4, place=TWO, value=bad)]}
    ]
    desk.worker.step()
    (letter,) = desk.sent
    assert ("henji_partition", b"1") in letter.record.headers
    assert desk.consumer.committed == [{TWO: 5}]


def test_a_partition_that_came_back_is_not_committed_from_before(desk):
    """Another may have gone further meanwhile: an offset belongs to its tenure."""

    def bounce():
        desk.consumer.listener.on_partitions_lost([ONE])
        desk.consumer.listener.on_partitions_assigned([ONE])

    desk.log.plan = [bounce]
    desk.consumer.pages = [{ONE: [taken(0)]}]
    desk.worker.step()
    assert desk.log.seen == ["0-0"]
    assert desk.consumer.committed == []
    assert desk.count("accepted") is None


def test_what_is_revoked_while_its_answer_waits_is_not_answered(desk):
    """Whoever has the partition next reads the record again, and answers it."""

    def revoke():
        desk.consumer.listener.on_partitions_revoked([ONE])
        raise Unavailable("kafka_unavailable")

    desk.outflow_plan = [revoke]
    desk.consumer.pages = [{ONE: [taken(0, value=b"{")]}]
    desk.worker.step()
    assert (desk.sent, desk.consumer.committed) == ([], [])


def test_an_offset_that_is_owed_goes_with_its_partition(desk):
    """The commit failed since the partition was about to go: it is not tried later."""
    desk.consumer.failing = [CommitFailedError()]
    desk.consumer.pages = [{ONE: [taken(0)]}, {TWO: [taken(0, place=TWO)]}]
    desk.worker.step()
    desk.consumer.listener.on_partitions_revoked([ONE])
    desk.worker.step()
    assert desk.consumer.committed == [{TWO: 1}]


def test_an_offset_that_is_not_taken_stays_owed(desk):
    """A commit that fails is made later; the records are not taken again for it."""
    desk.consumer.failing = [KafkaTimeoutError(), CommitFailedError()]
    desk.consumer.pages = [{ONE: [taken(0)]}, {TWO: [taken(0, place=TWO)]}]
    desk.worker.step()
    desk.worker.step()
    assert desk.consumer.committed == []
    for _ in range(3):
        assert desk.worker.step() == 0
    assert desk.consumer.committed == [{ONE: 1, TWO: 1}]
    labels = {"code": "kafka_unavailable"}
    assert desk.registry.get_sample_value("henji_ingest_failures_total", labels) == 2


def test_offsets_wait_for_the_answers(desk):
    """A dead letter that the broker does not take holds the offset, and is sent again."""
    desk.outflow_plan = [raising(Unavailable("kafka_unavailable"))]
    desk.consumer.pages = [{ONE: [taken(0, value=b"{")]}]
    desk.worker.step()
    assert len(desk.sent) == 1
    assert desk.consumer.committed == [{ONE: 1}]
    assert desk.count("malformed") == 1


def test_what_comes_while_it_rests_is_read_again(desk):
    """A partition assigned in a rest is not paused yet: its records are not lost."""
    desk.log.plan = [raising(Unavailable("store_unavailable"))]
    desk.consumer.pages = [{ONE: [taken(0)]}, {TWO: [taken(5, place=TWO)]}]
    desk.worker.step()
    assert desk.consumer.sought == [(TWO, 5)]
    assert desk.consumer.committed == [{ONE: 1}]


def test_a_log_that_has_ended_ends_the_worker(desk):
    """Only a new process can go on: this one commits nothing and says why."""
    desk.log.plan = [raising(Unavailable("sequencer_stopped"))]
    desk.consumer.pages = [{ONE: [taken(0)]}]
    with pytest.raises(Unavailable, match="sequencer_stopped"):
        desk.worker.run(threading.Event())
    assert desk.consumer.committed == []


def test_told_to_stop_it_leaves_what_cannot_be_done(desk):
    """A stop does not wait for a database; the records stay in the topic."""
    stop = threading.Event()

    def act():
        stop.set()
        raise Unavailable("store_unavailable")

    desk.log.plan = [act]
    desk.consumer.pages = [{ONE: [taken(0)]}]
    desk.worker.run(stop)
    assert (desk.log.seen, desk.consumer.committed) == ([], [])


def test_a_slow_log_keeps_the_worker_in_the_group():
    """While an answer is awaited the group is kept up, as often as it takes."""
    waits, answers = [], SimpleQueue()

    def meanwhile():
        waits.append(len(waits))
        if len(waits) == 3:
            request = answers.get()
            request.deliver([(request, [Accepted(1, "s", 1, bytes(32), 0)])])

    log = SimpleNamespace(submit=answers.put)
    one = InHand(taken(0), TOPIC, records.read(taken(0), limit=1_000))
    Appender(
        SimpleNamespace(sequencer=log), meanwhile=meanwhile, patience=0.001
    ).append([one])
    assert (waits, one.result.position) == ([0, 1, 2], 1)


def test_lag_is_asked_of_the_broker(desk):
    """Also of partitions of which nothing was taken, and of what is in hand."""
    desk.consumer.pages = [{ONE: [taken(4), taken(5)]}]
    (portion,) = desk.inflow.take(seconds=0)
    assert desk.inflow.lag() == {ONE: 6, TWO: 7}
    desk.inflow.done([portion])
    assert desk.inflow.lag() == {ONE: 4, TWO: 7}


class Probe:
    """A consumer that is asked for one record, and fails or not."""

    def __init__(self, error=None):
        self.error = error

    def assign(self, places):
        (self.place,) = places

    def seek(self, place, offset):
        assert (place, offset) == (self.place, 3)

    def poll(self, *, timeout_ms, max_records):
        if self.error:
            raise self.error

    def close(self):
        pass


def test_a_record_that_the_client_cannot_take_apart_is_found_and_passed(desk):
    """The client does not say which it was; only the partition at fault is moved on."""
    fault = CorruptRecordError("invalid record structure")
    desk.consumer.broken, desk.probes = [fault], [Probe(), Probe(fault)]
    desk.worker.step()
    (letter,) = desk.sent
    assert ("henji_offset", b"3") in letter.record.headers
    assert ("henji_partition", b"1") in letter.record.headers
    assert desk.refused == ["record_unreadable"]
    assert desk.consumer.sought == [(TWO, 4)]
    assert desk.consumer.committed == [{TWO: 4}]


def test_what_a_disk_has_damaged_is_not_passed(desk):
    """A record that fails its checksum stops the worker: it may be mended."""
    fault = CorruptRecordError("failed crc check")
    desk.consumer.broken, desk.probes = [fault], [Probe(fault), Probe()]
    with pytest.raises(Corrupt, match="kafka_record_corrupt"):
        desk.worker.run(threading.Event())
    assert (desk.consumer.sought, desk.consumer.committed) == ([], [])


class Publisher:
    """A publisher that fails where it is told to."""

    def __init__(self, failing=None):
        self.failing, self.sent, self.closed = failing, [], False
        self.placed = []

    def partitions(self, topic):
        return 5

    def send(self, topic, record, *, partition):
        self.sent.append((topic, record))
        self.placed.append(partition)

    def flush(self):
        if self.failing:
            raise self.failing

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    "error", [Unavailable("kafka_unavailable"), Refused("kafka_refused")]
)
def test_a_publisher_that_failed_is_replaced(error):
    """Also where an operator has to act: an answer is never left out."""
    made = [Publisher(error), Publisher()]
    waiting = list(made)
    replies = Replies(lambda: waiting.pop(0))
    reply = records.Reply("t", Record(None, b"v", []))
    with pytest.raises(Unavailable, match=error.code):
        replies.send([reply])
    replies.send([reply])
    replies.send([reply])
    assert (made[0].closed, made[1].closed) == (True, False)
    assert made[1].sent == [("t", Record(None, b"v", []))] * 2


def test_an_answer_goes_where_any_other_client_would_put_its_key():
    """Without a key the client chooses, as it does for everybody."""
    publisher, keys = Publisher(), [b"site-1", b"site-2", None]
    Replies(lambda: publisher).send(
        [records.Reply("t", Record(key, b"v", [])) for key in keys]
    )
    chosen = [murmur2(key) % 2**31 % 5 for key in keys[:2]]
    assert publisher.placed == [*chosen, None]
