"""What a submitter is told: receipts, repeats, conflicts, refusals, trial runs."""

from __future__ import annotations

import pytest

from events.errors import Conflict, Refused
from events.receipts import parse_receipt
from events.submissions import Accepted
from tests.support import scenario
from tests.support.desk import OPERATOR, codes, request, tables, verified

PLAIN = [scenario.external(number) for number in range(1, 8)]


def test_every_receipt_proves_its_entry(desk):
    """Each entry of a batch has a receipt that verifies and names its own position."""
    results = desk.submit(PLAIN)
    assert codes(results) == ["ok"] * 7
    size = desk.store.head().size
    for offset, result in enumerate(results):
        checkpoint = desk.proven(result)
        assert (checkpoint.size, result.position) == (size, size - 6 + offset)
        assert parse_receipt(desk.receipt(result)).index == result.position - 1
    verified(desk.store)


def test_a_repeat_gets_the_original(desk):
    """Sent again, alone or among others, an event gets its position and its receipt."""
    first = desk.submit(PLAIN[:3])
    receipts = [desk.receipt(result) for result in first]
    desk.submit(PLAIN[3:5])
    before = tables(desk.store)
    again = desk.submit(PLAIN[:3])
    assert tables(desk.store) == before
    for old, new, receipt in zip(first, again, receipts, strict=True):
        assert (new.position, new.leaf, new.ingested) == (
            old.position,
            old.leaf,
            old.ingested,
        )
        assert (new.repeat, new.batch) == (True, None)
        assert desk.receipt(new) == receipt
    mixed = desk.submit([PLAIN[5], PLAIN[1]])
    assert [result.repeat for result in mixed] == [False, True]
    assert desk.receipt(mixed[1]) == receipts[1]
    assert mixed[0].position == before[0][-1].position + 1


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"about": "Noise", "number": 1}},
        {"time": "2017-11-14T07:00:00Z"},
        {"time": None},
        {"subject": "somewhere"},
        {"note": "more"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_id_with_other_content(desk, change):
    """Whatever differs, the second event under one id is refused, naming the first."""
    first = desk.one(PLAIN[0])
    before = tables(desk.store)
    other = {**PLAIN[0], **change}
    refusal = desk.one({name: value for name, value in other.items() if value})
    assert isinstance(refusal, Conflict)
    assert refusal.code == "event_id_conflict"
    assert refusal.parameters["position"] == first.position
    assert tables(desk.store) == before


def test_the_same_id_from_another_source(desk):
    """Ids belong to their source: another source may use the same one."""
    results = desk.submit([PLAIN[0], scenario.external(1, source="urn:test:other")])
    assert codes(results) == ["ok", "ok"]
    assert not any(result.repeat for result in results)


def test_the_same_event_twice_in_one_batch(desk):
    """Twice in one batch is once in the log; both answers carry the same receipt."""
    before = desk.store.head().size
    results = desk.submit([PLAIN[0], PLAIN[1], PLAIN[0]])
    assert [result.repeat for result in results] == [False, False, True]
    assert results[0].position == results[2].position == before + 1
    assert desk.receipt(results[0]) == desk.receipt(results[2])
    desk.proven(results[2])
    assert desk.store.head().size == before + 2


def test_two_contents_under_one_id_in_one_batch(desk):
    """The first of two contents stands; the other is refused, with it or alone."""
    other = scenario.external(1, about="Noise")
    assert codes(desk.submit([PLAIN[0], other])) == [
        "batch_rejected",
        "event_id_conflict",
    ]
    results = desk.submit([PLAIN[0], other, PLAIN[1]], atomic=False)
    assert codes(results) == ["ok", "event_id_conflict", "ok"]
    assert desk.store.row(results[0].position).id == "call-1"
    verified(desk.store)


def test_an_atomic_batch_is_all_or_nothing(desk):
    """One refused event keeps a whole atomic batch out, and says which one it was."""
    earlier = desk.one(PLAIN[6])
    before = tables(desk.store)
    results = desk.submit([PLAIN[0], scenario.external(2, about=""), PLAIN[6]])
    assert codes(results) == ["batch_rejected", "schema_violation", "ok"]
    assert (results[2].repeat, results[2].position) == (True, earlier.position)
    assert tables(desk.store) == before


def test_a_batch_that_goes_on(desk):
    """With on_error=continue the sound events are in the log, densely."""
    bad = scenario.external(9, about="")
    results = desk.submit([PLAIN[0], bad, PLAIN[1], bad, PLAIN[2]], atomic=False)
    assert codes(results) == ["ok", "schema_violation", "ok", "schema_violation", "ok"]
    sound = [result for result in results if isinstance(result, Accepted)]
    positions = [result.position for result in sound]
    assert positions == list(range(positions[0], positions[0] + 3))
    for result in sound:
        desk.proven(result)
    verified(desk.store)


def test_what_could_not_be_prepared_keeps_its_place(desk):
    """An item that failed before the lock counts as refused like any other."""
    wrong = scenario.commitment("registered", "C1", {"title": 1})
    assert codes(desk.submit([PLAIN[0], wrong])) == [
        "batch_rejected",
        "schema_violation",
    ]
    assert codes(desk.submit([wrong, PLAIN[0]], atomic=False)) == [
        "schema_violation",
        "ok",
    ]


def test_a_refused_batch_gives_no_position_away(desk):
    """A repeat inside a batch that was held back is not in the log, and not said to be."""
    bad = scenario.external(2, about="")
    assert codes(desk.submit([PLAIN[0], PLAIN[0], bad])) == [
        "batch_rejected",
        "batch_rejected",
        "schema_violation",
    ]


def test_a_trial_run_leaves_no_trace(desk):
    """A dry run says what would happen and gives neither position nor receipt."""
    earlier = desk.one(PLAIN[6])
    before = tables(desk.store)
    trial = [PLAIN[0], PLAIN[0], scenario.external(2, about=""), PLAIN[6]]
    for atomic in (True, False):
        results = desk.submit(trial, dry_run=True, atomic=atomic)
        assert codes(results) == ["ok", "ok", "schema_violation", "ok"]
        assert [results[at].position for at in (0, 1, 3)] == [0, 0, earlier.position]
        assert results[0].batch is results[1].batch is None
    assert codes([desk.one(PLAIN[0], dry_run=True)]) == ["ok"]
    assert tables(desk.store) == before
    assert not desk.one(PLAIN[0]).repeat


def test_a_trial_run_beside_real_requests(quick):
    """In one group commit a dry run gets no receipt of its neighbours' entries."""
    real = request([PLAIN[1], PLAIN[2]])
    trial = request([PLAIN[0], PLAIN[0]], dry_run=True)
    for group in ([trial, real], [real, trial]):
        answers = dict(zip(map(id, group), quick.sequencer.commit(group), strict=True))
        for result in answers[id(trial)]:
            assert (result.position, result.batch) == (0, None)


def test_a_trial_decides_like_the_real_thing(quick):
    """A dry run of a whole loop is accepted as one, each step on the one before."""
    loop = list(scenario.delegated(scenario.loop("C1")))
    before = tables(quick.store)
    assert codes(quick.submit(loop, dry_run=True)) == ["ok"] * len(loop)
    assert tables(quick.store) == before
    assert codes([quick.one(loop[1])]) == ["commitment_unknown"]
    assert codes(quick.submit(loop)) == ["ok"] * len(loop)


def test_an_expected_version(desk):
    """An expected version is compared with the stream, and says both when it differs."""
    stream = [scenario.external(number, subject="S") for number in range(5)]
    assert codes([desk.one(stream[0], expected=1)]) == ["version_mismatch"]
    assert desk.one(stream[0], expected=0).version == 1
    refusal = desk.one(stream[1], expected=0)
    assert isinstance(refusal, Conflict)
    assert refusal.parameters == {"expected": 0, "actual": 1}
    results = desk.submit(stream[1:4], expected=1)
    assert [result.version for result in results] == [2, 3, 4]
    # A retry whose first answer was lost still names the version it began from.
    again = desk.one(stream[1], expected=1)
    assert (again.repeat, again.version) == (True, 2)


def test_refused_neighbours_change_nothing(desk):
    """A refused request in a group commit leaves the others as they would have been."""
    group = [
        request([PLAIN[0]]),
        request([scenario.external(2, about="")]),
        request([PLAIN[1], scenario.external(3, about="")]),
        request([PLAIN[2]], key="nobody"),
        request([PLAIN[3]], expected=99),
        request([PLAIN[4]]),
    ]
    before = desk.store.head().size
    results = desk.sequencer.commit(group)
    assert [codes(one) for one in results] == [
        ["ok"],
        ["schema_violation"],
        ["batch_rejected", "schema_violation"],
        ["key_unusable"],
        ["version_mismatch"],
        ["ok"],
    ]
    assert [results[0][0].position, results[5][0].position] == [before + 1, before + 2]
    assert [results[0][0].version, results[5][0].version] == [1, 2]
    verified(desk.store)


def test_an_entry_that_is_too_large(desk):
    """An entry above 65,535 bytes with our attributes is refused, one below is kept."""
    before = tables(desk.store)
    refusal = desk.one(scenario.external(1, about="x" * 65_300))
    assert isinstance(refusal, Refused)
    assert refusal.code == "entry_too_large"
    assert refusal.parameters["size"] > refusal.parameters["limit"] == 65_535
    assert tables(desk.store) == before
    fits = 65_535 - (refusal.parameters["size"] - 65_300)
    result = desk.one(scenario.external(1, about="x" * fits))
    assert len(desk.store.row(result.position).entry) == 65_535
    assert codes([desk.one(scenario.external(2, about="x" * (fits + 1)))]) == [
        "entry_too_large"
    ]
    verified(desk.store)


def test_a_batch_of_a_thousand(desk):
    """The largest batch is one commit with one root, and each receipt verifies."""
    events = [
        scenario.external(number, subject=f"S{number % 7}") for number in range(1_000)
    ]
    before, roots = desk.store.head().size, len(list(desk.store.iter_roots()))
    results = desk.submit(events)
    assert [result.position for result in results] == [
        before + 1 + number for number in range(1_000)
    ]
    assert len(list(desk.store.iter_roots())) == roots + 1
    for result in results[::97]:
        desk.proven(result)
    again = desk.submit(events)
    assert all(result.repeat for result in again)
    for old, new in zip(results[::211], again[::211], strict=True):
        assert desk.receipt(old) == desk.receipt(new)
    verified(desk.store)


def test_the_ledger_is_opened_first_and_once(new_desk):
    """Position 1 says whose log it is; nothing comes before it, nothing reopens it."""
    desk = new_desk()
    early = desk.one(scenario.unit_created("hq"), key=OPERATOR)
    assert codes([early]) == ["ledger_opening_misplaced"]
    assert desk.store.head() is None
    desk.begin()
    first = desk.store.row(1)
    assert (first.type, first.version) == ("henji.ledger.opened.v1", 1)
    other = scenario.opened(["other+00000000+AAAA"], origin="other")
    assert codes([desk.one({**other, "id": "o2"}, key=OPERATOR)]) == [
        "ledger_opening_misplaced"
    ]
    again = desk.one(scenario.opened([desk.sequencer._signers[0].vkey]), key=OPERATOR)
    assert (again.repeat, again.position) == (True, 1)
