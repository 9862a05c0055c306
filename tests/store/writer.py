"""One writer process of the tests: ``python -m tests.store.writer STORE TARGET NAME N``.

It appends N batches under its own name to its own stream and to one that all share.
"""

from __future__ import annotations

import sys
from pathlib import Path

from events.postgres import PostgresStore
from events.sqlite import SqliteStore
from events.store import Store
from tests.store.batches import Draft, put


def opened(kind: str, target: str) -> Store:
    """Open the store that other processes have open, too."""
    if kind == "sqlite":
        return SqliteStore.open(Path(target))
    return PostgresStore.open(target)


def main(kind: str, target: str, name: str, batches: str) -> None:
    """Append, saying ``ready`` first and waiting for a line to begin together."""
    store = opened(kind, target)
    print("ready", flush=True)
    sys.stdin.readline()
    for batch in range(int(batches)):
        drafts = [
            Draft(("s/shared", f"s/{name}")[n % 2], f"{name}-{batch}-{n}")
            for n in range(batch % 5 + 1)
        ]
        root = put(store, drafts)
        print(root.size, len(drafts), root.root.hex(), flush=True)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
