"""Signed notes, keys, checkpoints, cosignatures: against the vectors of others."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest

from events import notes
from events.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from events.errors import Malformed
from events.merkle import EMPTY_ROOT
from events.notes import (
    ED25519_COSIGNATURE,
    MLDSA44,
    Signer,
    Verifier,
    open_note,
    parse_note,
    sign_note,
)

# The signed-note specification's example.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
LINE = "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
NOTE = "This is an example message.\n\n" + LINE

# A log made by Tessera, cosigned by an independent witness.
TESSERA_VKEY = (
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
)
TESSERA = Checkpoint(
    "example.com/log/testdata",
    15,
    b64decode("rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="),
)
WITNESS_VKEY = (
    "witness.example.org/w1+790b7c55+BLBsvUyu16qq6mbWgeu22pypqvxpteo296j94RUMeMih"
)
WITNESS_LINE = "— witness.example.org/w1 eQt8VQAAAABrBEDBYPLAfII3ruOvLnUPlq0sAbWvny4Hv7d3grtEk3TN2om9XIrq9cxkRT0sgcErgj4aC/hRykjh5HuGRendALY7Aw==\n"

needs_mldsa = pytest.mark.skipif(
    not notes.mldsa_available(), reason="this cryptography has no ML-DSA"
)


@pytest.fixture
def signer() -> Signer:
    """A log key."""
    return Signer.generate("log.example/x", seed=bytes(range(32)))


def refused(code, act, *arguments):
    """Require that a call raises Malformed with this code."""
    with pytest.raises(Malformed) as caught:
        act(*arguments)
    assert caught.value.code == code


def test_the_note_of_the_specification():
    """The example note opens with its key and re-encodes to itself."""
    verifier = Verifier.from_vkey(VKEY)
    assert verifier.vkey == VKEY
    opened = open_note(NOTE, [verifier])
    assert opened.text == "This is an example message.\n"
    assert [one.line() for one in opened.verified] == [LINE]


def test_a_cosignature_made_elsewhere():
    """A witness's timestamped Ed25519 line verifies over a Tessera checkpoint."""
    Verifier.from_vkey(TESSERA_VKEY)
    note = f"{TESSERA.body()}\n{WITNESS_LINE}"
    opened = open_note(note, [Verifier.from_vkey(WITNESS_VKEY)])
    assert parse_checkpoint(opened.text) == TESSERA
    timestamp = int.from_bytes(opened.verified[0].blob[:8])
    assert timestamp == 1_795_440_833


def test_a_witness_alone_makes_no_checkpoint():
    """The log itself must have signed: a cosignature of its text is not enough."""
    note = f"{TESSERA.body()}\n{WITNESS_LINE}"
    keys = [Verifier.from_vkey(WITNESS_VKEY), Verifier.from_vkey(TESSERA_VKEY)]
    refused("note_unsigned", open_checkpoint, note, keys, TESSERA.origin)


@needs_mldsa
def test_the_mldsa_key_of_another_implementation():
    """The seed of torchwood's test gives the key id that Go gives."""
    seed = "2886adc2b0eabfce67c0472939127998bf886cf256bfee8ba76a253fce1146e0"
    name = "example.com/mldsa-log"
    signer = Signer.generate(name, seed=bytes.fromhex(seed), kind=MLDSA44)
    assert signer.key_id.hex() == "b5df45c5"
    root = b64decode("+zoErtsZtGO6sfiSV/v4UJSIyowisE8hvjw0q5+bD38=")
    checkpoint = Checkpoint(name, 1, root)
    note = sign_checkpoint(checkpoint, [signer], 0)
    assert open_checkpoint(note, [signer.verifier], name) == checkpoint
    assert len(parse_note(note)[1][0].blob) == 8 + 2420
    line = next(one for one in note.split("\n") if one.startswith("— "))
    assert len(line.split(" ")[2]) == 3244


def test_all_kinds_of_keys_sign_and_read_back(signer):
    """Each key type round-trips as vkey and private text, and signs what it verifies."""
    kinds = [1, ED25519_COSIGNATURE, *([MLDSA44] if notes.mldsa_available() else [])]
    body = Checkpoint("log.example/x", 7, bytes(32)).body()
    for kind in kinds:
        one = Signer.generate("log.example/x", seed=bytes([kind]) * 32, kind=kind)
        assert Signer.from_private(one.private()) == one
        assert Verifier.from_vkey(one.vkey) == one.verifier
        note = sign_note(body, [signer, one], timestamp=1_800_000_000)
        assert len(open_note(note, [one.verifier, signer.verifier]).verified) == 2
        assert len(open_note(note, [one.verifier]).unknown) == 1
        blob = one.sign(body, 1_800_000_000)
        assert one.verifier.accepts(blob, body)
        assert not one.verifier.accepts(blob, body.replace("7", "8"))
        assert not one.verifier.accepts(blob + b"\0", body)
        if kind != 1:
            later = (1_800_000_001).to_bytes(8) + blob[8:]
            assert not one.verifier.accepts(later, body)


def test_a_timestamp_beyond_the_specification():
    """A cosignature from after 2**63 - 1 seconds is no signature, even if it verifies."""
    one = Signer.generate("w", seed=bytes(32), kind=ED25519_COSIGNATURE)
    assert one.verifier.accepts(one.sign("x\n", 2**63 - 1), "x\n")
    assert not one.verifier.accepts(one.sign("x\n", 2**63), "x\n")


def test_secrets_stay_out_of_sight(signer):
    """Printing a signer shows neither seed nor private key."""
    assert str(bytes(range(32)))[2:-1] not in repr(signer)
    assert signer.private().split("+")[-1] not in repr(signer)


def test_every_flipped_bit_of_a_note_is_refused(signer):
    """No single-bit change of a signed note passes, wherever it is."""
    note = sign_note("a\nb\n", [signer]).encode()
    for at in range(len(note) * 8):
        changed = bytearray(note)
        changed[at // 8] ^= 1 << at % 8
        text = changed.decode("utf-8", "surrogateescape")
        with pytest.raises(Malformed):
            open_note(text, [signer.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        LINE,
        "text\n" + LINE,
        "text\n\n" + LINE[:-1],
        "text\n\n" + LINE + "\n",
        "text\n\n" + LINE + "more\n",
        "text\r\n\n" + LINE,
        "te\x00xt\n\n" + LINE,
        "text\n\n" + LINE * 101,
        "text\n\n" + LINE.replace("— ", "- "),
        "text\n\n" + LINE.replace("— ", "—"),
        "text\n\n" + LINE.replace("foo ", "foo  "),
        "text\n\n" + LINE.replace("foo ", "f+o "),
        "text\n\n" + LINE.replace("foo ", "f\u00a0o "),
        "text\n\n— name AAAAAA==\n",
        "text\n\n— name AAAAAAB=\n",
        "text\n\n— name AAAA AAAA\n",
        "x" * 1_000_001 + "\n\n" + LINE,
    ],
)
def test_malformed_notes(note):
    """What breaks the note format is refused before any key is looked at."""
    refused("note_malformed", parse_note, note)


def test_the_text_may_hold_empty_lines(signer):
    """A note is split at its last empty line."""
    note = sign_note("one\n\n— not a signature\n\ntwo\n", [signer])
    assert open_note(note, [signer.verifier]).text.endswith("\ntwo\n")


def test_unknown_and_wrong_signatures(signer):
    """Unknown lines are ignored, known ones must verify, one must be known."""
    other = Signer.generate("other", seed=bytes(32))
    note = sign_note("x\n", [signer, other])
    refused("note_unsigned", open_note, note, [])
    refused("note_unsigned", open_note, note, [Verifier.from_vkey(VKEY)])
    wrong = sign_note("y\n", [other])
    mixed = sign_note("x\n", [signer]) + wrong.split("\n\n")[1]
    assert open_note(mixed, [signer.verifier]).unknown
    both = [signer.verifier, other.verifier]
    refused("note_signature_invalid", open_note, mixed, both)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+530d903a",
        VKEY.replace("+530d903a", "+530D903A"),
        VKEY.replace("+530d903a", "+530d903b"),
        VKEY.replace("foo", "fop"),
        VKEY.replace("foo", "f o"),
        VKEY[:-4],
        VKEY + "=",
        VKEY.replace("com/foo+", "com/foo+ "),
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "name+00000000+",
    ],
)
def test_malformed_vkeys(vkey):
    """A vkey is accepted in its only spelling, with the id that fits."""
    refused("key_malformed", Verifier.from_vkey, vkey)


def test_unsupported_key_types():
    """A type that we cannot check is told apart from a broken key."""
    raw = b"\x02" + bytes(32)
    key_id = notes.key_id_of("name", 2, bytes(32)).hex()
    vkey = f"name+{key_id}+{b64encode(raw).decode()}"
    refused("key_type_unsupported", Verifier.from_vkey, vkey)


def test_malformed_private_keys(signer):
    """A private key needs its prefix, a fitting id and 32 bytes."""
    good = signer.private()
    wrong_id = good.replace(signer.key_id.hex(), "00000000")
    for text in (signer.vkey, wrong_id, good[:-4], good.replace("PRIVATE", "private")):
        refused("key_malformed", Signer.from_private, text)
    for name in ("", "a b", "a+b", "a\nb", "x" * 256):
        with pytest.raises(Malformed):
            Signer.generate(name, seed=bytes(32))
    with pytest.raises(Malformed):
        Signer.generate("name", seed=bytes(31))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "o\n1\n",
        "o\n01\n{root}\n",
        "o\n-1\n{root}\n",
        "o\n+1\n{root}\n",
        "o\n١\n{root}\n",
        "o\n9223372036854775808\n{root}\n",
        "o\n1\n{root}",
        "o\n1\n{root}\next\n",
        "o\n1\n{root}\n\n",
        "\n1\n{root}\n",
        "o\n1\nAAAA\n",
        "o\n1\n{root}=\n",
        "o" * 256 + "\n1\n{root}\n",
    ],
)
def test_malformed_checkpoints(body):
    """A checkpoint is exactly three lines, each in its only spelling."""
    text = body.format(root=b64encode(EMPTY_ROOT).decode())
    refused("checkpoint_malformed", parse_checkpoint, text)


def test_checkpoints_of_the_right_log(signer):
    """A checkpoint opens for its own origin only; size 0 has the empty root."""
    empty = Checkpoint(signer.name, 0, EMPTY_ROOT)
    assert "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" in empty.body()
    note = sign_checkpoint(empty, [signer], 0)
    keys = [signer.verifier]
    assert open_checkpoint(note, keys, signer.name) == empty
    refused("checkpoint_origin", open_checkpoint, note, keys, "log.example/y")
    refused("checkpoint_malformed", sign_checkpoint, Checkpoint("o", 1, b""), [], 0)
