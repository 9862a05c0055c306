"""Independent readers of our logs: code that nobody here wrote judges what we made."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Sequence

from tlog_scales.backend import make_backend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey, VkeySet
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, InclusionProof


def read_log(
    location: str, vkeys: Sequence[str], indexes: Iterable[int]
) -> list[bytes]:
    """Let tlog-scales verify a log at a URL or an absolute path.

    Checks that every key signed the checkpoint, that the tiles give its root, and that
    the entries at these leaf indexes are included; returns those entries.
    """
    reader = TilesReader(make_backend(location))
    checkpoint = reader.get_checkpoint()
    _require_signatures(checkpoint, vkeys)
    assert reader.calculate_root_hash() == checkpoint.root_hash
    found = []
    for index in indexes:
        entry = reader.get_entry(index)
        proof = reader.get_inclusion_proof(index, checkpoint.size)
        proof.check(leaf_hash(entry), checkpoint.root_hash)
        found.append(entry)
    return found


def check_consistency(location: str, old_size: int, old_root: bytes) -> None:
    """Let tlog-scales prove from the tiles that the log extends an older root."""
    reader = TilesReader(make_backend(location))
    checkpoint = reader.get_checkpoint()
    proof = reader.get_consistency_proof(old_size, checkpoint.size)
    proof.check(old_root, checkpoint.root_hash)


def check_receipt(receipt: str, entry: bytes, vkeys: Sequence[str]) -> int:
    """Let tlog-scales verify a tlog-proof; returns the leaf index it proves."""
    head, _, note = receipt.partition("\n\n")
    magic, index_line, *hashes = head.split("\n")
    assert magic == "c2sp.org/tlog-proof@v1"
    index = int(index_line.removeprefix("index "))
    checkpoint = Checkpoint.from_text(note)
    _require_signatures(checkpoint, vkeys)
    path = [b64decode(line) for line in hashes]
    proof = InclusionProof(index, checkpoint.size, path)
    proof.check(leaf_hash(entry), checkpoint.root_hash)
    return index


def _require_signatures(checkpoint: Checkpoint, vkeys: Sequence[str]) -> None:
    keys = VkeySet(*map(Vkey.from_string, vkeys))
    valid = keys.verify(checkpoint.signatures, checkpoint)
    assert {key.serialize() for key, _ in valid} == set(vkeys)
