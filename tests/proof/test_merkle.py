"""The tree: against the published vectors, a recursive reference and another library."""

from __future__ import annotations

import json
import random
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from events import merkle
from events.errors import Malformed
from events.merkle import Tree, leaf_hash, node_hash

VECTORS = Path(__file__).parent / "vectors"
LEAVES = [leaf_hash(b"entry %d" % number) for number in range(1100)]


def vectors(kind):
    """Return the vectors of one file as parameters named as upstream names them."""
    found = json.loads((VECTORS / f"rfc6962-{kind}.json").read_text())
    assert len(found) == 98
    return [pytest.param(one, id=one["name"]) for one in found]


def hashes_of(one, key):
    """Return the decoded hashes of a vector; null is none."""
    return [b64decode(text) for text in one[key] or []]


def reference(leaves):
    """Compute the root by the definition (RFC 6962 section 2.1)."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = reference(leaves[:split]), reference(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


def path(index, leaves):
    """Compute an inclusion path by the definition (RFC 6962 section 2.1.1)."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:split], leaves[split:]
    if index < split:
        return [*path(index, left), reference(right)]
    return [*path(index - split, right), reference(left)]


def subproof(size, leaves, *, known=True):
    """Compute a consistency proof by the definition (RFC 6962 section 2.1.2)."""
    if size == len(leaves):
        return [] if known else [reference(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:split], leaves[split:]
    if size <= split:
        return [*subproof(size, left, known=known), reference(right)]
    return [*subproof(size - split, right, known=False), reference(left)]


class Stored:
    """Tile hashes as a store has them, which also counts how it is asked."""

    def __init__(self, leaves):
        """Hold the leaves of the largest tree."""
        self.leaves = leaves
        self.cache = {}
        self.calls = 0
        self.most = 0

    def __call__(self, coordinates):
        """Return stored hashes; a subtree that is not complete is not stored."""
        self.calls += 1
        self.most = max(self.most, len(coordinates))
        return [self.at(level, index) for level, index in coordinates]

    def at(self, level, index):
        """Return one stored hash."""
        if (level, index) not in self.cache:
            part = self.leaves[index << 8 * level : (index + 1) << 8 * level]
            assert len(part) == 256**level
            self.cache[level, index] = reference(part)
        return self.cache[level, index]


@pytest.mark.parametrize("one", vectors("inclusion"))
def test_inclusion_vectors(one):
    """Each published inclusion vector is accepted or refused as it says."""
    arguments = {
        "index": one["leafIdx"],
        "size": one["treeSize"],
        "leaf": b64decode(one["leafHash"] or ""),
        "proof": hashes_of(one, "proof"),
        "root": b64decode(one["root"] or ""),
    }
    if one["wantErr"]:
        with pytest.raises(Malformed) as caught:
            merkle.verify_inclusion(**arguments)
        assert caught.value.code == "inclusion_invalid"
    else:
        merkle.verify_inclusion(**arguments)


@pytest.mark.parametrize("one", vectors("consistency"))
def test_consistency_vectors(one):
    """Each published consistency vector is accepted or refused as it says."""
    arguments = {
        "size1": one["size1"],
        "size2": one["size2"],
        "root1": b64decode(one["root1"] or ""),
        "root2": b64decode(one["root2"] or ""),
        "proof": hashes_of(one, "proof"),
    }
    if one["wantErr"]:
        with pytest.raises(Malformed) as caught:
            merkle.verify_consistency(**arguments)
        assert caught.value.code == "consistency_invalid"
    else:
        merkle.verify_consistency(**arguments)


@pytest.mark.parametrize("size", range(131))
def test_every_inclusion_in_small_trees(size):
    """Each leaf of each tree up to 130 has the defined path, and only there."""
    leaves, stored = LEAVES[:size], Stored(LEAVES[:size])
    root = reference(leaves)
    assert merkle.root_of(leaves) == root == merkle.root_at(size, stored)
    appended = Tree.empty().extend(leaves)[1]
    for index in range(size):
        proof = merkle.inclusion_proof(index=index, size=size, hashes=stored)
        assert proof == path(index, leaves) == appended.proof(index)
        given = {"size": size, "leaf": leaves[index], "proof": proof, "root": root}
        merkle.verify_inclusion(index=index, **given)
        with pytest.raises(Malformed):
            merkle.verify_inclusion(index=(index + 1) % max(size, 2), **given)


@pytest.mark.parametrize("size2", range(1, 131))
def test_every_consistency_in_small_trees(size2):
    """Each pair of sizes up to 130 has the defined proof, which verifies."""
    stored = Stored(LEAVES[:size2])
    root2 = reference(LEAVES[:size2])
    for size1 in range(1, size2 + 1):
        proof = merkle.consistency_proof(size1=size1, size2=size2, hashes=stored)
        assert proof == subproof(size1, LEAVES[:size2])
        root1 = merkle.root_of(LEAVES[:size1])
        roots = {"root1": root1, "root2": root2, "proof": proof}
        merkle.verify_consistency(size1=size1, size2=size2, **roots)
        if size1 < size2:
            wrong = node_hash(root1, root2)
            with pytest.raises(Malformed):
                merkle.verify_consistency(
                    size1=size1, size2=size2, root1=root1, root2=wrong, proof=proof
                )


@settings(max_examples=40)
@given(
    batches=st.lists(st.integers(0, 300), max_size=12),
    pick=st.randoms(use_true_random=False),
)
def test_growth_in_batches(batches, pick):
    """However leaves arrive, the tree, its tiles and its fresh proofs are the defined ones."""
    tree, nodes = Tree.empty(), []
    stored = Stored(LEAVES)
    for count in batches:
        leaves = LEAVES[tree.size : tree.size + count]
        before = tree
        dropped, _ = tree.extend([bytes(32)] * (count + 1))
        tree, appended = before.extend(leaves)
        assert dropped.root != tree.root
        assert tree.root == appended.root == merkle.root_at(tree.size, stored)
        assert tree == Tree.load(tree.size, stored)
        assert (appended.start, appended.size) == (before.size, tree.size)
        for index in pick.sample(range(before.size, tree.size), min(4, len(leaves))):
            proof = merkle.inclusion_proof(index=index, size=tree.size, hashes=stored)
            assert appended.proof(index) == proof
        nodes += appended.tile_nodes
    assert nodes == [(1, at, stored.at(1, at)) for at in range(tree.size // 256)]


def test_a_dropped_growth_leaves_the_tree_as_it_was():
    """After a rollback the old tree grows as if nothing had been tried."""
    tree, _ = Tree.empty().extend(LEAVES[:77])
    kept = (tree.size, tree.root, tree.peaks)
    tree.extend(LEAVES[500:900])
    assert (tree.size, tree.root, tree.peaks) == kept
    assert tree.extend(LEAVES[77:300])[0].root == reference(LEAVES[:300])


def test_proofs_only_of_appended_leaves():
    """A growth has no proof to give for leaves that it did not bring."""
    tree, _ = Tree.empty().extend(LEAVES[:10])
    _, appended = tree.extend(LEAVES[10:12])
    for index in (-1, 9, 12):
        with pytest.raises(IndexError):
            appended.proof(index)


def test_second_level_tiles():
    """65,536 leaves complete a hash of level 2, and old proofs read few hashes, once."""
    leaves = [node_hash(bytes([n & 255]), n.to_bytes(4)) for n in range(65_800)]
    tree, nodes = Tree.empty(), []
    for at in range(0, len(leaves), 1000):
        tree, appended = tree.extend(leaves[at : at + 1000])
        nodes += appended.tile_nodes
    known = {(level, index): node for level, index, node in nodes}
    assert sorted(known) == [(1, at) for at in range(257)] + [(2, 0)]
    assert known[2, 0] == merkle.root_of(leaves[:65_536])
    asked = []

    def hashes(coordinates):
        asked.append(coordinates)
        return [known[c] if c[0] else leaves[c[1]] for c in coordinates]

    for index in random.Random(7).sample(range(len(leaves)), 50):
        size = len(leaves)
        proof = merkle.inclusion_proof(index=index, size=size, hashes=hashes)
        merkle.verify_inclusion(
            index=index, size=size, leaf=leaves[index], proof=proof, root=tree.root
        )
    assert len(asked) == 50
    assert max(map(len, asked)) <= 3 * 512


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=200))
def test_roots_as_another_library_computes_them(entries):
    """pymerkle finds the same root over the same entries."""
    other = InmemoryTree(algorithm="sha256")
    for entry in entries:
        other.append_entry(entry)
    assert other.get_root() == merkle.root_of([leaf_hash(entry) for entry in entries])


@settings(max_examples=60)
@given(st.data())
def test_changed_proofs_are_refused(data):
    """A proof with a bit, a hash, an index or a size changed proves nothing."""
    size = data.draw(st.integers(2, 600))
    index = data.draw(st.integers(0, size - 1))
    stored = Stored(LEAVES)
    proof = merkle.inclusion_proof(index=index, size=size, hashes=stored)
    good = {
        "index": index,
        "size": size,
        "leaf": LEAVES[index],
        "proof": proof,
        "root": merkle.root_at(size, stored),
    }
    at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(proof[at]) ^ 1 << bit).to_bytes(32)
    changes = [
        {"proof": [*proof[:at], flipped, *proof[at + 1 :]]},
        {"proof": proof[:at] + proof[at + 1 :]},
        {"proof": [*proof, bytes(32)]},
        {"proof": [proof[0][:31], *proof[1:]]},
        {"index": index ^ 1},
        {"index": size},
        {"index": -1},
        {"leaf": LEAVES[index - 1]},
        {"root": bytes(32)},
        {"size": 0},
    ]
    for change in changes:
        with pytest.raises(Malformed):
            merkle.verify_inclusion(**{**good, **change})
