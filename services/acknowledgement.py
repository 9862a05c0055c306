"""What a submitter is told of an event that is in the log, over HTTP and over Kafka.

Rules of this file: the one shape of that answer; whether and where it is sent is the
doors' matter.
"""

from __future__ import annotations

import msgspec

from events.cloudevents import Submission
from events.entries import rfc3339
from events.submissions import Accepted


class Acknowledgement(msgspec.Struct, omit_defaults=True):
    """The answer to one accepted submission. ``receipt`` is a C2SP tlog-proof."""

    id: str
    source: str
    position: int
    stream: str
    streamversion: int
    ingestedtime: str
    leaf_hash: str
    duplicate: bool | msgspec.UnsetType = msgspec.UNSET
    receipt: str = ""
    dry_run: bool = False


def acknowledge(
    item: Submission, result: Accepted, receipt: str, *, dry_run: bool = False
) -> Acknowledgement:
    """Return the answer to an accepted submission ("": without its receipt)."""
    return Acknowledgement(
        item.id,
        item.source,
        result.position,
        result.stream,
        result.version,
        rfc3339(result.ingested),
        result.leaf.hex(),
        result.repeat,
        receipt,
        dry_run,
    )
