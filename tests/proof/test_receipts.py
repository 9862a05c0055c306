"""Receipts: they verify offline, read back exactly, and every change breaks them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import receipts
from events.checkpoint import Checkpoint, sign_checkpoint
from events.errors import Malformed
from events.merkle import Tree, leaf_hash
from events.notes import Signer
from events.receipts import LineMemo, encode_receipt, parse_receipt, verify_receipt

ENTRIES = [b'{"n":%d}' % number for number in range(11)]
SIGNER = Signer.generate("log.example/x", seed=bytes(32))
KEYS = [SIGNER.verifier]


def receipt_of(index, extra=None, memo=None):
    """Return the receipt of one of the entries, in the tree of all of them."""
    tree, appended = Tree.empty().extend([leaf_hash(one) for one in ENTRIES])
    note = sign_checkpoint(Checkpoint(SIGNER.name, tree.size, tree.root), [SIGNER], 0)
    return encode_receipt(index, appended.proof(index), note, extra, memo=memo)


def test_receipts_verify():
    """Each entry's receipt proves that entry and no other."""
    memo = LineMemo()
    for index, entry in enumerate(ENTRIES):
        text = receipt_of(index, memo=memo)
        assert text == receipt_of(index)
        checkpoint = verify_receipt(text, entry, KEYS, SIGNER.name)
        assert checkpoint.size == len(ENTRIES)
        with pytest.raises(Malformed) as caught:
            verify_receipt(text, ENTRIES[index - 1], KEYS, SIGNER.name)
        assert caught.value.code == "inclusion_invalid"
    assert len(memo) < len(ENTRIES) * 4


def test_the_form_of_a_receipt():
    """A receipt is the lines of tlog-proof v1: magic, index, path, note."""
    lines = receipt_of(10, extra=b"hello").split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra aGVsbG8=", "index 10"]
    assert [len(line) for line in lines[3:7]] == [44, 44, 0, len(SIGNER.name)]
    assert lines[-1] == ""


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.none() | st.binary(max_size=50),
)
def test_receipts_round_trip(index, proof, extra):
    """What is encoded is what is parsed."""
    note = "o\n1\nr\n\n— n s\n"
    parsed = parse_receipt(encode_receipt(index, proof, note, extra))
    assert parsed == receipts.Receipt(index, tuple(proof), note, extra)


def test_every_flipped_bit_of_a_receipt_is_refused():
    """No single-bit change of a receipt passes, and each is refused with a code."""
    original = receipt_of(5).encode()
    for at in range(len(original) * 8):
        changed = bytearray(original)
        changed[at // 8] ^= 1 << at % 8
        text = changed.decode("utf-8", "surrogateescape")
        with pytest.raises(Malformed):
            verify_receipt(text, ENTRIES[5], KEYS, SIGNER.name)


@settings(max_examples=150)
@given(st.data())
def test_cut_and_patched_receipts_are_refused(data):
    """Dropping, doubling, swapping or inserting lines or bytes never passes."""
    original = receipt_of(data.draw(st.integers(0, 10)))
    lines = original.split("\n")
    at = data.draw(st.integers(0, len(lines) - 2))
    other = data.draw(st.integers(0, len(lines) - 2))
    swapped = list(lines)
    swapped[at], swapped[other] = lines[other], lines[at]
    changes = [
        lines[:at] + lines[at + 1 :],
        [*lines[:at], data.draw(st.text(max_size=5)) + "!", *lines[at:]],
        swapped,
    ]
    texts = ["\n".join(change) for change in changes]
    texts += [original[: data.draw(st.integers(0, len(original) - 1))]]
    texts += [original.replace("\n", "\r\n"), " " + original, original + " "]
    for text in texts:
        if text == original:
            continue
        index = int(lines[1].removeprefix("index "))
        with pytest.raises(Malformed):
            verify_receipt(text, ENTRIES[index], KEYS, SIGNER.name)


@pytest.mark.parametrize(
    "index", ["-1", "+1", "01", " 1", "1 ", "", "1.0", "٣", "9223372036854775808"]
)
def test_an_index_has_one_spelling(index):
    """Any other way to write the index is refused."""
    with pytest.raises(Malformed) as caught:
        parse_receipt(f"c2sp.org/tlog-proof@v1\nindex {index}\n\nnote\n")
    assert caught.value.code == "receipt_malformed"


def test_a_path_has_at_most_63_hashes():
    """No tree is higher than 63 levels, so no path is longer."""
    with pytest.raises(Malformed) as caught:
        parse_receipt(encode_receipt(0, [bytes(32)] * 64, "note\n"))
    assert caught.value.code == "receipt_malformed"


def test_receipts_of_other_logs_and_keys():
    """A receipt counts only with the log's key and for its origin."""
    text = receipt_of(3)
    stranger = Signer.generate(SIGNER.name, seed=bytes([1]) * 32).verifier
    for keys, origin, code in (
        ([stranger], SIGNER.name, "note_unsigned"),
        ([], SIGNER.name, "note_unsigned"),
        (KEYS, "log.example/y", "checkpoint_origin"),
    ):
        with pytest.raises(Malformed) as caught:
            verify_receipt(text, ENTRIES[3], keys, origin)
        assert caught.value.code == code
