"""C2SP signed notes: the keys that sign a text and the lines that carry signatures.

Knows the note format, vkeys and signature types; what a text means is for others, but
for the three fields that ML-DSA signs instead of the text. Keys come as seed bytes.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519

from events.errors import Malformed

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:  # a build of `cryptography` from before ML-DSA
    mldsa = None  # type: ignore[assignment]

_MLDSA: Any = mldsa

ED25519 = 0x01
ED25519_COSIGNATURE = 0x04
MLDSA44 = 0x06

_SEED_SIZE = 32
_MAX_NOTE = 1_000_000  # the limits of Go's note.Open
_MAX_SIGNATURES = 100
_MAX_TIMESTAMP = (1 << 63) - 1
_PRIVATE = "PRIVATE+KEY+"
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SPACE_OR_PLUS = re.compile(r"[\s+]")
_DECIMAL = re.compile("0|[1-9][0-9]{0,18}")
_LINE = re.compile("— ([^ ]+) ([A-Za-z0-9+/=]+)")


def decode_base64(text: str, code: str) -> bytes:
    """Decode strict base64; whatever would encode otherwise raises ``Malformed``."""
    try:
        value = b64decode(text, validate=True)
    except ValueError as error:
        raise Malformed(code, "not base64") from error
    if b64encode(value).decode() != text:
        raise Malformed(code, "base64 is not in its only form")
    return value


def parse_decimal(text: str, code: str) -> int:
    """Parse a number below 2**63 in its only form, or raise ``Malformed``."""
    if not _DECIMAL.fullmatch(text) or int(text) > _MAX_TIMESTAMP:
        raise Malformed(code, "not a decimal number below 2**63")
    return int(text)


def checkpoint_fields(text: str) -> tuple[str, int, bytes]:
    """Return origin, size and root of a checkpoint body without extension lines.

    C2SP tlog-checkpoint. Raises ``Malformed("checkpoint_malformed")``.
    """
    code = "checkpoint_malformed"
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise Malformed(code, "a checkpoint is exactly three lines")
    root = decode_base64(lines[2], code)
    if not 0 < len(lines[0].encode()) <= 255 or len(root) != 32:
        raise Malformed(code, "origin or root has a wrong length")
    return lines[0], parse_decimal(lines[1], code), root


def _plain_message(_name: str, _timestamp: int, text: str) -> bytes:
    return text.encode()


def _cosignature_message(_name: str, timestamp: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _subtree_message(name: str, timestamp: int, text: str) -> bytes:
    origin, size, root = checkpoint_fields(text)
    parts = [b"subtree/v1\n\0"]
    for label, number in ((name, timestamp), (origin, 0)):
        raw = label.encode()
        parts += [len(raw).to_bytes(1), raw, number.to_bytes(8)]
    return b"".join([*parts, size.to_bytes(8), root])


@dataclass(frozen=True, slots=True)
class _Algorithm:
    """How one signature type makes its message and reads its keys."""

    public_size: int
    signature_size: int
    timed: bool
    message: Callable[[str, int, str], bytes]
    private_key: Callable[[bytes], Any]
    public_key: Callable[[bytes], Any]


def _ed25519(*, timed: bool) -> _Algorithm:
    return _Algorithm(
        public_size=32,
        signature_size=64,
        timed=timed,
        message=_cosignature_message if timed else _plain_message,
        private_key=ed25519.Ed25519PrivateKey.from_private_bytes,
        public_key=ed25519.Ed25519PublicKey.from_public_bytes,
    )


_ALGORITHMS = {
    ED25519: _ed25519(timed=False),
    ED25519_COSIGNATURE: _ed25519(timed=True),
}
if _MLDSA is not None:
    _ALGORITHMS[MLDSA44] = _Algorithm(
        public_size=1312,
        signature_size=2420,
        timed=True,
        message=_subtree_message,
        private_key=_MLDSA.MLDSA44PrivateKey.from_seed_bytes,
        public_key=_MLDSA.MLDSA44PublicKey.from_public_bytes,
    )


def mldsa_available() -> bool:
    """Tell whether the installed ``cryptography`` can sign with ML-DSA-44."""
    if _MLDSA is None:
        return False
    try:
        _MLDSA.MLDSA44PrivateKey.from_seed_bytes(bytes(_SEED_SIZE))
    except UnsupportedAlgorithm:
        return False
    return True


def _algorithm(kind: int) -> _Algorithm:
    if kind not in _ALGORITHMS:
        raise Malformed("key_type_unsupported", f"signature type 0x{kind:02x}")
    return _ALGORITHMS[kind]


def _load(make: Callable[[bytes], Any], raw: bytes) -> Any:
    try:
        return make(raw)
    except UnsupportedAlgorithm as error:
        raise Malformed("key_type_unsupported", str(error)) from error
    except ValueError as error:
        raise Malformed("key_malformed", "no such key") from error


def _check_name(name: str) -> None:
    bad = not name or _SPACE_OR_PLUS.search(name) or _CONTROL.search(name)
    if bad or len(name.encode()) > 255:
        raise Malformed("key_malformed", "key name is empty, too long, has space or +")


def key_id_of(name: str, kind: int, public: bytes) -> bytes:
    """Return the four bytes that tell keys of one name apart (C2SP signed-note)."""
    return sha256(name.encode() + b"\n" + kind.to_bytes(1) + public).digest()[:4]


def _encode_key(name: str, key_id: bytes, raw: bytes) -> str:
    return f"{name}+{key_id.hex()}+{b64encode(raw).decode()}"


def _decode_key(text: str) -> tuple[str, bytes, int, bytes]:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise Malformed("key_malformed", "not name+id+key")
    _check_name(parts[0])
    raw = decode_base64(parts[2], "key_malformed")
    if not re.fullmatch("[0-9a-f]{8}", parts[1]) or not raw:
        raise Malformed("key_malformed", "key id is not 8 hex digits, or no key")
    return parts[0], bytes.fromhex(parts[1]), raw[0], raw[1:]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key by its name; made by ``Verifier.from_vkey``."""

    name: str
    kind: int
    public: bytes = field(repr=False)
    key_id: bytes
    _key: Any = field(repr=False, compare=False)

    @staticmethod
    def from_vkey(vkey: str) -> Verifier:
        """Parse ``name+hex8+base64``.

        Raises ``Malformed``: ``key_malformed`` or ``key_type_unsupported``.
        """
        name, key_id, kind, public = _decode_key(vkey)
        algorithm = _algorithm(kind)
        right_id = key_id_of(name, kind, public)
        if len(public) != algorithm.public_size or key_id != right_id:
            raise Malformed("key_malformed", "key id or length does not fit the key")
        key = _load(algorithm.public_key, public)
        return Verifier(name, kind, public, key_id, key)

    @property
    def vkey(self) -> str:
        """The text form that is given to verifiers."""
        raw = self.kind.to_bytes(1) + self.public
        return _encode_key(self.name, self.key_id, raw)

    def accepts(self, blob: bytes, text: str) -> bool:
        """Tell whether ``blob``, without key id, is this key's signature."""
        algorithm = _ALGORITHMS[self.kind]
        head = 8 if algorithm.timed else 0
        timestamp = int.from_bytes(blob[:head])
        if len(blob) != head + algorithm.signature_size or timestamp > _MAX_TIMESTAMP:
            return False
        try:
            message = algorithm.message(self.name, timestamp, text)
            self._key.verify(blob[head:], message)
        except (InvalidSignature, Malformed):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key by its name; made by ``Signer.generate`` or ``from_private``."""

    verifier: Verifier
    _seed: bytes = field(repr=False)
    _key: Any = field(repr=False, compare=False)

    @staticmethod
    def generate(name: str, *, seed: bytes, kind: int = ED25519) -> Signer:
        """Make the signer of a 32-byte seed; the same seed gives the same key."""
        _check_name(name)
        if len(seed) != _SEED_SIZE:
            raise Malformed("key_malformed", "a seed is 32 bytes")
        key = _load(_algorithm(kind).private_key, seed)
        public = key.public_key().public_bytes_raw()
        key_id = key_id_of(name, kind, public)
        verifier = Verifier(name, kind, public, key_id, key.public_key())
        return Signer(verifier, seed, key)

    @staticmethod
    def from_private(text: str) -> Signer:
        """Parse ``PRIVATE+KEY+name+hex8+base64`` (the form of Go's ``note``)."""
        if not text.startswith(_PRIVATE):
            raise Malformed("key_malformed", "not a private key")
        name, key_id, kind, seed = _decode_key(text.removeprefix(_PRIVATE))
        signer = Signer.generate(name, seed=seed, kind=kind)
        if signer.key_id != key_id:
            raise Malformed("key_malformed", "key id does not fit the key")
        return signer

    def private(self) -> str:
        """Return the text form of the private key: for a file of mode 0600 only."""
        raw = self.verifier.kind.to_bytes(1) + self._seed
        return _PRIVATE + _encode_key(self.name, self.key_id, raw)

    @property
    def name(self) -> str:
        """The key name; for a log's key, its origin."""
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        """The four bytes before each signature."""
        return self.verifier.key_id

    @property
    def vkey(self) -> str:
        """The public half as text."""
        return self.verifier.vkey

    def sign(self, text: str, timestamp: int) -> bytes:
        """Return the signature blob; timed types include the POSIX seconds."""
        algorithm = _ALGORITHMS[self.verifier.kind]
        message = algorithm.message(self.name, timestamp, text)
        head = timestamp.to_bytes(8) if algorithm.timed else b""
        signature: bytes = self._key.sign(message)
        return head + signature


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who, and the bytes after the key id."""

    name: str
    key_id: bytes
    blob: bytes

    def line(self) -> str:
        """Return the line as it stands in a note."""
        return f"— {self.name} {b64encode(self.key_id + self.blob).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """An opened note: its text and which of its signatures a known key made."""

    text: str
    verified: tuple[Signature, ...]
    unknown: tuple[Signature, ...]


def sign_note(text: str, signers: Sequence[Signer], *, timestamp: int = 0) -> str:
    """Return the note of ``text`` with one line a signer, in their order."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise Malformed("note_malformed", "text must be whole lines of plain text")
    lines = [
        Signature(s.name, s.key_id, s.sign(text, timestamp)).line() for s in signers
    ]
    return f"{text}\n{''.join(lines)}"


def parse_note(note: str) -> tuple[str, tuple[Signature, ...]]:
    """Split a note at its last empty line. Raises ``Malformed("note_malformed")``."""
    code = "note_malformed"
    if len(note) > _MAX_NOTE or _CONTROL.search(note):
        raise Malformed(code, "too long, or a control character")
    text, found, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not found or lines.pop() or not 0 < len(lines) <= _MAX_SIGNATURES:
        raise Malformed(code, "no text, no signature lines, or too many")
    return text + "\n", tuple(_parse_line(line) for line in lines)


def _parse_line(line: str) -> Signature:
    match = _LINE.fullmatch(line)
    if not match or _SPACE_OR_PLUS.search(match[1]):
        raise Malformed("note_malformed", "a signature line breaks its form")
    raw = decode_base64(match[2], "note_malformed")
    if len(raw) < 5:
        raise Malformed("note_malformed", "a signature is too short")
    return Signature(match[1], raw[:4], raw[4:])


def open_note(note: str, verifiers: Sequence[Verifier]) -> Note:
    """Check a note: every line of a known key must verify, and there must be one.

    Lines of unknown keys are kept apart, unchecked. Raises ``Malformed`` with
    ``note_malformed``, ``note_signature_invalid`` or ``note_unsigned``.
    """
    text, signatures = parse_note(note)
    known = {(v.name, v.key_id): v for v in verifiers}
    verified, unknown = [], []
    for signature in signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            unknown.append(signature)
            continue
        if not verifier.accepts(signature.blob, text):
            raise Malformed("note_signature_invalid", signature.name)
        verified.append(signature)
    if not verified:
        raise Malformed("note_unsigned", "no signature by a known key")
    return Note(text, tuple(verified), tuple(unknown))
