"""Evidence in a folder: ``aa/bb/<sha256>``, readable by the service's account only.

Rules of this file: files. Content appears under its name by one atomic rename after it
is on the disk, so a crash at any moment leaves either all of it or none; what a crash
leaves in ``incoming/`` is nobody's and is swept by ``upkeep``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from events import errors
from services.evidence.store import CHUNK, Kept

_DIGEST = re.compile(r"[0-9a-f]{64}")
_INCOMING = "incoming"


class LocalStore:
    """An ``EvidenceStore`` in a folder, which is made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _translated():
            self.staging.mkdir(mode=0o700, parents=True, exist_ok=True)

    @classmethod
    def to_read(cls, folder: Path) -> LocalStore:
        """Open a folder that others keep, a copy perhaps: nothing is made in it."""
        opened = cls.__new__(cls)
        opened._folder = folder  # noqa: SLF001 - its own
        return opened

    @property
    def staging(self) -> Path:
        """Return the folder for what is being received: on the same file system."""
        return self._folder / _INCOMING

    def keep(self, staged: Path, sha256: str) -> None:
        """Rename a staged file to its digest, durably; two at once do no harm."""
        target = self._path(sha256)
        with _translated():
            staged.chmod(0o600)
            _sync(staged)
            target.parent.parent.mkdir(mode=0o700, exist_ok=True)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            # Not link(2): what is there may have been damaged; this has been hashed.
            staged.replace(target)
            # All three names, although others may have made the folders: they need
            # not have come to syncing them.
            for folder in (target.parent, target.parent.parent, self._folder):
                _sync(folder)

    def size(self, sha256: str) -> int | None:
        """Return the size of a file, None: there is none."""
        with _translated():
            try:
                return self._path(sha256).stat().st_size
            except FileNotFoundError:
                return None

    def read(self, sha256: str, *, start: int, end: int) -> Iterator[bytes]:
        """Yield a part of a file."""
        try:
            file = self._path(sha256).open("rb")
        except FileNotFoundError as cause:
            raise errors.Unavailable("evidence_bytes_missing", sha256=sha256) from cause
        with file, _translated():
            file.seek(start)
            left = end - start
            while left > 0 and (piece := file.read(min(CHUNK, left))):
                left -= len(piece)
                yield piece

    def erase(self, sha256: str) -> bool:
        """Unlink a file, durably."""
        path = self._path(sha256)
        with _translated():
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            _sync(path.parent)
        return True

    def kept(self) -> Iterator[Kept]:
        """Yield every file that is named by a digest, folder by folder."""
        for path in self._files():
            try:
                found = path.stat()
            except FileNotFoundError:
                continue  # Erased meanwhile.
            yield Kept(path.name, found.st_size, found.st_mtime_ns // 1_000)

    def _files(self) -> Iterator[Path]:
        for outer in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            for inner in sorted(outer.glob("[0-9a-f][0-9a-f]")):
                yield from sorted(
                    path for path in inner.iterdir() if _DIGEST.fullmatch(path.name)
                )

    def _path(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise ValueError(sha256)  # Never a path of somebody's making.
        return self._folder / sha256[:2] / sha256[2:4] / sha256


def _sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the file system refuses (full, read-only, gone) into ours."""
    try:
        yield
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise errors.Unavailable("evidence_store_unavailable", detail) from error
