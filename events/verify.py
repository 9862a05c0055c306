"""The check of a whole log: recompute everything, name the first bad position.

Pure over the rows of the three tables, in one streaming pass. Memory does not grow with
the bytes of the log, but these do grow: a counter a stream; 8 bytes an entry, to find
two with one (source, id); 32 bytes per 256 entries, to compare with ``log_node``.
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import NamedTuple, Protocol

from events import signing
from events.agreement import Finding, all_agree, disagreement
from events.checkpoint import Checkpoint
from events.merkle import HASH_SIZE, TILE_BITS, Tree
from events.store import Node, Root, Row

_CHUNK = 128  # small enough to stay in the processor's cache
_SIEVE = 500_000
_key_of = itemgetter(4, 5)


class Tables(Protocol):
    """The part of a store that is verified."""

    def iter_entries(self, after: int = 0) -> Iterator[Row]:
        """Yield the rows of ``log_entry`` by position."""

    def iter_nodes(self) -> Iterator[Node]:
        """Yield the rows of ``log_node`` by level and index."""

    def iter_roots(self) -> Iterator[Root]:
        """Yield the rows of ``log_root`` by size."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What the auditor holds from elsewhere; every part of it may be left out.

    ``checkpoints`` are earlier ones whose signatures were checked already; ``signed``
    has (size, the keys that signed) for each of them.
    """

    origin: str | None = None
    vkeys: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    signed: tuple[tuple[int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome. ``first_bad`` is a position; for a row of ``log_node`` the last one
    it covers, for ``log_root`` its size, for what is cut off the end the size plus one.

    ``size`` and ``root`` are of what was recomputed: on a finding, up to there. The
    counts say how many rows were compared; ``origin`` and ``keys`` are the ledger's
    own words: at position 1, and wherever its keys were rotated.
    """

    ok: bool
    size: int
    root: bytes
    first_bad: int | None
    code: str | None
    detail: str
    origin: str | None
    keys: tuple[signing.Period, ...]
    streams: int
    roots: int
    nodes: int
    checkpoints: int

    @property
    def vkeys(self) -> tuple[str, ...]:
        """Return the keys in charge at the end of what was read."""
        return self.keys[-1].vkeys if self.keys else ()


class _Mark(NamedTuple):
    """A root that somebody claims at a size; ``ingested`` is None for a checkpoint."""

    size: int
    order: int
    root: bytes
    ingested: int | None


@dataclass(slots=True)
class _Scan:
    """The running state of the pass over ``log_entry``."""

    marks: Iterator[_Mark]
    mark: _Mark | None
    tree: Tree = field(default_factory=Tree.empty)
    versions: dict[str, int] = field(default_factory=dict)
    keys: array[int] = field(default_factory=lambda: array("q"))
    nodes: dict[int, bytearray] = field(default_factory=dict)
    origin: str | None = None
    stream: str = ""  # the ledger's own, which names its keys
    named: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    sealed: int | None = None  # `ingested` of the batch that has no root row yet
    unsealed_at: int | None = None  # where that batch should have had its root row
    last_root: int = 0
    stray: str = ""  # a row that belongs to no position
    roots: int = 0
    checkpoints: int = 0
    compared_nodes: int = 0


def verify_log(tables: Tables, trust: Trust) -> Report:
    """Check entries, order, columns, tree, stored hashes, roots, earlier checkpoints.

    Never raises for what it finds; an error of the store itself passes through.
    """
    marks = _marks(tables.iter_roots(), trust.checkpoints)
    scan = _Scan(marks, next(marks, None))
    finding = _entries(scan, tables.iter_entries(0), trust)
    whole = finding is None
    known = signing.periods(scan.named)
    finding = finding or _end(scan) or judge_keys(known, trust)
    findings = [finding, _nodes(scan, tables.iter_nodes(), whole=whole)]
    if repeated := _repeated(scan.keys):
        rows = islice(tables.iter_entries(0), scan.tree.size)
        findings.append(_duplicate(rows, repeated))
    first = min(
        (one for one in findings if one), key=lambda one: one.position, default=None
    )
    return Report(
        ok=first is None,
        size=scan.tree.size,
        root=scan.tree.root,
        first_bad=first.position if first else None,
        code=first.code if first else None,
        detail=first.detail if first else "",
        origin=scan.origin,
        keys=known,
        streams=len(scan.versions),
        roots=scan.roots,
        nodes=scan.compared_nodes,
        checkpoints=scan.checkpoints,
    )


def _marks(roots: Iterable[Root], checkpoints: Iterable[Checkpoint]) -> Iterator[_Mark]:
    claimed = (_Mark(row.size, 0, row.root, row.ingested) for row in roots)
    trusted = sorted(_Mark(one.size, 1, one.root, None) for one in checkpoints)
    return heapq.merge(claimed, trusted, key=lambda mark: mark[:2])


def _entries(scan: _Scan, rows: Iterator[Row], trust: Trust) -> Finding | None:
    while chunk := list(islice(rows, _CHUNK)):
        finding = None
        if not scan.tree.size:
            finding = _opening(scan, chunk[0], trust)
        good, bad = _agreeing(scan, chunk)
        _name(scan, good)
        finding = finding or _grow(scan, good) or bad
        if finding:
            return finding
    return None


def _opening(scan: _Scan, row: Row, trust: Trust) -> Finding | None:
    """Read the ledger's own words at position 1 and compare them with the trusted."""
    if disagreement(row, 1):
        return None  # is found, and named, with the other rows
    if row.type != signing.OPENED:
        return Finding(1, "ledger_not_opened", row.type)
    opened = signing.read(row.entry)
    if opened is None:
        return Finding(1, "ledger_not_opened", "no vkeys")
    scan.origin, scan.stream = opened.origin, opened.stream
    scan.named.append((1, opened.vkeys))
    if trust.origin not in {None, scan.origin}:
        return Finding(1, "ledger_mismatch", f"opened as {scan.origin}")
    return None


def judge_keys(known: Sequence[signing.Period], trust: Trust) -> Finding | None:
    """Compare what is trusted with the keys that a whole log named, and when.

    A trusted key that the log never named is another log's; a checkpoint that only
    retired keys signed, of a size after them, is not of this log's keeper.
    """
    named = {vkey for period in known for vkey in period.vkeys}
    if known and (unknown := set(trust.vkeys) - named):
        return Finding(1, "ledger_mismatch", f"never named {min(unknown)}")
    for size, vkeys in sorted(trust.signed):
        if known and not signing.counts(vkeys, size, known):
            detail = f"checkpoint of size {size}"
            return Finding(max(size, 1), "signing_key_retired", detail)
    return None


def _name(scan: _Scan, rows: Iterable[Row]) -> None:
    """Note the keys that sound rows name."""
    for row in rows:
        if row[3] == signing.ROTATED and row[1] == scan.stream:
            rotated = signing.read(row[9])
            if rotated is not None:
                scan.named.append((row[0], rotated.vkeys))


def _agreeing(scan: _Scan, chunk: list[Row]) -> tuple[list[Row], Finding | None]:
    """Return the rows before the first bad one, and what is wrong with that one."""
    first = scan.tree.size + 1
    finding = None
    in_order = [row[0] for row in chunk] == list(range(first, first + len(chunk)))
    if not in_order or not all_agree(chunk):
        found = (disagreement(row, at) for at, row in enumerate(chunk, first))
        finding = next((one for one in found if one), None)
        if finding:
            chunk = chunk[: finding.position - first]
    versions = scan.versions
    for at, row in enumerate(chunk):
        stream, version = row[1], row[2]
        if versions.get(stream, 0) + 1 != version:
            expected = f"{stream}: version {versions.get(stream, 0) + 1}"
            finding = Finding(first + at, "version_gap", expected)
            chunk = chunk[:at]
            break
        versions[stream] = version
    scan.keys.extend(map(hash, map(_key_of, chunk)))
    return chunk, finding


def _grow(scan: _Scan, rows: Sequence[Row]) -> Finding | None:
    """Put rows into the tree, stopping at each size where a root is claimed."""
    first, at = scan.tree.size, 0
    while scan.mark and scan.mark.size <= first + len(rows):
        to = max(scan.mark.size - first, at)
        _extend(scan, rows[at:to])
        at = to
        finding = _check_mark(scan, scan.mark)
        if finding:
            return finding
        scan.mark = next(scan.marks, None)
    _extend(scan, rows[at:])
    return None


def _extend(scan: _Scan, rows: Sequence[Row]) -> None:
    if not rows:
        return
    if scan.sealed is None:
        scan.sealed = rows[0].ingested
    if scan.unsealed_at is None:
        sealed = scan.sealed
        scan.unsealed_at = next((r[0] - 1 for r in rows if r[7] != sealed), None)
    scan.tree, appended = scan.tree.extend([row[8] for row in rows])
    for level, _, node in appended.tile_nodes:
        scan.nodes.setdefault(level, bytearray()).extend(node)


def _check_mark(scan: _Scan, mark: _Mark) -> Finding | None:
    if mark.ingested is None:
        scan.checkpoints += 1
        if mark.root == scan.tree.root:
            return None
        return Finding(max(mark.size, 1), "checkpoint_mismatch", "another root")
    if mark.size <= scan.last_root:  # only a size below one can come so late
        scan.stray = f"root row of size {mark.size}"
        return None
    if scan.unsealed_at is not None:
        return Finding(scan.unsealed_at, "root_missing", "a batch ends here")
    wrong = "root" if mark.root != scan.tree.root else "ingested"
    if (mark.root, mark.ingested) != (scan.tree.root, scan.sealed):
        return Finding(mark.size, "root_mismatch", wrong)
    scan.sealed, scan.last_root = None, mark.size
    scan.roots += 1
    return None


def _end(scan: _Scan) -> Finding | None:
    """Check what remains when the entries are through: all sealed, nothing cut off."""
    size = scan.tree.size
    if scan.unsealed_at is not None:
        return Finding(scan.unsealed_at, "root_missing", "a batch ends here")
    pending = [scan.mark, *scan.marks] if scan.mark else []
    claims = {mark.root for mark in pending if mark.ingested is not None}
    # Our root under another size: that row was changed, no entry was cut off.
    if scan.last_root != size and (not claims or scan.tree.root in claims):
        return Finding(size, "root_missing", "a batch ends here")
    if pending:
        claim = "a root row" if claims else "a checkpoint"
        detail = f"{claim} says at least {pending[0].size}"
        return Finding(size + 1, "log_truncated", detail)
    if scan.stray:
        return Finding(size + 1, "row_unexpected", scan.stray)
    return None


def _nodes(scan: _Scan, rows: Iterable[Node], *, whole: bool) -> Finding | None:
    """Compare ``log_node`` with what was computed, and find the first difference.

    If the pass stopped early, rows beyond that point are not judged.
    """
    upcoming = dict.fromkeys(scan.nodes, 0)
    findings = [one for row in rows for one in _node(scan, row, upcoming)]
    if not whole:
        findings = [one for one in findings if one.position <= scan.tree.size]
    findings += [
        _node_finding("node_missing", level, index)
        for level, index in upcoming.items()
        if index < len(scan.nodes[level]) // HASH_SIZE
    ]
    return min(findings, key=lambda one: one.position, default=None)


def _node(scan: _Scan, row: Node, upcoming: dict[int, int]) -> Iterator[Finding]:
    """Judge one row; ``upcoming`` is the next index due at each level."""
    level, index, node = row
    known = scan.nodes.get(level, b"")
    due = upcoming.get(level, 0)
    if not due <= index < len(known) // HASH_SIZE:
        detail = f"log_node level {level}, index {index}"
        yield Finding(scan.tree.size + 1, "row_unexpected", detail)
        return
    if index > due:
        yield _node_finding("node_missing", level, due)
    if known[index * HASH_SIZE : (index + 1) * HASH_SIZE] != node:
        yield _node_finding("node_mismatch", level, index)
    upcoming[level] = index + 1
    scan.compared_nodes += 1


def _node_finding(code: str, level: int, index: int) -> Finding:
    position = (index + 1) << TILE_BITS * level
    return Finding(position, code, f"log_node level {level}, index {index}")


def _repeated(keys: array[int]) -> set[int]:
    """Return the hashes that occur twice, in bounded memory: one residue at a time."""
    repeated: set[int] = set()
    parts = len(keys) // _SIEVE + 1
    for part in range(parts):
        some = [key for key in keys if key % parts == part] if parts > 1 else keys
        if len(set(some)) < len(some):
            repeated.update(key for key, times in Counter(some).items() if times > 1)
    return repeated


def _duplicate(rows: Iterable[Row], repeated: set[int]) -> Finding | None:
    """Read again to find who shares a hash, and tell a repeat from a coincidence."""
    holders: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.source, row.id)
        if hash(key) not in repeated:
            continue
        if key in holders:
            detail = f"same source and id as {holders[key]}"
            return Finding(row.position, "event_repeated", detail)
        holders[key] = row.position
    return None
