"""Row ``verify``: the offline check of a whole store, against bare SHA-256.

Rules of this file: one core. The baseline hashes the same leaves out of memory: it
reads no database, compares no column and builds no tree.
"""

from __future__ import annotations

from hashlib import sha256

from benchmarks.effort import Effort
from benchmarks.filled import filled
from benchmarks.measure import Row, alternate, compared, per_second
from benchmarks.places import Place
from events.verify import Trust
from services.auditing import verify_store

_GOAL = 0.3
_BASELINE = "SHA-256 of the leaves"


def run(place: Place, effort: Effort) -> list[Row]:
    """Return the row."""
    with filled(place.settings(), effort.entries) as store:
        leaves = [row.entry for row in store.iter_entries()]

        def henji() -> int:
            report = verify_store(store, Trust())
            assert report.ok, report.code
            assert report.size == len(leaves)
            return report.size

        def bare() -> int:
            return len([sha256(b"\0" + leaf).digest() for leaf in leaves])

        at_least = effort.seconds / 10
        rates = alternate(
            {
                "henji": lambda: per_second(henji, seconds=at_least),
                _BASELINE: lambda: per_second(bare, seconds=at_least),
            },
            rounds=effort.rounds,
        )
    row = compared(
        rates,
        name="verify",
        store=place.kind,
        baseline=_BASELINE,
        goal=_GOAL,
        unit="leaves/s",
        extra={"entries": len(leaves)},
    )
    return [row]
