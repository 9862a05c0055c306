"""Tampering with a copy of a ledger, as somebody with the file could, and finding it.

Rules of this file: it works on a copy only, and bypasses the triggers on purpose.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from events.verify import Report, Trust
from services.auditing import verify_store
from services.wiring import open_audit_copy


def flip_one_bit(original: Path, copy: Path, *, position: int) -> None:
    """Copy a ledger and change one bit in the middle of one entry of the copy."""
    with (
        closing(sqlite3.connect(original)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.execute("DROP TRIGGER log_entry_no_update")
        (entry,) = target.execute(
            "SELECT entry FROM log_entry WHERE position = ?", (position,)
        ).fetchone()
        middle = len(entry) // 2
        changed = bytes([entry[middle] ^ 1])
        target.execute(
            "UPDATE log_entry SET entry = ? WHERE position = ?",
            (entry[:middle] + changed + entry[middle + 1 :], position),
        )
        target.commit()


def verify_copy(copy: Path, trust: Trust) -> Report:
    """Verify the whole log of a copy."""
    with open_audit_copy(copy) as store:
        return verify_store(store, trust)
