"""Keys and one sealed log, made once for all tests of the proof."""

from __future__ import annotations

import pytest

from events.checkpoint import Checkpoint, sign_checkpoint
from events.notes import MLDSA44, Signer, mldsa_available
from tests.proof import ledger


@pytest.fixture(scope="session")
def signers() -> list[Signer]:
    """The log's keys: Ed25519, and ML-DSA-44 where this installation has it."""
    made = [Signer.generate(ledger.ORIGIN, seed=bytes(range(32)))]
    if mldsa_available():
        made.append(Signer.generate(ledger.ORIGIN, seed=bytes(32), kind=MLDSA44))
    return made


@pytest.fixture(scope="session")
def sealed(signers) -> ledger.Log:
    """A log of 700 entries in batches of 1 to 60."""
    events = [ledger.opening([signer.vkey for signer in signers])]
    events += [ledger.event(number) for number in range(1, 700)]
    return ledger.seal(events, (1, 1, 3, *[1, 7, 60, 19, 34, 2] * 9))


@pytest.fixture
def log(sealed) -> ledger.Log:
    """The sealed log, for one test to damage."""
    return sealed.copy()


@pytest.fixture(scope="session")
def note(sealed, signers) -> str:
    """The signed checkpoint of the whole log."""
    size, root, _ = sealed.roots[-1]
    return sign_checkpoint(
        Checkpoint(ledger.ORIGIN, size, root), signers, 1_800_000_000
    )
