"""The crash table of the append path: every statement, lost or applied, on real stores.

After each failure the log is opened again, verified as a whole, and the same submission
is sent again: it is then in the log exactly once, with a receipt, and writing goes on.
"""

from __future__ import annotations

import re
from collections import Counter
from queue import SimpleQueue

import pytest

from events import errors
from events.submissions import Accepted
from tests.crash.conftest import BASE, NEW_EVENTS, victim_events
from tests.crash.faults import Plan, inject
from tests.support import scenario
from tests.support.desk import Desk, codes, request, verified

#: What a submitter may be told: nothing is said to be in the log, or out of it.
UNKNOWN = {"commit_unknown", "store_busy", "store_unavailable", "sequencer_stopped"}


def started(home, plan: Plan) -> tuple[Desk, SimpleQueue]:
    """Return a desk on a store that fails as planned, its thread running."""
    desk, answers = Desk(home.open()), SimpleQueue()
    inject(desk.store, plan)
    desk.sequencer.start()
    return desk, answers


def sent(desk: Desk, answers: SimpleQueue) -> list:
    """Send the batch through the sequencer's thread; return its results."""
    deliver = answers.put
    desk.sequencer.submit(request(victim_events(), deliver=deliver))
    ((_, results),) = answers.get(timeout=30)
    return results


def trace(home) -> list[str]:
    """Return the statements of one undisturbed append."""
    plan = Plan()
    desk, answers = started(home, plan)
    results = sent(desk, answers)
    assert codes(results) == ["ok"] * len(results)
    desk.sequencer.stop()
    desk.store.close()
    return plan.seen


def boundaries(home) -> list[str]:
    """Check that the trace shows the append path as it is documented; return it."""
    seen = trace(home)
    kinds = Counter(
        word
        for text in seen
        for word in ("BEGIN", "COMMIT", "log_entry", "log_node", "log_root")
        if re.search(rf"\b{word}\b", text)
    )
    assert kinds["BEGIN"] == kinds["COMMIT"] == 1
    assert kinds["log_node"] >= 1
    assert seen[-1] == "COMMIT"
    return seen


def check_after(home, results, *, committed: bool) -> None:
    """Open the log again: nothing half, nothing lost, nothing twice."""
    told = set(codes(results))
    assert told == {"ok"} or told <= UNKNOWN, codes(results)
    store = home.open()
    report = verified(store)
    assert report.size == (BASE + NEW_EVENTS if committed else BASE)
    before = {row.id: row for row in store.iter_entries()}
    desk = Desk(store)
    again = desk.submit(victim_events())
    assert all(isinstance(result, Accepted) for result in again), again
    for event, result in zip(victim_events(), again, strict=True):
        assert result.repeat == (event["id"] in before)
        if result.repeat:
            assert result.position == before[event["id"]].position
        desk.proven(result)
        assert desk.receipt(result) == desk.prover.receipt(result.position)
    more = desk.submit([scenario.external(2_000 + n) for n in range(3)])
    assert codes(more) == ["ok"] * 3
    assert verified(store).size == BASE + NEW_EVENTS + 3
    keys = Counter((row.source, row.id) for row in store.iter_entries())
    assert set(keys.values()) == {1}
    store.close()


def crash(home, at: int, mode: str) -> tuple[list, Plan, list | None]:
    """Fail at one statement; return the answers, also to a retry if one was taken."""
    plan = Plan(at=at, mode=mode)
    desk, answers = started(home, plan)
    results = sent(desk, answers)
    assert len(plan.seen) > at
    retried = None
    if mode != "applied" and desk.sequencer.failure is None:
        # It says that it can go on: then the same process must be able to.
        retried = sent(desk, answers)
    desk.sequencer.stop()
    desk.store.close()
    return results, plan, retried


@pytest.mark.parametrize("mode", ["lost", "refused", "applied"])
def test_every_boundary(place, mode, request):
    """At every statement, in every way, the log is whole and a retry is enough."""
    home, again = place
    if mode == "refused" and "sqlite" in request.node.name:
        pytest.skip("a statement in the own process is lost or applied")
    statements = boundaries(home)
    for at, statement in enumerate(statements):
        again()
        results, plan, retried = crash(home, at, mode)
        assert plan.seen[at] == statement
        # A connection that broke while it was idle is replaced, and nobody notices.
        replaced = codes(results) == ["ok"] * len(results)
        assert not replaced or at == 0
        if retried is not None:
            assert codes(retried) == ["ok"] * len(retried), (at, statement)
        applied = mode == "applied" and at == len(statements) - 1
        check_after(home, results, committed=replaced or applied or bool(retried))


def test_a_commit_without_an_answer(place):
    """COMMIT took effect, its answer was lost: unknown, then the original receipt."""
    home, again = place
    count = len(boundaries(home))
    again()
    desk, answers = started(home, Plan(at=count - 1, mode="applied"))
    results = sent(desk, answers)
    assert codes(results) == ["commit_unknown"] * len(results)
    assert all(isinstance(result, errors.Unavailable) for result in results)
    # The same process, at once: the head is read again and each event found.
    second = sent(desk, answers)
    assert [result.repeat for result in second] == [True] * len(second)
    receipts = [desk.receipt(result) for result in second]
    third = sent(desk, answers)
    assert [desk.receipt(result) for result in third] == receipts
    for result in second:
        assert desk.proven(result).size <= BASE + NEW_EVENTS
    assert verified(desk.store).size == BASE + NEW_EVENTS
    desk.sequencer.stop()
    desk.store.close()


def test_a_neighbour_is_answered_too(place):
    """Every request of a group whose commit is unknown is told so, none is forgotten."""
    home, again = place
    count = len(boundaries(home))
    again()
    desk, answers = Desk(home.open()), SimpleQueue()
    inject(desk.store, Plan(at=count - 1, mode="applied"))
    group = [victim_events()[:7], victim_events()[7:]]
    for events in group:
        desk.sequencer.submit(request(events, deliver=answers.put))
    desk.sequencer.start()
    told = [results for _, results in answers.get(timeout=30)]
    assert [len(results) for results in told] == [len(events) for events in group]
    assert {code for results in told for code in codes(results)} == {"commit_unknown"}
    desk.sequencer.stop()
    desk.store.close()
