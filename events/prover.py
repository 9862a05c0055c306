"""Proofs over what is committed: checkpoints, receipts, inclusion, consistency, tiles.

Rules of this file: reads through ``store.Reader`` and signs; it never writes, and never
serves a byte beyond a committed root. A receipt is made again byte for byte: the root
that covered the entry first, the same hashes, the same deterministic signature (after
a rotation of keys the new one's, for the same root). Retired keys sign nothing later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from events import errors, merkle, signing, tiles
from events.checkpoint import Checkpoint, sign_checkpoint
from events.receipts import encode_receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from events.notes import Signer
    from events.store import Reader, Root


class Prover:
    """Makes and serves the proofs of one ledger.

    ``receipt_signers`` sign receipts (deterministic), ``signers`` the published
    checkpoint (all that the keys offer). ``clock`` gives µs, for timed signatures.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        origin: str,
        signers: Sequence[Signer],
        receipt_signers: Sequence[Signer],
        clock: Callable[[], int],
    ) -> None:
        self._reader = reader
        self.origin = origin
        self._signers = signers
        self._receipt_signers = receipt_signers
        self._clock = clock
        self._published: tuple[int, str] = (-1, "")
        self._vkeys = frozenset(signer.vkey for signer in signers)
        self._in_charge = 0  # our keys were those of the log at this size

    def checkpoint(self) -> str:
        """Return the signed checkpoint of the newest committed root.

        One body is signed once a process: a size never gets two roots.
        """
        head = self._reader.head()
        size = head.size if head else 0
        if self._published[0] != size:
            root = head.root if head else merkle.EMPTY_ROOT
            note = self._note(size, root, self._signers)
            self._published = (size, note)
        return self._published[1]

    def checkpoint_at(self, size: int) -> str:
        """Return the signed checkpoint of exactly this size, committed or implied.

        ``NotFound('size_unknown')`` beyond the head.
        """
        root = merkle.root_at(self._bounded(size), self._reader.hashes)
        return self._note(size, root, self._signers)

    def receipt(self, position: int) -> str:
        """Return the original receipt of an entry (C2SP tlog-proof v1)."""
        covering = self._reader.root_covering(position)
        if covering is None or position < 1:
            raise errors.NotFound("event_unknown")
        return self._receipt(position, covering)

    def receipt_at(self, position: int, size: int) -> str:
        """Return a receipt of an entry against the tree of ``size`` entries."""
        if not 1 <= position <= self._bounded(size):
            raise errors.NotFound("event_unknown")
        root = merkle.root_at(size, self._reader.hashes)
        note = self._note(size, root, self._signers)
        return encode_receipt(position - 1, self._inclusion(position, size), note)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Return the proof that the tree of ``second`` extends that of ``first``."""
        if not 0 <= first <= self._bounded(second):
            raise errors.NotFound("size_unknown")
        return merkle.consistency_proof(
            size1=first, size2=second, hashes=self._reader.hashes
        )

    def tile(self, path: str) -> bytes:
        """Return a hash tile or an entry bundle; ``NotFound('tile_not_found')``.

        Any width that the published tree covers is cut on demand.
        """
        head = self._reader.head()
        tile = tiles.parse_tile_path(path)
        tiles.require_available(tile, head.size if head else 0)
        start = tile.index * merkle.TILE_WIDTH
        if tile.level == tiles.ENTRIES:
            entries = self._reader.entries(start=start, end=start + tile.width)
            return tiles.entry_bundle(entries)
        if tile.level == 0:
            return b"".join(self._reader.leaves(start=start, end=start + tile.width))
        return b"".join(self._reader.hashes(tiles.coordinates(tile)))

    def periods(self) -> tuple[signing.Period, ...]:
        """Return the keys that the log names, the first first."""
        rows = self._reader.stream(f"ledger/{self.origin}")
        return signing.periods_of((row.position, row.entry) for row in rows)

    def _require_keys(self, size: int) -> None:
        """Sign nothing later than what retired our keys.

        ``Unavailable('signing_key_retired')``: a process with the new ones can.
        """
        if size <= self._in_charge:
            return
        head = (
            self._reader.head()
        )  # Before the keys: what comes between is judged next.
        known = self.periods()
        if known and not signing.counts(self._vkeys, size, known):
            raise errors.Unavailable("signing_key_retired")
        if head and (not known or not self._vkeys.isdisjoint(known[-1].vkeys)):
            self._in_charge = head.size

    def _receipt(self, position: int, root: Root) -> str:
        note = self._note(root.size, root.root, self._receipt_signers)
        proof = self._inclusion(position, root.size)
        return encode_receipt(position - 1, proof, note)

    def _inclusion(self, position: int, size: int) -> list[bytes]:
        return merkle.inclusion_proof(
            index=position - 1, size=size, hashes=self._reader.hashes
        )

    def _bounded(self, size: int) -> int:
        head = self._reader.head()
        if not 0 <= size <= (head.size if head else 0):
            raise errors.NotFound("size_unknown")
        return size

    def _note(self, size: int, root: bytes, signers: Sequence[Signer]) -> str:
        self._require_keys(size)
        checkpoint = Checkpoint(self.origin, size, root)
        return sign_checkpoint(checkpoint, signers, self._clock() // 1_000_000)
