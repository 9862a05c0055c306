"""What the records of a partition bring: entries in order, or the reason for a stop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.records import Mark, of_mark
from projections.views import Part
from services.kafka.connection import Connection
from services.remote.chain import Source, chained
from tests.support.topics import ORIGIN, PARTITIONS, Outlet, sealed

ROWS = sealed(21, length=60)
SOURCE = Source(ORIGIN, "topic", PARTITIONS)


@dataclass(frozen=True)
class Received:
    """A record as a client gives it."""

    offset: int
    headers: list
    value: bytes


def outlet(ledger=ORIGIN):
    return Outlet(Connection(()), "topic", ledger)


def partition(number=0, *, ledger=ORIGIN):
    """Return the records of one partition."""
    made = [record for n, record in outlet(ledger).records(ROWS) if n == number]
    return [
        Received(at, record.headers, record.value) for at, record in enumerate(made)
    ]


def mark(offset, through, *, partitions=PARTITIONS):
    made = of_mark(
        Mark(ORIGIN, through, b"\0" * 32, partitions), partition=0, mode="binary"
    )
    return Received(offset, made.headers, made.value)


RECORDS = partition()
MINE = [
    row
    for row in ROWS
    if row.position in {int(dict(r.headers)["henji_position"]) for r in RECORDS}
]


def changed(record, **headers):
    """Return a record with headers of ours changed."""
    new = {f"henji_{name}": text for name, text in headers.items()}
    return replace(record, headers=list((dict(record.headers) | new).items()))


def test_a_record_is_the_row_of_the_log():
    """Every column is read back from the bytes."""
    found = chained(SOURCE, Part("topic", 0), RECORDS)
    assert list(found.batch.rows) == MINE
    assert found.stop is None
    assert found.batch.after.offset == len(RECORDS)
    assert found.batch.after.reached == found.batch.after.position == MINE[-1].position


@given(data=st.data())
@settings(max_examples=50)
def test_repetitions_are_passed_over_wherever_they_come(data):
    """Any number of restarts of a relay, each from an earlier position: rows come once."""
    known = data.draw(st.integers(1, len(RECORDS)))
    given_ = list(RECORDS[:known])
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, known))
        end = data.draw(st.integers(start, len(RECORDS)))
        given_ += RECORDS[start:end]
        known = max(known, end)
    given_ += RECORDS
    numbered = [replace(record, offset=at) for at, record in enumerate(given_)]
    cut = data.draw(st.integers(0, len(numbered)))
    first = chained(SOURCE, Part("topic", 0), numbered[:cut])
    second = chained(SOURCE, first.batch.after, numbered[cut:])
    assert [*first.batch.rows, *second.batch.rows] == MINE
    assert second.batch.after.offset == len(numbered)
    assert first.stop is second.stop is None


def test_marks_move_what_is_reached_and_nothing_else():
    """Other partitions have what lies between; an older mark takes nothing back."""
    known = MINE[2].position
    records = [*RECORDS[:3], mark(3, known + 1), mark(4, known)]
    (batch, stop) = chained(SOURCE, Part("topic", 0), records)
    assert stop is None
    assert batch.after == Part("topic", 0, 5, known, known + 1)


SPOILT = {
    "records_missing": lambda: RECORDS[6],
    "record_of_other_log": lambda: replace(
        partition(ledger="example.org/other")[5], offset=5
    ),
    "record_leaf_mismatch": lambda: replace(
        RECORDS[5], value=RECORDS[5].value.replace(b"{", b'{"x":1,', 1)
    ),
    "record_malformed": lambda: replace(RECORDS[5], headers=[]),
    "record_malformed, its position endless": lambda: replace(
        RECORDS[5], headers=[("henji_position", b"9" * 5_000)]
    ),
    "record_malformed, its position beyond any log": lambda: changed(
        RECORDS[5], position=b"%d" % 2**63
    ),
    "records_out_of_order": lambda: changed(RECORDS[5], previous=b"1"),
    "kafka_partitions_changed": lambda: mark(5, 60, partitions=PARTITIONS + 1),
}


@pytest.mark.parametrize("code", SPOILT)
def test_what_does_not_follow_ends_the_batch(code):
    """What precedes it is good; the reason is kept, and nothing behind it is taken."""
    records = [*RECORDS[:5], SPOILT[code](), *RECORDS[6:]]
    batch, stop = chained(SOURCE, Part("topic", 0), records)
    assert stop.error.code == stop.poison.type == code.partition(",")[0]
    assert stop.poison.position < 2**62
    assert list(batch.rows) == MINE[:5]
    assert batch.after.offset == 5


def test_an_entry_behind_the_mark_that_covers_it_is_out_of_order():
    """A mark says that there is no more: whoever believed it has shown a cut without it."""
    records = [*RECORDS[:5], mark(5, 60), RECORDS[5]]
    batch, stop = chained(SOURCE, Part("topic", 0), records)
    assert stop.error.code == "records_out_of_order"
    assert batch.after.reached == 60


def test_an_entry_in_a_partition_of_others_is_out_of_order():
    """Its stream would be folded by two workers."""
    _, stop = chained(SOURCE, Part("topic", 1), RECORDS)
    assert stop.error.code == "records_out_of_order"
