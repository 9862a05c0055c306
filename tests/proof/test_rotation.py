"""A log whose keys were rotated: which key counts for which size, by rows and files."""

from __future__ import annotations

import pytest

from events import signing
from events.checkpoint import Checkpoint, sign_checkpoint
from events.errors import Malformed
from events.notes import Signer
from events.signing import Period
from events.verify import verify_log
from services import auditing
from tests.proof import ledger

ROTATED_AT = 300
OLD = Signer.generate(ledger.ORIGIN, seed=bytes([1]) * 32)
NEW = Signer.generate(ledger.ORIGIN, seed=bytes([2]) * 32)
STRANGER = Signer.generate(ledger.ORIGIN, seed=bytes([3]) * 32)
KEYS = (Period((OLD.vkey,), 1, ROTATED_AT), Period((NEW.vkey,), ROTATED_AT, None))


def rotation(subject="ledger/main"):
    """Return the event that names the new key."""
    return {
        **ledger.event(ROTATED_AT - 1),
        "type": signing.ROTATED,
        "subject": subject,
        "data": {"vkeys": [NEW.vkey], "reason": "yearly"},
    }


def sealed_with(event):
    """Return a log of 700 entries with an event at the position of the rotation."""
    events = [ledger.opening([OLD.vkey])]
    events += [ledger.event(n) for n in range(1, 700) if n != ROTATED_AT - 1]
    events.insert(ROTATED_AT - 1, event)
    return ledger.seal(events, [100, 199, 1, 200, 200])


@pytest.fixture(scope="module")
def rotated():
    """A log whose entry 300 names a new key; batches end at 299, 300 and 500 too."""
    return sealed_with(rotation())


def note_of(log, size, *signers):
    """Return the checkpoint of a size, signed by these."""
    (root,) = [one.root for one in log.roots if one.size == size]
    return sign_checkpoint(Checkpoint(ledger.ORIGIN, size, root), signers, 1)


def check(log, vkeys, *notes):
    """Verify the rows against keys and the checkpoints that they signed."""
    trust = auditing.trust_from(origin=None, vkeys=vkeys, notes=notes)
    return verify_log(log, trust)


def test_a_log_names_its_keys_and_when(rotated):
    """The report has both periods; the current keys are those named last."""
    report = check(rotated, [])
    assert report.ok, report
    assert report.keys == KEYS
    assert report.vkeys == (NEW.vkey,)


def test_checkpoints_of_both_keys_hold_across_a_rotation(rotated):
    """One of before, one of the rotation itself by the old key, one of after."""
    notes = [
        note_of(rotated, 100, OLD),
        note_of(rotated, ROTATED_AT, OLD),
        note_of(rotated, 700, NEW),
    ]
    report = check(rotated, [OLD.vkey, NEW.vkey], *notes)
    assert (report.ok, report.checkpoints) == (True, 3), report


def test_new_keys_may_sign_earlier_trees_again(rotated):
    """A receipt that is made again after the rotation rests on such a checkpoint."""
    assert check(rotated, [NEW.vkey], note_of(rotated, 100, NEW)).ok


def test_a_retired_key_signs_nothing_later(rotated):
    """Whoever kept the old key cannot vouch for what came after the rotation."""
    report = check(rotated, [OLD.vkey], note_of(rotated, 500, OLD))
    assert (report.first_bad, report.code) == (500, "signing_key_retired")


def test_a_key_that_the_log_never_named_is_refused(rotated):
    """Its signature may be valid: it is not this log's."""
    report = check(rotated, [STRANGER.vkey], note_of(rotated, 500, STRANGER))
    assert (report.first_bad, report.code) == (1, "ledger_mismatch")


def test_only_the_ledgers_own_stream_names_keys():
    """The same words in another stream give nobody a key."""
    log = sealed_with(rotation(subject="ledger/other"))
    assert check(log, []).keys == (Period((OLD.vkey,), 1, None),)
    assert check(log, [NEW.vkey]).code == "ledger_mismatch"


@pytest.fixture
def published(rotated, tmp_path):
    """Return what writes the log as files, signed by some keys at its full size."""

    def publish(*signers):
        auditing.export_tiles(rotated, tmp_path, note_of(rotated, 700, *signers))
        return tmp_path

    return publish


@pytest.mark.parametrize("vkeys", [[], [NEW.vkey], [OLD.vkey, NEW.vkey]])
def test_published_files_verify_across_a_rotation(rotated, published, vkeys):
    """By the key held, or by those that the entries name."""
    held = [note_of(rotated, 100, OLD)] if OLD.vkey in vkeys else []
    trust = auditing.trust_from(origin=None, vkeys=vkeys, notes=held)
    report = auditing.verify_directory(published(NEW), trust)
    assert (report.ok, report.keys) == (True, KEYS), report


@pytest.mark.parametrize("vkeys", [[], [OLD.vkey]])
def test_files_that_a_retired_key_signed_are_refused(published, vkeys):
    """The newest checkpoint by the old key alone is not from the log's keeper."""
    trust = auditing.trust_from(origin=None, vkeys=vkeys, notes=[])
    report = auditing.verify_directory(published(OLD), trust)
    assert (report.first_bad, report.code) == (700, "signing_key_retired")


def test_files_that_a_stranger_signed_are_refused(published):
    """A key that is neither held nor named makes no checkpoint; held, it is no key."""
    with pytest.raises(Malformed, match="note_unsigned"):
        auditing.verify_directory(published(STRANGER), auditing.Trust())
    trust = auditing.trust_from(origin=None, vkeys=[STRANGER.vkey], notes=[])
    report = auditing.verify_directory(published(STRANGER), trust)
    assert (report.first_bad, report.code) == (1, "ledger_mismatch")
