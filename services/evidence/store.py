"""What a store of evidence promises: content by its SHA-256, whole or not at all.

Rules of this file: the contract and its types. Stores (``local``, ``s3``) know no event
and no HTTP; whether content *counts* is said by the log alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

#: How much is read, hashed and sent at once, bytes.
CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """One piece of content in a store; ``since`` is when it was last kept, µs."""

    sha256: str
    size: int
    since: int


class EvidenceStore(Protocol):
    """Keeps content under its digest. All methods may be called from any thread.

    ``Unavailable('evidence_store_unavailable')`` where the store cannot do it now.
    """

    @property
    def staging(self) -> Path:
        """Folder for content that is still being received; it exists."""

    def keep(self, staged: Path, sha256: str) -> None:
        """Make a staged file the content of its digest, durably; the file may go.

        The caller has hashed it. Content that is there already is replaced by the same,
        which counts as kept anew; a reader never sees a part of it.
        """

    def size(self, sha256: str) -> int | None:
        """Return how many bytes are kept under a digest; None: nothing is."""

    def read(self, sha256: str, *, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes [start, end) in pieces of at most ``CHUNK``.

        ``Unavailable('evidence_bytes_missing')`` before the first piece: nothing is
        kept under it.
        """

    def erase(self, sha256: str) -> bool:
        """Remove content for good; say whether there was any."""

    def kept(self) -> Iterator[Kept]:
        """Yield all content, in order of the digests, in bounded memory."""
