"""The check of a log by its published files alone: checkpoint, tiles, entry bundles.

What an outsider can do: no columns, no root of every batch. Files come from a callable,
so that this works on a directory and over HTTP alike; no I/O here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from events import canonical
from events.agreement import Finding
from events.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from events.errors import Malformed, Unavailable
from events.merkle import HASH_SIZE, TILE_BITS, TILE_WIDTH, Tree, leaf_hash
from events.notes import Verifier, parse_note
from events.tiles import ENTRIES, Tile, parse_entry_bundle, tile_path, tiles_of
from events.verify import OPENED, Report, Trust

Fetch = Callable[[str], bytes | None]
"""Give the content of a path under the log's prefix; None where there is none."""


@dataclass(slots=True)
class _Walk:
    """What was recomputed from the bundles so far."""

    fetch: Fetch
    published: Checkpoint
    marks: list[Checkpoint]
    tree: Tree = field(default_factory=Tree.empty)
    nodes: dict[int, bytearray] = field(default_factory=dict)
    tiles: int = 0
    passed: int = 0


def verify_tiles(fetch: Fetch, trust: Trust) -> Report:
    """Check bundles against tiles, tiles against each other, all against a checkpoint.

    The checkpoint must be signed by a key of ``trust``; where that names none, by one
    that the log names itself at position 1, which proves agreement, not identity.
    Raises ``Unavailable("log_unreachable")`` without a checkpoint, ``Malformed`` with a
    code of ``open_checkpoint`` for a bad one; all else is in the report, where
    ``nodes`` counts tiles.
    """
    content = fetch("checkpoint")
    if content is None:
        raise Unavailable("log_unreachable", "there is no checkpoint")
    note = content.decode(errors="replace")
    claimed = parse_checkpoint(parse_note(note)[0])
    origin, vkeys = _opening(fetch, claimed)
    signed_by = usable_verifiers(trust.vkeys or vkeys)
    published = open_checkpoint(note, signed_by, trust.origin or claimed.origin)
    marks = [one for one in trust.checkpoints if one.size <= published.size]
    walk = _Walk(fetch, published, sorted(marks, key=lambda one: one.size))
    first = next(_findings(walk, trust), None)
    return Report(
        ok=first is None,
        size=walk.tree.size,
        root=walk.tree.root,
        first_bad=first.position if first else None,
        code=first.code if first else None,
        detail=first.detail if first else "",
        origin=origin,
        vkeys=vkeys,
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


def _opening(fetch: Fetch, claimed: Checkpoint) -> tuple[str | None, tuple[str, ...]]:
    """Return origin and vkeys as the log's first entry names them."""
    bundle = _get(fetch, Tile(ENTRIES, 0, min(claimed.size, TILE_WIDTH)))
    try:
        entry = canonical.parse(parse_entry_bundle(bundle or b"")[0])
        if entry["type"] != OPENED:
            return None, ()
        data = entry["data"]
        return str(data["origin"]), tuple(map(str, data["vkeys"]))
    except (Malformed, LookupError, TypeError):
        return None, ()


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
        leaves = [leaf_hash(entry) for entry in parse_entry_bundle(bundle)]
    except Malformed as error:
        yield Finding(first, "tile_malformed", error.detail)
        return
    for at in range(tile.width):
        leaf = hashes[at * HASH_SIZE : (at + 1) * HASH_SIZE]
        if at >= len(leaves) or leaves[at] != leaf:
            yield Finding(first + at, "leaf_mismatch", tile_path(tile))
            return
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
