"""Folding an export of the log (NDJSON) before its topic is followed.

Rules of this file: nothing is folded of a file that is not, as a whole, the log up to
the root that the operator names. Line n is the entry at position n.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from events import catalogue
from events.errors import Conflict, Corrupt
from events.merkle import Tree, leaf_hash
from events.store import Row
from projections import partitions
from projections.partitions import Batch
from projections.tables import Projector
from projections.views import Generation, Part, Views
from services.kafka.partitions import partition_of
from services.remote.chain import Source, row_of

_BATCH: Final = 10_000


def checked(path: Path, source: Source, root: str) -> int:
    """Return how many entries an export has, once it is known to be this log's.

    ``Corrupt('export_root_mismatch')``: it is not the log up to that root (hex), whole.
    ``Conflict('record_of_other_log')``: it is another log.
    """
    tree = Tree.empty()
    for lines in _batches(path):
        tree, _ = tree.extend([leaf_hash(line) for line in lines])
    if tree.root.hex() != root.lower():
        raise Corrupt(
            "export_root_mismatch",
            expected=root,
            actual=tree.root.hex(),
            size=tree.size,
        )
    with path.open("rb") as file:
        opened = catalogue.read(file.readline().rstrip(b"\n"))
    origin = getattr(opened.data, "origin", "")
    if origin != source.ledger:
        raise Conflict("record_of_other_log", expected=source.ledger, actual=origin)
    return tree.size


def fold(
    path: Path,
    source: Source,
    *,
    views: Views,
    projector: Projector,
    generation: Generation,
) -> None:
    """Fold a checked export into a generation that was just created.

    Each partition is then where the topic's is at the end of the export, but for the
    offset: the topic is read from its beginning, and what is known is passed over.
    """
    parts = {part.number: part for part in generation.parts}
    size = 0
    for lines in _batches(path):
        shares: dict[int, list[Row]] = defaultdict(list)
        for position, line in enumerate(lines, start=size + 1):
            row = row_of(line, position, leaf_hash(line))
            number = partition_of(row.stream.encode(), source.partitions)
            shares[number].append(row)
        for number, rows in shares.items():
            batch = _batch(parts[number], rows)
            parts[number] = partitions.fold(views, projector, generation, batch)
        size += len(lines)
    for part in parts.values():
        end = Batch(part, replace(part, reached=size))
        partitions.fold(views, projector, generation, end)


def _batch(before: Part, rows: list[Row]) -> Batch:
    position = rows[-1].position
    after = replace(before, position=position, reached=position)
    return Batch(before, after, rows, [before.offset] * len(rows))


def _batches(path: Path) -> Iterator[list[bytes]]:
    with path.open("rb") as file:
        while lines := [line.rstrip(b"\n") for line in islice(file, _BATCH)]:
            yield lines
