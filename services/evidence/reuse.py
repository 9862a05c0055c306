"""Finding content that serves two claims, and recording it, each once.

Rules of this file: one step of a worker that follows the log. Which claims there are is
a read model's; here they are compared and the finding is appended. The position comes
after the findings: a crash between finds them again, under the same ids, which the log
knows; two workers at once find the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from eventsourcing.persistence import IntegrityError, Tracking

from events import errors
from projections import board, evidence
from projections.evidence import Use
from projections.views import Snapshot, Views
from services.evidence.custody import stream_of
from services.wiring import SYSTEM_SOURCE, Ledger

DETECTED = "henji.evidence.reuse_detected.v1"
#: Under which the read models keep how far this worker has come.
TRACKED_AS = "evidence-reuse"
_KNOWN = "evidence_reuse_known"


class Progress(NamedTuple):
    """What a step did: claims looked at, re-uses recorded, and the position reached."""

    looked: int
    found: int
    position: int


def detect_reuse(ledger: Ledger, views: Views, *, most: int = 1_000) -> Progress:
    """Look at the next claims and record those whose content another stream claimed.

    For each stream that claims a content after another stream of its kind did, one
    event ``henji.evidence.reuse_detected.v1`` cites the first claim and this stream's
    first. Call again until ``looked`` is 0, then whenever the log has grown. ``most``
    is above what one event may refer to (200).

    ``Unavailable``: projection_not_ready, or whatever the log cannot do now.
    """
    start = views.max_tracking_id(TRACKED_AS) or 0
    with views.snapshot(board.NAME) as snapshot:
        page = evidence.claims(snapshot, after=start, limit=most)
        claims, position = _whole_positions(page, most)
        findings = list(_findings(snapshot, claims))
    found = sum(_record(ledger, first, second) for first, second in findings)
    if position > start:
        _remember(views, position)
    return Progress(len(claims), found, position)


def finding_of(first: Use, second: Use) -> dict[str, Any]:
    """Return the event of one re-use; the same two claims always give the same."""
    name = f"{second.sha256}\n{second.stream}\n{second.version}"
    return {
        "specversion": "1.0",
        "id": f"evidence-reuse-{sha256(name.encode()).hexdigest()}",
        "source": SYSTEM_SOURCE,
        "type": DETECTED,
        "subject": stream_of(second.sha256),
        "data": {
            "sha256": second.sha256,
            "first": {"stream": first.stream, "version": first.version},
            "second": {"stream": second.stream, "version": second.version},
        },
    }


def _whole_positions(page: evidence.Page, most: int) -> tuple[list[Use], int]:
    """Return the claims of the page's whole events, and up to where they are all."""
    if len(page.uses) < most:
        return page.uses, page.position
    cut = page.uses[-1].position
    whole = [use for use in page.uses if use.position < cut]
    if not whole:
        raise ValueError(most)  # One event with more: never, or never any progress.
    return whole, whole[-1].position


def _findings(snapshot: Snapshot, claims: list[Use]) -> Iterator[tuple[Use, Use]]:
    """Yield (the first claim, this one) for each stream's first re-use."""
    for use in claims:
        earlier = evidence.earlier_claims(snapshot, use)
        if earlier and all(claim.stream != use.stream for claim in earlier):
            yield earlier[0], use


def _record(ledger: Ledger, first: Use, second: Use) -> bool:
    """Append a finding; say whether it was new."""
    try:
        accepted = ledger.submit_as_operator(finding_of(first, second))
    except errors.Refused as refusal:
        if refusal.code != _KNOWN:
            raise
        return False  # Somebody recorded it under another id.
    return not accepted.repeat


def _remember(views: Views, position: int) -> None:
    try:
        views.insert_tracking(Tracking(TRACKED_AS, position))
    except IntegrityError:
        return  # Another worker is further on.
