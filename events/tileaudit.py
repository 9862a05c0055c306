"""The check of a log by its published files alone: checkpoint, tiles, entry bundles.

What an outsider can do: no columns, no root of every batch. Files come from a callable,
so that this works on a directory and over HTTP alike; no I/O here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from events import signing
from events.agreement import Finding
from events.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    signed_by,
)
from events.errors import Malformed, Unavailable
from events.merkle import HASH_SIZE, TILE_BITS, TILE_WIDTH, Tree, leaf_hash
from events.notes import Verifier, parse_note
from events.tiles import ENTRIES, Tile, parse_entry_bundle, tile_path, tiles_of
from events.verify import Report, Trust, judge_keys

Fetch = Callable[[str], bytes | None]
"""Give the content of a path under the log's prefix; None where there is none."""


@dataclass(slots=True)
class _Walk:
    """What was recomputed from the bundles so far."""

    fetch: Fetch
    published: Checkpoint
    marks: list[Checkpoint]
    origin: str | None = None
    stream: str = ""  # the ledger's own, which names its keys
    named: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree.empty)
    nodes: dict[int, bytearray] = field(default_factory=dict)
    tiles: int = 0
    passed: int = 0


def verify_tiles(fetch: Fetch, trust: Trust) -> Report:
    """Check bundles against tiles, tiles against each other, all against a checkpoint.

    The checkpoint must be signed by a key of ``trust``; where that names none, by one
    that the log names itself, which proves agreement, not identity.
    Raises ``Unavailable("log_unreachable")`` without a checkpoint, ``Malformed`` with a
    code of ``open_checkpoint`` for a bad one; all else is in the report, where
    ``nodes`` counts tiles.
    """
    content = fetch("checkpoint")
    if content is None:
        raise Unavailable("log_unreachable", "there is no checkpoint")
    note = content.decode(errors="replace")
    claimed = parse_checkpoint(parse_note(note)[0])
    if trust.vkeys:
        _published(note, trust, trust.vkeys)
    marks = [one for one in trust.checkpoints if one.size <= claimed.size]
    walk = _Walk(fetch, claimed, sorted(marks, key=lambda one: one.size))
    first = next(_findings(walk, trust), None)
    known = signing.periods(walk.named)
    if first is None:
        named = [vkey for period in known for vkey in period.vkeys]
        signed = _published(note, trust, trust.vkeys or named)
        first = judge_keys(known, replace(trust, signed=(*trust.signed, signed)))
    return Report(
        ok=first is None,
        size=walk.tree.size,
        root=walk.tree.root,
        first_bad=first.position if first else None,
        code=first.code if first else None,
        detail=first.detail if first else "",
        origin=walk.origin,
        keys=signing.periods(walk.named),
        streams=0,
        roots=int(first is None),
        nodes=walk.tiles,
        checkpoints=walk.passed,
    )


def usable_verifiers(vkeys: Sequence[str]) -> list[Verifier]:
    """Parse keys, leaving out types that this installation cannot check."""
    verifiers = []
    for vkey in vkeys:
        try:
            verifiers.append(Verifier.from_vkey(vkey))
        except Malformed as error:
            if error.code != "key_type_unsupported":
                raise
    return verifiers


def _published(
    note: str, trust: Trust, vkeys: Sequence[str]
) -> tuple[int, tuple[str, ...]]:
    """Return the size of the checkpoint, and who of ``vkeys`` signed it."""
    verifiers = usable_verifiers(vkeys)
    origin = trust.origin or parse_checkpoint(parse_note(note)[0]).origin
    published = open_checkpoint(note, verifiers, origin)
    return published.size, signed_by(note, verifiers)


def _name(walk: _Walk, position: int, entry: bytes) -> None:
    """Note what an entry says of the log's keys."""
    if position != 1 and not signing.may_name(entry):
        return
    found = signing.read(entry)
    if position == 1 and found and found.type == signing.OPENED:
        walk.origin, walk.stream = found.origin, found.stream
        walk.named.append((1, found.vkeys))
    elif found and found.type == signing.ROTATED and found.stream == walk.stream:
        walk.named.append((position, found.vkeys))


def _get(fetch: Fetch, tile: Tile) -> bytes | None:
    """Get a tile; a partial one may be gone where the full one exists (C2SP)."""
    if not tile.width:
        return None
    content = fetch(tile_path(tile))
    if content is None and tile.width < TILE_WIDTH:
        content = fetch(tile_path(Tile(tile.level, tile.index)))
    return content


def _findings(walk: _Walk, trust: Trust) -> Iterator[Finding]:
    """Yield what is wrong, in order of position as far as one walk can have it."""
    size = walk.published.size
    for tile in tiles_of(size):
        if tile.level == 0:
            yield from _bundle(walk, tile)
    if walk.tree.root != walk.published.root:
        # Which entry it is only the tiles can tell, and they agree with the entries.
        yield from _higher(walk)
        yield Finding(max(size, 1), "root_mismatch", "the checkpoint's root")
    yield from _higher(walk)
    beyond = [one.size for one in trust.checkpoints if one.size > size]
    if beyond:
        yield Finding(size + 1, "log_truncated", f"checkpoint of size {min(beyond)}")


def _bundle(walk: _Walk, tile: Tile) -> Iterator[Finding]:
    """Check one entry bundle against its level-0 tile and grow the tree by it."""
    first = tile.index * TILE_WIDTH + 1
    bundle = _get(walk.fetch, Tile(ENTRIES, tile.index, tile.width))
    hashes = _get(walk.fetch, tile)
    if bundle is None or hashes is None:
        yield Finding(first, "tile_missing", tile_path(tile))
        return
    try:
        entries = parse_entry_bundle(bundle)
    except Malformed as error:
        yield Finding(first, "tile_malformed", error.detail)
        return
    leaves = [leaf_hash(entry) for entry in entries]
    for at in range(tile.width):
        leaf = hashes[at * HASH_SIZE : (at + 1) * HASH_SIZE]
        if at >= len(leaves) or leaves[at] != leaf:
            yield Finding(first + at, "leaf_mismatch", tile_path(tile))
            return
        _name(walk, first + at, entries[at])
    walk.tiles += 1
    yield from _grow(walk, leaves[: tile.width])


def _grow(walk: _Walk, leaves: list[bytes]) -> Iterator[Finding]:
    while walk.marks and walk.marks[0].size <= walk.tree.size + len(leaves):
        mark = walk.marks.pop(0)
        take = mark.size - walk.tree.size
        _extend(walk, leaves[:take])
        leaves = leaves[take:]
        if walk.tree.root != mark.root:
            yield Finding(max(mark.size, 1), "checkpoint_mismatch", "another root")
        walk.passed += 1
    _extend(walk, leaves)


def _extend(walk: _Walk, leaves: list[bytes]) -> None:
    walk.tree, appended = walk.tree.extend(leaves)
    for level, _, node in appended.tile_nodes:
        walk.nodes.setdefault(level, bytearray()).extend(node)


def _higher(walk: _Walk) -> Iterator[Finding]:
    """Compare the tiles above level 0 with what was computed from below."""
    for tile in tiles_of(walk.published.size):
        if tile.level == 0:
            continue
        stored = _get(walk.fetch, tile)
        start = tile.index * TILE_WIDTH
        expected = walk.nodes[tile.level][start * HASH_SIZE :][: tile.width * HASH_SIZE]
        if stored is None:
            position = (start + 1) << TILE_BITS * tile.level
            yield Finding(position, "tile_missing", tile_path(tile))
            return
        for at in range(tile.width):
            part = slice(at * HASH_SIZE, (at + 1) * HASH_SIZE)
            if stored[part] != expected[part]:
                position = (start + at + 1) << TILE_BITS * tile.level
                yield Finding(position, "node_mismatch", tile_path(tile))
                return
        walk.tiles += 1
