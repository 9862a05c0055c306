"""Tile paths have one spelling, widths follow from the size, bundles round-trip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import tiles
from events.errors import Malformed, NotFound
from events.tiles import ENTRIES, Tile

TRAPS = [
    "tile/0/0",
    "tile/0/00",
    "tile/0/0000",
    "tile/0/1000",
    "tile/00/000",
    "tile/01/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/+1/000",
    "tile/data/000",
    "tile/Entries/000",
    "tile/0/x000/001",
    "tile/0/x001/x234",
    "tile/0/001/234",
    "tile/0/X001/000",
    "tile/0/x001/000/",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p/999",
    "tile/0/000.p/",
    "tile/0/000.p/-1",
    "tile/0/000.P/1",
    "tile/0/000p/1",
    "tile/0/000\n",
    "tile/0/٠٠٠",
    "tile/٠/000",
    "/tile/0/000",
    "tile//000",
    "tile/0/../0/000",
    "tile/0/" + "x001/" * 7 + "000",
    "",
]


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("tile/0/000", Tile(0, 0)),
        ("tile/0/999", Tile(0, 999)),
        ("tile/1/x001/000", Tile(1, 1000)),
        ("tile/63/x001/x234/067", Tile(63, 1_234_067)),
        ("tile/0/273.p/112", Tile(0, 273, 112)),
        ("tile/entries/x001/x234/067.p/1", Tile(ENTRIES, 1_234_067, 1)),
    ],
)
def test_paths_of_the_specification(path, tile):
    """The specification's examples are written and read as it says."""
    assert tiles.tile_path(tile) == path
    assert tiles.parse_tile_path(path) == tile


@given(st.builds(Tile, st.integers(-1, 63), st.integers(0, 2**55), st.integers(1, 256)))
def test_paths_round_trip(tile):
    """Every address survives writing and reading."""
    assert tiles.parse_tile_path(tiles.tile_path(tile)) == tile


@pytest.mark.parametrize("path", TRAPS)
def test_other_spellings_are_not_found(path):
    """A path that is not in its only form names nothing."""
    with pytest.raises(NotFound) as caught:
        tiles.parse_tile_path(path)
    assert caught.value.code == "tile_not_found"


@given(st.text(max_size=30))
def test_any_path_is_a_tile_or_not_found(rest):
    """No text makes the parser fail otherwise, and what it reads it would write."""
    try:
        tile = tiles.parse_tile_path("tile/" + rest)
    except NotFound:
        return
    assert tiles.tile_path(tile) == "tile/" + rest


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, []),
        (1, [Tile(0, 0, 1)]),
        (256, [Tile(0, 0), Tile(1, 0, 1)]),
        (
            70_000,
            [
                *(Tile(0, at) for at in range(273)),
                Tile(0, 273, 112),
                Tile(1, 0),
                Tile(1, 1, 17),
                Tile(2, 0, 1),
            ],
        ),
    ],
)
def test_tiles_of_a_size(size, expected):
    """A size has the tiles that the specification counts, and no empty one."""
    assert list(tiles.tiles_of(size)) == expected
    for tile in expected:
        width = tiles.available_width(level=tile.level, index=tile.index, size=size)
        assert width == tile.width


def test_nothing_beyond_the_published_size():
    """Any width up to the available one is served, none beyond."""
    for width in (1, 111, 112):
        tiles.require_available(Tile(0, 273, width), 70_000)
        tiles.require_available(Tile(ENTRIES, 273, width), 70_000)
    for tile in (Tile(0, 273, 113), Tile(0, 273), Tile(0, 274, 1), Tile(2, 0, 2)):
        with pytest.raises(NotFound):
            tiles.require_available(tile, 70_000)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256), st.data())
def test_bundles_round_trip_and_cut(entries, data):
    """A bundle gives its entries back; a partial one is the beginning of the full one."""
    bundle = tiles.entry_bundle(entries)
    assert tiles.parse_entry_bundle(bundle) == entries
    width = data.draw(st.integers(1, len(entries)))
    cut = tiles.cut_bundle(bundle, width)
    assert bundle.startswith(cut)
    assert tiles.parse_entry_bundle(cut) == entries[:width]
    with pytest.raises(NotFound):
        tiles.cut_bundle(bundle, len(entries) + 1)
    with pytest.raises(Malformed):
        tiles.parse_entry_bundle(bundle + b"\0")


def test_bundle_limits():
    """An entry of 65,535 bytes fits, one more does not; a bundle has 1 to 256 entries."""
    largest = tiles.entry_bundle([bytes(65_535)])
    assert largest[:2] == b"\xff\xff"
    for broken in (b"", largest[:-1], b"\0\0" * 257):
        with pytest.raises(Malformed):
            tiles.parse_entry_bundle(broken)
    with pytest.raises(Malformed) as caught:
        tiles.entry_bundle([bytes(65_536)])
    assert caught.value.code == "entry_too_large"


def test_hash_tiles():
    """A hash tile is its hashes side by side; a narrower one is its beginning."""
    hashes = [bytes([n]) * 32 for n in range(5)]
    tile = b"".join(hashes)
    assert tiles.split_tile(tile) == hashes
    assert tiles.cut_tile(tile, 2) == hashes[0] + hashes[1]
    assert tiles.coordinates(Tile(1, 2, 3)) == [(1, 512), (1, 513), (1, 514)]
    with pytest.raises(NotFound):
        tiles.cut_tile(tile, 6)
    for broken in (b"", tile[:-1], bytes(32 * 257)):
        with pytest.raises(Malformed):
            tiles.split_tile(broken)
