"""The recorder test cases that the ``eventsourcing`` library ships, on the three stores."""

from __future__ import annotations

import itertools
import threading
import time
from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError, OperationalError, StoredEvent
from eventsourcing.tests import persistence as shipped

from events.merkle import root_of
from events.recorders import (
    LedgerAggregateRecorder,
    LedgerRecorder,
    LedgerSubscription,
)
from tests.store.conftest import NAMES


def recorder_over(store):
    """Return a recorder whose clock counts up; the library's cases number from 0 and 1."""
    ticks = itertools.count(1_000)
    return LedgerRecorder(store, clock=lambda: next(ticks), first_version=0)


# unittest classes cannot be parametrised: one class for each case and store.
def _cases():
    for case, subscribes in (
        (shipped.ApplicationRecorderTestCase, True),
        (shipped.AggregateRecorderTestCase, False),
        (shipped.NonInterleavingNotificationIDsBaseCase, False),
    ):
        for name in NAMES:
            yield case, name, subscribes


def _make(case, name, subscribes):
    def give_store(self, open_store):
        self.store = open_store(name)

    def create_recorder(self):
        recorder = recorder_over(self.store)
        if case is shipped.AggregateRecorderTestCase:
            return LedgerAggregateRecorder(recorder)
        return recorder

    members = {
        "_give_store": pytest.fixture(autouse=True)(give_store),
        "new_originator_id": lambda self: f"test/{uuid4()}",
        "create_recorder": create_recorder,
    }
    if subscribes:
        members["test_insert_subscribe"] = lambda self: (
            self.optional_test_insert_subscribe()
        )
    return type(f"Test{case.__name__}On{name.capitalize()}", (case,), members)


for _case, _name, _subscribes in _cases():
    _class = _make(_case, _name, _subscribes)
    globals()[_class.__name__] = _class
del _class  # else it would be collected a second time, under this name


def made(stream, version, topic="t"):
    return StoredEvent(stream, version, topic, f"{stream}/{version}".encode())


def test_recorded_events_are_sealed(store):
    """What the library records has positions, leaves and a root like every entry."""
    recorder = recorder_over(store)
    for first in range(0, 600, 200):
        positions = recorder.insert_events([made("s/A", first + n) for n in range(200)])
        assert list(positions) == list(range(first + 1, first + 201))
    head = store.head()
    assert head.size == recorder.max_notification_id() == 600
    assert head.root == root_of(store.leaves(start=0, end=600))
    assert len(list(store.iter_nodes())) == 2


def test_refused_events_leave_no_trace(store):
    """A version conflict is the library's IntegrityError and leaves the log as it was."""
    recorder = recorder_over(store)
    recorder.insert_events([made("s/A", 0)])
    before = store.head()
    with pytest.raises(IntegrityError):
        recorder.insert_events([made("s/B", 0), made("s/A", 0)])
    assert store.head() == before
    assert list(recorder.insert_events([made("s/B", 0)])) == [2]
    assert list(recorder.insert_events([])) == []


def test_closed_store_is_an_operational_error(open_store):
    """A database that is gone is the library's OperationalError."""
    store = open_store("postgres")
    recorder = recorder_over(store)
    store.close()
    with pytest.raises(OperationalError):
        recorder.insert_events([made("s/A", 0)])


def test_subscription_sees_other_writers(store):
    """A subscription delivers, in order and once, what another recorder commits."""
    ours, other = recorder_over(store), recorder_over(store)
    with ours.subscribe(topics=["wanted"]) as subscription:
        writer = threading.Thread(
            target=lambda: [
                other.insert_events([made("s/A", n, ("wanted", "noise")[n % 2])])
                for n in range(20)
            ]
        )
        writer.start()
        got = [next(subscription).id for _ in range(10)]
        writer.join()
    assert got == list(range(1, 21, 2))


def test_subscription_is_woken_by_a_commit(store):
    """A waiting subscription is woken by its recorder's commit, not by the next poll."""
    recorder = recorder_over(store)
    subscription = LedgerSubscription(recorder, poll=60.0)
    started = time.monotonic()
    got = []
    reader = threading.Thread(
        target=lambda: got.extend(next(subscription) for _ in range(50))
    )
    reader.start()
    for number in range(50):
        recorder.insert_events([made("s/A", number)])
    reader.join(30)
    assert [one.id for one in got] == list(range(1, 51))
    assert time.monotonic() - started < 30


def test_stop_ends_a_waiting_subscription(store):
    """Stopping from another thread ends the iteration at once."""
    subscription = LedgerSubscription(recorder_over(store), poll=60.0)
    reader = threading.Thread(target=lambda: list(subscription))
    reader.start()
    subscription.stop()
    reader.join(30)
    assert not reader.is_alive()
