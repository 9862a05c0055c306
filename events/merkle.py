"""The RFC 6962 hash tree over the entries: roots, growth, proofs, and their checks.

Nothing here does I/O. Stored hashes are asked for through a callable, in tile
coordinates ``(level, index)``: the root of the complete subtree of ``256**level``
leaves that starts at leaf ``index * 256**level``; level 0 is the leaf hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from events.errors import Malformed

EMPTY_ROOT = sha256(b"").digest()
HASH_SIZE = 32
TILE_BITS = 8
TILE_WIDTH = 1 << TILE_BITS
MAX_SIZE = (1 << 63) - 1

Coordinate = tuple[int, int]
Hashes = Callable[[Sequence[Coordinate]], list[bytes]]


def leaf_hash(entry: bytes) -> bytes:
    """Return the leaf hash of an entry (RFC 9162 section 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two subtrees (RFC 9162 section 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over these leaf *hashes*; ``EMPTY_ROOT`` for none."""
    return Tree.empty().extend(leaves)[0].root


def _parents(nodes: Sequence[bytes]) -> list[bytes]:
    """Hash neighbours in pairs; an odd last one waits for its sibling."""
    lefts, rights = islice(nodes, 0, None, 2), islice(nodes, 1, None, 2)
    return [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(lefts, rights, strict=False)
    ]


@dataclass(frozen=True, slots=True)
class Appended:
    """What one growth of the tree brought: leaves ``start`` to ``size - 1``.

    ``tile_nodes`` are the ``(level, index, hash)`` of the subtrees of ``256**level``
    leaves, level >= 1, that this growth completed, by level and then index.
    """

    start: int
    size: int
    root: bytes
    tile_nodes: list[tuple[int, int, bytes]]
    # For each binary level the index of the first node kept, and the nodes: an old
    # left sibling, the new complete ones, and the incomplete one at the right edge.
    levels: list[tuple[int, list[bytes]]]

    def proof(self, leaf_index: int) -> list[bytes]:
        """Return the inclusion path of an appended leaf under ``root``, leaf first."""
        if not self.start <= leaf_index < self.size:
            raise IndexError(leaf_index)
        path = []
        index = leaf_index
        for first, nodes in self.levels:
            sibling = (index ^ 1) - first
            if sibling < len(nodes):
                path.append(nodes[sibling])
            index >>= 1
        return path


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree as the roots of its complete subtrees: O(log size) memory, immutable.

    ``peaks[l]`` is the last complete subtree of ``2**l`` leaves where bit ``l`` of
    ``size`` is set, and empty elsewhere. Growing gives a new tree and leaves this one
    as it was, so a transaction that is rolled back only drops the new one.
    """

    size: int
    root: bytes
    peaks: tuple[bytes, ...]

    @staticmethod
    def empty() -> Tree:
        """Return the tree of no leaves."""
        return Tree(0, EMPTY_ROOT, ())

    @staticmethod
    def load(size: int, hashes: Hashes) -> Tree:
        """Return the tree of the first ``size`` leaves, in one call of ``hashes``."""
        levels = [level for level in range(size.bit_length()) if size >> level & 1]
        found = _ranges([_peak_range(size, level) for level in levels], hashes)
        peaks = [b""] * size.bit_length()
        root = b""
        for level, peak in zip(levels, found, strict=True):
            peaks[level] = peak
            root = node_hash(peak, root) if root else peak
        return Tree(size, root or EMPTY_ROOT, tuple(peaks))

    def extend(self, leaves: Sequence[bytes]) -> tuple[Tree, Appended]:
        """Append leaf *hashes*: about one node hash each, and O(log size) more."""
        start, size = self.size, self.size + len(leaves)
        known = len(self.peaks)
        peaks, tile_nodes, levels = [], [], []
        fresh: Sequence[bytes] = leaves
        edge = b""
        for level in range(size.bit_length()):
            first, count = start >> level, size >> level
            odd = first & 1
            nodes = [self.peaks[level]] if odd and level < known else []
            if fresh:
                if level and not level % TILE_BITS:
                    tile_nodes += [
                        (level // TILE_BITS, index, node)
                        for index, node in enumerate(fresh, first)
                    ]
                nodes += fresh
                fresh = _parents(nodes)
            peak = nodes[-1] if count & 1 else b""
            peaks.append(peak)
            if edge:
                nodes.append(edge)
            if peak:
                edge = node_hash(peak, edge) if edge else peak
            levels.append((first - odd, nodes))
        root = edge or EMPTY_ROOT
        appended = Appended(start, size, root, tile_nodes, levels)
        return Tree(size, root, tuple(peaks)), appended


def root_at(size: int, hashes: Hashes) -> bytes:
    """Return the root of the first ``size`` leaves, in one call of ``hashes``."""
    return Tree.load(size, hashes).root


def inclusion_proof(*, index: int, size: int, hashes: Hashes) -> list[bytes]:
    """Return the path of leaf ``index`` in the tree of ``size`` (RFC 9162 2.1.3.1).

    ``hashes`` is called once, with at most about 512 coordinates a level.
    """
    if not 0 <= index < size:
        raise IndexError(index)
    ranges = []
    level = 0
    while (size - 1) >> level:
        start = (index >> level ^ 1) << level
        if start < size:
            ranges.append((start, min(start + (1 << level), size)))
        level += 1
    return _ranges(ranges, hashes)


def consistency_proof(*, size1: int, size2: int, hashes: Hashes) -> list[bytes]:
    """Return the proof that ``size2`` extends ``size1`` (RFC 6962 section 2.1.2).

    Empty for equal sizes and for ``size1 == 0``; ``hashes`` is called once.
    """
    if not 0 <= size1 <= size2:
        raise IndexError(size1)
    if size1 in {0, size2}:
        return []
    ranges: list[tuple[int, int]] = []
    start, end = 0, size2
    while size1 != end:
        split = start + (1 << (end - start - 1).bit_length() - 1)
        if size1 <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    if start:
        ranges.append((start, end))
    return _ranges(ranges[::-1], hashes)


def _peak_range(size: int, level: int) -> tuple[int, int]:
    start = ((size >> level) - 1) << level
    return start, start + (1 << level)


def _cover(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a range into complete subtrees ``(level, index)``, largest first.

    The range starts where a subtree at least as wide as itself could start.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _coordinates(level: int, index: int) -> list[Coordinate]:
    """Name the stored hashes that make up one complete binary subtree."""
    tile_level, rest = divmod(level, TILE_BITS)
    return [(tile_level, at) for at in range(index << rest, (index + 1) << rest)]


def _ranges(ranges: Sequence[tuple[int, int]], hashes: Hashes) -> list[bytes]:
    """Return the tree hash of each range of leaves; reads everything in one call."""
    covers = [[_coordinates(*subtree) for subtree in _cover(*r)] for r in ranges]
    wanted = sorted({c for cover in covers for part in cover for c in part})
    if not wanted:
        return []
    stored = dict(zip(wanted, hashes(wanted), strict=True))
    return [_join([[stored[c] for c in part] for part in cover]) for cover in covers]


def _join(parts: list[list[bytes]]) -> bytes:
    """Hash each part to its top, then fold the tops from the right."""
    root = b""
    for part in reversed(parts):
        nodes = part
        while len(nodes) > 1:
            nodes = _parents(nodes)
        root = node_hash(nodes[0], root) if root else nodes[0]
    return root


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that leaf hash ``leaf`` is at ``index`` under ``root``.

    RFC 9162 section 2.1.3.2. Raises ``Malformed("inclusion_invalid")``.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise Malformed("inclusion_invalid", "index outside of the tree")
    _require_hashes("inclusion_invalid", [leaf, root, *proof])
    node, place, last = leaf, index, size - 1
    for sibling in proof:
        if not last:
            raise Malformed("inclusion_invalid", "proof is too long")
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    if last or node != root:
        raise Malformed("inclusion_invalid", "proof does not lead to the root")


def verify_consistency(
    *, size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of ``root2`` extends that of ``root1``.

    RFC 9162 section 2.1.4.2; nothing can be proved from an empty tree. Raises
    ``Malformed("consistency_invalid")``.
    """
    code = "consistency_invalid"
    if not 0 < size1 <= size2 <= MAX_SIZE:
        raise Malformed(code, "sizes out of order")
    if size1 == size2:
        if proof or root1 != root2:
            raise Malformed(code, "one size, two roots or a needless proof")
        return
    if not proof:
        raise Malformed(code, "proof is empty")
    _require_hashes(code, [root1, root2, *proof])
    path = [root1, *proof] if size1 & (size1 - 1) == 0 else list(proof)
    if _climb(size1, size2, path) != (root1, root2):
        raise Malformed(code, "proof does not lead to both roots")


def _climb(size1: int, size2: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the two roots that a consistency path leads to."""
    place, last = size1 - 1, size2 - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if not last:
            raise Malformed("consistency_invalid", "proof is too long")
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise Malformed("consistency_invalid", "proof is too short")
    return old, new


def _require_hashes(code: str, hashes: Sequence[bytes]) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise Malformed(code, "a hash is not 32 bytes")
