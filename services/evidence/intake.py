"""Receiving content: written to a file of its own while it is hashed, never held whole.

Rules of this file: bytes and digests. It does not know where content is kept in the
end, nor who sends it. A file that was not handed on is removed, whatever happened.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tempfile
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from cryptography.hazmat.primitives import hashes

from events import errors

#: RFC 9530 section 2: a dictionary of byte sequences.
_MEMBER = re.compile(r"([a-z*][a-z0-9_*.-]*)=:([A-Za-z0-9+/]*={0,2}):")
#: RFC 9530's names of the algorithms that are checked -> ours.
_CHECKED: Mapping[str, str] = {"sha-256": "sha256", "sha-512": "sha512"}


class Hash(Protocol):
    """What is asked of a hash function."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """Return the digest of all of them."""


class _Sm3:
    """SM3 of the ``cryptography`` package, for a Python whose OpenSSL leaves it out."""

    def __init__(self) -> None:
        self._hash = hashes.Hash(hashes.SM3())

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        self._hash.update(data)

    def digest(self) -> bytes:
        """Return the digest; bytes may still follow."""
        return self._hash.copy().finalize()


def sm3() -> Hash:
    """Return a new SM3 (GB/T 32905)."""
    try:
        return hashlib.new("sm3", usedforsecurity=False)
    except ValueError:
        return _Sm3()


_HASHES: Mapping[str, Callable[[], Hash]] = {
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "sm3": sm3,
}


@dataclass(frozen=True, slots=True)
class Content:
    """Received content: its file, its size in bytes, its digests in lower hex."""

    path: Path
    size: int
    sha256: str
    sm3: str


class Intake:
    """One piece of content on its way in. Call from one thread at a time."""

    def __init__(self, file: IO[bytes], *, limit: int, declared: str | None) -> None:
        """Start with an empty file; ``declared`` is a Content-Digest, if one came.

        ``Malformed('content_digest_unsupported')``.
        """
        self._file = file
        self._limit = limit
        self._size = 0
        self._declared = {} if declared is None else declared_digests(declared)
        names = {"sha256", "sm3", *(_CHECKED[name] for name in self._declared)}
        self._hashes = {name: _HASHES[name]() for name in names}

    def write(self, piece: bytes) -> None:
        """Take the next bytes; ``Malformed('body_too_large')`` beyond the limit.

        ``Unavailable('evidence_store_unavailable')``: the disk does not take them.
        """
        self._size += len(piece)
        if self._size > self._limit:
            raise errors.Malformed("body_too_large", limit=self._limit)
        for state in self._hashes.values():
            state.update(piece)
        with _disk():
            self._file.write(piece)

    def finish(self, *, named: str | None = None) -> Content:
        """Return what was received; ``named`` is the digest the sender says it has.

        ``Malformed``: evidence_empty, content_digest_mismatch, evidence_name_mismatch.
        """
        if self._size == 0:
            raise errors.Malformed("evidence_empty")
        for name, wanted in self._declared.items():
            if not hmac.compare_digest(self._hashes[_CHECKED[name]].digest(), wanted):
                raise errors.Malformed("content_digest_mismatch", algorithm=name)
        digests = {name: state.digest().hex() for name, state in self._hashes.items()}
        if named is not None and named != digests["sha256"]:
            raise errors.Malformed(
                "evidence_name_mismatch", named=named, actual=digests["sha256"]
            )
        with _disk():
            self._file.flush()
        path = Path(self._file.name)
        return Content(path, self._size, digests["sha256"], digests["sm3"])


@contextmanager
def receiving(
    staging: Path, *, limit: int, declared: str | None = None
) -> Iterator[Intake]:
    """Open an intake into a new file (mode 0600) of a folder.

    The file is removed at the end unless it was handed on (renamed).
    """
    with _disk():
        # The standard library opens it with O_EXCL, under a name nobody can guess.
        file = tempfile.NamedTemporaryFile(dir=staging, delete=False)  # noqa: SIM115
    try:
        yield Intake(file, limit=limit, declared=declared)
    finally:
        # What a full disk did not take is not wanted any more either.
        with suppress(OSError):
            file.close()
        Path(file.name).unlink(missing_ok=True)


@contextmanager
def _disk() -> Iterator[None]:
    """Turn what the file system refuses into ours."""
    try:
        yield
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise errors.Unavailable("evidence_store_unavailable", detail) from error


def declared_digests(field: str) -> dict[str, bytes]:
    """Return the digests of a Content-Digest header (RFC 9530) that are checked here.

    ``Malformed('content_digest_unsupported')``: it cannot be read, or has none of them.
    """
    found: dict[str, bytes] = {}
    for member in field.split(","):
        read = _MEMBER.fullmatch(member.strip())
        if read is None:
            raise errors.Malformed("content_digest_unsupported", field[:100])
        if read[1] in _CHECKED:
            found[read[1]] = _bytes(read[2], field)
    if not found:
        raise errors.Malformed("content_digest_unsupported", field[:100])
    return found


def _bytes(text: str, field: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except Error as cause:
        raise errors.Malformed("content_digest_unsupported", field[:100]) from cause
