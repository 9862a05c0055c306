"""Keeping the store what the log says: erased content goes, and what nobody refers to.

Rules of this file: it removes bytes, never events. Content younger than an hour may
belong to an upload that is under way, and is left alone whatever the log says.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.evidence.custody import record_of
from services.evidence.store import EvidenceStore
from services.wiring import Ledger

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Swept:
    """How many pieces went, by why, and how many stay."""

    staged: int
    erased: int
    orphans: int
    kept: int


def sweep(
    ledger: Ledger, store: EvidenceStore, *, now: int, older_than: int = HOUR_US
) -> Swept:
    """Remove what has no event that stores it; ``now`` and ``older_than`` in µs.

    Content whose event says it is erased goes whatever its age: nothing can store it
    again. Bounded memory; every piece costs one look at its stream.
    """
    erased = orphans = kept = 0
    for piece in store.kept():
        status = record_of(ledger, piece.sha256).status
        if status == "erased":
            erased += store.erase(piece.sha256)
        elif status != "stored" and piece.since < now - older_than:
            orphans += store.erase(piece.sha256)
        else:
            kept += 1
    return Swept(_sweep_staging(store, now - older_than), erased, orphans, kept)


def _sweep_staging(store: EvidenceStore, before: int) -> int:
    """Remove what uploads that a crash ended have left."""
    removed = 0
    for path in store.staging.iterdir():
        try:
            if path.stat().st_mtime_ns // 1_000 < before:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue
    return removed
