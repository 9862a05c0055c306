"""The receipt: a C2SP tlog-proof that one entry is in the log, checkable offline.

Only its text form and its check; when a receipt is made is the sequencer's matter.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from events.checkpoint import Checkpoint, open_checkpoint
from events.errors import Malformed
from events.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from events.notes import Verifier, decode_base64, parse_decimal

_MAGIC = "c2sp.org/tlog-proof@v1"
_MAX_HASHES = 63
_CODE = "receipt_malformed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A parsed receipt: leaf ``index``, its path leaf first, the signed checkpoint."""

    index: int
    proof: tuple[bytes, ...]
    note: str
    extra: bytes | None = None


class LineMemo(dict[bytes, str]):
    """Hash to its line; one for all receipts of a batch, which share most hashes."""

    def __missing__(self, key: bytes) -> str:
        """Encode a hash the first time it is asked for."""
        line = self[key] = b64encode(key).decode() + "\n"
        return line


def encode_receipt(
    index: int,
    proof: Sequence[bytes],
    note: str,
    extra: bytes | None = None,
    *,
    memo: LineMemo | None = None,
) -> str:
    """Return the receipt's text. ``extra`` is carried along; nobody vouches for it."""
    lines = LineMemo() if memo is None else memo
    head = "" if extra is None else f"extra {b64encode(extra).decode()}\n"
    path = "".join([lines[one] for one in proof])
    return f"{_MAGIC}\n{head}index {index}\n{path}\n{note}"


def parse_receipt(text: str) -> Receipt:
    """Parse a receipt; it must re-encode to itself.

    Raises ``Malformed("receipt_malformed")``. The note is not opened here.
    """
    head, found, note = text.partition("\n\n")
    lines = head.split("\n")
    if not found or lines.pop(0) != _MAGIC:
        raise Malformed(_CODE, f"does not begin with {_MAGIC}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), _CODE)
    if not lines or not lines[0].startswith("index "):
        raise Malformed(_CODE, "no index line")
    index = parse_decimal(lines.pop(0).removeprefix("index "), _CODE)
    proof = tuple(decode_base64(line, _CODE) for line in lines)
    if len(proof) > _MAX_HASHES or any(len(one) != HASH_SIZE for one in proof):
        raise Malformed(_CODE, "too many hashes, or one is not 32 bytes")
    return Receipt(index, proof, note, extra)


def verify_receipt(
    text: str, entry: bytes, verifiers: Sequence[Verifier], origin: str
) -> Checkpoint:
    """Check that a receipt proves ``entry``; returns the checkpoint it rests on.

    Raises ``Malformed`` with ``receipt_malformed``, ``inclusion_invalid`` or a code of
    ``open_checkpoint``.
    """
    receipt = parse_receipt(text)
    checkpoint = open_checkpoint(receipt.note, verifiers, origin)
    verify_inclusion(
        index=receipt.index,
        size=checkpoint.size,
        leaf=leaf_hash(entry),
        proof=receipt.proof,
        root=checkpoint.root,
    )
    return checkpoint
