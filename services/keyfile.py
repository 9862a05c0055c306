"""The ledger's signing keys in one file of mode 0600, made at the first start.

Rules of this file: it reads, creates and replaces that file; the keys leave it only as
signers. Nothing of a private key ever goes into a message, a log line or the ledger.

A rotation has three steps, so that at no moment the log names keys that are nowhere:

    1  prepare   signing.keys.next     crash: keys that nobody knows; used the next time
    2  append    the log names them    crash: as after 3, for whoever starts next does 3
    3  take_up   next -> signing.keys, the former to signing.keys.<n>
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from events import errors, signing
from events.checkpoint import Checkpoint, sign_checkpoint
from events.merkle import root_at
from events.notes import ED25519, MLDSA44, Signer, mldsa_available
from events.store import Reader

FILE = "signing.keys"

_MODE = 0o600
_SEED_BYTES = 32
_DEFAULT_ORIGIN = "localhost/log"


@dataclass(frozen=True, slots=True)
class Keys:
    """The signers of a ledger: Ed25519 first, ML-DSA-44 where the build has it."""

    signers: tuple[Signer, ...]

    @property
    def origin(self) -> str:
        """Return the name that the keys were made for."""
        return self.signers[0].name

    @property
    def receipt_signers(self) -> tuple[Signer, ...]:
        """Return those that sign receipts: Ed25519 is deterministic and short."""
        return self.signers[:1]

    @property
    def vkeys(self) -> tuple[str, ...]:
        """Return the public halves, as given to verifiers."""
        return tuple(signer.vkey for signer in self.signers)


def load_or_create(
    path: Path, *, origin: str, random_bytes: Callable[[int], bytes]
) -> Keys:
    """Return the keys in ``path``, generating them if the file does not exist.

    An empty origin means that of the file, or ``localhost/log`` for a new one.

    ``Denied('key_file_open')`` if others may read it, ``Conflict('origin_mismatch')``
    if the keys are those of another origin, ``Malformed`` if it is no key file.
    """
    if not path.exists():
        _create(path, origin or _DEFAULT_ORIGIN, random_bytes)
    if path.stat().st_mode & 0o077:
        raise errors.Denied("key_file_open", path=str(path))
    lines = path.read_text("utf-8").split()
    keys = Keys(tuple(Signer.from_private(line) for line in lines))
    for signer in keys.signers:
        if origin and signer.name != origin:
            raise errors.Conflict(
                "origin_mismatch", expected=signer.name, actual=origin
            )
    return keys


def _create(path: Path, origin: str, random_bytes: Callable[[int], bytes]) -> None:
    kinds = (ED25519, MLDSA44) if mldsa_available() else (ED25519,)
    lines = [
        Signer.generate(origin, seed=random_bytes(_SEED_BYTES), kind=kind).private()
        for kind in kinds
    ]
    fresh = path.with_name(f"{path.name}.{random_bytes(8).hex()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the name is taken, and shows the file whole or not at all:
        # of two processes that start at once one makes the keys and both read them.
        with suppress(FileExistsError):
            os.link(fresh, path)
        _settle(path.parent)
    finally:
        fresh.unlink()


def prepare(path: Path, *, origin: str, random_bytes: Callable[[int], bytes]) -> Keys:
    """Return the keys that shall follow those in ``path``, made if there are none.

    They wait in a file beside it until the log names them. Errors as
    ``load_or_create``.
    """
    return load_or_create(_following(path), origin=origin, random_bytes=random_bytes)


def take_up(path: Path, keys: Keys, reader: Reader, *, seconds: int) -> Path | None:
    """Put prepared keys in the place of ``keys``, if the log has put them in charge.

    Any process may do it, and any number at once. The former keys stay as
    ``<path>.<n>``: a copy of the database from before the rotation opens with them
    only. Their last act is the checkpoint ``<path>.<n>.checkpoint`` of the log up to
    the entry that names the new keys; ``seconds`` (POSIX) is its instant. Returns
    its path; None: nothing was to be done here.
    """
    known = signing.periods_of(
        (row.position, row.entry) for row in reader.stream(f"ledger/{keys.origin}")
    )
    fresh = read_vkeys(_following(path))
    if len(known) < 2 or not fresh or not set(fresh) <= set(known[-1].vkeys):
        return None
    former = path.with_name(f"{path.name}.{len(known) - 1}")
    vouched = former.with_name(f"{former.name}.checkpoint")
    size = known[-1].first
    checkpoint = Checkpoint(keys.origin, size, root_at(size, reader.hashes))
    _publish(vouched, sign_checkpoint(checkpoint, keys.signers, seconds))
    with suppress(FileExistsError):
        os.link(path, former)
    with suppress(FileNotFoundError):  # Another process was faster.
        _following(path).replace(path)
    _settle(path.parent)
    return vouched


def _following(path: Path) -> Path:
    return path.with_name(f"{path.name}.next")


def _publish(path: Path, text: str) -> None:
    """Write a file whole or not at all; it holds no secret."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _settle(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_vkeys(path: Path) -> tuple[str, ...]:
    """Return the public keys of a key file; none where there is no such file."""
    if not path.exists():
        return ()
    lines = path.read_text("utf-8").split()
    return tuple(Signer.from_private(line).vkey for line in lines)
