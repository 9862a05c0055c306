"""Nothing is held whole: memory stays flat however long the log is."""

from __future__ import annotations

import tracemalloc

import pytest

from events.store import Selection
from services.exports import formats
from services.exports.job import Job, bounded, pin
from tests.exports.conftest import LONG

#: Pages and pieces on their way; the log has some 40 MiB, most formats more.
MOST = 8 * 1024 * 1024


@pytest.mark.parametrize("name", sorted(formats.FORMATS))
def test_fifty_thousand_entries_pass_through_in_pieces(long_log, name):
    """From the first byte to the last, a few pages are in memory."""
    cut = pin(long_log, None)
    assert cut.position == LONG
    job = Job(long_log, "log.example/test", cut, bounded(long_log, Selection(), cut))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        size = sum(len(piece) for piece in formats.find(name).write(job))
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < MOST, f"{peak} of {size}"
