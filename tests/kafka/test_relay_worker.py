"""What a relay publishes and when, without a broker: a ledger in memory, and a list."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from events.errors import Conflict, Refused, Unavailable
from events.records import Mark, Relayed, read
from events.store import Root
from services.leases import Lease
from services.relay.delivery import Bookmark
from services.relay.worker import Parts, Worker, noted_in
from tests.support import scenario
from tests.support.desk import Clock, Desk, MemoryHome

SECOND = 1_000_000


@dataclass
class Leases:
    """One lease that is granted to whoever asks, with its note."""

    granted: bool = True
    text: str | None = None
    claims: int = 0
    epoch: int = 1

    def claim(self, name, holder, *, seconds):
        """Grant it, or not."""
        self.claims += 1
        return Lease(name, holder, self.epoch) if self.granted else None

    def release(self, lease):
        """Forget nothing."""

    def note(self, lease, text):
        """Take a note from whoever may leave one."""
        if self.granted:
            self.text = text
        return self.granted

    def noted(self, name):
        """Return the note."""
        return self.text


@dataclass
class Published:
    """A delivery to a list; ``fault`` is raised by the next that is published."""

    count: int = 2
    batches: list = field(default_factory=list)
    fault: Exception | None = None
    closed: int = 0

    def partitions(self):
        """Return how many partitions there are."""
        return self.count

    def resume(self, noted):
        """Go on where the note says."""
        return noted

    def publish(self, records, reached):
        """Keep them."""
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.batches.append(
            [
                (one.partition, read(one.record.headers, one.record.value))
                for one in records
            ]
        )

    def close(self):
        """Count it."""
        self.closed += 1

    def positions(self):
        """Return the positions of all entries in the order of publishing."""
        everything = [one for batch in self.batches for _, one in batch]
        return [one.link.position for one in everything if isinstance(one, Relayed)]

    def marks(self):
        """Return how far each mark says the log is, in the first partition."""
        everything = [one for batch in self.batches for n, one in batch if n == 0]
        return [one.through for one in everything if isinstance(one, Mark)]


@pytest.fixture
def desk():
    """A ledger in memory."""
    return Desk(MemoryHome().open()).begin()


@pytest.fixture
def made(desk):
    """A relay with all that it works with."""
    return Made(desk)


class Made:
    """A relay, and what a test turns."""

    def __init__(self, desk):
        self.desk = desk
        self.clock = Clock()
        self.leases = Leases()
        self.published = Published()
        self.worker = self.another()

    def another(self):
        """Return one more relay of the same ledger."""
        return Worker(
            Parts(
                reader=self.desk.store,
                leases=self.leases,
                deliver=lambda _ledger: self.published,
                topic="log",
                mode="binary",
                clock=self.clock,
                holder="test",
            )
        )

    def grow(self, count, first=0):
        """Append events, sealed as one batch."""
        self.desk.submit(
            [scenario.external(number) for number in range(first, first + count)]
        )
        return self.desk.store.head().size


def test_batches_end_where_the_log_was_sealed(made, monkeypatch):
    """However small the pages: the end of each is a size of the log that has a root."""
    monkeypatch.setattr("services.relay.worker._MOST", 3)
    ends = {
        made.desk.store.head().size,
        made.grow(10),
        made.grow(1, 50),
        made.grow(9, 60),
    }
    while made.worker.step():
        assert isinstance(made.desk.store.root_at(made.worker.health.position), Root)
        assert made.worker.health.position in ends
    assert made.published.positions() == list(range(1, max(ends) + 1))


def test_marks_come_now_and_then_and_once_when_idle(made):
    """Not after each batch of a busy log; always in the end, and then no more."""
    sizes = []
    for number in range(5):
        sizes.append(made.grow(2, 10 * number))
        made.worker.step()
        made.clock.now += SECOND // 10
    assert made.published.marks() == [sizes[0], sizes[2], sizes[4]]
    sizes.append(made.grow(2, 90))
    made.worker.step()
    assert made.published.marks() == [sizes[0], sizes[2], sizes[4]]
    for _ in range(5):
        made.clock.now += SECOND
        made.worker.step()
    assert made.published.marks() == [sizes[0], sizes[2], sizes[4], sizes[5]]


def test_the_next_one_marks_when_it_begins(made):
    """The one before may have died between its records and its mark."""
    size = made.desk.store.head().size
    made.worker.step()
    fresh = made.another()
    assert not fresh.step()
    assert made.published.marks() == [size, size]


def test_no_mark_goes_ahead_of_what_was_published(made):
    """A mark says how far the topic is, not how far the log is."""
    made.worker.step()
    size = made.desk.store.head().size
    made.published.fault = Unavailable("kafka_unavailable")
    made.grow(3)
    made.clock.now += SECOND
    with pytest.raises(Unavailable):
        made.worker.step()
    assert made.published.marks() == [size]


@pytest.mark.parametrize(
    ("fault", "stopped"),
    [
        (Unavailable("kafka_unavailable"), ""),
        (RuntimeError("unexpected"), ""),
        (Refused("kafka_refused"), "kafka_refused"),
        (Conflict("kafka_partitions_changed"), "kafka_partitions_changed"),
    ],
)
def test_after_any_error_it_begins_anew_from_its_note(made, fault, stopped, capsys):
    """A new connection, the same records: nothing is skipped, and health tells."""
    made.worker.step()
    size = made.grow(4)
    made.published.fault = fault
    assert made.worker._try() > 0
    assert (made.worker.health.stopped, made.published.closed) == (stopped, 1)
    assert made.worker.health.failures == 1
    while made.worker.step():
        pass
    assert made.worker.health.stopped == ""
    assert made.published.positions() == list(range(1, size + 1))


@pytest.mark.parametrize("code", ["kafka_fenced", "relay_superseded"])
def test_who_was_overtaken_asks_for_the_lease_again(made, code):
    """It does not go on by the lease that it had."""
    made.worker.step()
    made.grow(1)
    made.published.fault = Conflict(code)
    made.worker._try()
    made.leases.granted = False
    assert not made.worker.step()
    assert not made.worker.health.leading
    assert made.worker.health.stopped == ""


def test_the_lease_is_renewed_in_time(made):
    """At a third of its time, and where the clock was set back by as much."""
    for now in (0, 2, 4, 5, -9):
        made.clock.now = (1_000_000 + now) * SECOND
        made.worker.step()
    assert made.leases.claims == 3


def test_without_the_lease_nothing_is_published(made):
    """And what was open is closed."""
    made.leases.granted = False
    assert not made.worker.step()
    assert made.published.batches == []


def test_an_empty_log_is_waited_for():
    """A relay may be there before the ledger is opened."""
    made = Made(Desk(MemoryHome().open()))
    assert not made.worker.step()
    made.desk.begin()
    assert made.worker.step()


def test_another_count_of_partitions_is_refused(made):
    """As noted by whoever began the topic."""
    made.leases.text = '{"position":2,"previous":[1,2,0]}'
    with pytest.raises(Conflict, match="kafka_partitions_changed"):
        made.worker.step()
    assert made.published.batches == []


def test_partitions_that_come_while_it_runs_are_refused(made):
    """Before the next batch, not after."""
    made.worker.step()
    made.published.count = 3
    made.grow(1)
    before = list(made.published.batches)
    with pytest.raises(Conflict, match="kafka_partitions_changed"):
        made.worker.step()
    assert made.published.batches == before


def test_each_record_names_the_one_before_in_its_partition(made):
    """Across batches and relays."""
    for number in range(3):
        made.grow(4, 10 * number)
        made.another().step()
    last = {}
    for batch in made.published.batches:
        for partition, one in batch:
            if isinstance(one, Relayed):
                assert one.link.previous == last.get(partition, 0)
                last[partition] = one.link.position
    reached = Bookmark(made.desk.store.head().size, (last.get(0, 0), last.get(1, 0)))
    assert noted_in(made.leases, made.worker.lease_name) == reached


def test_a_relay_that_slept_through_the_turn_of_another_begins_at_its_note(made):
    """It is never told that it lost the lease, only that it has another epoch now."""
    made.worker.step()
    size = made.grow(4)
    made.leases.epoch = 2
    made.another().step()
    made.leases.epoch = 3
    made.clock.now += 60 * SECOND
    made.worker.step()
    assert made.published.positions() == list(range(1, size + 1))
