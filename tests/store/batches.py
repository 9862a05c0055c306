"""Make sealed batches and append them, as the sequencer does but without deciding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from events.merkle import Tree, leaf_hash
from events.store import Append, Node, Root, Row, Store


@dataclass(frozen=True, slots=True)
class Draft:
    """What a test says of an entry; position, version and hashes are derived."""

    stream: str
    id: str
    type: str = "henji.commitment.registered.v1"
    source: str = "urn:test:a"
    occurred: int = 1_000_000
    entry: bytes | None = None


def sealed(
    append: Append, drafts: Sequence[Draft], ingested: int
) -> tuple[list[Row], list[Node], Root]:
    """Return the rows, nodes and root that continue the log."""
    head = append.head()
    tree = Tree.load(head.size, append.hashes) if head else Tree.empty()
    versions = append.versions([draft.stream for draft in drafts])
    rows = []
    for position, draft in enumerate(drafts, tree.size + 1):
        versions[draft.stream] = versions.get(draft.stream, 0) + 1
        entry = draft.entry or f"{draft.stream} {draft.source} {draft.id}".encode()
        rows.append(
            Row(
                position,
                draft.stream,
                versions[draft.stream],
                draft.type,
                draft.source,
                draft.id,
                draft.occurred,
                ingested,
                leaf_hash(entry),
                entry,
            )
        )
    grown, appended = tree.extend([row.leaf for row in rows])
    nodes = [Node(*node) for node in appended.tile_nodes]
    return rows, nodes, Root(grown.size, grown.root, ingested)


def put(store: Store, drafts: Sequence[Draft], *, ingested: int = 5_000_000) -> Root:
    """Append one batch in one transaction; return its root."""
    with store.append() as append:
        rows, nodes, root = sealed(append, drafts, ingested)
        append.insert(rows=rows, nodes=nodes, root=root)
    return root


def many(count: int, *, prefix: str = "e", stream: str = "commitment/A") -> list[Draft]:
    """Return ``count`` plain drafts of one stream."""
    return [Draft(stream, f"{prefix}-{number}") for number in range(count)]
