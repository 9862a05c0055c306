"""What the records of a partition bring, and whether one follows the other.

Rules of this file: pure; no client of Kafka, no store. The first record that is not
what must come next ends the batch: what precedes it is good and is folded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import msgspec

from events import entries, records
from events.errors import Conflict, Corrupt, HenjiError, Malformed, Unavailable
from events.records import Headers, Mark, Relayed
from events.store import Row
from projections.partitions import Batch
from projections.views import Part, Poison
from services.kafka.partitions import partition_of


class Received(Protocol):
    """What a client gives of a record."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""

    @property
    def headers(self) -> Headers:
        """Its headers."""

    @property
    def value(self) -> bytes | None:
        """Its value."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which log is expected, on which topic, in how many partitions."""

    ledger: str
    topic: str
    partitions: int


class Stop(NamedTuple):
    """Why a partition cannot go on."""

    poison: Poison
    error: HenjiError


class Chained(NamedTuple):
    """What can be folded, and what ended it (None: nothing did)."""

    batch: Batch
    stop: Stop | None


def chained(source: Source, before: Part, received: Iterable[Received]) -> Chained:
    """Return what records bring to a partition that is folded up to ``before``."""
    rows: list[Row] = []
    offsets: list[int] = []
    at = replace(before, poison=None)
    stop = None
    for record in received:
        try:
            found = _read(source, record)
            row = _new_row(source, at, found)
        except HenjiError as error:
            told = records.position_in(record.headers)
            where = at.reached + 1 if told is None else told
            stop = Stop(Poison(where, error.code, str(error)), error)
            break
        at = replace(at, offset=record.offset + 1)
        if isinstance(found, Mark):
            at = replace(at, reached=max(at.reached, found.through))
        elif row is not None:
            rows.append(row)
            offsets.append(record.offset)
            at = replace(at, position=row.position, reached=row.position)
    return Chained(Batch(before, at, rows, offsets), stop)


def row_of(entry: bytes, position: int, leaf: bytes) -> Row:
    """Return the row of the log that an entry has.

    ``Malformed('record_malformed')`` where the bytes are no entry.
    """
    try:
        told = entries.envelope(entry)
        ingested = entries.instant(told.ingestedtime)
        occurred = ingested if told.time is None else entries.instant(told.time)
    except msgspec.MsgspecError as error:
        raise Malformed("record_malformed", str(error)) from error
    return Row(
        position,
        told.stream,
        told.streamversion,
        told.type,
        told.source,
        told.id,
        occurred,
        ingested,
        leaf,
        entry,
    )


def _read(source: Source, record: Received) -> Relayed | Mark:
    """Read a record of the expected log; what it is and of which log is checked."""
    found = records.read(record.headers, record.value)
    ledger = found.ledger if isinstance(found, Mark) else found.link.ledger
    if ledger != source.ledger:
        raise Conflict("record_of_other_log", expected=source.ledger, actual=ledger)
    if isinstance(found, Mark) and found.partitions != source.partitions:
        raise Conflict(
            "kafka_partitions_changed",
            topic=source.topic,
            expected=source.partitions,
            actual=found.partitions,
        )
    return found


def _new_row(source: Source, at: Part, found: Relayed | Mark) -> Row | None:
    """Return the next entry; None: a mark, or a repetition.

    ``Unavailable('records_missing')``: entries between have not come.
    ``Corrupt('records_out_of_order')``: it should have come before, or elsewhere.
    """
    if isinstance(found, Mark) or found.link.position <= at.position:
        return None
    link = found.link
    if link.previous > at.position:
        raise Unavailable(
            "records_missing",
            partition=at.number,
            after=at.position,
            before=link.position,
        )
    row = row_of(found.entry, link.position, link.leaf)
    misplaced = partition_of(row.stream.encode(), source.partitions) != at.number
    if misplaced or link.previous < at.position or link.position <= at.reached:
        raise Corrupt(
            "records_out_of_order",
            partition=at.number,
            position=link.position,
            reached=at.reached,
        )
    return row
