"""An export of an open ledger into a file that appears whole or not at all.

Rules of this file: no terminal and no HTTP.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from events.store import Selection
from services.exports import formats
from services.exports.job import Hear, Job, bounded, moment, pin
from services.wiring import Ledger


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, of which cut it is, and its digests (hex)."""

    file: str
    size: int
    sha256: str
    position: int
    root: str


def prepared(
    ledger: Ledger,
    format_: str,
    chosen: Selection,
    *,
    as_of: str | None,
    raw: bool,
    hear: Hear,
) -> Job:
    """Return the export of a ledger at a moment.

    ``NotFound('export_format_unknown')``; ``Malformed``: position_ahead,
    invalid_parameter, export_filter_unfit.
    """
    formats.fit(formats.find(format_), chosen)
    cut = pin(ledger.store, moment(ledger.store, as_of))
    return Job(
        reader=ledger.store,
        origin=ledger.settings.origin,
        cut=cut,
        selection=bounded(ledger.store, chosen, cut),
        raw=raw,
        hear=hear,
    )


def write(job: Job, format_: str, output: Path) -> Written:
    """Write an export to a file that takes its name only where all went well."""
    state, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=output.parent, delete=False) as file:
        beside = Path(file.name)
        try:
            for piece in formats.find(format_).write(job):
                state.update(piece)
                size += file.write(piece)
            file.flush()
            beside.replace(output)
        finally:
            beside.unlink(missing_ok=True)
    position, root = job.cut.position, job.cut.root.hex()
    return Written(str(output), size, state.hexdigest(), position, root)
