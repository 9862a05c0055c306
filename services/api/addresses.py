"""Where an entry is found: one address for each, whatever characters its id has.

Rules of this file: paths only.
"""

from __future__ import annotations

from urllib.parse import quote


def location(source: str, event_id: str, position: int) -> str:
    """Return the path of an entry: by its id, or by its position where that is unsafe.

    An id may be what another route is called, or what clients fold away as a path.
    """
    if event_id in {"stream", ".", ".."} or event_id.endswith("/proof"):
        return f"/v1/entries/{position}"
    return f"/v1/events/{quote(event_id, safe='')}?source={quote(source, safe='')}"


def proof(source: str, event_id: str, position: int) -> str:
    """Return the path of an entry's receipt."""
    path, _, query = location(source, event_id, position).partition("?")
    return f"{path}/proof?{query}" if query else f"{path}/proof"
