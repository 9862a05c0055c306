"""The checkpoint: the signed sentence "this log has this size and this root".

C2SP tlog-checkpoint without extension lines. Which keys exist and when something is
signed is decided elsewhere.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from events.errors import Malformed
from events.notes import Signer, Verifier, checkpoint_fields, open_note, sign_note


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree of ``size`` leaves with this 32-byte root, of the log named ``origin``."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Return the text that is signed: three lines."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def parse_checkpoint(body: str) -> Checkpoint:
    """Parse a body, or raise ``Malformed("checkpoint_malformed")``."""
    return Checkpoint(*checkpoint_fields(body))


def sign_checkpoint(
    checkpoint: Checkpoint, signers: Sequence[Signer], timestamp: int
) -> str:
    """Return the signed note; ``timestamp`` in POSIX seconds, 0 claims no instant."""
    body = checkpoint.body()
    parse_checkpoint(body)  # never sign what nobody could read
    return sign_note(body, signers, timestamp=timestamp)


def signed_by(note: str, verifiers: Sequence[Verifier]) -> tuple[str, ...]:
    """Return which of these keys signed a note, as vkeys; raises as ``open_note``."""
    signatures = open_note(note, verifiers).verified
    by = {(signature.name, signature.key_id) for signature in signatures}
    return tuple(one.vkey for one in verifiers if (one.name, one.key_id) in by)


def open_checkpoint(
    note: str, verifiers: Sequence[Verifier], origin: str
) -> Checkpoint:
    """Return the checkpoint of a note that a key *named as the origin* has signed.

    A witness's signature alone does not make a checkpoint. Raises ``Malformed`` with
    the codes of ``open_note``, ``checkpoint_malformed`` or ``checkpoint_origin``.
    """
    opened = open_note(note, verifiers)
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != origin:
        raise Malformed("checkpoint_origin", f"of {checkpoint.origin}, not {origin}")
    if not any(signature.name == origin for signature in opened.verified):
        raise Malformed("note_unsigned", "not signed by the log itself")
    return checkpoint
