"""Tiles and entry bundles: how a log is cut into static files (C2SP tlog-tiles).

Paths, widths and bytes only; what is published, and HTTP, is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from events.errors import Malformed, NotFound
from events.merkle import HASH_SIZE, TILE_BITS, TILE_WIDTH, Coordinate

ENTRIES = -1
"""In place of a level: the bundles of entries, as wide as the tiles of level 0."""

MAX_LEVEL = 63
MAX_ENTRY = 65_535

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]{1,2})/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[0-9]{1,3}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile's address; ``width`` is 256 for a full one, 1 to 255 for a partial one."""

    level: int
    index: int
    width: int = TILE_WIDTH


def tile_path(tile: Tile) -> str:
    """Return the path under the log's prefix, without leading slash."""
    level = "entries" if tile.level == ENTRIES else str(tile.level)
    rest, last = divmod(tile.index, 1000)
    groups = [f"{last:03}"]
    while rest:
        rest, group = divmod(rest, 1000)
        groups.append(f"x{group:03}")
    partial = "" if tile.width == TILE_WIDTH else f".p/{tile.width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def parse_tile_path(path: str) -> Tile:
    """Parse what ``tile_path`` writes; for any other spelling ``tile_not_found``.

    Raises ``NotFound``: C2SP wants 404 for a path that is not in its only form.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise NotFound("tile_not_found", path)
    level = ENTRIES if match["level"] == "entries" else int(match["level"])
    index = int(re.sub("[x/]", "", match["index"]))
    width = TILE_WIDTH if match["width"] is None else int(match["width"])
    tile = Tile(level, index, width)
    if not (0 < width <= TILE_WIDTH and level <= MAX_LEVEL and tile_path(tile) == path):
        raise NotFound("tile_not_found", path)
    return tile


def available_width(*, level: int, index: int, size: int) -> int:
    """Return how many hashes or entries that tile has at this tree size: 0-256."""
    count = size >> TILE_BITS * max(level, 0)
    return min(max(count - index * TILE_WIDTH, 0), TILE_WIDTH)


def require_available(tile: Tile, size: int) -> None:
    """Refuse, as ``tile_not_found``, what the published ``size`` does not cover."""
    have = available_width(level=tile.level, index=tile.index, size=size)
    if tile.width > have:
        raise NotFound("tile_not_found", tile_path(tile))


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield each hash tile of a tree of ``size``: by level and index, partial last."""
    level = 0
    while count := size >> TILE_BITS * level:
        full, rest = divmod(count, TILE_WIDTH)
        for index in range(full):
            yield Tile(level, index)
        if rest:
            yield Tile(level, full, rest)
        level += 1


def coordinates(tile: Tile) -> list[Coordinate]:
    """Return the stored hashes a hash tile consists of, in order."""
    first = tile.index * TILE_WIDTH
    return [(tile.level, index) for index in range(first, first + tile.width)]


def cut_tile(tile: bytes, width: int) -> bytes:
    """Return the first ``width`` hashes of a hash tile that has at least as many."""
    if len(tile) < width * HASH_SIZE:
        raise NotFound("tile_not_found", f"fewer than {width} hashes")
    return tile[: width * HASH_SIZE]


def split_tile(tile: bytes) -> list[bytes]:
    """Return the hashes of a hash tile. Raises ``Malformed("tile_malformed")``."""
    count, rest = divmod(len(tile), HASH_SIZE)
    if rest or not 0 < count <= TILE_WIDTH:
        raise Malformed("tile_malformed", f"{len(tile)} bytes")
    return [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bundle: each entry behind its length in two bytes, big-endian.

    Raises ``Malformed("entry_too_large")`` above 65,535 bytes.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise Malformed("entry_too_large", size=len(entry), limit=MAX_ENTRY)
        parts += (len(entry).to_bytes(2), entry)
    return b"".join(parts)


def parse_entry_bundle(bundle: bytes) -> list[bytes]:
    """Return a bundle's entries. Raises ``Malformed("tile_malformed")``."""
    entries, at = [], 0
    while at < len(bundle):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start])
        if start > len(bundle) or at > len(bundle):
            raise Malformed("tile_malformed", "an entry runs over the end")
        entries.append(bundle[start:at])
    if not 0 < len(entries) <= TILE_WIDTH:
        raise Malformed("tile_malformed", f"{len(entries)} entries")
    return entries


def cut_bundle(bundle: bytes, width: int) -> bytes:
    """Return the first ``width`` entries of a bundle, byte for byte."""
    entries = parse_entry_bundle(bundle)
    if len(entries) < width:
        raise NotFound("tile_not_found", f"fewer than {width} entries")
    return entry_bundle(entries[:width])
