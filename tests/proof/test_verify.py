"""The whole-log check: sound logs pass, each change is found and its place named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import agreement, canonical, verify
from events.checkpoint import Checkpoint
from events.merkle import Tree, leaf_hash
from events.store import Node, Root, Row
from events.verify import Report, Trust, verify_log
from tests.proof import ledger

POSITIONS = (1, 2, 3, 256, 257, 512, 513, 642, 699, 700)


def check(log, **trust) -> Report:
    """Verify a log against what is trusted, by default nothing."""
    return verify_log(log, Trust(**trust))


def flip(value, bit):
    """Flip one bit of a column's value, whatever its type."""
    if isinstance(value, int):
        return value ^ 1 << bit % 63
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    # A text column need not hold UTF-8 after that; stores hand it out escaped.
    return (
        raw.decode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(raw)
    )


def test_a_sound_log(sealed, signers):
    """A log that was only appended to verifies, odd data and times included."""
    report = check(sealed, origin=ledger.ORIGIN, vkeys=(signers[0].vkey,))
    assert report.ok, report
    assert (report.first_bad, report.code) == (None, None)
    assert (report.size, report.root) == sealed.roots[-1][:2]
    assert (report.roots, report.nodes) == (len(sealed.roots), len(sealed.nodes))
    assert (report.origin, report.streams) == (ledger.ORIGIN, 18)
    assert report.vkeys == tuple(signer.vkey for signer in signers)


def test_an_empty_log():
    """A log without entries is sound, and shorter than any checkpoint."""
    assert check(ledger.Log([], [], [])).ok
    held = Checkpoint(ledger.ORIGIN, 1, bytes(32))
    report = check(ledger.Log([], [], []), checkpoints=(held,))
    assert (report.first_bad, report.code) == (1, "log_truncated")


@pytest.mark.parametrize("column", Row._fields)
@settings(max_examples=40)
@given(position=st.sampled_from(POSITIONS), bit=st.integers(0, 4000))
def test_a_bit_flipped_in_an_entry_row(column, position, bit, sealed):
    """One bit flipped in any column of log_entry is found at its position."""
    log = sealed.copy()
    row = log.rows[position - 1]
    flipped = flip(getattr(row, column), bit)
    if column == "position" and 0 < flipped <= len(log.rows):
        return  # the primary key refuses it
    log.rows[position - 1] = row._replace(**{column: flipped})
    report = check(log)
    assert (report.ok, report.first_bad) == (False, position), report


@pytest.mark.parametrize("column", Node._fields)
@settings(max_examples=40)
@given(at=st.integers(0, 1), bit=st.integers(0, 255))
def test_a_bit_flipped_in_a_node_row(column, at, bit, sealed):
    """One bit flipped in any column of log_node is found at the last position covered."""
    log = sealed.copy()
    node = log.nodes[at]
    changed = node._replace(**{column: flip(getattr(node, column), bit)})
    if changed[:2] == log.nodes[1 - at][:2]:
        return  # the primary key refuses it
    log.nodes[at] = changed
    report = check(log)
    assert (report.ok, report.first_bad) == (False, (node.idx + 1) * 256), report
    assert report.code == ("node_mismatch" if column == "hash" else "node_missing")


@pytest.mark.parametrize("column", Root._fields)
@settings(max_examples=60)
@given(data=st.data(), bit=st.integers(0, 255))
def test_a_bit_flipped_in_a_root_row(column, data, bit, sealed):
    """One bit flipped in any column of log_root is found at the size it is about."""
    log = sealed.copy()
    at = data.draw(st.integers(0, len(log.roots) - 1))
    root = log.roots[at]
    changed = root._replace(**{column: flip(getattr(root, column), bit)})
    if any(changed.size == other.size for other in log.roots if other is not root):
        return  # the primary key refuses it
    log.roots[at] = changed
    report = check(log)
    places = {root.size, changed.size} if changed.size > 0 else {root.size}
    assert (report.ok, report.first_bad) == (False, min(places)), report


def test_the_last_root_under_another_size(log):
    """The root of the log under a larger size is a changed row, not a cut-off end."""
    log.roots[-1] = log.roots[-1]._replace(size=100_000)
    report = check(log)
    assert (report.first_bad, report.code) == (700, "root_missing")


@pytest.mark.parametrize("position", POSITIONS)
def test_a_removed_entry(position, log):
    """A removed row leaves a gap at its position; the last one, a root without entries."""
    del log.rows[position - 1]
    report = check(log)
    assert report.first_bad == position
    assert report.code == ("position_gap" if position < 700 else "log_truncated")


def test_a_removed_root_or_node(log):
    """A removed row of the other tables is missed at its place."""
    root = log.roots.pop(9)
    assert check(log).first_bad == root.size
    log.roots.insert(9, root)
    log.nodes.pop(0)
    report = check(log)
    assert (report.first_bad, report.code) == (256, "node_missing")


@pytest.mark.parametrize(
    "row", [Node(1, 2, bytes(32)), Node(2, 0, bytes(32)), Node(0, 5, bytes(32))]
)
def test_an_added_node(log, row):
    """A row for a subtree that is not complete does not belong there."""
    log.nodes.append(row)
    report = check(log)
    assert (report.first_bad, report.code) == (701, "row_unexpected")


@pytest.mark.parametrize("size", [-5, 0, 100_000])
def test_an_added_root(log, size):
    """A root row for a size that never was does not belong there."""
    log.roots.append(Root(size, bytes(32), 1))
    report = check(log)
    assert report.first_bad == 701
    assert report.code == ("row_unexpected" if size < 1 else "log_truncated")


def reseal(log, rows) -> ledger.Log:
    """Return a log of other rows whose tree, nodes and roots are right again."""
    tree, nodes, roots, at = Tree.empty(), [], [], 0
    for size, _, ingested in log.roots:
        tree, appended = tree.extend([row.leaf for row in rows[at:size]])
        nodes += [Node(*node) for node in appended.tile_nodes]
        roots.append(Root(tree.size, tree.root, ingested))
        at = size
    return ledger.Log(rows, nodes, roots)


def rewritten(row, **change) -> Row:
    """Return a row whose entry was changed, with columns and leaf to match."""
    value = {**canonical.parse(row.entry), **change}
    raw = canonical.encode(value)
    return row._replace(entry=raw, leaf=leaf_hash(raw))


def test_an_entry_rewritten_with_its_leaf(log):
    """Changing bytes and leaf together is found at the next root."""
    log.rows[299] = rewritten(log.rows[299], data={"percent": 100})
    report = check(log)
    batch_end = min(root.size for root in log.roots if root.size >= 300)
    assert (report.first_bad, report.code) == (batch_end, "root_mismatch")


def test_a_history_rewritten_throughout(log):
    """A log rewritten with all its roots is found by a checkpoint given out before."""
    held = tuple(
        Checkpoint(ledger.ORIGIN, root.size, root.root) for root in log.roots[::7]
    )
    assert check(log, checkpoints=held).checkpoints == len(held)
    rows = list(log.rows)
    rows[299] = rewritten(rows[299], data={"percent": 100})
    forged = reseal(log, rows)
    assert check(forged).ok
    report = check(forged, checkpoints=held)
    caught = min(one.size for one in held if one.size >= 300)
    assert (report.first_bad, report.code) == (caught, "checkpoint_mismatch")


def test_a_checkpoint_inside_a_batch(sealed):
    """A trusted checkpoint need not be of a size that ended a batch."""
    tree, _ = Tree.empty().extend([row.leaf for row in sealed.rows[:100]])
    assert 100 not in {root.size for root in sealed.roots}
    held = Checkpoint(ledger.ORIGIN, 100, tree.root)
    assert check(sealed, checkpoints=(held,)).checkpoints == 1
    wrong = Checkpoint(ledger.ORIGIN, 100, bytes(32))
    assert check(sealed, checkpoints=(wrong,)).first_bad == 100


def test_a_restored_backup(log):
    """A log cut back to an earlier batch is sound, but shorter than a checkpoint says."""
    size, root, _ = log.roots[-1]
    held = Checkpoint(ledger.ORIGIN, size, root)
    earlier = log.roots[-3].size
    backup = ledger.Log(log.rows[:earlier], list(log.nodes), log.roots[:-2])
    assert check(backup).ok
    report = check(backup, checkpoints=(held,))
    assert (report.first_bad, report.code) == (earlier + 1, "log_truncated")


def crafted(log, position, raw) -> Report:
    """Put other bytes at a position, reseal everything, and verify."""
    rows = list(log.rows)
    rows[position - 1] = rows[position - 1]._replace(entry=raw, leaf=leaf_hash(raw))
    return check(reseal(log, rows))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"authid"', b'{ "authid"'),
        (b'"authid":"key-1",', b'"authid":"key-1","authid":"key-1",'),
        (b"key-1", rb"\u006bey-1"),
        (b'"percent":99', b'"percent":99.0'),
        (b'"percent":99', b'"percent":9.9e1'),
        (b'"percent":99', b'"percent":-0'),
        (b'"percent":99', b'"percent":0.10'),
        (b'"percent":99', b'"percent":9007199254740993'),
        (b'"percent":99', b'"percent":123456789012345678901234567890'),
        (b'"percent":99', b'"percent":1e400'),
        (b'"percent":99', b'"percent":NaN'),
        (b'"percent":99', b'"\xef\xbc\x81":2,"\xf0\x9f\x94\x91":1'),
        (b'"percent":99', b'"b":1,"a":2'),
        (b"key-1", b"key\xff1"),
    ],
)
def test_entries_that_are_not_canonical(sealed, old, new):
    """An entry in another spelling is found even where everything else fits."""
    raw = sealed.rows[199].entry
    assert old in raw
    spelt = raw.replace(old, new)
    forged = sealed.rows[199]._replace(entry=spelt, leaf=leaf_hash(spelt))
    assert not agreement.all_agree([forged])
    report = crafted(sealed, 200, spelt)
    assert (report.first_bad, report.code) == (200, "entry_not_canonical")


def test_quick_and_exact_judgement_agree(sealed):
    """The quick way gives up on keys beyond the BMP only; the exact way accepts all."""
    given_up = [row.position for row in sealed.rows if not agreement.all_agree([row])]
    assert given_up == [301]
    for at, row in enumerate(sealed.rows, 1):
        assert agreement.disagreement(row, at) is None
        assert canonical.is_canonical(row.entry)


@settings(max_examples=300)
@given(
    position=st.integers(1, 700),
    column=st.sampled_from(Row._fields[1:]),
    bit=st.integers(0, 4000),
)
def test_the_quick_way_overlooks_nothing(position, column, bit, sealed):
    """A row with a flipped bit never agrees quickly, alone or among sound ones."""
    row = sealed.rows[position - 1]
    changed = row._replace(**{column: flip(getattr(row, column), bit)})
    assert not agreement.all_agree([changed])
    assert not agreement.all_agree([sealed.rows[1], changed, sealed.rows[2]])


def test_columns_of_the_wrong_type(log):
    """True is not 1, and text is not bytes."""
    opened = log.rows[0]
    for change in ({"version": True}, {"entry": "x"}, {"stream": b"x"}, {"id": None}):
        log.rows[0] = opened._replace(**change)
        assert not agreement.all_agree(log.rows[:1])
        assert check(log).first_bad == 1
    true = rewritten(opened, streamversion=True)
    assert not agreement.all_agree([true])
    assert agreement.disagreement(true, 1).detail == "version"


def test_a_version_that_does_not_follow(sealed):
    """Stream versions count without gap, even where columns and bytes agree."""
    row = sealed.rows[399]
    rows = list(sealed.rows)
    rows[399] = rewritten(row, streamversion=row.version + 1)
    rows[399] = rows[399]._replace(version=row.version + 1)
    report = check(reseal(sealed, rows))
    assert (report.first_bad, report.code) == (400, "version_gap")


@pytest.mark.parametrize("sieve", [100, 10**6])
def test_a_repeated_event(sealed, monkeypatch, sieve):
    """Two entries with one source and id are found at the second, in a long log too."""
    monkeypatch.setattr(verify, "_SIEVE", sieve)
    rows = list(sealed.rows)
    repeated = rewritten(rows[499], id=rows[49].id)
    rows[499] = repeated._replace(id=rows[49].id)
    report = check(reseal(sealed, rows))
    assert (report.first_bad, report.code) == (500, "event_repeated")
    assert report.detail.endswith(" 50")


def test_a_coincidence_of_hashes_is_no_repeat(sealed, monkeypatch):
    """Different submissions whose hashes collide are told apart."""
    monkeypatch.setattr(verify, "hash", lambda key: len(key[1]), raising=False)
    assert check(sealed).ok


def test_the_first_of_several(log):
    """With several things wrong, the first position is named."""
    log.rows[599] = log.rows[599]._replace(version=99)
    log.roots[8] = log.roots[8]._replace(root=bytes(32))
    log.nodes[0] = log.nodes[0]._replace(hash=bytes(32))
    assert check(log).first_bad == min(256, log.roots[8].size)
    log.rows[1] = log.rows[1]._replace(id="x")
    report = check(log)
    assert (report.first_bad, report.code, report.detail) == (
        2,
        "column_mismatch",
        "id",
    )


def test_another_ledger(sealed, signers):
    """Origin and keys that the auditor trusts must be those of position 1."""
    report = check(sealed, origin="log.example/other")
    assert (report.first_bad, report.code) == (1, "ledger_mismatch")
    stranger = signers[0].vkey.replace("henji", "other")
    assert check(sealed, vkeys=(stranger,)).code == "ledger_mismatch"
    headless = ledger.seal([ledger.event(1), ledger.event(2)], [2])
    assert check(headless).code == "ledger_not_opened"
