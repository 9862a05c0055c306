"""Rotation of signing keys on a real ledger: steps, crashes, processes, proofs."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import pytest

from events import errors
from events.notes import Verifier, open_note
from events.receipts import verify_receipt
from services import auditing, keyfile
from services.keyring import KeySpec, create_key, rotate_signing_keys
from services.settings import Settings
from services.wiring import open_audit_copy, open_ledger

ORIGIN = "log.example/keys"
SPEC = KeySpec("fictional", ["adapter"], ["events:write"])


class Cut(BaseException):
    """The process ends here."""


@pytest.fixture
def settings(tmp_path):
    """A ledger that was opened, and has one more entry."""
    made = Settings(data_dir=tmp_path / "ledger", origin=ORIGIN)
    with open_ledger(made) as ledger:
        grow(ledger)
    return made


def grow(ledger):
    """Append one entry."""
    create_key(ledger, SPEC, random_bytes=secrets.token_bytes)


def rotate(ledger):
    """Rotate the keys of a ledger."""
    return rotate_signing_keys(ledger, "drill", random_bytes=secrets.token_bytes)


def file_of(settings, suffix=""):
    """Return the key file, or one beside it."""
    return settings.data_dir / f"signing.keys{suffix}"


def verified(settings, vkeys, *notes):
    """Verify the ledger against keys and checkpoints."""
    trust = auditing.trust_from(origin=None, vkeys=vkeys, notes=notes)
    with open_audit_copy(settings.data_dir / "ledger.db") as store:
        return auditing.verify_store(store, trust)


def test_new_keys_sign_what_comes_after(settings):
    """The old vouch for the new; the log names both; both checkpoints verify."""
    with open_ledger(settings) as ledger:
        old, before = ledger.keys.vkeys, ledger.prover.checkpoint()
        new, vouched = rotate(ledger)
    with open_ledger(settings) as ledger:
        assert ledger.keys.vkeys == new
        grow(ledger)
        after = ledger.prover.checkpoint()
        assert [one.vkeys for one in ledger.prover.periods()] == [old, new]
    assert not set(old) & set(new)
    notes = [before, vouched.read_text(), after]
    report = verified(settings, [*old, *new], *notes)
    assert (report.ok, report.checkpoints, report.vkeys) == (True, 3, new)
    with pytest.raises(errors.Malformed, match="note_unsigned"):
        open_note(after, [Verifier.from_vkey(old[0])])


def test_private_keys_stay_private(settings):
    """New and former key files are of mode 0600; nothing is left unfinished."""
    with open_ledger(settings) as ledger:
        rotate(ledger)
    for suffix in ("", ".1"):
        assert stat.S_IMODE(file_of(settings, suffix).stat().st_mode) == 0o600
    names = {path.name for path in settings.data_dir.glob("signing.keys*")}
    assert names == {"signing.keys", "signing.keys.1", "signing.keys.1.checkpoint"}


def test_keys_are_rotated_again(settings):
    """Each set keeps a number of its own."""
    for _ in range(2):
        with open_ledger(settings) as ledger:
            rotate(ledger)
    with open_ledger(settings) as ledger:
        known = ledger.prover.periods()
    kept = [keyfile.read_vkeys(file_of(settings, f".{n}")) for n in (1, 2)]
    assert [*kept, keyfile.read_vkeys(file_of(settings))] == [
        one.vkeys for one in known
    ]


def test_an_old_receipt_verifies_offline_and_its_repeat_by_the_new_key(settings):
    """What was handed out stays valid; made again, the same proof has a new signature."""
    with open_ledger(settings) as ledger:
        entry, old = ledger.store.row(2).entry, ledger.keys.vkeys[0]
        given = ledger.prover.receipt(2)
        new, _ = rotate(ledger)
    with open_ledger(settings) as ledger:
        again = ledger.prover.receipt(2)
    first = verify_receipt(given, entry, [Verifier.from_vkey(old)], ORIGIN)
    second = verify_receipt(again, entry, [Verifier.from_vkey(new[0])], ORIGIN)
    assert first == second
    assert given.partition("— ")[0] == again.partition("— ")[0]
    assert given != again


#: Step that does not happen any more -> what the next start finds in charge.
CUTS = {
    "prepare": "old",
    "append": "old",
    "checkpoint": "new",
    "link": "new",
    "swap": "new",
    "settle": "new",
}


@pytest.mark.parametrize("step", CUTS)
def test_a_crash_at_any_step_leaves_a_ledger_that_starts(settings, monkeypatch, step):
    """Before the log names them, the old keys go on; from then on, the new ones do."""

    def cut(*_args, **_kwargs):
        raise Cut

    def cut_swap(self, target, _real=Path.replace):
        if self.suffix == ".next":
            raise Cut
        return _real(self, target)

    places = {
        "prepare": (os, "fsync", cut),
        "append": (keyfile, "prepare", cut_after(keyfile.prepare)),
        "checkpoint": (keyfile, "sign_checkpoint", cut),
        "link": (os, "link", cut_former(os.link)),
        "swap": (Path, "replace", cut_swap),
        "settle": (keyfile, "_settle", cut_when_swapped(settings)),
    }
    old = keyfile.read_vkeys(file_of(settings))
    with open_ledger(settings) as ledger:
        size = ledger.store.head().size
        with monkeypatch.context() as patched:
            patched.setattr(*places[step])
            with pytest.raises(Cut):
                rotate(ledger)
    with open_ledger(settings) as ledger:
        named = ledger.prover.periods()[-1].vkeys
        assert ledger.keys.vkeys == named
        assert (named == old) == (CUTS[step] == "old")
        assert ledger.store.head().size == size + (named != old)
        grow(ledger)
        notes = [ledger.prover.checkpoint()]
    if CUTS[step] == "new":
        notes.append(file_of(settings, ".1.checkpoint").read_text())
        assert keyfile.read_vkeys(file_of(settings, ".1")) == old
        assert not file_of(settings, ".next").exists()
    assert verified(settings, {*old, *named}, *notes).ok
    with open_ledger(settings) as ledger:
        rotate(ledger)


def cut_after(real):
    """Return the function, ending the process after it."""

    def call(*args, **kwargs):
        real(*args, **kwargs)
        raise Cut

    return call


def cut_former(real):
    """Return the link that fails for the file of the former keys only."""

    def link(source, target):
        if target.name.endswith(".1"):
            raise Cut
        real(source, target)

    return link


def cut_when_swapped(settings):
    """Return what ends the process after the new file is in its place."""

    def settle(_folder):
        if file_of(settings, ".1").exists():
            raise Cut

    return settle


def test_another_process_signs_nothing_with_retired_keys(settings):
    """It refuses to append and stops; older checkpoints are still its to give."""
    with open_ledger(settings) as running:
        size = running.store.head().size
        early = running.prover.checkpoint()
        with open_ledger(settings) as ledger:
            rotate(ledger)
        with pytest.raises(errors.Unavailable, match="signing_key_retired"):
            running.prover.checkpoint_at(grown(settings))
        with pytest.raises(errors.Unavailable, match="sequencer_stopped"):
            grow(running)
        assert running.sequencer.failure.code == "signing_key_retired"
        assert running.prover.checkpoint_at(size).split("\n\n")[0] in early
        now = running.store.head().size
    with open_ledger(settings) as ledger:
        assert ledger.store.head().size == now


def grown(settings):
    """Append an entry by a new process; return the size of the log then."""
    with open_ledger(settings) as ledger:
        grow(ledger)
        return ledger.store.head().size


def test_the_process_that_rotated_signs_nothing_more(settings):
    """Its keys retired with its own event."""
    with open_ledger(settings) as ledger:
        rotate(ledger)
        with pytest.raises(errors.Unavailable, match="sequencer_stopped"):
            grow(ledger)


def test_two_rotations_at_once_end_in_one_set_of_keys(settings):
    """The second finds its keys retired before it could name others."""
    with open_ledger(settings) as one, open_ledger(settings) as other:
        new, _ = rotate(one)
        with pytest.raises(errors.Unavailable, match="sequencer_stopped"):
            rotate(other)
    with open_ledger(settings) as ledger:
        assert ledger.keys.vkeys == new


def test_a_former_key_file_does_not_start(settings):
    """A machine that has the old file is told to fetch the new one."""
    before = file_of(settings).read_text()
    with open_ledger(settings) as ledger:
        rotate(ledger)
    file_of(settings).write_text(before)
    with (
        pytest.raises(errors.Conflict, match="signing_key_retired"),
        open_ledger(settings),
    ):
        pass
