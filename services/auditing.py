"""The files, connections and stores that verification reads, and the tiles it writes.

Judgement is in ``events``: nothing here decides whether a log is sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import httpx2

from events.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    signed_by,
)
from events.errors import Malformed, Unavailable
from events.merkle import TILE_BITS
from events.notes import parse_note
from events.receipts import verify_receipt
from events.store import Coordinate, Node, Root, Row
from events.tileaudit import usable_verifiers, verify_tiles
from events.tiles import (
    ENTRIES,
    Tile,
    coordinates,
    entry_bundle,
    parse_entry_bundle,
    tile_path,
    tiles_of,
)
from events.verify import Report, Tables, Trust, verify_log

#: From the path of a file of a published log to its bytes; None: there is none.
Fetch = Callable[[str], bytes | None]
_SECONDS = 30.0
_MAX_CONTENT = 256 * (65_535 + 2)  # the largest entry bundle


class AuditedStore(Tables, Protocol):
    """What verification needs of a store."""

    def head(self) -> Root | None:
        """Return the newest root."""

    def rows(self, *, after: int, limit: int) -> list[Row]:
        """Return rows with position > ``after``."""


class ExportedStore(Protocol):
    """What writing tiles needs of a store."""

    def hashes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return stored hashes in the order asked."""

    def entries(self, *, start: int, end: int) -> list[bytes]:
        """Return entry bytes for leaf indexes [start, end)."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A store as of one size, though others go on appending to it.

    Left out is only what a root committed meanwhile accounts for. A row that the
    database cannot hand out becomes a row to be judged, not an exception.
    """

    store: AuditedStore
    size: int

    def _is_later(self, position: int) -> bool:
        """Tell whether what covers ``position`` was appended since the snapshot."""
        if position <= self.size:
            return False
        head = self.store.head()
        return head is not None and head.size >= position

    def iter_entries(self, after: int = 0) -> Iterator[Row]:
        """Yield rows up to the size, or to one that cannot be read and a stand-in."""
        try:
            for row in self.store.iter_entries(after):
                if row.position > self.size and self._is_later(row.position):
                    return
                after = row.position
                yield row
        except Exception:  # noqa: BLE001 - each database has its own for broken text
            yield from self._one_by_one(after)

    def _one_by_one(self, after: int) -> Iterator[Row]:
        while True:
            try:
                found = self.store.rows(after=after, limit=1)
            except Exception:  # noqa: BLE001 - see above
                nothing = cast("bytes", None)
                yield Row(after + 1, "", 0, "", "", "", 0, 0, nothing, nothing)
                return
            if not found:
                return
            after = found[0].position
            yield found[0]

    def iter_nodes(self) -> Iterator[Node]:
        """Yield the hashes of subtrees that were complete at the size."""
        for node in self.store.iter_nodes():
            covered = (
                (node.idx + 1) << TILE_BITS * node.level if 0 < node.level < 8 else 0
            )
            if not self._is_later(covered):
                yield node

    def iter_roots(self) -> Iterator[Root]:
        """Yield the roots up to the size."""
        return (root for root in self.store.iter_roots() if root.size <= self.size)


def trust_from(
    *, origin: str | None, vkeys: Sequence[str], notes: Sequence[str]
) -> Trust:
    """Return what the auditor holds, having checked that these keys signed the notes.

    The origin defaults to the name of the first key. Raises ``Malformed`` with a code
    of ``open_checkpoint`` or of ``Verifier.from_vkey``.
    """
    verifiers = usable_verifiers(vkeys)
    if origin is None and verifiers:
        origin = verifiers[0].name
    if notes and origin is None:
        raise Malformed("note_unsigned", "a checkpoint without a key proves nothing")
    held = tuple(open_checkpoint(note, verifiers, origin or "") for note in notes)
    signed = tuple(
        (one.size, signed_by(note, verifiers))
        for one, note in zip(held, notes, strict=True)
    )
    return Trust(origin, tuple(vkeys), held, signed)


def verify_store(store: AuditedStore, trust: Trust) -> Report:
    """Verify the tables of a store as of now; see ``events.verify.verify_log``.

    Others may append meanwhile.
    """
    head = store.head()
    return verify_log(_Snapshot(store, head.size if head else 0), trust)


def verify_directory(directory: Path, trust: Trust) -> Report:
    """Verify a directory of tiles; see ``events.tileaudit.verify_tiles``."""
    with published(str(directory)) as fetch:
        return verify_tiles(fetch, trust)


def verify_url(url: str, trust: Trust, *, key: str = "") -> Report:
    """Verify a published log by its prefix URL; raises as ``published``."""
    with published(url, key=key) as fetch:
        return verify_tiles(fetch, trust)


@contextmanager
def published(target: str, *, key: str = "") -> Iterator[Fetch]:
    """Open a published log, a prefix URL or a folder; redirects are not followed.

    What is yielded returns a file's bytes, None where there is none. ``key`` is an API
    key, for a log that is not served to everyone.

    Raises ``Unavailable("log_unreachable")`` when an answer is neither 200 nor 404.
    """
    if not target.startswith(("http://", "https://")):
        yield lambda path: _file(Path(target) / path)
        return
    prefix = target.rstrip("/") + "/"
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx2.Client(
        timeout=_SECONDS, follow_redirects=False, headers=headers
    ) as client:
        yield lambda path: _get(client, prefix + path)


def entries_of(fetch: Fetch, size: int) -> Iterator[bytes]:
    """Yield the entries of a published log that was verified at this size, in order.

    ``Malformed('tile_malformed')``: the files have changed since.
    """
    for tile in tiles_of(size):
        if tile.level == 0:
            path = tile_path(Tile(ENTRIES, tile.index, tile.width))
            yield from parse_entry_bundle(fetch(path) or b"")


def _file(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _get(client: httpx2.Client, url: str) -> bytes | None:
    try:
        with client.stream("GET", url) as answer:
            if answer.status_code == 404:
                return None
            if answer.status_code != 200:
                raise Unavailable("log_unreachable", f"{answer.status_code} {url}")
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > _MAX_CONTENT:
                    raise Unavailable("log_unreachable", f"too much content {url}")
            return content
    except httpx2.HTTPError as error:
        raise Unavailable("log_unreachable", f"{url}: {error}") from error


def verify_receipt_file(
    receipt: Path, *, entry: Path, vkeys: Sequence[str], origin: str | None = None
) -> Checkpoint:
    """Verify a receipt file against a file with the entry's exact bytes, offline.

    The origin defaults to the name of the first key. Raises ``Malformed`` with a code
    of ``events.receipts.verify_receipt``.
    """
    try:
        text = receipt.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Malformed("receipt_malformed", "not UTF-8") from error
    return verify_receipt_text(
        text, entry=entry.read_bytes(), vkeys=vkeys, origin=origin
    )


def verify_receipt_text(
    text: str, *, entry: bytes, vkeys: Sequence[str], origin: str | None = None
) -> Checkpoint:
    """Verify a receipt against the entry's exact bytes; see ``verify_receipt_file``."""
    verifiers = usable_verifiers(vkeys)
    if not verifiers:
        raise Malformed("note_unsigned", "no usable key was given")
    return verify_receipt(text, entry, verifiers, origin or verifiers[0].name)


def export_tiles(store: ExportedStore, directory: Path, note: str) -> Checkpoint:
    """Write the log at the size of a signed checkpoint as static files.

    The checkpoint comes last, so that a reader of the directory never finds one whose
    tiles are missing. Returns what was exported; existing files are overwritten.
    """
    checkpoint = parse_checkpoint(parse_note(note)[0])
    for tile in tiles_of(checkpoint.size):
        _write(directory, tile, b"".join(store.hashes(coordinates(tile))))
        if tile.level == 0:
            start = tile.index * 256
            found = store.entries(start=start, end=start + tile.width)
            bundle = Tile(ENTRIES, tile.index, tile.width)
            _write(directory, bundle, entry_bundle(found))
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "checkpoint").write_bytes(note.encode())
    return checkpoint


def _write(directory: Path, tile: Tile, content: bytes) -> None:
    path = directory / tile_path(tile)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
