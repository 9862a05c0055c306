"""Published files: exported, read by strangers, and every damage to them found."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from events import merkle, notes
from events.checkpoint import Checkpoint, sign_checkpoint
from events.errors import Malformed, Unavailable
from events.notes import Signer
from events.receipts import encode_receipt
from events.store import Node
from events.verify import Trust
from services import auditing
from tests.proof import ledger, oracle


@pytest.fixture
def published(tmp_path, sealed, note):
    """A directory of tiles of the sealed log."""
    auditing.export_tiles(sealed, tmp_path / "log", note)
    return tmp_path / "log"


@pytest.fixture
def served(published):
    """The URL of a plain file server over that directory."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=published))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def trust(signers, *notes):
    """Return the trust of someone who was given the keys."""
    return auditing.trust_from(
        origin=None, vkeys=[signer.vkey for signer in signers], notes=notes
    )


def receipt_for(log, signers, index):
    """Return the receipt of one entry under the newest root."""
    size, root, _ = log.roots[-1]
    body = Checkpoint(ledger.ORIGIN, size, root)
    proof = merkle.inclusion_proof(index=index, size=size, hashes=log.hashes)
    return encode_receipt(index, proof, sign_checkpoint(body, signers, 1))


def test_an_independent_reader_accepts_the_directory(published, sealed, signers):
    """tlog-scales verifies checkpoint, tiles, leaves and consistency of what we export."""
    vkeys = [signer.vkey for signer in signers]
    indexes = [0, 1, 255, 256, 511, 512, 699]
    found = oracle.read_log(str(published), vkeys, indexes)
    assert found == [sealed.rows[index].entry for index in indexes]
    for size, root, _ in sealed.roots:
        oracle.check_consistency(str(published), size, root)


def test_an_independent_reader_accepts_receipts(sealed, signers):
    """tlog-scales verifies our receipts."""
    vkeys = [signer.vkey for signer in signers]
    for index in (0, 255, 256, 699):
        receipt = receipt_for(sealed, signers, index)
        entry = sealed.rows[index].entry
        assert oracle.check_receipt(receipt, entry, vkeys) == index
        with pytest.raises(Exception, match="root_hash"):
            oracle.check_receipt(receipt, entry + b" ", vkeys)


def test_a_directory_verifies(published, sealed, signers):
    """An exported log verifies with its key, or by the keys it names itself."""
    for held in (trust(signers), Trust()):
        report = auditing.verify_directory(published, held)
        assert report.ok, report
        assert (report.size, report.root) == sealed.roots[-1][:2]
        assert (report.origin, report.nodes) == (ledger.ORIGIN, 4)


def test_an_installation_without_mldsa(published, signers, monkeypatch):
    """Where ML-DSA is missing, the Ed25519 signature beside it is enough."""
    monkeypatch.delitem(notes._ALGORITHMS, notes.MLDSA44, raising=False)
    report = auditing.verify_directory(published, trust(signers))
    assert report.ok, report
    only = [one for one in signers if one.verifier.kind == notes.MLDSA44]
    with pytest.raises(Malformed):
        auditing.verify_directory(published, trust(only))


def test_a_url_verifies(served, sealed, signers):
    """The same files verify over HTTP."""
    report = auditing.verify_url(served, trust(signers))
    assert report.ok, report
    assert report.root == sealed.roots[-1].root


def test_a_url_that_is_no_log(served, signers):
    """A place without a log, or without a server, is told apart from a bad log."""
    for url in (served + "nowhere", served + "%00", "http://127.0.0.1:1/"):
        with pytest.raises(Unavailable) as caught:
            auditing.verify_url(url, trust(signers))
        assert caught.value.code == "log_unreachable"


def test_a_stranger_is_not_the_log(published, signers):
    """A log signed by other keys than the trusted ones is refused."""
    stranger = Signer.generate(ledger.ORIGIN, seed=bytes([9]) * 32)
    with pytest.raises(Malformed) as caught:
        auditing.verify_directory(published, trust([stranger]))
    assert caught.value.code == "note_unsigned"


@pytest.mark.parametrize(
    ("path", "at", "first_bad", "code"),
    [
        ("tile/entries/000", 20, 1, "leaf_mismatch"),
        ("tile/entries/001", -1, 512, "leaf_mismatch"),
        ("tile/entries/002.p/188", -1, 700, "leaf_mismatch"),
        ("tile/entries/002.p/188", 0, 513, "tile_malformed"),
        ("tile/0/000", 32 * 9, 10, "leaf_mismatch"),
        ("tile/0/002.p/188", -1, 700, "leaf_mismatch"),
        ("tile/1/000.p/2", 31, 256, "node_mismatch"),
        ("tile/1/000.p/2", 32, 512, "node_mismatch"),
    ],
)
def test_a_damaged_file(published, signers, path, at, first_bad, code):
    """One bit flipped in any published file is found, and its position named."""
    content = bytearray((published / path).read_bytes())
    content[at] ^= 0x10
    (published / path).write_bytes(content)
    report = auditing.verify_directory(published, trust(signers))
    assert (report.ok, report.first_bad, report.code) == (False, first_bad, code)


@pytest.mark.parametrize(
    ("path", "first_bad"),
    [("tile/entries/000", 1), ("tile/0/001", 257), ("tile/1/000.p/2", 256)],
)
def test_a_missing_file(published, signers, path, first_bad):
    """A file that the checkpoint covers must be there."""
    (published / path).unlink()
    report = auditing.verify_directory(published, trust(signers))
    assert (report.first_bad, report.code) == (first_bad, "tile_missing")


def test_a_full_tile_stands_in_for_a_partial_one(published, signers):
    """A partial tile may be gone once the full one exists."""
    for name in ("0", "entries"):
        partial_tile = published / "tile" / name / "002.p" / "188"
        more = bytes(32) * 68 if name == "0" else b"\0\0" * 68
        content = partial_tile.read_bytes() + more
        partial_tile.unlink()
        (published / "tile" / name / "002").write_bytes(content)
    assert auditing.verify_directory(published, trust(signers)).ok


def test_a_forged_checkpoint(published, sealed, signers):
    """A signed root that the tiles do not give is found; a changed one is not signed."""
    size = sealed.roots[-1].size
    lie = Checkpoint(ledger.ORIGIN, size, bytes(32))
    (published / "checkpoint").write_text(sign_checkpoint(lie, signers, 1))
    report = auditing.verify_directory(published, trust(signers))
    assert (report.first_bad, report.code) == (size, "root_mismatch")


def test_published_files_against_earlier_checkpoints(published, sealed, signers):
    """Rewriting and truncation show against checkpoints that were given out before."""
    size, root, _ = sealed.roots[20]
    held = sign_checkpoint(Checkpoint(ledger.ORIGIN, size, root), signers, 1)
    report = auditing.verify_directory(published, trust(signers, held))
    assert (report.ok, report.checkpoints) == (True, 1)
    other = sign_checkpoint(Checkpoint(ledger.ORIGIN, size, bytes(32)), signers, 1)
    report = auditing.verify_directory(published, trust(signers, other))
    assert (report.first_bad, report.code) == (size, "checkpoint_mismatch")
    later = sign_checkpoint(Checkpoint(ledger.ORIGIN, 701, bytes(32)), signers, 1)
    report = auditing.verify_directory(published, trust(signers, later))
    assert (report.first_bad, report.code) == (701, "log_truncated")


def test_a_checkpoint_without_a_key_is_no_evidence(note):
    """Earlier checkpoints count only when a given key has signed them."""
    with pytest.raises(Malformed):
        auditing.trust_from(origin=None, vkeys=[], notes=[note])


def test_receipt_files(tmp_path, sealed, signers):
    """A receipt file and the entry's bytes verify offline; other bytes do not."""
    receipt, entry = tmp_path / "r.tlog-proof", tmp_path / "entry.json"
    receipt.write_text(receipt_for(sealed, signers, 42))
    entry.write_bytes(sealed.rows[42].entry)
    vkeys = [signer.vkey for signer in signers]
    checkpoint = auditing.verify_receipt_file(receipt, entry=entry, vkeys=vkeys)
    assert checkpoint.root == sealed.roots[-1].root
    entry.write_bytes(sealed.rows[43].entry)
    with pytest.raises(Malformed) as caught:
        auditing.verify_receipt_file(receipt, entry=entry, vkeys=vkeys)
    assert caught.value.code == "inclusion_invalid"
    receipt.write_bytes(b"\xff")
    with pytest.raises(Malformed):
        auditing.verify_receipt_file(receipt, entry=entry, vkeys=vkeys)


class Store:
    """A store over a log, read page by page, as if others appended to it meanwhile."""

    def __init__(self, log, *, size=None, bad=0):
        """Begin with ``size`` entries committed; position ``bad`` cannot be decoded."""
        self.log, self.bad = log, bad
        self.heads = [root for root in log.roots if size and root.size == size]
        self.iter_nodes, self.iter_roots = log.iter_nodes, log.iter_roots

    def head(self):
        """Return the head: the first time the early one."""
        return self.heads.pop() if self.heads else max(self.log.roots, default=None)

    def rows(self, *, after, limit):
        """Return one page, or fail where a row is broken, as a database driver does."""
        page = self.log.rows[after : after + limit]
        if any(row.position == self.bad for row in page):
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "broken")
        return page

    def iter_entries(self, after=0):
        """Yield page by page."""
        while page := self.rows(after=after, limit=128):
            yield from page
            after = page[-1].position


def test_a_row_that_the_database_cannot_hand_out(sealed):
    """A row that cannot even be read is named like any other bad one."""
    report = auditing.verify_store(Store(sealed, bad=300), Trust())
    assert (report.first_bad, report.code) == (300, "row_unreadable")
    assert auditing.verify_store(Store(sealed), Trust()).ok


def test_a_store_that_goes_on_growing(sealed):
    """What is appended during the check is left for the next one."""
    for root in sealed.roots[:-1]:
        report = auditing.verify_store(Store(sealed, size=root.size), Trust())
        assert (report.ok, report.size, report.root) == (True, *root[:2]), report


def test_rows_that_no_root_covers(log):
    """Rows behind the last root are not taken for ones appended meanwhile."""
    last = log.roots.pop()
    report = auditing.verify_store(Store(log), Trust())
    assert (report.first_bad, report.code) == (last.size, "root_missing")
    log.roots.append(last)
    log.nodes.append(Node(1, 2, bytes(32)))
    report = auditing.verify_store(Store(log), Trust())
    assert (report.first_bad, report.code) == (701, "row_unexpected")
