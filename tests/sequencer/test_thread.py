"""The sequencer's thread: group commit, stopping, failing, catching up, forgetting."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from queue import SimpleQueue

import pytest

from events import errors
from events.submissions import Accepted
from tests.support import scenario
from tests.support.desk import Desk, MemoryHome, codes, request, tables, verified

OPENING = 1 + len(scenario.groundwork())
"""How many entries a desk begins with."""

REPEATABLE = {
    f"henji.commitment.{what}.v1" for what in ("plan_filed", "progress_reported")
}


class Waiter:
    """A channel that answers are delivered to, and waited for."""

    def __init__(self) -> None:
        self.queue: SimpleQueue = SimpleQueue()

    def __call__(self, answers) -> None:
        """Take answers from the sequencer's thread."""
        for one in answers:
            self.queue.put(one)

    def take(self, count: int) -> list:
        """Return so many answers as (request, results), in order of delivery."""
        return [self.queue.get(timeout=30) for _ in range(count)]


def many(waiter, numbers):
    """Return a request for each number."""
    return [request([scenario.external(n)], deliver=waiter) for n in numbers]


def test_many_waiting_requests_share_a_commit(desk):
    """Requests that wait together are one batch with one root, each with its answer."""
    waiter, roots = Waiter(), len(list(desk.store.iter_roots()))
    for one in many(waiter, range(50)):
        desk.sequencer.submit(one)
    assert desk.sequencer.waiting == 50
    desk.sequencer.start()
    answers = waiter.take(50)
    assert len(list(desk.store.iter_roots())) == roots + 1
    positions = [results[0].position for _, results in answers]
    assert positions == list(range(positions[0], positions[0] + 50))
    for asked, (result,) in answers:
        row = desk.store.row(result.position)
        assert row.id == asked.items[0].submission.id
        desk.proven(result)
    verified(desk.store)


def test_a_group_is_bounded(new_desk):
    """A group commit takes no further request once it has reached its size."""
    desk, waiter = new_desk(max_batch=10).begin(), Waiter()
    roots = len(list(desk.store.iter_roots()))
    for start in range(0, 28, 7):
        events = [scenario.external(n) for n in range(start, start + 7)]
        desk.sequencer.submit(request(events, deliver=waiter))
    desk.sequencer.start()
    waiter.take(4)
    assert len(list(desk.store.iter_roots())) == roots + 2


def test_concurrent_submitters(desk):
    """Whatever threads submit what, each event is in the log once and proven."""
    desk.sequencer.start()
    waiters = [Waiter() for _ in range(4)]

    def work(waiter, start):
        # Neighbours overlap: half of the numbers are submitted by two threads.
        for one in many(waiter, range(start, start + 40)):
            desk.sequencer.submit(one)

    threads = [
        threading.Thread(target=work, args=(waiter, 20 * number))
        for number, waiter in enumerate(waiters)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = [one for waiter in waiters for one in waiter.take(40)]
    ids: dict[str, set[int]] = {}
    for asked, (result,) in answers:
        ids.setdefault(asked.items[0].submission.id, set()).add(result.position)
    assert all(len(positions) == 1 for positions in ids.values())
    assert len(ids) == 100
    assert verified(desk.store).size == OPENING + 100


def test_stopping_answers_everybody(quick):
    """What was waiting is finished by a stop; after it nothing is taken."""
    waiter = Waiter()
    for one in many(waiter, range(5)):
        quick.sequencer.submit(one)
    quick.sequencer.start()
    quick.sequencer.stop()
    quick.sequencer.stop()
    assert [codes(results) for _, results in waiter.take(5)] == [["ok"]] * 5
    with pytest.raises(errors.Unavailable) as refused:
        quick.sequencer.submit(many(waiter, [9])[0])
    assert refused.value.code == "sequencer_stopped"


def test_stopping_before_the_start(quick):
    """A sequencer that never ran stops at once and refuses."""
    quick.sequencer.stop()
    with pytest.raises(errors.Unavailable):
        quick.sequencer.submit(request([scenario.external(1)]))


def test_too_many_waiting(new_desk):
    """Beyond the limit of waiting requests a submitter is told to come back."""
    desk = new_desk(max_waiting=3).begin()
    for number in range(3):
        desk.sequencer.submit(request([scenario.external(number)]))
    with pytest.raises(errors.Unavailable) as refused:
        desk.sequencer.submit(request([scenario.external(3)]))
    assert refused.value.code == "overloaded"


class Refusing:
    """An append whose insert fails."""

    def __init__(self, log, error) -> None:
        self._log = log
        self._error = error

    def __getattr__(self, name):
        """Read as the real one does."""
        return getattr(self._log, name)

    def insert(self, **_batch) -> None:
        """Fail."""
        raise self._error


def failing(desk, error, *, times: int = 1_000) -> None:
    """Let the store's insert fail with an error, so many times."""
    real, left = desk.store.append, iter(range(times))

    @contextmanager
    def append():
        with real() as log:
            yield log if next(left, None) is None else Refusing(log, error)

    desk.store.append = append


def test_an_unknown_failure_stops_the_writing():
    """After an error that nobody foresaw every answer says so, also to who waits."""
    desk = Desk(MemoryHome().open(), options={"max_batch": 1}).begin()
    failing(desk, sqlite3.DatabaseError("disk image is malformed"))
    waiter, before = Waiter(), tables(desk.store)
    for one in many(waiter, range(3)):
        desk.sequencer.submit(one)
    desk.sequencer.start()
    answers = [results[0] for _, results in waiter.take(3)]
    assert codes(answers) == ["sequencer_stopped"] * 3
    cause = desk.sequencer.failure
    assert isinstance(cause, sqlite3.DatabaseError)
    assert [answer.__cause__ for answer in answers] == [cause] * 3
    with pytest.raises(errors.Unavailable) as refused:
        desk.sequencer.submit(many(waiter, [9])[0])
    assert refused.value.code == "sequencer_stopped"
    assert tables(desk.store) == before
    desk.sequencer.stop()


def test_after_a_failure_the_waiting_are_not_written():
    """A second batch is not tried once the first has left us without trust."""
    desk = Desk(MemoryHome().open(), options={"max_batch": 1}).begin()
    before = tables(desk.store)
    real, tried = desk.sequencer.commit, []

    def commit(batch):
        tried.append(batch)
        if len(tried) == 1:
            raise errors.Corrupt("root_mismatch")
        return real(batch)

    desk.sequencer.commit = commit
    waiter = Waiter()
    for one in many(waiter, range(2)):
        desk.sequencer.submit(one)
    desk.sequencer.start()
    answers = [results[0] for _, results in waiter.take(2)]
    assert codes(answers) == ["sequencer_stopped"] * 2
    assert tables(desk.store) == before
    desk.sequencer.stop()


def test_a_passing_failure_is_passed_on_and_survived():
    """Where the store says "not now", the submitters are told, and the next succeed."""
    desk = Desk(MemoryHome().open()).begin()
    failing(desk, errors.Unavailable("store_busy"), times=1)
    waiter = Waiter()
    for one in many(waiter, range(3)):
        desk.sequencer.submit(one)
    desk.sequencer.start()
    answers = [codes(results) for _, results in waiter.take(3)]
    assert answers == [["store_busy"]] * 3
    for one in many(waiter, range(3)):
        desk.sequencer.submit(one)
    assert [codes(results) for _, results in waiter.take(3)] == [["ok"]] * 3
    verified(desk.store)
    desk.sequencer.stop()


def test_a_unique_index_sends_them_in_one_by_one():
    """A conflict that the cache had not foreseen costs a retry, not the neighbours."""
    desk = Desk(MemoryHome().open()).begin()
    failing(desk, errors.Conflict("version_conflict"), times=1)
    waiter, roots = Waiter(), len(list(desk.store.iter_roots()))
    for one in many(waiter, range(3)):
        desk.sequencer.submit(one)
    desk.sequencer.start()
    answers = waiter.take(3)
    assert [codes(results) for _, results in answers] == [["ok"]] * 3
    assert len(list(desk.store.iter_roots())) == roots + 3
    for _, (result,) in answers:
        desk.proven(result)
    desk.sequencer.stop()


def test_a_conflict_without_end_is_told(quick):
    """A lone request that the index refuses again and again is sent away, to retry."""
    failing(quick, errors.Conflict("version_conflict"))
    waiter = Waiter()
    quick.sequencer.submit(many(waiter, [1])[0])
    quick.sequencer.start()
    ((_, results),) = waiter.take(1)
    assert codes(results) == ["store_conflict"]
    quick.sequencer.stop()


def test_a_submitter_that_is_gone(quick):
    """A channel that fails on delivery costs nobody else the answer, nor the thread."""

    def gone(_answers):
        raise RuntimeError("Event loop is closed")

    waiter = Waiter()
    lost = request([scenario.external(0)], deliver=gone)
    for one in (lost, *many(waiter, [1, 2])):
        quick.sequencer.submit(one)
    quick.sequencer.start()
    assert [codes(results) for _, results in waiter.take(2)] == [["ok"]] * 2
    quick.sequencer.submit(many(waiter, [0])[0])
    ((_, (again,)),) = waiter.take(1)
    assert again.repeat
    quick.sequencer.stop()


def test_listeners_hear_the_size_after_the_commit(new_desk):
    """Who listens is told a size whose entries can be read already; repeats are silent."""
    seen = []
    desk = new_desk(on_commit=lambda size: seen.append((size, desk.store.head().size)))
    desk.begin()
    desk.submit([scenario.external(1), scenario.external(2)])
    desk.submit([scenario.external(1)])
    desk.submit([scenario.external(3, about="")])
    assert seen == [(OPENING, OPENING), (OPENING + 2, OPENING + 2)]


def test_two_sequencers_take_turns(new_desk):
    """Two writers on one log see each other's entries, keys, states and versions."""
    first, second = new_desk(), new_desk()
    first.begin()
    loop = list(scenario.delegated(scenario.loop("C1")))
    for number, event in enumerate(loop):
        writer, other = (first, second) if number % 2 else (second, first)
        plain = scenario.external(number, subject="S")
        accepted = writer.submit([event, plain])
        assert codes(accepted) == ["ok", "ok"]
        assert accepted[1].version == number + 1
        again = other.submit([plain, event])
        assert [one.repeat for one in again] == [True, True]
        assert other.receipt(again[0]) == writer.receipt(accepted[1])
        if event["type"] not in REPEATABLE:
            late = other.one({**event, "id": "late"}, dry_run=True)
            assert isinstance(late, errors.Refused)
    second.one(scenario.key_revoked(scenario.ADAPTER), key="system")
    assert codes([first.one(scenario.external(99))]) == ["key_unusable"]
    verified(first.store)


def test_far_behind_another_writer(new_desk):
    """A writer that missed more than it would read in one go catches up all the same."""
    first, second = new_desk(), new_desk()
    first.begin()
    assert second.one(scenario.external(0, subject="S")).version == 1
    for start in (1, 601):
        events = [scenario.external(n, subject="S") for n in range(start, start + 600)]
        first.submit(events)
    result = second.one(scenario.external(9_999, subject="S"))
    assert (result.version, result.position) == (1_202, OPENING + 1_202)
    second.proven(result)
    verified(second.store)


def test_forgetting_streams_changes_no_answer(new_desk):
    """A cache of two streams and one of thousands give the same log and answers."""
    small, large = Desk(MemoryHome().open(), options={"max_streams": 2}), new_desk()
    small.begin()
    large.begin()
    for step in range(len(scenario.WAY)):
        for key in ("C1", "C2", "C3"):
            event = list(scenario.delegated(scenario.loop(key)))[step]
            late = {**event, "id": f"{event['id']}-late"}
            trial = scenario.external(step, subject=f"{key}-trial")
            for events, options in (
                ([event, late], {"atomic": False}),
                ([trial], {"dry_run": True}),
                ([scenario.external(step, subject=key)], {}),
            ):
                mine = small.submit(events, **options)
                other = large.submit(events, **options)
                assert codes(mine) == codes(other)
            assert len(small.sequencer._cache._known) <= 2 + 4
    assert tables(small.store) == tables(large.store)


def test_the_cache_stays_bounded_without_commits(quick):
    """Trial runs and refusals over ever new streams do not fill the memory."""
    desk = Desk(quick.store, options={"max_streams": 10})
    for number in range(60):
        trial = scenario.external(number, subject=f"S{number}")
        desk.one(trial, dry_run=True)
        desk.one(scenario.external(number, subject=f"T{number}", about=""))
    assert len(desk.sequencer._cache._known) < 20


def test_a_clock_that_goes_back(desk):
    """Ingested instants grow from batch to batch, whatever the clock does."""
    for number, shift in enumerate((5, -1_000, 3, 0, 7, -(10**15))):
        desk.clock.now = scenario.START + shift
        assert isinstance(desk.one(scenario.external(number)), Accepted)
    stamps = [row.ingested - scenario.START for row in desk.store.iter_entries()]
    stamps = stamps[OPENING:]
    assert stamps == [5, 6, 7, 8, 9, 10]
    roots = [root.ingested for root in desk.store.iter_roots()]
    assert roots == sorted(set(roots))
    verified(desk.store)


def test_a_root_that_the_hashes_do_not_give(quick):
    """A writer that finds another root than it computes does not write on top of it."""
    head = quick.store._roots[-1]
    quick.store._roots[-1] = head._replace(root=bytes(32))
    desk = Desk(quick.store)
    with pytest.raises(errors.Corrupt) as found:
        desk.one(scenario.external(1))
    assert found.value.code == "root_mismatch"
    assert quick.store.head().size == head.size
