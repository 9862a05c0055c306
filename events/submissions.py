"""What goes into the sequencer and what comes out: requests, prepared items, results.

Rules of this file: types, and the preparation that needs no lock (finding the event
type, its stream and its typed payload). Nothing here reads or writes a store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from events import catalogue
from events.cloudevents import Submission
from events.domain.model import EventType
from events.errors import HenjiError
from events.gate import Grant
from events.merkle import Appended
from events.receipts import LineMemo, encode_receipt


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission with all that can be known of it outside of the append lock.

    ``kind`` is None for an external type, whose schema is a matter of state.
    """

    submission: Submission
    stream: str
    kind: EventType | None
    data: Any


@dataclass(slots=True)
class SealedBatch:
    """One committed batch: its growth of the tree and the note signed over its root.

    Receipts are cut from it lazily, by whoever presents them.
    """

    appended: Appended
    note: str
    ingested: int
    memo: LineMemo = field(default_factory=LineMemo)

    def receipt(self, position: int) -> str:
        """Return the receipt of an entry of this batch (C2SP tlog-proof v1)."""
        index = position - 1
        return encode_receipt(
            index, self.appended.proof(index), self.note, memo=self.memo
        )


@dataclass(slots=True)
class Accepted:
    """One submission is in the log. ``batch`` is None where it was there before.

    ``position`` is 0 in the answer to a dry run: nothing was appended.
    """

    position: int
    stream: str
    version: int
    leaf: bytes
    ingested: int
    repeat: bool = False
    batch: SealedBatch | None = None


Result = Accepted | HenjiError


@dataclass(slots=True)
class Request:
    """One answer's worth of submissions, decided together.

    ``key`` names the submitting key, whose grant is read under the lock; ``grant`` is
    given instead of it by the machine's operator only. Items that could not be prepared
    keep their place as the error. ``expected`` is the version that the (first) item's
    stream must have.
    """

    items: Sequence[Prepared | HenjiError]
    key: str
    deliver: Callable[[list[tuple[Request, list[Result]]]], None]
    grant: Grant | None = None
    atomic: bool = True
    dry_run: bool = False
    expected: int | None = None
    token: Any = None


def prepare(submission: Submission) -> Prepared | HenjiError:
    """Find type, stream and typed payload; a refusal is returned, not raised."""
    kind = catalogue.lookup(submission.type)
    if kind is None:
        stream = catalogue.external_stream(submission.event)
        return Prepared(submission, stream, None, submission.event.get("data"))
    try:
        stream = catalogue.stream_of(kind, submission.subject)
        data = catalogue.parse_data(kind, submission.event.get("data"))
    except HenjiError as refusal:
        return refusal
    return Prepared(submission, stream, kind, data)
