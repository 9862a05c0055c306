"""The relay: a loop that publishes what the log has gained, while it holds the lease.

Rules of this file: the order of steps and what a crash after each leaves.

    1  claim or renew the lease   crash: it ends by itself within seconds
    2  read whole sealed batches  memory only
    3  publish them               crash: ``delivery`` says; nothing is ever left out
    4  note the position          only the holder of the lease can; else it stands down
    5  mark progress              crash: the next one marks when it begins

A record that the brokers refuse for good stops the line: nothing behind it is sent
before it, and operators see the code. Nothing is skipped.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from typing import Final, NamedTuple

import msgspec

from events import catalogue, entries, errors
from events.records import Link, Mark, Mode, of_entry, of_mark
from events.store import Reader, Root, Row
from services import telemetry
from services.kafka.partitions import partition_of
from services.leases import Lease, Leases
from services.relay.delivery import Bookmark, Delivery, Outgoing

#: After so long without a sign of life its work is another's.
LEASE_SECONDS: Final = 10.0
#: Entries of one batch, before it is filled up to the end of a sealed one.
_MOST: Final = 1_000
_POLL_SECONDS: Final = 0.1
_MARK_EVERY_US: Final = 200_000
_RETRY_SECONDS: Final = 1.0
_STOPPED_SECONDS: Final = 15.0
_SUPERSEDED: Final = frozenset({"kafka_fenced", "relay_superseded"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What a relay works with. ``clock`` gives µs; ``holder`` is its own name.

    ``deliver`` connects to the brokers for a ledger, given its origin.
    """

    reader: Reader
    leases: Leases
    deliver: Callable[[str], Delivery]
    topic: str
    mode: Mode
    clock: Callable[[], int]
    holder: str
    lease_seconds: float = LEASE_SECONDS


@dataclass(slots=True)
class Health:
    """What is seen of a relay. ``stopped``: the code at which the line stands."""

    leading: bool = False
    epoch: int = 0
    position: int = 0
    published: int = 0
    batches: int = 0
    failures: int = 0
    stopped: str = ""


class Line(NamedTuple):
    """What a leader has open: the ledger's origin, and the way to the brokers."""

    ledger: str
    delivery: Delivery


class Worker:
    """One of any number of relays of a ledger to a topic."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lease: Lease | None = None
        self._renewed = 0
        self._line: Line | None = None
        self._at = Bookmark(0, ())
        self._marked = 0
        self._marked_at = 0
        self.health = Health()

    @property
    def lease_name(self) -> str:
        """Return the name of the lease and of its note."""
        return f"relay/{self._parts.topic}"

    def run(self, stop: threading.Event) -> None:
        """Step until ``stop`` is set, then let the lease go."""
        while not stop.is_set():
            stop.wait(self._try())
        self.leave()

    def leave(self) -> None:
        """Let lease and brokers go, so that another need not wait for the end of it."""
        self._close()
        lease, self._lease = self._lease, None
        self.health.leading = False
        if lease is not None:
            with suppress(errors.Unavailable):  # It ends by itself.
                self._parts.leases.release(lease)

    def step(self) -> bool:
        """Publish one batch or one mark; say whether there may be more at once.

        After any error it can be called again: it begins anew from what is known.
        """
        if not self._claim():
            return False
        line = self._line or self._take_over()
        if line is None:
            return False
        moved = self._forward(line)
        self._mark(line)
        self.health.stopped = ""
        return moved

    def _try(self) -> float:
        """Step, whatever happens; return for how many seconds to rest."""
        try:
            return 0 if self.step() else _POLL_SECONDS
        except (errors.Conflict, errors.Refused) as error:
            return self._stop_at(error)
        except errors.Unavailable as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - reported, and tried again
            self._failed(error)
            telemetry.report(error, trace_id=self._parts.holder, time=self._now())
        return _RETRY_SECONDS

    def _stop_at(self, error: errors.HenjiError) -> float:
        self._failed(error)
        if error.code in _SUPERSEDED:
            self._lease = None  # Another's by now: claiming will tell.
            return _RETRY_SECONDS
        if self.health.stopped != error.code:
            line = {"event": "relay_stopped", "time": self._now(), "error": str(error)}
            sys.stderr.write(json.dumps({**line, **error.parameters}) + "\n")
        self.health.stopped = error.code
        return _STOPPED_SECONDS

    def _failed(self, _error: Exception) -> None:
        """Begin anew: after an error it is not known what was published."""
        self.health.failures += 1
        self._close()

    def _now(self) -> str:
        return entries.rfc3339(self._parts.clock())

    def _close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.delivery.close()

    def _claim(self) -> bool:
        """Take or renew the lease where a third of its time has passed."""
        now, seconds = self._parts.clock(), self._parts.lease_seconds
        fresh = abs(now - self._renewed) < seconds * 1_000_000 / 3
        if self._lease is None or not fresh:
            self._lease = None
            self.health.leading = False
            self._lease = self._parts.leases.claim(
                self.lease_name, self._parts.holder, seconds=seconds
            )
            self._renewed = now
        epoch = self._lease.epoch if self._lease else 0
        if epoch != self.health.epoch:
            self._close()  # Others may have had it meanwhile: where were they?
        self.health.epoch = epoch
        self.health.leading = self._lease is not None
        return self.health.leading

    def _take_over(self) -> Line | None:
        """Connect, and find where to go on; None: the ledger has not been opened yet.

        ``Conflict('kafka_partitions_changed')``: see ``check_partitions``.
        """
        first = self._parts.reader.row(1)
        if first is None:
            return None
        ledger = catalogue.read(first.entry).data.origin
        line = Line(ledger, self._parts.deliver(ledger))
        self._line = line
        partitions = line.delivery.partitions()
        fresh = Bookmark(0, tuple(repeat(0, partitions)))
        noted = noted_in(self._parts.leases, self.lease_name)
        self._at = line.delivery.resume(noted) or fresh
        check_partitions(self._at, partitions, topic=self._parts.topic)
        self.health.position = self._at.position
        self._marked = 0
        return line

    def _forward(self, line: Line) -> bool:
        rows = self._next()
        if not rows:
            return False
        check_partitions(self._at, line.delivery.partitions(), topic=self._parts.topic)
        records, reached = self._addressed(line.ledger, rows)
        line.delivery.publish(records, reached)
        self._at = reached
        self._note()
        self.health.position = reached.position
        self.health.published += len(rows)
        self.health.batches += 1
        return True

    def _next(self) -> list[Row]:
        """Return what follows, up to the end of a batch that was sealed as one."""
        reader, after = self._parts.reader, self._at.position
        rows = reader.rows(after=after, limit=_MOST)
        if not rows:
            return []
        last = rows[-1].position
        root = reader.root_covering(last)
        if root is not None and root.size > last:
            rows += reader.rows(after=last, limit=root.size - last)
        return rows

    def _addressed(
        self, ledger: str, rows: list[Row]
    ) -> tuple[list[Outgoing], Bookmark]:
        """Return the records of entries, and the bookmark behind the last."""
        previous = list(self._at.previous)
        records: list[Outgoing] = []
        for row in rows:
            partition = partition_of(row.stream.encode(), len(previous))
            link = Link(ledger, row.position, previous[partition], row.leaf)
            record = of_entry(
                row.entry, stream=row.stream, link=link, mode=self._parts.mode
            )
            records.append(Outgoing(partition, record))
            previous[partition] = row.position
        return records, Bookmark(rows[-1].position, tuple(previous))

    def _note(self) -> None:
        text = msgspec.json.encode(self._at).decode()
        if self._lease is None or not self._parts.leases.note(self._lease, text):
            raise errors.Conflict("relay_superseded")

    def _mark(self, line: Line) -> None:
        """Say in each partition how far the log has been relayed, now and then."""
        now = self._parts.clock()
        waited = abs(now - self._marked_at) >= _MARK_EVERY_US
        if self._marked >= self._at.position or not waited:
            return
        root = self._parts.reader.root_at(self._at.position)
        if root is not None:
            line.delivery.publish(self._marks(line.ledger, root), self._at)
        self._marked, self._marked_at = self._at.position, now

    def _marks(self, ledger: str, root: Root) -> list[Outgoing]:
        mark = Mark(ledger, root.size, root.root, self._at.partitions)
        return [
            Outgoing(number, of_mark(mark, partition=number, mode=self._parts.mode))
            for number in range(self._at.partitions)
        ]


def noted_in(leases: Leases, name: str) -> Bookmark | None:
    """Return the bookmark that the last holder of a relay's lease has noted."""
    text = leases.noted(name)
    return None if text is None else msgspec.json.decode(text, type=Bookmark)


def check_partitions(at: Bookmark, partitions: int, *, topic: str) -> None:
    """Refuse a topic that was given more partitions since it was begun.

    ``Conflict('kafka_partitions_changed')``: its streams would go on elsewhere, and
    nobody could read them in order.
    """
    if at.partitions != partitions:
        raise errors.Conflict(
            "kafka_partitions_changed",
            topic=topic,
            expected=at.partitions,
            actual=partitions,
        )
