"""Instants that events state in words, as µs.

Rules of this file: one parse.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def us(text: str) -> int:
    """Return an RFC 3339 instant as µs since the Unix epoch."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
