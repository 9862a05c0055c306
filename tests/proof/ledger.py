"""A synthetic log: the rows of the three tables, as a store would hand them out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from events import entries
from events.merkle import Tree, leaf_hash
from events.store import Node, Root, Row

ORIGIN = "log.example/henji"
START = 1_763_884_800_000_000

ODD = (
    {"note": "评分 \U0001f4dd done", "\uff01": 2},
    {"score": 0.1, "tiny": 1e-7, "large": 1.5e10, "list": [2.25, -3]},
    {"credit": "913701001234567890", "number": 9007199254740991},
    {"escape": 'tab\t quote" back\\slash\n', "nothing": None, "yes": True},
)
"""Data that the quick way of checking canonical form might misjudge."""

SORTS_BY_UTF16 = {"\U0001f511": 1, "\uff01": 2}
"""Data that it cannot judge: it gives up on the whole chunk, so there is one of these."""


def opening(vkeys: Sequence[str], origin: str = ORIGIN) -> dict:
    """Return the event of position 1."""
    return {
        "specversion": "1.0",
        "id": "opened",
        "source": f"https://{origin}",
        "type": "henji.ledger.opened.v1",
        "subject": "ledger/main",
        "data": {"origin": origin, "vkeys": list(vkeys)},
    }


def event(number: int) -> dict:
    """Return a submission; some have no time, another offset, or unusual data."""
    made = {
        "specversion": "1.0",
        "id": f"evt-{number:06}",
        "source": "/systems/permits",
        "type": "henji.commitment.progress_reported.v1",
        "subject": f"commitment/GX-2017-{number % 17:04}",
        "data": {"percent": number % 100},
    }
    if number % 7 == 0:
        made["data"] = ODD[number // 7 % len(ODD)]
    if number == 300:
        made["data"] = SORTS_BY_UTF16
    if number % 5:
        made["time"] = entries.rfc3339(START + number * 1_000_003)
    elif number % 10:
        made["time"] = f"2025-11-23t08:00:{number % 60:02}.5+08:00"
    return made


@dataclass
class Log:
    """The three tables in memory; a test may change any row."""

    rows: list[Row]
    nodes: list[Node]
    roots: list[Root]

    def iter_entries(self, after: int = 0) -> Iterator[Row]:
        """Yield rows as ``ORDER BY position`` does."""
        return iter(sorted(row for row in self.rows if row.position > after))

    def iter_nodes(self) -> Iterator[Node]:
        """Yield nodes as ``ORDER BY level, idx`` does."""
        return iter(sorted(self.nodes))

    def iter_roots(self) -> Iterator[Root]:
        """Yield roots as ``ORDER BY size`` does."""
        return iter(sorted(self.roots))

    def hashes(self, coordinates: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return stored hashes in the order asked."""
        stored = {(level, index): node for level, index, node in self.nodes}
        return [
            stored[level, index] if level else self.rows[index].leaf
            for level, index in coordinates
        ]

    def entries(self, *, start: int, end: int) -> list[bytes]:
        """Return entry bytes for leaf indexes [start, end)."""
        return [row.entry for row in self.rows[start:end]]

    def copy(self) -> Log:
        """Return tables that can be changed on their own."""
        return Log(list(self.rows), list(self.nodes), list(self.roots))


def seal(events: Sequence[dict], batches: Iterable[int]) -> Log:
    """Seal events in batches of these sizes; each batch has an instant of its own."""
    log, tree, versions, done = Log([], [], []), Tree.empty(), {}, 0
    for number, size in enumerate(batches):
        ingested = START + number * 1_234_567
        batch = events[done : done + size]
        if not batch:
            break
        done += len(batch)
        fresh = []
        for one in batch:
            stream = one["subject"]
            versions[stream] = versions.get(stream, 0) + 1
            fresh.append(_row(one, tree.size + len(fresh) + 1, versions, ingested))
        tree, appended = tree.extend([row.leaf for row in fresh])
        log.rows += fresh
        log.nodes += [Node(*node) for node in appended.tile_nodes]
        log.roots.append(Root(tree.size, tree.root, ingested))
    assert done == len(events)
    return log


def _row(one: dict, position: int, versions: dict, ingested: int) -> Row:
    raw = entries.compose(
        event=one,
        stream=one["subject"],
        version=versions[one["subject"]],
        ingested_text=entries.rfc3339(ingested),
        authid="key-1",
        stamps={},
    )
    read = json.loads(raw)
    occurred = entries.occurred(read, ingested)
    return Row(
        position,
        read["stream"],
        read["streamversion"],
        read["type"],
        read["source"],
        read["id"],
        occurred,
        ingested,
        leaf_hash(raw),
        raw,
    )
